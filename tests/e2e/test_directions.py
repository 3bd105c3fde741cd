"""Text of both directions side by side, and names and walls of letters that would push."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.aside import run_aside

from .conftest import PASSWORD, Meet
from .pages import Person

ARABIC = "مرحبا بكم في المقهى"
HEBREW = "שלום לכולם"


@pytest.fixture
def room(ana: Person, bea: Person) -> str:
    slug = ana.creates("Both ways")
    bea.opens(slug)
    bea.joins()
    return slug


def gaps(inside: Locator) -> tuple[float, float]:
    """Pixels between the first line of text in a block and the left and right of the block."""
    left, right = inside.evaluate("""block => {
        const range = document.createRange();
        range.selectNodeContents(block);
        const line = range.getClientRects()[0];
        const box = block.getBoundingClientRect();
        return [line.left - box.left, box.right - line.right];
    }""")
    return left, right


def is_at_the_right(inside: Locator) -> bool:
    left, right = gaps(inside)
    return right < 2 < left


def test_each_paragraph_runs_its_own_way(ana: Person, bea: Person, room: str) -> None:
    ana.says(f"hello\n\n{ARABIC}\n\nagain 3\n\n{HEBREW}")
    paragraphs = bea.sees("hello").locator(".text p")
    expect(paragraphs).to_have_count(4)
    assert [is_at_the_right(p) for p in paragraphs.all()] == [False, True, False, True]


def test_lists_and_quotations_have_their_signs_on_the_right_side(
    ana: Person, bea: Person, room: str
) -> None:
    table = f"| {ARABIC} | 2 |\n|-|-|\n| 1 | 2 |"
    ana.says(f"hello\n\n- {ARABIC}\n- {HEBREW}\n\n> {HEBREW}\n\n{table}")
    text = bea.sees("hello").locator(".text")
    for block in ("ul", "blockquote", "table"):
        assert text.locator(block).evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert is_at_the_right(text.locator("li").first)
    first, second = (cell.bounding_box() for cell in text.locator("th").all())
    assert first
    assert second
    assert first["x"] > second["x"]
    border = text.locator("blockquote").evaluate("e => getComputedStyle(e).borderRightWidth")
    assert border != "0px"


def test_code_is_read_from_the_left_everywhere(ana: Person, bea: Person, room: str) -> None:
    ana.says(f"{ARABIC}\n\n```python\nx = 1  # {HEBREW}\n```")
    code = bea.sees(ARABIC).locator("pre code")
    assert code.evaluate("e => getComputedStyle(e).direction") == "ltr"
    assert code.locator("span.m").inner_text() == "1"
    assert gaps(code)[0] < 2


# What turns or hides neighbours if it gets out: override, isolate without end, joiners, marks.
NAMES = {
    "override": "ana\u202eeve",
    "isolate": "\u2067ana",
    "hebrew": "דוד",
    "joined": "a\u200bn\u200da\ufeff",
    "marks": "ana" + "\u0301" * 20,
}


@pytest.fixture(scope="module")
def crowd(embedded: Server) -> dict[str, str]:
    """A room in which people of each of these names have spoken: name to slug of the room."""
    return {kind: run_aside(_speak(embedded, kind, name)) for kind, name in NAMES.items()}


async def _speak(server: Server, kind: str, name: str) -> str:
    """The name is put where no form would let it: into the database."""
    server.createuser(f"dir-{kind}", password=PASSWORD)
    token = server.token(f"dir-{kind}")
    server.shell(
        "from tertulia.chat.models import Participant as P;"
        f"P.objects.filter(name='dir-{kind}').update(name={name!r}, name_fold={name!r})"
    )
    async with await Client.connect(server.ws, token=token) as client:
        slug = await client.create(f"{name} room", "public")
        await client.say(slug, "spoken")
        return slug


@pytest.mark.parametrize("kind", NAMES)
def test_names_do_not_disturb_their_neighbours(
    bea: Person, crowd: dict[str, str], kind: str
) -> None:
    bea.opens(crowd[kind])
    message = bea.sees("spoken")
    name, time = message.locator(".byline .author"), message.locator(".byline .time")
    expect(name).to_contain_text(NAMES[kind])
    a, b = name.bounding_box(), time.bounding_box()
    assert a
    assert b
    assert a["x"] + a["width"] <= b["x"]
    assert time.evaluate("e => getComputedStyle(e).direction") == "ltr"
    # A clock that has been turned would have its first digit at the right.
    digits = time.evaluate("""element => {
        const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        let node = text.nextNode();
        while (node && !node.data.trim()) node = text.nextNode();
        const at = (i) => {
            const range = document.createRange();
            range.setStart(node, i);
            range.setEnd(node, i + 1);
            return range.getBoundingClientRect().left;
        };
        const start = node.data.search(/\\S/);
        return [at(start), at(start + 1)];
    }""")
    assert digits[0] < digits[1]


WIDE = "𒐫" * 80
WALLS = {
    "letter": "W" * 10_000,
    "marks": "Z" + "\u0335" * 500,
    "code": "```python\n" + "x" * 3_000 + "\n```",
    "link": "https://example.org/" + "a" * 3_000,
    "inline": "`" + "y" * 3_000 + "`",
    "table": "|" + "|".join("WWWWWWWWWWWWWWW" for _ in range(30)) + "|\n" + "|-" * 30 + "|",
    "heading": "# " + "H" * 500,
    "quote": "> " * 10 + "Q" * 500,
    "list": "".join("  " * depth + "- L\n" for depth in range(18)) + "M" * 500,
}


@pytest.fixture(scope="module")
def walls(embedded: Server) -> str:
    embedded.createuser("wall", password=PASSWORD)
    token = embedded.token("wall")
    embedded.shell(
        "from tertulia.chat.models import Participant as P;"
        f"P.objects.filter(name='wall').update(name={WIDE!r}, name_fold={WIDE!r})"
    )

    async def build() -> str:
        async with await Client.connect(embedded.ws, token=token) as client:
            slug = await client.create("W" * 200, "public")
            await client.cmd("room.update", room=slug, topic="T" * 1_000)
            for text in WALLS.values():
                await client.say(slug, text)
            said = await client.say(slug, "the end")
            await client.say(slug, "an answer", reply_to=said["seq"])
            return slug

    return run_aside(build())


@pytest.mark.parametrize("width", [390, 900, 1280])
def test_nothing_is_wider_than_the_page(bea: Person, walls: str, width: int) -> None:
    bea.page.set_viewport_size({"width": width, "height": 800})
    # What slides in is measured where it ends.
    bea.page.emulate_media(reduced_motion="reduce")
    bea.opens(walls)
    bea.sees("the end")
    _fits(bea)
    bea.opens_details()
    _fits(bea)
    bea.goes_home()
    bea.page.get_by_role("main").get_by_role("searchbox").fill("W" * 50)
    expect(bea.page.get_by_role("main").get_by_text("W" * 100).first).to_be_visible()
    _fits(bea)


def _fits(person: Person) -> None:
    """Neither the page nor one of its parts can be scrolled sideways."""
    sizes: dict[str, Any] = person.page.evaluate("""async () => {
        const moving = document.getAnimations().filter(
            (each) => each.effect.getComputedTiming().endTime < 1000);
        await Promise.all(moving.map((each) => each.finished));
        const parts = document.querySelectorAll("#main, #sidebar, #details, [role=log]");
        const shown = [...parts].filter((element) => element.clientWidth > 0);
        return Object.fromEntries([document.scrollingElement, ...shown].map((element) =>
            [element.id || element.localName, element.scrollWidth - element.clientWidth]));
    }""")
    assert {name: over for name, over in sizes.items() if over > 0} == {}


def test_the_room_of_walls_at_sign_in_size(meet: Meet, embedded: Server, walls: str) -> None:
    """A new person on a telephone: the join button is still within reach."""
    guest = meet(embedded, viewport={"width": 390, "height": 844})
    guest.opens(walls)
    button = guest.page.get_by_role("button", name="Join")
    box = button.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
