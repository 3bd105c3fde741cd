"""Every address for everybody, over real HTTP, against the table of `addresses.py`."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from PIL import Image

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.conftest import RELAXED
from tests.support.browser import Answer

from .addresses import (
    ACCOUNTS,
    ADMIN,
    AGENTS,
    BEFORE_DJANGO,
    CHAT,
    MAIL,
    MAILED,
    METRICS,
    MODELS,
    ROLES,
    WIDGET,
    Address,
    Statuses,
    model_addresses,
)
from .web import UNSAFE, Visitor, routes, send_picture, sessions

PREPARE = """
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from tertulia.project.accounts.links import new_invitation
from tertulia.support.models import Inbox
Group.objects.get_or_create(name="a group")
User.objects.filter(username={staff!r}).update(is_staff=True)
User.objects.filter(username={admin!r}).update(is_staff=True, is_superuser=True)
administrator = User.objects.get(username={admin!r})
LogEntry.objects.create(user=administrator, action_flag=CHANGE, object_repr="a deed")
new_invitation(administrator, 1)
Inbox.objects.create(name="a desk")
"""
OBJECTS = """
import json
from django.contrib import admin
pks = {model._meta.label_lower: model._default_manager.order_by("pk").values_list("pk", flat=True)
       .first() for model in admin.site._registry}
print(json.dumps({label: str(pk) for label, pk in pks.items() if pk is not None}))
"""
PEOPLE = (*ROLES[1:], "owner")


class Site:
    """A visitor of every role, and the addresses filled in."""

    def __init__(self, server: Server, stack: ExitStack) -> None:
        people = dict(zip(PEOPLE, server.people(len(PEOPLE)), strict=True))
        names = {role: name for role, (name, _) in people.items()}
        made = sessions(
            server,
            dict.fromkeys(names.values(), 1),
            PREPARE.format(staff=names["staff"], admin=names["administrator"]),
        )
        held = {role: made[name][0] for role, name in names.items()}
        self.visitors = {role: Visitor(server, held.get(role)) for role in (*ROLES, "owner")}
        for visitor in self.visitors.values():
            stack.callback(visitor.close)
        self.server = server
        self.places: dict[str, str] = {"absent": "there-is-no-such-room"}
        self.tokens = {role: token for role, (_, token) in people.items()}

    async def open_rooms(self) -> None:
        """A room of every kind, with a message in the private one."""
        async with (
            await Client.connect(self.server.ws, token=self.tokens["owner"]) as owner,
            await Client.connect(self.server.ws, token=self.tokens["member"]) as member,
        ):
            for kind, place in (("private", "room"), ("public", "public"), ("direct", "direct")):
                self.places[place] = await owner.create("Matrix", kind, members=[member.id])
            sent = await member.say(self.places["room"], f"hola @{owner.name}")
            await owner.cmd("reaction.add", room=self.places["room"], seq=sent["seq"], emoji="👍")
            self.places["seq"] = str(sent["seq"])

    async def furnish(self) -> None:
        """The rooms, a picture and links into the rooms."""
        await self.open_rooms()
        picture = io.BytesIO()
        Image.new("RGB", (8, 8), "teal").save(picture, "PNG")
        assert send_picture(self.visitors["member"], picture.getvalue()).status == 302
        async with await Client.connect(self.server.ws, token=self.tokens["member"]) as member:
            self.places["picture"] = member.welcome["me"]["avatar"]
        for place, key in (("room", "key"), ("public", "public_key")):
            path = f"/chat/-/rooms/{self.places[place]}/invitations/"
            made = json.loads(self.visitors["member"].ask("POST", path).body)
            self.places[key] = str(made["id"])
            if place == "room":
                self.places["link"] = made["link"].rstrip("/").rpartition("/")[2]

    def all(self) -> list[Address]:
        printed = self.server.shell(OBJECTS)
        objects = json.loads(printed.strip().splitlines()[-1])
        assert set(objects) == set(MODELS), "nothing of this model is there to be tried with"
        return [*CHAT, *ACCOUNTS, *AGENTS, *WIDGET, *ADMIN, *model_addresses(objects)]

    def path(self, address: Address) -> str:
        return address.path.format(**self.places)

    def answers(self, method: str, role: str, addresses: list[Address]) -> dict[str, int]:
        return {_name(each): self.ask(method, role, each).status for each in addresses}

    def ask(self, method: str, role: str, address: Address) -> Answer:
        visitor, path = self.visitors[role], self.path(address)
        if address.body:
            how: dict[str, Any] = {"Content-Type": "application/json"}
            return visitor.ask(method, path, body=address.body.encode(), **how)
        return visitor.ask(method, path, form=dict(address.form))


def _name(address: Address) -> str:
    return f"{address.route} {address.case}".strip()


@pytest.fixture(scope="module")
def site(embedded: Server) -> Iterator[Site]:
    with ExitStack() as stack:
        made = Site(embedded, stack)
        asyncio.run(made.furnish())
        yield made


@pytest.fixture(scope="module")
def addresses(site: Site) -> list[Address]:
    return site.all()


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the mails of `mailing` go, a file each."""
    return tmp_path_factory.mktemp("letters")


@pytest.fixture(scope="module")
def mailing(letters: Path) -> Iterator[Site]:
    """Another site, which can send mails."""
    url = f"file://{letters}?from=chat@example.org"
    server = Server(env={**RELAXED, "TERTULIA_EMAIL_URL": url})
    with ExitStack() as stack:
        stack.callback(server.remove)
        made = Site(server.start(), stack)
        asyncio.run(made.open_rooms())
        yield made


def expected(addresses: list[Address], role: str, what: str) -> dict[str, int]:
    place = ROLES.index(role)
    told: dict[str, Statuses | None] = {_name(each): getattr(each, what) for each in addresses}
    return {name: statuses[place] for name, statuses in told.items() if statuses is not None}


def in_turn(addresses: list[Address], role: str) -> list[Address]:
    """At the pages of models those who are not of the staff are turned away at one door, so that
    each page is tried by one of them; everybody else tries all."""
    outside = ROLES[:3]
    return [
        each
        for number, each in enumerate(addresses)
        if not each.of_model or role not in outside or outside[number % 3] == role
    ]


def test_every_address_has_a_row(addresses: list[Address]) -> None:
    assert {address.route for address in addresses} == set(routes())


def test_no_row_stands_twice(addresses: list[Address]) -> None:
    """Else one of the two is tried against what the other says."""
    names = Counter((each.route, each.case) for each in [*addresses, *MAIL])
    assert [name for name, count in names.items() if count > 1] == []


def test_every_model_of_the_administration_has_a_row() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(MODELS)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_look(site: Site, addresses: list[Address], role: str) -> None:
    addresses = in_turn(addresses, role)
    assert site.answers("GET", role, addresses) == expected(addresses, role, "get")


@pytest.mark.parametrize("role", ROLES)
def test_who_may_send(site: Site, addresses: list[Address], role: str) -> None:
    sent = [each for each in in_turn(addresses, role) if each.post is not None]
    assert site.answers("POST", role, sent) == expected(sent, role, "post")


def test_who_may_invite_by_mail(mailing: Site, letters: Path) -> None:
    """And nobody else caused a mail."""
    for role in ROLES:
        for method, what in (("GET", "get"), ("POST", "post")):
            found = mailing.answers(method, role, list(MAIL))
            assert found == expected(list(MAIL), role, what), role
    # What goes out together is in one file.
    sent = re.findall(r"^To: (.+)$", "".join(map(Path.read_text, letters.iterdir())), re.M)
    assert Counter(sent) == MAILED


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_do_nothing(site: Site, method: str) -> None:
    """Not for the mightiest either."""
    ours = [*CHAT, *ACCOUNTS, *AGENTS, *WIDGET]
    answers = site.answers(method, "administrator", ours)
    assert answers == {
        _name(each): (each.put if method == "PUT" and each.put else each.other) for each in ours
    }


@pytest.mark.parametrize("method", UNSAFE)
def test_an_unsafe_request_needs_a_token(site: Site, addresses: list[Address], method: str) -> None:
    """Of every method at every address; the pages of a model have one method each."""
    turn = UNSAFE.index(method)
    addresses = [
        each
        for number, each in enumerate(addresses)
        if not each.cookieless and (not each.of_model or number % len(UNSAFE) == turn)
    ]
    without = {
        _name(each): site.visitors["administrator"].ask(method, site.path(each), csrf=False).status
        for each in addresses
    }
    # It looks at the length of a picture before Django reads it, and at the method before that.
    picture = {"chat/-/settings/picture/": 403 if method == "POST" else 405}
    assert without == {_name(each): 403 for each in addresses} | picture


def test_a_request_from_a_foreign_page_is_refused(site: Site, addresses: list[Address]) -> None:
    """Though it has the right token: another site's page must not send it.

    That is judged before an address is looked at, so one page of a model's stands for all.
    """
    port = site.server.port
    origins = ("null", "http://evil.example", f"http://127.0.0.1:{port + 1}",
               f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port}.evil.example")  # fmt: skip
    tried = (each for each in addresses if not each.of_model and not each.cookieless)
    for number, address in enumerate(tried):
        origin = origins[number % len(origins)]
        answer = site.visitors["administrator"].ask("POST", site.path(address), Origin=origin)
        assert answer.status == 403, (address.path, origin)


def test_a_bearer_token_opens_no_page(site: Site) -> None:
    """Nor does it stand in for a CSRF token: pages know sessions alone."""
    with Visitor(site.server, Authorization=f"Bearer {site.tokens['member']}") as visitor:
        assert visitor.get("/chat/").status == 302
        assert visitor.get("/chat/-/rooms/").status == 401
        assert visitor.ask("POST", "/chat/-/language/", csrf=False).status == 403


@pytest.mark.parametrize("path", BEFORE_DJANGO)
def test_health_is_told_to_everybody_and_does_nothing(site: Site, path: str) -> None:
    for method in ("GET", *UNSAFE):
        assert site.visitors["anonymous"].ask(method, path, csrf=False).status == 200


@pytest.mark.parametrize("role", ROLES)
def test_who_may_read_the_metrics_from_elsewhere(site: Site, role: str) -> None:
    """Whatever header a proxy would add makes it elsewhere, and so does another name."""
    status = METRICS[ROLES.index(role)]
    visitor = site.visitors[role]
    told: tuple[dict[str, Any], ...] = (
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "evil.example"},
    )
    for headers in told:
        assert visitor.ask("GET", "/metrics", **headers).status == status, headers
        assert visitor.ask("POST", "/metrics", **headers).status == 405, headers
    assert visitor.get("/metrics").status == 200
