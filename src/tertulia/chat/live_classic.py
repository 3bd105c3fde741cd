"""The classic protocol: what a client written for the Channels tutorial speaks."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from tertulia.hub.room import Subscription
from tertulia.protocol.codec import decode_classic, encode_classic_error
from tertulia.protocol.errors import Close, Code, ProtocolError

from . import read, validity
from .actions import SendMessage
from .entering import enter_room
from .live import LiveSocket, Refused
from .origin import header
from .validity import Identity


class ClassicSocket(LiveSocket):
    """A classic client in one room. It joins with its first message."""

    classic = True
    __slots__ = ("_entry", "_slug", "_subscription")

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        self._slug = ""
        self._subscription: Subscription
        self._entry: read.Snapshot

    async def identify_cookie(self, connect: str | None = None) -> Identity | None:
        """Channels' auth middleware has resolved the session of this handshake."""
        identity = await self._identify(validity.user_if_known, self.scope.get("user"))
        if identity is not None:
            self._session_key = self.scope["session"].session_key
        elif "session" in self.scope:
            identity = await self._identify(validity.guest_speaker, self.scope["session"])
        return identity

    def may_be_guest(self) -> bool:
        # A classic client that is no page needs a bearer token, everywhere.
        return header(self.scope, b"origin") is not None

    async def enter(self, identity: Identity | None) -> None:
        """Be in the room before the socket is accepted, as the tutorial's consumers are."""
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        self.connection.echo = query.get("echo", ["1"])[-1] != "0"
        if identity is None:
            raise Refused(Close.UNAUTHENTICATED)
        try:
            await self._subscribe(identity)
        except ProtocolError as error:
            if error.code in (Code.NOT_FOUND, Code.INVALID):
                raise Refused(Close.NO_SUCH_ROOM) from None
            raise

    async def _subscribe(self, identity: Identity) -> None:
        address = self.scope["url_route"]["kwargs"]["room"]
        ref = await enter_room(self.runtime, identity.speaker, address, self.check_rate)
        self._slug = ref.slug
        self._subscription = self.runtime.hub.subscribe(self.connection, ref.id, ref.slug)
        await self.runtime.hub.ready(self._subscription.room)
        self._entry = await self.runtime.readers.run(read.entry, identity.speaker, ref.id)

    def opened(self, identity: Identity | None) -> None:
        # What has been said since the log was read waits in the subscription.
        entry = self._entry
        self.runtime.hub.go_live(
            self._subscription, entry.head, entry.role, entry.members, unseen=entry.unseen
        )
        del self._entry, self._subscription

    def received(self, text: str) -> None:
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
        action.barred = self.barred
        self.runtime.writer.submit(action, partial(self._sent, action))

    def _sent(self, action: SendMessage, outcome: Any) -> None:
        if isinstance(outcome, ProtocolError):
            self.refused(outcome)
            return
        self._count("ok")
        if not self.connection.echo:
            # The outcome comes before the event is passed on, so this is in time.
            for subscription in self.connection.subscriptions:
                self.connection.keep_back(subscription.room.id, outcome["seq"])

    def _count(self, outcome: str) -> None:
        self.runtime.hub.counts.commands[ClassicSocket, outcome] += 1

    def refused(self, error: ProtocolError) -> None:
        self._count(error.code.value)
        self.connection.send(encode_classic_error(error))
