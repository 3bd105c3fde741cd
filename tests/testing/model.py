"""What a room is, in the fewest words: the log that the server has to keep, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field


class No(Exception):
    """The command is refused, with this code."""


@dataclass
class Said:
    """A message as it stands. `since` is the event that gave it its text, `mine` maps (who, emoji)
    to whether it stands and the event that made it so."""

    author: int
    text: str
    since: int
    version: int
    deleted: bool = False
    mine: dict[tuple[int, str], tuple[bool, int]] = field(default_factory=dict)


class Model:
    """A private room that person 0 owns. Every method answers with the seq of an event, of the one
    that made it so where nothing changes."""

    def __init__(self, people: int) -> None:
        self.head = people
        # Who is in, and the event that made it so.
        self.inside = {who: (True, who + 1) for who in range(people)}
        # Those who went by themselves.
        self.left: set[int] = set()
        self.messages: dict[int, Said] = {}
        self.keys: dict[tuple[int, str], int] = {}

    def event(self) -> int:
        self.head += 1
        return self.head

    def admit(self, who: int) -> None:
        if not self.inside[who][0]:
            raise No("not_found")

    def send(self, who: int, key: str, text: str) -> int:
        if (who, key) not in self.keys:
            self.admit(who)
            seq = self.keys[who, key] = self.event()
            self.messages[seq] = Said(who, text, seq, seq)
        return self.keys[who, key]

    def edit(self, who: int, seq: int, text: str) -> int:
        self.admit(who)
        said = self.messages[seq]
        if said.author != who:
            raise No("forbidden")
        if said.deleted:
            raise No("conflict")
        if said.text != text:
            said.text, said.since = text, self.event()
            said.version = said.since
        return said.since

    def delete(self, who: int, seq: int) -> int:
        self.admit(who)
        said = self.messages[seq]
        if who not in (said.author, 0):
            raise No("forbidden")
        if not said.deleted:
            said.deleted, said.text, said.since = True, "", self.event()
            said.version = said.since
        return said.since

    def react(self, who: int, seq: int, emoji: str, add: bool) -> int:
        self.admit(who)
        said = self.messages[seq]
        if said.deleted:
            raise No("conflict")
        if (who, emoji) not in said.mine and not add:
            raise No("conflict")
        if said.mine.get((who, emoji), (False, 0))[0] != add:
            said.version = self.event()
            said.mine[who, emoji] = (add, said.version)
        return said.mine[who, emoji][1]

    def move(self, who: int, into: bool) -> int:
        """Somebody is added or removed by the owner."""
        if self.inside[who][0] != into:
            self.inside[who] = (into, self.event())
            self.left.discard(who)
        return self.inside[who][1]

    def leave(self, who: int) -> int:
        """Who was removed is told nothing of the room; who left himself may ask again."""
        if who not in self.left:
            self.admit(who)
        seq = self.move(who, False)
        self.left.add(who)
        return seq

    def shown(self) -> dict[int, tuple[str, bool, int, frozenset[tuple[int, str]]]]:
        """By seq: text, whether it is deleted, version, and who reacted with what."""
        return {
            seq: (x.text, x.deleted, x.version, frozenset(k for k, (on, _) in x.mine.items() if on))
            for seq, x in self.messages.items()
        }
