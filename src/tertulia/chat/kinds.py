"""What other apps say of rooms of a kind of their own, such as a support desk's conversations.

An app registers in its `ready()`. Rooms of other kinds ask nothing here but this: whether there are
rules. What is said of a room holds in the writing transaction and for readers alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from tertulia.protocol.events import Person

    from .log import AccessNews, LogTransaction
    from .news import Activity
    from .people import Speaker
    from .runtime import Runtime
    from .sql import RoomRow
    from .sql.pages import SeenRoom


class Standing(NamedTuple):
    """What somebody is in a room: his membership's role and end, and what the rules grant him."""

    room_id: int
    participant_id: int
    role: str | None
    left_seq: int | None
    granted: str | None


class Rules(Protocol):
    """What holds in rooms of one kind. All of it is called in reader threads or the writer."""

    # SQL: the role that the room `r` grants to the participant `%s`, who need not be a member.
    granted_sql: str

    def standings(self, connection: Any, pairs: list[tuple[int, int]]) -> list[Standing]:
        """Of these (room, participant), in one statement."""
        ...

    def readers(self, room_id: int) -> set[str]:
        """Public ids of those who may read it without being members."""
        ...

    def named(self, slug_fold: str | None, people: list[int]) -> Any:
        """A query for those of these participants, by primary key, who can be mentioned in the room
        at this address without being members."""
        ...

    def keeps_people(self, room_id: int) -> bool:
        """Whether nobody joins it, leaves it or is put into it by an ordinary command."""
        ...

    def check_send(
        self, log: LogTransaction, room: RoomRow, speaker: Speaker, seen: int | None
    ) -> None:
        """Before a message is appended; raises `ProtocolError`."""
        ...

    def sent(self, log: LogTransaction, room: RoomRow, speaker: Speaker, seq: int) -> None:
        """A message of this seq has been appended, and is written with the transaction."""
        ...

    def written(self, log: LogTransaction, room: RoomRow, seq: int, text: str | None) -> None:
        """The message of this seq says this now, as it was sent or edited; None: it is gone."""
        ...

    def marked(self, room_id: int, seq: int) -> bool | None:
        """Somebody without a membership has read up to there: whether that is news.
        None where such people mark nothing."""
        ...

    def reader(self, room_id: int) -> Person:
        """As whom the others in the room see somebody who has read without being a member."""
        ...

    def told(self, room: SeenRoom, speaker: Speaker) -> dict[str, Any]:
        """What a subscription begins with besides, and in the place of what is said elsewhere."""
        ...

    def unseen(self, room: SeenRoom) -> bool:
        """Whether the others are not told that he is here."""
        ...


class Bearer(Protocol):
    """Signed tokens of people of a kind of their own, who have no account."""

    # What such people may ask for; anything else is `forbidden`.
    commands: frozenset[type]

    def named_in(self, token: str) -> str | None:
        """Whom a token of this kind names, in a way of its own and without the database; None: it
        is another."""
        ...

    def speaking(self, names: list[str]) -> dict[str, str]:
        """By what `named_in` gave: the public ids of those who may speak by that now."""
        ...

    def renewed(self, token: str) -> str | None:
        """The same, good for as long as a new one; None where that is not for us to give."""
        ...


class LivePart(Protocol):
    """An app's part of a process's live side. Called in the event loop."""

    def grown(self, item: Activity) -> None:
        """A watched room has grown, by whomever."""
        ...

    def heard(self, change: AccessNews) -> None:
        """A change of access, once for each."""
        ...

    def tick(self) -> None:
        """About once a second."""
        ...

    def forget(self) -> None:
        """The history is another one."""
        ...


_rules: dict[str, Rules] = {}
_granted = ""
# Of visitors, by the kind of their participants; and what makes the live parts of a process.
bearers: dict[str, Bearer] = {}
parts: list[Callable[[Runtime], LivePart]] = []


def register(kind: str, rules: Rules) -> None:
    """These rules hold in all rooms of this kind."""
    global _granted
    _rules[kind] = rules
    cases = " ".join(f"WHEN '{kind}' THEN ({each.granted_sql})" for kind, each in _rules.items())
    _granted = f"CASE r.kind {cases} END"


def rules_of(kind: str) -> Rules | None:
    """What holds in rooms of a kind besides what holds in all."""
    return _rules.get(kind)


def granted_sql() -> str:
    """SQL: the role granted to the participant `%s` by the room `r`; empty where nothing is."""
    return _granted


def standings(connection: Any, pairs: Iterable[tuple[int, int]]) -> list[Standing]:
    """Of rooms that may have rules: one statement for each kind that has."""
    wanted = list(pairs)
    found = [one for rules in _rules.values() for one in rules.standings(connection, wanted)]
    return found if wanted else []


def with_named(present: Any, slug_fold: str | None, people: list[int]) -> Any:
    """A query for primary keys of members, and with it for those whom rules name besides."""
    if not _rules:
        return present
    return present.union(*(rules.named(slug_fold, people) for rules in _rules.values()))
