"""The tables of `docs/protocol.md`, made from the types and enums that the code runs on.

`python -m tertulia.protocol.reference docs/protocol.md` rewrites what stands between
`<!-- generated: NAME -->` and `<!-- end -->`; with `--check` it changes nothing, and exits 1
when the file is not current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from . import commands, events, limits
from .errors import Close, Code

_BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
# Above this an integer is bounded only so that it can be kept.
_ANY_INTEGER = 2**62
_PATTERNS = {
    r"\A[^\x00]*\Z": "no NUL",
    r"\A[^\x00\s<>&]+\Z": "no NUL, white space, `<`, `>` or `&`",
}
OBJECTS: tuple[type[msgspec.Struct], ...] = (
    *(events.Person, events.Member, events.RoomState, events.MyRoom),
    *(events.Message, events.ReactionState, events.ErrorBody),
    *(events.Conversation, events.Mail, events.LastMessage, events.Visitor),
    *(events.Inbox, events.Agent, events.CannedReply),
    *(events.SearchResult, events.Found, events.Snippet),
)
FRAMES: dict[str, list[type[msgspec.Struct]]] = {}
for _struct in vars(events).values():
    if isinstance(_struct, type) and issubclass(_struct, msgspec.Struct):
        _tag = _struct.__struct_config__.tag
        if _tag is not None and _struct is not events.Durable:
            FRAMES.setdefault(str(_tag), []).append(_struct)

LIMITS: tuple[tuple[str, int, str], ...] = (
    ("a frame", limits.FRAME_BYTES, "bytes of UTF-8"),
    ("the text of a message", limits.TEXT, "code points"),
    ("a room's name", limits.NAME, "code points"),
    ("a room's topic", limits.TOPIC, "code points"),
    ("a slug", limits.SLUG, "code points"),
    ("the address of a visitor's page", limits.URL, "code points"),
    ("the `query` of a search", limits.QUERY, "code points"),
    ("messages in a `conflict`", limits.UNSEEN, "messages, the newest"),
    ("an emoji", limits.EMOJI, "code points"),
    ("a page (`limit`)", limits.PAGE, f"items; {limits.PAGE_DEFAULT} where no `limit` is given"),
    ("members in a snapshot", limits.MEMBERS_FIRST, "people; `member.list` has the others"),
    ("ids in `by` of a reaction", limits.REACTORS, "people; `count` counts all"),
    ("people in `presence.changed`", limits.HERE, "people; above it only their number"),
    ("a resume", limits.RESUME_EVENTS, "events, or it becomes a reset"),
    ("the events of a resume", limits.RESUME_BYTES, "bytes, or it becomes a reset"),
)
ERRORS: dict[Code, str] = {
    Code.BAD_FRAME: "no JSON object, or no `ref`; the reply's `ref` is null",
    Code.UNKNOWN_COMMAND: "no command has this `type`",
    Code.INVALID: "the value of `field` cannot be used",
    Code.UNAUTHENTICATED: "say who you are first, by `auth`",
    Code.FORBIDDEN: "you may see the room, but not do this in it",
    Code.NOT_FOUND: "no such room, message or member, or a room that you may not see",
    Code.CONFLICT: "it contradicts the present state",
    Code.TOO_LARGE: "the text is too long",
    Code.RATE_LIMITED: "too fast; `retry_after` says how long to wait",
    Code.UNAVAILABLE: "the database cannot be reached now: the outcome is unknown, try again",
    Code.INTERNAL: "a fault of the server: the outcome is unknown",
}
CLOSES: dict[Close, tuple[str, str]] = {
    Close.GOING_AWAY: ("the server or a proxy goes away", "connect again"),
    Close.TOO_BIG: ("a frame was too big", "connect again, without that frame"),
    Close.RESTART: ("the process restarts, or a backup was restored", "connect again"),
    Close.TOO_SLOW: ("too much was waiting for you, or the server is too busy", "connect again"),
    Close.NOT_THE_PROTOCOL: ("a binary frame", "mend the client"),
    Close.UNAUTHENTICATED: ("not signed in, or no longer", "final"),
    Close.BANNED: ("banned", "final"),
    Close.NO_SUCH_ROOM: ("no such room (classic only)", "final"),
    Close.NO_SIGN_OF_LIFE: ("silent for two heartbeats", "connect again"),
    Close.TOO_MANY: ("too many sockets of one person or address", "connect again, later"),
}


def sections() -> dict[str, str]:
    """The text of every generated part, by its name."""
    durable = {field.name for field in _fields(events.Durable)}
    found = {
        "commands": _table(
            ("command", "what it does"),
            ((f"[`{tag}`](#{_anchor(tag)})", _doc(struct)) for tag, struct in _commands()),
        ),
        "limits": _table(("of", "at most", ""), ((f"{a}", f"{b:,}", c) for a, b, c in LIMITS)),
        "errors": _table(("code", "meaning"), ((f"`{code}`", ERRORS[code]) for code in Code)),
        "closes": _table(
            ("code", "meaning", "the client"), ((f"{close:d}", *CLOSES[close]) for close in Close)
        ),
        "durable": _receives(events.Durable),
    }
    for tag, struct in _commands():
        found[f"command {tag}"] = f"{_doc(struct)}\n\n{_sends(struct)}"
    for struct in OBJECTS:
        found[f"object {struct.__name__}"] = f"{_doc(struct)}\n\n{_receives(struct)}"
    for tag, structs in FRAMES.items():
        for struct in structs:
            own = durable if issubclass(struct, events.Durable) else ()
            name = f"frame {tag}" if len(structs) == 1 else f"frame {tag} {struct.__name__}"
            found[name] = f"{_doc(struct)}\n\n{_receives(struct, but=own)}".strip()
    return found


def rewritten(text: str) -> str:
    """The document with every generated part as it has to be. `ValueError`: a part is missing."""
    wanted = sections()
    names = [found[1] for found in _BLOCK.findall(text)]
    if sorted(names) != sorted(wanted):
        missing, odd = sorted(set(wanted) - set(names)), sorted(set(names) - set(wanted))
        raise ValueError(f"parts are missing: {missing}; unknown: {odd}; or one stands twice")
    return _BLOCK.sub(lambda found: f"{found[1]}{wanted[found[2]]}\n{found[3]}", text)


def _commands() -> list[tuple[str, type[msgspec.Struct]]]:
    return list(commands.BY_TYPE.items())


def _doc(struct: type[msgspec.Struct]) -> str:
    return " ".join((struct.__doc__ or "").split())


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return heading.replace(".", "").lower()


def _fields(struct: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sends(struct: type[msgspec.Struct]) -> str:
    """The fields of a command; `ref`, which all have, is told once."""
    rows = [
        (f"`{field.encode_name}`", words(field.type), _default(field))
        for field in _fields(struct)
        if field.encode_name != "ref"
    ]
    return _table(("field", "type", "default"), rows) if rows else "No fields."


def _receives(struct: type[msgspec.Struct], but: Collection[str] = ()) -> str:
    """The fields of what the server sends, without those that are told elsewhere."""
    rows = [
        (
            f"`{field.encode_name}`",
            words(field.type) + ("; may be absent" if _may_be_absent(field) else ""),
        )
        for field in _fields(struct)
        if field.encode_name not in but
    ]
    return _table(("field", "type"), rows) if rows else ""


def _may_be_absent(field: inspect.Field) -> bool:
    return not field.required and field.default is msgspec.NODEFAULT


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return f"`{msgspec.json.encode(field.default_factory()).decode()}`"
    if field.default is msgspec.NODEFAULT:
        return "absent"
    return f"`{msgspec.json.encode(field.default).decode()}`"


def words(kind: inspect.Type) -> str:
    """A type and its limits, as the reader needs them."""
    match kind:
        case inspect.UnionType():
            return " or ".join(words(one) for one in kind.types)
        case inspect.IntType():
            return "integer" + _range(kind)
        case inspect.StrType():
            return "string" + _text_limits(kind)
        case inspect.LiteralType():
            return " or ".join(f"`{value}`" for value in kind.values)
        case inspect.ListType():
            bound = f" (at most {kind.max_length})" if kind.max_length else ""
            return f"list{bound} of {words(kind.item_type)}"
        case inspect.DictType():
            return f"object of {words(kind.value_type)}"
        case inspect.StructType():
            return f"[{kind.cls.__name__}](#{_anchor(kind.cls.__name__)})"
        case _:
            return _PLAIN[type(kind)]


_PLAIN: dict[Any, str] = {
    inspect.NoneType: "null",
    inspect.BoolType: "boolean",
    inspect.FloatType: "number",
    inspect.UUIDType: "UUID",
    inspect.DateTimeType: "RFC 3339 time with its offset",
    inspect.AnyType: "any value",
}


def _range(kind: inspect.IntType) -> str:
    if kind.ge is None:
        return ""
    if kind.ge < -_ANY_INTEGER:
        return " (64 bits)"
    if kind.le is None or kind.le >= _ANY_INTEGER:
        return f" ({kind.ge} or more)"
    return f" ({kind.ge} to {kind.le})"


def _text_limits(kind: inspect.StrType) -> str:
    told = []
    if kind.min_length:
        told.append(f"{kind.min_length} to {kind.max_length} code points")
    elif kind.max_length:
        told.append(f"at most {kind.max_length} code points")
    if kind.pattern is not None:
        told.append(_PATTERNS[kind.pattern])
    return f" ({'; '.join(told)})" if told else ""


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check the file; the exit status."""
    check = "--check" in arguments
    names = [name for name in arguments if name != "--check"]
    if len(names) != 1:
        print("usage: python -m tertulia.protocol.reference [--check] FILE", file=sys.stderr)
        return 2
    path = Path(names[0])
    before = path.read_text(encoding="utf-8")
    try:
        after = rewritten(before)
    except ValueError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    if check:
        if after != before:
            print(f"{path} is not current: run this without --check", file=sys.stderr)
        return int(after != before)
    path.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
