"""Run inside `tertulia manage shell`: what the pages of the administration cost.

Every page is opened with a few rows and again with very many. Printed as JSON: of each page the
number of its queries, and thousands of instructions of SQLite's machine, which do not depend on
the speed of the computer.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tertulia.chat.models import Event, Membership, Mention, Message, Participant, Reaction, Room

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
OPTIONS = connection.ops


class Filled:
    """Two rooms, whose rows are written in bulk as the log writes them."""

    def __init__(self, people: int) -> None:
        self.people: list[int] = []
        rooms = [("crowd", "public"), ("aside", "private")]
        self.rooms = [
            Room.objects.create(slug=slug, slug_fold=slug, name=slug.title(), kind=kind)
            for slug, kind in rooms
        ]
        self.grow(people, 5)

    def grow(self, people: int, messages: int) -> None:
        """So many more people, all in both rooms, and so many more messages in each."""
        with transaction.atomic():
            self._enter(people)
            for room in self.rooms:
                self._talk(room, messages)

    def _enter(self, count: int) -> None:
        first = len(self.people)
        names = [f"person-{first + n}" for n in range(count)]
        users = get_user_model().objects.bulk_create(get_user_model()(username=n) for n in names)
        Participant.objects.bulk_create(
            Participant(user=user, name=user.username, name_fold=user.username) for user in users
        )
        new = Participant.objects.filter(name__in=names).order_by("pk")
        self.people += new.values_list("pk", flat=True)
        for room in self.rooms:
            Membership.objects.bulk_create(
                Membership(room=room, participant_id=person) for person in self.people[first:]
            )

    def _talk(self, room: Room, count: int) -> None:
        columns = "room_id, seq, number, version, content_seq, author_id, author_name, key, text,"
        columns += " html, renderer, sent_at, deleted"
        seqs = range(room.head + 1, room.head + count + 1)
        said, told = [], []
        for seq in seqs:
            author = self.people[seq % len(self.people)]
            at = OPTIONS.adapt_datetimefield_value(BEGAN + timedelta(seconds=seq))
            row = (room.pk, seq, seq, seq, seq, author, "a", uuid.uuid4().hex, f"word {seq}")
            said.append((*row, "", 1, at, False))
            told.append((room.pk, seq, "message.created", author, seq, at))
        marks = ",".join(["%s"] * 13)
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO tertulia_chat_message ({columns}) VALUES ({marks})", said
            )
            cursor.executemany(
                "INSERT INTO tertulia_chat_event (room_id, seq, kind, actor_id, subject, at)"
                " VALUES (%s,%s,%s,%s,%s,%s)",
                told,
            )
        room.head = room.messages = room.head + count
        room.save(update_fields=["head", "messages"])
        last = Message.objects.filter(room=room).order_by("-pk")[: count // 10 + 1]
        Reaction.objects.bulk_create(
            Reaction(message=m, participant_id=self.people[0], emoji="👍", seq=m.seq) for m in last
        )
        Mention.objects.bulk_create(
            Mention(room=room, seq=m.seq, participant_id=self.people[-1]) for m in last
        )


def addresses(filled: Filled) -> dict[str, str]:
    """The pages that are opened, by name."""
    room = filled.rooms[0]
    person = Participant.objects.get(pk=filled.people[0])
    message = Message.objects.filter(room=room).latest("pk")
    event = Event.objects.filter(room=room).latest("pk")
    lists = {
        "rooms": "room/",
        "rooms by name": "room/?o=1",
        "rooms found": "room/?q=crow",
        "people": "participant/",
        "people by name": "participant/?o=1",
        "people found": "participant/?q=person-1",
        "members": "membership/",
        "members of a room": "membership/?room=crowd",
        "rooms of a person": f"membership/?person={person.public_id}",
        "messages": "message/",
        "messages of a room": "message/?room=crowd",
        "messages of a room, page 9": "message/?room=crowd&p=9",
        "messages of a person": "message/?person=person-0",
        "messages of a person in a room": "message/?person=person-0&room=crowd",
        "messages deleted": "message/?deleted__exact=1",
        "messages with a word": "message/?q=word",
        "messages with a word that nobody said": "message/?q=xyzzy",
        "the same in a room": "message/?q=xyzzy&room=crowd",
        "a message by its link": f"message/?q=/chat/crowd/{message.seq}/",
        "events": "event/",
        "events of a room": "event/?room=crowd",
        "events of a person": "event/?person=person-0",
        "events of a kind": "event/?q=member.left",
        "what happened to a message": f"event/?q=crowd/{message.seq}",
        "reactions": "reaction/",
        "reactions of a person": "reaction/?person=person-0",
        "reactions in a room": "reaction/?room=crowd",
        "reactions of a person in a room": "reaction/?person=person-0&room=crowd",
        "reactions of a name": "reaction/?q=son-0",
        "reactions of nobody's name": "reaction/?q=xyzzy",
        "mentions": "mention/",
        "mentions of nobody's name": "mention/?q=xyzzy",
        "mentions in a room": "mention/?room=crowd",
        "tokens": "token/",
        "links into rooms": "roominvitation/",
        "links of a person": "roominvitation/?person=person-0",
        "changes of access": "accesschange/",
        "changes of access of a room": "accesschange/?room=crowd&q=person",
        "a room": f"room/{room.pk}/change/",
        "a person": f"participant/{person.pk}/change/",
        "a message": f"message/{message.pk}/change/",
        "an event": f"event/{event.pk}/change/",
    }
    found = {name: f"/admin/tertulia_chat/{end}" for name, end in lists.items()}
    other = {
        "accounts": "/admin/auth/user/",
        "links that make accounts": "/admin/tertulia_project/invitation/?q=person",
        "deeds": "/admin/admin/logentry/?q=person",
        "front page": "/admin/",
    }
    return {**found, **other}


def measured(client: Client, filled: Filled) -> dict[str, tuple[int, int]]:
    """Of each page the queries and the work."""
    ticks = [0]

    def tick() -> int:
        ticks[0] += 1
        return 0

    found = {}
    for name, address in addresses(filled).items():
        connection.ensure_connection()
        connection.connection.set_progress_handler(tick, 1000)
        ticks[0] = 0
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        # A link within a link leads nowhere.
        assert not re.search(rb"<a [^>]*>\s*<a ", answer.content), address
        found[name] = (len(queries), ticks[0])
    return found


def main() -> dict[str, Any]:
    """All pages, with few rows and with many."""
    root = get_user_model().objects.create_superuser("root")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(root)
    filled = Filled(people=3)
    measured(client, filled)  # what is read once and remembered
    few = measured(client, filled)
    filled.grow(people=1_000, messages=50_000)
    return {"few": few, "many": measured(client, filled)}


print(json.dumps(main()))
