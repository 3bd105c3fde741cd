"""Statements 6 to 8: who is out of a room learns nothing more of it, and can say nothing in it.

Whichever way it might come: events of the room, notices of it, lists, pages, links, other people's
answers; and not even what concerns his own messages. That a burst of events ends at the removal is
proved in `tests/faults/test_removal.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tertulia.testing.client import Client, Closed, Frame, new_key
from tertulia.testing.server import Server
from tests.support.classic import ClassicClient

from .web import Visitor, sessions

TOPIC, SECRET = "a topic that is none of her business", "what is said without her"


class Scene:
    """A private room that Bea has been put out of, with all that she had of it still open."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ana: Client
        # Bea's: one had subscribed, one only watches her rooms, one is classic.
        self.subscribed: Client
        self.watching: Client
        self.classic: ClassicClient
        self.pages: Visitor
        self.room = ""
        self.her_message = self.removal = 0
        self.token = ""

    @property
    def hers(self) -> tuple[Client, Client]:
        return self.subscribed, self.watching

    async def goes_on(self) -> None:
        """Everything that happens in a room, much of it about her and her message."""
        ana, bea = self.ana, self.subscribed
        about_her: dict[str, Any] = {"room": self.room, "seq": self.her_message}
        await ana.cmd("reaction.add", **about_her, emoji="👀")
        await ana.cmd("reaction.remove", **about_her, emoji="👀")
        said = await ana.say(self.room, f"{SECRET} @{bea.name}", reply_to=self.her_message)
        changed = f"{SECRET}, still @{bea.name}"
        await ana.cmd("message.edit", room=self.room, seq=said["seq"], text=changed)
        await ana.cmd("room.update", room=self.room, topic=TOPIC)
        await ana.cmd("typing.start", room=self.room)
        await ana.cmd("read.mark", room=self.room, seq=said["seq"])
        await ana.cmd("message.delete", **about_her)

    async def heard(self) -> list[Frame]:
        """What has come to her sockets of this room since the removal, the notice of it apart."""
        for client in self.hers:
            await client.expect("room.left", room=self.room)
        # Notices of activity come up to a second late; those of another room show that they have.
        signal = await self.ana.create("Signal", members=[self.subscribed.id])
        await self.ana.say(signal, "over")
        for client in self.hers:
            await client.expect("room.activity", room=signal)
        about = [frame for client in self.hers for frame in client.frames]
        return [
            frame
            for frame in about
            if frame.get("room") == self.room and frame.get("seq", 0) > self.removal
        ]


@pytest.fixture(scope="module")
def cast(embedded: Server) -> list[tuple[str, str, str]]:
    """Ana and Bea: name, token, session."""
    people = embedded.people(2)
    held = sessions(embedded, {name: 1 for name, _ in people})
    return [(name, token, held[name][0]) for name, token in people]


@pytest.fixture
async def scene(embedded: Server, cast: list[tuple[str, str, str]]) -> AsyncIterator[Scene]:
    made = Scene(embedded)
    (_, ana_token, _), (_, made.token, session) = cast
    async with AsyncExitStack() as stack:

        async def connected(token: str) -> Client:
            return await stack.enter_async_context(await Client.connect(embedded.ws, token=token))

        made.ana = await connected(ana_token)
        made.subscribed, made.watching = await connected(made.token), await connected(made.token)
        made.pages = stack.enter_context(Visitor(embedded, session))
        made.room = await made.ana.create("Secret", "private", members=[made.subscribed.id])
        made.her_message = (await made.subscribed.say(made.room, "mine"))["seq"]
        await made.subscribed.subscribe(made.room)
        made.classic = await ClassicClient.connect(embedded.ws, made.room, token=made.token)
        stack.push_async_callback(made.classic.close)
        fields: dict[str, Any] = {"room": made.room, "member": made.subscribed.id}
        made.removal = (await made.ana.cmd("member.remove", **fields))["event"]
        yield made


async def test_no_event_and_no_notice_comes_any_more(scene: Scene) -> None:
    await scene.goes_on()
    assert await scene.heard() == []
    for client in scene.hers:
        told = json.dumps([f for f in client.frames if f.get("seq", 0) != scene.removal])
        assert SECRET not in told
        assert TOPIC not in told
    assert (await scene.classic.closing()).code == 4404


async def test_a_socket_opened_afterwards_hears_nothing_either(scene: Scene) -> None:
    async with await Client.connect(scene.server.ws, token=scene.token) as late:
        scene.watching = late
        await scene.subscribed.expect("room.left", room=scene.room)
        await scene.goes_on()
        signal = await scene.ana.create("Signal", members=[late.id])
        await scene.ana.say(signal, "over")
        await late.expect("room.activity", room=signal)
        assert [frame for frame in late.frames if frame.get("room") == scene.room] == []


async def test_nothing_of_the_room_is_in_any_answer(scene: Scene) -> None:
    await scene.goes_on()
    client = scene.subscribed
    resume: dict[str, Any] = {"after": scene.removal - 1, "epoch": client.welcome["epoch"]}
    about: dict[str, Any] = {"seq": scene.her_message}
    tries: tuple[tuple[str, dict[str, Any]], ...] = (
        ("room.subscribe", {}),
        ("room.subscribe", resume),
        ("history.list", {"after": 0}),
        ("history.list", {"around": scene.her_message}),
        ("history.list", {"before": 2}),
        ("member.list", {}),
        ("read.mark", {"seq": 1}),
        ("message.edit", {**about, "text": "changed"}),
        ("message.delete", about),
        ("reaction.add", {**about, "emoji": "👍"}),
        ("room.join", {}),
        ("typing.start", {}),
        ("member.add", {"member": client.id}),
    )
    for command, fields in tries:
        assert await client.refused(command, room=scene.room, **fields) == "not_found", command
    everything = [await client.cmd("room.list", limit=100)]
    everything.append(await client.cmd("person.find", text=""))
    told = json.dumps(everything)
    for secret in (scene.room, TOPIC, SECRET):
        assert secret not in told


async def test_no_page_and_no_permanent_link_shows_it(scene: Scene) -> None:
    await scene.goes_on()
    # What she asks for comes back to her; nothing else may.
    for path, asked in (
        (f"/chat/{scene.room}/", scene.room),
        (f"/chat/{scene.room}/{scene.her_message}/", scene.room),
        (f"/chat/-/rooms/{scene.room}/invitations/", ""),
        (f"/chat/-/enter/?name={scene.room}", scene.room),
        ("/chat/-/enter/?name=Secret", "Secret"),
        ("/chat/-/rooms/?q=secret", ""),
        ("/chat/", ""),
    ):
        answer = await asyncio.to_thread(scene.pages.get, path)
        assert answer.headers.get("location") in (None, f"/chat/?new={asked}"), path
        told = answer.text.replace(asked or "\0", "")
        for secret in ("Secret", TOPIC, SECRET, scene.room):
            assert secret not in told, path


async def test_a_quotation_elsewhere_shows_nothing_of_it(scene: Scene) -> None:
    """A seq of one room means nothing in another, where she may write."""
    await scene.goes_on()
    client = scene.subscribed
    own = await client.create("Her own")
    head = (await scene.ana.cmd("history.list", room=scene.room))["head"]
    sent: dict[str, Any] = {"room": own, "key": new_key(), "text": "what was it?", "reply_to": head}
    assert await client.refused("message.send", **sent) == "invalid"
    for command in ("message.edit", "message.delete", "reaction.add"):
        fields: dict[str, Any] = {"room": own, "seq": head, "text": "x", "emoji": "👍"}
        assert await client.refused(command, **fields) == "not_found"


async def test_nothing_is_said_after_a_removal_in_its_middle(scene: Scene) -> None:
    """The deciding check is in the writing transaction: nobody slips in behind his removal."""
    ana, bea = scene.ana, scene.subscribed
    for trial in range(6):
        room = await ana.create("Burst", "private", members=[bea.id])
        sends = [
            bea.request("message.send", room=room, key=new_key(), text=str(n)) for n in range(40)
        ]

        async def remove(room: str = room, trial: int = trial) -> int:
            await asyncio.sleep(trial / 1000)
            fields: dict[str, Any] = {"room": room, "member": bea.id}
            return int((await ana.cmd("member.remove", **fields))["event"])

        removing = asyncio.create_task(remove())
        replies = await asyncio.gather(*sends)
        removal = await removing
        for reply in replies:
            if reply["ok"]:
                assert reply["result"]["seq"] < removal
            else:
                assert reply["error"]["code"] == "not_found"
        history = await ana.cmd("history.list", room=room, limit=100)
        assert all(message["seq"] < removal for message in history["messages"])
        assert len(history["messages"]) == sum(reply["ok"] for reply in replies)


async def test_a_classic_client_is_not_let_in_again(scene: Scene) -> None:
    for form in ("/ws/chat/{}/", "/ws/room/{}/", "/ws/{}"):
        again = await ClassicClient.connect(
            scene.server.ws, scene.room, form=form, token=scene.token
        )
        async with again:
            assert (await again.closing()).code == 4404
    with pytest.raises(Closed):
        await scene.classic.next()
