"""Which faults there are: `@fault` enters a function, `everything()` has them all."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .stage import Stage

Mode = Literal["sqlite", "scaled"]
Length = Literal["short", "quick", "full"]
MODES: tuple[Mode, ...] = ("sqlite", "scaled")
LENGTHS: tuple[Length, ...] = ("short", "quick", "full")

Act = Callable[["Stage"], Awaitable[None]]

# How long a fault of each length may take before it is given up, in seconds; the full length at
# least three times what it is expected to take.
DEADLINES: dict[Length, float] = {"short": 300, "quick": 600, "full": 1800}


@dataclass(frozen=True)
class Fault:
    """One way to break an installation, and what has to hold meanwhile.

    `modes`: "sqlite" is one process on SQLite, "scaled" PostgreSQL, Redis and several processes.
    `takes`: expected seconds of the full length in one mode, on two cores. `alone`: its figures
    are times that another load on the machine would spoil.
    """

    name: str
    what: str
    reach: str
    modes: tuple[Mode, ...]
    takes: float
    alone: bool
    act: Act

    def deadline(self, length: Length) -> float:
        """Seconds after which a run in one mode counts as hung."""
        return max(DEADLINES[length], 3 * self.takes if length == "full" else 0)


_faults: dict[str, Fault] = {}


def fault(
    name: str,
    *,
    modes: tuple[Mode, ...] = MODES,
    reach: str,
    takes: float = 60,
    alone: bool = False,
) -> Callable[[Act], Act]:
    """Enters an `async def act(stage)`; the first line of its docstring says what it does."""

    def enter(act: Act) -> Act:
        assert name not in _faults, f"two faults are called {name}"
        what = (act.__doc__ or "").strip().partition("\n")[0]
        assert what, f"{name} has no docstring"
        _faults[name] = Fault(name, what, reach, modes, takes, alone, act)
        return act

    return enter


# Modules of this package that hold no faults.
_MACHINERY = {"registry", "stage", "report", "outcome", "__main__"}


def everything() -> dict[str, Fault]:
    """All faults by name, in the order of the modules' names and of the text."""
    package = __package__ or ""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name not in _MACHINERY and not module.name.startswith("_"):
            importlib.import_module(f"{package}.{module.name}")
    return dict(_faults)
