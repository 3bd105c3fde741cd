"""The same application under servers that do not know it, with their default options."""

from __future__ import annotations

import importlib.util
import sys

from .tertulia import Tertulia

APPLICATION = "tertulia.project.asgi:application"


class Uvicorn(Tertulia):
    """`uvicorn tertulia.project.asgi:application`, with a WebSocket class of its own."""

    packages = (*Tertulia.packages, "websockets")

    def __init__(self, key: str, name: str, implementation: str) -> None:
        super().__init__(key, name, remarks="SQLite FULL; sent by ASGI")
        self.implementation = implementation

    def command(self, port: int) -> list[str]:
        words = [sys.executable, "-m", "uvicorn", APPLICATION, "--port", str(port)]
        return [*words, "--ws", self.implementation, "--log-level", "warning"]


class Daphne(Tertulia):
    """`daphne tertulia.project.asgi:application`."""

    packages = ("Django", "channels", "daphne", "Twisted", "autobahn")

    def __init__(self) -> None:
        super().__init__("daphne", "Tertulia under daphne", remarks="SQLite FULL; sent by ASGI")

    def missing(self) -> str | None:
        if importlib.util.find_spec("daphne"):
            return None
        return "daphne is not installed: pip install 'tertulia[daphne]'"

    def command(self, port: int) -> list[str]:
        words = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)]
        return [*words, "-v", "0", APPLICATION]


CONTENDERS = [
    Uvicorn("uvicorn", "Tertulia under stock uvicorn (websockets-sansio)", "websockets-sansio"),
    Uvicorn("uvicorn-default", "Tertulia under stock uvicorn (its default)", "auto"),
    Daphne(),
]
