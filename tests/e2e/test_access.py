"""Nobody is kept out by the page: what axe finds on each, in light and in dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.server import Server

from .conftest import Meet
from .pages import Person

GRAVE = ("serious", "critical")


def grave_faults(person: Person) -> list[str]:
    """What axe calls serious or critical, with where it is."""
    found = Axe().run(person.page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:120]}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_room_with_everything_in_it(ana: Person, bea: Person, scheme: str) -> None:
    slug = ana.creates(f"Access in the {scheme}")
    bea.opens(slug)
    bea.joins()
    bea.says("hola @Ana, see https://example.org and `code`")
    ana.sees("hola")
    ana.reacts_to("hola", "👍")
    ana.replies_to("hola", "> quoted\n\n**bold**")
    ana.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert grave_faults(ana) == []
    ana.opens_details()
    assert grave_faults(ana) == []
    ana.goes_home()
    assert grave_faults(ana) == []


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/chat/no-such-room/"])
def test_the_pages_around_it(meet: Meet, embedded: Server, path: str) -> None:
    stranger = meet(embedded, known=False)
    stranger.page.goto(embedded.url + path)
    assert grave_faults(stranger) == []


def test_a_room_is_used_by_keyboard_alone(ana: Person) -> None:
    slug = ana.creates("Keys only")
    ana.opens(slug)
    for _ in range(40):
        if ana.composer.evaluate("field => field === document.activeElement"):
            break
        ana.page.keyboard.press("Tab")
    ana.page.keyboard.type("without a mouse")
    ana.page.keyboard.press("Enter")
    ana.sees("without a mouse")
