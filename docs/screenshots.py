"""Makes the pictures of the README: a real server, two real browsers, a short talk.

    .venv/bin/python docs/screenshots.py

Needs Chromium (`CHROMIUM` names another one) and writes `docs/images/*.png`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.pages import Person  # noqa: E402
from tests.support.server import Server  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PASSWORD = "a quiet warm room"  # noqa: S105 - of people who live for a minute
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


def talk(carmen: Person, bruno: Person) -> None:
    """A morning in a small bookshop's room."""
    carmen.says("Good morning! The new shelf arrives at **ten**. Who can help to carry?")
    bruno.says("I can, until eleven.")
    bruno.says("Shall we move the poetry next to the window, as we said?")
    carmen.replies_to("Shall we move the poetry", "Yes. And the atlases where the poetry was.")
    bruno.reacts_to("And the atlases where", "👍")
    carmen.says(
        "The list for the reading on Thursday:\n\n"
        "1. chairs from the café\n2. `till.csv` from last time 🙃\n3. tea"
    )
    bruno.says("@carmen tea is here already. ¿Traigo también el pan?")
    carmen.reacts_to("tea is here already", "❤️")
    carmen.says("Sí, por favor. Dos barras.")


def shoot(page: Page, name: str) -> None:
    page.mouse.move(200, 5)
    page.wait_for_timeout(400)
    page.screenshot(path=IMAGES / f"{name}.png")


def pictures(browser: Browser, server: Server) -> None:
    people = []
    for name in ("carmen", "bruno"):
        server.createuser(name, password=PASSWORD)
        person = Person(browser.new_context(viewport=WIDE, locale="en").new_page(), server.url)
        person.signs_in(name, PASSWORD)
        people.append(person)
    carmen, bruno = people
    carmen.creates("Deliveries")
    carmen.goes_home()
    slug = carmen.creates("Bookshop")
    bruno.opens(slug)
    bruno.joins()
    talk(carmen, bruno)
    bruno.sees("Dos barras")
    carmen.writes_to("bruno")
    carmen.says("See you at ten.")
    carmen.opens(slug)
    carmen.sees("Dos barras")
    shoot(carmen.page, "room-wide")
    carmen.page.emulate_media(color_scheme="dark")
    shoot(carmen.page, "room-dark")
    carmen.page.emulate_media(color_scheme="light")
    carmen.page.set_viewport_size(NARROW)
    carmen.opens(slug)
    carmen.sees("Dos barras")
    shoot(carmen.page, "room-narrow")


def main() -> None:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
    server = Server(env={"TERTULIA_LIMITS": "off"}).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
            pictures(browser, server)
            browser.close()
    finally:
        server.remove()


if __name__ == "__main__":
    main()
