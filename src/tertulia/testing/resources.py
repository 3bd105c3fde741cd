"""I8: the memory of server processes, the bytes that wait for sockets, and outboxes of clients."""

from __future__ import annotations

from collections.abc import Iterator

from .history import Line
from .memory import MIB
from .verdict import Violation

# Seconds after its first sample in which a process is still loading its code.
STARTING = 3.0
# Bytes that may wait in the server for one socket: an outbox of 4 MiB, and what one write brings
# beyond it. What the kernel took, at both ends, is not counted.
WAITING = 4 * MIB + 256 * 1024


class Resources:
    """`growth`: bytes by which one process exceeded its own first samples, the most of all."""

    def __init__(self, allowance: int) -> None:
        self.growth = 0
        self._allowance = allowance
        # Of each process: the time of its first sample, and the most it had while it started.
        self._first: dict[tuple[str, int], tuple[float, int]] = {}
        self._told: set[tuple[str, int]] = set()
        # Sends that were begun and have no final answer: key to client and room.
        self._open: dict[tuple[str, str], tuple[str, str]] = {}

    def take(self, line: Line) -> Iterator[Violation]:
        """What this line shows to be beyond its bound."""
        match line["op"]:
            case "memory":
                yield from self._sample(line)
            case "waited" if (waited := line["bytes"] - line["kernel"]) > WAITING:
                yield Violation(
                    "I8",
                    f"{waited / MIB:.2f} MiB waited for {line['client']}, which read"
                    f" nothing: more than {WAITING / MIB:.2f} MiB",
                )
            case "invoke":
                self._open[line["person"], line["key"]] = (line["client"], line["room"])
            case "ok":
                self._open.pop((line["person"], line["key"]), None)
            case "refused" if line.get("final"):
                self._open.pop((line["person"], line["key"]), None)

    def _sample(self, line: Line) -> Iterator[Violation]:
        process, size = (line["client"], line["pid"]), line["bytes"]
        began, base = self._first.setdefault(process, (line["t"], size))
        if line["t"] - began < STARTING:
            base = max(base, size)
            self._first[process] = (began, base)
        grown = size - base
        self.growth = max(self.growth, grown)
        if grown > self._allowance and process not in self._told:
            self._told.add(process)
            yield Violation(
                "I8",
                f"process {line['pid']} of {line['client']} grew by {grown // MIB} MiB,"
                f" more than {self._allowance // MIB} MiB",
            )

    def close(self) -> Iterator[Violation]:
        """The history is over: nobody waits for an answer."""
        for (_, key), (client, room) in self._open.items():
            yield Violation("I8", f"{client} sent {key} to {room} and was never answered")
