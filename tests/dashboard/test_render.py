"""The page as HTML: sound for a parser, a screen reader and a browser that may load nothing, whatever it is given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadscore_v6.dashboard.page import Page, State
from leadscore_v6.dashboard.render import render_page
from tests.dashboard.made_up import page
from tests.dashboard.sound import assert_sound, read, text_of

# What a feed or a person could bring along: markup, attributes, entities, templates, the ends of what it stands in.
HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style></svg></table><script>alert(1)</script>",
    '" onload="alert(1)" x="',
    "' onclick='alert(1)",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp; <!-- -->",
    "`<b>typed</b>` and a lone ` quote",
    "javascript:alert(1) https://example.org/x.png",
)

# A day and a command are marked where they stand in a text; names below a picture are as many as there is room for.
DEPENDING = ("code", "time", "text")


def test_a_page_of_every_block_is_sound() -> None:
    assert_sound(render_page(page()))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_a_text_is_it_stays_text(hostile: str) -> None:
    html = render_page(page(lambda text: f"{text} {hostile}"))
    parsed = assert_sound(html)
    shown = " ".join(hostile.replace("`", " ").split())
    # Each place that a page has for a text shows it as it was given.
    for selector in ("h1", "main", "footer", "header"):
        text = " ".join(text_of(parsed, selector).replace("`", " ").split())
        assert shown in text, selector
    assert [one.to_text() for one in parsed.query("b")] == []


def test_the_hostile_page_has_the_elements_of_the_plain_one_and_no_other() -> None:
    plain, hostile = (
        [one.name for one in read(render_page(page(said))).query("*") if one.name not in DEPENDING]
        for said in (str, lambda text: f"{text} {' '.join(HOSTILE).replace('`', '')}")
    )
    assert hostile == plain


def test_the_verdict_comes_first_and_the_worst_one_leads() -> None:
    parsed = read(render_page(page()))
    assert text_of(parsed, "#verdicts .overall").startswith("■ stopped")
    states = [one.attrs["class"] for one in parsed.query("#verdicts .verdicts > li")]
    assert states == ["stopped", "look-here", "not-yet", "healthy"]
    assert parsed.query("title")[0].to_text().startswith("stopped")
    # Before anything else in the page's main part.
    assert parsed.query("main > section")[0].attrs["id"] == "verdicts"


def test_a_state_is_told_by_word_and_sign_and_not_by_colour_alone() -> None:
    parsed = read(render_page(page()))
    signs = {}
    for badge in parsed.query(".state"):
        sign, word = badge.to_text(separator=" ").split(maxsplit=1)
        signs.setdefault(word, set()).add(sign)
    assert set(signs) == {state.value for state in State}
    assert len(set().union(*signs.values())) == len(State), "each state has a sign of its own"


def test_what_is_typed_and_days_are_marked() -> None:
    parsed = read(render_page(page()))
    assert {one.to_text() for one in parsed.query("#verdicts code")} == {"this"}
    assert "2026-03-02" in {one.to_text() for one in parsed.query("time")}


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_synthetic_data_is_said_so(is_synthetic: bool) -> None:
    parsed = read(render_page(replace(page(), is_synthetic=is_synthetic)))
    assert ("Synthetic data" in text_of(parsed, "header")) == is_synthetic


def test_a_picture_has_its_numbers_as_a_table_beside_it() -> None:
    figures = read(render_page(page())).query("figure")
    assert figures
    for figure in figures:
        assert figure.query("svg")
        assert figure.query("details table"), "the numbers of every picture can be read"


def test_the_same_page_gives_the_same_bytes() -> None:
    assert render_page(page()) == render_page(page())
    assert render_page(page()).endswith("</html>\n")


def test_a_page_without_a_panel_says_that_nothing_is_there() -> None:
    empty = Page("Empty", (), is_synthetic=False, panels=())
    assert empty.verdict.state is State.NOT_YET
    assert_sound(render_page(empty))
