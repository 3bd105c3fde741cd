"""What proves that an installation keeps its promises: clients, faults, histories, the checker.

Nothing of the product imports it. docs/testing.md shows how a project of your own is tested with
it, docs/guarantee.md how an installation is. The names below are imported when they are first
used, so that a server started from here is no larger for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checker import Entry, Log, Verdict, Violation, check
    from .client import Client, Closed, Refused, new_key
    from .history import History, merged, recorded
    from .inline import InlineWriterMixin, inline_writer
    from .installation import Installation
    from .proxy import Proxy, ThreadedProxy
    from .server import Server
    from .services import Missing, Postgres, Redis
    from .stored import read_logs
    from .storm import Storm
    from .view import Disorder, RoomView
    from .workload import Doors, Follower, Writer

__all__ = [
    "Client",
    "Closed",
    "Disorder",
    "Doors",
    "Entry",
    "Follower",
    "History",
    "InlineWriterMixin",
    "Installation",
    "Log",
    "Missing",
    "Postgres",
    "Proxy",
    "Redis",
    "Refused",
    "RoomView",
    "Server",
    "Storm",
    "ThreadedProxy",
    "Verdict",
    "Violation",
    "Writer",
    "check",
    "inline_writer",
    "merged",
    "new_key",
    "read_logs",
    "recorded",
]

_MODULES = {
    "checker": ("Entry", "Log", "Verdict", "Violation", "check"),
    "client": ("Client", "Closed", "Refused", "new_key"),
    "history": ("History", "merged", "recorded"),
    "inline": ("InlineWriterMixin", "inline_writer"),
    "installation": ("Installation",),
    "proxy": ("Proxy", "ThreadedProxy"),
    "server": ("Server",),
    "services": ("Missing", "Postgres", "Redis"),
    "stored": ("read_logs",),
    "storm": ("Storm",),
    "view": ("Disorder", "RoomView"),
    "workload": ("Doors", "Follower", "Writer"),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
