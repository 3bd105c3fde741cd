"""`docs/protocol.md` says what the code does: its tables are current, its examples are valid."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tertulia.protocol import codec, commands, events
from tertulia.protocol.errors import Close, Code
from tertulia.protocol.reference import CLOSES, ERRORS, FRAMES, main, rewritten, sections

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
_EXAMPLES = re.compile(r"^```json\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What the parts of a result are; the rest are plain values.
_PARTS: dict[str, Any] = {
    "state": events.RoomState,
    "messages": list[events.Message],
    "members": list[events.Member],
    "rooms": list[events.MyRoom],
    "people": list[events.Person],
}


def frames_in(text: str) -> list[dict[str, Any]]:
    """Every frame of every example, in the order of the document."""
    found: list[dict[str, Any]] = []
    reader = json.JSONDecoder()
    for block in _EXAMPLES.findall(text):
        rest = block.strip()
        while rest:
            frame, end = reader.raw_decode(rest)
            found.append(frame)
            rest = rest[end:].lstrip()
    return found


def check_exact(value: Any, kind: Any) -> None:
    """`value` is a `kind` to the last field: it comes back as it was, nothing more or less."""
    assert msgspec.to_builtins(msgspec.convert(value, kind)) == value


def check_result(result: dict[str, Any]) -> None:
    for name, value in result.items():
        if name in _PARTS:
            check_exact(value, _PARTS[name])
    for event in result.get("events", []):
        check_exact(event, events.DURABLE[event["type"]])


def check_frame(frame: dict[str, Any]) -> None:
    """An example is what the server would take, or what it could have sent."""
    kind = frame.get("type")
    if kind is None:
        assert codec.decode_classic(json.dumps(frame)) == frame["message"]
    elif kind in commands.BY_TYPE:
        command = codec.decode(json.dumps(frame))
        known = {*command.__struct_fields__, "type"}
        assert set(frame) <= known
    elif kind == "reply":
        check_exact(frame, events.Reply if frame["ok"] else events.ErrorReply)
        check_result(frame.get("result", {}))
        assert frame["ok"] or frame["error"]["code"] in list(Code)
    else:
        check_exact(frame, FRAMES[kind][0])


def test_tables_are_current() -> None:
    assert rewritten(DOCUMENT.read_text()) == DOCUMENT.read_text()


@pytest.mark.parametrize("frame", frames_in(DOCUMENT.read_text()), ids=json.dumps)
def test_example_is_valid(frame: dict[str, Any]) -> None:
    check_frame(frame)


def test_every_event_has_an_example() -> None:
    shown = {frame.get("type") for frame in frames_in(DOCUMENT.read_text())}
    assert set(FRAMES) <= shown


def test_every_code_is_explained() -> None:
    assert set(ERRORS) == set(Code)
    assert set(CLOSES) == set(Close)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "message.send", "ref": 1, "room": "lobby", "text": "no key"},
        {"type": "ping", "ref": 1, "invented": True},
        {"type": "room.left"},
        {"type": "room.left", "room": "lobby", "invented": 1},
        {"type": "no.such.event", "room": "lobby"},
        {"type": "reply", "ref": 1, "ok": True, "result": {"people": [{"id": "only"}]}},
        {"type": "reply", "ref": 1, "ok": False, "error": {"code": "odd", "detail": ""}},
        {"type": "reply", "ref": 1, "ok": True, "result": {"events": [{"type": "room.left"}]}},
    ],
    ids=json.dumps,
)
def test_wrong_example_is_found(frame: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, KeyError, codec.ProtocolError, msgspec.ValidationError)):
        check_frame(frame)


def test_stale_table_is_rewritten(tmp_path: Path) -> None:
    current = DOCUMENT.read_text()
    copy = tmp_path / "protocol.md"
    copy.write_text(current.replace("| `limit` | integer (1 to 100) |", "| `limit` | integer |"))
    assert copy.read_text() != current
    assert main(["--check", str(copy)]) == 1
    assert main([str(copy)]) == 0
    assert copy.read_text() == current
    assert main(["--check", str(copy)]) == 0


def test_missing_part_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "protocol.md"
    copy.write_text(DOCUMENT.read_text().replace("<!-- generated: errors -->", ""))
    assert main(["--check", str(copy)]) == 1
    assert "'errors'" in capsys.readouterr().err


def test_part_of_every_command_and_event() -> None:
    names = set(sections())
    assert {f"command {tag}" for tag in commands.BY_TYPE} <= names
    assert {f"frame {tag}" for tag in events.DURABLE} <= names


def test_it_runs_as_a_command() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tertulia.protocol.reference", "--check", str(DOCUMENT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_wrong_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1
