"""Clients that never give up, recording what they do: writers with an outbox, and followers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import websockets

from .client import Client, Closed, Refused, new_key
from .history import History

# Errors after which the same send is tried again; any other refusal is the end of it.
RETRYABLE = ("unavailable", "rate_limited", "internal")
BROKEN = (Closed, TimeoutError, OSError, websockets.WebSocketException)
# A writer reads after so many answers: the newest messages, so many, or nothing within the seconds.
ANSWERS_A_READ, READ_MESSAGES, READ_SECONDS = 10, 20, 5.0


class Doors:
    """The addresses of one installation; each new connection takes the next one."""

    def __init__(self, *ws: str) -> None:
        self.all = ws
        self._turn = itertools.cycle(ws)

    def next(self) -> str:
        return next(self._turn)


async def connect_patiently(doors: Doors, token: str, deadline: float) -> Client:
    """A connection with its welcome, however long the server is away, until the deadline."""
    while True:
        try:
            return await asyncio.wait_for(Client.connect(doors.next(), token=token), 5)
        except BROKEN:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(random.uniform(0.02, 0.15))


class Actor:
    """What writers and followers share: one person, one room, one connection at a time."""

    def __init__(
        self, name: str, doors: Doors, token: str, room: str, history: History, patience: float = 60
    ) -> None:
        self.name = name
        self.doors = doors
        self.token = token
        self.room = room
        self.history = history
        self.patience = patience
        self.person = ""
        self.client: Client | None = None
        # How many it has opened.
        self.connections = 0
        # Its connection breaks, from its own side, after about so many events or sends; 0: never.
        self.fragile = 0

    async def connected(self) -> Client:
        """The present connection, or a new one; the last error after `patience` seconds."""
        if self.client is None or self.client.closed:
            self.client = await connect_patiently(
                self.doors, self.token, time.monotonic() + self.patience
            )
            self.person = self.client.id
            self.connections += 1
        return self.client

    async def drop(self) -> None:
        """Leave the connection, without a closing handshake."""
        if self.client:
            client, self.client = self.client, None
            with contextlib.suppress(*BROKEN):
                await client.vanish()

    @staticmethod
    def cut(client: Client) -> None:
        """A connection breaks at this moment, from the client's side: what has come and was
        not looked at yet is lost with it."""
        if client.closed is None:
            client.on_frame = None
            client.socket.transport.abort()

    def breaks_now(self) -> bool:
        """Whether it is the moment for a fragile connection to break."""
        return self.fragile > 0 and random.random() < 1 / self.fragile

    def note(self, op: str, **fields: Any) -> None:
        """A line of the history."""
        self.history.add(op, self.name, self.person, self.room, **fields)


class Writer(Actor):
    """Sends one message after the other, each until it is answered, and reads now and then."""

    def __init__(self, *args: Any, answer_seconds: float = 5, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answer_seconds = answer_seconds
        self.refusals: list[str] = []

    async def write(self, text: str, key: str | None = None) -> int | None:
        """Send until answered; the seq, or None after a refusal that is final."""
        key = key or new_key()
        deadline = time.monotonic() + self.patience
        await self.connected()
        self.note("invoke", key=key, text=text)
        while True:
            try:
                result = await self._send(key, text)
            except Refused as refusal:
                final = refusal.code not in RETRYABLE
                self.note("refused", key=key, code=refusal.code, final=final)
                self.refusals.append(refusal.code)
                if final:
                    return None
                await asyncio.sleep(float(refusal.error.get("retry_after") or 0.1))
            except BROKEN:
                self.note("unknown", key=key)
                await self.drop()
            else:
                self.note("ok", key=key, seq=result["seq"])
                return int(result["seq"])
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: no answer for {key}")

    async def _send(self, key: str, text: str) -> dict[str, Any]:
        """One attempt; its connection may break before the answer or right after it."""
        client = await self.connected()
        if self.breaks_now():
            loop = asyncio.get_running_loop()
            loop.call_later(random.uniform(0, 0.01), self.cut, client)
        return await client.cmd(
            "message.send", room=self.room, key=key, text=text, seconds=self.answer_seconds
        )

    async def run(self, stop: asyncio.Event, pause: float = 0.0) -> int:
        """Write until told to stop, the last one to its answer; how many."""
        for number in itertools.count(1):
            await self.write(f"{self.name} {number}")
            if stop.is_set():
                return number
            if number % ANSWERS_A_READ == 0:
                await self.read()
            await asyncio.sleep(random.uniform(0, 2 * pause))
        raise AssertionError("unreachable")

    async def read(self) -> None:
        """The newest page of history by the next door, for I5; a read that fails shows nothing.

        Through a connection of its own, which subscribes to nothing: a subscription would put
        right in that process what the fault has put wrong.
        """
        with contextlib.suppress(*BROKEN):
            async with asyncio.timeout(READ_SECONDS):
                client = await Client.connect(self.doors.next(), token=self.token)
                try:
                    began = time.monotonic()
                    page = await client.cmd("history.list", room=self.room, limit=READ_MESSAGES)
                    self.note_read(began, page)
                except Refused as refusal:
                    self.refusals.append(refusal.code)
                finally:
                    await client.vanish()

    def note_read(self, began: float, page: dict[str, Any]) -> None:
        """What was read, by a request of that time: a snapshot, or the newest page of history."""
        self.note(
            "read",
            began=began,
            head=page["head"],
            low=low_of(page),
            messages=triples(page["messages"]),
        )


class Follower(Actor):
    """Follows a room over any number of connections, resuming where it stopped.

    It records everything as it comes, in order or not: judging is the checker's part.
    `seq` is the last event applied, None before the first load.
    """

    REF = "follow"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seq: int | None = None
        self.epoch: str | None = None
        self._asked: str | None = None
        self.ended: str | None = None
        self.loads = 0
        self.resumes = 0
        self._began = 0.0

    async def run(self) -> None:
        """Follow until cancelled, or until the room is no longer to be seen."""
        self.note("follow")
        while self.ended is None:
            try:
                client = await self.connected()
                self.note("connected")
                client.on_frame = self._take
                await self._subscribe(client)
                await client.closing(seconds=3600)
            except Refused as refusal:
                if refusal.code in RETRYABLE:
                    await asyncio.sleep(0.1)
                else:
                    self.ended = refusal.code
            except BROKEN:
                pass
            await self.drop()

    async def _subscribe(self, client: Client) -> None:
        self._began = time.monotonic()
        past: dict[str, Any] = {} if self.seq is None else {"after": self.seq, "epoch": self.epoch}
        self._asked = client.welcome["epoch"]
        await client.cmd("room.subscribe", ref=self.REF, room=self.room, limit=100, **past)

    def _take(self, frame: dict[str, Any]) -> None:
        """Called for every frame in the order of arrival, replies too."""
        if frame["type"] == "reply" and frame["ref"] == self.REF and frame["ok"]:
            self._subscribed(frame["result"])
        elif frame.get("room") == self.room and "actor" in frame:
            self._applied(frame, "live")
            if self.client is not None and self.breaks_now():
                self.cut(self.client)

    def _subscribed(self, result: dict[str, Any]) -> None:
        if "events" in result:
            self.resumes += 1
            self.note("resumed", began=self._began, after=self.seq, head=result["head"])
            for event in result["events"]:
                self._applied(event, "resume")
        else:
            self.loads += 1
            self.note("load", began=self._began, head=result["head"], low=low_of(result),
                      messages=triples(result["messages"]))  # fmt: skip
        # Not before: until now `seq` belonged to the history before.
        self.seq, self.epoch = result["head"], self._asked

    def _applied(self, event: dict[str, Any], via: str) -> None:
        key = event["message"]["key"] if event["type"] == "message.created" else None
        member = event.get("member") or {}
        self.note("recv", seq=event["seq"], kind=event["type"], author=event["actor"]["id"],
                  key=key, member=member.get("id"), via=via)  # fmt: skip
        self.seq = event["seq"]

    async def reach(self, seq: int, seconds: float = 30) -> None:
        """Wait until that seq is applied."""
        deadline = time.monotonic() + seconds
        while self.seq is None or self.seq < seq:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} is at {self.seq} of {seq} after {seconds} s")
            await asyncio.sleep(0.05)


def triples(messages: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [(m["seq"], m["key"], m["author"]["id"]) for m in messages]


def low_of(result: dict[str, Any]) -> int:
    """From which seq on a snapshot, or the newest page of history, holds every message."""
    if not result.get("messages_more", result.get("more_before")):
        return 1
    return int(result["messages"][0]["seq"]) if result["messages"] else int(result["head"]) + 1


async def read_whole(client: Client, room: str) -> list[tuple[int, str]]:
    """(seq, key) of every message of the room, by pages of history from its beginning."""
    return [(message["seq"], message["key"]) async for message in messages_of(client, room)]


async def messages_of(client: Client, room: str) -> AsyncIterator[dict[str, Any]]:
    """Every message of the room as it stands, by pages of history from its beginning."""
    after, more = 0, True
    while more:
        page = await client.cmd("history.list", room=room, after=after, limit=100)
        for message in page["messages"]:
            after = message["seq"]
            yield message
        more = page["more_after"]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    """Poll a coroutine until it is true."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        await asyncio.sleep(0.05)
