"""Contrast of the style's colours, computed as WCAG 2.2 does (success criteria 1.4.3 and 1.4.11), light and dark."""

from __future__ import annotations

import re

import pytest

from leadscore_v6.dashboard.render import style_sheet

# (in front, behind): text needs 4.5, what is drawn 3.
TEXT = [
    ("ink", "paper"), ("ink", "card"), ("quiet", "paper"), ("quiet", "card"), ("link", "paper"), ("link", "card"),
    *((state, f"{state}-paper") for state in ("healthy", "not-yet", "look-here", "stopped")),
]  # fmt: skip
DRAWN = [
    ("s1", "card"), ("s2", "card"), ("flag", "card"), ("ink", "card"), ("link", "card"), ("link", "paper"),
    *((state, "card") for state in ("healthy", "not-yet", "look-here", "stopped")),
]  # fmt: skip
# Lines of a grid and of a table: they say nothing that is not said without them.
DECORATION = {"line"}


def tokens() -> dict[str, dict[str, str]]:
    """Colours by name, of the light and of the dark page."""
    light, dark = re.findall(r":root \{(.+?)\}", style_sheet(), re.DOTALL)
    found = {"light": dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light))}
    found["dark"] = found["light"] | dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", dark))
    return found


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG defines it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(front: str, behind: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    low, high = sorted((luminance(front), luminance(behind)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)  # WebAIM's example of just enough
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # and of just not


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_what_is_drawn_stand_out(scheme: str) -> None:
    colours = tokens()[scheme]
    measured = {(front, behind): contrast(colours[front], colours[behind]) for front, behind in {*TEXT, *DRAWN}}
    assert {pair: value for pair, value in measured.items() if pair in TEXT and value < 4.5} == {}
    assert {pair: value for pair, value in measured.items() if pair in DRAWN and value < 3} == {}


def test_every_colour_is_a_token_that_is_measured() -> None:
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", style_sheet()))
    measured = {name for pair in (*TEXT, *DRAWN) for name in pair}
    assert used - measured - DECORATION == set()
    assert set(tokens()["light"]) == used
    assert set(re.findall(r":root \{(.+?)\}", style_sheet(), re.DOTALL)[1].split("--")) != set()
    rules = re.sub(r":root \{.+?\}", "", style_sheet(), flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", rules.replace("#verdicts", "")) == []


def test_light_and_dark_name_the_same_colours() -> None:
    light, dark = re.findall(r":root \{(.+?)\}", style_sheet(), re.DOTALL)
    assert set(re.findall(r"--([a-z0-9-]+):", light)) == set(re.findall(r"--([a-z0-9-]+):", dark))
