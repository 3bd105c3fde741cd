"""What somebody else did in the meantime is told to who acts without knowing it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tertulia.testing.client import Client, Refused

from .desk import Desk


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


@pytest.mark.parametrize("act", ["resolve", "snooze"])
async def test_what_the_visitor_has_just_said_is_not_put_away_unread(desk: Desk, act: str) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "one")
    seen = (await ana.subscribe(room))["head"]
    last = await visitor.say(room, "one more thing")
    fields: dict[str, Any] = {"until": tomorrow()} if act == "snooze" else {}
    with pytest.raises(Refused) as refused:
        await ana.cmd(f"conversation.{act}", room=room, seen=seen, **fields)
    error = refused.value.error
    assert error["code"] == "conflict"
    assert [message["text"] for message in error["messages"]] == ["one more thing"]
    state = await desk.state(ana, room)
    assert (state["status"], state["waiting_since"] is None) == ("open", False)
    await ana.cmd(f"conversation.{act}", room=room, seen=last["seq"], **fields)
    assert (await desk.state(ana, room))["status"] != "open"


async def test_of_two_who_take_a_conversation_one_has_it_and_the_other_is_told(
    everywhere: Desk,
) -> None:
    desk = everywhere
    visitor = await desk.visitor()
    ana, bea = await desk.agent(), await desk.agent("bea", there=True)
    room = await desk.conversation(visitor, "hello")

    def take(agent: Client, before: str | None) -> Any:
        return agent.request("conversation.assign", room=room, agent=agent.id, instead_of=before)

    outcomes = await asyncio.gather(take(ana, None), take(bea, None))
    assert sorted(one["ok"] for one in outcomes) == [False, True]
    refused = next(one for one in outcomes if not one["ok"])
    assert refused["error"]["code"] == "conflict"
    has = (await desk.state(ana, room))["agent"]["id"]
    assert has == (ana.id if outcomes[0]["ok"] else bea.id)
    # Knowing whose it is, one takes it over.
    other = bea if has == ana.id else ana
    assert (await take(other, has))["ok"]
    assert (await desk.state(ana, room))["agent"]["id"] == other.id
