"""Invitation links into rooms: who makes them, whom they admit, and when they do no longer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tertulia.testing.client import Client
from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser
from tests.support.shapes import check_event, is_time

PASSWORD = "a quiet warm room"
DAY = 86_400


class Guest:
    """Somebody with a browser and, once connected, a socket of the same session."""

    def __init__(self, server: Server, name: str) -> None:
        server.createuser(name, password=PASSWORD)
        self.name = name
        self.server = server
        self.browser = Browser(server.url)
        self.browser.sign_in(name, PASSWORD)
        assert self.browser.signed_in
        self.client: Client

    def ask(
        self, path: str, *, method: str = "POST", body: Any = None, csrf: bool = True
    ) -> Answer:
        headers = {"X-CSRFToken": self.browser.cookies["csrftoken"]} if csrf else {}
        return self.browser.request(method, path, json=body, headers=headers, follow=False)

    def invites(self, room: str, expires_in: int | None = None) -> dict[str, Any]:
        """A new link: `id`, `link` and `expires_at`."""
        body = {} if expires_in is None else {"expires_in": expires_in}
        answer = self.ask(links(room), body=body)
        assert answer.status == 201, answer.text
        made: dict[str, Any] = json.loads(answer.body)
        return made

    def sees(self, room: str) -> list[dict[str, Any]]:
        """The links that are listed for him."""
        answer = self.ask(links(room), method="GET")
        assert answer.status == 200, answer.text
        listed: list[dict[str, Any]] = json.loads(answer.body)["invitations"]
        return listed

    def takes_back(self, room: str, key: int) -> int:
        return self.ask(f"{links(room)}{key}/revoke/").status

    def follows(self, link: str) -> Answer:
        return self.browser.get(urlsplit(link).path, follow=False)

    def accepts(self, link: str) -> Answer:
        return self.ask(urlsplit(link).path)


def links(room: str) -> str:
    return f"/chat/-/rooms/{room}/invitations/"


def error_of(answer: Answer) -> str:
    """The code of a refusal in the shape of the contract."""
    body = json.loads(answer.body)
    assert set(body) == {"error"}
    assert {"code", "detail"} <= set(body["error"])
    return str(body["error"]["code"])


@pytest.fixture(scope="module")
def cast(embedded: Server) -> list[Guest]:
    """The same four for every scene: the rooms are new, the people need not be."""
    return [Guest(embedded, f"inv-{name}") for name in ("olga", "mina", "max", "sam")]


class Scene:
    """A room with an owner, a moderator and a member, and a stranger."""

    def __init__(self, room: str, cast: list[Guest]) -> None:
        self.room = room
        self.owner, self.moderator, self.member, self.stranger = cast

    def who(self, role: str) -> Guest:
        guest: Guest = getattr(self, role)
        return guest


@pytest.fixture
async def scene(cast: list[Guest]) -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:
        for guest in cast:
            how = {"cookie": guest.browser.cookie, "origin": guest.browser.origin}
            guest.client = await Client.connect(guest.server.ws, **how)
            stack.push_async_callback(guest.client.close)

        async def build(kind: str = "private", name: str = "Salón") -> Scene:
            owner, moderator, member, _ = cast
            ids = [moderator.client.id, member.client.id]
            room = await owner.client.create(name, kind, members=ids)
            if kind != "direct":
                fields = {"room": room, "member": ids[0], "role": "moderator"}
                await owner.client.cmd("member.role", **fields)
            return Scene(room, cast)

        yield build


# Making


@pytest.mark.parametrize("kind", ["public", "private"])
@pytest.mark.parametrize("role", ["owner", "moderator", "member"])
async def test_every_member_makes_links(scene: Any, kind: str, role: str) -> None:
    it = await scene(kind)
    made = it.who(role).invites(it.room)
    assert set(made) == {"id", "link", "expires_at"}
    assert is_time(made["expires_at"])
    parts = urlsplit(made["link"])
    assert f"{parts.scheme}://{parts.netloc}" == it.owner.server.url
    # 256 random bits in base 64.
    assert len(parts.path.removeprefix("/chat/-/invitation/").strip("/")) == 43


@pytest.mark.parametrize(
    ("kind", "role", "status", "code"),
    [
        ("public", "stranger", 403, "forbidden"),
        ("private", "stranger", 404, "not_found"),
        ("direct", "stranger", 404, "not_found"),
        ("direct", "owner", 403, "forbidden"),
    ],
)
async def test_nobody_else_does(scene: Any, kind: str, role: str, status: int, code: str) -> None:
    it = await scene(kind)
    answer = it.who(role).ask(links(it.room), body={})
    assert (answer.status, error_of(answer)) == (status, code)


async def test_hidden_and_absent_rooms_answer_the_same(scene: Any) -> None:
    it = await scene("private")
    for method in ("GET", "POST"):
        hidden = it.stranger.ask(links(it.room), method=method)
        absent = it.stranger.ask(links("no-such-room-anywhere"), method=method)
        assert (hidden.status, hidden.body) == (absent.status, absent.body)
        assert hidden.status == 404


@pytest.mark.parametrize("seconds", [3_600, DAY, 7 * DAY, 30 * DAY])
async def test_a_link_lasts_as_long_as_was_chosen(scene: Any, seconds: int) -> None:
    it = await scene()
    made = it.owner.invites(it.room, seconds)
    (listed,) = it.owner.sees(it.room)
    assert listed["id"] == made["id"]
    assert _seconds(listed) == seconds
    assert listed["uses"] == 0
    assert listed["by"]["name"] == it.owner.name


async def test_without_a_choice_it_lasts_a_week(scene: Any) -> None:
    it = await scene()
    assert it.owner.ask(links(it.room)).status == 201
    (listed,) = it.owner.sees(it.room)
    assert _seconds(listed) == 7 * DAY


def _seconds(listed: dict[str, Any]) -> float:
    times = [datetime.fromisoformat(listed[name]) for name in ("created_at", "expires_at")]
    return (times[1] - times[0]).total_seconds()


@pytest.mark.parametrize("body", [{"expires_in": 1}, {"expires_in": "7d"}, [], "x", 10**30])
async def test_another_time_is_invalid(scene: Any, body: Any) -> None:
    it = await scene()
    answer = it.owner.ask(links(it.room), body=body)
    assert (answer.status, error_of(answer)) == (400, "invalid")
    assert json.loads(answer.body)["error"]["field"] == "expires_in"
    assert it.owner.sees(it.room) == []


async def test_an_archived_room_makes_none(scene: Any) -> None:
    it = await scene()
    await it.owner.client.cmd("room.update", room=it.room, archived=True)
    answer = it.owner.ask(links(it.room), body={})
    assert (answer.status, error_of(answer)) == (403, "forbidden")


async def test_a_request_from_elsewhere_is_refused(scene: Any) -> None:
    it = await scene()
    made = it.owner.invites(it.room)
    path = urlsplit(made["link"]).path
    for target in (links(it.room), f"{links(it.room)}{made['id']}/revoke/", path):
        assert it.owner.ask(target, csrf=False).status == 403
    assert len(it.owner.sees(it.room)) == 1


async def test_who_is_not_signed_in_makes_none(scene: Any) -> None:
    it = await scene()
    anybody = Browser(it.owner.server.url)
    answer = anybody.get(links(it.room), follow=False)
    assert (answer.status, error_of(answer)) == (401, "unauthenticated")


async def test_only_the_hash_is_kept(scene: Any, embedded: Server) -> None:
    it = await scene()
    token = it.owner.invites(it.room)["link"].rstrip("/").rpartition("/")[2]
    for file in embedded.data.glob("tertulia.sqlite3*"):
        assert token.encode() not in file.read_bytes()
    it.stranger.follows(f"/chat/-/invitation/{token}/")
    assert token not in embedded.tail(limit=10**7)


# Listing and taking back


async def test_one_sees_ones_own_and_moderators_all(scene: Any) -> None:
    it = await scene()
    ids = {role: it.who(role).invites(it.room)["id"] for role in ("owner", "moderator", "member")}
    for role in ("owner", "moderator"):
        assert {line["id"] for line in it.who(role).sees(it.room)} == set(ids.values())
    assert [line["id"] for line in it.member.sees(it.room)] == [ids["member"]]


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("moderator", 200), ("member", 403), ("stranger", 404)]
)
async def test_who_takes_anothers_link_back(scene: Any, role: str, status: int) -> None:
    it = await scene("private")
    made = it.owner.invites(it.room)
    assert it.who(role).takes_back(it.room, made["id"]) == status
    assert it.stranger.follows(made["link"]).status == (410 if status == 200 else 200)


async def test_one_takes_ones_own_back_and_again(scene: Any) -> None:
    it = await scene()
    made = it.member.invites(it.room)
    assert it.member.takes_back(it.room, made["id"]) == 200
    assert it.member.takes_back(it.room, made["id"]) == 200
    assert it.member.sees(it.room) == []
    assert it.stranger.accepts(made["link"]).status == 410


async def test_a_link_of_another_room_is_not_there(scene: Any) -> None:
    it, other = await scene(), await scene()
    made = other.owner.invites(other.room)
    for key in (made["id"], 10**30):
        assert it.owner.takes_back(it.room, key) == 404
    assert it.stranger.follows(made["link"]).status == 200


# Following


@pytest.mark.parametrize("kind", ["public", "private"])
async def test_a_link_admits(scene: Any, kind: str) -> None:
    it = await scene(kind, name="Salón <b>rojo</b>")
    made = it.member.invites(it.room)
    page = it.stranger.follows(made["link"])
    assert page.status == 200
    assert page.headers["referrer-policy"] == "strict-origin"
    assert "no-store" in page.headers["cache-control"]
    for shown in ("Salón &lt;b&gt;rojo", it.member.name, "3 members"):
        assert shown in page.text
    entered = it.stranger.accepts(made["link"])
    assert (entered.status, unquote(entered.headers["location"])) == (302, f"/chat/{it.room}/")
    event = (await it.stranger.client.cmd("room.subscribe", **after(it, 4)))["events"][-1]
    check_event(event)
    who = it.stranger.client.id
    assert (event["type"], event["actor"]["id"], event["member"]["id"]) == (
        "member.joined",
        who,
        who,
    )
    assert (event["seq"], event["role"]) == (5, "member")
    await it.stranger.client.expect("room.entered", room=it.room)
    await it.stranger.client.say(it.room, "gracias")
    assert [line["uses"] for line in it.member.sees(it.room)] == [1]


def after(it: Scene, seq: int) -> dict[str, Any]:
    return {"room": it.room, "after": seq, "epoch": it.owner.client.welcome["epoch"]}


async def test_a_member_goes_straight_in(scene: Any) -> None:
    it = await scene()
    made = it.owner.invites(it.room)
    for answer in (it.member.follows(made["link"]), it.member.accepts(made["link"])):
        assert (answer.status, answer.headers["location"]) == (302, f"/chat/{it.room}/")
    assert [line["uses"] for line in it.owner.sees(it.room)] == [0]
    assert (await it.owner.client.say(it.room, "next"))["seq"] == 5


async def test_accepting_twice_at_once_joins_once(scene: Any) -> None:
    it = await scene()
    made = it.owner.invites(it.room)
    twice = [asyncio.to_thread(it.stranger.accepts, made["link"]) for _ in range(4)]
    assert [answer.status for answer in await asyncio.gather(*twice)] == [302] * 4
    assert [line["uses"] for line in it.owner.sees(it.room)] == [1]
    assert (await it.owner.client.say(it.room, "next"))["seq"] == 6


async def test_who_is_not_signed_in_signs_in_first(scene: Any) -> None:
    it = await scene()
    path = urlsplit(it.owner.invites(it.room)["link"]).path
    somebody = Browser(it.owner.server.url)
    sent = somebody.get(path, follow=False)
    assert sent.status == 302
    assert sent.headers["location"] == f"/accounts/login/?next={path}"
    assert sent.headers["referrer-policy"] == "strict-origin"
    fields = {"username": it.stranger.name, "password": PASSWORD}
    page = somebody.submit(sent.headers["location"], fields, action="/accounts/login/")
    assert page.path == path
    assert "Salón" in page.text


@pytest.mark.parametrize("token", ["x", "a" * 43, "á", "%00", "a" * 5_000])
async def test_an_unknown_link_says_so(scene: Any, token: str) -> None:
    it = await scene()
    for answer in (
        it.stranger.follows(f"/chat/-/invitation/{token}/"),
        it.stranger.accepts(f"/chat/-/invitation/{token}/"),
    ):
        assert answer.status == 404
        assert "There is no such invitation" in answer.text


async def test_an_expired_link_admits_nobody(scene: Any, embedded: Server) -> None:
    it = await scene()
    made = it.owner.invites(it.room, 3_600)
    code = f"""
from datetime import timedelta
from django.utils import timezone
from tertulia.chat.models import RoomInvitation
RoomInvitation.objects.filter(pk={made["id"]}).update(expires_at=timezone.now())
"""
    await asyncio.to_thread(embedded.shell, code)
    for answer in (it.stranger.follows(made["link"]), it.stranger.accepts(made["link"])):
        assert answer.status == 410
        assert "has expired or was taken back" in answer.text
    assert it.owner.sees(it.room) == []


async def test_the_link_of_one_who_is_out_admits_nobody(scene: Any) -> None:
    it = await scene()
    made = it.member.invites(it.room)
    await it.member.client.cmd("room.leave", room=it.room)
    assert it.stranger.accepts(made["link"]).status == 410
    assert it.owner.sees(it.room) == []


async def test_the_link_of_a_closed_account_admits_nobody(scene: Any, embedded: Server) -> None:
    it = await scene()
    lena = Guest(embedded, f"inv-lena-{it.room[:8].lower()}")
    lena.accepts(it.owner.invites(it.room)["link"])
    made = lena.invites(it.room)
    code = f"""
from django.contrib.auth import get_user_model
lena = get_user_model().objects.get(username={lena.name!r})
lena.is_active = False
lena.save()
"""
    await asyncio.to_thread(embedded.shell, code)
    for answer in (it.stranger.follows(made["link"]), it.stranger.accepts(made["link"])):
        assert answer.status == 410
    assert made["id"] not in [line["id"] for line in it.owner.sees(it.room)]


async def test_a_room_that_became_another_kind_admits_nobody(scene: Any, embedded: Server) -> None:
    it = await scene()
    made = it.owner.invites(it.room)
    code = f"""
from tertulia.chat.models import Room
room = Room.objects.get(slug={it.room!r})
room.kind = Room.Kind.SUPPORT
room.save()
"""
    await asyncio.to_thread(embedded.shell, code)
    for answer in (it.stranger.follows(made["link"]), it.stranger.accepts(made["link"])):
        assert answer.status == 410
        assert "Salón" not in answer.text


async def test_an_archived_room_admits_nobody(scene: Any) -> None:
    it = await scene()
    made = it.owner.invites(it.room)
    await it.owner.client.cmd("room.update", room=it.room, archived=True)
    for answer in (it.stranger.follows(made["link"]), it.stranger.accepts(made["link"])):
        assert answer.status == 403
        assert "archived" in answer.text


@pytest.mark.parametrize("kind", ["public", "private"])
async def test_who_was_removed_cannot_come_back_by_an_older_link(scene: Any, kind: str) -> None:
    it = await scene(kind)
    made = it.owner.invites(it.room)
    it.stranger.accepts(made["link"])
    fields = {"room": it.room, "member": it.stranger.client.id}
    await it.moderator.client.cmd("member.remove", **fields)
    for answer in (it.stranger.follows(made["link"]), it.stranger.accepts(made["link"])):
        assert answer.status == 403
        assert "removed" in answer.text
    newer = it.owner.invites(it.room)
    assert it.stranger.accepts(newer["link"]).status == 302


async def test_what_was_first_goes_by_the_log_not_by_the_clock(
    scene: Any, embedded: Server
) -> None:
    """A removal's time is when it began to wait for the room; clocks of machines differ, too."""
    it = await scene()
    made = it.owner.invites(it.room)
    it.stranger.accepts(made["link"])
    code = f"""
from datetime import timedelta
from django.utils import timezone
from tertulia.chat.models import RoomInvitation
later = timezone.now() + timedelta(hours=1)
RoomInvitation.objects.filter(pk={made["id"]}).update(created_at=later)
"""
    await asyncio.to_thread(embedded.shell, code)
    fields = {"room": it.room, "member": it.stranger.client.id}
    await it.moderator.client.cmd("member.remove", **fields)
    assert it.stranger.accepts(made["link"]).status == 403


async def test_who_left_himself_may_come_back(scene: Any) -> None:
    it = await scene()
    made = it.owner.invites(it.room)
    it.stranger.accepts(made["link"])
    await it.stranger.client.cmd("room.leave", room=it.room)
    assert it.stranger.accepts(made["link"]).status == 302
    await it.stranger.client.say(it.room, "back again")


async def test_it_is_the_same_on_every_database_and_across_processes(
    installation: Installation,
) -> None:
    """Made here, followed there, and told to everybody."""
    numbers = f"{installation.here.port}"
    olga = Guest(installation.here, f"olga-{numbers}")
    sam = Guest(installation.there, f"sam-{numbers}")
    how = {"cookie": olga.browser.cookie, "origin": olga.browser.origin}
    async with await Client.connect(installation.here.ws, **how) as client:
        room = await client.create("Salón", "private")
        await client.subscribe(room)
        made, spent = olga.invites(room), olga.invites(room)
        assert olga.takes_back(room, spent["id"]) == 200
        assert "Salón" in sam.follows(made["link"]).text
        assert sam.accepts(spent["link"]).status == 410
        assert sam.accepts(made["link"]).status == 302
        event = await client.expect("member.joined")
        assert event["member"]["name"] == sam.name
        fields = {"room": room, "member": event["member"]["id"]}
        await client.cmd("member.remove", **fields)
        assert sam.accepts(made["link"]).status == 403
