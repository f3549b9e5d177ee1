"""The pages as a browser shows them: accessible, quiet, and never wider than the screen."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from service.runtime import Runtime
from tests.conftest import MovableClock
from tests.make import COACHING, make_members, make_program
from tests.published import CHALLENGE, WAIT, make_published_poll

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}
PATHS = (
    "/",
    "/polls/coaching",
    "/polls/biggest-challenge",
    "/polls/waiting-days",
    "/terms",
    "/privacy",
    "/not-here",
)
LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis"
AWKWARD: Mapping[str, Any] = {
    "slug": "awkward",
    "title": f"A title with {LONG} in it",
    "questions": [
        {
            "text": f"Which of these, {LONG}{LONG}, describes your organization best?",
            "kind": "choice",
            "choices": [f"{LONG}", "We plan to, though nothing has been decided so far", "Neither"],
        },
        {"text": f"{LONG}?", "kind": "yes_no", "when": LONG},
    ],
}
PAIR: Mapping[str, Any] = {
    "slug": "pair",
    "title": "Two long words",
    "questions": [{"text": f"{LONG}?", "kind": "choice", "choices": [LONG, LONG[::-1]]}],
}


async def publish(
    runtime: Runtime, contents: Sequence[tuple[Mapping[str, Any], Mapping[str, int]]]
) -> None:
    """One poll a week, each answered and published."""
    await make_program(
        runtime,
        organization="Acme Medical Managers Association",
        respondents="healthcare leaders",
    )
    numbers = await make_members(runtime, 40)
    assert isinstance(runtime.clock, MovableClock)
    for content, replies in contents:
        await make_published_poll(runtime, numbers, replies, content=content, follow_ups=6)
        runtime.clock.advance(timedelta(days=7))


@asynccontextmanager
async def opened(
    browser: Browser, width: int, height: int, scheme: Any
) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page, and the complaints its console hears."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page, complaints
    await context.close()


async def violations(page: Page) -> list[str]:
    """What axe finds against the page."""
    await page.evaluate(AXE)
    found = await page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", RULES
    )
    assert len(found["passes"]) > 10
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
async def test_every_page_is_accessible_and_quiet(
    screen: str, scheme: str, runtime: Runtime, browser: Browser, site: str
) -> None:
    await publish(
        runtime,
        [
            (WAIT, {"4": 9, "10": 8, "21": 5}),
            (CHALLENGE, {"A": 9, "B": 6, "C": 3, "D": 1, "E": 1}),
            (COACHING, {"yes": 9, "no": 11, "N/A": 2}),
        ],
    )
    async with opened(browser, *SCREENS[screen], scheme) as (page, complaints):
        for path in PATHS:
            await page.goto(site + path)
            assert await violations(page) == [], path
            fonts = "[...document.fonts].filter(font => font.status === 'loaded').length"
            assert await page.evaluate(f"document.fonts.ready.then(() => {fonts})") == 2, path
    # The browser itself tells of the status of the page that is not there.
    assert [said for said in complaints if "404" not in said] == []


async def test_nothing_is_wider_than_the_smallest_screen(
    runtime: Runtime, browser: Browser, site: str
) -> None:
    await publish(
        runtime,
        [
            (AWKWARD, {"A": 9, "B": 6, "C": 3}),
            (PAIR, {"A": 9}),
            (CHALLENGE, {"A": 3}),
            (COACHING, {"yes": 9}),
        ],
    )
    async with opened(browser, 320, 640, "light") as (page, _):
        for path in (*PATHS, "/polls/awkward", "/polls/pair"):
            await page.goto(site + path)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width == 320, path


async def test_what_can_be_pressed_is_large_enough_for_a_thumb(
    runtime: Runtime, browser: Browser, site: str
) -> None:
    await publish(runtime, [(CHALLENGE, {"A": 3}), (COACHING, {"yes": 9})])
    async with opened(browser, 390, 844, "light") as (page, _):
        await page.goto(f"{site}/polls/coaching")
        heights = await page.evaluate(
            "[...document.querySelectorAll('header a, footer a, .polls a')]"
            ".filter(link => link.checkVisibility()).map(link => link.clientHeight "
            "|| link.getBoundingClientRect().height)"
        )
        assert len(heights) > 4
        assert min(heights) >= 24


async def test_the_keyboard_reaches_the_content_first(
    runtime: Runtime, browser: Browser, site: str
) -> None:
    await publish(runtime, [(COACHING, {"yes": 9})])
    async with opened(browser, 390, 844, "light") as (page, _):
        await page.goto(f"{site}/polls/coaching")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
        box = await page.locator(".skip").bounding_box()
        assert box is not None
        assert box["x"] >= 0


async def test_bars_are_as_long_as_their_shares(
    runtime: Runtime, browser: Browser, site: str
) -> None:
    await publish(runtime, [(COACHING, {"yes": 9, "no": 11})])
    async with opened(browser, 1280, 900, "light") as (page, _):
        await page.goto(f"{site}/polls/coaching")
        shares = await page.evaluate(
            "[...document.querySelectorAll('.bar-drawn')].map(drawn => Math.round(100 * "
            "drawn.querySelector('.fill').getBoundingClientRect().width / "
            "drawn.querySelector('.track').getBoundingClientRect().width))"
        )
        assert shares == [45, 55]
