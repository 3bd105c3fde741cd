"""Adding, removing, roles, lists, finding people."""

from __future__ import annotations

import asyncio
from typing import Any

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.people import Person
from tests.support.shapes import check_event, check_member, check_person


async def test_a_member_adds_somebody(private: Any, eve: Person) -> None:
    client = await eve.connect()
    result = await private.bea.cmd("member.add", room=private.room, member=client.id)
    assert set(result) == {"event"}
    event = await private.ana.expect("member.joined")
    check_event(event)
    assert event["seq"] == result["event"]
    assert event["member"] == client.welcome["me"]
    assert event["actor"]["id"] == private.bea.id
    assert event["role"] == "member"
    await client.say(private.room, "thank you")


async def test_adding_a_member_again_changes_nothing(private: Any) -> None:
    result = await private.ana.cmd("member.add", room=private.room, member=private.bea.id)
    assert result == {"event": 2}
    assert (await private.ana.say(private.room, "next"))["seq"] == 3


async def test_whoever_is_admitted_sees_the_whole_log(private: Any, eve: Person) -> None:
    await private.ana.say(private.room, "before Eve")
    client = await eve.connect()
    await private.ana.cmd("member.add", room=private.room, member=client.id)
    await client.subscribe(private.room)
    assert client.views[private.room].texts() == ["before Eve"]


async def test_nobody_can_be_added_to_a_direct_room(ana: Person, bea: Person, eve: Person) -> None:
    client, other, third = await ana.connect(), await bea.connect(), await eve.connect()
    room = await client.create("", "direct", members=[other.id])
    assert await client.refused("member.add", room=room, member=third.id) == "forbidden"


async def test_an_unknown_person_cannot_be_added(talk: Any) -> None:
    code = await talk.ana.refused("member.add", room=talk.room, member="f" * 32)
    assert code in ("not_found", "invalid")


async def test_a_member_cannot_give_away_what_is_the_owners(talk: Any, eve: Person) -> None:
    client = await eve.connect()
    fields = {"room": talk.room, "member": client.id, "role": "owner"}
    assert await talk.bea.refused("member.add", **fields) == "forbidden"


async def test_a_removal_is_an_event(private: Any) -> None:
    fields = {"room": private.room, "member": private.bea.id}
    result = await private.ana.cmd("member.remove", **fields)
    event = await private.ana.expect("member.left")
    check_event(event)
    assert event["seq"] == result["event"]
    assert event["member"]["id"] == private.bea.id
    assert event["actor"]["id"] == private.ana.id
    assert await private.ana.cmd("member.remove", **fields) == result


async def test_removing_who_never_was_there_is_a_conflict(talk: Any, eve: Person) -> None:
    client = await eve.connect()
    code = await talk.ana.refused("member.remove", room=talk.room, member=client.id)
    assert code == "conflict"


async def test_a_role_is_given_and_seen(talk: Any) -> None:
    fields = {"room": talk.room, "member": talk.bea.id, "role": "moderator"}
    result = await talk.ana.cmd("member.role", **fields)
    event = await talk.bea.expect("member.changed")
    check_event(event)
    assert (event["seq"], event["role"]) == (result["event"], "moderator")
    assert event["member"]["id"] == talk.bea.id
    assert await talk.ana.cmd("member.role", **fields) == result
    state = (await talk.bea.cmd("room.subscribe", room=talk.room))["state"]
    assert state["role"] == "moderator"


async def test_a_role_for_who_is_no_member_is_refused(talk: Any, eve: Person) -> None:
    client = await eve.connect()
    code = await talk.ana.refused("member.role", room=talk.room, member=client.id, role="member")
    assert code in ("conflict", "not_found")


async def test_members_are_listed_with_their_roles(talk: Any) -> None:
    await talk.ana.cmd("member.role", room=talk.room, member=talk.bea.id, role="moderator")
    result = await talk.bea.cmd("member.list", room=talk.room)
    assert set(result) == {"members", "more"}
    for member in result["members"]:
        check_member(member)
    roles = {member["id"]: member["role"] for member in result["members"]}
    assert roles == {talk.ana.id: "owner", talk.bea.id: "moderator"}


async def test_who_left_is_not_listed(talk: Any) -> None:
    await talk.bea.cmd("room.leave", room=talk.room)
    result = await talk.ana.cmd("member.list", room=talk.room)
    assert [m["id"] for m in result["members"]] == [talk.ana.id]


async def test_a_long_list_of_members_is_paged(embedded: Server) -> None:
    people = embedded.people(104, batch=104)
    clients: list[Client] = []
    try:
        for _, token in people:
            clients.append(await Client.connect(embedded.ws, token=token))
        ids = [client.id for client in clients]
        room = await clients[0].create("Assembly", "private", members=ids[1:60])
        for member in ids[60:]:
            await clients[0].cmd("member.add", room=room, member=member)
        first = await clients[0].cmd("room.subscribe", room=room)
        assert len(first["members"]) == 100
        listed = [m["id"] for m in first["members"]]
        rest = await clients[0].cmd("member.list", room=room, cursor=first["members_more"])
        listed += [m["id"] for m in rest["members"]]
        assert sorted(listed) == sorted(ids)
        paged: list[str] = []
        more: dict[str, Any] = {}
        while True:
            page = await clients[0].cmd("member.list", room=room, limit=33, **more)
            paged += [m["id"] for m in page["members"]]
            if page["more"] is None:
                break
            more = {"cursor": page["more"]}
        assert sorted(paged) == sorted(ids)
    finally:
        for client in clients:
            await client.close()


async def test_a_made_up_cursor_is_invalid(talk: Any) -> None:
    assert await talk.ana.refused("member.list", room=talk.room, cursor="☃") == "invalid"


async def test_people_are_found_by_name(talk: Any) -> None:
    result = await talk.ana.cmd("person.find", text=talk.bea.name)
    assert set(result) == {"people"}
    for person in result["people"]:
        check_person(person)
    assert talk.bea.id in [person["id"] for person in result["people"]]


async def test_people_are_found_by_the_beginning_whatever_the_case(talk: Any) -> None:
    result = await talk.ana.cmd("person.find", text=talk.bea.name.upper(), limit=100)
    assert talk.bea.id in [person["id"] for person in result["people"]]


async def test_no_more_people_are_found_than_asked_for(talk: Any) -> None:
    assert len((await talk.ana.cmd("person.find", text="p", limit=2))["people"]) == 2


async def test_nobody_is_found_by_nonsense(talk: Any) -> None:
    for text in ("zzz-nobody-zzz", "%", "_", "\\"):
        assert (await talk.ana.cmd("person.find", text=text))["people"] == []


async def test_people_are_found_by_the_beginning_of_any_word(talk: Any, eve: Person) -> None:
    """The whole name first, then a word, then the middle of one."""
    eve_client = await eve.connect()
    names = {
        talk.ana.id: "Zoquete Xanthippa",
        talk.bea.id: "Xanthippa Zoe",
        eve_client.id: "Axanthippa",
    }
    code = f"""
from tertulia.chat.models import Participant
for key, name in {names!r}.items():
    person = Participant.objects.get(public_id=key)
    person.name = name
    person.save()
"""
    await asyncio.to_thread(eve.server.shell, code)
    asker = await Client.connect(eve.server.ws, token=eve.server.people(1)[0][1])
    found = (await asker.cmd("person.find", text="XANTHIPPA", limit=3))["people"]
    assert [person["id"] for person in found] == [talk.bea.id, talk.ana.id, eve_client.id]
    found = (await asker.cmd("person.find", text="xanthippa", limit=1))["people"]
    assert [person["id"] for person in found] == [talk.bea.id]
    await asker.close()
