"""The two programs in C, compiled when they are first needed and when they have changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

SOURCES = {"load": ("load.c", "client.c", "tally.c", "text.c"), "limit": ("limit.c",)}
FLAGS = ("-std=gnu11", "-O2", "-Wall")
HERE = Path(__file__).parent


class NoCompiler(Exception):
    """There is no C compiler, or it refused."""


def compiler() -> str | None:
    """The path of the C compiler: $CC, cc, gcc or clang."""
    names = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


def built(work: Path, name: str) -> Path:
    """The compiled program, in `work`; raises NoCompiler."""
    program = compiler()
    if program is None:
        raise NoCompiler("bin/bench needs a C compiler: sudo apt-get install gcc libc6-dev")
    sources = [HERE / source for source in SOURCES[name]]
    digest = hashlib.sha256(program.encode())
    for source in (*sources, HERE / "load.h"):
        digest.update(source.read_bytes())
    binary = work / f"{name}-{digest.hexdigest()[:12]}"
    if not binary.exists():
        work.mkdir(parents=True, exist_ok=True)
        made = binary.with_suffix(f".{os.getpid()}")
        done = subprocess.run(  # noqa: S603 - the compiler, on our own files
            [program, *FLAGS, "-o", made, *sources], capture_output=True, text=True
        )
        if done.returncode:
            raise NoCompiler(f"{program} cannot compile {name}:\n{done.stderr[-2000:]}")
        made.replace(binary)
    return binary
