"""Protocol 1 on `/ws/`: welcome, auth, commands and their replies."""

from __future__ import annotations

import logging
from asyncio import TimerHandle
from collections.abc import Awaitable
from functools import partial
from typing import Any

from msgspec import UNSET

from tertulia.protocol import VERSION, codec, commands, events, limits
from tertulia.protocol.errors import Close, Code, ProtocolError

from .actions import Action
from .commands import carry_out
from .conf import conf
from .live import LiveSocket, Refused
from .people import guest_token
from .validity import Identity

logger = logging.getLogger(__name__)

# Seconds that a connection may stay without saying who it is.
AUTH_SECONDS = 10.0
# How a command that was carried out is counted; others by the code of their error.
OK = "ok"
FAILED = "The server failed to do this."
AUTH_FIRST = 'Send {"type":"auth","token":"…"} first.'


class ProtocolSocket(LiveSocket):
    """A client of protocol 1."""

    __slots__ = ("_deadline",)

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        self._deadline: TimerHandle | None = None

    def opened(self, identity: Identity | None) -> None:
        if identity is not None:
            self._welcome(identity)
        else:
            self._deadline = self.runtime.loop.call_later(
                AUTH_SECONDS, self.connection.close, Close.UNAUTHENTICATED
            )

    def _welcome(self, identity: Identity) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        person = identity.speaker.person
        welcome = events.Welcome(
            protocol=VERSION,
            epoch=self.runtime.epoch,
            me=person,
            heartbeat=conf.heartbeat,
            limits=limits.ANNOUNCED,
        )
        if identity.speaker.is_guest:
            welcome.guest_token = guest_token(person.id)
        if identity.token is not None:
            welcome.visitor_token = identity.token
        connect = self._door.token_for(self.connection)
        if connect is not None:
            welcome.connect = connect
        self.connection.send(codec.encode(welcome))

    def received(self, text: str) -> Awaitable[None] | None:
        try:
            command = self._decode(text)
            if isinstance(command, commands.Auth):
                return self._authenticate(command)
            self._dispatch(command)
        except ProtocolError as error:
            self.fail(error.ref, error)
        except Exception:
            logger.exception("A command failed", extra=self.whose())
            self.fail(None, ProtocolError(Code.INTERNAL, FAILED))
        return None

    async def _authenticate(self, command: commands.Auth) -> None:
        """What follows an `auth` waits for it."""
        try:
            await self._auth(command)
        except ProtocolError as error:
            self.fail(error.ref, error)
        except Exception:
            logger.exception("An auth failed", extra=self.whose())
            self.fail(None, ProtocolError(Code.INTERNAL, FAILED))

    def _decode(self, text: str) -> Any:
        """What is malformed costs the most to answer, so it has a rate of its own."""
        try:
            return codec.decode_well_formed(text)
        except codec.Malformed:
            pass
        try:
            self.check_rate("malformed", self.speaker.id if self.speaker else self.address)
            return codec.decode_slowly(text)
        except ProtocolError as error:
            if error.code is Code.RATE_LIMITED:
                error.ref = codec.ref_of(text)
            elif self.speaker is None and error.ref is not None:
                raise ProtocolError(Code.UNAUTHENTICATED, AUTH_FIRST, ref=error.ref) from None
            raise

    def _dispatch(self, command: Any) -> None:
        try:
            if self.speaker is None:
                raise ProtocolError(Code.UNAUTHENTICATED, AUTH_FIRST)
            self.check_rate("command", self.speaker.id)
            carry_out(self, self.speaker, command)
        except ProtocolError as error:
            self.refuse(command, error)
        except Exception:
            logger.exception("%s failed", _name(command), extra=self.whose())
            self.refuse(command, ProtocolError(Code.INTERNAL, FAILED))

    async def _auth(self, command: commands.Auth) -> None:
        self._session_key = None
        try:
            self.check_rate("command", self.address)
            connect = self._offered if command.connect is None else command.connect
            identity = await self.identify_token(command.token, connect)
            self.check_person(identity)
        except Refused as refused:
            self.count(commands.Auth, Code.UNAUTHENTICATED.value)
            self.connection.close(refused.code, retry_after=refused.retry_after)
            return
        if not self.connection.closed:
            self.count(commands.Auth, OK)
            self.speak_as(identity)
            self._welcome(identity)

    # Replies

    def count(self, command: type | None, outcome: str) -> None:
        """For the metrics: each command once, with how it ended."""
        self.runtime.hub.counts.commands[command, outcome] += 1

    def reply(self, command: commands.Command, result: Any = UNSET) -> None:
        """The one answer to a command that was carried out."""
        self.count(type(command), OK)
        payload = codec.encode(events.Reply(ref=command.ref, result=result))
        self.runtime.reply(self.connection, payload)

    def refuse(self, command: commands.Command, error: ProtocolError) -> None:
        """The one answer to a command that was refused."""
        self.count(type(command), error.code.value)
        self._send_error(command.ref, error)

    def fail(self, ref: commands.Ref | None, error: ProtocolError) -> None:
        """The answer to what is no command."""
        self.count(None, error.code.value)
        self._send_error(ref, error)

    def _send_error(self, ref: commands.Ref | None, error: ProtocolError) -> None:
        body = codec.error_body(error)
        payload = codec.encode(events.ErrorReply(ref=ref, error=body))
        self.runtime.reply(self.connection, payload)

    def submit(self, command: commands.Command, action: Action) -> None:
        """Have an action written, and reply after its commit."""
        action.barred = self.barred
        self.runtime.writer.submit(action, partial(self.finish, command))

    def finish(self, command: commands.Command, outcome: Any) -> None:
        """Reply with an action's outcome."""
        if isinstance(outcome, ProtocolError):
            self.refuse(command, outcome)
        else:
            self.reply(command, outcome)

    def read(self, command: commands.Command, coroutine: Any) -> None:
        """Reply with what a coroutine returns."""
        self.spawn(self._answer(command, coroutine))

    async def _answer(self, command: commands.Command, coroutine: Any) -> None:
        self.runtime.hub.owed += 1
        try:
            result = await coroutine
        except ProtocolError as error:
            self.refuse(command, error)
        except Exception:
            logger.exception("%s failed", _name(command), extra=self.whose())
            self.refuse(command, ProtocolError(Code.INTERNAL, FAILED))
        else:
            if result is not None:
                self.reply(command, result)
        finally:
            self.runtime.hub.owed -= 1


def _name(command: commands.Command) -> str:
    """As the protocol calls it."""
    return str(type(command).__struct_config__.tag)
