"""Becomes another program, whose life is tied to that of the program which started it.

    python tied.py PARENT COMMAND…

Linux ends it by SIGTERM when its parent is gone, even if the parent was killed; elsewhere it is
only ended by a parent that goes in an orderly way. (The kernel counts the thread that started it
as the parent.) It may have as many open files as the machine allows: a server is measured with
thousands of sockets.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main(parent: str, *command: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        # Gone already: nobody would be told.
        if os.getppid() != int(parent):
            sys.exit("the program that started this one has ended")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.execvp(command[0], command)  # noqa: S606 - the benchmark's own command, without a shell


if __name__ == "__main__":
    main(*sys.argv[1:])
