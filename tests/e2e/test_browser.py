"""The dashboard and Dagster's UI in a real headless browser: what no parser can tell.

It needs Debian's `chromium` (CONTRIBUTING.md); without one these tests are errors, not skipped. Screenshots are kept
under `.leadscore/screenshots/` of the checkout.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from leadscore_v6.dashboard.render import render_page
from leadscore_v6.dashboard.settings import PAGE_FILE
from leadscore_v6.gates.registry import load_gates
from tests.dashboard.made_up import page as made_up
from tests.e2e.process import REPOSITORY
from tests.e2e.serving_ui import serving

pytestmark = pytest.mark.prove

SCREENSHOTS = REPOSITORY / ".leadscore" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
SCHEMES = ("light", "dark")
# WCAG's rules, and axe's best practices; `region` and the like look at the whole page.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

# What reaches beyond the window, but for what scrolls in itself or is there for a screen reader only.
OVERFLOW = """() => [...document.querySelectorAll('body *')]
  .filter(one => !one.closest('.scrolls, .unseen, .skip, thead') && one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.tagName + '.' + one.className)"""

# What the keyboard should come to, in the order of the page; and the place of what it is on.
STOPS = """() => [...document.querySelectorAll('a, summary, [tabindex="0"]')].filter(one => one.checkVisibility())"""
REACHABLE = f"() => ({STOPS})().map(one => one.tagName)"
FOCUSED = f"""() => {{
  const one = document.activeElement
  return {{place: ({STOPS})().indexOf(one), outline: getComputedStyle(one).outlineStyle}}
}}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, by name. As root it has no sandbox of its own: it is shown nothing but pages that these tests made."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError(f"No {' or '.join(NAMES)} on the PATH: apt-get install chromium (CONTRIBUTING.md).")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=found, args=flags)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def pages(production_home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of a home in production, and one with every block and every state."""
    file = tmp_path_factory.mktemp("made_up") / "page.html"
    file.write_text(render_page(made_up()))
    return {"production": production_home / "artifacts" / PAGE_FILE, "made_up": file}


@contextmanager
def opened(browser: Browser, url: str, viewport: dict[str, int], scheme: str = "light") -> Iterator[Page]:
    """A page in a context of its own; at the end nothing may have gone to the console, failed or left the machine."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page, told, asked = context.new_page(), [], []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            told.append(f"{message.type}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url, wait_until="load")
    yield page
    home = url.split("/", 3)[2]
    assert [one for one in asked if not one.startswith("data:") and one.split("/", 3)[2] != home] == []
    assert told == []
    context.close()


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the whole page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("which", ["production", "made_up"])
def test_verdicts_are_seen_at_once(browser: Browser, pages: dict[str, Path], which: str, scheme: str) -> None:
    with opened(browser, pages[which].as_uri(), DESKTOP, scheme) as page:
        verdict = page.locator("#verdicts .overall")
        assert verdict.is_visible()
        assert verdict.bounding_box()["y"] < DESKTOP["height"] / 2, "without scrolling"
        assert page.locator("#verdicts .verdicts > li").first.is_visible()
        assert page.locator("details[open]").count() == 0
        shoot(page, f"dashboard_{which}_{scheme}")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("which", ["production", "made_up"])
def test_a_phone_shows_it_without_scrolling_sideways(
    browser: Browser, pages: dict[str, Path], which: str, scheme: str
) -> None:
    with opened(browser, pages[which].as_uri(), PHONE, scheme) as page:
        assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
        assert page.evaluate(OVERFLOW) == []
        shoot(page, f"dashboard_{which}_phone_{scheme}")
        # Opened, the tables are stacked, or scroll in themselves.
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
        letters = page.locator("svg.drawing text").first.evaluate(
            "one => parseFloat(getComputedStyle(one).fontSize) * one.ownerSVGElement.clientWidth / 360"
        )
        assert letters >= 9.5, "labels of a picture can be read"


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
@pytest.mark.parametrize("which", ["production", "made_up"])
def test_axe_finds_nothing_to_mend(
    browser: Browser, pages: dict[str, Path], which: str, viewport: dict[str, int], scheme: str
) -> None:
    with opened(browser, pages[which].as_uri(), viewport, scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = Axe().run(page, options=RULES).response
        assert len(found["passes"]) > 20, "it has looked"
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []


def test_the_keyboard_reaches_every_link_in_the_order_of_the_page(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["production"].as_uri(), DESKTOP) as page:
        wanted = page.evaluate(REACHABLE)
        assert wanted.count("A") > 2 * 7, "the navigation, and a link from each verdict"
        reached = []
        for _ in wanted:
            page.keyboard.press("Tab")
            reached.append(page.evaluate(FOCUSED))
        assert [one["place"] for one in reached] == list(range(len(wanted)))
        assert all(one["outline"] != "none" for one in reached), "the focus is seen"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "BODY", "it is no trap"


def test_a_link_leads_to_its_panel_and_a_summary_opens_by_key(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["production"].as_uri(), DESKTOP) as page:
        page.locator("#verdicts a[href='#models']").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "models"
        summary = page.locator("#scores summary").first
        summary.focus()
        page.keyboard.press("Enter")
        assert page.locator("#scores details").first.locator("table").is_visible()


def test_nothing_runs_even_if_markup_came_through(browser: Browser, tmp_path: Path) -> None:
    """The policy is the second wall: it holds where escaping would have failed."""
    attack = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
    file = tmp_path / "broken.html"
    file.write_text(render_page(made_up()).replace("</main>", f"{attack}</main>"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.title() != "run"
    context.close()


def test_dagsters_ui_shows_the_graph_and_the_scored_day(
    browser: Browser, production_home: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(production_home, tmp_path / "home"))
    feed = tmp_path / "feed"
    feed.mkdir()
    gates = load_gates().of("production_scores_v6")
    with serving(home, feed, tmp_path / "log") as url, opened(browser, url, DESKTOP) as page:
        page.goto(f"{url}/asset-groups", wait_until="load")
        page.get_by_text("production", exact=True).first.wait_for(timeout=60_000)
        shoot(page, "dagster_graph")
        page.goto(f"{url}/assets/production_scores_v6?view=checks", wait_until="load")
        page.get_by_text(f"Checks ({len(gates)})").wait_for(timeout=60_000)
        # The verdicts come after the names, by a request of their own.
        page.get_by_text("Succeeded", exact=True).nth(len(gates) - 1).wait_for(timeout=60_000)
        assert page.get_by_text("Succeeded", exact=True).count() == len(gates)
        shoot(page, "dagster_checks")
