"""The site that is read: its rooms, people and logs, the same rows for every database.

Everything follows from the sizes and a fixed seed. What a page shows is as large in a small town
as in a large one; only what piles up differs, so that the ratio of two towns speaks of that alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from .words import PHRASES

NOW = datetime.now(UTC).replace(microsecond=0)
# From one change of access to the next.
PACE = timedelta(seconds=4)
YEARS = timedelta(days=3 * 365)
# The person whose pages are read, and the room where a fifth of everything is said.
ME = 1
PLAZA = 1
EMOJI = ("👍", "🎉", "❤️", "👀", "🚀")
# The share of the messages of the largest room, in percent.
PLAZA_SHARE = 20
# Every so many messages: an edit, a deletion, reactions, an answer, a mention.
EDITS, DELETIONS, REACTIONS, REPLIES, MENTIONS = 31, 97, 11, 7, 23
# How many of the newest messages of a room the person has not read, at most, where he has any;
# and how many of those name him, in the plaza and elsewhere. They do not grow with the town.
BEHIND, NAMED_IN_PLAZA, NAMED = 400, 20, 2


_PILES = ("sessions", "changes")


@dataclass(frozen=True)
class Sizes:
    """How large the site is."""

    messages: int
    rooms: int = 10_000
    people: int = 20_000
    mine: int = 500
    """The rooms of the person whose pages are read."""
    members: int = 10_000
    """The members of the largest room."""
    sessions: int = 100_000
    changes: int = 20_000
    """Access changes that are kept; none is old enough to be forgotten."""

    asked: int = 500
    """Sessions that are asked about at once."""
    batch: int = 200
    """Messages that are written at once, each to another room."""

    def part(self, fraction: int) -> Sizes:
        """The same site, when a `fraction` of all that piles up had happened."""
        grown = {name: getattr(self, name) // fraction for name in ("messages", *_PILES)}
        return replace(self, **grown)


@dataclass(frozen=True)
class Place:
    """A room before anything was said in it."""

    id: int
    kind: str
    messages: int
    members: list[int]
    mine: bool
    behind: bool
    """Whether the person has messages there that he has not read."""


@dataclass
class Told:
    """What one room's log came to."""

    head: int = 0
    messages: int = 0
    read_seq: int = 0
    read_number: int = 0


def slug(room: int) -> str:
    """Of a room by its id."""
    return f"room-{room}"


def public_id(person: int) -> str:
    """Of a person by his id."""
    return f"{person:032x}"


def name(person: int) -> str:
    """A name of two or three words; a few people share each first name."""
    first = PHRASES[person % 211].split()[0]
    return f"{first} {PHRASES[person % 199].split()[-1]} {person}".lower()


def places(sizes: Sizes) -> list[Place]:
    """The rooms: a plaza, and then by Zipf's law, from crowds to two who rarely talk."""
    chance = random.Random(7)  # noqa: S311
    weights = [1 / (rank + 10) for rank in range(2, sizes.rooms + 1)]
    plaza = sizes.messages * PLAZA_SHARE // 100
    rest = sizes.messages - plaza
    ends = [round(rest * part / sum(weights)) for part in accumulate(weights)]
    counts = [plaza, *(end - start for start, end in zip([0, *ends], ends, strict=False))]
    step = max(1, sizes.rooms // sizes.mine)
    found = []
    for room, messages in enumerate(counts, 1):
        mine = (room - 1) % step == 0 and (room - 1) // step < sizes.mine
        kind = ("public", "private", "public", "direct", "public")[room % 5]
        members = 2 if kind == "direct" else max(3, sizes.members // room)
        people = _some(chance, sizes.people, members, mine)
        behind = room == PLAZA or (mine and (room // step) % 2 == 0)
        found.append(
            Place(room, "public" if room == PLAZA else kind, messages, people, mine, behind)
        )
    return found


def _some(chance: random.Random, people: int, count: int, mine: bool) -> list[int]:
    others = chance.sample(range(ME + 1, people + 1), min(count, people - 1) - (1 if mine else 0))
    return [ME, *others] if mine else others


class Town:
    """Rows of the tables that grow, by room; `told` holds what each log came to."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.places = places(sizes)
        self.told: dict[int, Told] = {}
        self._message = 0
        self._names = [name(person) for person in range(sizes.people + 1)]
        moments = 4_000
        self._times = [
            (NOW - YEARS + YEARS * part / moments).strftime("%Y-%m-%d %H:%M:%S.000000")
            for part in range(moments)
        ]

    def log(self, place: Place, out: dict[str, list[Any]]) -> None:
        """Append to the lists `event`, `message`, `reaction` and `mention` what the room holds."""
        chance = random.Random(place.id)  # noqa: S311
        told = self.told[place.id] = Told()
        members = place.members
        moment = self._times[0]
        for person in members:
            told.head += 1
            told_role = '{"role": "member"}'
            out["event"].append(
                (place.id, told.head, "member.joined", person, person, told_role, moment)
            )
        told.read_seq, unread = told.head, place.messages
        if place.mine:
            unread = place.messages - min(BEHIND, place.messages) if place.behind else 0
        last = 0
        for number in range(1, place.messages + 1):
            moment = self._times[number * (len(self._times) - 1) // place.messages]
            seq = told.head + 1
            author = members[chance.randrange(len(members))]
            reply = last if number % REPLIES == 0 and last else None
            self._say(place, told, chance, number, author, reply, moment, out)
            last = seq
            if not place.behind or number <= unread:
                told.read_seq, told.read_number = told.head, number
        told.messages = place.messages

    def _say(
        self,
        place: Place,
        told: Told,
        chance: random.Random,
        number: int,
        author: int,
        reply: int | None,
        moment: str,
        out: dict[str, list[Any]],
    ) -> None:
        """A message, and what becomes of it; its rows are as they stand after that."""
        room, events = place.id, out["event"]
        told.head = seq = told.head + 1
        self._message += 1
        events.append((room, seq, "message.created", author, seq, None, moment))
        text = PHRASES[chance.randrange(len(PHRASES))]
        content, edited, deleted = seq, None, False
        if number % EDITS == 0:
            told.head += 1
            content, edited = told.head, moment
            events.append((room, told.head, "message.edited", author, seq, None, moment))
        if number % DELETIONS == 0:
            told.head += 1
            content, deleted, text = told.head, True, ""
            events.append((room, told.head, "message.deleted", author, seq, None, moment))
        version = content
        if number % REACTIONS == 0:
            version = self._react(place, told, chance, seq, moment, out)
        if not deleted:
            self._mention(place, seq, number, chance, out)
        out["message"].append(
            (
                *(self._message, room, seq, number, version, content, author),
                *(self._names[author], f"{chance.getrandbits(128):032x}", text),
                *(f"<p>{text}</p>" if text else "", 1, reply, moment, edited, deleted),
            )
        )

    def _react(
        self,
        place: Place,
        told: Told,
        chance: random.Random,
        seq: int,
        moment: str,
        out: dict[str, list[Any]],
    ) -> int:
        emoji = EMOJI[seq % len(EMOJI)]
        for count, person in enumerate(chance.sample(place.members, min(2, len(place.members))), 1):
            told.head += 1
            data = f'{{"emoji": "{emoji}", "count": {count}}}'
            out["event"].append((place.id, told.head, "reaction.added", person, seq, data, moment))
            out["reaction"].append((self._message, person, emoji, True, told.head))
        return told.head

    def _mention(
        self, place: Place, seq: int, number: int, chance: random.Random, out: dict[str, list[Any]]
    ) -> None:
        """Of the person behind who is named in the newest messages, and now and then of others."""
        left = place.messages - number
        named = NAMED_IN_PLAZA if place.id == PLAZA else NAMED
        if place.mine and place.behind and left < named:
            out["mention"].append((place.id, seq, ME, False))
        elif number % MENTIONS == 0:
            other = place.members[chance.randrange(len(place.members))]
            out["mention"].append((place.id, seq, other, other == ME or chance.random() < 0.9))

    # What does not grow with the logs

    def rooms(self) -> Iterator[tuple[Any, ...]]:
        """Rows of the rooms. Needs the logs to have been told."""
        for place in self.places:
            told = self.told[place.id]
            words = PHRASES[place.id % len(PHRASES)][:60]
            yield (
                *(place.id, slug(place.id), slug(place.id), place.kind),
                *("" if place.kind == "direct" else f"{words} {place.id}", words, False),
                *(told.head, told.messages, 0, 0, 0, self._times[0]),
            )

    def memberships(self) -> Iterator[tuple[Any, ...]]:
        """Rows of the members; some have left, everybody else but the person has read all."""
        for place in self.places:
            told = self.told[place.id]
            for joined, person in enumerate(place.members, 1):
                left = (
                    joined if person != ME and place.kind != "direct" and joined % 50 == 7 else None
                )
                read = (told.head, told.messages)
                if person == ME:
                    read = (told.read_seq, told.read_number)
                role = "owner" if joined == 1 else "member"
                yield (place.id, person, role, joined, joined, left, *read, False)

    def people(self) -> Iterator[tuple[Any, ...]]:
        """Rows of the participants, each with the account of the same id."""
        for person in range(1, self.sizes.people + 1):
            of_name = self._names[person]
            yield (person, public_id(person), person, "member", of_name, of_name, self._times[0])

    def accounts(self) -> Iterator[tuple[Any, ...]]:
        """Rows of the host's users; nobody can sign in by a password."""
        for person in range(1, self.sizes.people + 1):
            fields = ("!", False, f"person{person}", "", "", "", False, True, self._times[0])
            yield (person, *fields)

    def changes(self) -> Iterator[tuple[Any, ...]]:
        """Rows of the access changes, as many an hour in every town."""
        count = self.sizes.changes
        for number in range(count):
            at = (NOW - PACE * (count - number)).strftime("%Y-%m-%d %H:%M:%S")
            yield ("entered", number % self.sizes.people + 1, number % self.sizes.rooms + 1, at)

    def sessions(self) -> Iterator[tuple[Any, ...]]:
        """Rows of sessions that have a month left."""
        ends = (NOW + timedelta(days=30)).strftime("%Y-%m-%d %H:%M:%S")
        for number in range(self.sizes.sessions):
            yield (f"{number:032x}", "e30:1", ends)
