"""Automatic assignment: round robin among the agents who are there, up to a limit each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tertulia.testing.client import Client, Refused

from .desk import Desk

# Seconds in which each process has looked at its queue.
A_LOOK = 3.0


async def automatic(desk: Desk, most: int | None = None) -> None:
    await asyncio.to_thread(
        desk.shell, f"Inbox.objects.filter(pk=inbox.pk).update(automatic=True, most={most})"
    )


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Until it is so; what the desk does by itself takes a few seconds."""
    for _ in range(150):
        if await check():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("It never came to be.")


async def until_here(agent: Client, count: int, inbox: str) -> None:
    """Until so many agents of the inbox are known to be connected."""

    async def known() -> bool:
        found = await agent.cmd("inbox.list")
        agents = next(one for one in found["inboxes"] if one["id"] == inbox)["agents"]
        return sum(one["here"] for one in agents) == count

    await eventually(known)


async def until_given(agent: Client, desk: Desk, room: str) -> None:
    """Until the conversation is this agent's."""

    async def given() -> bool:
        return await agent_of(agent, desk, room) == agent.id

    await eventually(given)


async def agent_of(agent: Client, desk: Desk, room: str) -> Any:
    return ((await desk.state(agent, room))["agent"] or {}).get("id")


async def test_it_goes_round_and_leaves_out_who_has_enough(everywhere: Desk) -> None:
    desk = everywhere
    await automatic(desk, most=1)
    ana, bea = await desk.agent(), await desk.agent("bea", there=True)
    await until_here(ana, 2, desk.inbox)
    visitors = [await desk.visitor(number) for number in range(3)]
    rooms = [await desk.conversation(visitor, "hello") for visitor in visitors]
    given = [await agent_of(ana, desk, room) for room in rooms]
    assert set(given[:2]) == {ana.id, bea.id}
    # Nobody has a place: it waits in the queue, out of which it is taken when somebody has.
    assert given[2] is None
    await ana.cmd("conversation.resolve", room=rooms[given.index(ana.id)])
    await until_given(ana, desk, rooms[2])


async def test_of_many_at_once_nobody_is_given_too_many(everywhere: Desk) -> None:
    desk = everywhere
    await automatic(desk, most=2)
    ana = await desk.agent()
    await until_here(ana, 1, desk.inbox)
    visitors = [await desk.visitor(n, there=bool(n % 2)) for n in range(3)]
    await asyncio.gather(*(desk.conversation(visitor, "hello") for visitor in visitors))

    async def settled() -> bool:
        found = await ana.cmd("inbox.list")
        counts = next(one for one in found["inboxes"] if one["id"] == desk.inbox)["counts"]
        assert counts["mine"] <= 2
        return bool((counts["mine"], counts["unassigned"]) == (2, 1))

    await eventually(settled)
    # And the queue gives him no third.
    await asyncio.sleep(A_LOOK)
    assert await settled()


async def test_who_is_not_available_or_not_here_is_given_none(desk: Desk) -> None:
    await automatic(desk)
    ana, visitor = await desk.agent(), await desk.visitor()
    await ana.cmd("agent.available", inbox=desk.inbox, available=False)
    room = await desk.conversation(visitor, "hello")
    await asyncio.sleep(A_LOOK)
    assert await agent_of(ana, desk, room) is None
    await ana.cmd("agent.available", inbox=desk.inbox, available=True)
    await until_given(ana, desk, room)


async def test_where_it_is_not_switched_on_nobody_is_given_anything(desk: Desk) -> None:
    ana, visitor = await desk.agent(), await desk.visitor()
    await until_here(ana, 1, desk.inbox)
    room = await desk.conversation(visitor, "hello")
    await asyncio.sleep(A_LOOK)
    assert await agent_of(ana, desk, room) is None


async def test_what_comes_back_to_who_has_left_waits_for_somebody_else(desk: Desk) -> None:
    ana, bea, visitor = await desk.agent(), await desk.agent("bea"), await desk.visitor()
    room = await desk.conversation(visitor, "hello")
    await ana.cmd("conversation.assign", room=room, agent=ana.id)
    await ana.cmd("conversation.resolve", room=room)
    desk.shell(f"inbox.agents.get(participant__public_id={ana.id!r}).delete()")
    assert await agent_of(bea, desk, room) == ana.id
    await visitor.say(room, "one more thing")
    assert await agent_of(bea, desk, room) is None
    shown = await bea.cmd("conversation.list", filter="unassigned", inbox=desk.inbox)
    assert [one["room"] for one in shown["conversations"]] == [room]


@pytest.mark.parametrize("end", ["user.is_active = False\nuser.save()", "user.delete()"])
async def test_nothing_is_given_to_who_may_not_sign_in(desk: Desk, end: str) -> None:
    bea, visitor = await desk.agent("bea"), await desk.visitor()
    room = await desk.conversation(visitor, "hello")
    name = desk.people["ana"].name
    told = desk.shell(
        "from django.contrib.auth import get_user_model\n"
        "from tertulia.support.assigning import abandoned\n"
        f"user = get_user_model().objects.get(username={name!r})\n"
        "ana = Participant.objects.get(user=user)\n"
        f"his = Conversation.objects.filter(room__slug={room!r})\n"
        f"his.update(agent=ana)\n{end}\n"
        f"print({room!r} in abandoned())\nhis.update(agent=None)\n"
        "print(ana.public_id)"
    ).split()
    # What was his already is taken from him.
    assert told[-2] == "True"
    with pytest.raises(Refused) as refused:
        await bea.cmd("conversation.assign", room=room, agent=told[-1])
    assert refused.value.code == "invalid"


TOGETHER = """
from django.db import connection, transaction
from tertulia.chat.log import LogTransaction
from tertulia.support.actions import AssignQueued
waiting = Conversation.objects.filter(inbox=inbox, agent=None).select_related("room")
slugs = [one.room.slug for one in waiting.order_by("pk")]
Inbox.objects.filter(pk=inbox.pk).update(automatic=True)
with transaction.atomic():
    log = LogTransaction(connection)
    for slug in slugs:
        AssignQueued(slug).run(log)
given = Conversation.objects.filter(inbox=inbox).order_by("agent").values_list("agent", flat=True)
print(sorted([list(given).count(agent) for agent in set(given)]))
"""


async def test_what_one_transaction_assigns_goes_round_too(everywhere: Desk) -> None:
    """As out of a queue, when agents come back to it."""
    desk = everywhere
    ana, _bea = await desk.agent(), await desk.agent("bea")
    await until_here(ana, 2, desk.inbox)
    for number in range(3):
        visitor = await desk.visitor(number)
        room = await desk.conversation(visitor, "hello")
        await ana.cmd("conversation.resolve", room=room)
        await desk.conversation(visitor, new=True)
    desk.shell("Conversation.objects.filter(inbox=inbox).update(status='open', agent=None)")
    assert desk.shell(TOGETHER).strip().splitlines()[-1] == "[3, 3]"
