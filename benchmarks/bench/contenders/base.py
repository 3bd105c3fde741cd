"""What the benchmark asks of each server that it measures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

# What a connection says and then waits for: either may be empty. The wait is a part of a text.
Steps = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Running:
    """A server that has been started, and how a client talks to it.

    In `path`, `headers`, `steps`, `writer_steps` and `message`, `%C` stands for the number of the
    connection (0, 1, 2 …) and `%V` for its line of `values`. In `message`, `%S` stands for the
    stamp by which the generator knows a message again (15 letters and digits), `%P` for the
    padding that makes the text 200 bytes long (words of small letters, no quotes, no markup) and
    `%U` for a new UUID. A per cent sign is `%%`. What is sent is text frames.

    `pids` are the server's processes; all their descendants count too, and so do those of a
    database or a broker if they are named here.
    """

    port: int
    path: str
    pids: tuple[int, ...]
    message: str
    # What a connection says after the upgrade until it hears the room.
    steps: Steps = ()
    headers: tuple[str, ...] = ()
    # One for each connection, e.g. its bearer token.
    values: tuple[str, ...] = ()
    # How often the stamp stands in one delivery: 2, say, where an event has a text and its HTML.
    copies: int = 1
    # Part of the text by which a sender is told that his message was taken (our reply). None:
    # he has nothing but the delivery to himself.
    ack: str | None = None
    # For those who only write, and need not hear the room; None: the same as `steps`.
    writer_steps: Steps | None = None
    # Engine.IO: a text "2" is answered by "3".
    engine_io: bool = False
    # What was measured, for the results: {"uvicorn": "0.54.0", …}.
    versions: dict[str, str] = field(default_factory=dict)
    # SIGKILL to all server processes; then, by a call of what it returns, up again on the same
    # port and data, and the new `pids` when it answers. None: not measured.
    kill: Callable[[], Callable[[], tuple[int, ...]]] | None = None
    # Steps of a connection that comes back and has missed the last so many messages of the room.
    resume: Callable[[int], Steps] | None = None


class Contender:
    """A server in the table. Subclasses fill in the rest."""

    # As it stands in the table, and by which it is chosen on the command line.
    name = ""
    key = ""
    # Whether a message that was answered survives the process.
    durable = False
    # The largest room that it is measured with: some need minutes for a message in a larger one.
    most = 10_000
    # A clause for the table: what is switched on or off, or None.
    remarks = ""

    def missing(self) -> str | None:
        """None, or why it cannot be run here and what would mend it."""
        return None

    def prepare(self, work: Path) -> None:
        """Install and build into `work`, which is kept between runs; never measured."""

    def running(self, work: Path, *, members: int) -> AbstractContextManager[Running]:
        """Start on a free port with one room that `members` connections are to hear; ends it.

        The connections come from the addresses 127.0.0.1, 127.0.0.2 … 127.0.0.64 in turn.
        """
        raise NotImplementedError
