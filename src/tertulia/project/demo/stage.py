"""Plays the rooms' scripts: makes the people and rooms, then does everything at its time.

All of it goes through the chat's actions, as if everybody had been there; only the clock of
the log is another one. Nothing is told to anybody: no server runs on an empty site.
"""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from tertulia.chat import actions
from tertulia.chat.log import LogTransaction
from tertulia.chat.models import Event, Membership, Participant, Room
from tertulia.chat.people import Speaker, person_of, speaker_of
from tertulia.chat.profile.change import set_picture
from tertulia.chat.profile.pictures import portrait

from ..accounts.create import create_account
from .cast import BOT, CAST, MAIN
from .portraits import drawn
from .script import Act, RoomScript

# What was said in the last minutes has not been read by everybody.
UNSEEN = timedelta(minutes=45)


class Stage:
    """One performance. Needs: an open transaction."""

    def __init__(self, now: datetime, chance: random.Random) -> None:
        self.now = now
        self.chance = chance
        self.people: dict[str, Participant] = {}
        self.speakers: dict[str, Speaker] = {}
        self.slugs: dict[str, str] = {}
        self.marked: set[str] = set()

    # People

    def enter(self, password: str) -> None:
        """Everybody gets an account with this password; Ana administers the site."""
        users: Any = get_user_model()
        main = create_account(MAIN, password, admin=True)
        for character in CAST:
            # Hashing is made to be slow: once is enough for people who share a password.
            user = main if character.key == MAIN else create_account(character.key, None)
            users.objects.filter(pk=user.pk).update(password=main.password)
            person = Participant.objects.get(user=user)
            person.name, person.language = character.name, character.language
            person.time_zone = character.time_zone
            self._introduce(character.key, person)
        self._introduce(BOT, Participant(name="Bookdrop", kind=Participant.Kind.BOT))

    def _introduce(self, key: str, person: Participant) -> None:
        # Colours of people come from their ids, and shall be the same in every demo.
        person.public_id = f"{self.chance.getrandbits(128):032x}"
        person.save()
        picture = drawn(key)
        if picture is not None:
            set_picture(person, portrait(picture))
        self.people[key] = person
        self.speakers[key] = speaker_of(person)

    # Playing

    def play(self, rooms: list[RoomScript]) -> None:
        """Make the rooms, let everything happen in the order of time, then mark what is read."""
        acts = [(act, room) for room in rooms for act in room.acts]
        acts.sort(key=lambda each: each[0].at)
        for room in rooms:
            first = min((act.at for act in room.acts), default=self.now)
            self._make(room, first - timedelta(minutes=7))
        for act, room in acts:
            self._do(act, room)
        for room in rooms:
            self._mark(room)

    def run(self, at: datetime, action: actions.Action) -> Any:
        """Do it as of then; its result."""
        log = LogTransaction(connection, at)
        result = action.run(log)
        log.flush()
        return result

    def _make(self, room: RoomScript, at: datetime) -> None:
        owner = self.speakers[room.head["owner"]]
        members = [person_of(self.people[key]).id for key in room.people("members")]
        name, kind = room.head.get("name", ""), room.head["kind"]
        made = self.run(at, actions.CreateRoom(owner, uuid.uuid4(), name, kind, members))
        slug = self.slugs[room.file] = made["room"]
        if "topic" in room.head:
            self.run(at, actions.UpdateRoom(owner, slug, topic=room.head["topic"]))
        for key in room.people("moderators"):
            member = person_of(self.people[key]).id
            self.run(at, actions.ChangeRole(owner, slug, member, "moderator"))
        for key in room.people("favourite"):
            mine = Membership.objects.filter(room__slug=slug, participant=self.people[key])
            mine.update(favourite=True)

    def _do(self, act: Act, room: RoomScript) -> None:
        if act.kind == "read":
            self._read(MAIN, room, Room.objects.get(slug=self.slugs[room.file]).head)
            self.marked.add(room.file)
        elif act.line is None:
            self.run(act.at, self._change(act, room))
        elif act.kind == "say":
            act.line.seq = self.run(act.at, self._send(act, room))["seq"]
        else:
            self.run(act.at, self._touch(act, room))

    def _send(self, act: Act, room: RoomScript) -> actions.SendMessage:
        line = act.line
        assert line is not None
        reply_to = line.reply_to.seq if line.reply_to else None
        speaker, slug = self.speakers[act.who], self.slugs[room.file]
        return actions.SendMessage(speaker, slug, line.text, uuid.uuid4(), reply_to=reply_to)

    def _touch(self, act: Act, room: RoomScript) -> actions.Action:
        """Something done to a message that is there."""
        speaker, slug = self.speakers[act.who], self.slugs[room.file]
        assert act.line is not None
        assert act.line.seq is not None
        if act.kind == "react":
            return actions.AddReaction(speaker, slug, act.line.seq, act.word)
        if act.kind == "edit":
            return actions.EditMessage(speaker, slug, act.line.seq, act.word)
        return actions.DeleteMessage(speaker, slug, act.line.seq)

    def _change(self, act: Act, room: RoomScript) -> actions.Action:
        """Something done to the room."""
        speaker, slug = self.speakers[act.who], self.slugs[room.file]
        if act.kind == "joins":
            return actions.JoinRoom(speaker, slug)
        if act.kind == "adds":
            return actions.AddMember(speaker, slug, person_of(self.people[act.word]).id)
        return actions.UpdateRoom(speaker, slug, archived=True)

    # Reading

    def _mark(self, room: RoomScript) -> None:
        slug = self.slugs[room.file]
        events = Event.objects.filter(room__slug=slug, at__lte=self.now - UNSEEN)
        seen = events.order_by("-seq").values_list("seq", flat=True).first() or 0
        members = {
            each.participant_id: each.read_seq
            for each in Membership.objects.filter(room__slug=slug, left_seq__isnull=True)
        }
        for key, person in self.people.items():
            if person.pk not in members:
                continue
            if key != MAIN:
                self._read(key, room, seen)
            elif room.file not in self.marked:
                self._read(key, room, Room.objects.get(slug=slug).head)

    def _read(self, key: str, room: RoomScript, seq: int) -> None:
        self.run(self.now, actions.MarkRead(self.speakers[key], self.slugs[room.file], seq))
