"""The tutorial's chat does what the documents describe, under each server and layer of theirs."""

from __future__ import annotations

import asyncio
import re
import subprocess

import pytest
from websockets.exceptions import InvalidStatus

from tertulia.testing.client import open_socket
from tests.support.browser import Browser
from tests.support.tutorial import EXAMPLE, PASSWORD, Tutorial

from .conftest import FRIEND, Enter

CHAT, ROOM, PLAIN = "/ws/chat/{}/", "/ws/room/{}/", "/ws/{}"


def said(text: str, username: str = "guest") -> dict[str, str]:
    return {"type": "chat_message", "message": text, "username": username}


# Under every server and layer


async def test_the_echo(each: Tutorial) -> None:
    async with await open_socket(each.ws + "/ws/socket/", origin=each.url) as socket:
        await socket.send("hola")
        assert await asyncio.wait_for(socket.recv(), 10) == "You said: hola"


@pytest.mark.parametrize("form", [ROOM, PLAIN])
async def test_who_is_in_a_room_hears_what_is_said_there(
    each: Tutorial, enter: Enter, form: str
) -> None:
    here, too = await enter(each, "17", form=form), await enter(each, "17", form=form)
    elsewhere = await enter(each, "18", form=form)
    await here.send({"type": "chat_message", "message": "hola"})
    assert await here.next() == await too.next() == said("hola")
    await elsewhere.say("over there")
    assert await elsewhere.next() == said("over there")


async def test_the_tutorials_address_and_the_plain_one_lead_to_the_same_room(
    each: Tutorial, enter: Enter
) -> None:
    plain = await enter(each, "both", form=PLAIN)
    tutorial = await enter(each, "both", form=CHAT)
    if "--consumer" in each.arguments:
        for client in (plain, tutorial):
            assert await client.next() == {"tester": "hello_world"}
    await tutorial.say("hola")
    assert await plain.next() == await tutorial.next() == said("hola")


async def test_rooms_with_an_id_are_apart_from_rooms_with_a_name(
    each: Tutorial, enter: Enter
) -> None:
    by_id, by_name = await enter(each, "20", form=ROOM), await enter(each, "20", form=PLAIN)
    for client, text in ((by_id, "id"), (by_name, "name")):
        await client.say(text)
        assert await client.next() == said(text)


async def test_a_process_of_its_own_reaches_the_room_through_redis(
    over_core: Tutorial, enter: Enter
) -> None:
    client = await enter(over_core, "redis", form=PLAIN)
    event = said("from outside", "a script")
    code = (
        "from asgiref.sync import async_to_sync; from channels.layers import get_channel_layer;"
        f"async_to_sync(get_channel_layer().group_send)('chat_redis', {event})"
    )
    layer = {"TUTORIAL_LAYER": "core", "TUTORIAL_REDIS": over_core.arguments[3]}
    await asyncio.to_thread(over_core.manage, "shell", "-c", code, **layer)
    assert await client.next() == event


def test_the_pages_have_what_the_documents_name(each: Tutorial) -> None:
    browser = Browser(each.url)
    assert "room-name-input" in browser.get("/chat/").text
    page = browser.get("/chat/lobby/").text
    assert re.search(r'<textarea id="chat-log"', page)
    assert re.search(r'<input id="chat-message-input"', page)
    assert re.search(r'<button id="chat-message-submit"', page)
    assert '<script id="room-name" type="application/json">"lobby"</script>' in page
    login = browser.get("/admin/login/").text
    style = re.search(r'href="(/static/admin/[^"]+\.css)"', login)
    assert style
    assert browser.get(style[1]).status == 200


async def test_a_foreign_page_gets_no_socket(each: Tutorial) -> None:
    for path in ("/ws/socket/", "/ws/chat/lobby/"):
        with pytest.raises(InvalidStatus) as refusal:
            await open_socket(each.ws + path, origin="https://evil.example")
        assert refusal.value.response.status_code == 403


# The room


async def test_whoever_enters_greets_everybody(over_core: Tutorial, enter: Enter) -> None:
    first = await enter(over_core, "greeting")
    assert await first.next() == {"tester": "hello_world"}
    second = await enter(over_core, "greeting")
    assert await first.next() == await second.next() == {"tester": "hello_world"}


async def test_a_message_bears_the_name_of_the_account(
    tutorial: Tutorial, enter: Enter, cookies: dict[str, str]
) -> None:
    ana = await enter(tutorial, "names", cookie=cookies["ana"])
    bea = await enter(tutorial, "names", form=PLAIN, cookie=cookies["bea"])
    for client, name in ((ana, "ana"), (bea, "bea")):
        await client.say("hola")
        assert await ana.next() == await bea.next() == said("hola", name)


@pytest.mark.parametrize("room", ["ñandú 🦤", "a.b", "a b", "x" * 100, "17"])
async def test_rooms_of_any_name(tutorial: Tutorial, enter: Enter, room: str) -> None:
    here, too = await enter(tutorial, room), await enter(tutorial, room, form=PLAIN)
    await here.say("hola")
    assert await here.next() == await too.next() == said("hola")


@pytest.mark.parametrize("frame", ["hola", "[1]", '{"text": "hola"}', '{"message": 1}', b"\x00"])
async def test_what_is_no_message_harms_nobody(
    tutorial: Tutorial, enter: Enter, frame: str | bytes
) -> None:
    for form in (CHAT, PLAIN):
        client = await enter(tutorial, "harmless", form=form)
        await client.send(frame)
        await client.say("still here")
        assert await client.next() == said("still here")


# What is kept


async def test_a_message_is_kept_with_author_time_client_and_agent(
    tutorial: Tutorial, enter: Enter, cookies: dict[str, str]
) -> None:
    guest, bea, ana = [
        await enter(tutorial, "desk", form=form, cookie=cookies.get(name))
        for name, form in (("", CHAT), ("bea", CHAT), ("ana", PLAIN))
    ]
    for client, text in ((guest, "help"), (bea, "me too"), (ana, "how can I help?")):
        await client.say(text)
        assert (await guest.next())["message"] == text
    browser = Browser(tutorial.url)
    browser.cookies["sessionid"] = cookies["ana"].partition("=")[2]
    rooms = _rows(browser.get("/admin/chat/room/?q=desk").text)
    assert [(row["client"], row["agent"], row["url"]) for row in rooms] == [
        ("guest", "ana", "/chat/desk/")
    ]
    messages = _rows(browser.get("/admin/chat/message/?q=help").text)
    assert [(row["sentBy"], row["body"], row["created_By"]) for row in messages] == [
        ("guest", "help", "-"),
        ("ana", "how can I help?", "ana"),
    ]
    assert all(row["createdAt"] for row in messages)


def _rows(page: str) -> list[dict[str, str]]:
    """The rows of a list in the administration, by field."""
    cell = re.compile(r'class="field-(\w+)[^"]*">(?:<a[^>]*>)?([^<]*)')
    rows = [dict(cell.findall(row)) for row in re.findall(r"<tr>.*?</tr>", page, re.S)]
    return list(filter(None, rows))


def test_the_administration_of_rooms_opens(tutorial: Tutorial, cookies: dict[str, str]) -> None:
    browser = Browser(tutorial.url)
    assert browser.submit(
        "/admin/login/?next=/chat/", {"username": "ana", "password": PASSWORD}
    ).text.count("ana")
    for page in ("chat/message/", "chat/room/", "chat/room/add/", "auth/user/"):
        assert browser.get(f"/admin/{page}").status == 200


async def test_without_storing_nothing_is_kept(over_core: Tutorial, enter: Enter) -> None:
    client = await enter(over_core, "fleeting", form=PLAIN)
    await client.say("hola")
    await client.next()
    assert await asyncio.to_thread(over_core.manage, "dumpdata", "chat") == "[]"


# Other sites


async def test_an_admitted_site_may_open_sockets_and_read_answers(tutorial: Tutorial) -> None:
    async with await open_socket(tutorial.ws + "/ws/socket/", origin=FRIEND) as socket:
        await socket.send("hola")
        assert await asyncio.wait_for(socket.recv(), 10) == "You said: hola"
    browser = Browser(tutorial.url)
    allowed = "access-control-allow-origin"
    assert browser.get("/chat/", headers={"Origin": FRIEND}).headers[allowed] == FRIEND
    assert allowed not in browser.get("/chat/", headers={"Origin": "https://evil.example"}).headers
    asking = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
    answer = browser.request("OPTIONS", "/chat/", headers=asking)
    assert answer.status == 200
    assert "x-csrftoken" in answer.headers["access-control-allow-headers"]


def test_the_page_in_spanish(tutorial: Tutorial) -> None:
    page = Browser(tutorial.url).get("/chat/lobby/", headers={"Accept-Language": "es-AR,es"}).text
    assert '<html lang="es">' in page
    assert "Enviar" in page
    assert "Conectado con {server}" in page


# The command


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--server", "gunicorn"], "gunicorn"),
        (["--layer=cloud"], "cloud"),
        (["--port", "http"], "http"),
        (["--port"], "--port"),
        (["--colour", "red"], "--colour"),
        (["lobby"], "lobby"),
        (["--server", "daphne", "--reload"], "daphne"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(arguments: list[str], word: str) -> None:
    done = subprocess.run([EXAMPLE / "run", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert word in done.stderr


def test_the_command_names_its_options() -> None:
    done = subprocess.run([EXAMPLE / "run", "--help"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0
    for option in ("--server", "--port", "--redis", "--layer"):
        assert option in done.stdout


def test_the_signing_key_is_for_its_owner(tutorial: Tutorial) -> None:
    assert (tutorial.data / "secret-key").stat().st_mode & 0o077 == 0
