"""`python -m tertulia.testing prove`: the guarantee, checked at an installation from outside.

All it has are addresses and bearer tokens: it makes a private room, keeps writers and followers
going whose connections break by themselves, removes somebody, and in the end reads the room back
through the protocol and checks what everybody was told. What else breaks meanwhile (a process, a
database, Redis, a network) is up to whoever runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checker import DEADLINE, Entry, Log, Verdict
from .client import Client, Closed, Refused
from .load import Load
from .workload import BROKEN, RETRYABLE, Doors, messages_of

HELP = """Check the guarantee at an installation of yours while you break it. Exit status 0: nothing
was lost, doubled, out of order or leaked, and everybody converged in time; 1: something was, or
nothing was proved; 2: wrong use."""

# Of all that a follower is given, or a writer sends, how many go by until its connection breaks.
EVENTS_A_BREAK, SENDS_A_BREAK = 40, 10
# Seconds for which a client tries one thing: as long as any run.
PATIENCE = 24 * 3600.0


class Unusable(Exception):
    """What was given does not allow a proof; told in one line."""


@dataclass(frozen=True)
class Plan:
    """What to run. `rate`: messages a second, of all writers; `settle`: seconds that the last
    answers may take once writing has ended."""

    urls: tuple[str, ...]
    tokens: tuple[str, ...]
    seconds: float = 30.0
    writers: int = 4
    followers: int = 3
    rate: float = 20.0
    deadline: float = DEADLINE
    settle: float = 60.0
    history: Path | None = None


class Proof(Load):
    """The load, with the log read back through the protocol."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            Doors(*plan.urls),
            writers=plan.writers,
            followers=plan.followers,
            pause=plan.writers / plan.rate,
            deadline=plan.deadline,
            history=plan.history,
        )
        self.plan = plan
        self._entries: dict[int, Entry] = {}

    async def __aenter__(self) -> Proof:
        await super().__aenter__()
        for follower in self.followers:
            follower.patience, follower.fragile = PATIENCE, EVENTS_A_BREAK
        for writer in self.writers:
            writer.patience, writer.fragile = PATIENCE, SENDS_A_BREAK
        return self

    async def tokens(self, count: int) -> Sequence[str]:
        return self.plan.tokens[:count]

    async def made(self, owner: Client, members: list[str]) -> None:
        """The log's beginning: who is in the room."""
        if len({owner.id, *members}) <= len(members):
            raise Unusable("two of the tokens are the same person's: each needs one of his own")
        begun = await owner.cmd(
            "room.subscribe", room=self.room, after=0, epoch=owner.welcome["epoch"]
        )
        for event in begun["events"]:
            member = event.get("member") or {}
            self._enter(event["seq"], event["type"], event["actor"]["id"], member=member.get("id"))

    def moved(self, seq: int, owner: str, member: str) -> None:
        self._enter(seq, "member.left", owner, member=member)

    def _enter(self, seq: int, kind: str, actor: str, **fields: Any) -> None:
        self._entries[seq] = Entry(seq, kind, actor, **fields)

    async def logs(self) -> dict[str, Log]:
        """Messages by pages of history; what else somebody did in the room, as it was told."""
        address = self.doors.next()
        async with await Client.connect(address, token=self.owner_token) as reader:
            async for message in messages_of(reader, self.room):
                author = message["author"]["id"]
                self._enter(message["seq"], "message.created", author, key=message["key"])
        for line in self.history:
            if line["op"] == "recv" and line["kind"] != "message.created":
                entry = Entry(line["seq"], line["kind"], line["author"], member=line["member"])
                self._entries.setdefault(line["seq"], entry)
        entries = [entry for _, entry in sorted(self._entries.items())]
        return {self.room: Log(self.room, entries, private=True)}

    @property
    def connections(self) -> int:
        """How many were opened by writers and followers."""
        return sum(a.connections for a in (*self.writers, *self.followers, *self.removed))

    async def quiet(self, seconds: float | None = None) -> None:
        """Stop writing. Who has no answer within the time to settle has none: I8 tells of it."""
        self.stop.set()
        _, waiting = await asyncio.wait(self.writing, timeout=self.plan.settle)
        for task in waiting:
            task.cancel()
        self.raise_early()
        # From here on connections hold: whoever has come back is to be given all there is.
        for actor in (*self.writers, *self.followers):
            actor.fragile = 0

    async def clear_up(self) -> None:
        """Nobody needs the room any more."""
        with contextlib.suppress(Refused, *BROKEN):
            async with await Client.connect(self.doors.next(), token=self.owner_token) as owner:
                await owner.cmd("room.update", room=self.room, archived=True)


async def prove(plan: Plan, stop: asyncio.Event | None = None) -> tuple[Verdict, Proof]:
    """Run the plan, or until `stop` is set, and check. `Unusable`: it could not be begun, or the
    installation did not answer at the end, so that nothing can be said."""
    stop = stop or asyncio.Event()
    proof = Proof(plan)
    try:
        await proof.__aenter__()
    except (Closed, Refused, *BROKEN) as error:
        await proof.__aexit__()
        raise Unusable(f"the load could not be begun: {told(error)}") from error
    except Unusable:
        await proof.__aexit__()
        raise
    try:
        await _blow(proof, stop)
        verdict = await proof.verdict()
        await proof.clear_up()
    except (Closed, Refused, *BROKEN) as error:
        raise Unusable(f"the installation could not be read in the end: {told(error)}") from error
    finally:
        await proof.__aexit__()
    return verdict, proof


async def _blow(proof: Proof, stop: asyncio.Event) -> None:
    """Let it go on, tell of it, and remove a follower when half of the time is over."""
    began, told_at, removed = time.monotonic(), 0.0, False
    while not stop.is_set() and (gone := time.monotonic() - began) < proof.plan.seconds:
        proof.raise_early()
        if gone >= proof.plan.seconds / 2 and not removed and len(proof.followers) > 1:
            removed = await _remove(proof)
        if gone - told_at >= 5:
            told_at = gone
            print(
                f"{gone:5.0f} s  {proof.acknowledged} acknowledged,"
                f" {proof.connections} connections",
                file=sys.stderr,
            )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.1)


async def _remove(proof: Proof) -> bool:
    """Put one follower out of the room; not now, if the installation is away."""
    follower = proof.followers[-1]
    if not follower.person:
        return False
    # Through a connection that holds something could still reach him.
    follower.fragile = 0
    try:
        await proof.remove_a_follower()
    except (Refused, *BROKEN) as error:
        if isinstance(error, Refused) and error.code not in RETRYABLE:
            # A removal whose answer was lost is refused when it is repeated.
            return True
        proof.followers.append(proof.removed.pop())
        return False
    return True


def told(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def table(plan: Plan, verdict: Verdict, proof: Proof) -> str:
    """What is shown at the end."""
    tried = verdict.removed or verdict.leaked
    rows = [
        ("acknowledged", f"{verdict.acknowledged}"),
        ("lost", f"{verdict.lost}"),
        ("doubled", f"{verdict.doubled}"),
        ("out of order", f"{verdict.out_of_order}"),
        ("leaked", f"{verdict.leaked}" if tried else "— (nobody was removed)"),
        ("late", f"{verdict.late}"),
        ("never answered", f"{verdict.stuck}"),
        ("worst time to converge", f"{verdict.converged:.2f} s (at most {plan.deadline:g} s)"),
        ("connections opened", f"{proof.connections}"),
    ]
    lines = [f"{name:<24}{value}" for name, value in rows]
    if not verdict.passed:
        lines += ["", *map(str, verdict.violations[:20]), "", "The guarantee does NOT hold here."]
    elif not verdict.acknowledged:
        lines += ["", "Nothing was acknowledged: nothing is proved."]
    else:
        elsewhere = ", and nowhere else" if tried else ""
        lines += ["", f"All that was acknowledged is there, once, in order{elsewhere}."]
    return "\n".join(lines)


# The command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own part of `python -m tertulia.testing`."""
    parser.description = HELP
    parser.add_argument(
        "--url",
        action="append",
        required=True,
        type=address,
        metavar="URL",
        help="ws://HOST:PORT, wss:// or http(s)://; several for several processes",
    )
    parser.add_argument(
        "--tokens-file",
        required=True,
        type=Path,
        metavar="FILE",
        help="a bearer token a line, of different people: one more than writers and followers",
    )
    numbers: list[tuple[str, Any, str]] = [
        ("seconds", Plan.seconds, "how long to write"),
        ("writers", Plan.writers, "how many write"),
        ("followers", Plan.followers, "how many follow; of several, one is removed at half time"),
        ("rate", Plan.rate, "messages a second, of all writers; a person may send 30"),
        ("deadline", Plan.deadline, "seconds to converge within"),
        ("settle", Plan.settle, "seconds for the last answers"),
    ]
    for name, default, what in numbers:
        parser.add_argument(
            f"--{name}", type=positive(type(default)), default=default, help=f"{what} ({default:g})"
        )
    parser.add_argument("--history", type=Path, metavar="FILE", help="record into this new file")
    parser.set_defaults(run=run)


def address(text: str) -> str:
    """A site's address as the client takes it: ws:// or wss://, without a path."""
    scheme, separator, rest = text.partition("://")
    known = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
    if not separator or scheme not in known or not rest.strip("/"):
        raise argparse.ArgumentTypeError(f"{text!r} is no address such as ws://127.0.0.1:8000")
    return f"{known[scheme]}://{rest.rstrip('/').removesuffix('/ws')}"


def positive(kind: type) -> Any:
    """A number above 0 of that type, for argparse."""

    def number(text: str) -> Any:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    number.__name__ = f"positive {kind.__name__}"
    return number


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan of the command line; `Unusable` where the files do not fit it."""
    try:
        lines = options.tokens_file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"the tokens cannot be read: {told(error)}") from error
    tokens = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    needed = 1 + options.writers + options.followers
    if len(tokens) < needed:
        raise Unusable(f"{needed} tokens are needed, and the file has {len(tokens)}")
    if options.history is not None and options.history.exists():
        raise Unusable(f"{options.history} is already there")
    return Plan(
        urls=tuple(options.url),
        tokens=tuple(tokens[:needed]),
        seconds=options.seconds,
        writers=options.writers,
        followers=options.followers,
        rate=options.rate,
        deadline=options.deadline,
        settle=options.settle,
        history=options.history,
    )


def run(options: argparse.Namespace) -> int:
    """The exit status."""
    try:
        plan = plan_of(options)
        verdict, proof = asyncio.run(_until_interrupted(plan))
    except Unusable as error:
        print(f"prove: {error}", file=sys.stderr)
        return 2
    print(table(plan, verdict, proof))
    return 0 if verdict.passed and verdict.acknowledged else 1


async def _until_interrupted(plan: Plan) -> tuple[Verdict, Proof]:
    """Ctrl-C ends the writing; what was written is checked all the same."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    return await prove(plan, stop)
