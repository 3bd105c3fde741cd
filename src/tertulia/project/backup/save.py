"""`tertulia backup FILE`."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from tertulia import __version__
from tertulia.project import startup
from tertulia.project.environment import Environment, SettingsError

from . import database
from .archive import FORMAT, KEY, TABLES, Archive, BackupError, Manifest, Saved, Table
from .key import own_key
from .progress import Progress, failures, many, step_back, tidy
from .uploads import Saving, sync_folder
from .versions import newer_ones

# Which files rows refer to: a backup has them all.
_REFERRED = "SELECT picture FROM tertulia_chat_participant WHERE picture <> ''"
# Times that the snapshot is taken anew since a picture was replaced in between.
TRIES = 5


def save(env: Environment, target: str, *, force: bool) -> int:
    """Write all that the installation knows to a file, or to standard output for `-`."""
    # Nothing is migrated: before an upgrade the database may be older than this version.
    startup.load(env)
    step_back()
    with tidy(), failures(env), _opened(target, force) as file:
        progress = Progress("saved")
        archive = Archive(file)
        try:
            manifest = _fill(env, archive, progress)
            archive.close(manifest)
        except BaseException:
            archive.abandon()
            raise
    rooms = many(len(manifest.heads), "room")
    messages = many(_rows(manifest, "tertulia_chat_message"), "message")
    name = "standard output" if target == "-" else target
    progress.say(f"{name}: {rooms}, {messages}, {many(progress.files, 'upload')}")
    return 0


def _fill(env: Environment, archive: Archive, progress: Progress) -> Manifest:
    from django.conf import settings

    uploads = Saving(Path(settings.MEDIA_ROOT), archive)
    if (key := own_key(env)) is not None:
        archive.add(KEY, [key])
    # Before the snapshot those that are there, after it those that have come meanwhile: whatever
    # the snapshot refers to was there at one of the two.
    uploads.all()
    for attempt in range(TRIES):
        with database.snapshot() as snapshot:
            made = datetime.now(UTC)
            migrations = _migrations(snapshot)
            uploads.all()
            referred = {name for (name,) in snapshot.query(_REFERRED)} if migrations else set()
            if not referred <= uploads.saved and attempt + 1 < TRIES:
                continue  # it was replaced in this very moment
            if missing := len(referred - uploads.saved):
                progress.say(
                    f"Warning: {missing} pictures that people refer to are not there: the backup"
                    " is without them"
                )
            progress.files = len(uploads.saved)
            tables = [_save_table(snapshot, archive, name, progress) for name in database.tables()]
            return Manifest(
                format=FORMAT,
                made=made.isoformat(timespec="seconds"),
                version=__version__,
                database=snapshot.kind,
                epoch=next((epoch for (epoch,) in snapshot.query(_EPOCH)), None),
                migrations=migrations,
                tables=tables,
                heads=dict(snapshot.query("SELECT slug, head FROM tertulia_chat_room")),
                parts=archive.parts,
            )
    raise AssertionError("unreachable")


_EPOCH = "SELECT epoch FROM tertulia_chat_installation"


def _migrations(snapshot: Any) -> list[tuple[str, str]]:
    recorded = snapshot.query("SELECT app, name FROM django_migrations ORDER BY id")
    migrations = [(str(app), str(name)) for app, name in recorded]
    newer = newer_ones(migrations)
    if newer:
        raise SettingsError(
            "the database belongs to a newer Tertulia, and only that can save all of it"
            f" (migration {'.'.join(newer[0])})"
        )
    return migrations


def _save_table(snapshot: Any, archive: Archive, name: str, progress: Progress) -> Table:
    columns = snapshot.columns(name)
    ((count,),) = snapshot.query(f'SELECT COUNT(*) FROM "{name}"')  # noqa: S608
    archive.add(TABLES + name, progress.watched(snapshot.rows(name, columns), name))
    return Table(name, columns, int(count), snapshot.last_ids().get(name))


def _rows(manifest: Manifest, name: str) -> int:
    return next((table.rows for table in manifest.tables if table.name == name), 0)


@contextmanager
def _opened(target: str, force: bool) -> Iterator[IO[bytes]]:
    """What to write to. A file has its name only once all of it is on the disk."""
    if target == "-":
        if sys.stdout.isatty():
            raise SettingsError("a backup is nothing for a terminal: name a file, or add > FILE")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    named = Path(target).absolute()
    if named.is_dir():
        raise SettingsError(f"{target} is a folder: name a file")
    if not force:
        _spare(named, target)
    # A link stays one: the file that it leads to is replaced.
    path = Path(os.path.realpath(named))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not force:  # another file may have come under that name meanwhile
            _spare(path, target)
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _spare(path: Path, target: str) -> None:
    """Raises SettingsError where something is there that is neither empty nor a backup."""
    if not path.exists():
        return
    if not path.is_file():
        raise SettingsError(
            f"{target} is no regular file: name another one, or - for standard output"
        )
    if path.stat().st_size and not _is_backup(path):
        raise SettingsError(
            f"{target} is there already, and is no backup that this version reads:"
            " choose another name, or add --force"
        )


def _is_backup(path: Path) -> bool:
    """Whether a file is one of ours, by its manifest; its parts are not compared with it."""
    try:
        with path.open("rb") as file:
            Saved(file, str(path))
    except (BackupError, OSError):
        return False
    return True
