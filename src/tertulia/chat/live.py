"""One open socket of protocol 1 or of the classic protocol: from the handshake to its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from django.conf import settings

from tertulia.hub.connection import AsgiTransport, Connection, Transport, close_asgi
from tertulia.protocol.errors import Close, Code, ProtocolError
from tertulia.protocol.limits import FRAME_BYTES

from . import people, validity
from .actions import AdmitGuest
from .conf import conf
from .origin import header
from .runtime import Runtime, get_runtime
from .throttle import counted
from .validity import Identity

logger = logging.getLogger(__name__)

# What `server/` offers by its name; other servers do not.
TRANSPORT_EXTENSION = "tertulia.transport"
# Open sockets of a person and of an address; TERTULIA_LIMITS=off lifts them.
PERSON_SOCKETS = 300
ADDRESS_SOCKETS = 3_000
# Seconds after which somebody with too many sockets may try again.
TOO_MANY_SECONDS = 5.0

_by_address: Counter[str] = Counter()
# Sockets that were closed as soon as they had been accepted, by code; for the metrics.
refused_at_the_door: Counter[int] = Counter()


def address_of(scope: dict[str, Any]) -> str:
    """Whence a socket comes, as it is counted."""
    return counted(scope["client"][0]) if scope.get("client") else "local"


def is_full(address: str) -> bool:
    """Whether this address has as many sockets open here as it may."""
    full: bool = conf.limits and _by_address[address] >= ADDRESS_SOCKETS
    return full


@contextlib.contextmanager
def counted_in(address: str) -> Iterator[None]:
    """One more socket of this address, until it ends."""
    _by_address[address] += 1
    try:
        yield
    finally:
        _by_address[address] -= 1
        if _by_address[address] <= 0:
            del _by_address[address]


class Refused(Exception):
    """The socket is closed as soon as it has been accepted; `retry_after` in seconds."""

    def __init__(self, code: Close, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class LiveSocket:
    """What both protocols share: who speaks, how the socket is opened, read and ended."""

    classic = False

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self.address = address_of(scope)
        self.runtime: Runtime
        self.connection: Connection

    @property
    def speaker(self) -> people.Speaker | None:
        """Who speaks, as he is called now; None until he has said who he is."""
        connection = getattr(self, "connection", None)
        return None if connection is None else connection.speaker

    # What a protocol fills in

    async def enter(self, identity: Identity | None) -> None:
        """Before the socket is accepted; may raise `Refused` or `ProtocolError`."""

    def opened(self, identity: Identity | None) -> None:
        """The socket has been accepted."""
        raise NotImplementedError

    async def received(self, text: str) -> None:
        """A text frame has come."""
        raise NotImplementedError

    # The life of a socket

    async def run(self) -> None:
        """From `websocket.connect` to `websocket.disconnect`."""
        await self._receive()
        # Before anything is asked of the database.
        if is_full(self.address):
            await self._refuse(Refused(Close.TOO_MANY, TOO_MANY_SECONDS))
            return
        # From here on: of many handshakes at once, too, only so many are let in.
        with counted_in(self.address):
            await self._run()

    async def _run(self) -> None:
        try:
            self.runtime = await get_runtime()
            identity = await self.identify()
            self.check_person(identity)
        except Refused as refused:
            await self._refuse(refused)
            return
        except ProtocolError as error:
            await self._refuse(Refused(Close.TOO_SLOW, error.retry_after))
            return
        self._connect(identity)
        try:
            if await self._opens(identity):
                await self._listen()
        finally:
            self._ended()

    def _connect(self, identity: Identity | None) -> None:
        transport = self._transport()
        self.connection = Connection(self.runtime.hub, transport, classic=self.classic)
        transport.watch(self.connection.sign_of_life)
        self.runtime.hub.add(self.connection, None)
        if identity is not None:
            self.speak_as(identity)

    async def _opens(self, identity: Identity | None) -> bool:
        """Enter, then accept: what is said from the handshake's end on is heard."""
        try:
            await self.enter(identity)
        except Refused as refused:
            await self._refuse(refused)
            return False
        except ProtocolError as error:
            await self._refuse(Refused(Close.TOO_SLOW, error.retry_after))
            return False
        if self.connection.closed:
            # Signed out, say, while the handshake was on its way.
            await self._refuse(Refused(Close.UNAUTHENTICATED))
            return False
        await self._accept()
        self.connection.transport.start()
        self.opened(identity)
        return True

    async def _listen(self) -> None:
        connection, counts = self.connection, self.runtime.hub.counts
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    return
                connection.sign_of_life()
                counts.frames += 1
                text = message.get("text")
                if text is None:
                    connection.close(Close.NOT_THE_PROTOCOL)
                elif len(text) * 4 > FRAME_BYTES and len(text.encode()) > FRAME_BYTES:
                    # Our own server has refused it before; others have limits of their own.
                    connection.close(Close.TOO_BIG)
                elif not connection.closed:
                    await self.received(text)
        except asyncio.CancelledError:
            # Cut after a close that the peer never answered; anything else goes on up.
            if not connection.closed:
                raise

    def _transport(self) -> Transport:
        direct = self.scope.get("extensions", {}).get(TRANSPORT_EXTENSION)
        if direct is None:
            return AsgiTransport(self._send)
        transport: Transport = direct
        return transport

    async def _accept(self) -> None:
        offered = self.scope.get("subprotocols") or []
        wanted = "tertulia.v1" if not self.classic else None
        await self._send(
            {"type": "websocket.accept", "subprotocol": wanted if wanted in offered else None}
        )

    async def _refuse(self, refused: Refused) -> None:
        """Close codes come after accepting: a browser sees none of a refused handshake."""
        await self._accept()
        self._count_refusal(int(refused.code))
        wait = refused.retry_after
        reason = "" if wait is None else json.dumps({"retry_after": wait})
        await close_asgi(self._send, int(refused.code), reason)

    def _count_refusal(self, code: int) -> None:
        connection: Connection | None = getattr(self, "connection", None)
        if connection is None:
            refused_at_the_door[code] += 1
        elif not connection.closed:
            connection.closed = True
            connection.hub.counts.closed[code] += 1

    def check_person(self, identity: Identity | None) -> None:
        """Raises `Refused` for one socket too many; this one may be among his already."""
        if not conf.limits or identity is None or self.speaker == identity.speaker:
            return
        sockets = self.runtime.hub.people.get(identity.speaker.person.id, ())
        if len(sockets) >= PERSON_SOCKETS:
            raise Refused(Close.TOO_MANY, TOO_MANY_SECONDS)

    def _ended(self) -> None:
        connection = self.connection
        if not connection.closed:
            self.runtime.hub.counts.closed[0] += 1
        connection.closed = True
        self.runtime.hub.drop(connection)
        if isinstance(connection.transport, AsgiTransport):
            connection.transport.stop()
        self._forget_interest()

    def _forget_interest(self) -> None:
        person = self.connection.person
        if person is not None and person.id not in self.runtime.hub.people:
            self.runtime.interest.forget(person.id)

    # Who speaks

    async def identify(self) -> Identity | None:
        """From the handshake: a bearer token, a cookie, or a guest; None: an `auth` must come."""
        # Another scheme speaks to a proxy in front of us, not to the chat.
        scheme, _, token = (header(self.scope, b"authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            return await self.identify_token(token.strip())
        identity = await self.identify_cookie()
        if identity is None and conf.open and self.may_be_guest():
            identity = await self.admit_guest()
        return identity

    def may_be_guest(self) -> bool:
        """Whether somebody who says nothing of himself is admitted where guests are."""
        return True

    async def identify_token(self, token: str) -> Identity:
        """Raises `Refused`."""
        identity = await self._identify(validity.by_token, token)
        if identity is None:
            raise Refused(Close.UNAUTHENTICATED)
        self._token_digest = people.digest_of(token)
        return identity

    async def identify_cookie(self) -> Identity | None:
        """Whom the session cookie speaks for; the origin gate has judged whether it counts."""
        key = session_cookie(self.scope)
        if not key:
            return None
        identity = await self._identify(validity.by_session, key)
        if identity is not None:
            self._session_key = key
        return identity

    async def admit_guest(self) -> Identity:
        """A new guest."""
        if conf.limits:
            self.check_rate("guest", self.address)
        speaker = await self.runtime.write(AdmitGuest())
        mark = await self.runtime.readers.run(validity.last_change)
        return Identity(speaker, mark, [])

    async def _identify(self, find: Callable[[Any], Any], key: Any) -> Identity | None:
        return await self.runtime.readers.run(validity.identify, find, key)

    _session_key: str | None = None
    _token_digest: str | None = None

    def speak_as(self, identity: Identity) -> None:
        """The connection speaks for this person from now on."""
        connection = self.connection
        self._forget_interest()
        connection.speaker = identity.speaker
        connection.mark = identity.mark
        # A guest's token is signed, not kept: there is nothing to ask the database of.
        guest = identity.speaker.is_guest
        connection.session_key = None if guest else self._session_key
        connection.token_digest = None if guest else self._token_digest
        self.runtime.hub.identify(connection, identity.speaker.person)
        person_id = identity.speaker.person.id
        self.runtime.load_interest(person_id, identity.rooms, identity.mark)
        self.runtime.profiles.identified(person_id, identity.mark)

    # Rates

    def check_rate(self, name: str, key: Any) -> None:
        """Take one of the rate `name`; raises `rate_limited` with the seconds to wait."""
        if not conf.limits:
            return
        wait = self.runtime.limiter.take(name, key, self.runtime.loop.time())
        if wait:
            raise ProtocolError(
                Code.RATE_LIMITED,
                f"Too fast: wait {max(wait, 0.1):.1f} s.",
                retry_after=max(wait, 0.1),
            )

    def check_send_rate(self) -> None:
        """Messages of a person and of an address."""
        assert self.speaker is not None
        self.check_rate("send", self.speaker.id)
        self.check_rate("send_address", self.address)

    def whose(self) -> dict[str, Any]:
        """Whose socket it is, for the log."""
        speaker = self.speaker
        return {} if speaker is None else {"participant": speaker.person.id}

    def barred(self) -> bool:
        """Whether the socket was closed because its sign-in had ended. Asked in any thread."""
        return self.connection.code in (Close.UNAUTHENTICATED, Close.BANNED)

    def spawn(self, coroutine: Awaitable[None]) -> None:
        """For a command that has to read: one task a command, never one a recipient."""
        self.runtime.hub.spawn(coroutine)


def session_cookie(scope: dict[str, Any]) -> str | None:
    """The session key in the handshake's cookies."""
    cookies = header(scope, b"cookie") or ""
    name = settings.SESSION_COOKIE_NAME
    for part in cookies.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value.strip('"') or None
    return None
