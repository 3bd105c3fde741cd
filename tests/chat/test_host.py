"""What a host project does from Python, and what its open transactions may hold up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

import psycopg
import pytest

from tertulia.testing.client import Client
from tertulia.testing.installation import Installation
from tests.support.people import Person

USER = """
from django.contrib.auth import get_user_model
from django.db import transaction
from tertulia.chat import open_room, post, revoke
def user(name):
    return get_user_model().objects.get(username=name)
"""


@pytest.fixture
async def people(installation: Installation) -> AsyncIterator[Callable[..., Person]]:
    async with AsyncExitStack() as stack:
        yield lambda: Person.new(installation.here, stack)


async def shell(installation: Installation, code: str) -> str:
    """Run a host's code in a process of its own, beside the serving ones."""
    return await asyncio.to_thread(installation.here.shell, USER + code)


async def test_a_post_is_heard_and_its_key_is_the_protocols(
    installation: Installation, ana: Person, bea: Person
) -> None:
    listener = await bea.connect(installation.there.ws, token=bea.token)
    room = await (await ana.connect()).create("Orders")
    await listener.cmd("room.join", room=room)
    await listener.subscribe(room)
    key = "550e8400-e29b-41d4-a716-446655440000"
    said = await shell(
        installation,
        f"import uuid; key = uuid.UUID('{key}')\n"
        f"print(post('{room}', user('{ana.name}'), 'an order', key=key))\n"
        f"print(post('{room}', user('{ana.name}'), 'once more', key=key))\n",
    )
    first, second = said.split()[-2:]
    assert first == second
    event = await listener.expect("message.created")
    assert (event["message"]["text"], str(event["seq"])) == ("an order", first)
    result = await (await ana.connect()).cmd("message.send", room=room, key=key, text="again")
    assert (str(result["seq"]), result["duplicate"]) == (first, True)


async def test_a_post_that_is_rolled_back_never_was(
    installation: Installation, ana: Person
) -> None:
    client = await ana.connect()
    room = await client.create("Rolled back")
    before = (await client.subscribe(room))["head"]
    await shell(
        installation,
        "try:\n"
        "    with transaction.atomic():\n"
        f"        post('{room}', user('{ana.name}'), 'never')\n"
        "        raise ValueError\n"
        "except ValueError:\n"
        f"    print(post('{room}', user('{ana.name}'), 'ever'))\n",
    )
    event = await client.expect("message.created")
    assert event["message"]["text"] == "ever"
    assert event["seq"] == before + 1


ANOTHER = """
from tertulia.chat.models import Message
secret, public = {slugs!r}
ana = user({name!r})
try:
    with transaction.atomic():
        open_room(secret, kind="private", members=[ana])
        post(secret, ana, "never")
        raise ValueError
except ValueError:
    pass
open_room(public, members=[ana])
open_room(secret, kind="private", members=[ana])
seq = post(secret, ana, "a secret")
print(*Message.objects.filter(text="a secret").values_list("room__slug", flat=True))
"""


async def test_a_room_that_was_rolled_back_is_not_taken_for_the_next(
    installation: Installation, ana: Person
) -> None:
    """On SQLite the next has its id."""
    slugs = [f"{name}-{ana.name}" for name in ("secret", "public")]
    said = await shell(installation, ANOTHER.format(slugs=slugs, name=ana.name))
    assert said.split() == slugs[:1]


async def test_a_room_is_opened_once_with_its_people(
    installation: Installation, ana: Person, bea: Person
) -> None:
    client = await bea.connect(installation.there.ws, token=bea.token)
    slug = f"shop-of-{ana.name}".lower()
    code = (
        f"open_room('{slug}', name='The shop', owner=user('{ana.name}'),"
        f" members=[user('{bea.name}')])\n"
    )
    await shell(installation, code * 2)
    result = await client.subscribe(slug)
    assert result["state"]["name"] == "The shop"
    assert [member["role"] for member in result["members"]] == ["owner", "member"]
    assert result["head"] == 2


async def test_a_revoked_person_hears_no_more(
    installation: Installation, ana: Person, bea: Person
) -> None:
    first, second = await ana.connect(), await bea.connect(installation.there.ws, token=bea.token)
    room = await first.create("Policy", "private", members=[second.id])
    await first.subscribe(room)
    await second.subscribe(room)
    await shell(installation, f"revoke('{room}', user('{bea.name}'))")
    await second.expect("room.left", room=room)
    await first.say(room, "not for bea")
    await second.silence(lambda frame: frame.get("type") == "message.created", 1.5)


async def test_a_room_that_becomes_private_is_closed_to_strangers(
    installation: Installation, ana: Person, bea: Person
) -> None:
    first, second = await ana.connect(), await bea.connect(installation.there.ws, token=bea.token)
    room = await first.create("Was public")
    await first.subscribe(room)
    await second.subscribe(room)
    await shell(
        installation,
        "from tertulia.chat.models import Room\n"
        f"room = Room.objects.get(slug='{room}'); room.kind = 'private'; room.save()\n",
    )
    await second.expect("room.left", room=room)
    await first.say(room, "among us")
    await second.silence(lambda frame: frame.get("type") == "message.created", 1.5)


@contextmanager
def held(installation: Installation, statement: str, *values: str) -> Iterator[None]:
    """A host's open transaction holds what `statement` locks."""
    address = installation.here.env["DATABASE_URL"]
    with psycopg.connect(address) as connection:
        connection.execute(statement, values)
        yield
        connection.rollback()


LOCK_ROOM = "SELECT 1 FROM tertulia_chat_room WHERE slug = %s FOR UPDATE"
LOCK_MEMBERS = (
    "SELECT 1 FROM tertulia_chat_membership m JOIN tertulia_chat_room r ON r.id = m.room_id"
    " WHERE r.slug = %s FOR UPDATE OF r, m"
)


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
@pytest.mark.parametrize("lock", [LOCK_ROOM, LOCK_MEMBERS], ids=["room", "room and members"])
async def test_a_slow_host_holds_up_its_own_room_only(
    installation: Installation, ana: Person, lock: str
) -> None:
    client = await ana.connect()
    slow, other = await client.create("Slow"), await client.create("Other")
    seq = await client.say(slow, "before")
    with held(installation, lock, slow):
        waiting = [asyncio.create_task(client.say(slow, f"message {n}")) for n in range(5)]
        marking = asyncio.create_task(client.cmd("read.mark", room=slow, seq=seq["seq"]))
        for number in range(10):
            await client.say(other, f"meanwhile {number}")
        # Who waits for a room is refused after five seconds: it took less than that.
        assert not any(task.done() for task in waiting)
    seqs = [(await task)["seq"] for task in waiting]
    await marking
    # In the order in which they were sent, as soon as the room was free.
    assert seqs == list(range(seq["seq"] + 1, seq["seq"] + 6))


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
async def test_a_room_that_is_held_too_long_is_unavailable_and_a_retry_is_safe(
    installation: Installation, ana: Person
) -> None:
    client: Client = await ana.connect()
    room = await client.create("Held")
    key = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    with held(installation, LOCK_ROOM, room):
        reply = await client.request(
            "message.send", room=room, key=key, text="patience", seconds=15
        )
        assert reply["error"]["code"] == "unavailable"
        assert reply["error"]["retry_after"] > 0
    result = await client.cmd("message.send", room=room, key=key, text="patience")
    assert result["duplicate"] is False


async def test_a_room_that_is_saved_late_keeps_what_its_log_counts(
    installation: Installation, ana: Person
) -> None:
    client = await ana.connect()
    room = await client.create("Saved late")
    said = await shell(
        installation,
        "from tertulia.chat.models import Room\n"
        f"ana, late = user('{ana.name}'), Room.objects.get(slug='{room}')\n"
        f"seqs = [post('{room}', ana, 'one'), post('{room}', ana, 'two')]\n"
        "late.kind = 'private'\n"
        "late.save()\n"
        f"print(*seqs, post('{room}', ana, 'three'), Room.objects.get(pk=late.pk).kind)\n",
    )
    assert said.split()[-4:] == ["2", "3", "4", "private"]
    assert (await client.say(room, "four"))["seq"] == 5


ANEW = """
from tertulia.chat.models import *
old = Room.objects.get(slug={slug!r})
for part in (Event, Message, Membership):
    part.objects.filter(room=old).delete()
old.delete()
print(post(open_room({slug!r}, owner=user({name!r})), user({name!r}), "in the new one"))
print(post({slug!r}, user({name!r}), "once more"))
"""


async def test_a_room_that_was_deleted_and_made_anew_is_found_by_who_knew_the_old_one(
    installation: Installation, ana: Person
) -> None:
    client = await ana.connect()
    slug = f"anew-{ana.name}"
    await shell(installation, f"open_room('{slug}', owner=user('{ana.name}'))")
    await client.say(slug, "in the old one")
    told = await shell(installation, ANEW.format(slug=slug, name=ana.name))
    assert told.split()[-2:] == ["2", "3"]
    assert (await client.say(slug, "hello"))["seq"] == 4
    found = await client.cmd("history.list", room=slug, before=100)
    assert found["messages"][0]["text"] == "in the new one"


async def test_members_who_look_at_something_else_hear_of_a_post(
    installation: Installation, ana: Person, bea: Person
) -> None:
    listener = await bea.connect(installation.there.ws, token=bea.token)
    client = await ana.connect()
    room = await client.create("Elsewhere")
    elsewhere = await ana.connect(installation.there.ws, token=ana.token)
    await listener.cmd("room.join", room=room)
    await listener.expect("room.entered")
    await asyncio.sleep(2.5)
    await shell(installation, f"post('{room}', user('{ana.name}'), 'hello @{bea.name}')")
    told = await listener.expect("room.activity", room=room, messages=1)
    assert told["mentioned"] == [listener.id]
    # What he said himself is unread on none of his devices.
    read = await elsewhere.expect("read.changed", room=room, read=told["head"])
    assert read["who"]["id"] == client.id
