"""Statement 12: every field of every command with values of every other type, over a real socket.

The fields and their types come from the protocol's own structures, so a new command is tried too.
`tests/chat/test_frames.py` has the single cases and the sizes, `tests/protocol/test_decoder.py` the
decoder by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tertulia.protocol.commands import BY_TYPE
from tertulia.testing.client import Client, Closed
from tests.support.people import Person

from .stage import frames

# JSON texts, since some of them no encoder would write.
VALUES = (
    *("null", "true", "false", "0", "-1", "1.5", "-0.0", "1e308", "1e400", "1e-400", "NaN"),
    *("Infinity", "-Infinity", "9" * 30, "-" + "9" * 400, "01", "0x10", "1_000"),
    *('""', '" "', '"\\u0000"', '"\\ud800"', '"\\udfff x"', '"\\ud83d\\ud83d"', '"[]"', '"{}"'),
    *("[]", "[[]]", "[null]", '["x"]', "[1]", "{}", '{"a":1}', '{"$ne":""}', '{"type":"ping"}'),
    *('{"id":"x","name":"x"}', "[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000),
    *('"' + "x" * 70_000 + '"', "[" + ",".join(["1"] * 20_000) + "]"),
)
REFUSED = {"bad_frame", "invalid", "unknown_command", "not_found", "conflict", "too_large",
           "forbidden"}  # fmt: skip


def whole(command: str) -> dict[str, Any]:
    """A frame that has every field right."""
    if command == "auth":
        return {"type": "auth", "token": "made-up"}
    found = next(frame for frame in frames() if frame["type"] == command)
    fields = {*BY_TYPE[command].__struct_fields__, "type", "ref"}
    return {name: value for name, value in found.items() if name in fields}


def broken(command: str) -> Iterator[tuple[str, str, str]]:
    """The field, the value and the frame, for each field and each value in it."""
    good = {name: json.dumps(value) for name, value in whole(command).items()}
    for name in (*BY_TYPE[command].__struct_fields__, "type"):
        for value in VALUES:
            fields = ",".join(f'"{key}":{text}' for key, text in {**good, name: value}.items())
            yield name, value, f"{{{fields}}}"


@pytest.mark.parametrize("command", sorted(set(BY_TYPE) - {"auth"}))
async def test_no_value_in_any_field_troubles_the_server(ana: Person, command: str) -> None:
    client = await ana.connect()
    sent = list(broken(command))
    for _, _, frame in sent:
        await client.send(frame)
    # One reply each; which is whose is told by the `ref` only where that is a good one.
    for number in range(len(sent)):
        reply = await client.expect("reply", seconds=30)
        assert reply["ok"] or reply["error"]["code"] in REFUSED, (number, reply)
    await client.cmd("ping")


async def test_no_value_in_a_token_troubles_the_server(ana: Person) -> None:
    """One that is none is invalid; one that is wrong closes, and that is all."""
    texts = [frame for name, _, frame in broken("auth") if name == "token"]

    async def attempt(text: str) -> tuple[str | None, int | None]:
        async with await Client.connect(ana.server.ws, welcome=False) as client:
            await client.send(text)
            await client.send({"type": "ping", "ref": "behind"})
            try:
                return (await client.expect("reply"))["error"]["code"], None
            except Closed as closed:
                return None, closed.code

    for code, closed in await asyncio.gather(*(attempt(text) for text in texts)):
        assert (code, closed) == (None, 4401) or code in ("bad_frame", "invalid"), (code, closed)


async def test_one_field_twice_is_one_field(ana: Person) -> None:
    """The one that is checked is the one that is used."""
    client = await ana.connect()
    mine, other = await client.create("Mine"), await client.create("Other")
    text = f'{{"type":"room.update","ref":"d","room":"{other}","room":"{mine}","name":"Twice"}}'
    assert (await client.raw(text, "d"))["ok"]
    listed = (await client.cmd("room.list", limit=100))["rooms"]
    names = {room["room"]: room["name"] for room in listed}
    assert sorted((names[mine], names[other])) in (["Other", "Twice"], ["Mine", "Twice"])
