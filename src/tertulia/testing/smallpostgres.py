"""A PostgreSQL whose databases are on a file system of a few MiB, which can be filled."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

from .services import Missing, Postgres
from .smalldisk import NoMounts, fill_up

_OPTIONS = 'size="$1",uid="$2",gid="$3",mode=0700'
_MOUNT = f'mount -t tmpfs -o {_OPTIONS} tmpfs "$0" && shift 3 && exec "$@"'


class SmallPostgres(Postgres):
    """The databases are in a tablespace on the small file system, the cluster itself is not:
    without room for its own log PostgreSQL ends, and only its administrator can start it again.

    `Missing` where we are not root: mounting needs it, and PostgreSQL refuses to run as root, so
    that a user namespace in which we only seem to be does not help.
    """

    def __init__(self, megabytes: int) -> None:
        if os.geteuid() != 0:
            raise Missing("root, to mount a small file system for PostgreSQL")
        if not shutil.which("unshare") or not shutil.which("setpriv"):
            raise NoMounts("there is no unshare or no setpriv")
        super().__init__()
        small = self.folder / "small"
        small.mkdir()
        owner = pwd.getpwnam(str(self.owner))
        user, group = str(owner.pw_uid), str(owner.pw_gid)
        self.prefix = [
            *("unshare", "--mount", "sh", "-c", _MOUNT, str(small), f"{megabytes}m", user, group),
            *("setpriv", "--reuid", user, "--regid", group, "--clear-groups"),
        ]

    def start(self) -> SmallPostgres:
        """Once: the file system goes with the process."""
        super().start()
        assert self.process
        # What the namespace has mounted there, seen from outside.
        self.seen = Path(f"/proc/{self.process.pid}/root{self.folder}/small")
        self.execute(f"CREATE TABLESPACE small LOCATION '{self.folder}/small'")
        return self

    def new_database(self, *, tables: bool = False) -> str:
        """The address of a new, empty database on the small file system; a server makes its
        tables when it starts."""
        name = f"tertulia_{next(self.numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TABLESPACE small')
        return self.url(name)

    def fill(self) -> int:
        """Write until nothing more fits; how many bytes that took."""
        return fill_up(self.seen / "filler")

    def free(self) -> None:
        """There is space again."""
        (self.seen / "filler").unlink(missing_ok=True)
