"""A backup restored under load, while servers run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..checker import Violation
from ..history import History, Line
from ..logs import Log
from ..server import Server
from ..storm import Storm
from .registry import fault
from .stage import Stage

# Seconds between the last that a client has of the old history and its load of the new one.
AFRESH = 5.0


class _Histories(History):
    """Notes with each line which epoch its client saw; iterating gives those of the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.storm: Storm | None = None
        self.epochs: list[str] = []

    def add(self, op: str, client: str, person: str, room: str, **fields: Any) -> None:
        epoch = self._seen_by(client)
        if epoch is not None and epoch not in self.epochs:
            self.epochs.append(epoch)
        super().add(op, client, person, room, epoch=epoch, **fields)

    def _seen_by(self, client: str) -> str | None:
        if self.storm is None:
            return None
        for actor in (*self.storm.writers, *self.storm.followers):
            if actor.name == client and actor.client is not None:
                return str(actor.client.welcome["epoch"])
        return None

    def of(self, epoch: str | None) -> Iterator[Line]:
        """The lines of one epoch, and those of none."""
        return (line for line in self.lines if line.get("epoch") in (epoch, None))

    def __iter__(self) -> Iterator[Line]:
        return self.of(self.epochs[-1] if self.epochs else None)


@fault("backup-restored", reach="every client loads afresh; 0 of what was saved lost", takes=240)
async def backup_restored(stage: Stage) -> None:
    """A backup is made under load, and restored under load while the servers run."""
    installation = stage.installation(servers=2)
    count = stage.choose(short=40, quick=150, full=1_000)
    for number in stage.trials(stage.choose(short=1, quick=3, full=20)):
        storm = Storm(installation, writers=3, pause=0.02)
        history = storm.history = _Histories()
        async with storm:
            history.storm = storm
            await _restored(stage, storm, history, stage.folder() / f"backup-{number}", count)
            stage.outcome.take(await storm.verdict())
            stage.answered(storm.acknowledged)


async def _restored(
    stage: Stage, storm: Storm, history: _Histories, file: Path, count: int
) -> None:
    here = storm.installation.here
    await storm.more(count)
    before = [line for line in history.lines if line["op"] == "ok"]
    await storm.away(lambda: _run(here, "backup", str(file)))
    await storm.more(count)
    await storm.away(lambda: _run(here, "restore", str(file), "--force"))
    await storm.more(count)
    await storm.quiet()
    stage.expect(len(history.epochs) == 2, "the restore gave the history another epoch, once")
    if len(history.epochs) == 2:
        log = (await storm.logs())[storm.room]
        stage.blame(_kept(before, log))
        stage.blame(_one_order(history.of(history.epochs[0])))
        _afresh(stage, storm, history)


def _run(server: Server, *arguments: str) -> None:
    done = server.cli(*arguments, seconds=240)
    assert done.returncode == 0, done.stderr


def _kept(answered: Iterable[Line], log: Log) -> Iterator[Violation]:
    """What was acknowledged before the backup began is in the log, where it was."""
    for line in answered:
        entry = log.by_seq.get(line["seq"])
        if entry is None or entry.key != line["key"]:
            yield Violation("I1", f"{line['seq']} was saved, and is not there after the restore")


def _one_order(lines: Iterable[Line]) -> Iterator[Violation]:
    """In the history that has ended, too, all saw one order: its log is there no more."""
    seen: dict[int, str | None] = {}
    last: dict[str, int] = {}
    for line in lines:
        if line["op"] == "load":
            last[line["client"]] = line["head"]
            pairs = [(seq, key) for seq, key, _ in line["messages"]]
        elif line["op"] == "recv":
            due = last.get(line["client"], 0) + 1
            if line["seq"] != due:
                yield Violation("I4", f"{line['client']} applied {line['seq']}, due was {due}")
            last[line["client"]] = line["seq"]
            pairs = [(line["seq"], line["key"])]
        elif line["op"] == "ok":
            pairs = [(line["seq"], line["key"])]
        else:
            continue
        for seq, key in pairs:
            if seen.setdefault(seq, key) != key:
                yield Violation("I3", f"{line['client']} saw another {seq} than somebody before")


def _afresh(stage: Stage, storm: Storm, history: _Histories) -> None:
    """The first that each follower has of the new history is all of it."""
    worst = 0.0
    for follower in storm.followers:
        lines = [line for line in history.lines if line["client"] == follower.name]
        lines = [line for line in lines if line["op"] in ("load", "resumed", "recv")]
        ended = [line for line in lines if line["epoch"] == history.epochs[0]]
        begun = [line for line in lines if line["epoch"] == history.epochs[1]]
        stage.expect(begun and begun[0]["op"] == "load", f"{follower.name} loaded afresh")
        if begun and ended:
            worst = max(worst, begun[0]["t"] - ended[-1]["t"])
    stage.figure("without the room", worst, "s", at_most=AFRESH)
