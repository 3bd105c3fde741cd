"""`tertulia restore FILE` and `tertulia restore --mark`.

Everything is prepared beside what is in use: the backup is read and compared with its checksums, a
database is built of it, checked and brought to this version. Only then it takes the place of the
old one, in one transaction. Servers that run see its epoch, which is new, within a second: they
close their sockets, forget what they knew, and every client loads afresh.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tertulia.project import startup
from tertulia.project.environment import Environment, SettingsError

from . import database, replacing, versions
from .archive import TABLES, BackupError, Saved, Table
from .key import PuttingKey
from .progress import Calls, Progress, failures, many, tidy, what_failed
from .uploads import Putting

# So many ids are left out after the last one that was ever handed out: one that a server or a
# client remembers never comes to mean something else.
LEFT_OUT = 10_000


def mark(env: Environment) -> int:
    """Give the history another name, after a restore by the database's own means."""
    startup.prepare(env)
    with failures(env):
        print(f"The epoch is now {_new_epoch()}: every client loads afresh.", file=sys.stderr)
    return 0


def _new_epoch() -> str:
    from tertulia.chat.models import Installation, new_epoch

    epoch = new_epoch()
    Installation.objects.update_or_create(pk=1, defaults={"epoch": epoch})
    return epoch


def restore(env: Environment, source: str, *, force: bool) -> int:
    """Put a backup in the place of what is there; from standard input for `-`. With `force`
    nobody is asked."""
    startup.load(env)
    with tidy() as calls, failures(env), _opened(source, env.data) as file:
        name = "standard input" if source == "-" else source
        saved = Saved(file, name)
        _refuse_newer(saved, name)
        target = database.target()
        if not force:
            replacing.ask(target, saved.manifest.made)
        saved.verify()
        key = PuttingKey(env, saved)
        # Nobody else restores or migrates meanwhile; servers that start wait.
        with startup.alone(env):
            replaced = _restore(saved, key, target, calls)
        key.tell()
    manifest = saved.manifest
    Progress.say(
        f"Restored what was saved on {manifest.made} by Tertulia {manifest.version}"
        f" ({manifest.database}): {many(len(manifest.heads), 'room')},"
        f" {many(len(saved.uploads), 'upload')}"
        f"{f', in the place of {replaced}' if replaced else ''}."
    )
    return 0


def _refuse_newer(saved: Saved, name: str) -> None:
    newer = versions.newer_ones(saved.manifest.migrations)
    if newer:
        raise SettingsError(
            f"{name} was saved by a newer Tertulia ({saved.manifest.version}, migration"
            f" {'.'.join(newer[0])}): install that first"
        )


def _restore(saved: Saved, key: PuttingKey, target: Any, calls: Calls) -> str | None:
    """Put it in place; what that has replaced, in words."""
    from django.conf import settings

    uploads = Putting(Path(settings.MEDIA_ROOT), saved)
    failed: list[str] = []
    replaced = None
    try:
        with target.building():
            epoch = _build(saved, target, Progress("restored"))
            uploads.all()
            key.prepare()
            # As late as can be: servers write until it is replaced.
            replaced = replacing.contents(target)
            # From here on it is carried through, or not begun.
            calls.hold()
            target.replace(epoch, calls.look)
    except BaseException as error:
        calls.hold()
        if target.replaced is None:
            raise BackupError(
                f"it is not known whether the database was replaced ({error}): restore once more"
            ) from error
        if not target.replaced:
            uploads.undo()
            key.undo()
            raise
        failed.append(str(error) or type(error).__name__)
    for finish in (key.finish, uploads.finish):
        try:
            finish()
        except OSError as error:
            failed.append(f"{what_failed(error)}: restore once more")
    if failed:
        raise BackupError(f"restored, but {', '.join(failed)}")
    return replaced


def _build(saved: Saved, target: Any, progress: Progress) -> str:
    """The database beside the one in use, complete; its epoch."""
    manifest = saved.manifest
    versions.migrate_to(manifest.migrations)
    there = {name: target.columns(name) for name in database.tables()}
    _check_tables(manifest.tables, there)
    target.empty(sorted(there))
    for table in manifest.tables:
        chunks = progress.watched(saved.chunks(TABLES + table.name), table.name)
        rows = target.load(table.name, table.columns, chunks)
        if rows != table.rows:
            raise BackupError(f"{table.name} has {rows} rows in place of {table.rows}")
    last = {table.name: table.last_id for table in manifest.tables if table.last_id is not None}
    target.hand_out_after(last)
    target.check()
    versions.migrate_on()
    epoch = _new_epoch()
    _check_rooms(manifest.heads)
    in_use = target.last_ids()
    for name, last_id in in_use.items():
        last[name] = max(last_id, last.get(name, 0))
    target.hand_out_after({name: last_id + LEFT_OUT for name, last_id in last.items()})
    return epoch


def _check_tables(saved: Iterable[Table], there: Mapping[str, Sequence[str]]) -> None:
    """The names in a backup are those of tables and columns, and nothing else goes into SQL."""
    if not there:
        raise BackupError("the backup says of no migration that it was applied")
    for table in saved:
        if table.name not in there:
            raise BackupError(f"this version has no table {table.name!r}")
        for column in table.columns:
            if column not in there[table.name]:
                raise BackupError(f"the table {table.name} has no column {column!r}")
        if not table.columns or len(table.columns) != len(set(table.columns)):
            raise BackupError(f"the backup names columns of {table.name} twice, or none")


def _check_rooms(heads: dict[str, int]) -> None:
    """Each room's log is whole. What was wrong before it was saved is told, and kept."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_ROOMS)
        for slug, head, count, last in cursor.fetchall():
            if head != heads.get(slug):
                raise BackupError(f"the room {slug} has the head {head}, not {heads.get(slug)}")
            if not head == count == last:
                Progress.say(f"The log of {slug} had a gap when it was saved: see tertulia doctor")


_ROOMS = (
    "SELECT r.slug, r.head, COALESCE(e.count, 0), COALESCE(e.last, 0) FROM tertulia_chat_room r"
    " LEFT JOIN (SELECT room_id, COUNT(*) AS count, MAX(seq) AS last FROM tertulia_chat_event"
    " GROUP BY room_id) e ON e.room_id = r.id"
)


@contextmanager
def _opened(source: str, folder: Path) -> Iterator[IO[bytes]]:
    if source == "-":
        # It is read more than once.
        with tempfile.TemporaryFile(dir=folder) as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
            yield file
        return
    try:
        opened = open(source, "rb")  # noqa: SIM115
    except OSError as error:
        raise SettingsError(f"cannot read {source}: {error.strerror or error}") from error
    with opened:
        if not os.path.isfile(source):
            raise SettingsError(f"{source} is no file")
        yield opened
