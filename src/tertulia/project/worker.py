"""A worker process of `tertulia serve`, which must not outlive its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

import uvicorn

from . import logs, place
from .environment import read

PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>
LOOK_EVERY = 1.0  # seconds


class WorkerConfig(uvicorn.Config):
    """uvicorn's configuration; it is loaded in the process that serves, before the application."""

    # The process that starts the workers; None where one process does it all.
    parent: int | None = None

    def configure_logging(self) -> None:
        """The log is the site's in each process, from the first line on."""
        logs.install(read().log)

    def load(self) -> None:
        """Bind a worker's life to its parent's, and take a number among the workers."""
        if self.parent is not None:
            die_with(self.parent)
            place.claim()
        super().load()


def die_with(parent: int) -> None:
    """End this process at once when `parent` dies, even by SIGKILL: the port must be free again.

    Nothing is lost by it: what has been acknowledged is in the database.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # died before we asked
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGKILL)
