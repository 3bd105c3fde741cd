"""What a connection costs: to open, to keep, and to bring back."""

from __future__ import annotations

import time
from collections import defaultdict
from functools import partial

from .contenders.base import Contender
from .load import load
from .stage import TROUBLE, Row, Stage, Subject, median, with_ratios
from .usage import cpu_seconds

# Connections that are there before memory is looked at: what a server has once is not counted.
BASE = 1_000
# Messages that everybody has missed who comes back.
MISSED = 5
# One of a kind: to open ten thousand connections takes from a second to a minute.
IDLE = ("limit", "tertulia", "uvicorn", "tutorial-pubsub", "node-ws")
STORM = ("tertulia", "uvicorn", "tutorial-pubsub", "node-ws")


def opening(stage: Stage) -> list[Row]:
    """CPU to open a connection, up to the server's first word (our `welcome`) or the upgrade.

    Connections are opened 64 at a time by people of their own, with Origin and bearer token
    where the server asks for them; nobody subscribes. CPU of the server while they are opened,
    divided by their number. They are closed before the next server's turn.
    """
    measure, count = "opening", stage.plan.opening
    rounds: dict[str, list[Row]] = defaultdict(list)

    def act(subject: Subject) -> Row:
        running = subject.running
        with load(
            stage.work, running, f"{subject.key}-more", most=count, steps=running.writer_steps
        ) as generator:
            before = cpu_seconds(running.pids)
            answer = generator.open(count)
            cpu = (cpu_seconds(running.pids) - before) / count * 1e6
        # What it does for those who leave is not part of the next opening.
        time.sleep(0.5)
        return {"cpu": cpu, **{name: answer[name] for name in ("p50", "p99", "seconds")}}

    with stage.running(measure, stage.contenders, count, opened=0) as subjects:
        for _ in range(min(stage.plan.rounds, 3)):
            for row in with_ratios(stage.in_turn(measure, subjects, act), "cpu"):
                rounds[row["key"]].append(row)
    return [
        {
            "key": key,
            **{name: median(taken, name) for name in ("cpu", "ratio", "p50", "p99")},
            "rounds": taken,
        }
        for key, taken in rounds.items()
    ]


def memory(stage: Stage) -> list[Row]:
    """Memory of an idle, signed-in, subscribed connection.

    The proportional set size (PSS) of the server's processes with 1,000 connections in one room,
    and again with more; the difference by the number of connections that were added. What the
    kernel keeps for a socket is in no process, and not counted.
    """
    rows = []
    for contender in stage.contenders:
        most = min(stage.plan.memory, contender.most)
        if most <= BASE:
            continue
        with stage.running("memory", [contender], most, opened=BASE) as subjects:
            rows += stage.in_turn("memory", subjects, partial(_memory, most=most))
    return rows


def _memory(subject: Subject, most: int) -> Row:
    before = subject.memory()
    subject.load.open(most)
    subject.load.ask("wait 2000")
    after = subject.memory()
    return {"kib": (after - before) / (most - BASE), "base": before, "connections": most}


def idle(stage: Stage) -> list[Row]:
    """CPU of connections that do nothing, in per cent of a core.

    All are signed in and subscribed, in one room, and answer pings; nobody says anything. The time
    is at least one period of the server's heartbeat (ours: 25 s).
    """
    count, seconds = stage.plan.idle, stage.plan.idle_seconds
    with stage.running("idle", stage.those(IDLE), count) as subjects:
        stage.say(f"idle: {seconds} s with {count:,} connections each")
        # What follows an opening, such as telling who is here, has ended then.
        time.sleep(5)
        before = {one.key: cpu_seconds(one.running.pids) for one in subjects}
        time.sleep(seconds)
        after = {one.key: cpu_seconds(one.running.pids) for one in subjects}
        open_ = {one.key: one.load.ask("wait 1")["open"] for one in subjects}
    return [
        {
            "key": key,
            "percent": (after[key] - before[key]) / seconds * 100,
            "connections": count,
            "left": open_[key],
        }
        for key in before
    ]


def storm(stage: Stage) -> list[Row]:
    """Everybody comes back at once to a server that was killed.

    The server is killed by SIGKILL with all its connections, and started again. When it answers,
    all clients connect in the same moment, sign in and resume: `after` is five messages before
    the head of the room, which they then get. Servers that keep nothing are only connected to
    again. Who is refused or cut meanwhile comes once more, a second later. Seconds until all are
    through, and CPU of the server a connection meanwhile.
    """
    rows = []
    for contender in stage.those(STORM):
        with stage.running("storm", [contender], stage.plan.storm) as subjects:
            try:
                rows += [_storm(stage, contender, subject) for subject in subjects]
            except TROUBLE as trouble:
                stage.give_up(contender.key, "storm", trouble)
    return rows


def _storm(stage: Stage, contender: Contender, subject: Subject) -> Row:
    running, count = subject.running, stage.plan.storm
    if running.kill is None:
        raise ValueError("it cannot be killed and started again")
    subject.load.send(count=4 * MISSED, ms=0, window=1, senders=4 * MISSED)
    again = running.kill()
    subject.load.ask("wait 1000")
    steps = running.resume(MISSED) if running.resume else None
    pids = again()
    stage.say(f"storm: {count:,} come back to {contender.key}")
    with load(stage.work, running, f"{contender.key}-back", most=count, steps=steps) as generator:
        before = cpu_seconds(pids)
        answer = generator.open(count, at_once=count, patient=True)
        cpu = cpu_seconds(pids) - before
    return {
        "key": contender.key,
        "connections": count,
        "seconds": answer["seconds"],
        "p50": answer["p50"],
        "again": answer["again"],
        "cpu": cpu / count * 1e6,
        "resumed": running.resume is not None,
    }
