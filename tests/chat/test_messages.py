"""Sending, editing, deleting: what is answered, what everybody sees."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from typing import Any

import pytest

from tertulia.testing.client import new_key
from tests.support.shapes import check_event, check_reply, is_time


async def test_a_message_is_answered_with_its_place(talk: Any) -> None:
    reply = await talk.ana.request("message.send", room=talk.room, key=new_key(), text="hola")
    result = check_reply(reply)
    assert set(result) == {"seq", "sent_at", "duplicate"}
    assert result["seq"] == 3  # after two who joined
    assert is_time(result["sent_at"])
    assert result["duplicate"] is False


async def test_everybody_in_the_room_gets_the_message_the_sender_too(talk: Any) -> None:
    key = new_key()
    sent = await talk.ana.say(talk.room, "hola", key)
    for client in (talk.ana, talk.bea):
        event = await client.expect("message.created", room=talk.room)
        check_event(event)
        message = event["message"]
        assert event["seq"] == message["seq"] == message["version"] == sent["seq"]
        assert event["actor"] == message["author"] == talk.ana.welcome["me"]
        assert event["at"] == message["sent_at"] == sent["sent_at"]
        assert (message["number"], message["key"], message["text"]) == (1, key, "hola")
        assert "hola" in message["html"]
        assert message["edited_at"] is None
        assert message["deleted"] is False
        assert message["reply_to"] is None
        assert message["mentions"] == message["attachments"] == message["reactions"] == []


async def test_the_bytes_are_the_same_for_every_recipient(talk: Any) -> None:
    await talk.ana.say(talk.room, "one encoding")
    first = await talk.ana.expect("message.created")
    assert await talk.bea.expect("message.created") == first


async def test_messages_are_numbered_apart_from_the_log(talk: Any) -> None:
    first = await talk.ana.say(talk.room, "one")
    await talk.bea.cmd("reaction.add", room=talk.room, seq=first["seq"], emoji="👍")
    second = await talk.ana.say(talk.room, "two")
    assert second["seq"] == first["seq"] + 2
    view = await talk.bea.reached(talk.room, second["seq"])
    assert [m["number"] for m in view.messages.values()] == [1, 2]


async def test_sends_of_one_connection_keep_their_order(talk: Any) -> None:
    texts = [f"line {n}" for n in range(200)]
    replies = await asyncio.gather(*(talk.ana.say(talk.room, text) for text in texts))
    seqs = [reply["seq"] for reply in replies]
    assert seqs == sorted(seqs)
    view = await talk.bea.reached(talk.room, seqs[-1])
    assert view.texts() == texts


async def test_many_writers_at_once_make_one_order_without_gaps(talk: Any) -> None:
    async def write(client: Any, name: str) -> None:
        for number in range(50):
            await client.say(talk.room, f"{name} {number}")

    await asyncio.gather(write(talk.ana, "ana"), write(talk.bea, "bea"))
    for client in (talk.ana, talk.bea):
        view = await client.reached(talk.room, 102)
        assert [m["number"] for m in view.messages.values()] == list(range(1, 101))
    assert talk.ana.views[talk.room].messages == talk.bea.views[talk.room].messages


async def test_a_reply_points_at_its_message(talk: Any) -> None:
    first = await talk.ana.say(talk.room, "question")
    await talk.bea.say(talk.room, "answer", reply_to=first["seq"])
    await talk.ana.expect("message.created")
    event = await talk.ana.expect("message.created")
    assert event["message"]["reply_to"] == first["seq"]


@pytest.mark.parametrize("seq", [1, 99])
async def test_a_reply_to_what_is_no_message_is_refused(talk: Any, seq: int) -> None:
    code = await talk.ana.refused(
        "message.send", room=talk.room, key=new_key(), text="to what?", reply_to=seq
    )
    assert code in ("invalid", "not_found")


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b> & 'quotes'",
        "line\nbreak",
        "مرحبا بالعالم",
        "e\u0301",
        "👩‍👩‍👧‍👦",
        "\u202eback",
        "a\u2028b",
        "﷽",
    ],
)
async def test_a_text_comes_back_code_point_by_code_point(talk: Any, text: str) -> None:
    await talk.ana.say(talk.room, text)
    assert (await talk.bea.expect("message.created"))["message"]["text"] == text


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every tag that a browser would make of it, with its attributes."""
    found: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append((tag, dict(attrs)))  # type: ignore
    parser.feed(html)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[x](javascript:alert(1))",
        "<a href='JaVaScRiPt:alert(1)'>x</a>",
        "![x](javascript:alert(1))",
        "<svg/onload=alert(1)>",
    ],
)
async def test_html_carries_no_script(talk: Any, text: str) -> None:
    await talk.ana.say(talk.room, text)
    html = (await talk.bea.expect("message.created"))["message"]["html"]
    for tag, attributes in tags(html):
        assert tag not in ("script", "svg", "img", "iframe", "style", "object"), html
        for name, value in attributes.items():
            assert not name.startswith("on"), html
            assert "javascript:" not in (value or "").lower(), html


async def test_a_link_is_made_safe(talk: Any) -> None:
    await talk.ana.say(talk.room, "see https://example.org/a?b=1&c=2")
    html = (await talk.bea.expect("message.created"))["message"]["html"]
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    for word in ("noopener", "nofollow", "ugc"):
        assert word in html


# Editing


async def test_an_edit_replaces_the_text_for_everybody(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "helo")
    result = await talk.ana.cmd("message.edit", room=talk.room, seq=sent["seq"], text="hello")
    assert set(result) == {"event"}
    event = await talk.bea.expect("message.edited")
    check_event(event)
    message = event["message"]
    assert event["seq"] == message["version"] == result["event"]
    assert (message["seq"], message["text"], message["number"]) == (sent["seq"], "hello", 1)
    assert is_time(message["edited_at"])
    assert message["sent_at"] == sent["sent_at"]


async def test_an_edit_to_the_same_text_changes_nothing(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "same")
    fields = {"room": talk.room, "seq": sent["seq"], "text": "same"}
    assert await talk.ana.cmd("message.edit", **fields) == {"event": sent["seq"]}
    edit = await talk.ana.cmd("message.edit", **{**fields, "text": "other"})
    assert await talk.ana.cmd("message.edit", **{**fields, "text": "other"}) == edit
    assert (await talk.ana.say(talk.room, "next"))["seq"] == edit["event"] + 1


async def test_an_edit_with_the_present_version_is_taken(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "v1")
    fields = {"room": talk.room, "seq": sent["seq"]}
    edit = await talk.ana.cmd("message.edit", **fields, text="v2", version=sent["seq"])
    await talk.ana.cmd("message.edit", **fields, text="v3", version=edit["event"])


async def test_an_edit_with_an_older_version_is_a_conflict(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "v1")
    fields = {"room": talk.room, "seq": sent["seq"]}
    await talk.bea.cmd("reaction.add", **fields, emoji="👍")
    code = await talk.ana.refused("message.edit", **fields, text="v2", version=sent["seq"])
    assert code == "conflict"


@pytest.mark.parametrize("command", ["message.edit", "message.delete", "reaction.add"])
@pytest.mark.parametrize("seq", [1, 500])
async def test_what_is_no_message_is_not_found(talk: Any, command: str, seq: int) -> None:
    more = {"message.edit": {"text": "x"}, "reaction.add": {"emoji": "👍"}}.get(command, {})
    assert await talk.ana.refused(command, room=talk.room, seq=seq, **more) == "not_found"


async def test_an_edited_text_must_fit_as_well(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "short")
    fields = {"room": talk.room, "seq": sent["seq"]}
    assert await talk.ana.refused("message.edit", **fields, text="x" * 10_001) == "too_large"


# Deleting


async def test_a_deleted_message_keeps_its_place_without_its_text(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "regretted")
    result = await talk.ana.cmd("message.delete", room=talk.room, seq=sent["seq"])
    assert set(result) == {"event"}
    event = await talk.bea.expect("message.deleted")
    check_event(event)
    message = event["message"]
    assert message["deleted"] is True
    assert message["text"] == message["html"] == ""
    assert message["version"] == event["seq"] == result["event"]
    assert (message["number"], message["author"]["name"]) == (1, talk.ana.name)
    page = await talk.bea.cmd("history.list", room=talk.room, around=sent["seq"])
    assert page["messages"] == [message]


async def test_a_second_deletion_answers_with_the_first(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "regretted")
    fields = {"room": talk.room, "seq": sent["seq"]}
    first = await talk.ana.cmd("message.delete", **fields)
    assert await talk.ana.cmd("message.delete", **fields) == first
    assert (await talk.ana.say(talk.room, "next"))["seq"] == first["event"] + 1


async def test_a_deletion_with_an_older_version_is_a_conflict(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "v1")
    fields = {"room": talk.room, "seq": sent["seq"]}
    await talk.ana.cmd("message.edit", **fields, text="v2")
    assert await talk.ana.refused("message.delete", **fields, version=sent["seq"]) == "conflict"


async def test_a_deleted_message_cannot_be_edited(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "gone")
    fields = {"room": talk.room, "seq": sent["seq"]}
    await talk.ana.cmd("message.delete", **fields)
    assert await talk.ana.refused("message.edit", **fields, text="back?") == "conflict"


async def test_a_deleted_text_is_nowhere_in_the_log(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "a secret word")
    await talk.ana.cmd("message.edit", room=talk.room, seq=sent["seq"], text="a secret phrase")
    await talk.ana.cmd("message.delete", room=talk.room, seq=sent["seq"])
    epoch = talk.bea.welcome["epoch"]
    result = await talk.bea.cmd("room.subscribe", room=talk.room, after=0, epoch=epoch)
    assert "secret" not in str(result["events"])
