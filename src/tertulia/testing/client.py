"""An asyncio client of protocol 1, written from the published contract and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import uuid
from collections.abc import Callable
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from .view import RoomView

PATIENCE = 10.0

Frame = dict[str, Any]


class Refused(Exception):
    """A reply with `ok: false`."""

    def __init__(self, error: Frame) -> None:
        super().__init__(f"{error.get('code')}: {error.get('detail')}")
        self.error = error
        self.code: str = error["code"]


class Closed(Exception):
    """The server closed the connection; `code` and `reason` are its own."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"closed with {code} {reason!r}")
        self.code = code
        self.reason = reason


def new_key() -> str:
    return str(uuid.uuid4())


async def open_socket(
    address: str,
    *,
    token: str | None = None,
    cookie: str | None = None,
    origin: str | None = None,
    headers: dict[str, str] | None = None,
    subprotocols: list[str] | None = None,
    **options: Any,
) -> ClientConnection:
    """A WebSocket with the given ways to say who speaks; no compression, no pings of its own."""
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if cookie is not None:
        sent["Cookie"] = cookie
    if origin is not None:
        sent["Origin"] = origin
    return await connect(
        address,
        additional_headers=sent,
        subprotocols=subprotocols,  # type: ignore[arg-type]
        compression=None,
        ping_interval=None,
        max_size=None,
        proxy=None,
        open_timeout=PATIENCE,
        close_timeout=2,
        **options,
    )


class Client:
    """One connection. Replies go to who waits for them, everything else into `inbox`.

    `views` holds one `RoomView` for each room subscribed to through `subscribe()`; durable
    events are applied to it in the order in which they arrive. `events` is every durable
    event that came, `frames` every frame.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome: Frame = {}
        self.frames: list[Frame] = []
        self.events: list[Frame] = []
        self.inbox: list[Frame] = []
        self.views: dict[str, RoomView] = {}
        self.on_frame: Callable[[Frame], None] | None = None
        self.closed: Closed | None = None
        self.error: BaseException | None = None
        self._refs = itertools.count(1)
        self._waiting: dict[Any, asyncio.Future[Frame]] = {}
        self._subscribing: dict[Any, tuple[str, RoomView | None]] = {}
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    # Opening and closing

    @classmethod
    async def connect(
        cls,
        ws: str,
        *,
        auth: str | None = None,
        welcome: bool = True,
        path: str = "/ws/",
        **how: Any,
    ) -> Client:
        """Open, say who speaks (`token`, `cookie` with `origin`, or `auth`), await `welcome`.

        Whatever goes wrong before `welcome` raises `Closed` or TimeoutError.
        """
        client = cls(await open_socket(ws + path, **how))
        if auth is not None:
            await client.send({"type": "auth", "token": auth})
        if welcome:
            try:
                client.welcome = await client.expect("welcome")
            except BaseException:
                await client.close()
                raise
        return client

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    async def vanish(self) -> None:
        """Cut the connection without a closing handshake."""
        self.socket.transport.abort()
        await self._reader

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def closing(self, seconds: float = PATIENCE) -> Closed:
        """Wait until the server closes; how it did."""
        await asyncio.wait_for(asyncio.shield(self._reader), seconds)
        assert self.closed
        return self.closed

    # What comes in

    async def _read(self) -> None:
        try:
            async for data in self.socket:
                frame = json.loads(data)
                self.frames.append(frame)
                if self.on_frame:
                    self.on_frame(frame)
                self._take(frame)
                self._news.set()
        except websockets.ConnectionClosedError:
            pass
        except Exception as error:  # an event out of order, or no JSON: told to whoever waits
            self.error = error
            self.socket.transport.abort()
        self.closed = Closed(self.socket.close_code, self.socket.close_reason or "")
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self.error or self.closed)
                future.exception()  # retrieved: nobody may be waiting
        self._news.set()

    def _take(self, frame: Frame) -> None:
        if frame.get("type") == "reply":
            ref = frame["ref"]
            if isinstance(ref, str | int | float) and ref in self._subscribing:
                self._subscribed(ref, frame)
            waiter = self._waiting.pop(ref, None) if ref is not None else None
            if waiter is not None and not waiter.done():
                waiter.set_result(frame)
                return
        elif isinstance(frame.get("seq"), int) and "actor" in frame:
            self.events.append(frame)
            if frame["room"] in self.views:
                self.views[frame["room"]].apply(frame)
        self.inbox.append(frame)

    def _subscribed(self, ref: Any, frame: Frame) -> None:
        """In the reader, so that an event right behind the reply finds its view."""
        room, before = self._subscribing.pop(ref)
        if not frame["ok"]:
            return
        result = frame["result"]
        if "events" in result:
            assert before is not None, "a resume without having been there"
            before.catch_up(result)
            self.views[room] = before
        else:
            self.views[room] = RoomView.load(room, result)

    async def expect(self, type: str, seconds: float = PATIENCE, **fields: Any) -> Frame:
        """The next frame of that type with those fields; others stay in the inbox."""
        return await self.find(
            lambda f: f.get("type") == type and all(f.get(k) == v for k, v in fields.items()),
            seconds,
            f"{type} {fields}",
        )

    async def find(
        self, condition: Callable[[Frame], bool], seconds: float = PATIENCE, what: str = "frame"
    ) -> Frame:
        """Take the first frame out of the inbox that meets the condition, waiting for it."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            self._news.clear()
            for index, frame in enumerate(self.inbox):
                if condition(frame):
                    return self.inbox.pop(index)
            if self.error:
                raise self.error
            if self.closed:
                raise self.closed
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                seen = [f.get("type") for f in self.inbox]
                raise TimeoutError(f"no {what} within {seconds} s; inbox: {seen}") from None

    async def reached(self, room: str, seq: int, seconds: float = PATIENCE) -> RoomView:
        """Wait until the room's view has applied that seq."""
        view = self.views[room]
        deadline = asyncio.get_running_loop().time() + seconds
        while view.seq < seq:
            if self.error:
                raise self.error
            if self.closed:
                raise self.closed
            self._news.clear()
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                raise TimeoutError(f"{room} is at {view.seq}, not {seq}") from None
        return view

    # What goes out

    async def send(self, frame: Any) -> None:
        """A frame as it is: text as given, anything else as JSON."""
        try:
            await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
        except websockets.ConnectionClosed:
            await self._reader
            raise (self.closed or Closed(None, "")) from None

    async def request(self, type: str, *, seconds: float = PATIENCE, **fields: Any) -> Frame:
        """Send a command; its whole reply. `Closed` when the connection goes first."""
        ref = fields.pop("ref", None) or next(self._refs)
        if self.error:
            raise self.error
        if self.closed:
            raise self.closed
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[ref] = future
        await self.send({"type": type, "ref": ref, **fields})
        return await asyncio.wait_for(future, seconds)

    async def cmd(self, type: str, *, seconds: float = PATIENCE, **fields: Any) -> Frame:
        """Send a command; its result. `Refused` when the server says no."""
        reply = await self.request(type, seconds=seconds, **fields)
        if not reply["ok"]:
            raise Refused(reply["error"])
        result: Frame = reply["result"]
        return result

    async def refused(self, type: str, **fields: Any) -> str:
        """Send a command that must be refused; the error's code."""
        reply = await self.request(type, **fields)
        assert reply["ok"] is False, reply
        code: str = reply["error"]["code"]
        return code

    async def raw(self, frame: Any, ref: Any = None) -> Frame:
        """Send a frame as it is and take the reply that bears `ref`."""
        await self.send(frame)
        return await self.expect("reply", ref=ref)

    # Short forms

    @property
    def id(self) -> str:
        return str(self.welcome["me"]["id"])

    @property
    def name(self) -> str:
        return str(self.welcome["me"]["name"])

    async def subscribe(self, room: str, **fields: Any) -> Frame:
        """Subscribe from the newest messages and keep a view of the room."""
        return await self._subscribe(room, None, fields)

    async def resume(self, room: str, before: RoomView, **fields: Any) -> Frame:
        """Subscribe from where `before` stopped; it goes on as this connection's view."""
        return await self._subscribe(
            room, before, {"after": before.seq, "epoch": before.epoch, **fields}
        )

    async def _subscribe(self, room: str, before: RoomView | None, fields: Frame) -> Frame:
        ref = next(self._refs)
        self._subscribing[ref] = (room, before)
        result = await self.cmd("room.subscribe", ref=ref, room=room, **fields)
        self.views[room].epoch = self.welcome["epoch"]
        return result

    async def say(self, room: str, text: str, key: str | None = None, **fields: Any) -> Frame:
        """message.send with a fresh key unless one is given."""
        return await self.cmd("message.send", room=room, key=key or new_key(), text=text, **fields)

    async def create(self, name: str = "A room", kind: str = "public", **fields: Any) -> str:
        """room.create; the slug."""
        fields.setdefault("members", [])
        result = await self.cmd(
            "room.create", **{"key": new_key(), "name": name, "kind": kind, **fields}
        )
        return str(result["room"])

    async def silence(self, condition: Callable[[Frame], bool], seconds: float = 0.7) -> None:
        """Assert that no frame which meets the condition comes; pings the server meanwhile."""
        with contextlib.suppress(TimeoutError):
            frame = await self.find(condition, seconds)
            raise AssertionError(f"unexpected: {frame}")
        await self.cmd("ping")
        assert not any(condition(f) for f in self.inbox)
