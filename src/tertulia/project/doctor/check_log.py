"""The log of each room: no gap, and counters that agree with what is there."""

from __future__ import annotations

import time
from typing import Any

from tertulia.project.environment import Environment

from .check_database import answers
from .report import Report

ROOMS = 100  # in one question
SECONDS = 10.0
SHOWN = 5
_MEND = "keep a copy of the database, restore the last backup, and report what happened"


def log(env: Environment, report: Report) -> None:
    """As many rooms as can be looked at in `SECONDS`, the newest first."""
    if not answers() or not _there():
        return
    from tertulia.chat.models import Room

    deadline = time.monotonic() + SECONDS
    wrong: list[str] = []
    ids = list(Room.objects.order_by("-pk").values_list("pk", flat=True))
    seen = 0
    for first in range(0, len(ids), ROOMS):
        if time.monotonic() > deadline:
            break
        some = ids[first : first + ROOMS]
        wrong += _wrong(some)
        seen += len(some)
    for text in wrong[:SHOWN]:
        report.fault(text, _MEND)
    if len(wrong) > SHOWN:
        report.fault(f"{len(wrong) - SHOWN} more rooms are like that", _MEND)
    if seen < len(ids):
        report.warn(
            f"only {seen} of {len(ids)} rooms could be looked at in {SECONDS:.0f} s",
            "run doctor at a quieter time",
        )
    if not wrong:
        report.ok(f"the logs of {seen} rooms have no gap")


def _there() -> bool:
    from django.db import connection

    return "tertulia_chat_event" in connection.introspection.table_names()


def _wrong(room_ids: list[int]) -> list[str]:
    """What is wrong with these rooms. One state of the database: the server may be writing."""
    from django.db.models import Count, Max

    from tertulia.chat.models import Event, Message, Room
    from tertulia.chat.read import snapshot

    with snapshot():
        rooms = Room.objects.filter(pk__in=room_ids).values_list("pk", "head", "messages")
        events = _by_room(
            Event.objects.filter(room__in=room_ids)
            .order_by()
            .values_list("room")
            .annotate(Count("seq"), Max("seq"))
        )
        messages = _by_room(
            Message.objects.filter(room__in=room_ids)
            .order_by()
            .values_list("room")
            .annotate(Count("number"), Max("number"))
        )
        found = list(rooms)
    wrong = []
    for pk, head, count in found:
        if events.get(pk, (0, 0)) != (head, head):
            many, last = events.get(pk, (0, 0))
            wrong.append(
                f"the log of room {pk} has {many} events up to {last}, and its head is {head}"
            )
        if messages.get(pk, (0, 0)) != (count, count):
            many, last = messages.get(pk, (0, 0))
            wrong.append(f"room {pk} has {many} messages up to number {last}, and counts {count}")
    return wrong


def _by_room(rows: Any) -> dict[int, tuple[int, int]]:
    return {room: (count, greatest) for room, count, greatest in rows}
