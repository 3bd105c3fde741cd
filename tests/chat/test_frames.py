"""Bad input of every kind: one clear answer, and the connection stays open."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tertulia.testing.client import Client
from tests.support.people import Person
from tests.support.shapes import check_error

FRAME = 131_072
DEEP = 10_000


async def still_there(client: Client) -> None:
    """The connection works and nothing else came."""
    await client.cmd("ping")
    assert client.inbox == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "hola",
        "{",
        '{"type":"ping","ref":1',
        "[]",
        '[{"type":"ping","ref":1}]',
        "1",
        "null",
        "true",
        '"ping"',
        '{"type":"ping","ref":NaN}',
        '{"type":"ping","ref":Infinity}',
        "{'type':'ping','ref':1}",
        '{"type":"ping","ref":1}{"type":"ping","ref":2}',
        "[" * DEEP + "]" * DEEP,
    ],
    ids=lambda text: text[:32] or "empty",
)
async def test_what_is_no_json_object_is_a_bad_frame(ana: Person, text: str) -> None:
    client = await ana.connect()
    check_error(await client.raw(text), "bad_frame")
    await still_there(client)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "ping"},
        {"type": "ping", "ref": None},
        {"type": "ping", "ref": True},
        {"type": "ping", "ref": []},
        {"type": "ping", "ref": {"a": 1}},
        {"ref": None},
        {},
    ],
    ids=json.dumps,
)
async def test_what_has_no_ref_is_a_bad_frame(ana: Person, frame: dict[str, Any]) -> None:
    client = await ana.connect()
    check_error(await client.raw(frame), "bad_frame")
    await still_there(client)


@pytest.mark.parametrize("ref", [0, -1, 7, 2**53, 1.5, "", "a", "ñandú 🦤", "x" * 500])
async def test_a_ref_comes_back_as_it_was(ana: Person, ref: Any) -> None:
    client = await ana.connect()
    reply = await client.raw({"type": "ping", "ref": ref}, ref)
    assert reply["ok"] is True
    assert type(reply["ref"]) is type(ref)


@pytest.mark.parametrize("type_", ["", "pong", "room.burn", "PING", "ping ", "__class__"])
async def test_an_unknown_command_is_told_with_its_ref(ana: Person, type_: str) -> None:
    client = await ana.connect()
    check_error(await client.request(type_), "unknown_command")
    await still_there(client)


@pytest.mark.parametrize("type_", [None, 1, ["ping"], {"ping": 1}])
async def test_a_type_that_is_no_text_is_refused(ana: Person, type_: Any) -> None:
    client = await ana.connect()
    reply = await client.raw({"type": type_, "ref": 1}, 1)
    assert reply["error"]["code"] in ("unknown_command", "invalid", "bad_frame")
    await still_there(client)


async def test_unknown_fields_are_ignored(ana: Person) -> None:
    client = await ana.connect()
    await client.cmd("ping", colour="blue", deep={"a": [1, {"b": None}]})


async def test_depth_in_an_unknown_field_harms_nobody(ana: Person) -> None:
    client = await ana.connect()
    text = '{"type":"ping","ref":"deep","x":' + "[" * DEEP + "]" * DEEP + "}"
    await client.send(text)
    reply = await client.expect("reply")
    assert reply["ok"] is True or reply["error"]["code"] in ("bad_frame", "invalid")
    await still_there(client)


async def test_depth_in_a_known_field_is_refused_by_its_name(ana: Person) -> None:
    client = await ana.connect()
    for inner in ("[", "]"), ('{"a":', "}"):
        deep = inner[0] * 600 + "1" + inner[1] * 600
        await client.send(
            '{"type":"message.send","ref":"deep","room":"lobby","key":"k","text":"x",'
            f'"attachments":{deep}}}'
        )
        reply = await client.expect("reply", ref="deep")
        assert (reply["error"]["code"], reply["error"]["field"]) == ("invalid", "attachments")
    await still_there(client)


WRONG = [
    ("message.send", "room", 5),
    ("message.send", "room", ["lobby"]),
    ("message.send", "room", {"a": 1}),
    ("message.send", "room", None),
    ("message.send", "text", 5),
    ("message.send", "text", ["hola"]),
    ("message.send", "text", {"hola": 1}),
    ("message.send", "text", None),
    ("message.send", "text", True),
    ("message.send", "text", ""),
    ("message.send", "text", "  \n\t "),
    ("message.send", "text", "a\x00b"),
    ("message.send", "key", "not-a-uuid"),
    ("message.send", "key", 7),
    ("message.send", "key", None),
    ("message.send", "key", ""),
    ("message.send", "reply_to", "1"),
    ("message.send", "reply_to", -1),
    ("message.send", "reply_to", 1.5),
    ("message.send", "reply_to", 10**30),
    ("message.send", "attachments", "x"),
    ("message.edit", "seq", "1"),
    ("message.edit", "seq", [1]),
    ("message.edit", "seq", 1.5),
    ("message.edit", "text", " "),
    ("message.edit", "text", "\x00"),
    ("message.edit", "version", "x"),
    ("message.delete", "seq", None),
    ("reaction.add", "emoji", ""),
    ("reaction.add", "emoji", 1),
    ("reaction.add", "emoji", "👍" * 500),
    ("reaction.add", "emoji", "\x00"),
    ("read.mark", "seq", -1),
    ("read.mark", "seq", "1"),
    ("read.mark", "seq", 10**30),
    ("read.mark", "seq", 1e300),
    ("history.list", "limit", 0),
    ("history.list", "limit", 101),
    ("history.list", "limit", -1),
    ("history.list", "limit", "50"),
    ("history.list", "limit", 10**30),
    ("history.list", "limit", True),
    ("history.list", "after", -1),
    ("history.list", "around", "1"),
    ("room.subscribe", "after", -1),
    ("room.subscribe", "after", "0"),
    ("room.subscribe", "after", 1.5),
    ("room.subscribe", "limit", 0),
    ("room.list", "limit", 1000),
    ("room.list", "cursor", 5),
    ("room.create", "key", "1"),
    ("room.create", "kind", "castle"),
    ("room.create", "kind", 1),
    ("room.create", "name", 1),
    ("room.create", "name", "\x00"),
    ("room.create", "name", "x" * 5000),
    ("room.create", "members", "bea"),
    ("room.create", "members", [1]),
    ("room.update", "name", 1),
    ("room.update", "topic", ["x"]),
    ("room.update", "topic", "\x00"),
    ("room.update", "topic", "x" * 50_000),
    ("room.update", "archived", "yes"),
    ("room.update", "archived", 1),
    ("member.add", "member", 1),
    ("member.role", "role", "king"),
    ("member.role", "role", 1),
    ("member.list", "limit", 0),
    ("person.find", "text", 1),
]
GOOD: dict[str, dict[str, Any]] = {
    "message.send": {"key": "1f0f9d3e-0000-4000-8000-000000000001", "text": "hola"},
    "message.edit": {"seq": 2, "text": "hola"},
    "message.delete": {"seq": 2},
    "reaction.add": {"seq": 2, "emoji": "👍"},
    "read.mark": {"seq": 1},
    "history.list": {"after": 0},
    "room.subscribe": {},
    "room.list": {},
    "room.create": {"key": "1f0f9d3e-0000-4000-8000-000000000002", "name": "X", "kind": "public"},
    "room.update": {},
    "member.add": {"member": "nobody"},
    "member.role": {"member": "nobody", "role": "member"},
    "member.list": {},
    "person.find": {"text": "a"},
}


@pytest.mark.parametrize(("command", "field", "value"), WRONG)
async def test_a_wrong_value_is_invalid_and_its_field_named(
    ana: Person, command: str, field: str, value: Any
) -> None:
    client = await ana.connect()
    room = await client.create("A room for nonsense")
    await client.say(room, "the message of seq 2")
    fields = {"room": room, **GOOD[command], field: value}
    error = check_error(await client.request(command, **fields), "invalid")
    assert error["field"] == field
    await client.cmd("ping")


@pytest.mark.parametrize(
    ("command", "field", "value"),
    [
        ("message.send", "text", r"\ud800"),
        ("message.send", "text", r"ok \udfff ok"),
        ("message.edit", "text", r"\udc00\ud800"),
        ("room.create", "name", r"\ud800"),
        ("room.update", "topic", r"\ud800"),
        ("reaction.add", "emoji", r"\ud83d"),
    ],
)
async def test_a_lone_surrogate_is_invalid(
    ana: Person, command: str, field: str, value: str
) -> None:
    client = await ana.connect()
    room = await client.create("A room for surrogates")
    fields = {"type": command, "ref": "s", "room": room, **GOOD[command]}
    fields.pop(field, None)
    text = json.dumps(fields)[:-1] + f',"{field}":"{value}"}}'
    error = check_error(await client.raw(text, "s"), "invalid")
    assert error["field"] == field
    await client.cmd("ping")


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ("message.send", "room"),
        ("message.send", "key"),
        ("message.send", "text"),
        ("message.edit", "seq"),
        ("room.create", "key"),
        ("member.role", "role"),
        ("read.mark", "seq"),
        ("reaction.add", "emoji"),
    ],
)
async def test_a_missing_field_is_invalid_and_named(ana: Person, command: str, field: str) -> None:
    client = await ana.connect()
    room = await client.create("A room for gaps")
    fields = {"room": room, **GOOD[command]}
    del fields[field]
    assert check_error(await client.request(command, **fields), "invalid")["field"] == field


@pytest.mark.parametrize("value", [r'"\ud800"', "1e400", r'{"\udc00": ["\ud800"]}'])
async def test_what_a_field_that_nobody_knows_holds_is_ignored(ana: Person, value: str) -> None:
    client = await ana.connect()
    reply = await client.raw('{"type":"ping","ref":"u","x":' + value + "}", "u")
    assert reply["ok"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "0x10", "01"])
async def test_numbers_that_json_does_not_have(ana: Person, number: str) -> None:
    client = await ana.connect()
    await client.send('{"type":"history.list","ref":"n","room":"x","limit":' + number + "}")
    reply = await client.expect("reply")
    assert reply["error"]["code"] in ("bad_frame", "invalid")
    await still_there(client)


async def test_a_text_of_10000_code_points_is_taken(talk: Any) -> None:
    text = "😀" * 10_000
    await talk.ana.say(talk.room, text)
    event = await talk.bea.expect("message.created")
    assert event["message"]["text"] == text


async def test_a_text_of_10001_code_points_is_too_large(talk: Any) -> None:
    reply = await talk.ana.request(
        "message.send", room=talk.room, key=GOOD["message.send"]["key"], text="a" * 10_001
    )
    check_error(reply, "too_large")


def padded(size: int) -> str:
    """A ping of that many bytes."""
    frame = '{"type":"ping","ref":1,"x":"'
    return frame + "a" * (size - len(frame) - 2) + '"}'


async def test_a_frame_of_128_kib_is_taken(ana: Person) -> None:
    client = await ana.connect()
    reply = await client.raw(padded(FRAME), 1)
    assert reply["ok"] is True


async def test_a_frame_of_128_kib_and_one_byte_closes_with_1009(ana: Person) -> None:
    client = await ana.connect()
    await client.send(padded(FRAME + 1))
    assert (await client.closing()).code == 1009


async def test_fragments_that_grow_beyond_128_kib_close_with_1009(ana: Person) -> None:
    client = await ana.connect()

    async def fragments() -> Any:
        for _ in range(40):
            yield "a" * 4096

    # The server may close under our hands, which is just what is due.
    with contextlib.suppress(ConnectionClosed):
        await client.socket.send(fragments())
    assert (await client.closing()).code == 1009


async def test_a_frame_in_fragments_is_read_as_one(ana: Person) -> None:
    client = await ana.connect()
    await client.socket.send(['{"type":"pi', 'ng","re', 'f":"parts"}'])
    assert (await client.expect("reply", ref="parts"))["ok"] is True


async def test_a_binary_frame_closes_with_4400(ana: Person) -> None:
    client = await ana.connect()
    await client.send(b'{"type":"ping","ref":1}')
    assert (await client.closing()).code == 4400


async def test_a_frame_that_is_not_utf8_closes_with_1007(ana: Person) -> None:
    client = await ana.connect()
    await client.socket.send(b'{"type":"ping","ref":"\xff\xfe"}', text=True)
    assert (await client.closing()).code == 1007


async def test_the_trouble_of_one_connection_is_not_anothers(talk: Any) -> None:
    await talk.ana.send(b"binary")
    await talk.ana.closing()
    await talk.bea.say(talk.room, "still here")
    await talk.bea.expect("message.created")
