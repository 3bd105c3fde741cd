"""The ready-made site under the ASGI servers that people have, each by its own command."""

from __future__ import annotations

import sys
from typing import Any

from tertulia.testing.server import Server

APPLICATION = "tertulia.project.asgi:application"

# uvicorn has two WebSocket classes of its own; ours is the one of `tertulia serve`.
KINDS = ("serve", "uvicorn-websockets", "uvicorn-sansio", "daphne", "hypercorn", "runserver")


class AsgiServer(Server):
    """The site under the server of this kind, in a data folder that has been migrated."""

    def __init__(self, kind: str, **how: Any) -> None:
        super().__init__(**how)
        self.kind = kind

    def command(self) -> list[str]:
        python, port = [sys.executable, "-m"], str(self.port)
        if self.kind == "daphne":
            return [*python, "daphne", "--bind", "127.0.0.1", "--port", port, APPLICATION]
        if self.kind == "hypercorn":
            return [*python, "hypercorn", "--bind", f"127.0.0.1:{port}", APPLICATION]
        if self.kind == "runserver":
            return [*python, "tertulia", "manage", "runserver", port, "--noreload"]
        if self.kind.startswith("uvicorn-"):
            classes = {"websockets": "websockets", "sansio": "websockets-sansio"}
            return [
                *(*python, "uvicorn", APPLICATION, "--port", port, "--no-proxy-headers"),
                *("--ws", classes[self.kind.removeprefix("uvicorn-")]),
                *("--timeout-graceful-shutdown", "5", "--log-level", "warning"),
            ]
        return super().command()
