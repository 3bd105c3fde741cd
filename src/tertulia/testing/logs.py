"""One room's final log, indexed for the checker."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the final log. `key` only for message.created, `member` only for member.*."""

    seq: int
    kind: str
    actor: str
    key: str | None = None
    member: str | None = None


@dataclass
class Log:
    """One room's final log, in the order in which the database numbers it.

    Built once, then only read: what is asked of it is found by index, whatever its length.
    """

    room: str
    entries: list[Entry]
    private: bool = False
    by_seq: dict[int, Entry] = field(init=False, repr=False)
    # For each person the seqs of his moves, ascending, and whether each brought him in.
    _moves: dict[str, list[tuple[int, bool]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.by_seq = {entry.seq: entry for entry in self.entries}
        self._moves = {}
        for entry in self.entries:
            if entry.member is not None and entry.kind in ("member.joined", "member.left"):
                inside = entry.kind == "member.joined"
                self._moves.setdefault(entry.member, []).append((entry.seq, inside))

    @property
    def head(self) -> int:
        """The highest seq; 0 for a log without events."""
        return max(self.by_seq, default=0)

    def keyed(self) -> Iterator[Entry]:
        """The messages."""
        return (entry for entry in self.entries if entry.key is not None)

    def admitted(self, person: str, seq: int) -> bool:
        """Is the person in the room when `seq` is delivered? His removal itself he may see."""
        if not self.private:
            return True
        moves = self._moves.get(person, [])
        at = bisect_right(moves, (seq, True)) - 1
        if at < 0:
            return False
        moved, inside = moves[at]
        return inside or moved == seq
