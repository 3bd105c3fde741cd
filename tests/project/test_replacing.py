"""What a backup and a restore replace: other backups unasked, and an installation that people use
after a question, where somebody sits at a terminal."""

from __future__ import annotations

import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tertulia.testing.server import clean_environment

from .conftest import Run, check_refused

QUESTION = "This replaces 2 people, 0 rooms and 0 messages with what was saved on "
REPLACED = "in the place of 2 people, 0 rooms and 0 messages."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a backup, made of ana alone, and the installation, to which bea came later."""
    folder = tmp_path_factory.mktemp("made")
    for words in (["createuser", "ana"], ["backup", "saved"], ["createuser", "bea"]):
        subprocess.run(
            [sys.executable, "-m", "tertulia", *words],
            env=clean_environment(TERTULIA_DATA=str(folder / "data")),
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of the test's own; its commands are `run`'s."""
    return Path(shutil.copytree(made, tmp_path, dirs_exist_ok=True))


def people(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "data" / "tertulia.sqlite3")) as database:
        return {name for (name,) in database.execute("SELECT username FROM auth_user")}


@contextmanager
def terminal(typed: bytes) -> Iterator[tuple[int, int]]:
    """A terminal at which this was typed: what shows its screen, and what a program is given."""
    screen, inside = pty.openpty()
    try:
        os.write(screen, typed)
        yield screen, inside
    finally:
        os.close(screen)
        with suppress(OSError):  # closed by `shown`
            os.close(inside)


def shown(screen: int, inside: int) -> str:
    """All that the screen has shown, when its programs have ended."""
    os.close(inside)
    text = b""
    with suppress(OSError):  # so its end is told
        while some := os.read(screen, 4096):
            text += some
    return text.decode(errors="replace")


def at_terminal(
    folder: Path, *arguments: str, typed: bytes = b"", data: str = "data"
) -> tuple[int, str]:
    """A command of somebody at a terminal: its exit status, and what the screen has shown."""
    with terminal(typed) as (screen, inside):
        ended = subprocess.run(
            [sys.executable, "-m", "tertulia", *arguments],
            env=clean_environment(TERTULIA_DATA=str(folder / data)),
            cwd=folder,
            stdin=inside,
            stdout=subprocess.PIPE,
            stderr=inside,
            timeout=60,
            start_new_session=True,
        )
        return ended.returncode, shown(screen, inside)


# Restoring over an installation in use


@pytest.mark.parametrize("typed", [b"y\n", b" YES \n"])
def test_whoever_agrees_at_a_terminal_restores(folder: Path, typed: bytes) -> None:
    status, text = at_terminal(folder, "restore", "saved", typed=typed)
    assert status == 0, text
    assert text.count(QUESTION) == 1
    assert "Replace them? [y/N]" in text
    assert REPLACED in text
    assert people(folder) == {"ana"}


@pytest.mark.parametrize("typed", [b"\n", b"n\n", b"yet\n", b"\xff\n", b"\x04"])
def test_any_other_answer_changes_nothing(folder: Path, typed: bytes) -> None:
    status, text = at_terminal(folder, "restore", "saved", typed=typed)
    assert status == 2, text
    assert QUESTION in text
    assert text.strip().endswith("tertulia: not restored: nothing was changed")
    assert people(folder) == {"ana", "bea"}


def test_with_force_nobody_is_asked(folder: Path) -> None:
    status, text = at_terminal(folder, "restore", "saved", "--force")
    assert status == 0, text
    assert "?" not in text
    assert REPLACED in text
    assert people(folder) == {"ana"}


def test_into_a_new_installation_nobody_is_asked(folder: Path) -> None:
    status, text = at_terminal(folder, "restore", "saved", data="other")
    assert status == 0, text
    assert "?" not in text
    assert "in the place of" not in text


@pytest.mark.parametrize("seen", [True, False])
def test_who_cannot_answer_or_see_the_question_is_not_asked(folder: Path, *, seen: bool) -> None:
    """Only one of standard input and standard error is a terminal."""
    with terminal(b"n\n") as (screen, inside):
        ended = subprocess.run(
            [sys.executable, "-m", "tertulia", "restore", "saved"],
            env=clean_environment(TERTULIA_DATA=str(folder / "data")),
            cwd=folder,
            stdin=subprocess.DEVNULL if seen else inside,
            stdout=subprocess.PIPE,
            stderr=inside if seen else subprocess.PIPE,
            timeout=60,
            start_new_session=True,
        )
        text = shown(screen, inside) if seen else ended.stderr.decode()
    assert ended.returncode == 0, text
    assert "?" not in text
    assert REPLACED in text
    assert people(folder) == {"ana"}


def test_without_a_terminal_it_goes_ahead_and_says_what_it_replaced(folder: Path, run: Run) -> None:
    ended = run("restore", "saved")
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Restored what was saved on ")
    assert line.endswith(REPLACED)
    assert people(folder) == {"ana"}


def test_a_damaged_database_is_replaced_too(folder: Path, run: Run) -> None:
    file = folder / "data" / "tertulia.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        ((size,),) = database.execute("PRAGMA page_size")
        query = "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'tertulia_chat_message'"
        pages = [page for (page,) in database.execute(query)]
    with file.open("r+b") as written:
        for page in pages:
            written.seek((page - 1) * size)
            written.write(b"\xff" * size)
    ended = run("restore", "saved")
    assert ended.returncode == 0, ended.stderr
    assert "that cannot be counted (" in ended.stderr
    assert people(folder) == {"ana"}


# Saving to a file that is there


def saved_people(file: Path) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.read("tables/auth_user")


@pytest.mark.parametrize("before", ["backup", "empty", "link"])
def test_a_backup_and_an_empty_file_are_replaced(folder: Path, run: Run, before: str) -> None:
    file, named = folder / "saved", folder / "saved"
    file.chmod(0o644)
    assert b"bea" not in saved_people(file)
    if before == "empty":
        file.write_bytes(b"")
    elif before == "link":
        named = folder / "link"
        named.symlink_to("saved")
    old = os.stat(file).st_ino
    ended = run("backup", named.name)
    assert ended.returncode == 0, ended.stderr
    assert b"bea" in saved_people(file)
    found = os.stat(file)
    assert found.st_mode & 0o777 == 0o600
    assert found.st_ino != old, "it was written into, and not put in the other's place"
    assert named.is_symlink() == (before == "link")
    assert [path.name for path in folder.iterdir() if "unfinished" in path.name] == []


def test_what_is_neither_is_replaced_by_force_only(folder: Path, run: Run) -> None:
    notes, half, other = folder / "notes", folder / "half", folder / "other"
    notes.write_bytes(b"notes")
    half.write_bytes((folder / "saved").read_bytes()[:-100])
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("manifest.json", '{"format": 1, "version": "2.0"}')
    for file in (notes, half, other):
        before = file.read_bytes()
        check_refused(run("backup", file.name), file.name, "there already", "--force")
        assert file.read_bytes() == before
    ended = run("backup", "notes", "--force")
    assert ended.returncode == 0, ended.stderr
    assert b"bea" in saved_people(notes)


def test_what_is_no_regular_file_is_refused(folder: Path, run: Run) -> None:
    os.mkfifo(folder / "pipe")
    check_refused(run("backup", "pipe"), "pipe is no regular file")
    assert (folder / "pipe").is_fifo()
    check_refused(run("backup", "/dev/null"), "/dev/null is no regular file")


_MEANWHILE = """
import sys
from pathlib import Path
from tertulia.cli import main
from tertulia.project.backup.uploads import Saving

class Slow(Saving):
    def all(self):
        Path("new").write_text("notes")
        super().all()

sys.modules["tertulia.project.backup.save"].Saving = Slow
sys.exit(main(["backup", "new"]))
"""


def test_what_comes_under_that_name_meanwhile_is_kept(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _MEANWHILE],
        env=clean_environment(TERTULIA_DATA=str(folder / "data")),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    check_refused(ended, "new", "there already")
    assert (folder / "new").read_text() == "notes"
