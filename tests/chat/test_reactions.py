"""Reactions: counted, named, taken back, never doubled."""

from __future__ import annotations

import asyncio
from typing import Any

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.shapes import check_event


async def test_a_reaction_is_seen_by_everybody(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "hola")
    result = await talk.bea.cmd("reaction.add", room=talk.room, seq=sent["seq"], emoji="👍")
    assert set(result) == {"event"}
    event = await talk.ana.expect("reaction.added")
    check_event(event)
    assert event["seq"] == result["event"]
    assert (event["target"], event["emoji"], event["count"]) == (sent["seq"], "👍", 1)
    assert event["actor"]["id"] == talk.bea.id


async def test_a_reaction_is_part_of_the_message_and_its_version(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "hola")
    fields = {"room": talk.room, "seq": sent["seq"]}
    await talk.ana.cmd("reaction.add", **fields, emoji="👍")
    await talk.bea.cmd("reaction.add", **fields, emoji="👍")
    last = await talk.bea.cmd("reaction.add", **fields, emoji="🎉")
    page = await talk.ana.cmd("history.list", room=talk.room, around=sent["seq"])
    (message,) = page["messages"]
    assert message["version"] == last["event"]
    reactions = {r["emoji"]: (r["count"], set(r["by"])) for r in message["reactions"]}
    assert reactions == {"👍": (2, {talk.ana.id, talk.bea.id}), "🎉": (1, {talk.bea.id})}


async def test_the_same_reaction_again_changes_nothing(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "hola")
    fields = {"room": talk.room, "seq": sent["seq"], "emoji": "👍"}
    first = await talk.bea.cmd("reaction.add", **fields)
    assert await talk.bea.cmd("reaction.add", **fields) == first
    assert (await talk.ana.say(talk.room, "next"))["seq"] == first["event"] + 1


async def test_a_reaction_taken_back_is_gone(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "hola")
    fields = {"room": talk.room, "seq": sent["seq"], "emoji": "👍"}
    await talk.ana.cmd("reaction.add", **fields)
    await talk.bea.cmd("reaction.add", **fields)
    await talk.bea.cmd("reaction.remove", **fields)
    event = await talk.ana.expect("reaction.removed")
    check_event(event)
    assert event["count"] == 1
    again = await talk.bea.cmd("reaction.remove", **fields)
    assert again == {"event": event["seq"]}
    await talk.ana.cmd("reaction.remove", **fields)
    page = await talk.ana.cmd("history.list", room=talk.room, around=sent["seq"])
    assert page["messages"][0]["reactions"] == []


async def test_a_reaction_can_be_given_again(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "hola")
    fields = {"room": talk.room, "seq": sent["seq"], "emoji": "👍"}
    first = await talk.bea.cmd("reaction.add", **fields)
    await talk.bea.cmd("reaction.remove", **fields)
    second = await talk.bea.cmd("reaction.add", **fields)
    assert second["event"] == first["event"] + 2


async def test_taking_back_what_never_was_is_a_conflict(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "hola")
    fields = {"room": talk.room, "seq": sent["seq"]}
    await talk.ana.cmd("reaction.add", **fields, emoji="👍")
    assert await talk.bea.refused("reaction.remove", **fields, emoji="👍") == "conflict"
    assert await talk.ana.refused("reaction.remove", **fields, emoji="🎉") == "conflict"


async def test_by_holds_at_most_fifty_and_count_counts_all(embedded: Server) -> None:
    people = embedded.people(53)
    clients = [await Client.connect(embedded.ws, token=token) for _, token in people]
    try:
        room = await clients[0].create("Applause")
        sent = await clients[0].say(room, "ta-da")

        async def react(client: Client) -> None:
            await client.cmd("room.join", room=room)
            await client.cmd("reaction.add", room=room, seq=sent["seq"], emoji="👏")

        await asyncio.gather(*(react(client) for client in clients))
        page = await clients[0].cmd("history.list", room=room, around=sent["seq"])
        ((reaction,),) = [m["reactions"] for m in page["messages"]]
        assert reaction["count"] == 53
        assert len(reaction["by"]) == len(set(reaction["by"])) == 50
    finally:
        await asyncio.gather(*(client.close() for client in clients))
