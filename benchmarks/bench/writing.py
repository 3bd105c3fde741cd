"""How many messages are kept a second, and what one who never reads does to the others."""

from __future__ import annotations

import socket
import struct
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

from .contenders.limit import CONTENDERS as LIMITS
from .load import Answer
from .stage import Row, Stage, Subject, median

WRITE_MS = 2_000
# A room with one who never reads: its messages are long, to fill what buffers there are soon.
ROOM, LONG, WINDOW = 100, 6_000, 16
SOON, COUNT = 300, 2_000
# One of a kind: each takes half a minute.
MUTE = (
    *("tertulia", "uvicorn", "daphne", "uwebsockets", "nchan", "node-ws", "node-socketio"),
    *("tutorial-memory", "tutorial-daphne"),
)
# Ours closes the socket of him who does not answer its close after 10 s.
CUT_SECONDS = 14.0


def durable(stage: Stage) -> list[Row]:
    """Messages a second that are answered, and so are kept, from 1, 64 and 1,000 writers.

    Each writer is a connection and a person of its own, and a member of the one room into which
    all write. It sends, waits for the reply, and sends again; in a second measurement with 64
    each has 16 messages under way, so that what waits does not wait for the writers. Nobody
    listens. A reply means that
    the message outlives the process and a loss of power: SQLite with synchronous=FULL,
    PostgreSQL with its own defaults. Messages have 200 bytes of text. CPU is that of all
    processes of the server, PostgreSQL's too, by message.
    """
    measure = "durable"
    rounds: dict[tuple[str, int, int], list[Row]] = defaultdict(list)
    most = max(writers for writers, _ in stage.plan.writers)
    with stage.running(measure, stage.contenders, most, writers=True) as subjects:
        for number in range(min(stage.plan.rounds, 3)):
            for writers, window in stage.plan.writers:
                stage.say(f"{measure}: round {number + 1}, {writers:,} writers, {window} under way")
                write = partial(_write, writers=writers, window=window)
                for row in stage.in_turn(measure, subjects, write):
                    rounds[row["key"], writers, window].append(row)
    names = ("messages", "p50", "p99", "cpu")
    return [
        {
            "key": key,
            "writers": writers,
            "window": window,
            **{name: median(taken, name) for name in names},
            "rounds": taken,
        }
        for (key, writers, window), taken in rounds.items()
    ]


def _write(subject: Subject, writers: int, window: int) -> Row:
    answer, cpu = subject.spent(lambda: subject.load.ask(f"write {WRITE_MS} {writers} {window}"))
    if not answer["replies"] or answer["unanswered"]:
        raise ValueError(f"{answer['unanswered']} were not answered; {subject.load.said()}")
    return {
        "messages": answer["replies"] / answer["seconds"],
        "cpu": cpu / answer["replies"] * 1e6,
        **{name: answer[name] for name in ("p50", "p99", "replies", "own_cpu")},
    }


def mute(stage: Stage) -> list[Row]:
    """A room of 100 in which one member never reads again, and the others go on.

    300 messages of 6,000 letters with all reading, then 2,000 with one who does not, 16 under
    way at a time. The 99th percentile of the others' latency before and after, what memory of
    the server grew by (its processes', not the kernel's), and whether it closed the socket of
    the one within 14 s of the last message. The limit is not asked: its frames do not grow with
    the message.
    """
    rows = []
    for contender in stage.those(MUTE):
        if contender in LIMITS:
            continue
        with stage.running("mute", [contender], ROOM) as subjects:
            rows += stage.in_turn("mute", subjects, _mute)
    return rows


def _mute(subject: Subject) -> Row:
    subject.load.ask(f"pad {LONG}")

    def send(count: int) -> Answer:
        senders = ROOM - 1
        answer = subject.load.send(count=count, ms=15_000, window=WINDOW, senders=senders)
        if not answer["delivered"]:
            raise ValueError(f"nothing was delivered; {subject.load.said()}")
        return answer

    before, memory = send(SOON), subject.memory()
    muted = subject.load.ask("mute")
    after = send(COUNT)
    grown = subject.memory() - memory
    return {
        "before": before["p99"],
        "after": after["p99"],
        "lost": after["lost"] / (after["sent"] * after["listeners"]),
        "grown": grown,
        "sent": after["sent"] * after["bytes"],
        "cut": _is_cut(muted["address"], muted["port"]),
    }


def _is_cut(address: str, port: int) -> bool:
    """Whether the server has let go of its end of this connection, soon enough."""
    until = time.monotonic() + CUT_SECONDS
    while _held(address, port):
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def _held(address: str, port: int) -> bool:
    # As proc(5) has it: the far end as the server's socket sees it, and 0 for the inode of a
    # socket that no process has any more.
    (number,) = struct.unpack("=I", socket.inet_aton(address))
    far = f"{number:08X}:{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2] == far and fields[3] == "01" and fields[9] != "0":
            return True
    return False
