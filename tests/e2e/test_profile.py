"""Who I am, in two browsers: what one changes, the other sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import PASSWORD, Meet
from .pages import PATIENCE, Person
from .test_access import faults

SETTINGS = "/chat/-/settings/"


def settings_of(person: Person) -> Any:
    """The settings in another tab of the same browser."""
    tab = person.page.context.new_page()
    tab.goto(person.base + SETTINGS)
    return tab


def test_another_name_and_picture_are_seen_at_once(
    meet: Meet, embedded: Server, tmp_path: Path
) -> None:
    carla, dora = meet(embedded), meet(embedded)
    slug = carla.creates("Names")
    dora.opens(slug)
    dora.joins()
    dora.opens_details()
    tab = settings_of(carla)
    tab.get_by_label("Name", exact=True).fill(f"Carla {carla.name}")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_role("status")).to_have_text("Saved.")
    member = dora.page.locator("#details .member", has_text=f"Carla {carla.name}")
    expect(member).to_be_visible(timeout=PATIENCE)
    Image.new("RGB", (600, 400), "teal").save(tmp_path / "me.png")
    tab.set_input_files("[type=file]", tmp_path / "me.png")
    tab.get_by_role("button", name="Use this picture").click()
    expect(tab.locator(".portrait img")).to_have_js_property("naturalWidth", 256)
    expect(member.locator("img")).to_have_js_property("naturalWidth", 256, timeout=PATIENCE)
    carla.says("hola")
    dora.sees("hola", by=f"Carla {carla.name}")
    tab.get_by_role("button", name="Remove the picture").click()
    expect(tab.locator(".portrait img")).to_have_count(0)
    expect(member.locator("img")).to_have_count(0, timeout=PATIENCE)


def test_the_settings_need_no_script(meet: Meet, embedded: Server) -> None:
    emil = meet(embedded, java_script_enabled=False)
    emil.page.goto(emil.base + SETTINGS)
    emil.page.get_by_label("Language", exact=True).select_option("Español")
    emil.page.get_by_role("button", name="Save").click()
    expect(emil.page.get_by_role("heading", level=1)).to_have_text("Ajustes")
    emil.page.get_by_role("button", name="Salir").click()
    emil.page.wait_for_url("**/accounts/login/**")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_of_the_settings(meet: Meet, embedded: Server, scheme: Any) -> None:
    fina = meet(embedded, color_scheme=scheme, viewport={"width": 390, "height": 844})
    fina.page.goto(fina.base + SETTINGS)
    assert faults(fina) == []
    fina.page.get_by_label("Name", exact=True).fill("\u202eanif")
    fina.page.get_by_role("button", name="Save").click()
    expect(fina.page.get_by_role("alert")).to_contain_text("cannot be seen")
    assert faults(fina) == []
    width = fina.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    everything = "button, .button, .choice, select, input:not([type=hidden], [type=radio])"
    for button in fina.page.locator(everything).all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44


def test_back_to_the_room(ana: Person) -> None:
    ana.creates("To come back to")
    ana.page.locator(".account summary").click()
    ana.page.get_by_role("link", name="Settings").click()
    ana.page.get_by_role("button", name="Save").click()
    ana.page.get_by_role("link", name="Back to the chat").click()
    expect(ana.page.get_by_role("heading", level=1, name="To come back to")).to_be_visible()


def test_a_forgotten_password(meet: Meet, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/mails"
    server = Server(env={"TERTULIA_SIGNUP": "open", "TERTULIA_EMAIL_URL": url}).start()
    try:
        gala = meet(server, known=False)
        gala.signs_up(f"{server.url}/accounts/signup/", "gala", PASSWORD)
        page = gala.page
        page.goto(f"{server.url}/accounts/email/")
        page.get_by_label("E-mail address").fill("gala@example.org")
        page.get_by_label("Your present password").fill(PASSWORD)
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".account-lines")).to_contain_text("gala@example.org")
        elsewhere = meet(server, known=False).page
        elsewhere.goto(f"{server.url}/accounts/login/")
        elsewhere.get_by_role("link", name="Forgot your password?").click()
        elsewhere.get_by_label("E-mail address").fill("gala@example.org")
        elsewhere.get_by_role("button", name="Send the link").click()
        expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Look into your mail")
        elsewhere.goto(_link(elsewhere, tmp_path / "mails"))
        elsewhere.locator("[name=new_password1]").fill("another quiet room")
        elsewhere.locator("[name=new_password2]").fill("another quiet room")
        elsewhere.get_by_role("button", name="Change it").click()
        expect(elsewhere.get_by_text("Your password is changed.")).to_be_visible()
        again = meet(server, known=False)
        again.signs_in("gala", "another quiet room")
    finally:
        server.remove()


def _link(page: Any, folder: Path) -> str:
    """The link in the only mail; it is written behind the answer."""
    for _ in range(200):
        texts = [file.read_text() for file in folder.glob("*")]
        found = re.search(r"http://\S+/accounts/reset/\S+", "".join(texts))
        if found:
            return found[0]
        page.wait_for_timeout(50)
    raise AssertionError("no mail came")
