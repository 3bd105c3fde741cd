"""What the administration finds, whom it shows a mail address, and what signing out costs."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from tertulia.testing.server import Server
from tests.support.administration import Staff, told
from tests.support.people import Person

from .conftest import Talk
from .test_administration import find, member

WORK = Path(__file__).parents[1] / "support" / "signoutwork.py"
INVITATIONS = "/admin/tertulia_project/invitation/"
DEEDS = "/admin/admin/logentry/"


@pytest.fixture(scope="module")
def staff(embedded: Server) -> dict[str, Staff]:
    """A superuser, somebody who may see everything, and somebody who takes links back."""
    wanted = {
        "Chief": None,
        "Reader": ["tertulia_chat.view", "tertulia_project.view", "admin.view", "auth.view"],
        "Taker": ["tertulia_chat", "tertulia_project", "auth"],
    }
    return Staff.made(embedded, wanted)


@pytest.fixture
def chief(staff: dict[str, Staff]) -> Staff:
    return staff["Chief"]


async def rows(staff: Staff, path: str) -> list[str]:
    """The keys in a list of the administration, from top to bottom."""
    page = await asyncio.to_thread(staff.get, path)
    assert page.status == 200, page.status
    place = path if path.startswith("/admin") else f"/admin/tertulia_chat/{path}"
    table = page.text.partition('id="result_list"')[2].partition("</table>")[0]
    return re.findall(rf'href="{place.partition("?")[0]}(\d+)/change/', table)


# Signing many people out


@pytest.fixture(scope="module")
def signing_out(embedded: Server) -> dict[str, int]:
    """What it took to sign three of eleven people out, who have five sessions each."""
    code = f"exec(compile(open({str(WORK)!r}).read(), 'signoutwork', 'exec'), {{'__name__': 'w'}})"
    counted: dict[str, int] = json.loads(embedded.shell(code).strip().splitlines()[-1])
    return counted


def test_sessions_are_read_once_however_many_people_are_signed_out(
    signing_out: dict[str, int],
) -> None:
    """And none of them while the database's write lock is held."""
    assert signing_out["live"] >= 11 * 5
    assert signing_out["left"] == signing_out["live"] - 3 * 5
    assert signing_out["decoded"] - signing_out["decoded_to_look"] == signing_out["live"]
    assert signing_out["decoded_while_writing"] == 0


def test_the_sessions_of_a_person_are_deleted_in_one_statement(
    signing_out: dict[str, int],
) -> None:
    assert signing_out["deletes"] == 3


def test_cached_sessions_leave_the_cache_too(signing_out: dict[str, int]) -> None:
    assert signing_out["cached_before"] == 2
    assert signing_out["cached_after"] == 0


async def test_who_is_signed_in_is_found_by_name_and_signed_out_there(
    staff: dict[str, Staff], chief: Staff
) -> None:
    page = (await asyncio.to_thread(chief.get, "participant/signed-in/?q=nobody-of-this-name")).text
    assert ">Reader<" not in page
    page = (await asyncio.to_thread(chief.get, "participant/signed-in/?q=rEAD")).text
    assert ">Reader<" in page
    assert "Chief" not in page.partition('id="result_list"')[2].partition("</table>")[0]
    assert 'name="q" value="rEAD"' in page
    assert page.count('value="sign_out"') == 1


# Mail addresses

MAILED = """
from tertulia.chat.models import Participant, Room, RoomInvitation
from tertulia.chat.people import participant_of
from tertulia.project.models import Invitation
from django.contrib.auth import get_user_model
from django.utils import timezone
from datetime import timedelta
users = get_user_model().objects
site = Invitation.objects
soon = timezone.now() + timedelta(days=1)
room = Room.objects.create(slug="mailed-into", slug_fold="mailed-into", name="Mailed into")
for name in ("Chief", "Reader"):
    user = users.get(username=name)
    kept = dict(expires_at=soon, delivery="sent")
    into = RoomInvitation.objects.create(
        room=room, created_by=participant_of(user), digest=name + room.slug,
        address=name + "-room@mail.example", **kept)
    kept = dict(kept, created_by=user, uses=1)
    site.create(digest=name + room.slug, address=name + "-site@mail.example", **kept)
    site.create(digest=name + room.slug + "2", for_room=into, **dict(kept, delivery=""))
"""
PLACES = ("roominvitation/", INVITATIONS)


@pytest.fixture(scope="module")
def mailed(staff: dict[str, Staff], embedded: Server) -> dict[str, Staff]:
    """Links sent by mail: by the superuser and by somebody who may look at everything."""
    embedded.shell(MAILED)
    return staff


async def test_a_mail_address_is_shown_to_superusers_and_to_whoever_wrote_there(
    mailed: dict[str, Staff],
) -> None:
    for place in PLACES:
        page = (await asyncio.to_thread(mailed["Chief"].get, place)).text
        assert "Chief-" in page, place
        assert "Reader-" in page, place
        page = (await asyncio.to_thread(mailed["Reader"].get, place)).text
        assert "Reader-" in page, place
        assert "Chief-" not in page, place
        for key in re.findall(r"/(\d+)/change/", page.partition('id="result_list"')[2]):
            own = (await asyncio.to_thread(mailed["Reader"].get, f"{place}{key}/change/")).text
            assert "Chief-" not in own, place
        # Nor is it guessed letter by letter.
        for way in ("address__startswith", "for_room__address__startswith"):
            asked = await asyncio.to_thread(mailed["Reader"].get, f"{place}?{way}=Chief")
            assert asked.status == 400 or "e=1" in asked.path, (place, way)


# Names and rooms


async def test_rows_are_found_by_a_part_of_the_persons_name(
    chief: Staff, talk: Talk, bea: Person
) -> None:
    sent = await talk.ana.say(talk.room, f"@{talk.bea.name} hola")
    await talk.bea.cmd("reaction.add", room=talk.room, seq=sent["seq"], emoji="👍")
    name = f"Unique-{talk.room}"
    key = await find(chief, "participant", q=talk.bea.id)
    await asyncio.to_thread(chief.post, f"participant/{key}/change/", name=name)
    part = f"nique-{talk.room}".upper()
    for model in ("token", "reaction", "mention", "accesschange"):
        of_bea = await rows(chief, f"{model}/?person={talk.bea.id}")
        assert of_bea, model
        assert await rows(chief, f"{model}/?q={part}") == of_bea, model
        assert await rows(chief, f"{model}/?q={part}-nobody") == [], model


async def test_reactions_and_changes_of_access_are_found_by_room(
    chief: Staff, talk: Talk, private: Talk
) -> None:
    reacted = {}
    for one in (talk, private):
        sent = await one.ana.say(one.room, "hola")
        await one.bea.cmd("reaction.add", room=one.room, seq=sent["seq"], emoji="👍")
        reacted[one.room] = await find(chief, "reaction", room=one.room)
    assert reacted[talk.room] != reacted[private.room]
    assert await asyncio.to_thread(chief.found, "reaction", room="no-such-room") == []
    both = await rows(chief, f"accesschange/?room={private.room}")
    assert len(both) == 2
    of_bea = await rows(chief, f"accesschange/?room={private.room}&person={private.bea.id}")
    assert len(of_bea) == 1
    assert of_bea[0] in both


async def test_links_into_rooms_are_found_by_who_made_them(
    mailed: dict[str, Staff],
) -> None:
    found = await asyncio.to_thread(mailed["Chief"].found, "roominvitation", q="eade")
    assert found
    assert found == await asyncio.to_thread(
        mailed["Chief"].found, "roominvitation", person="Reader"
    )
    page = (await asyncio.to_thread(mailed["Chief"].get, f"{INVITATIONS}?q=eade")).text
    assert "Reader-site" in page
    assert "Chief-site" not in page


# Links that make accounts, and who did what here


async def test_a_link_that_makes_accounts_is_taken_back(
    staff: dict[str, Staff], chief: Staff
) -> None:
    made = await asyncio.to_thread(
        chief.browser.request,
        "POST",
        "/accounts/invite/",
        form={"csrfmiddlewaretoken": chief.csrf, "uses": "3"},
    )
    assert made.status == 200
    page = (await asyncio.to_thread(chief.get, INVITATIONS)).text
    key = re.findall(rf"{INVITATIONS}(\d+)/change/", page)[0]
    form = {"action": "revoke", "_selected_action": key, "index": "0"}
    for path in ("add/", f"{key}/change/", f"{key}/delete/"):
        assert (await asyncio.to_thread(chief.post, INVITATIONS + path, post="yes")).status == 403
    # To look is not enough.
    await asyncio.to_thread(staff["Reader"].post, INVITATIONS, **form)
    good = f"/accounts/invite/{key}/revoke/"
    assert good in (await asyncio.to_thread(chief.browser.get, "/accounts/invite/")).text
    done = await asyncio.to_thread(staff["Taker"].post, INVITATIONS, **form)
    assert "done" in told(done)
    assert good not in (await asyncio.to_thread(chief.browser.get, "/accounts/invite/")).text
    page = (await asyncio.to_thread(chief.get, f"{INVITATIONS}?good=0")).text
    assert f"{INVITATIONS}{key}/change/" in page


async def test_superusers_can_look_up_who_did_what_here(
    staff: dict[str, Staff], talk: Talk
) -> None:
    taker, chief = staff["Taker"], staff["Chief"]
    await taker.acts("room", await find(taker, "room", q=talk.room), "archive")
    page = (await asyncio.to_thread(chief.get, f"{DEEDS}?q=ake")).text
    rows = page.partition('id="result_list"')[2].partition("</table>")[0]
    first = rows.partition("<tbody>")[2].partition("</tr>")[0]
    assert "Taker" in first
    assert "Archive" in first
    assert f"Talk of {talk.ana.name}" in first
    key = re.findall(rf"{DEEDS}(\d+)/change/", first)[0]
    for path in ("add/", f"{key}/change/", f"{key}/delete/"):
        assert (await asyncio.to_thread(chief.post, DEEDS + path, post="yes")).status == 403
    page = (await asyncio.to_thread(chief.get, f"{DEEDS}?person=Reader")).text
    assert "Archive" not in page.partition('id="result_list"')[2].partition("</table>")[0]
    # The permission to view it does not open it: the names of private rooms are in it.
    for path in (DEEDS, f"{DEEDS}{key}/change/"):
        assert (await asyncio.to_thread(staff["Reader"].get, path)).status == 403


# The last owner


async def test_removing_the_last_owner_is_warned_of_and_can_be_mended(
    chief: Staff, talk: Talk
) -> None:
    owner, other = await member(chief, talk, talk.ana), await member(chief, talk, talk.bea)
    form = {"action": "delete_selected", "index": "0"}
    asked = await asyncio.to_thread(chief.post, "membership/", _selected_action=str(other), **form)
    assert "will have no owner" not in asked.text
    asked = await asyncio.to_thread(chief.post, "membership/", _selected_action=str(owner), **form)
    assert "will have no owner" in asked.text
    await chief.acts("membership", owner, "delete_selected")
    await talk.bea.expect("member.left")
    await chief.acts("membership", other, "make_owner")
    changed = await talk.bea.expect("member.changed")
    assert (changed["member"]["id"], changed["role"]) == (talk.bea.id, "owner")


async def test_all_of_this_is_in_spanish_too(chief: Staff, talk: Talk) -> None:
    spanish = {"Accept-Language": "es"}
    for path, words in (
        (INVITATIONS, ("Enlaces para crear cuentas", "agotado, caducado o anulado", "Usos")),
        (DEEDS, ("Qué se hizo", "Cuál")),
        ("mention/", ("en las 20.000 menciones más recientes",)),
        ("participant/signed-in/", ("Una parte del nombre de la persona.",)),
    ):
        page = (await asyncio.to_thread(chief.get, path, headers=spanish)).text
        for word in words:
            assert word in page, (path, word)
    owner = str(await member(chief, talk, talk.ana))
    form = {
        "action": "delete_selected",
        "_selected_action": owner,
        "csrfmiddlewaretoken": chief.csrf,
    }
    asked = await asyncio.to_thread(
        chief.browser.request,
        "POST",
        "/admin/tertulia_chat/membership/",
        form={**form, "index": "0"},
        headers=spanish,
    )
    assert "se quedará entonces sin propietario" in asked.text
