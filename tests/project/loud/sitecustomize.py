"""Makes a server say much: parts of the product fail with what they were given in their hands.

Loaded by a server that is started with this folder on PYTHONPATH and LOUD=1. What fails then is
what could fail; the log must bear whatever stands in the paths and names of those who ask.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any


def views(module: Any) -> None:
    """The page of a room fails, and the path is logged by us, by Django and as an error."""

    def room(request: Any, *args: Any, **kwargs: Any) -> None:
        logging.getLogger("tertulia.chat").warning("no page for %s", request.path)
        raise RuntimeError(f"no page for {request.path}")

    module.room = room


def commands(module: Any) -> None:
    """Looking for people fails, with the text that was looked for in what PostgreSQL says."""

    async def fail(live: Any, speaker: Any, command: Any) -> None:
        detail = f"DETAIL:  Failing row contains (1, {command.text})."
        raise RuntimeError(f"violates a constraint\n{detail}\nCONTEXT:  {command.text}")

    module.READINGS[module.c.PersonFind] = fail


def serving(module: Any) -> None:
    """Before anything is served: a warning, a thread that fails, a line that fits nothing."""
    warnings.warn("an old way\nof doing it", DeprecationWarning, stacklevel=1)
    thread = threading.Thread(target=lambda: 1 / 0, name="of\nnobody")
    thread.start()
    thread.join()
    logging.getLogger("tertulia.project").warning("%d and %d", "one")


REPLACED: dict[str, Callable[[Any], None]] = {
    "tertulia.chat.views": views,
    "tertulia.chat.commands": commands,
    "tertulia.project.serving": serving,
}


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets a module be imported as usual, then replaces a part of it."""

    def __init__(self) -> None:
        self.honest: dict[str, Any] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in REPLACED or name in self.honest:
            return None
        self.honest[name] = None
        spec = importlib.util.find_spec(name)
        assert spec
        self.honest[name] = spec.loader
        spec.loader = self
        return spec

    def create_module(self, spec: Any) -> Any:
        return self.honest[spec.name].create_module(spec)

    def exec_module(self, module: Any) -> None:
        self.honest[module.__name__].exec_module(module)
        REPLACED[module.__name__](module)


if os.environ.get("LOUD"):
    sys.meta_path.insert(0, _Loader())
    warnings.simplefilter("always", DeprecationWarning)
