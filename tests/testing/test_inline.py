"""The chat inside a host project's own tests, as `manage.py test` runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tertulia.testing.server import clean_environment
from tertulia.testing.services import Postgres
from tests import ROOT

GUIDE = ROOT / "docs" / "testing.md"

MANAGE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """
import os
SECRET_KEY = "x" * 50
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.staticfiles", "tertulia.chat",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF, LOGIN_URL, STATIC_URL, MEDIA_ROOT = "mysite.urls", "/sign-in/", "static/", "media"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if port := os.environ.get("POSTGRES_PORT"):
    DATABASES = {"default": {
        "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": port,
        "USER": os.environ["POSTGRES_USER"], "NAME": "postgres", "TEST": {"NAME": "inline"},
    }}
else:
    DATABASES = {"default": {
        "ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }}
"""
URLS = """
from django.urls import include, path
urlpatterns = [path("chat/", include("tertulia.chat.urls"))]
"""
ASGI = """
from django.core.asgi import get_asgi_application
django = get_asgi_application()
from channels.routing import ProtocolTypeRouter
from tertulia.chat.routing import tertulia_websocket_application
application = ProtocolTypeRouter(
    {"http": django, "websocket": tertulia_websocket_application()}
)
"""
# What the tests below share: people, their sockets, and a post that is committed.
COMMON = '''
import asyncio, threading, uuid
from unittest import mock
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase
from tertulia.chat import open_room, post, publish, revoke, runtime
from tertulia.chat.actions import SendMessage
from tertulia.chat.models import Message, Room, RoomInvitation
from tertulia.chat.people import issue_token, participant_of, speaker_of
from tertulia.protocol.errors import ProtocolError
from tertulia.testing import InlineWriterMixin
from mysite.asgi import application

class Socket(WebsocketCommunicator):
    async def frame(self):
        """The next one, but for those that tell who is here: they come at a time of their own."""
        while (frame := await self.receive_json_from(10))["type"] == "presence.changed":
            pass
        return frame
    async def command(self, kind, **fields):
        await self.send_json_to({"type": kind, "ref": 1, **fields})
        return await self.frame()
    async def say(self, room, text, key=None):
        key = str(key or uuid.uuid4())
        return await self.command("message.send", room=room, key=key, text=text)

class Common(InlineWriterMixin):
    def setUp(self):
        self.ana, self.bea = map(get_user_model().objects.create_user, ("ana", "bea"))
        open_room("tea", owner=self.ana, members=[self.bea])
    async def connect(self, user):
        token = await sync_to_async(lambda: issue_token(participant_of(user)))()
        bearer = b"Bearer " + token.encode()
        socket = Socket(application, "/ws/", [(b"authorization", bearer)])
        assert await socket.connect(10) == (True, None)
        assert (await socket.frame())["type"] == "welcome"
        assert (await socket.command("room.subscribe", room="tea"))["ok"]
        return socket
'''
# Each of these runs in a TestCase and in a TransactionTestCase.
BOTH = """
class Both(Common):
    def test_a_post_is_seen_and_its_key_known(self):
        key = uuid.uuid4()
        first = post("tea", self.ana, "one", key=key)
        self.assertEqual(post("tea", self.ana, "again", key=key), first)
        self.assertEqual(post("tea", self.bea, "two"), first + 1)
        self.assertEqual([m.text for m in Message.objects.order_by("seq")], ["one", "two"])

    def test_a_stranger_is_refused(self):
        with self.assertRaises(ProtocolError):
            post("tea", get_user_model().objects.create_user("eve"), "hello")

    def test_a_room_that_was_rolled_back_is_forgotten(self):
        with self.assertRaises(ValueError), transaction.atomic():
            open_room("undone", owner=self.ana)
            post("undone", self.ana, "never")
            raise ValueError
        open_room("other", owner=self.ana)
        open_room("undone", owner=self.ana)
        post("undone", self.ana, "ever")
        self.assertEqual(Message.objects.get().room.slug, "undone")

    def test_rooms_in_one_order(self):
        self.each_in_its_room("red", "blue")

    def test_rooms_in_the_other_order(self):
        self.each_in_its_room("blue", "red")

    def each_in_its_room(self, *slugs):
        for slug in slugs:
            open_room(slug, owner=self.ana)
        for slug in slugs:
            post(slug, self.ana, slug)
        said = Message.objects.values_list("room__slug", "text")
        self.assertEqual(sorted(said), sorted(zip(slugs, slugs)))

    def test_a_page_writes(self):
        self.client.force_login(self.ana)
        path = "/chat/-/rooms/tea/invitations/"
        self.assertEqual(self.client.post(path, {}, "application/json").status_code, 201)
        self.assertEqual(RoomInvitation.objects.count(), 1)

    async def test_what_a_socket_writes_is_seen(self):
        ana, bea = await self.connect(self.ana), await self.connect(self.bea)
        key = uuid.uuid4()
        reply = await ana.say("tea", "hello", key)
        self.assertEqual(reply["result"]["duplicate"], False)
        for socket in (ana, bea):
            self.assertEqual((await socket.frame())["message"]["text"], "hello")
        again = await ana.say("tea", "hello", key)
        self.assertEqual(again["result"], {**reply["result"], "duplicate": True})
        message = await Message.objects.aget()
        self.assertEqual((message.text, message.seq), ("hello", reply["result"]["seq"]))
        self.assertEqual(message.key, key)

    async def test_a_socket_sees_what_the_test_wrote(self):
        await sync_to_async(post)("tea", self.ana, "before")
        ana = await self.connect(self.ana)
        page = await ana.command("history.list", room="tea", limit=10)
        self.assertEqual([m["text"] for m in page["result"]["messages"]], ["before"])

    async def test_sends_keep_their_order(self):
        ana = await self.connect(self.ana)
        texts = [str(number) for number in range(20)]
        for text in texts:
            await ana.send_json_to({
                "type": "message.send", "ref": text, "room": "tea",
                "key": str(uuid.uuid4()), "text": text,
            })
        frames = [await ana.frame() for _ in range(40)]
        self.assertEqual([f["ref"] for f in frames if f["type"] == "reply"], texts)
        events = [f["message"]["text"] for f in frames if f["type"] == "message.created"]
        self.assertEqual(events, texts)

    async def test_a_refusal(self):
        ana = await self.connect(self.ana)
        reply = await ana.say("nowhere", "hello")
        self.assertEqual(reply["error"]["code"], "not_found")

    async def test_an_action_that_fails_harms_no_other(self):
        def fail(action, log):
            Room.objects.filter(slug="tea").update(topic="undone")
            connection.cursor().execute("SELECT nothing FROM nowhere")
        ana = await self.connect(self.ana)
        with self.assertLogs("tertulia.testing", "ERROR"):
            with mock.patch.object(SendMessage, "run", fail):
                reply = await ana.say("tea", "fails")
        self.assertIn(reply["error"]["code"], ("internal", "unavailable"))
        self.assertTrue((await ana.say("tea", "succeeds"))["ok"])
        self.assertEqual((await Room.objects.aget(slug="tea")).topic, "")

    async def test_a_classic_client_with_a_cookie(self):
        await sync_to_async(self.client.force_login)(self.ana)
        cookie = "sessionid=" + self.client.cookies["sessionid"].value
        headers = {"cookie": cookie, "origin": "http://testserver", "host": "testserver"}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        socket = Socket(application, "/ws/chat/tea/", pairs)
        self.assertTrue((await socket.connect(10))[0])
        await socket.send_json_to({"message": "hello"})
        self.assertEqual((await socket.frame())["message"], "hello")
        self.assertEqual((await Message.objects.aget()).text, "hello")

    async def test_a_shutdown_waits_for_what_was_submitted(self):
        await self.connect(self.ana)
        live = await runtime.get_runtime()
        speaker = await sync_to_async(lambda: speaker_of(participant_of(self.ana)))()
        def write():
            return live.write(SendMessage(speaker, "tea", "hello", uuid.uuid4()))
        sends = [asyncio.create_task(write()) for _ in range(20)]
        await asyncio.sleep(0)
        await runtime.shutdown()
        self.assertEqual([send.done() for send in sends], [True] * 20)
        self.assertEqual(await Message.objects.acount(), 20)
        with self.assertRaises(ProtocolError):
            await write()

    def test_nobody_else_is_at_work(self):
        self.assertEqual(publish.runtimes, set())
        names = [thread.name for thread in threading.enumerate()]
        self.assertFalse([name for name in names if name.startswith("tertulia")], names)
"""
HOST = """
class RolledBackTests(Both, TestCase):
    async def test_what_is_committed_is_told(self):
        ana = await self.connect(self.ana)
        def told():
            with self.captureOnCommitCallbacks(execute=True):
                post("tea", self.bea, "committed")
        await sync_to_async(told)()
        self.assertEqual((await ana.frame())["message"]["text"], "committed")

    async def test_what_is_not_committed_is_not_told(self):
        ana = await self.connect(self.ana)
        await sync_to_async(post)("tea", self.bea, "not committed")
        # The sweep of a process that serves finds it within a second.
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(1.5):
                self.fail(await ana.frame())

class CommittedTests(Both, TransactionTestCase):
    async def test_what_is_committed_is_told(self):
        ana, bea = await self.connect(self.ana), await self.connect(self.bea)
        await sync_to_async(post)("tea", self.bea, "committed")
        self.assertEqual((await ana.frame())["message"]["text"], "committed")
        await bea.frame()
        await sync_to_async(revoke)("tea", self.bea)
        self.assertEqual((await bea.frame())["type"], "room.left")

class ClassDataTests(InlineWriterMixin, TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ana = get_user_model().objects.create_user("ana")
        open_room("class", owner=cls.ana)
        cls.seq = post("class", cls.ana, "for all tests")

    def test_one(self):
        self.assertEqual(post("class", self.ana, "one"), self.seq + 1)

    def test_two(self):
        self.assertEqual(post("class", self.ana, "two"), self.seq + 1)

class PlainTests(TestCase):
    def test_nothing_is_left_of_the_others(self):
        from tertulia.chat import log
        from tertulia.chat.writer import Writer
        self.assertEqual((Room.objects.count(), Message.objects.count()), (0, 0))
        self.assertEqual(Writer.submit.__module__, "tertulia.chat.writer")
        self.assertEqual((log._refs, log._plain), ({}, set()))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A host project, as docs/host-project.md makes one; its tests are for the test to add."""
    files = {"settings": SETTINGS, "urls": URLS, "asgi": ASGI, "__init__": ""}
    (tmp_path / "mysite").mkdir()
    (tmp_path / "manage.py").write_text(MANAGE)
    for name, text in files.items():
        (tmp_path / "mysite" / f"{name}.py").write_text(text)
    return tmp_path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment that names it."""
    if request.param == "sqlite":
        yield {}
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    address = urlsplit(postgres.url("postgres"))
    yield {"POSTGRES_PORT": str(address.port), "POSTGRES_USER": str(address.username)}


def run_tests(project: Path, tests: str, env: dict[str, str]) -> int:
    """How many tests `manage.py test` ran; all have passed, and nobody complained."""
    (project / "mysite" / "tests.py").write_text(tests)
    done = subprocess.run(
        [sys.executable, "-X", "dev", "manage.py", "test", "--noinput", "mysite"],
        env=clean_environment(**env),
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr, done.stderr
    ran = re.search(r"^Ran (\d+) tests? in", done.stderr, re.MULTILINE)
    assert ran, done.stderr
    return int(ran[1])


def test_a_host_tests_the_chat_in_its_own_test_cases(
    project: Path, database: dict[str, str]
) -> None:
    both = BOTH.count("def test_")
    ran = run_tests(project, COMMON + BOTH + HOST, database)
    assert ran == 2 * both + HOST.count("def test_")


def test_the_example_of_the_guide(project: Path, database: dict[str, str]) -> None:
    example = re.search(r"^## In a TestCase .*?```python\n(.*?)```", GUIDE.read_text(), re.M | re.S)
    assert example
    assert run_tests(project, example[1], database) == 2
