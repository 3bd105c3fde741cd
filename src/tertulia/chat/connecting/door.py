"""What the sockets of a process use to find out who opens them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tertulia.hub.connection import Connection
from tertulia.protocol.codec import encode
from tertulia.protocol.events import Heartbeat

from .. import publish, validity
from ..conf import conf
from ..log import AccessNews
from ..people import Speaker
from ..validity import Identity
from . import token
from .arrivals import Arrivals
from .asking import Asking
from .endings import Endings
from .token import Credential

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..sweep import Recent

# After so many returns by a token Django itself is asked again: a host's way of signing in may
# have rules that tell nobody.
RETURNS = 8
# A change that no process can have heard of.
_NEVER = 2**63

_HEARTBEAT = encode(Heartbeat())


class Door:
    """Lets in by a connect token at once, without it by a question to the database."""

    def __init__(self, runtime: Runtime, recent: Recent) -> None:
        self._runtime = runtime
        self._endings = Endings(recent.horizon, recent.changes)
        self._asking = Asking(runtime)
        self._arrivals = Arrivals(runtime)

    # By a token

    def admit(self, shown: str | None, credential: Credential) -> Identity | None:
        """Whom a connect token speaks for, beside the credential that it was made for.

        None if it is not good, and then the credential has to be asked about. It waits for
        nothing, so no change of access can come between it and `Hub.identify`.
        """
        sweep = self._runtime.sweep
        if not shown or sweep is None or not sweep.fresh:
            return None
        known = token.read(shown, credential, epoch=self._runtime.epoch, now=time.time())
        if known is None or known.returns >= RETURNS or self._endings.ended(known):
            return None
        speaker = known.speaker
        if speaker.is_guest and not conf.open:
            return None
        # Until the database has been asked, another token ends when this one would have.
        again = Credential(credential.shown, known.returns + 1, known.issued)
        return Identity(speaker, known.mark, None, again)

    def arrived(self, connection: Connection) -> None:
        """It was opened by a token, and speaks for somebody now."""
        self._arrivals.add(connection)

    def make_token(self, speaker: Speaker, credential: Credential) -> str | None:
        """One for whoever brings this credential again; None while the process starts."""
        sweep = self._runtime.sweep
        if sweep is None:
            return None
        now, epoch = time.time(), self._runtime.epoch
        return token.make(speaker, credential, epoch=epoch, mark=sweep.base, now=now)

    def token_for(self, connection: Connection) -> str | None:
        """A new one for this connection; None where the client takes none."""
        if connection.credential is None:
            return None
        return self.make_token(connection.speaker, connection.credential)

    def heartbeat(self, connection: Connection) -> bytes:
        """A heartbeat, with a new token for those who take one."""
        made = self.token_for(connection)
        return _HEARTBEAT if made is None else encode(Heartbeat(connect=made))

    # By a question

    async def by_token(self, digest: str) -> Identity | None:
        """Whom a bearer token speaks for."""
        return await self._asking.ask(validity.identify_tokens, digest)

    async def by_guest(self, public_id: str) -> Identity | None:
        """The guest whose token has been found to be signed here."""
        return await self._asking.ask(validity.identify_guests, public_id)

    async def by_visitor(self, name: str) -> Identity | None:
        """The visitor whom a token names that was signed here."""
        return await self._asking.ask(validity.identify_visitors, name)

    async def by(self, find: Callable[[Any], Any], key: Any) -> Identity | None:
        """Whom `find(key)` finds, in a thread: a user of the host, a `Speaker` or None."""
        return await self._asking.ask(validity.identify_each, (find, key))

    # What happens

    def heard(self, change: AccessNews) -> None:
        """A change of access, once for each."""
        self._endings.heard(change)

    def forget(self) -> None:
        """The history is another one: until `begin_anew` no token is good."""
        self._endings = Endings(_NEVER, [])

    def begin_anew(self, last_change: int) -> None:
        """Everything after this change will be heard."""
        self._endings = Endings(last_change, [])


def page_token(speaker: Speaker, session_key: str | None) -> str | None:
    """For the first connection of a page, whose request had this session.

    In any thread. None where the process has no sockets, or the session has not been kept yet.
    """
    if not session_key:
        return None
    for runtime in list(publish.runtimes):
        if runtime.door is not None:
            return runtime.door.make_token(speaker, Credential.of_session(session_key))
    return None
