"""What a room's file says, and when each of it happened.

A file begins with what the room is, a line each: `name`, `kind`, `topic`, `owner`, and by
wish `moderators`, `members`, `favourite: ana`. Conversations follow:

    ## -12 09:40              twelve days ago, by the clock of the library
    ## today 1:20             an hour and twenty minutes ago
    bruno: Good morning!      a message; lines that are indented by four belong to it
      + 👍 ana carmen         reactions to it
      ~ Good morning, all!    its author edits it to this
      x                       its author deletes it; `x carmen`: a moderator does
    ana ^2: And to you.       a reply to the message before the last one
    ... 25m                   a pause
    * oona joins              also `* ana adds oona`, `* ana archives`
    ---                       Ana has read to here

In what a visitor and the support desk say to each other he is called `visitor`, and there are:

    ana notes: He is right.   a note to colleagues
    * ana takes               also `* ana gives carmen`, `* ana snoozes 20` (hours from now),
                              `* ana resolves`, `* visitor rates 5 Thank you!`
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from .cast import BOT, CAST

# The library's clock. An hour amiss in summer does no harm, and no zone need be installed.
TOWN = timezone(timedelta(hours=1))
VISITOR = "visitor"
PEOPLE = {character.key for character in CAST} | {BOT, VISITOR}

_SCENE = re.compile(r"## (?:-(\d+)|today) (\d+):(\d\d)")
_MESSAGE = re.compile(r"(\w+)( notes)?(?: \^(\d+))?: (.*)")
_PAUSE = re.compile(r"\.\.\. (\d+)([mh])")
_STAGE = re.compile(r"\* (\w+) (joins|adds|archives|takes|gives|snoozes|resolves|rates)(?: (.+))?")
_AFTER = re.compile(r"  ([+~x])(?: (.+))?")


class ScriptError(Exception):
    """A line that cannot be read; the text names the room and the line."""


@dataclass
class Line:
    """A message to be: who says what, and to which line it replies. `seq` comes on stage."""

    who: str
    text: str
    reply_to: Line | None = None
    seq: int | None = None


@dataclass
class Act:
    """Something that somebody does at a time.

    `kind`: `say`, `note`, `react`, `edit`, `delete`, what stands behind a star, or `read`: all
    that was said until now has been read. `word` is the emoji, the new text or the person.
    """

    at: datetime
    kind: str
    who: str
    line: Line | None = None
    word: str = ""


@dataclass
class RoomScript:
    """A room, and all that happens in it, in the order of the file."""

    file: str
    head: dict[str, str] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)

    def people(self, title: str) -> list[str]:
        """Those whom a line of the head names."""
        return self.head.get(title, "").split()


class Reader:
    """Reads one file. `days`: what is older is left out; `chance` gives the pace of talk."""

    def __init__(self, file: str, now: datetime, days: int, chance: random.Random) -> None:
        self.room = RoomScript(file)
        self.now = now.astimezone(TOWN)
        self.days = days
        self.chance = chance
        self.clock = self.now
        self.lines: list[Line] = []
        self.in_head = True
        self.left_out = False

    def read(self, text: str) -> RoomScript:
        """The room of this text. Raises ScriptError."""
        blank = 0
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                blank += 1
                continue
            if line.startswith("    ") and self.lines:
                self.lines[-1].text += "\n" * (blank + 1) + line[4:]
            elif not self._take(line):
                raise ScriptError(f"{self.room.file}, line {number}: {line}")
            blank = 0
        self.room.acts.sort(key=lambda act: act.at)
        return self.room

    def _take(self, line: str) -> bool:
        if line == "---":
            self._act("read", "")
            return True
        readers = {
            _SCENE: self._scene,
            _PAUSE: self._pause,
            _STAGE: self._stage,
            _AFTER: self._after,
            _MESSAGE: self._message,
        }
        for pattern, take in readers.items():
            found = pattern.fullmatch(line)
            if found:
                return take(found)
        return False

    def _scene(self, found: re.Match[str]) -> bool:
        days, hours, minutes = int(found[1] or 0), int(found[2]), int(found[3])
        self.in_head, self.left_out, self.lines = False, days > self.days, []
        if found[1]:
            day = self.now - timedelta(days=days)
            if day.weekday() == 6 and days > 1:  # the library is closed on Sundays
                day -= timedelta(days=1)
            begin = day.replace(hour=hours, minute=minutes, second=0, microsecond=0)
            # On a day that has two days' talk, one comes after the other.
            before = self.room.acts[-1].at if self.room.acts else begin
            self.clock = before + timedelta(hours=1) if before > begin else begin
        else:
            self.clock = self.now - timedelta(hours=hours, minutes=minutes)
        return True

    def _pause(self, found: re.Match[str]) -> bool:
        self.clock += timedelta(minutes=int(found[1]) * (60 if found[2] == "h" else 1))
        return True

    def _stage(self, found: re.Match[str]) -> bool:
        self._tick(5, 20)
        self._act(found[2], found[1], word=found[3] or "")
        return found[1] in PEOPLE

    def _message(self, found: re.Match[str]) -> bool:
        who, note, back, text = found.groups()
        if self.in_head:
            self.room.head[who] = text
            return True
        if who not in PEOPLE or (back and int(back) > len(self.lines)):
            return False
        line = Line(who, text, self.lines[-int(back)] if back else None)
        # Whoever goes on is quick; an answer has to be thought of. Nobody types in no time.
        again = bool(self.lines) and self.lines[-1].who == who
        self._tick(*((6, 20) if again else (15, 75)))
        self.clock += timedelta(seconds=min(len(text) / 8, 40))
        self.lines.append(line)
        self._act("note" if note else "say", who, line)
        return True

    def _after(self, found: re.Match[str]) -> bool:
        if not self.lines:
            return False
        kind, rest, line = found[1], found[2] or "", self.lines[-1]
        at = self.clock
        if kind == "+":
            emoji, *people = rest.split()
            for who in people:
                at += timedelta(seconds=self.chance.randint(3, 14))
                self._act("react", who, line, emoji, at)
            return bool(people) and set(people) <= PEOPLE
        at += timedelta(seconds=self.chance.randint(8, 15))
        if kind == "~":
            self._act("edit", line.who, line, rest, at)
        else:
            self._act("delete", rest or line.who, line, at=at)
        return True

    def _tick(self, least: int, most: int) -> None:
        self.clock += timedelta(seconds=self.chance.randint(least, most))

    def _act(
        self,
        kind: str,
        who: str,
        line: Line | None = None,
        word: str = "",
        at: datetime | None = None,
    ) -> None:
        # Who is in the room does not depend on how much of its past is shown.
        if line is None or not self.left_out:
            # Nothing happens later than now, however late in the day the talk was written for.
            self.room.acts.append(Act(min(at or self.clock, self.now), kind, who, line, word))
