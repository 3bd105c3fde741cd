"""A support desk for the tests of the agents' page: an inbox with agents at browsers, and visitors
at the protocol, who say what a visitor's widget would say."""

from __future__ import annotations

import itertools
import json
import re
import time
import uuid
from contextlib import ExitStack
from typing import Any

from playwright.sync_api import Locator, Page, expect
from websockets.sync.client import ClientConnection, connect

from tertulia.testing.server import Server

from .pages import PATIENCE, Person

SECONDS = 15.0
PAGE = "https://shop.example/cart?item=7"

# One process makes all of it: Django takes a second to begin.
_FURNISH = """
import json
from tertulia.chat.models import Participant
from tertulia.support.models import Agent, CannedReply, Inbox
from tertulia.support.visitors import new_visitor, visitor_token
desk = json.loads({desk!r})
inboxes = {{name: Inbox.objects.create(name=name) for name in desk["inboxes"]}}
for name, agents in desk["inboxes"].items():
    for agent in agents:
        participant = Participant.objects.get(name=agent)
        Agent.objects.create(inbox=inboxes[name], participant=participant)
for inbox, shortcut, text in desk["canned"]:
    CannedReply.objects.create(inbox=inboxes[inbox], shortcut=shortcut, text=text)
tokens = [
    visitor_token(new_visitor(inboxes[who.pop("inbox")], **who)) for who in desk["visitors"]
]
print(json.dumps([[inbox.public_id for inbox in inboxes.values()], tokens]))
"""
_DISMISS = """
from tertulia.support.models import Agent
for agent in Agent.objects.filter(inbox__public_id={inbox!r}, participant__name={name!r}):
    agent.delete()
"""


class Desk:
    """Inboxes with their agents, by name, and visitors, who are not connected yet."""

    def __init__(
        self,
        server: Server,
        inboxes: dict[str, list[str]],
        visitors: list[dict[str, str]],
        canned: list[tuple[str, str, str]] | None = None,
    ) -> None:
        self.server = server
        told = server.shell(
            _FURNISH.format(
                desk=json.dumps({"inboxes": inboxes, "visitors": visitors, "canned": canned or []})
            )
        )
        ids, tokens = json.loads(told.strip().splitlines()[-1])
        self.inboxes: dict[str, str] = dict(zip(inboxes, ids, strict=True))
        self.visitors = [
            Visitor(server, token, who["name"]) for token, who in zip(tokens, visitors, strict=True)
        ]

    def dismiss(self, name: str, inbox: str) -> None:
        self.server.shell(_DISMISS.format(inbox=self.inboxes[inbox], name=name))

    def close(self) -> None:
        for visitor in self.visitors:
            visitor.leaves()


class Visitor:
    """One who writes to an inbox, by the protocol."""

    def __init__(self, server: Server, token: str, name: str) -> None:
        self.name = name
        self.heard: list[dict[str, Any]] = []
        self._refs = itertools.count(1)
        self._stack = ExitStack()
        opening = connect(f"{server.ws}/ws/", compression=None, proxy=None)
        self._socket: ClientConnection = self._stack.enter_context(opening)
        self._socket.send(json.dumps({"type": "auth", "token": token}))
        self.id: str = self._next(time.monotonic() + SECONDS)["me"]["id"]
        self.room = ""

    def opens(self, *, new: bool = False, url: str = PAGE) -> str:
        key = str(uuid.uuid4())
        opened = self.request("conversation.open", key=key, url=url, new=new)
        self.room = opened["room"]
        self.request("room.subscribe", room=self.room)
        return self.room

    def says(self, text: str) -> int:
        if not self.room:
            self.opens()
        key = str(uuid.uuid4())
        seq: int = self.request("message.send", room=self.room, key=key, text=text)["seq"]
        return seq

    def reads(self, seq: int) -> None:
        self.request("read.mark", room=self.room, seq=seq)

    def types(self) -> None:
        self.request("typing.start", room=self.room)

    def rates(self, rating: int, text: str = "") -> None:
        self.request("conversation.rate", room=self.room, rating=rating, text=text)

    def texts(self) -> list[str]:
        """All that the visitor can read."""
        found = self.request("history.list", room=self.room, before=2**53 - 1)["messages"]
        return [message["text"] for message in found]

    def waits_for(self, text: str) -> dict[str, Any]:
        """The message with this text, as it is told."""
        deadline = time.monotonic() + SECONDS
        seen = 0
        while True:
            for frame in self.heard[seen:]:
                if frame["type"] == "message.created" and frame["message"]["text"] == text:
                    message: dict[str, Any] = frame["message"]
                    return message
            seen = len(self.heard)
            self.heard.append(self._next(deadline))

    def request(self, type_: str, **fields: Any) -> dict[str, Any]:
        ref = next(self._refs)
        self._socket.send(json.dumps({"type": type_, "ref": ref, **fields}))
        deadline = time.monotonic() + SECONDS
        while True:
            frame = self._next(deadline)
            if frame["type"] == "reply" and frame["ref"] == ref:
                assert frame["ok"], frame
                result: dict[str, Any] = frame.get("result") or {}
                return result
            self.heard.append(frame)

    def _next(self, deadline: float) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(
            self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
        )
        return frame

    def leaves(self) -> None:
        self._stack.close()


class Agent:
    """Somebody at the agents' page: `ana.answers("…")`, `ana.sees("…")`."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @property
    def page(self) -> Page:
        return self.person.page

    @property
    def name(self) -> str:
        return self.person.name

    def opens_the_inbox(self) -> None:
        self.page.goto(f"{self.person.base}/support/-/inbox/")

    def opens(self, visitor: Visitor) -> None:
        """By its address."""
        self.page.goto(f"{self.person.base}/support/-/inbox/{visitor.room}/")
        self._has_it_open()
        # With it has come where the notes are.
        expect(self.title).not_to_have_text("…")

    # The list

    def filter(self, name: str) -> Locator:
        return self.page.locator(".filters").get_by_role("button", name=re.compile(f"^{name}"))

    def looks_at(self, name: str) -> None:
        self.filter(name).click()
        expect(self.filter(name)).to_have_attribute("aria-pressed", "true")

    def counts(self, name: str, n: int) -> None:
        count = self.filter(name).locator(".filter-count")
        if n:
            expect(count).to_have_text(str(n), timeout=PATIENCE)
        else:
            expect(count).to_have_count(0, timeout=PATIENCE)

    @property
    def rows(self) -> Locator:
        return self.page.locator("#sidebar .row")

    def row(self, visitor: Visitor) -> Locator:
        return self.page.locator(f'#sidebar .row[data-room="{visitor.room}"]')

    def has(self, *visitors: Visitor) -> None:
        """The list shows these, from top to bottom, and nobody else."""
        names = [visitor.name for visitor in visitors]
        expect(self.rows.locator(".row-name")).to_have_text(names, timeout=PATIENCE)

    def chooses(self, visitor: Visitor) -> None:
        self.row(visitor).click()
        expect(self.title).to_have_text(visitor.name)
        self._has_it_open()

    def _has_it_open(self) -> None:
        """With what was said in it: against that an answer is written."""
        expect(self.reply).to_be_visible()
        expect(self.log.locator(".loading")).to_have_count(0)

    # The conversation

    @property
    def title(self) -> Locator:
        return self.page.locator("#main h1")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def reply(self) -> Locator:
        return self.page.get_by_role("textbox", name="Reply to the visitor")

    @property
    def note(self) -> Locator:
        return self.page.get_by_role("textbox", name="Note to colleagues")

    @property
    def guard(self) -> Locator:
        return self.page.locator(".guard")

    def answers(self, text: str) -> None:
        self.reply.fill(text)
        self.reply.press("Enter")

    def notes(self, text: str) -> None:
        self.page.get_by_role("tab", name="Note").click()
        self.note.fill(text)
        self.note.press("Enter")
        expect(self.note).to_have_value("")

    def said(self, text: str, kind: str = "") -> Locator:
        articles = self.log.locator(f"article.message{kind}")
        return articles.filter(has=self.page.locator(".text", has_text=text))

    def sees(self, text: str, kind: str = "") -> Locator:
        """Kept: a message on its way has a state. `kind`: `.theirs`, `.ours` or `.note`."""
        kept = self.said(text, f"{kind}:not([data-state])")
        expect(kept).to_have_count(1, timeout=PATIENCE)
        return kept

    def sees_happen(self, words: str) -> None:
        expect(self.log.locator(".happened", has_text=words).last).to_be_visible(timeout=PATIENCE)

    def looks(self) -> None:
        """Longer than a look takes: what is done now is done knowing what stands there."""
        self.page.wait_for_timeout(3_000)

    def does(self, name: str) -> None:
        """By a button of the header."""
        self.page.locator(".room-header").get_by_role("button", name=name, exact=True).click()

    def picks(self, name: str | re.Pattern[str]) -> None:
        """From the menu that is open; another may open in its place."""
        menu = self.page.get_by_role("menu")
        choice = menu.get_by_role("menuitem", name=name).or_(
            menu.get_by_role("menuitemradio", name=name)
        )
        choice.first.click()
        expect(choice).to_have_count(0)

    def is_held_by(self, name: str) -> None:
        holder = self.page.locator("#assign-button bdi")
        expect(holder).to_have_text(name, timeout=PATIENCE)
