"""What a person does and sees, in his own words: `ana.says("hola")`, `bea.sees("hola")`.

Every look waits for what it looks for, so no test has to sleep.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

# A server that was killed and started again is back within this many milliseconds.
PATIENCE = 20_000


class Person:
    """Somebody with a browser of his own. `page` is open for what has no word here."""

    def __init__(self, page: Page, base: str, name: str = "") -> None:
        self.page = page
        self.base = base.rstrip("/")
        self.name = name

    # Coming and going

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
        self.page.goto(f"{self.base}/chat/")

    def reloads(self) -> None:
        self.page.reload()

    # Rooms

    def opens(self, slug: str, seq: int | None = None) -> None:
        """Types the room's address, or that of one message in it."""
        self.page.goto(f"{self.base}/chat/{slug}/" + (f"{seq}/" if seq else ""))
        expect(self.log).to_be_visible()

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

    def adds(self, name: str) -> None:
        self.opens_details()
        details = self.page.locator("#details")
        details.get_by_role("searchbox").fill(name)
        details.locator(".found").get_by_role("button", name=name, exact=True).click()
        expect(details.locator(".member", has_text=name)).to_be_visible()

    def removes(self, name: str) -> None:
        self.opens_details()
        self.page.get_by_role("button", name=f"Remove {name}").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(self.page.locator("#details .member", has_text=name)).to_have_count(0)

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

    def says(self, text: str) -> None:
        """Writes and sends: the field is empty at once, wherever the server is."""
        self.composer.fill(text)
        self.composer.press("Enter")
        expect(self.composer).to_have_value("")

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
        self._tool(text, "Edit")
        expect(self.composer).to_have_value(text)
        self.composer.fill(words)
        self.composer.press("Enter")
        self.sees(words)

    def deletes(self, text: str) -> None:
        self._tool(text, "Delete")
        self.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        self.does_not_see(text)

    def reacts_to(self, text: str, emoji: str) -> None:
        self._tool(text, "React")
        self.message(text).get_by_role("button", name=f"React with {emoji}").click()

    def sees_reaction(self, text: str, emoji: str, count: int) -> None:
        expect(self.message(text).locator(".reaction", has_text=emoji)).to_have_text(
            re.compile(rf"{emoji}\s*{count}")
        )

    def _tool(self, text: str, name: str) -> None:
        message = self.message(text)
        message.hover()
        message.get_by_role("button", name=name, exact=True).click()

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
