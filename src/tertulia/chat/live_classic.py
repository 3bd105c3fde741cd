"""The classic protocol: what a client written for the Channels tutorial speaks."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from tertulia.protocol.codec import decode_classic, encode_classic_error
from tertulia.protocol.errors import Close, Code, ProtocolError

from . import read, validity
from .actions import SendMessage
from .entering import enter_room
from .live import LiveSocket
from .people import guest_in, speaker_of
from .validity import Identity


def _guest_of_session(session: Any) -> Any:
    guest = guest_in(session)
    return speaker_of(guest) if guest is not None else None


class ClassicSocket(LiveSocket):
    """A classic client in one room. It joins with its first message."""

    classic = True
    _slug = ""

    async def identify_cookie(self) -> Identity | None:
        """Channels' auth middleware has resolved the session of this handshake."""
        identity = await self._identify(validity.by_user, self.scope.get("user"))
        if identity is not None:
            self._session_key = self.scope["session"].session_key
        elif "session" in self.scope:
            identity = await self._identify(_guest_of_session, self.scope["session"])
        return identity

    async def opened(self, identity: Identity | None) -> None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        self.connection.echo = query.get("echo", ["1"])[-1] != "0"
        if identity is None:
            self.connection.close(Close.UNAUTHENTICATED)
            return
        try:
            await self._enter(identity)
        except ProtocolError as error:
            final = error.code in (Code.NOT_FOUND, Code.INVALID)
            code = Close.NO_SUCH_ROOM if final else Close.TOO_SLOW
            self.connection.close(code, retry_after=error.retry_after)

    async def _enter(self, identity: Identity) -> None:
        address = self.scope["url_route"]["kwargs"]["room"]
        ref = await enter_room(self.runtime, identity.speaker, address)
        self._slug = ref.slug
        hub = self.runtime.hub
        subscription = hub.subscribe(self.connection, ref.id, ref.slug)
        entry = await self.runtime.readers.run(read.entry, identity.speaker, ref.id)
        hub.go_live(subscription, entry.head, entry.role, entry.members)

    async def received(self, text: str) -> None:
        try:
            message = decode_classic(text)
            assert self.speaker is not None
            self.check_rate("command", self.speaker.id)
            self.check_send_rate()
        except ProtocolError as error:
            self.refused(error)
            return
        # The client gives no key: a resend cannot be told from a second message.
        action = SendMessage(self.speaker, self._slug, message, uuid.uuid4(), join=True)
        self.runtime.writer.submit(action, partial(self._sent, action))

    def _sent(self, action: SendMessage, outcome: Any) -> None:
        if isinstance(outcome, ProtocolError):
            self.refused(outcome)
        elif not self.connection.echo:
            # The outcome comes before the event is passed on, so this is in time.
            for room_id in self.connection.subscriptions:
                self.connection.own.add((room_id, outcome["seq"]))

    def refused(self, error: ProtocolError) -> None:
        self.connection.send(encode_classic_error(error))
