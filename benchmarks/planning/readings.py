"""Every reading of the protocol and of the pages, by the product's own functions.

A reading belongs to the database that `bases.using` has chosen when it is made.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .town import ME, PLAZA, Sizes, public_id, slug


@dataclass(frozen=True)
class Reading:
    """What is measured: once a call."""

    name: str
    call: Callable[[], Any]
    writes: bool = False
    """What it writes is undone."""
    page: bool = False
    """Whether it is the first page of a room, for which there is a bound."""


@dataclass(frozen=True)
class Scene:
    """Who reads, and where the logs end."""

    sizes: Sizes
    speaker: Any
    head: int
    """Of the plaza's log."""
    session: str
    token: str


def prepare(sizes: Sizes) -> Scene:
    """Add what the readings need beyond the town: a session, a token, links into the plaza."""
    from django.contrib.auth import (
        BACKEND_SESSION_KEY,
        HASH_SESSION_KEY,
        SESSION_KEY,
        get_user_model,
    )
    from django.contrib.sessions.backends.db import SessionStore
    from django.utils import timezone

    from tertulia.chat.models import Participant, Room, RoomInvitation
    from tertulia.chat.people import digest_of, issue_token, speaker_of

    me = Participant.objects.get(pk=ME)
    user = get_user_model().objects.get(pk=ME)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    expires = timezone.now() + timedelta(days=7)
    RoomInvitation.objects.bulk_create(
        RoomInvitation(
            room_id=room, created_by=me, digest=digest_of(f"link-{room}"), expires_at=expires
        )
        for room in range(1, sizes.rooms + 1)
    )
    head = Room.objects.get(pk=PLAZA).head
    assert session.session_key is not None
    return Scene(sizes, speaker_of(me), head, session.session_key, issue_token(me))


def readings(scene: Scene) -> list[Reading]:
    """All of them, in the order of the protocol."""
    return [
        *_lists(scene),
        *_subscriptions(scene),
        *_history(scene),
        *_people(scene),
        *_behind(scene),
        *_writing(scene),
        *_pages(scene),
    ]


def _lists(scene: Scene) -> list[Reading]:
    from tertulia.chat import read

    me = scene.speaker
    first = read.room_list(me, None, 50)
    second = read.room_list(me, first["more"], 50)["more"] or first["more"]
    return [
        Reading("room.list, first page of 50", lambda: read.room_list(me, None, 50)),
        Reading("room.list, first page of 100", lambda: read.room_list(me, None, 100)),
        Reading("room.list, a later page of 50", lambda: read.room_list(me, second, 50)),
    ]


def _subscriptions(scene: Scene) -> list[Reading]:
    from tertulia.chat import read

    me, head, epoch = scene.speaker, scene.head, read.epoch()
    far = 450

    def subscribe(after: int | None) -> Callable[[], Any]:
        return lambda: read.subscription(me, PLAZA, 50, after, True)

    return [
        Reading("room.subscribe, fresh", subscribe(None), page=True),
        Reading("room.subscribe, nothing missed", subscribe(head), page=True),
        Reading("room.subscribe, 20 events missed", subscribe(head - 20)),
        Reading(f"room.subscribe, {far} events missed", subscribe(head - far)),
        Reading("room.subscribe, too far behind", subscribe(head - 600), page=True),
        Reading("a classic socket enters", lambda: read.entry(me, PLAZA)),
        Reading("repair of a gap, 20 events", lambda: read.read_log(PLAZA, head - 20, 500, epoch)),
    ]


def _history(scene: Scene) -> list[Reading]:
    from tertulia.chat import read

    me, head = scene.speaker, scene.head
    found = [
        Reading(
            "history.list, newest",
            lambda: read.history(me, slug(PLAZA), None, None, None, 50),
            page=True,
        )
    ]
    first = scene.sizes.members
    places = {"head": head - 5, "middle": (first + head) // 2, "beginning": first + 60}
    for where, seq in places.items():
        for side in ("before", "after", "around"):
            asked = {"before": None, "after": None, "around": None, side: seq}

            def page(asked: dict[str, Any] = asked) -> Any:
                return read.history(me, slug(PLAZA), **asked, limit=50)

            found.append(Reading(f"history.list, {side}, {where}", page, page=True))
    return found


def _people(scene: Scene) -> list[Reading]:
    from tertulia.chat import read, recheck

    me = scene.speaker

    def after(count: int) -> str | None:
        cursor = None
        while count > 0:
            cursor = read.member_list(me, slug(PLAZA), cursor, 100)["more"] or cursor
            count -= 100
        return cursor

    members = scene.sizes.members
    middle, last = after(members // 2), after(members - 200)
    found = [
        Reading(
            f"member.list, {where}",
            lambda cursor=cursor: read.member_list(me, slug(PLAZA), cursor, 100),
        )
        for where, cursor in (("first", None), ("middle", middle), ("last", last))
    ]
    for what, text in (("a letter", "c"), ("a word", "noche"), ("nobody", "qqq"), ("", "")):
        found.append(
            Reading(
                f"person.find, {what or 'nothing'}",
                lambda text=text: read.find_people(me, text, 20),
            )
        )
    private = next(n for n in range(2, scene.sizes.rooms) if n % 5 == 1)
    found.append(
        Reading("access to a room asked again", lambda: recheck._members_if_closed(private))
    )
    return found


def _behind(scene: Scene) -> list[Reading]:
    """What runs without being asked for: the sweep, and who may still be here."""
    from django.contrib.sessions.models import Session

    from tertulia.chat import read, sweep, validity
    from tertulia.chat.people import digest_of

    rooms = list(range(1, scene.sizes.rooms + 1, max(1, scene.sizes.rooms // 1_000)))
    newest = validity.last_change()
    keys = list(Session.objects.values_list("session_key", flat=True)[: scene.sizes.asked])
    return [
        Reading(f"sweep, {len(rooms)} rooms, no change", lambda: sweep.look(rooms, newest)),
        Reading(f"sweep, {len(rooms)} rooms, 40 changes", lambda: sweep.look(rooms, newest - 40)),
        Reading("sweep, forgetting old changes", sweep.prune, writes=True),
        Reading(f"{len(keys)} sessions asked again", lambda: validity.ended_sessions(keys)),
        Reading("newest change of access", validity.last_change),
        Reading("head of a room", lambda: read.read_head(PLAZA)),
        Reading("a process starts", sweep.recent),
        Reading(
            "a socket opens, by session",
            lambda: validity.identify_each([(validity.user_or_guest, scene.session)]),
        ),
        Reading(
            "a socket opens, by token",
            lambda: validity.identify_tokens([digest_of(scene.token)]),
        ),
    ]


def _writing(scene: Scene) -> list[Reading]:
    """What is looked up in order to write."""
    from django.db import connection, transaction

    from tertulia.chat import actions
    from tertulia.chat.actions.messages import send_all, what_is_read
    from tertulia.chat.log import LogTransaction
    from tertulia.chat.models import Message
    from tertulia.chat.perform import perform

    me, head, room = scene.speaker, scene.head, slug(PLAZA)
    latest = Message.objects.filter(room_id=PLAZA).order_by("-seq")
    mine, step = uuid.uuid4(), max(1, scene.sizes.rooms // scene.sizes.mine)
    row = latest.filter(deleted=False)[0]
    Message.objects.filter(pk=row.pk).update(author_id=me.id, key=mine)
    named = f"hola @{me.person.name} y @nobody"

    def batch() -> None:
        with transaction.atomic():
            log = LogTransaction(connection)
            sends = [
                actions.SendMessage(me, slug(number), "hola", uuid.uuid4())
                for number in range(1, scene.sizes.mine * step, step)
            ][: scene.sizes.batch]
            for send in sends:
                send.prepare()
            log.find(**what_is_read(log, sends))
            send_all(log, sends)
            log.flush()

    def act(action: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: perform(action())

    acts: dict[str, Callable[[], Any]] = {
        "read.mark at the head": lambda: actions.MarkRead(me, room, head),
        "read.mark, 100 events on": lambda: actions.MarkRead(me, room, head - 300),
        "message.send": lambda: actions.SendMessage(me, room, "hola", uuid.uuid4()),
        "message.send, an answer": lambda: actions.SendMessage(
            me, room, "hola", uuid.uuid4(), reply_to=row.seq
        ),
        "message.send, with a name": lambda: actions.SendMessage(me, room, named, uuid.uuid4()),
        "message.send, the key again": lambda: actions.SendMessage(me, room, "hola", mine),
        "message.edit": lambda: actions.EditMessage(me, room, row.seq, "otra cosa"),
        "message.delete": lambda: actions.DeleteMessage(me, room, row.seq),
        "reaction.add": lambda: actions.AddReaction(me, room, row.seq, "🎈"),
        "room.leave": lambda: actions.LeaveRoom(me, room),
    }
    return [
        Reading(f"message.send, {scene.sizes.batch} in a batch", batch, writes=True),
        *(Reading(name, act(action), writes=True) for name, action in acts.items()),
    ]


def _pages(scene: Scene) -> list[Reading]:
    from django.test import Client

    from tertulia.chat import invitations
    from tertulia.chat.models import Participant

    me = Participant.objects.get(public_id=public_id(ME))
    client = Client()
    client.cookies["sessionid"] = scene.session

    def get(address: str) -> Callable[[], Any]:
        def page() -> None:
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.status_code)

        return page

    return [
        Reading("the page of a room", get(f"/chat/{slug(PLAZA)}/")),
        Reading("the page of a message", get(f"/chat/{slug(PLAZA)}/{scene.head - 5}/")),
        Reading("the home page", get("/chat/")),
        Reading("public rooms, offered", get("/chat/-/rooms/")),
        Reading("public rooms, found", get("/chat/-/rooms/?q=theatre")),
        Reading("the links into a room", lambda: invitations.listed(me, slug(PLAZA))),
        Reading("a link is followed", lambda: invitations.find(f"link-{PLAZA}")),
    ]
