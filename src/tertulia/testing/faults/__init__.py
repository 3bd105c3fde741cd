"""Faults: each breaks a running installation and proves what has to hold meanwhile.

    outcome = await play("killed-at-random", "scaled", length="short")
    assert outcome.passed, outcome.explained()

`bin/faults` (`python -m tertulia.testing.faults`) plays them all.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from ..services import Missing
from .outcome import Figure, Outcome
from .registry import Fault, Length, Mode, everything, fault
from .stage import Say, Stage

__all__ = ["Fault", "Figure", "Missing", "Mode", "Outcome", "Stage", "everything", "fault", "play"]


async def play(
    name: str,
    mode: Mode,
    *,
    length: Length = "short",
    say: Say = lambda text: None,
    watch: list[Stage] | None = None,
) -> Outcome:
    """Plays one fault in one mode; the outcome says whether it passed.

    Never raises for what the fault did; KeyError for a name or mode that it does not have. When
    cancelled, everything is ended first. `watch` is given the stage as soon as it is there.
    """
    found = everything()[name]
    if mode not in found.modes:
        raise KeyError(f"{name} is not played on {mode}")
    stage = Stage(Outcome(name, mode, length), say)
    if watch is not None:
        watch.append(stage)
    await _play(found, stage)
    return stage.outcome


async def _play(found: Fault, stage: Stage) -> None:
    outcome, began = stage.outcome, time.monotonic()
    # Threads of this fault's own: what is still starting a server when the fault is given up is
    # waited for, so that nothing is left running.
    threads = ThreadPoolExecutor(16, thread_name_prefix=found.name)
    asyncio.get_running_loop().set_default_executor(threads)
    deadline = found.deadline(stage.length)
    try:
        async with asyncio.timeout(deadline) as limit:
            await found.act(stage)
    except Missing as missing:
        outcome.missing = str(missing)
    except asyncio.CancelledError:
        outcome.stopped = True
        raise
    except Exception as error:
        hung = isinstance(error, TimeoutError) and limit.expired()
        why = (
            f"not finished within {deadline:.0f} s" if hung else f"{type(error).__name__}: {error}"
        )
        # Before what the checker says of the rest: it is the reason.
        outcome.violations.insert(0, why)
        outcome.logs = traceback.format_exc(limit=-6)
    finally:
        outcome.seconds = time.monotonic() - began
        if not outcome.passed and not outcome.missing:
            outcome.logs = "\n".join(filter(None, (outcome.logs, stage.tails())))
        await asyncio.shield(_clear(stage, threads))


async def _clear(stage: Stage, threads: ThreadPoolExecutor) -> None:
    fresh = ThreadPoolExecutor(4)
    asyncio.get_running_loop().set_default_executor(fresh)
    await asyncio.to_thread(threads.shutdown)
    await stage.close()
