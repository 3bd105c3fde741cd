"""What a person does and sees, in his own words: `ana.says("hola")`, `bea.sees("hola")`.

Every look waits for what it looks for, so no test has to sleep.
"""

from __future__ import annotations

import re
import time
from itertools import permutations

from playwright.sync_api import CDPSession, Locator, Page, expect

from .kept import keeps

# A server that was killed and started again is back within this many milliseconds.
PATIENCE = 20_000

# A client of its own in somebody's signed-in browser: it says the texts, one after the other.
SAY_MUCH = """([room, texts]) => new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${location.host}/ws/`);
    let kept = 0;
    socket.onopen = () => {
        for (const text of texts) {
            const key = crypto.randomUUID();
            socket.send(JSON.stringify({type: "message.send", ref: key, room, key, text}));
        }
    };
    socket.onmessage = ({data}) => {
        const frame = JSON.parse(data);
        if (frame.type !== "reply") return;
        if (!frame.ok) reject(new Error(JSON.stringify(frame.error)));
        kept += 1;
        if (kept < texts.length) return;
        socket.close();
        resolve();
    };
})"""


def until(page: Page, expression: str, arg: object = None, seconds: float = 15) -> None:
    """Wait until it is true. Playwright's own waiting evaluates text whenever the browser paints,
    which the site's policy forbids, and so fails where it is not true at once."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, f"after {seconds} s still not: {expression}"
        page.wait_for_timeout(50)


class Person:
    """Somebody with a browser of his own. `page` is open for what has no word here.

    `outside`: he comes in with the first thing that he does, at home or right in a room.
    """

    def __init__(self, page: Page, base: str, name: str = "", *, outside: bool = False) -> None:
        self._page = page
        self._outside = outside
        self.base = base.rstrip("/")
        self.name = name
        self._cut_off: CDPSession | None = None

    # Coming and going

    @property
    def page(self) -> Page:
        """The tab that is in front."""
        if self._outside:
            self.goes_home()
        return self._page

    @page.setter
    def page(self, page: Page) -> None:
        self._page = page

    def signs_in(self, name: str, password: str) -> None:
        self.name = name
        self.page.goto(f"{self.base}/accounts/login/")
        self._fill_and_send(username=name, password=password)
        self.page.wait_for_url("**/chat/**")

    def signs_up(self, address: str, name: str, password: str) -> None:
        """By an invitation, the set-up link or an open door: all three ask the same."""
        self.name = name
        self.page.goto(address)
        self._fill_and_send(username=name, password1=password, password2=password)
        self.page.wait_for_url("**/chat/")

    def signs_out(self) -> None:
        self.page.locator(".account summary").click()
        self.page.get_by_role("button", name=re.compile("^(Sign out|Salir)$")).click()
        self.page.wait_for_url("**/accounts/login/**")

    def _fill_and_send(self, **fields: str) -> None:
        form = self.page.locator("form[method=post]").first
        for name, value in fields.items():
            field = form.locator(f"[name={name}]")
            if field.count():
                field.fill(value)
        form.locator("button, [type=submit]").first.click()

    def goes_home(self) -> None:
        self._outside = False
        self.page.goto(f"{self.base}/chat/")

    def reloads(self) -> None:
        self.page.reload()

    def opens_another_tab(self) -> Person:
        """In the same browser, with the same room."""
        other = Person(self.page.context.new_page(), self.base, self.name)
        other.opens(self.slug)
        expect(other.composer).to_be_visible()
        return other

    def closes_the_tab(self) -> None:
        self.page.close()

    def loses_the_network(self, *, in_this_tab: bool = False) -> None:
        """All tabs, or this one; returns when the page says that it knows."""
        self._network(False, in_this_tab)
        told = self.page.locator("#status").filter(has_text=re.compile("Offline|Connecting"))
        expect(told).to_be_visible(timeout=PATIENCE)

    def has_the_network_again(self, *, in_this_tab: bool = False) -> None:
        self._network(True, in_this_tab)

    def _network(self, there: bool, in_this_tab: bool) -> None:
        if not in_this_tab:
            self.page.context.set_offline(not there)
            return
        if there:
            # The conditions are those of the session, and end with it.
            assert self._cut_off is not None
            self._cut_off.detach()
            return
        self._cut_off = self.page.context.new_cdp_session(self.page)
        unbounded = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self._cut_off.send("Network.enable")
        self._cut_off.send("Network.emulateNetworkConditions", {"offline": True, **unbounded})

    # Rooms

    def opens(self, slug: str, seq: int | None = None) -> None:
        """Types the room's address, or that of one message in it."""
        self._outside = False
        self.page.goto(f"{self.base}/chat/{slug}/" + (f"{seq}/" if seq else ""))
        expect(self.log).to_be_visible()
        # What the room is has arrived: without a connection nothing more would come.
        expect(self.page.locator(".composer-place:empty")).to_have_count(0)

    def enters(self, name: str) -> None:
        """Follows the room's link, at the left or among the public rooms."""
        self.page.get_by_role("link", name=name).first.click()
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()

    def creates(self, name: str, *, private: bool = False) -> str:
        """Makes a room from home or from another room; its slug."""
        self.page.get_by_role("button", name="New room").first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Name").fill(name)
        if private:
            dialog.get_by_role("radio", name="Private").check()
        dialog.get_by_role("button", name="Create the room").click()
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()
        return self.slug

    def writes_to(self, *names: str) -> str:
        """Opens the direct room with these people; its slug."""
        self.page.get_by_role("button", name="Write to…").first.click()
        dialog = self.page.get_by_role("dialog")
        for name in names:
            dialog.get_by_role("searchbox").fill(name)
            dialog.get_by_role("button", name=name, exact=True).click()
        dialog.get_by_role("button", name="Start").click()
        # Not the composer of the room that was open until now.
        expect(dialog).to_have_count(0)
        orders = "|".join(" and ".join(map(re.escape, order)) for order in permutations(names))
        title = self.page.get_by_role("heading", level=1)
        expect(title).to_have_text(re.compile(f"^({orders})$"))
        expect(self.composer).to_be_visible()
        return self.slug

    def joins(self) -> None:
        self.page.get_by_role("button", name="Join").click()
        expect(self.composer).to_be_visible()

    def leaves(self) -> None:
        self.opens_details()
        self.page.get_by_role("button", name="Leave the room").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Leave the room").click()
        self.page.wait_for_url("**/chat/")

    def opens_details(self) -> None:
        button = self.page.locator("#details-button")
        if button.get_attribute("aria-expanded") != "true":
            button.click()
            # Who asks next for the details would close them before this is painted.
            expect(button).to_have_attribute("aria-expanded", "true")

    def renames_the_room(self, name: str, topic: str) -> None:
        self.opens_details()
        form = self.page.locator("#details form")
        form.get_by_role("textbox", name="Name").fill(name)
        form.get_by_role("textbox", name="Topic").fill(topic)
        form.get_by_role("button", name="Save").click()
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()

    def gives_role(self, name: str, role: str) -> None:
        """`role` as the page calls it: `Owner`, `Moderator` or `Member`."""
        self.opens_details()
        self.page.get_by_role("combobox", name=f"Role of {name}").select_option(role)

    def sees_member(self, name: str, role: str) -> None:
        """In the details, which are open."""
        member = self.page.locator("#details .member", has_text=name)
        expect(member.locator(".role, option:checked")).to_have_text(role)

    def sees_no_member(self, name: str) -> None:
        expect(self.page.locator("#details .member")).not_to_have_count(0)
        expect(self.page.locator("#details .member", has_text=name)).to_have_count(0)

    def adds(self, name: str) -> None:
        self.opens_the_invitations()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("searchbox").fill(name)
        dialog.get_by_role("button", name=name, exact=True).click()
        expect(self.page.locator("#details .member", has_text=name)).to_be_visible()
        self.closes_the_dialog()

    def removes(self, name: str) -> None:
        self.opens_details()
        self.page.get_by_role("button", name=f"Remove {name}").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(self.page.locator("#details .member", has_text=name)).to_have_count(0)

    def archives_the_room(self) -> None:
        self.opens_details()
        self.page.get_by_role("button", name="Archive the room").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Archive the room").click()
        details = self.page.locator("#details")
        expect(details.get_by_role("button", name="Open the room again")).to_be_visible()

    def opens_the_room_again(self) -> None:
        """One that was archived."""
        self.opens_details()
        details = self.page.locator("#details")
        details.get_by_role("button", name="Open the room again").click()
        expect(self.composer).to_be_visible()

    def opens_the_invitations(self) -> None:
        self.opens_details()
        self.page.locator("#details").get_by_role("button", name="Invite people").click()
        expect(self.page.get_by_role("dialog", name="Invite people")).to_be_visible()

    def makes_a_link(self, good_for: str = "7 days") -> str:
        """An invitation into the room that is open; the dialog stays."""
        self.opens_the_invitations()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("A link that is good for").select_option(good_for)
        dialog.get_by_role("button", name="Make a link").click()
        link = dialog.get_by_label("The new link")
        expect(link).to_be_focused()
        return link.input_value()

    def closes_the_dialog(self) -> None:
        self.page.get_by_role("dialog").get_by_role("button", name="Close").click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    @property
    def slug(self) -> str:
        """Of the room that is open."""
        found = re.search(r"/chat/([^/]+)/", self.page.url)
        assert found, f"no room is open at {self.page.url}"
        return found[1]

    # Messages

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^(Message|Mensaje)$"))

    def message(self, text: str) -> Locator:
        """The newest message with this text that the room's log has; not one on its way."""
        return self._said(text).last

    def _said(self, text: str, which: str = "article[data-seq]") -> Locator:
        # A quotation of the text is not the message.
        return self.log.locator(which).filter(has=self.page.locator(".text", has_text=text))

    def unsent(self, text: str) -> Locator:
        """A message that is on its way, or failed."""
        return self._said(text, "article[data-key]")

    def sees_unsent(self, *texts: str) -> None:
        """What is on its way, or failed, from top to bottom."""
        expect(self.log.locator("article[data-key] .text")).to_have_text(texts, timeout=PATIENCE)

    def says(self, text: str) -> None:
        """Writes and sends: the field is empty at once, wherever the server is."""
        self.composer.fill(text)
        self.composer.press("Enter")
        expect(self.composer).to_have_value("")

    def keeps(self, *texts: str) -> None:
        """What he said outlives his browser from here on."""
        keeps(self.page, *texts)

    def says_much(self, *texts: str) -> None:
        """All at once, through a socket that the page does not know; returns when all is kept."""
        self.page.evaluate(SAY_MUCH, [self.slug, texts])

    def sees(self, text: str, *, by: str | None = None, times: int = 1) -> Locator:
        """The room's log shows a message with this text, exactly `times` times."""
        found = self._said(text)
        expect(found).to_have_count(times, timeout=PATIENCE)
        if by is not None:
            expect(found.last.locator(".author")).to_have_text(by)
        return found.last

    def does_not_see(self, text: str) -> None:
        expect(self._said(text, "article")).to_have_count(0)

    def texts(self) -> list[str]:
        """The messages of the log that are loaded, from top to bottom."""
        return self.log.locator("article[data-seq] .text").all_text_contents()

    def seqs(self) -> list[int]:
        """Their addresses, from top to bottom."""
        articles = self.log.locator("article[data-seq]")
        return [int(seq) for seq in articles.evaluate_all("all => all.map(a => a.dataset.seq)")]

    def replies_to(self, text: str, words: str) -> None:
        self._tool(text, "Reply")
        self.says(words)

    def edits(self, text: str, words: str) -> None:
        self.chooses(text, "Edit")
        expect(self.composer).to_have_value(text)
        self.composer.fill(words)
        self.composer.press("Enter")
        self.sees(words)
        # The field is left a moment later, by the reply, and has the keyboard then.
        expect(self.page.locator(".composer-about")).to_have_count(0)

    def deletes(self, text: str) -> None:
        self.chooses(text, "Delete")
        self.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        self.does_not_see(text)

    def reacts_to(self, text: str, emoji: str) -> None:
        self._tool(text, "React")
        self.page.get_by_role("menuitem", name=f"React with {emoji}").click()

    def sees_reaction(self, text: str, emoji: str, count: int) -> None:
        expect(self.message(text).locator(".reaction", has_text=emoji)).to_have_text(
            re.compile(rf"{emoji}\s*{count}")
        )

    def _tool(self, text: str, name: str) -> None:
        message = self.message(text)
        message.hover()
        message.get_by_role("button", name=name, exact=True).click()

    def chooses(self, text: str, name: str) -> None:
        """From the menu of a message."""
        self._tool(text, "More")
        self.page.get_by_role("menuitem", name=name, exact=True).click()

    def retries(self, text: str) -> None:
        self.unsent(text).get_by_role("button", name="Retry").click()

    def discards(self, text: str) -> None:
        self.unsent(text).get_by_role("button", name="Discard").click()
        expect(self.unsent(text)).to_have_count(0)

    # The frame

    def is_told(self, words: str | re.Pattern[str]) -> None:
        """By the line about the connection, a notice, or the room itself."""
        told = self.page.locator("#status, #notices, #main").get_by_text(words)
        expect(told.or_(self.page.locator("#status").filter(has_text=words)).first).to_be_visible(
            timeout=PATIENCE
        )

    def has_unread(self, room: str, mentions: int = 0) -> None:
        link = self.page.locator("#sidebar .room-link.unread").filter(has_text=room)
        expect(link).to_be_visible()
        if mentions:
            expect(link.locator(".count")).to_contain_text(str(mentions))

    def has_nothing_unread(self) -> None:
        expect(self.page.locator("#sidebar .room-link.unread")).to_have_count(0)
