"""Nothing that Ana can write runs, loads or posts anything in Bea's browser."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tertulia.testing.client import Client, Refused
from tertulia.testing.server import Server
from tests.support.aside import run_aside
from tests.support.attacks import ATTACKS, NAMES

from .conftest import PASSWORD, Meet
from .pages import Person

_WATCH = """
    window.__reports = [];
    addEventListener("securitypolicyviolation",
        (event) => __reports.push(event.violatedDirective + " " + event.blockedURI));
"""


class Guard:
    """Watches a page: scripts that ran, refusals of the policy, dialogs, requests to other sites,
    and pages that it was led to without having asked."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.host = urlsplit(base).netloc
        self.faults: list[str] = []
        page.add_init_script(_WATCH)
        page.context.route("**/*", self._route)
        page.context.on("page", lambda opened: self.faults.append(f"opened {opened.url}"))
        page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"asked {dialog.message}")
        dialog.dismiss()

    def _route(self, route: Route) -> None:
        if urlsplit(route.request.url).netloc == self.host:
            route.continue_()
        else:
            self.faults.append(f"asked for {route.request.url}")
            route.abort()

    def finds_nothing(self) -> None:
        """At the address where the test has led it; called on each page before it is left."""
        assert self.page.evaluate("[window.__pwned, window.__reports]") == [None, []]
        assert self.faults == []


@pytest.fixture
def guarded(bea: Person) -> Guard:
    return Guard(bea.page, bea.base)


@pytest.fixture(scope="module")
def poisoned(embedded: Server) -> tuple[str, list[int]]:
    """A room in which everything has been said, reacted and put into its topic, and the seqs."""
    embedded.createuser("Mallory", password=PASSWORD)
    return run_aside(_poison(embedded))


@pytest.fixture
def room(poisoned: tuple[str, list[int]]) -> str:
    return poisoned[0]


async def _poison(server: Server) -> tuple[str, list[int]]:
    async with await Client.connect(server.ws, token=server.token("Mallory")) as mallory:
        slug = await mallory.create("<img src=x onerror=window.__pwned=1>", "public")
        await mallory.cmd("room.update", room=slug, topic="".join(NAMES)[:1_000])
        seqs = [(await mallory.say(slug, text))["seq"] for text in ATTACKS]
        said = await mallory.say(slug, "with reactions")
        for emoji in ("<b>x</b>", "<svg onload=__pwned=1>", '"onclick="__pwned=1'):
            try:
                await mallory.cmd("reaction.add", room=slug, seq=said["seq"], emoji=emoji)
            except Refused as refused:
                assert refused.code == "invalid"  # nothing but emoji may be one
        for name in NAMES:
            await mallory.create(name[:200], "public")
        return slug, seqs


def test_messages_topics_and_reactions(
    bea: Person, guarded: Guard, poisoned: tuple[str, list[int]]
) -> None:
    room, seqs = poisoned
    shown: set[int] = set()
    for seq in [*seqs[::20], seqs[-1]]:
        bea.opens(room, seq)
        expect(bea.log.locator(f'article[data-seq="{seq}"]')).to_be_visible()
        shown |= set(bea.seqs())
        assert _forbidden(bea.page) == []
        guarded.finds_nothing()
        assert urlsplit(bea.page.url).path.startswith(f"/chat/{room}/")
    assert set(seqs) <= shown
    bea.opens_details()
    guarded.finds_nothing()


def _forbidden(page: Page) -> list[str]:
    """What stands in messages and is not what a message may hold; the button that copies a block
    of code is the page's."""
    elements = "script, style, img, svg, math, iframe, object, embed, form, input, base, link, meta"
    attributes = "[style], [id], [name], [src], [srcset], [onclick], [onerror], [onload]"
    found = page.locator(f".text :is({elements}, {attributes}):not(.copy *)")
    return found.evaluate_all("all => all.map((element) => element.outerHTML)")


def test_links_lead_to_the_web_and_bring_no_opener(bea: Person, guarded: Guard, room: str) -> None:
    bea.opens(room)
    bea.sees("with reactions")
    links = bea.log.locator(".text a")
    assert links.count() > 0
    for link in links.all():
        scheme = urlsplit(link.get_attribute("href") or "").scheme.lower()
        assert scheme in ("http", "https", "mailto")
        assert link.get_attribute("rel") == "noopener nofollow ugc"
        assert link.get_attribute("target") == "_blank"
    guarded.finds_nothing()


def test_names_of_rooms(bea: Person, guarded: Guard, room: str) -> None:
    bea.goes_home()
    expect(bea.page.get_by_role("link", name="<b").first).to_be_attached()
    search = bea.page.get_by_role("main").get_by_role("searchbox").first
    for name in ("<img", "<svg", "script>"):
        search.fill(name)
        expect(bea.page.get_by_role("main").get_by_text(name).first).to_be_visible()
    guarded.finds_nothing()


def test_addresses(bea: Person) -> None:
    """On a page of its own, since its console rightly says that there is nothing there."""
    page = bea.page.context.new_page()
    guard = Guard(page, bea.base)
    for attack in NAMES[::8]:
        for address in (
            f"/chat/{quote(attack, safe='')}/",
            f"/chat/-/enter/?name={quote(attack)}",
            f"/accounts/login/?next={quote(attack)}",
        ):
            page.goto(bea.base + address)
            guard.finds_nothing()
            assert urlsplit(page.url).netloc == guard.host


def test_the_administration(meet: Meet, embedded: Server, room: str) -> None:
    embedded.createuser("Root", admin=True, password=PASSWORD)
    root = meet(embedded, known=False)
    root.signs_in("Root", PASSWORD)
    guard = Guard(root.page, root.base)
    for table in ("message", "room", "participant", "membership", "event"):
        for page in range(2):
            root.page.goto(f"{root.base}/admin/tertulia_chat/{table}/?p={page + 1}")
            expect(root.page.locator("#changelist, #content").first).to_be_visible()
            guard.finds_nothing()
    for attack in NAMES[::10]:
        root.page.goto(f"{root.base}/admin/tertulia_chat/message/?q={quote(attack)}")
        guard.finds_nothing()
