"""One open socket of protocol 1 or of the classic protocol: from the handshake to its end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from tertulia.hub.connection import AsgiTransport, Connection, Transport
from tertulia.protocol.errors import Close, Code, ProtocolError
from tertulia.protocol.limits import FRAME_BYTES

from . import people, validity
from .actions import AdmitGuest
from .conf import conf
from .origin import header
from .runtime import Runtime, get_runtime
from .validity import Identity

logger = logging.getLogger(__name__)

# What `server/` offers by its name; other servers do not.
TRANSPORT_EXTENSION = "tertulia.transport"
# Open sockets of a person and of an address; TERTULIA_LIMITS=off lifts them.
PERSON_SOCKETS = 300
ADDRESS_SOCKETS = 3_000

_by_address: Counter[str] = Counter()


class WrongToken(Exception):
    """A bearer token that speaks for nobody."""


class LiveSocket:
    """What both protocols share: who speaks, how the socket is opened, read and ended."""

    classic = False

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self.address = scope["client"][0] if scope.get("client") else "local"
        self.runtime: Runtime
        self.connection: Connection
        self.speaker: people.Speaker | None = None

    # What a protocol fills in

    async def opened(self, identity: Identity | None) -> None:
        """The socket is open."""
        raise NotImplementedError

    async def received(self, text: str) -> None:
        """A text frame has come."""
        raise NotImplementedError

    def refused(self, error: ProtocolError) -> None:
        """Tell the client of an error that concerns the connection as a whole."""
        raise NotImplementedError

    # The life of a socket

    async def run(self) -> None:
        """From `websocket.connect` to `websocket.disconnect`."""
        await self._receive()
        try:
            self.runtime = await get_runtime()
            identity = await self.identify()
        except WrongToken:
            await self._refuse(Close.UNAUTHENTICATED)
            return
        except ProtocolError as error:
            await self._refuse(Close.TOO_SLOW, error.retry_after)
            return
        code = self._too_many(identity)
        if code is not None:
            await self._refuse(code, 5.0)
            return
        await self._accept()
        _by_address[self.address] += 1
        try:
            await self._serve(identity)
        finally:
            self._ended()

    async def _serve(self, identity: Identity | None) -> None:
        hub = self.runtime.hub
        transport = self._transport()
        self.connection = Connection(hub, transport, classic=self.classic)
        transport.watch(self.connection.sign_of_life)
        hub.add(self.connection, None)
        if identity is not None:
            self.speak_as(identity)
        try:
            await self.opened(identity)
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    return
                self.connection.sign_of_life()
                text = message.get("text")
                if text is None:
                    self.connection.close(Close.NOT_THE_PROTOCOL)
                elif len(text) * 4 > FRAME_BYTES and len(text.encode()) > FRAME_BYTES:
                    # Our own server has refused it before; others have limits of their own.
                    self.connection.close(Close.TOO_BIG)
                elif not self.connection.closed:
                    await self.received(text)
        except asyncio.CancelledError:
            # Cut after a close that the peer never answered; anything else goes on up.
            if not self.connection.closed:
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

    async def _refuse(self, code: Close, retry_after: float | None = None) -> None:
        """Close codes come after accepting: a browser sees none of a refused handshake."""
        await self._accept()
        reason = "" if retry_after is None else f'{{"retry_after": {retry_after}}}'
        await self._send({"type": "websocket.close", "code": int(code), "reason": reason})

    def _too_many(self, identity: Identity | None) -> Close | None:
        if not conf.limits:
            return None
        if _by_address[self.address] >= ADDRESS_SOCKETS:
            return Close.TOO_MANY
        if identity is not None:
            sockets = self.runtime.hub.people.get(identity.speaker.person.id, ())
            if len(sockets) >= PERSON_SOCKETS:
                return Close.TOO_MANY
        return None

    def _ended(self) -> None:
        _by_address[self.address] -= 1
        if _by_address[self.address] <= 0:
            del _by_address[self.address]
        connection = self.connection
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
        authorization = header(self.scope, b"authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise WrongToken
            return await self.identify_token(token.strip())
        identity = await self.identify_cookie()
        if identity is None and conf.open:
            identity = await self.admit_guest()
        return identity

    async def identify_token(self, token: str) -> Identity:
        """Raises `WrongToken`."""
        identity = await self._identify(validity.by_token, token)
        if identity is None:
            raise WrongToken
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
        self.speaker = identity.speaker
        connection.speaker = identity.speaker
        connection.mark = identity.mark
        # A guest's token is signed, not kept: there is nothing to ask the database of.
        guest = identity.speaker.is_guest
        connection.session_key = None if guest else self._session_key
        connection.token_digest = None if guest else self._token_digest
        self.runtime.hub.identify(connection, identity.speaker.person)
        interest = self.runtime.interest
        if not interest.knows(identity.speaker.person.id):
            interest.load(identity.speaker.person.id, identity.rooms)

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
