"""The demo: a site that looks used, made once, and kept."""

from __future__ import annotations

import datetime
import json
import random
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tertulia.project.demo.cast import CAST
from tertulia.project.demo.script import Reader, ScriptError
from tertulia.testing.server import Server, clean_environment
from tests import ROOT
from tests.support.browser import Browser
from tests.support.demo import fill

NOW = datetime.datetime(2026, 3, 12, 11, 0, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site as the demo leaves it, with a short long room."""
    made = tmp_path_factory.mktemp("demo")
    fill(made, "--history", "120")
    return made


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Server]:
    server = Server(data=folder).start()
    yield server
    server.remove()


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "tertulia.sqlite3")) as database:
        return database.execute(query).fetchall()


def password(folder: Path) -> str:
    return (folder / "demo-password").read_text()


@pytest.mark.parametrize("name", ["ana", "mateo"])
def test_everybody_signs_in_with_the_password_that_is_printed(
    site: Server, folder: Path, name: str
) -> None:
    told = fill(folder)
    assert password(folder) in told
    assert name in told
    browser = Browser(site.url)
    browser.sign_in(name, password(folder))
    assert browser.signed_in


def test_the_password_is_nobody_elses_to_read(folder: Path) -> None:
    assert stat.S_IMODE((folder / "demo-password").stat().st_mode) == 0o600


def test_rooms_of_every_kind_with_talk_in_both_languages(folder: Path) -> None:
    kinds = [kind for (kind,) in rows(folder, "SELECT kind FROM tertulia_chat_room")]
    assert kinds.count("public") >= 6
    assert kinds.count("private") >= 2
    assert kinds.count("direct") >= 4
    assert rows(folder, "SELECT count(*) FROM tertulia_chat_room WHERE archived") == [(1,)]
    texts = " ".join(text for (text,) in rows(folder, "SELECT text FROM tertulia_chat_message"))
    for word in (" the ", " los ", "```", "| --- |", "مرحباً"):
        assert word in texts


def test_it_happened_over_five_weeks_and_in_order(folder: Path) -> None:
    times = rows(folder, "SELECT min(sent_at), max(sent_at) FROM tertulia_chat_message")[0]
    first, last = (datetime.datetime.fromisoformat(time) for time in times)
    assert (last - first).days >= 30
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    assert now - last < datetime.timedelta(hours=2)
    assert last <= now
    for room, events in _events(folder).items():
        assert [seq for seq, _ in events] == list(range(1, len(events) + 1)), room
        assert [at for _, at in events] == sorted(at for _, at in events), room


def _events(folder: Path) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    for room, seq, at in rows(
        folder, "SELECT room_id, seq, at FROM tertulia_chat_event ORDER BY seq"
    ):
        found.setdefault(room, []).append((seq, at))
    return found


def test_nothing_is_said_twice(folder: Path) -> None:
    said = rows(
        folder,
        "SELECT text FROM tertulia_chat_message WHERE length(text) > 20 GROUP BY text"
        " HAVING count(*) > 1",
    )
    assert said == []


def test_ana_has_something_unread_and_somebody_named_her(folder: Path) -> None:
    unread = rows(
        folder,
        "SELECT count(*) FROM tertulia_chat_membership m"
        " JOIN tertulia_chat_room r ON r.id = m.room_id"
        " JOIN tertulia_chat_participant p ON p.id = m.participant_id"
        " WHERE p.name = 'Ana' AND r.messages > m.read_number",
    )[0][0]
    assert 3 <= unread <= 6
    mentions = rows(
        folder,
        "SELECT count(*) FROM tertulia_chat_mention m"
        " JOIN tertulia_chat_participant p ON p.id = m.participant_id"
        " WHERE p.name = 'Ana' AND NOT m.read",
    )[0][0]
    assert mentions >= 2


def test_replies_reactions_edits_and_deletions_are_there(folder: Path) -> None:
    for query in (
        "SELECT count(*) FROM tertulia_chat_message WHERE reply_to IS NOT NULL",
        "SELECT count(*) FROM tertulia_chat_reaction",
        "SELECT count(*) FROM tertulia_chat_message WHERE edited_at IS NOT NULL",
        "SELECT count(*) FROM tertulia_chat_message WHERE deleted",
        "SELECT count(*) FROM tertulia_chat_membership WHERE favourite",
    ):
        assert rows(folder, query)[0][0] >= 1, query


def test_visitors_wait_at_the_desk_and_many_were_answered(folder: Path) -> None:
    status = "SELECT count(*) FROM tertulia_support_conversation WHERE "
    for which, least in (
        ("status = 'open' AND agent_id IS NULL AND waiting_since IS NOT NULL", 2),
        ("status = 'open' AND agent_id IS NOT NULL", 2),
        ("status = 'snoozed'", 1),
        ("status = 'resolved' AND first_reply_at IS NOT NULL", 30),
        ("rating >= 4", 10),
        ("rating < 4", 1),
    ):
        assert rows(folder, status + which)[0][0] >= least, which
    notes = "SELECT count(*) FROM tertulia_chat_message WHERE room_id IN"
    assert rows(folder, f"{notes} (SELECT notes_id FROM tertulia_support_conversation)")[0][0] >= 3
    # What was never said is mailed to nobody.
    assert rows(folder, status + "mail_at IS NOT NULL") == [(0,)]


def test_the_inbox_is_there_for_who_answers_and_for_the_example(site: Server, folder: Path) -> None:
    browser = Browser(site.url)
    browser.sign_in("ana", password(folder))
    page = "/support/-/inbox/"
    assert page in fill(folder)
    assert "Biblioteca" in browser.get(f"{page}figures/").text
    sites = json.loads(rows(folder, "SELECT sites FROM tertulia_support_inbox")[0][0])
    assert "http://localhost:9000" in sites


def test_a_second_start_keeps_what_is_there(folder: Path) -> None:
    before = rows(folder, "SELECT count(*) FROM tertulia_chat_event"), password(folder)
    fill(folder, "--history", "500")
    assert (rows(folder, "SELECT count(*) FROM tertulia_chat_event"), password(folder)) == before


def test_the_same_talk_every_time(folder: Path, tmp_path: Path) -> None:
    fill(tmp_path, "--history", "120")
    query = "SELECT room_id, seq, author_id, text FROM tertulia_chat_message ORDER BY room_id, seq"
    assert rows(tmp_path, query) == rows(folder, query)


def test_a_site_that_somebody_uses_is_left_alone(tmp_path: Path) -> None:
    server = Server(data=tmp_path)
    server.createuser("root", admin=True)
    assert "nothing was added" in fill(tmp_path)
    assert rows(tmp_path, "SELECT count(*) FROM tertulia_chat_room") == [(0,)]
    assert not (tmp_path / "demo-password").exists()
    server.remove()


def test_fewer_days_leave_out_what_is_older(tmp_path: Path) -> None:
    fill(tmp_path, "--days", "7", "--history", "0")
    (first,) = rows(tmp_path, "SELECT min(sent_at) FROM tertulia_chat_message")[0]
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(f"{first}+00:00")
    assert age.days <= 8


@pytest.mark.parametrize("arguments", [["--days", "0"], ["--history", "many"], ["--data"]])
def test_a_wrong_argument_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [str(ROOT / "bin" / "demo"), *arguments],
        env=clean_environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


SCRIPT = """name: Kitchen
kind: public
owner: ana

## -3 10:00
ana: Soup?
    With bread.

    And salt.
bruno ^1: Yes.
  + 🥣 ana carmen
  ~ Yes!
... 2h
carmen: Cold now.
  x
---
"""


def read(text: str) -> Any:
    return Reader("room", NOW, 35, random.Random(1)).read(text)


def test_a_script_says_what_happens() -> None:
    room = read(SCRIPT)
    assert room.head == {"name": "Kitchen", "kind": "public", "owner": "ana"}
    assert {(act.kind, act.who) for act in room.acts} == {
        *(("say", "ana"), ("say", "bruno"), ("react", "ana"), ("react", "carmen")),
        *(("edit", "bruno"), ("say", "carmen"), ("delete", "carmen"), ("read", "")),
    }
    assert [act.at for act in room.acts] == sorted(act.at for act in room.acts)
    soup, answer = room.acts[0].line, room.acts[1].line
    assert soup.text == "Soup?\nWith bread.\n\nAnd salt."
    assert answer.reply_to is soup
    assert room.acts[-1].at - room.acts[1].at > datetime.timedelta(hours=2)


@pytest.mark.parametrize(
    "line", ["nobody: hello", "ana ^1: to nothing", "  + 🥣 nobody", "ana hello"]
)
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(ScriptError, match="room, line 2"):
        read(f"## -3 10:00\n{line}\n")


def test_the_cast_is_of_several_zones_and_both_languages() -> None:
    assert len(CAST) == 14
    assert len({character.time_zone for character in CAST}) >= 5
    assert {"en", "es"} <= {character.language for character in CAST}
