"""“From the Channels tutorial to Tertulia”, carried out on a copy of the tutorial's chat."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tertulia.testing.client import Client, open_socket
from tertulia.testing.services import Redis
from tests import ROOT
from tests.support.browser import Browser
from tests.support.classic import FORMS, ClassicClient
from tests.support.tutorial import ENROL, EXAMPLE, PASSWORD, manage

from .guide import Project

GUIDE = ROOT / "docs" / "from-the-channels-tutorial.md"

PEOPLE = ENROL % ({"ana": True, "bea": False}, PASSWORD)
# What was said in the old chat: by ana, who is a superuser, by bea, and by guests.
MIGRATE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
OLD_CHAT = """
from django.contrib.auth.models import AnonymousUser, User
from chat.models import Message, store
def say(url, user, text):
    store(url, user, {"username": user.get_username() or "guest", "message": text})
ana, bea = User.objects.get(username="ana"), User.objects.get(username="bea")
for user, text in [(bea, "hola"), (AnonymousUser(), "hello"), (ana, "welcome"), (bea, "gracias")]:
    say("/chat/lobby/", user, text)
for text in ("seventeen", "   ", "x" * 10_001):
    say("/room/17/", bea, text)
Message.objects.create(body="in no room", sentBy="Carla")
"""
# More of it, brought over by a second run.
SECOND_RUN = """
from django.contrib.auth.models import User
from django.core.management import call_command
from chat.models import store
said = {"username": "ana", "message": "between us"}
store("/chat/desk/", User.objects.get(username="ana"), said)
call_command("move_to_tertulia", owner="ana", private=True)
"""
LOBBY = [("bea", "hola"), ("guest (guest)", "hello"), ("ana", "welcome"), ("bea", "gracias")]


class Migrated:
    """The project when the guide has been followed to its end, and what was seen on the way."""

    def __init__(self, project: Project, cookies: dict[str, str]) -> None:
        self.project = project
        self.cookies = cookies
        self.seen: list[str] = []

    def who(self, name: str) -> dict[str, Any]:
        """How a page in this person's browser connects."""
        return {"cookie": self.cookies[name], "origin": self.project.url}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory, redis: Redis) -> Iterator[Migrated]:
    """The guide, from its first block to its last, with a look at each place where it promises."""
    folder = tmp_path_factory.mktemp("guide") / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data", "__pycache__"))
    said = manage(folder, folder / "data", "shell", "-c", MIGRATE + PEOPLE + OLD_CHAT)
    cookies = json.loads(said.strip().splitlines()[-1])
    replaced = {"redis://127.0.0.1:6379/0": redis.url}
    project = Project(folder, GUIDE, replaced)
    migrated = Migrated(project, cookies)
    try:
        for command in project.steps():
            migrated.seen.append(command)
            if command.endswith("check"):
                assert "no issues" in project.output
            if "move_to_tertulia" in command:
                assert project.output.count("stays behind") == 2
                with asyncio.Runner() as runner:
                    runner.run(old_clients_talk_to_the_new_page(migrated))
                look_at_the_old_page(migrated)
                project.run("python", "manage.py", "shell", "-c", SECOND_RUN)
        project.terminate()
        project.start()
        yield migrated
    finally:
        project.remove()


def rows(migrated: Migrated, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(migrated.project.folder / "data" / "db.sqlite3")) as database:
        return database.execute(query).fetchall()


async def old_clients_talk_to_the_new_page(migrated: Migrated) -> None:
    """Before anything of the old app is deleted, and after its rooms were brought over."""
    project = migrated.project
    async with await Client.connect(project.ws, **migrated.who("bea")) as page:
        await page.subscribe("lobby")
        for form in FORMS:
            old = await ClassicClient.connect(project.ws, "lobby", form=form, **migrated.who("ana"))
            await old.say(f"from {form}")
            heard = await old.hears(f"from {form}")
            assert (heard["type"], heard["username"]) == ("chat_message", "ana")
            event = await page.expect("message.created")
            assert event["message"]["text"] == f"from {form}"
            await page.say("lobby", "and back")
            assert (await old.hears("and back"))["username"] == "bea"
            await page.expect("message.created")
            await old.close()


def look_at_the_old_page(migrated: Migrated) -> None:
    browser = Browser(migrated.project.url)
    page = browser.get("/old-chat/lobby/")
    assert page.status == 200
    assert "chat-log" in page.text
    assert "/ws/chat/" in page.text
    # The rows are where they were, and nothing that was said since is among them.
    assert rows(migrated, "SELECT count(*) FROM chat_message") == [(8,)]


def test_every_command_but_the_installation_was_run(migrated: Migrated) -> None:
    assert migrated.project.not_run == ['pip install "./tertulia[redis,daphne]"']
    assert len(migrated.seen) == 9


async def test_old_messages_have_their_authors_and_their_order(migrated: Migrated) -> None:
    async with await Client.connect(migrated.project.ws, **migrated.who("bea")) as page:
        lobby = await page.cmd("history.list", room="lobby", limit=4, after=0)
        said = [(message["author"]["name"], message["text"]) for message in lobby["messages"]]
        assert said == LOBBY
        room = await page.subscribe("17")
        assert [message["text"] for message in room["messages"]] == ["seventeen"]
        assert [(m["name"], m["role"]) for m in room["members"]] == [
            ("ana", "owner"),
            ("bea", "member"),
        ]
        loose = await page.subscribe("old-messages")
        assert [(m["author"]["name"], m["text"]) for m in loose["messages"]] == [
            ("Carla (guest)", "in no room")
        ]


async def test_classic_clients_without_an_account_or_a_room_are_told(migrated: Migrated) -> None:
    project = migrated.project
    stranger = await ClassicClient.connect(project.ws, "lobby", origin=project.url)
    assert (await stranger.closing()).code == 4401
    nowhere = await ClassicClient.connect(project.ws, "nowhere", **migrated.who("bea"))
    assert (await nowhere.closing()).code == 4404
    other_port = f"http://127.0.0.1:{project.port + 1}"
    with pytest.raises(InvalidStatus):
        await open_socket(project.ws + "/ws/chat/lobby/", origin=other_port)


async def test_the_echo_is_where_it_was(migrated: Migrated) -> None:
    project = migrated.project
    async with await open_socket(project.ws + "/ws/socket/", origin=project.url) as socket:
        await socket.send("hola")
        assert await asyncio.wait_for(socket.recv(), 10) == "You said: hola"


def test_people_sign_in_and_find_the_new_page(migrated: Migrated) -> None:
    browser = Browser(migrated.project.url)
    asked = browser.get("/chat/lobby/")
    assert asked.path == "/accounts/login/?next=/chat/lobby/"
    arrived = browser.submit(asked.path, {"username": "bea", "password": PASSWORD})
    assert arrived.path == "/chat/lobby/"
    assert "tertulia-page" in arrived.text
    module = re.search(r'"(/static/tertulia/page/[^"]+\.js)"', arrived.text)
    assert module
    assert browser.get(module[1]).status == 200
    assert browser.get("/accounts/password/").status == 200
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    assert browser.request("POST", "/accounts/logout/", form=form).path == "/accounts/login/"
    assert browser.get("/chat/").path.startswith("/accounts/login/")


def test_nothing_of_the_old_app_is_left_but_its_file(migrated: Migrated) -> None:
    folder = migrated.project.folder
    assert not (folder / "chat").exists()
    assert "in no room" in (folder / "old-chat.json").read_text()
    left = "SELECT name FROM sqlite_master WHERE name LIKE 'chat\\_%' ESCAPE '\\'"
    assert rows(migrated, left) == []
    assert ("chat",) not in rows(migrated, "SELECT app_label FROM django_content_type")
    assert Browser(migrated.project.url).get("/old-chat/lobby/").status == 404


async def test_the_layer_is_redis_now(migrated: Migrated, redis: Redis) -> None:
    ((epoch,),) = rows(migrated, "SELECT epoch FROM tertulia_chat_installation")
    async with await Client.connect(migrated.project.ws, **migrated.who("bea")) as page:
        await page.subscribe("lobby")
        assert redis.command("PUBSUB", "CHANNELS", f"*{epoch}*") != b"*0"


async def test_a_second_run_brings_only_what_is_new(migrated: Migrated) -> None:
    said = rows(migrated, "SELECT text, count(*) FROM tertulia_chat_message GROUP BY text")
    assert {text for text, count in said if count > 1} == {"and back"}
    assert {text for _, text in LOBBY} <= {text for text, _ in said}


async def test_a_private_room_is_for_those_who_spoke_in_it(migrated: Migrated) -> None:
    async with await Client.connect(migrated.project.ws, **migrated.who("ana")) as ana:
        room = await ana.subscribe("desk")
        assert [message["text"] for message in room["messages"]] == ["between us"]
    async with await Client.connect(migrated.project.ws, **migrated.who("bea")) as bea:
        assert await bea.refused("room.subscribe", room="desk") == "not_found"


def test_whatever_the_guide_names_of_the_repository_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)", GUIDE.read_text()):
        assert (Path(GUIDE.parent) / target).exists(), target
