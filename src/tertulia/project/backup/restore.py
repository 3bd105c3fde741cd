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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tertulia.project import datafolder, startup
from tertulia.project.environment import Environment, SettingsError

from . import database, versions
from .archive import TABLES, BackupError, Saved
from .progress import Progress, failures, tidy
from .uploads import Putting

# Where one of these has a row, somebody uses the site already.
_USED = ("auth_user", "tertulia_chat_participant", "tertulia_chat_room")
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
    """Put a backup in the place of what is there; from standard input for `-`."""
    startup.load(env)
    with tidy(), failures(env), _opened(source, env.data) as file:
        name = "standard input" if source == "-" else source
        saved = Saved(file, name)
        _refuse_newer(saved, name)
        target = database.target()
        if not force and not target.is_empty(_USED):
            raise SettingsError(
                "people use this installation already: to replace all that it has, add --force"
            )
        saved.verify()
        # Nobody else restores or migrates meanwhile; servers that start wait.
        with startup.alone(env):
            _restore(env, saved, target, Progress("restored"))
        _tell_of_key(env, saved)
    manifest = saved.manifest
    Progress.say(
        f"Restored what was saved on {manifest.made} by Tertulia {manifest.version}"
        f" ({manifest.database}): {len(manifest.heads)} rooms, {len(saved.uploads)} uploads."
    )
    return 0


def _refuse_newer(saved: Saved, name: str) -> None:
    newer = versions.newer_ones(saved.manifest.migrations)
    if newer:
        raise SettingsError(
            f"{name} was saved by a newer Tertulia ({saved.manifest.version}, migration"
            f" {'.'.join(newer[0])}): install that first"
        )


def _restore(env: Environment, saved: Saved, target: Any, progress: Progress) -> None:
    from django.conf import settings

    uploads = Putting(Path(settings.MEDIA_ROOT), saved)
    try:
        with target.building():
            _build(saved, target, progress)
            uploads.all()
            target.replace()
    except BaseException:
        uploads.undo()
        raise
    _put_key(env, saved)
    uploads.remove_foreign()


def _build(saved: Saved, target: Any, progress: Progress) -> None:
    manifest = saved.manifest
    versions.migrate_to(manifest.migrations)
    there = set(database.tables())
    target.empty(sorted(there))
    for table in manifest.tables:
        if table.name not in there:
            raise BackupError(f"this version has no table {table.name}")
        chunks = progress.watched(saved.chunks(TABLES + table.name), table.name)
        rows = target.load(table.name, table.columns, chunks)
        if rows != table.rows:
            raise BackupError(f"{table.name} has {rows} rows in place of {table.rows}")
    last = {table.name: table.last_id for table in manifest.tables if table.last_id is not None}
    target.hand_out_after(last)
    target.check()
    versions.migrate_on()
    _new_epoch()
    _check_rooms(manifest.heads)
    in_use = target.last_ids()
    for name, last_id in in_use.items():
        last[name] = max(last_id, last.get(name, 0))
    target.hand_out_after({name: last_id + LEFT_OUT for name, last_id in last.items()})


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


def _put_key(env: Environment, saved: Saved) -> None:
    """The backup's key becomes the data folder's, unless one is given by other means."""
    key = saved.key
    path = env.data / datafolder.KEY_FILE
    if key is None or env.secret_key or env.secret_key_file:
        return
    if not path.exists() or path.read_text("utf-8").strip() != key:
        datafolder.write_key(path, key)


def _tell_of_key(env: Environment, saved: Saved) -> None:
    from django.conf import settings

    if saved.key is None:
        Progress.say("The backup holds no secret key: sign-ins hold if the one given is the same.")
    elif saved.key != settings.SECRET_KEY:
        if env.secret_key or env.secret_key_file:
            Progress.say("The secret key given is not the backup's: everybody signs in anew.")
        else:
            Progress.say("The backup's secret key was put back: restart servers that run.")


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
