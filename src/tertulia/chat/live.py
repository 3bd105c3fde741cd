"""One open socket of protocol 1 or of the classic protocol: from the handshake to its end."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from tertulia.hub.connection import (
    AsgiTransport,
    Connection,
    DirectTransport,
    Transport,
    close_asgi,
)
from tertulia.protocol.errors import Close, Code, ProtocolError
from tertulia.protocol.events import Person
from tertulia.protocol.limits import FRAME_BYTES

from . import kinds, people, validity
from .actions import AdmitGuest
from .capacity import (
    CAP,
    TOO_MANY_SECONDS,
    TRANSPORT_EXTENSION,
    address_of,
    count_in,
    count_out,
    is_full,
    refused_at_the_door,
)
from .conf import conf
from .connecting.door import Door
from .connecting.token import Credential, offered_token
from .models import Participant
from .origin import header
from .runtime import Runtime, get_runtime
from .validity import Identity

logger = logging.getLogger(__name__)

# Open sockets of a person; TERTULIA_LIMITS=off lifts it.
PERSON_SOCKETS = 300


class Refused(Exception):
    """The socket is closed as soon as it has been accepted; `retry_after` in seconds."""

    def __init__(self, code: Close, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class LiveSocket:
    """What both protocols share: who speaks, how the socket is opened, read and ended."""

    classic = False
    # One of these stands for each open connection, so it has no dictionary.
    __slots__ = (
        "_bearer",
        "_cap",
        "_direct",
        "_left",
        "_lost",
        "_offered",
        "_receive",
        "_send",
        "_session_key",
        "_token_digest",
        "address",
        "connection",
        "runtime",
        "scope",
    )

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        # These three only for the handshake, where the socket leaves ASGI after it.
        self.scope = scope
        self._receive = receive
        self._send = send
        self.address = address_of(scope)
        self.runtime: Runtime
        self.connection: Connection
        # The connect token of the handshake, which an `auth` may refer to.
        self._offered: str | None = None
        # What he has shown, by which the sweep asks again.
        self._session_key: str | None = None
        self._token_digest: str | None = None
        self._bearer: str | None = None
        # The server's transport, where it offers a way out of ASGI, and whether we are out.
        self._direct: DirectTransport | None = scope.get("extensions", {}).get(TRANSPORT_EXTENSION)
        self._left = False
        self._lost = False
        self._cap: Any = scope.get(CAP)

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

    def received(self, text: str) -> Awaitable[None] | None:
        """A text frame has come. What is to be awaited before the next one, if anything."""
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
        count_in(self.address)
        try:
            await self._run()
        finally:
            if not self._left:
                count_out(self.address)

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
                self._leave()
                if not self._left:
                    await self._listen()
        finally:
            if not self._left:
                self._ended()

    def _connect(self, identity: Identity | None) -> None:
        self.connection = Connection(self.runtime.hub, self._transport(), classic=self.classic)
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
                elif not connection.closed and (pending := self.received(text)) is not None:
                    await pending
        except asyncio.CancelledError:
            # Cut after a close that the peer never answered; anything else goes on up.
            if not connection.closed:
                raise

    def _transport(self) -> Transport:
        return AsgiTransport(self._send) if self._direct is None else self._direct

    # Out of ASGI, where the server offers it: see `tertulia.server.websocket.Handler`

    def _leave(self) -> None:
        """From here on this object is the connection: no task, queue or scope is kept for it."""
        if self._direct is None:
            return
        self._left = True
        del self.scope, self._receive, self._send
        self._direct.leave(self)

    def text(self, text: str) -> None:
        """A text frame."""
        connection = self.connection
        connection.seen = connection.hub.seconds
        connection.hub.counts.frames += 1
        if not connection.closed and (pending := self.received(text)) is not None:
            assert self._direct is not None
            self._direct.hold()
            self.spawn(self._await(pending, self._direct))

    async def _await(self, pending: Awaitable[None], direct: DirectTransport) -> None:
        try:
            await pending
        finally:
            direct.release()

    def binary(self, data: bytes) -> None:
        """A binary frame: not the protocol."""
        self.connection.hub.counts.frames += 1
        self.connection.close(Close.NOT_THE_PROTOCOL)

    def alive(self) -> None:
        """A ping or a pong."""
        self.connection.sign_of_life()

    def lost(self) -> None:
        """The connection has ended. Counted once, however often it is told."""
        if self._lost:
            return
        self._lost = True
        self._ended()
        count_out(self.address)
        if self._cap is not None:
            self._cap.freed()

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
        self._forget_interest(connection.person)

    def _forget_interest(self, person: Person | None) -> None:
        if person is not None and person.id not in self.runtime.hub.people:
            self.runtime.interest.forget(person.id)

    # Who speaks

    async def identify(self) -> Identity | None:
        """From the handshake: a bearer token, a cookie, or a guest; None: an `auth` must come."""
        connect = self._offered = None if self.classic else offered_token(self.scope)
        # Another scheme speaks to a proxy in front of us, not to the chat.
        scheme, _, token = (header(self.scope, b"authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            return await self.identify_token(token.strip(), connect)
        identity = await self.identify_cookie(connect)
        if identity is None and conf.open and self.may_be_guest():
            identity = await self.admit_guest(connect)
        return identity

    def may_be_guest(self) -> bool:
        """Whether somebody who says nothing of himself is admitted where guests are."""
        return True

    async def identify_token(self, token: str, connect: str | None = None) -> Identity:
        """By a bearer token or a guest's. Raises `Refused`.

        `connect` is a connect token; "" where the client has none yet, None where it takes none.
        """
        if (visitor := self._visitor_in(token)) is not None:
            return await self._identify_visitor(visitor, token, connect)
        guest = people.guest_in_token(token)
        digest = people.digest_of(token) if guest is None else None
        if guest is not None:
            credential = Credential.of_guest(guest)
            identity = self._admitted(connect, credential) or await self._door.by_guest(guest)
        else:
            assert digest is not None
            credential = Credential.of_token(digest)
            identity = self._admitted(connect, credential) or await self._door.by_token(digest)
        if identity is None:
            raise Refused(Close.UNAUTHENTICATED)
        self._token_digest = digest
        return self._given(identity, connect, credential)

    def _visitor_in(self, token: str) -> str | None:
        """Whom a visitor's token names. The classic protocol knows none."""
        bearer = kinds.bearers.get(Participant.Kind.VISITOR)
        return None if bearer is None or self.classic else bearer.named_in(token)

    async def _identify_visitor(self, name: str, token: str, connect: str | None) -> Identity:
        credential = Credential.of_visitor(name)
        identity = self._admitted(connect, credential) or await self._door.by_visitor(name)
        if identity is None:
            raise Refused(Close.UNAUTHENTICATED)
        self._bearer = name
        identity.token = kinds.bearers[Participant.Kind.VISITOR].renewed(token)
        return self._given(identity, connect, credential)

    async def identify_cookie(self, connect: str | None = None) -> Identity | None:
        """Whom the session cookie speaks for; the origin gate has judged whether it counts."""
        key = session_cookie(self.scope)
        if not key:
            return None
        credential = Credential.of_session(key)
        identity = self._admitted(connect, credential)
        if identity is None:
            identity = await self._identify(validity.user_or_guest, key)
        if identity is None:
            return None
        self._session_key = key
        return self._given(identity, connect, credential)

    async def admit_guest(self, connect: str | None = None) -> Identity:
        """A new guest."""
        if conf.limits:
            self.check_rate("guest", self.address)
        speaker = await self.runtime.write(AdmitGuest())
        # Nothing can have happened to him before he was made.
        identity = Identity(speaker, 0, [])
        return self._given(identity, connect, Credential.of_guest(speaker.person.id))

    @property
    def _door(self) -> Door:
        door = self.runtime.door
        assert door is not None
        return door

    def _admitted(self, connect: str | None, credential: Credential) -> Identity | None:
        return self._door.admit(connect, credential) if connect else None

    def _given(self, identity: Identity, connect: str | None, credential: Credential) -> Identity:
        """The same, with what his next connect token is made for, if he takes any."""
        if connect is not None and identity.credential is None:
            identity.credential = credential
        return identity

    async def _identify(self, find: Callable[[Any], Any], key: Any) -> Identity | None:
        return await self._door.by(find, key)

    def speak_as(self, identity: Identity) -> None:
        """The connection speaks for this person from now on."""
        connection, former = self.connection, self.connection.person
        if self._offered:
            # It has been used; what is remembered is that the client takes such tokens.
            self._offered = ""
        connection.speaker = identity.speaker
        connection.mark = identity.mark
        connection.credential = identity.credential
        # A token that is signed is not kept: there is nothing to ask the database of.
        signed = identity.speaker.is_guest or identity.speaker.is_visitor
        connection.session_key = None if signed else self._session_key
        connection.token_digest = None if signed else self._token_digest
        connection.bearer = self._bearer if identity.speaker.is_visitor else None
        self.runtime.hub.identify(connection, identity.speaker.person)
        self._forget_interest(former)
        person_id = identity.speaker.person.id
        if identity.rooms is None:
            self._door.arrived(connection)
        else:
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
        # Asked for every message, and almost always there is no code.
        code = self.connection.code
        return code is not None and code in (Close.UNAUTHENTICATED, Close.BANNED)

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
