"""The colours that somebody has chosen, whatever the device says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tertulia.testing.server import Server

from .conftest import Meet

SURFACE = {"Light": "rgb(250, 246, 239)", "Dark": "rgb(32, 28, 24)"}
OTHER = {"Light": "dark", "Dark": "light"}


def painted(page: Page, colour: str) -> None:
    expect(page.locator("html")).to_have_css("background-color", colour)


@pytest.mark.parametrize("choice", ["Light", "Dark"])
def test_chosen_colours(meet: Meet, embedded: Server, choice: str) -> None:
    device = OTHER[choice]
    gala = meet(embedded, color_scheme=device)
    painted(gala.page, SURFACE[device.capitalize()])
    gala.page.goto(f"{gala.base}/chat/-/settings/")
    gala.page.get_by_label(choice, exact=True).check()
    gala.page.get_by_role("button", name="Use these colours").click()
    expect(gala.page.get_by_role("status")).to_have_text(
        "These are the colours of this device from now on."
    )
    painted(gala.page, SURFACE[choice])
    gala.goes_home()
    painted(gala.page, SURFACE[choice])
    # The door does not forget who was here, though it knows nobody.
    gala.signs_out()
    painted(gala.page, SURFACE[choice])
