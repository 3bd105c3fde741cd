"""The administration: what can be done there goes the same way as everything else."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tertulia.testing.client import Client, Closed
from tertulia.testing.server import Server
from tests.support.administration import Staff, told
from tests.support.browser import Browser
from tests.support.people import Person

from .conftest import Talk

PASSWORD = "a quiet warm room"
WORK = Path(__file__).parents[1] / "support" / "adminwork.py"


@pytest.fixture(scope="module")
def staff(embedded: Server) -> dict[str, Staff]:
    """A superuser, one who may look at everything, and one who may do nothing."""
    wanted = {"Root": None, "Looks": ["tertulia_chat.view", "auth.view"], "Nothing": []}
    return Staff.made(embedded, wanted)


@pytest.fixture
def root(staff: dict[str, Staff]) -> Staff:
    return staff["Root"]


async def find(staff: Staff, model: str, **query: str) -> int:
    return await asyncio.to_thread(staff.find, model, **query)


async def member(staff: Staff, talk: Talk, person: Client) -> int:
    return await find(staff, "membership", room=talk.room, person=person.id)


# Rooms


async def test_a_room_is_renamed_by_somebody_who_is_no_member(root: Staff, private: Talk) -> None:
    key = await find(root, "room", q=private.room)
    form = {"name": "Books", "topic": "What we read", "_save": "Save"}
    page = await asyncio.to_thread(root.post, f"room/{key}/change/", **form)
    assert "was changed successfully" in told(page)
    event = await private.bea.expect("room.updated")
    assert event["actor"]["name"] == root.name
    assert (event["state"]["name"], event["state"]["topic"]) == ("Books", "What we read")
    assert (await private.ana.expect("room.updated"))["seq"] == event["seq"]


async def test_a_room_is_archived_and_brought_back(root: Staff, talk: Talk) -> None:
    key = await find(root, "room", q=talk.room)
    await root.acts("room", key, "archive")
    assert (await talk.bea.expect("room.updated"))["state"]["archived"]
    assert await talk.bea.refused("message.send", room=talk.room, text="hola") == "invalid"
    with pytest.raises(Exception, match="forbidden"):
        await talk.bea.say(talk.room, "hola")
    await root.acts("room", key, "bring_back")
    assert not (await talk.bea.expect("room.updated"))["state"]["archived"]
    await talk.bea.say(talk.room, "hola")


async def test_what_an_action_refuses_is_told_in_words(root: Staff, talk: Talk) -> None:
    key = await find(root, "room", q=talk.room)
    page = await asyncio.to_thread(root.post, f"room/{key}/change/", name=" ", topic="")
    assert "The room needs a name." in told(page)
    owner = await member(root, talk, talk.ana)
    page = await root.acts("membership", owner, "make_member")
    assert "The room needs an owner" in told(page)


# Members


async def test_a_member_is_added_given_a_role_and_removed(
    root: Staff, talk: Talk, eve: Person
) -> None:
    third = await eve.connect()
    form = {
        "room": str(await find(root, "room", q=talk.room)),
        "participant": str(await find(root, "participant", q=third.id)),
        "role": "member",
    }
    await asyncio.to_thread(root.post, "membership/add/", **form)
    joined = await talk.ana.expect("member.joined", member=third.welcome["me"])
    assert joined["actor"]["name"] == root.name
    await third.expect("room.entered", room=talk.room)

    key = await member(root, talk, third)
    await root.acts("membership", key, "make_moderator")
    changed = await talk.ana.expect("member.changed")
    assert (changed["member"]["id"], changed["role"]) == (third.id, "moderator")

    page = await root.acts("membership", key, "delete_selected")
    assert "done" in told(page)
    left = await talk.ana.expect("member.left")
    assert (left["member"]["id"], left["actor"]["name"]) == (third.id, root.name)
    # Whoever left may be added again, and removed at Django's own address for deleting.
    page = await asyncio.to_thread(root.post, "membership/add/", **form)
    assert "was added successfully" in told(page)
    await third.expect("room.entered", room=talk.room)
    asked = await asyncio.to_thread(root.get, f"membership/{key}/delete/")
    assert "What they wrote stays" in " ".join(asked.text.split())
    await asyncio.to_thread(root.post, f"membership/{key}/delete/", post="yes")
    await third.expect("room.left", room=talk.room)


async def test_many_members_are_removed_at_once(root: Staff, private: Talk) -> None:
    form = {
        "action": "delete_selected",
        "_selected_action": "0",
        "select_across": "1",
        "post": "yes",
    }
    path = f"membership/?room={private.room}&person={private.bea.id}"
    page = await asyncio.to_thread(root.post, path, **form)
    assert "done" in told(page)
    await private.bea.expect("room.left", room=private.room)
    assert await find(root, "membership", room=private.room) == await member(
        root, private, private.ana
    )


# Messages


async def test_a_message_is_deleted_with_everybody_and_keeps_its_place(
    root: Staff, private: Talk
) -> None:
    sent = await private.bea.say(private.room, "This was unkind")
    key = await find(root, "message", q=f"{private.room}/{sent['seq']}")
    asked = await asyncio.to_thread(
        root.post, "message/", action="delete_message", _selected_action=str(key), index="0"
    )
    assert "keeps its place" in asked.text
    assert private.ana.views[private.room].texts() == ["This was unkind"]
    await root.acts("message", key, "delete_message")
    event = await private.ana.expect("message.deleted")
    assert event["actor"]["name"] == root.name
    assert (event["message"]["text"], event["message"]["number"]) == ("", 1)
    page = await asyncio.to_thread(root.get, f"message/{key}/change/")
    assert "This was unkind" not in page.text


async def test_messages_are_found_by_link_word_room_and_author(root: Staff, talk: Talk) -> None:
    first = await talk.ana.say(talk.room, "An albatross over the harbour")
    second = await talk.bea.say(talk.room, "A heron", reply_to=first["seq"])
    in_room = {"room": talk.room}
    newest_first = await asyncio.to_thread(root.found, "message", **in_room)
    assert len(newest_first) == 2
    one, two = newest_first[1], newest_first[0]
    link = f"{root.server.url}/chat/{talk.room}/{second['seq']}/"
    assert await find(root, "message", q=link) == two
    assert await find(root, "message", q=f"{talk.room}%23{first['seq']}") == one
    assert await find(root, "message", q="ALBATROSS harbour", **in_room) == one
    assert await find(root, "message", person=talk.bea.name, **in_room) == two
    assert await asyncio.to_thread(root.found, "message", room="no-such-room") == []
    day = second["sent_at"][:10]
    assert await asyncio.to_thread(root.found, "message", day=day, **in_room) == [two, one]
    assert await asyncio.to_thread(root.found, "message", day="2020-01-01", **in_room) == []
    assert await asyncio.to_thread(root.found, "message", day=day) == []
    page = (await asyncio.to_thread(root.get, f"message/{two}/change/")).text
    assert f'href="/chat/{talk.room}/{second["seq"]}/"' in page
    answered = await asyncio.to_thread(
        root.get, f"message/at/{await find(root, 'room', q=talk.room)}/{first['seq']}/"
    )
    assert "An albatross over the harbour" in answered.text


async def test_what_people_write_does_not_garble_the_page(root: Staff, ana: Person) -> None:
    client = await ana.connect()
    room = await client.create("\u202eevil\u200b <script>alert(1)</script>")
    sent = await client.say(room, "<img src=x onerror=alert(1)> \u202ebackwards **strong**")
    for path in (
        f"room/?q={room}",
        f"message/?room={room}",
        f"message/?q={room}/{sent['seq']}",
        f"message/{await find(root, 'message', room=room)}/change/",
        f"membership/?room={room}",
        f"room/{await find(root, 'room', q=room)}/change/",
    ):
        page = (await asyncio.to_thread(root.get, path)).text
        # The field in which the name is edited holds it as it is.
        shown = page.replace('value="\u202eevil\u200b', "")
        assert "\u202e" not in shown, path
        assert "\u200b" not in shown, path
        assert "<img src=x" not in page, path
        assert "<script>alert" not in page, path
        assert "<strong>strong" not in page, path
    page = (await asyncio.to_thread(root.get, f"message/?room={room}")).text
    assert "U+202E" in page
    assert "&lt;img src=x" in page


# People


async def test_a_person_is_renamed_for_everybody(root: Staff, talk: Talk, eve: Person) -> None:
    key = await find(root, "participant", q=talk.bea.id)
    page = f"participant/{key}/change/"
    taken = await asyncio.to_thread(root.post, page, name=talk.ana.name.upper())
    assert "Somebody else here has this name." in taken.text
    hidden = await asyncio.to_thread(root.post, page, name="Be\u202ea")
    assert "cannot be seen" in hidden.text
    name = f"Beatriz {talk.bea.name}"
    await asyncio.to_thread(root.post, page, name=name)
    changed = await talk.ana.find(
        lambda f: f["type"] == "person.changed" and f["who"]["id"] == talk.bea.id
    )
    assert changed["who"]["name"] == name


async def test_a_persons_page_tells_how_far_he_has_read(root: Staff, talk: Talk) -> None:
    for number in range(3):
        await talk.ana.say(talk.room, f"{number}")
    key = await find(root, "participant", q=talk.bea.id)
    page = (await asyncio.to_thread(root.get, f"participant/{key}/change/")).text
    assert "2 of 5 · unread: 3" in page
    assert f"/admin/tertulia_chat/token/?person={talk.bea.id}" in page


async def test_an_account_is_closed_and_opened(root: Staff, ana: Person) -> None:
    client = await ana.connect()
    key = await find(root, "participant", q=client.id)
    await root.acts("participant", key, "deactivate")
    assert (await client.closing(2)).code == 4401
    with pytest.raises(Closed):
        await ana.connect()
    assert key in await asyncio.to_thread(root.found, "participant", account="closed")
    await root.acts("participant", key, "activate")
    await ana.connect()


async def test_nobody_closes_his_own_account(root: Staff) -> None:
    key = await find(root, "participant", q=root.name)
    page = await root.acts("participant", key, "deactivate")
    assert "Nobody closes the account" in told(page)
    assert (await asyncio.to_thread(root.get, "room/")).status == 200


async def test_a_deleted_account_leaves_the_messages_and_the_name(
    root: Staff, talk: Talk, bea: Person
) -> None:
    await talk.bea.say(talk.room, "I was here")
    page = (await asyncio.to_thread(root.get, f"/admin/auth/user/?q={bea.name}")).text
    keys = [part.partition("/")[0] for part in page.split('href="/admin/auth/user/')[1:]]
    key = next(key for key in keys if key.isdigit())
    asked = await asyncio.to_thread(root.get, f"/admin/auth/user/{key}/delete/")
    assert "keeps its author" in asked.text
    await asyncio.to_thread(root.post, f"/admin/auth/user/{key}/delete/", post="yes")
    assert (await talk.bea.closing(2)).code == 4401
    history = await talk.ana.cmd("history.list", room=talk.room, after=0)
    (message,) = history["messages"]
    assert (message["text"], message["author"]["name"]) == ("I was here", bea.name)


async def test_signing_out_everywhere(root: Staff, embedded: Server) -> None:
    """Both sessions and the token: all sockets end, and none of them opens another."""
    embedded.createuser("roams", password=PASSWORD)
    token = embedded.token("roams")
    browsers = [Browser(embedded.url) for _ in range(2)]
    for browser in browsers:
        browser.sign_in("roams", PASSWORD)
    how: list[dict[str, Any]] = [
        {"cookie": browser.cookie, "origin": embedded.url} for browser in browsers
    ]
    clients = [await Client.connect(embedded.ws, **one) for one in [*how, {"token": token}]]
    listed = (await asyncio.to_thread(root.get, "participant/signed-in/")).text
    row = listed.partition(">roams<")[2].partition("</tr>")[0]
    assert "<td>2</td>" in row
    key = await find(root, "participant", q="roams")
    await root.acts("participant", key, "sign_out", tokens="on")
    for client in clients:
        assert (await client.closing(2)).code == 4401
    with pytest.raises(Closed):
        await Client.connect(embedded.ws, token=token)
    for browser in browsers:
        assert browser.get("/chat/", follow=False).status == 302
    listed = (await asyncio.to_thread(root.get, "participant/signed-in/")).text
    assert ">roams<" not in listed


async def test_a_deleted_token_closes_its_sockets(root: Staff, ana: Person) -> None:
    client = await ana.connect()
    key = await find(root, "token", person=client.id)
    await asyncio.to_thread(root.post, f"token/{key}/delete/", post="yes")
    assert (await client.closing()).code == 4401


async def test_an_invitation_is_taken_back(
    root: Staff, talk: Talk, embedded: Server, ana: Person
) -> None:
    code = (
        "from tertulia.chat.invitations import Wanted, make\n"
        "from tertulia.chat.models import Participant\n"
        f"print(make(Participant.objects.get(name={ana.name!r}), {talk.room!r}, Wanted())[1])"
    )
    link = (await asyncio.to_thread(embedded.shell, code)).split()[-1]
    key = await find(root, "roominvitation", room=talk.room)
    await root.acts("roominvitation", key, "revoke")
    visit = await asyncio.to_thread(root.browser.get, f"/chat/-/invitation/{link}/")
    assert visit.status == 410


# What cannot be done

LOG = ["event", "message", "reaction", "mention"]
KEPT = [*LOG, "room", "participant", "accesschange", "installation"]


@pytest.fixture
async def said(talk: Talk) -> Talk:
    """A message with a reaction and a mention."""
    sent = await talk.ana.say(talk.room, f"@{talk.bea.name} hola")
    await talk.bea.cmd("reaction.add", room=talk.room, seq=sent["seq"], emoji="👍")
    return talk


async def test_nothing_of_the_log_is_added_changed_or_deleted(root: Staff, said: Talk) -> None:
    before = list(said.ana.events)
    for model in LOG:
        key = (await asyncio.to_thread(root.found, model))[0]
        forms = {"text": "forged", "kind": "forged", "emoji": "x", "read": "on", "post": "yes"}
        for path in ("add/", f"{key}/delete/", f"{key}/change/"):
            page = await asyncio.to_thread(root.post, f"{model}/{path}", **forms)
            assert page.status == 403, (model, path)
        await root.acts(model, key, "delete_selected", post="yes")
        assert (await asyncio.to_thread(root.found, model))[0] == key
    for model in ("room", "participant", "installation"):
        key = (await asyncio.to_thread(root.found, model))[0]
        page = await asyncio.to_thread(root.post, f"{model}/{key}/delete/", post="yes")
        assert page.status == 403, model
        await root.acts(model, key, "delete_selected", post="yes")
        assert (await asyncio.to_thread(root.found, model))[0] == key
    key = await find(root, "room", q=said.room)
    counters = {"head": "99", "messages": "99", "slug": "forged", "kind": "private"}
    form = {"name": "Changed by the form", "topic": "", **counters}
    await asyncio.to_thread(root.post, f"room/{key}/change/", **form)
    state = (await said.ana.expect("room.updated"))["state"]
    assert (state["room"], state["kind"], state["messages"]) == (said.room, "public", 1)
    assert said.ana.events[: len(before)] == before


async def test_who_may_only_look_changes_nothing(
    staff: dict[str, Staff], root: Staff, private: Talk
) -> None:
    looks = staff["Looks"]
    sent = await private.bea.say(private.room, "Still here")
    head = (await private.ana.reached(private.room, sent["seq"])).seq
    keys = {
        "room": await find(looks, "room", q=private.room),
        "membership": await member(looks, private, private.bea),
        "message": await find(looks, "message", room=private.room),
        "participant": await find(looks, "participant", q=private.bea.id),
        "token": await find(looks, "token", person=private.bea.id),
    }
    acts = [
        ("room", "archive"),
        ("membership", "delete_selected"),
        ("membership", "make_owner"),
        ("message", "delete_message"),
        ("participant", "deactivate"),
        ("participant", "sign_out"),
        ("token", "delete_selected"),
    ]
    for model, act in acts:
        await looks.acts(model, keys[model], act, post="yes")
        page = (await asyncio.to_thread(looks.get, f"{model}/{keys[model]}/change/")).text
        assert f'value="{act}"' not in page, act
    forms = [
        (f"room/{keys['room']}/change/", {"name": "Taken over"}),
        (f"participant/{keys['participant']}/change/", {"name": "Somebody"}),
        (f"token/{keys['token']}/delete/", {"post": "yes"}),
        (f"membership/{keys['membership']}/delete/", {"post": "yes"}),
        ("membership/add/", {"room": str(keys["room"]), "participant": "1", "role": "owner"}),
    ]
    for path, form in forms:
        assert (await asyncio.to_thread(looks.post, path, **form)).status == 403, path
    # Everything is as it was: the next event is this one.
    assert (await private.bea.say(private.room, "And still"))["seq"] == head + 1


def test_who_has_no_permission_sees_nothing(staff: dict[str, Staff]) -> None:
    for model in [*KEPT, "membership", "token", "roominvitation", "participant/signed-in"]:
        assert staff["Nothing"].get(f"{model}/").status == 403, model
    assert staff["Nothing"].get("message/at/1/1/").status == 403


def test_who_is_not_of_the_staff_is_sent_to_sign_in(embedded: Server) -> None:
    stranger = Browser(embedded.url)
    for path in ("", "message/", "participant/signed-in/", "message/at/1/1/"):
        page = stranger.get(f"/admin/tertulia_chat/{path}", follow=False)
        assert page.status == 302
        assert "/admin/login/" in page.headers["location"]


async def test_only_a_superuser_touches_a_superuser(root: Staff, embedded: Server) -> None:
    made = await asyncio.to_thread(Staff.made, embedded, {"Keeper": ["tertulia_chat", "auth"]})
    keeper = made["Keeper"]
    key = await find(keeper, "participant", q=root.name)
    for act in ("deactivate", "sign_out"):
        assert "Only a superuser" in told(await keeper.acts("participant", key, act))
    assert (await asyncio.to_thread(root.get, "room/")).status == 200


async def test_nobody_makes_himself_a_superuser(root: Staff, embedded: Server) -> None:
    made = await asyncio.to_thread(Staff.made, embedded, {"Climber": ["auth"]})
    climber = made["Climber"]
    accounts = "/admin/auth/user/"
    listed = (await asyncio.to_thread(root.get, f"{accounts}?q=Climber")).text
    own = re.findall(rf"{accounts}(\d+)/change/", listed)[0]
    listed = (await asyncio.to_thread(root.get, f"{accounts}?q=Root")).text
    superuser = re.findall(rf"{accounts}(\d+)/change/", listed)[0]
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    form = {"username": "Climber", "is_active": "on", "is_superuser": "on", "is_staff": "on"}
    saved = await asyncio.to_thread(climber.post, f"{accounts}{own}/change/", **form, **joined)
    assert saved.status == 302 or "changed successfully" in told(saved)
    passwords = {
        "password1": "mine-now-2026",
        "password2": "mine-now-2026",
        "usable_password": "true",
    }
    taken = await asyncio.to_thread(climber.post, f"{accounts}{superuser}/password/", **passwords)
    assert taken.status == 403
    gone = await asyncio.to_thread(climber.post, f"{accounts}{superuser}/delete/", post="yes")
    assert gone.status == 403
    page = (await asyncio.to_thread(root.get, f"{accounts}{own}/change/")).text
    box = re.search(r'<input[^>]*name="is_superuser"[^>]*>', page)
    assert box is not None
    assert "checked" not in box[0]


async def test_the_check_that_decides_is_in_the_writing_transaction(
    embedded: Server, talk: Talk
) -> None:
    """An account that had the right when the page was opened, and has lost it since."""
    code = f"""
from django.contrib.auth import get_user_model
from tertulia.chat.actions import RemoveMember
from tertulia.chat.authority import Administrator
from tertulia.chat.models import Participant
from tertulia.chat.people import participant_of, speaker_of
from tertulia.chat.perform import perform
from tertulia.protocol.errors import ProtocolError
user = get_user_model().objects.create(username="was-staff-" + {talk.room!r}, is_staff=True)
speaker = speaker_of(participant_of(user))
def remove(authority):
    try:
        perform(RemoveMember(speaker, {talk.room!r}, {talk.bea.id!r}), authority)
        return "done"
    except ProtocolError as error:
        return error.code.value
print(remove(Administrator(user.pk, "tertulia_chat.delete_membership")), remove(None))
user.is_superuser = True; user.is_staff = False; user.save()
print(remove(Administrator(user.pk, "tertulia_chat.delete_membership")))
user.is_staff = True; user.is_active = False; user.save()
print(remove(Administrator(user.pk, "tertulia_chat.delete_membership")))
user.is_active = True; user.save()
print(remove(Administrator(user.pk, "tertulia_chat.delete_membership")))
"""
    answers = (await asyncio.to_thread(embedded.shell, code)).split()
    assert answers[-5:] == ["forbidden", "forbidden", "forbidden", "forbidden", "done"]
    await talk.ana.expect("member.left")


# Language, and very many rows


def test_the_administration_speaks_spanish(root: Staff) -> None:
    page = root.get("/admin/tertulia_chat/", headers={"Accept-Language": "es"}).text
    for name in ("Salas", "Personas", "Mensajes", "Miembros de salas", "Eventos"):
        assert name in page
    page = root.get("room/", headers={"Accept-Language": "es"}).text
    assert "Archivar" in page
    assert "Último mensaje" in page


def test_the_pages_cost_as_much_with_very_many_rows(tmp_path: Path) -> None:
    """100,000 messages and events, rooms of 1,000: the same queries, and no table is read whole.

    To read each of 100,000 rows takes the database far more than the instructions allowed here.
    """
    server = Server(data=tmp_path, env={"TERTULIA_LIMITS": "off"})
    assert server.cli("migrate").returncode == 0
    code = f"exec(compile(open({str(WORK)!r}).read(), 'adminwork', 'exec'), {{'__name__': 'w'}})"
    measured = json.loads(server.shell(code).strip().splitlines()[-1])
    few, many = measured["few"], measured["many"]
    assert {page: queries for page, (queries, _) in many.items()} == {
        page: queries for page, (queries, _) in few.items()
    }
    dear = {page: thousands for page, (_, thousands) in many.items() if thousands > 400}
    assert dear == {}
