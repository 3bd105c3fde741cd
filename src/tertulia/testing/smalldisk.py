"""A server whose data folder is a file system of a few MiB, in a mount namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .processes import descendants
from .server import Server


class NoMounts(Exception):
    """This machine does not let us mount in a namespace of our own."""


_MOUNT = 'mount -t tmpfs -o size="$0" tmpfs "$1" && cd "$1" && shift && exec "$@"'


def fill_up(filler: Path) -> int:
    """Make the file as long as its file system allows; how many bytes that took."""
    written = 0
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    written += file.write(b"x" * size)
            except OSError:
                continue
    return written


def _unshare() -> list[str]:
    """The command that gives a process its own mounts."""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "-r"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run([*own, "sh", "-c", _MOUNT, "1m", folder, "true"])
        except FileNotFoundError as error:
            raise NoMounts("there is no unshare") from error
    if done.returncode:
        raise NoMounts("unshare and mount are not permitted")
    return own


class SmallDisk:
    """`server` runs on a disk of `megabytes`; `fill()` leaves no byte free, `free()` undoes it."""

    def __init__(self, megabytes: int, env: dict[str, str]) -> None:
        own = _unshare()
        self.server = Server(env=env)
        self.server.database_file = self.copy_of_database  # type: ignore[method-assign]
        size, data = f"{megabytes}m", str(self.server.data)
        self.server.prefix = [*own, "sh", "-c", _MOUNT, size, data]

    def start(self) -> SmallDisk:
        self.server.start()
        assert self.server.process
        inside = [self.server.process.pid, *descendants(self.server.process.pid)][-1]
        users = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self.server.cli_prefix = ["nsenter", "--target", str(inside), "--mount", *users]
        # What the namespace has mounted there, seen from outside.
        self.folder = Path(f"/proc/{inside}/root{self.server.data}")
        return self

    def fill(self) -> int:
        """Write until nothing more fits; how many bytes that took."""
        return fill_up(self.folder / "filler")

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)

    def copy_of_database(self) -> Path:
        """A copy outside: SQLite follows /proc/…/root to our own files, plain reading does not."""
        for file in self.folder.glob("tertulia.sqlite3*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, self.server.data / file.name)
        return self.server.data / "tertulia.sqlite3"

    def remove(self) -> None:
        self.server.remove()
