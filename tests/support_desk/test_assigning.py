"""Automatic assignment: round robin among the agents who are there, up to a limit each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tertulia.testing.client import Client

from .desk import Desk


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
    found = await ana.cmd("inbox.list")
    counts = next(one for one in found["inboxes"] if one["id"] == desk.inbox)["counts"]
    assert (counts["mine"], counts["unassigned"]) == (2, 1)


async def test_who_is_not_available_or_not_here_is_given_none(desk: Desk) -> None:
    await automatic(desk)
    ana, visitor = await desk.agent(), await desk.visitor()
    await ana.cmd("agent.available", inbox=desk.inbox, available=False)
    room = await desk.conversation(visitor, "hello")
    assert await agent_of(ana, desk, room) is None
    await ana.cmd("agent.available", inbox=desk.inbox, available=True)
    await until_given(ana, desk, room)


async def test_where_it_is_not_switched_on_nobody_is_given_anything(desk: Desk) -> None:
    ana, visitor = await desk.agent(), await desk.visitor()
    await until_here(ana, 1, desk.inbox)
    room = await desk.conversation(visitor, "hello")
    assert await agent_of(ana, desk, room) is None
