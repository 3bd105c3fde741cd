"""`docs/authorisation.md`, made of the tables that the tests try.

`python -m tests.security.reference docs/authorisation.md` writes it; with `--check` it changes
nothing, and exits 1 when the file is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from pathlib import Path

from . import addresses as web
from . import authorisation as chat

HEAD = """\
# Who may do what

Every command of the protocol and every address of the site, for everybody who may come. The tables
are those that the tests try, cell by cell, over real sockets and real HTTP (`tests/security/`);
this page is made of them by `python -m tests.security.reference docs/authorisation.md`. A new
command or address without a row fails the tests.

- [Commands](#commands): [in a room](#commands-in-a-room) ·
  [in an archived room](#commands-in-an-archived-room) ·
  [without a room](#commands-without-a-room) ·
  [in the support desk](#conversations-of-the-support-desk)
- [Addresses](#addresses): [chat and accounts](#chat-and-accounts) ·
  [administration](#administration) · [before Django](#before-django)
"""
COMMANDS = """\
## Commands

{roles}
An answer is `yes` or the code of the refusal. An empty cell: there is nobody of this role. Two get
the same answer to everything:

- Who has not said who he is: `unauthenticated`.
- Whose account was deactivated, or whose token was taken away: the connection is closed with 4401,
  and nothing that came with it is done.

A room that one may not see and one that does not exist answer alike: `not_found`, but for a key of
one's own, which is looked at first.
"""
ADDRESSES = """\
## Addresses

{roles}
Every POST, PUT, PATCH and DELETE needs a CSRF token and comes from a page of the site itself;
otherwise 403. The statuses below are for requests that have both. 302 leads to the sign-in page
where one must sign in first, and onward otherwise. Bearer tokens open sockets; no page takes them.
"""
MARK = {"ok": "yes"}


def document() -> str:
    """The whole page."""
    return "\n".join(
        (
            HEAD,
            COMMANDS.format(roles=_roles(chat.MEANING)),
            "### Commands in a room\n",
            *_rooms(archived=False),
            "### Commands in an archived room\n",
            "Only what is otherwise; who is outside a room that is not public sees none.\n",
            *_rooms(archived=True),
            "### Commands without a room\n",
            _anywhere(),
            "### Conversations of the support desk\n",
            *_conversations(),
            ADDRESSES.format(roles=_roles(web.MEANING)),
            "### Chat and accounts\n",
            _table(
                ("address", "case", "method", *web.ROLES),
                (line for each in (*web.CHAT, *web.ACCOUNTS, *web.MAIL) for line in _lines(each)),
            ),
            "### Administration\n",
            _administration(),
            "### Before Django\n",
            _table(("address", "everybody"), ((f"`{p}`", str(s)) for p, s in _before())),
            "From this machine, without a proxy between, everybody; from elsewhere:\n",
            _table(("address", *web.ROLES), [("`/metrics`", *map(str, web.METRICS))]),
        )
    )


def _before() -> Iterable[tuple[str, int]]:
    return web.BEFORE_DJANGO.items()


def _roles(meaning: dict[str, str]) -> str:
    return _table(("role", "who"), ((f"**{role}**", told) for role, told in meaning.items()))


def _rooms(*, archived: bool) -> Iterable[str]:
    kinds = ("public", "private", "direct") if archived else chat.KINDS
    for kind in kinds:
        rows = [row for row in chat.ROWS if not archived or _differs(row, kind)]
        roles = [role for role in chat.ROLES if _anybody(role, kind, rows, archived=archived)]
        title = {"absent": "No such room", "support": "Support room"}.get(kind, f"{kind} room")
        yield f"**{title.capitalize()}**\n"
        if kind == "support":
            yield f"{chat.SUPPORT}\n"
        lines = (
            (f"`{row.command}`", row.case, *_answers(row, kind, roles, archived=archived))
            for row in rows
        )
        told = [line for line in lines if any(line[2:])]
        yield _table(("command", "case", *roles), told)


def _differs(row: chat.Row, kind: str) -> bool:
    return row.letters(kind, archived=True) != row.letters(kind, archived=False)


def _anybody(role: str, kind: str, rows: list[chat.Row], *, archived: bool) -> bool:
    return any(row.expected(kind, role, archived=archived) for row in rows)


def _answers(row: chat.Row, kind: str, roles: list[str], *, archived: bool) -> list[str]:
    answers = (row.expected(kind, role, archived=archived) for role in roles)
    return ["" if answer is None else MARK.get(answer, answer) for answer in answers]


def _anywhere() -> str:
    return _table(
        ("command", "case", "everybody who has said who he is"),
        (
            (f"`{command}`", case, MARK.get(chat.ANSWERS[letter], chat.ANSWERS[letter]))
            for command, case, letter in chat.ANYWHERE
        ),
    )


def _conversations() -> Iterable[str]:
    yield _roles(chat.SUPPORT_MEANING)
    for title, notes in (("The conversation", False), ("Its notes", True)):
        yield f"**{title}**\n"
        yield _table(
            ("command", *chat.SUPPORT_ROLES),
            (
                (
                    f"`{row.command}`",
                    *(_shown(row.expected(role, notes=notes)) for role in chat.SUPPORT_ROLES),
                )
                for row in chat.SUPPORT_ROWS
            ),
        )
    yield "**Without a room**; an inbox is that of the agent\n"
    yield _table(
        ("command", *chat.SUPPORT_ROLES),
        (
            (f"`{command}`", *(_shown(chat.ANSWERS[letter]) for letter in letters))
            for command, letters in chat.SUPPORT_ANYWHERE.items()
        ),
    )


def _shown(answer: str) -> str:
    return MARK.get(answer, answer)


def _lines(address: web.Address) -> Iterable[Sequence[str]]:
    """One line a method that has an answer of its own."""
    route = f"`/{address.route}`"
    for method, statuses in (("GET", address.get), ("POST", address.post)):
        if statuses is not None and statuses != web.NOT_ALLOWED:
            yield (route, address.case, method, *map(str, statuses))


def _administration() -> str:
    pages = _table(
        ("address", "case", "method", *web.ROLES),
        (line for each in web.ADMIN for line in _lines(each)),
    )
    models = _table(
        ("model", "an administrator may, by its pages"),
        ((f"`{label}`", allowed.replace(" ", ", ")) for label, allowed in web.MODELS.items()),
    )
    text = (
        f"The pages of a model: {_status(302)} for who is not of the staff, {_status(403)} for"
        " staff without the permission, and where the table does not name it.\n"
    )
    return f"{pages}\n{text}\n{models}"


def _status(status: int) -> str:
    return f"{status} ({HTTPStatus(status).phrase})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write or check the file; the exit status."""
    names = [name for name in arguments if name != "--check"]
    if len(names) != 1:
        print("usage: python -m tests.security.reference [--check] FILE", file=sys.stderr)
        return 2
    path, wanted = Path(names[0]), document()
    if "--check" not in arguments:
        path.write_text(wanted, encoding="utf-8")
        return 0
    current = path.is_file() and path.read_text(encoding="utf-8") == wanted
    if not current:
        print(f"{path} is not current: run this without --check", file=sys.stderr)
    return int(not current)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
