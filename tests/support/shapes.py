"""The exact shapes of the published protocol: which keys, which types, nothing more."""

from __future__ import annotations

import re
import uuid
from typing import Any

Frame = dict[str, Any]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|\+00:00)")
PERSON = {"id", "name", "kind", "avatar"}
STATE = {"room", "name", "kind", "topic", "archived", "messages", "role"}
MESSAGE = {
    *("seq", "version", "number", "key", "author", "text", "html", "sent_at", "edited_at"),
    *("deleted", "reply_to", "mentions", "attachments", "reactions"),
}
SUBSCRIBED = {"state", "head", "read", "messages", "messages_more", "members", "members_more"}
DURABLE = {"type", "room", "seq", "at", "actor"}
EXTRA = {
    "message.created": {"message"},
    "message.edited": {"message"},
    "message.deleted": {"message"},
    "reaction.added": {"target", "emoji", "count"},
    "reaction.removed": {"target", "emoji", "count"},
    "member.joined": {"member", "role"},
    "member.left": {"member", "role"},
    "member.changed": {"member", "role"},
    "room.updated": {"state"},
}
ROLES = ("owner", "moderator", "member")


def whole(value: Any) -> bool:
    """A number, and neither a boolean nor a float."""
    return type(value) is int


def is_time(text: Any) -> bool:
    """RFC 3339, in UTC, with milliseconds."""
    return isinstance(text, str) and TIME.fullmatch(text) is not None


def check_person(person: Frame) -> None:
    assert set(person) == PERSON
    assert isinstance(person["id"], str)
    assert person["id"]
    assert isinstance(person["name"], str)
    assert person["kind"] in ("member", "guest", "bot", "visitor")
    assert person["avatar"] is None or isinstance(person["avatar"], str)


def check_member(member: Frame) -> None:
    """A person with his role, as lists of members have him."""
    check_person({name: member[name] for name in PERSON})
    # `read` stands in direct rooms only.
    assert set(member) - {"read"} == PERSON | {"role"}
    assert "read" not in member or whole(member["read"])
    assert member["role"] in ROLES


def check_state(state: Frame, *, role: bool = True) -> None:
    assert set(state) == (STATE if role else STATE - {"role"})
    assert state["kind"] in ("public", "private", "direct", "support")
    assert isinstance(state["archived"], bool)
    assert whole(state["messages"])
    for name in ("room", "name", "topic"):
        assert isinstance(state[name], str)
    if role:
        assert state["role"] is None or state["role"] in ROLES


def check_message(message: Frame) -> None:
    assert set(message) == MESSAGE
    for name in ("seq", "version", "number"):
        assert whole(message[name])
    assert message["version"] >= message["seq"]
    assert str(uuid.UUID(message["key"])) == message["key"]
    check_person(message["author"])
    assert isinstance(message["text"], str)
    assert isinstance(message["html"], str)
    assert is_time(message["sent_at"])
    assert message["edited_at"] is None or is_time(message["edited_at"])
    assert isinstance(message["deleted"], bool)
    assert message["reply_to"] is None or whole(message["reply_to"])
    assert all(isinstance(person, str) for person in message["mentions"])
    assert message["attachments"] == []
    for reaction in message["reactions"]:
        assert set(reaction) == {"emoji", "count", "by"}
        assert whole(reaction["count"])
        assert len(reaction["by"]) == min(reaction["count"], 50)


def check_event(event: Frame) -> None:
    """A durable event."""
    assert set(event) == DURABLE | EXTRA[event["type"]]
    assert whole(event["seq"])
    assert is_time(event["at"])
    check_person(event["actor"])
    if "message" in event:
        check_message(event["message"])
    if "member" in event:
        check_person(event["member"])
        assert event["role"] is None or event["role"] in ROLES
    if "state" in event:
        check_state(event["state"], role=False)
    if "target" in event:
        assert whole(event["target"])
        assert whole(event["count"])


def check_subscribed(result: Frame, *, reset: bool = False) -> None:
    """The result of room.subscribe that brings a snapshot."""
    assert set(result) == SUBSCRIBED | ({"reset"} if reset else set())
    check_state(result["state"])
    assert whole(result["head"])
    assert whole(result["read"])
    for message in result["messages"]:
        check_message(message)
    seqs = [message["seq"] for message in result["messages"]]
    assert seqs == sorted(seqs)
    for member in result["members"]:
        check_member(member)
    assert len(result["members"]) <= 100


def check_error(reply: Frame, code: str) -> Frame:
    """A refusal with that code; its error object."""
    assert set(reply) == {"type", "ref", "ok", "error"}
    assert reply["type"] == "reply"
    assert reply["ok"] is False
    error: Frame = reply["error"]
    assert error["code"] == code, error
    assert set(error) <= {"code", "detail", "field", "retry_after"}
    assert isinstance(error["detail"], str)
    assert error["detail"]
    if code == "invalid":
        assert isinstance(error["field"], str)
    return error


def check_reply(reply: Frame) -> Frame:
    """A success; its result."""
    assert set(reply) == {"type", "ref", "ok", "result"}
    assert reply["ok"] is True
    result: Frame = reply["result"]
    assert isinstance(result, dict)
    return result
