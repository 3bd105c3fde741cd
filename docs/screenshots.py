"""Makes the pictures of the README from the demo site, in a real browser.

    .venv/bin/python docs/screenshots.py

Needs Chromium (`CHROMIUM` names another one), a font with emoji (Debian's
`fonts-noto-color-emoji`), and writes `docs/images/*.png`. The site is
made anew in a passing folder; all of the talk, and the colours of people, are always the same.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.chromium import launched  # noqa: E402

from tertulia.testing.server import Server  # noqa: E402
from tests.e2e.pages import Person  # noqa: E402
from tests.support.demo import demo_site  # noqa: E402

IMAGES = ROOT / "docs" / "images"
LARGEST = 120_000  # bytes of one picture
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 780}


@dataclass
class Picture:
    """One file: what is open, and how it is looked at. `room` is a name; None is home."""

    name: str
    room: str | None
    size: dict[str, int]
    locale: str = "en-GB"
    scheme: str = "light"


# Home first: a room that has been looked at is unread no longer.
PICTURES = [
    Picture("home", None, WIDE),
    Picture("room-wide", "Reading app", WIDE),
    Picture("room-dark", "Release 1.0", WIDE, scheme="dark"),
    Picture("room-narrow", "Lobby", NARROW),
    Picture("room-spanish", "Actos y talleres", WIDE, locale="es-ES"),
]


def take(browser: Browser, server: Server, password: str, picture: Picture) -> None:
    context = browser.new_context(
        viewport=picture.size,  # type: ignore[arg-type]
        locale=picture.locale,
        timezone_id="Europe/Madrid",
        color_scheme=picture.scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    ana = Person(context.new_page(), server.url)
    ana.signs_in("ana", password)
    if picture.room:
        link = ana.page.get_by_role("link", name=picture.room).first
        ana.page.goto(server.url + str(link.get_attribute("href")))
        expect(ana.log.get_by_role("article").last).to_be_visible()
    quiet(ana.page)
    path = IMAGES / f"{picture.name}.png"
    ana.page.screenshot(path=path)
    context.close()
    shrink(path)
    size = path.stat().st_size
    if size > LARGEST:
        print(f"{path.name} has {size:,} bytes: more than {LARGEST:,}", file=sys.stderr)
    print(f"{path.relative_to(ROOT)}: {size:,} bytes")


def quiet(page: Page) -> None:
    """Until nothing has changed in the page for half a second."""
    page.mouse.move(200, 2)
    page.evaluate(
        """() => new Promise((done) => {
            let timer = setTimeout(done, 500);
            const again = () => { clearTimeout(timer); timer = setTimeout(done, 500); };
            new MutationObserver(again).observe(document.body, {
                subtree: true, childList: true, attributes: true, characterData: true,
            });
        })"""
    )


def shrink(path: Path) -> None:
    """256 colours are enough for text on paper."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def main() -> None:
    with demo_site() as (server, password), sync_playwright() as playwright:
        browser = launched(playwright)
        for picture in PICTURES:
            take(browser, server, password, picture)
        browser.close()


if __name__ == "__main__":
    main()
