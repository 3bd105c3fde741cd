"""The data folder, the secret key in it, and the disk below."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path

from tertulia.project import datafolder
from tertulia.project.database import SQLITE_NAME, is_sqlite
from tertulia.project.environment import Environment
from tertulia.project.safety import refusals

from .filesystems import kind_of
from .report import Report

# Where containers are given secrets, readable by all that runs in them.
SECRETS = Path("/run/secrets")
LEAST_FREE = 100 * 1024**2
LITTLE_FREE = 1024**3


def key(env: Environment, report: Report) -> None:
    """Strong, and readable by the server alone."""
    path = None if env.secret_key else env.secret_key_file or env.data / datafolder.KEY_FILE
    if path is not None and not env.secret_key_file and not path.exists():
        report.ok(f"there is no secret key yet; `tertulia serve` makes one in {path}")
        return
    if fault := refusals.key_fault(env):
        what, _, mend = fault.rpartition(": ")
        report.fault(what, f"{mend}; everybody has to sign in again")
    else:
        report.ok("the secret key is long and random")
    if path is not None:
        _key_file(path, report)
    if not is_sqlite(env) and path is not None and not env.secret_key_file:
        report.warn(
            f"the secret key was made by this machine, in {path}, and the database is one that"
            " several machines can share",
            "where two servers use one database, give both the same TERTULIA_SECRET_KEY",
        )


def _key_file(path: Path, report: Report) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if path.is_relative_to(SECRETS):
        return
    open_to = "everybody" if mode & 0o007 else "its group" if mode & 0o070 else ""
    if mode & 0o022 or mode & 0o007:
        report.fault(
            f"the secret key in {path} is open to {open_to} on this machine (mode {mode:04o})",
            f"chmod 600 {path}",
        )
    elif open_to:
        report.warn(f"the secret key in {path} can be read by its group", f"chmod 600 {path}")
    else:
        report.ok(f"only its owner can read the secret key (mode {mode:04o})")


def folder(env: Environment, report: Report) -> None:
    """There, ours, writable, and closed to others."""
    path = env.data
    if not path.exists():
        report.warn(
            f"there is no data folder {path}",
            "`tertulia serve` makes it; if it should be there, set TERTULIA_DATA or --data",
        )
        return
    if not path.is_dir():
        report.fault(f"{path} is no folder", "set TERTULIA_DATA or --data to one")
        return
    _owner(path, report)
    _openness(path, report)
    uploads = path / "uploads"
    if uploads.exists() and not os.access(uploads, os.W_OK | os.X_OK):
        report.fault(
            f"nothing can be written into {uploads}", f"make it the server's: chown -R … {uploads}"
        )
    if is_sqlite(env):
        _filesystem(path if env.database_url is None else _database_folder(), report)


def _database_folder() -> Path:
    from .read_only import configured

    return Path(configured["NAME"]).parent


def _owner(path: Path, report: Report) -> None:
    found = path.stat()
    if found.st_uid != os.geteuid():
        report.warn(
            f"the data folder {path} belongs to {_name(found.st_uid)}, and this is"
            f" {_name(os.geteuid())}",
            f"run doctor and the server as {_name(found.st_uid)}, or give the folder away",
        )
    if os.access(path, os.W_OK | os.X_OK):
        report.ok(f"the data folder {path} can be written to")
    else:
        report.fault(
            f"nothing can be written into the data folder {path}",
            f"chown -R {_name(os.geteuid())} {path}, or run as {_name(found.st_uid)}",
        )


def _openness(path: Path, report: Report) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o002:
        report.fault(
            f"everybody on this machine may write into the data folder {path}", f"chmod 700 {path}"
        )
    readable = [
        each.name
        for each in (path / SQLITE_NAME, path / "uploads")
        if each.exists() and mode & 0o001 and each.stat().st_mode & 0o004
    ]
    if readable:
        report.fault(
            f"everybody on this machine can read {' and '.join(readable)} in {path}",
            f"chmod 700 {path}",
        )
    elif not mode & 0o002:
        report.ok("nobody else on this machine can read what is in it")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _filesystem(path: Path, report: Report) -> None:
    name, kind = kind_of(path)
    if kind == "network":
        report.fault(
            f"the database in {path} is on a network file system ({name}), where SQLite's"
            " locks and its WAL do not hold",
            "put it on a disk of this machine, or use PostgreSQL by DATABASE_URL",
        )
    elif kind == "memory":
        report.fault(
            f"the database in {path} is in memory ({name}) and gone when the machine restarts",
            "put the data folder on a disk",
        )
    elif kind == "container":
        report.warn(
            f"the database in {path} is in a container's own layer ({name}), which goes with it",
            "mount a volume there",
        )
    else:
        report.ok(f"the database is on a local disk ({name or 'unknown'})")


def disk(env: Environment, report: Report) -> None:
    """Room for what is to come."""
    path = env.data
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    text = f"{free / 1024**3:.1f} GiB are free on the disk of {path}"
    mend = "make room: on a full disk messages are refused until there is some"
    if free < LEAST_FREE:
        report.fault(text, mend)
    elif free < LITTLE_FREE:
        report.warn(text, mend)
    else:
        report.ok(text)
