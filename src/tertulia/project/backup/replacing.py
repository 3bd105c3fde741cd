"""What a restore replaces: counted, and asked about where somebody sits at a terminal."""

from __future__ import annotations

import sys
from typing import Any

from tertulia.project.environment import SettingsError

from .progress import many, startup_errors

# Accounts, and who is in the chat without one; where either is, or a room, the site is in use.
_ACCOUNTS, _WITHOUT = "auth_user", "tertulia_chat_participant"
_ROOMS, _MESSAGES = "tertulia_chat_room", "tertulia_chat_message"
# Tables, and which of their rows are counted.
_COUNTED = {_ACCOUNTS: "", _WITHOUT: "WHERE user_id IS NULL", _ROOMS: "", _MESSAGES: ""}
_YES = (b"y", b"yes")


def contents(target: Any) -> str | None:
    """What people have in the database in use, in words; None where nobody uses it."""
    from django.db import Error

    unreadable: tuple[type[Exception], ...] = (Error, *startup_errors())
    try:
        found = target.counts(_COUNTED)
    except unreadable as error:
        # A database that is damaged is what backups are for.
        reason = " ".join(str(error).split())
        return f"people, rooms and messages that cannot be counted ({reason})"
    people, rooms = found[_ACCOUNTS] + found[_WITHOUT], found[_ROOMS]
    if not people and not rooms:
        return None
    who = many(people, "person", "people")
    return f"{who}, {many(rooms, 'room')} and {many(found[_MESSAGES], 'message')}"


def ask(target: Any, made: str) -> None:
    """Have somebody at a terminal agree. Raises SettingsError for any answer but yes."""
    if not _at_terminal():
        return
    there = contents(target)
    if there is None:
        return
    question = f"This replaces {there} with what was saved on {made}. Replace them? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    # As bytes: what is typed need not be text.
    answer = sys.stdin.buffer.readline()
    if not answer.endswith(b"\n"):
        print(file=sys.stderr)
    if answer.strip().lower() not in _YES:
        raise SettingsError("not restored: nothing was changed")


def _at_terminal() -> bool:
    """Whether somebody sees a question, and can answer; either may be closed."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
