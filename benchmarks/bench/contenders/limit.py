"""The bare-socket limit: `limit.c`, with a frame as long as ours or as the message itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tertulia.testing.processes import free_port

from ..build import built, compiler
from .base import Contender, Running
from .children import scratch, serving

TEXT_BYTES = 200


class Limit(Contender):
    """`bytes` is the length of the frame's text; it is set before `running`."""

    remarks = "one send() a delivery; keeps and checks nothing"

    def __init__(self, key: str, name: str, size: int) -> None:
        self.key = key
        self.name = name
        self.bytes = size

    def missing(self) -> str | None:
        return None if compiler() else "there is no C compiler: sudo apt-get install gcc libc6-dev"

    @contextlib.contextmanager
    def running(self, work: Path, *, members: int) -> Iterator[Running]:
        port = free_port()
        with scratch(work, self.key) as folder:
            command = (built(work, "limit"), str(port), str(self.bytes))
            with serving(command, port, folder / "log") as served:
                yield Running(
                    port=port,
                    path="/",
                    pids=(served.pid,),
                    message="%S %P",
                    kill=served.kill,
                    versions={"frame": f"{self.bytes} bytes of text"},
                )


# Set to the bytes of our event, once a server of ours was asked for one.
LIMIT = Limit("limit", "Bare-socket limit (C), frames as long as ours", TEXT_BYTES)
SMALL = Limit("limit-200", "Bare-socket limit (C), 200 bytes", TEXT_BYTES)
CONTENDERS = [LIMIT, SMALL]
