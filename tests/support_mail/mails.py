"""A desk whose visitors can be mailed, and what is found in the mails."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tertulia.testing.client import Client, Frame
from tests.conftest import RELAXED
from tests.support.browser import Answer, Browser
from tests.support.mailserver import Mail, MailServer
from tests.support_desk.desk import Desk

SITE = "https://shop.example"
CHAT = "http://127.0.0.1:8000"
# Seconds: enough for a few commands between two looks.
HURRY: dict[str, Any] = {
    "QUIET": 1.0,
    "LATEST": 3.0,
    "LEASE": 30.0,
    "PAUSES": [1.0, 1.0],
    "GIVEN_UP": 60.0,
    "LOOK": 1,
    "IDLE": 1,
}
# Long enough for a mail that should not be sent, were it sent all the same.
A_WHILE = 4.0

_numbers = itertools.count(1)


def new_address() -> str:
    """One that no other test has."""
    return f"visitor{next(_numbers)}@example.org"


def environment(post: MailServer, **hurry: Any) -> dict[str, str]:
    """Of a server that mails visitors, soon."""
    return {
        **RELAXED,
        "PYTHONPATH": str(Path(__file__).parent / "hurried"),
        "HURRIED": json.dumps({**HURRY, **hurry}),
        "TERTULIA_EMAIL_URL": post.url("from=chat@example.org"),
        "TERTULIA_URL": CHAT,
    }


class MailDesk(Desk):
    """Its inboxes are for one site, and its visitors may leave an address."""

    post: MailServer

    def sited(self, post: MailServer) -> MailDesk:
        self.post = post
        self.shell(f"Inbox.objects.update(sites=[{SITE!r}])")
        return self

    @property
    def browser(self) -> Browser:
        return Browser(self.installation.here.url)

    def ask(self, path: str, inbox: str | None = None, **fields: Any) -> Answer:
        """What a page of the shop asks of the inbox."""
        where = f"/support/{inbox or self.inbox}/{path}/"
        return self.browser.request("POST", where, json=fields, headers={"Origin": SITE})

    def introduced(self, **fields: Any) -> dict[str, Any]:
        answer = self.ask("visitor", **fields)
        assert answer.status == 200, answer.text
        told: dict[str, Any] = json.loads(answer.body)
        return told

    def leaves(self, email: str, number: int = 0) -> str:
        answer = self.ask("address", token=self.tokens[number], email=email)
        assert answer.status == 200, answer.text
        return email

    async def asked(self, *said: str, number: int = 0, email: str | None = None) -> tuple[str, str]:
        """A visitor has written, left an address and gone: his conversation and his address."""
        visitor = await self.visitor(number)
        room = await self.conversation(visitor, *(said or ("Is it blue?",)))
        email = self.leaves(email or new_address(), number)
        await visitor.vanish()
        return room, email

    async def mail_to(self, address: str) -> Mail:
        return await asyncio.to_thread(self.post.mail_to, address)

    async def nothing_for(self, address: str) -> None:
        """No mail, for longer than one would take."""
        await asyncio.sleep(A_WHILE)
        assert [mail for mail in self.post.mails if address in mail.to] == []

    async def stands(self, agent: Client, room: str, state: str | None) -> dict[str, Any]:
        """Until the agents see a mail in this state; None: none at all."""
        mail: Any = None
        for _ in range(150):
            mail = (await self.state(agent, room))["mail"]
            if (mail and mail["state"]) == state:
                return mail or {}
            await asyncio.sleep(0.1)
        raise AssertionError(f"the mail is not {state}: {mail}")


def links_in(mail: Mail) -> tuple[str, str]:
    """The way back and the way out; the HTML has them too, and but for what an agent has written
    no others."""
    html = re.sub(r"<blockquote.*?</blockquote>", "", mail.html, flags=re.DOTALL)
    found = re.findall(r"https?://\S+", mail.text)
    assert len(found) == 2, mail.text
    hrefs = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', html)]
    assert set(hrefs) == set(found)
    return found[0], found[1]


def token_of(link: str) -> str:
    """What the way back says behind the #."""
    name, mark, token = urlsplit(link).fragment.partition("=")
    assert (name, mark) == ("tertulia", "=")
    return token


def is_activity(room: str) -> Any:
    """Whether a frame says that this conversation has changed."""

    def check(frame: Frame) -> bool:
        return bool(frame["type"] == "conversation.activity" and frame["room"] == room)

    return check
