"""The demo's support desk: an inbox, who answers there, and what visitors have asked.

Like the rooms it is played through the desk's own actions, with another clock.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from tertulia.chat import actions
from tertulia.chat.people import Speaker, person_of, speaker_of
from tertulia.support.actions import (
    AssignConversation,
    OpenConversation,
    RateConversation,
    ResolveConversation,
    SnoozeConversation,
)
from tertulia.support.models import Agent, CannedReply, Conversation, Inbox, Visitor
from tertulia.support.visitors import new_visitor

from .script import VISITOR, Act, RoomScript
from .stage import Stage

AGENTS = ("ana", "carmen", "farid", "oona")
SITE = "https://faro.example"
# That of examples/support_widget.
TRIED_FROM = ("http://localhost:9000", "http://127.0.0.1:9000")
_WORKDAY = [["09:30", "14:00"], ["15:00", "19:00"]]
HOURS = {
    "time_zone": "Europe/Madrid",
    "weekly": {
        **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), _WORKDAY),
        "sat": [["10:00", "14:00"]],
    },
    "holidays": {"01-01": [], "01-06": [], "12-25": []},
}
TEXTS = {
    "en": {
        "title": "Ask the library",
        "greeting": "Good day! What are you looking for?",
        "away": "The desk is closed. Whatever you write here is read in the morning.",
    },
    "es": {
        "title": "Pregunte a la biblioteca",
        "greeting": "¡Buenos días! ¿Qué busca?",
        "away": "El mostrador está cerrado. Lo que escriba aquí se lee por la mañana.",
    },
}
REPLIES = {
    "hello": "Good day, {{ name }}! This is {{ agent }} from the library. How can I help?",
    "hola": "¡Buenos días, {{ name }}! Soy {{ agent }}, de la biblioteca. ¿En qué puedo ayudar?",
    "hours": "We are open from Monday to Friday, 9:30 to 14:00 and 15:00 to 19:00, and on Saturday"
    " until 14:00.",
    "card": "For a card bring a photograph and anything that has your address on it. It is free.",
    "carnet": "Para el carnet traiga una foto y algo que lleve su dirección. Es gratis.",
}


class Desk:
    """The inbox of the library, on a stage whose people have entered."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        sites = [SITE, *TRIED_FROM]
        self.inbox = Inbox(name="Biblioteca", texts=TEXTS, colour="#7a3b2e", sites=sites)
        self.inbox.hours = HOURS
        self.inbox.save()
        for key in AGENTS:
            Agent.objects.create(inbox=self.inbox, participant=stage.people[key])
        for shortcut, text in REPLIES.items():
            CannedReply.objects.create(inbox=self.inbox, shortcut=shortcut, text=text)

    def play(self, scripts: list[RoomScript]) -> None:
        """Have everything said and done in the order of time, then read."""
        played = [_Conversation(self.stage, self._visitor(script), script) for script in scripts]
        acts = [(act, conversation) for conversation in played for act in conversation.script.acts]
        acts.sort(key=lambda each: each[0].at)
        for act, conversation in acts:
            conversation.do(act)
        for conversation in played:
            conversation.read_by_the_visitor()
        # Nobody is to get a mail about what was never said.
        Conversation.objects.update(mail_at=None)

    def _visitor(self, script: RoomScript) -> Visitor:
        head = script.head
        visitor = new_visitor(
            self.inbox, name=head["name"], email=head.get("email", ""), language=head["language"]
        )
        visitor.time_zone = "Europe/Madrid"
        if "card" in head:
            visitor.external_id, visitor.email_proved = head["card"], True
        visitor.save()
        person = visitor.participant
        # Colours of people come from their ids, and shall be the same in every demo.
        person.public_id = f"{self.stage.chance.getrandbits(128):032x}"
        person.save()
        return visitor


class _Conversation:
    """One that is being played. It is opened by the first thing that its visitor says."""

    def __init__(self, stage: Stage, visitor: Visitor, script: RoomScript) -> None:
        self.stage = stage
        self.visitor = speaker_of(visitor.participant)
        self.script = script
        self.slug = self.notes = ""

    def do(self, act: Act) -> None:
        if not self.slug:
            self._open(act)
        self.stage.run(act.at, self._action(act))

    def _open(self, act: Act) -> None:
        url = SITE + self.script.head["page"]
        opening = OpenConversation(self.visitor, uuid.uuid4(), url, new=False)
        # He looks at the greeting for a while.
        begun = act.at - timedelta(seconds=20)
        self.slug = self.stage.run(begun, opening)["room"]
        conversation = Conversation.objects.select_related("notes").get(room__slug=self.slug)
        self.notes = conversation.notes.slug

    def _action(self, act: Act) -> actions.Action:
        who = self._speaker(act.who)
        if act.line is not None:
            where = self.notes if act.kind == "note" else self.slug
            return actions.SendMessage(who, where, act.line.text, uuid.uuid4())
        if act.kind in ("takes", "gives"):
            agent = self.stage.people[act.word or act.who]
            return AssignConversation(who, self.slug, person_of(agent).id)
        if act.kind == "snoozes":
            until = self.stage.now + timedelta(hours=int(act.word))
            return SnoozeConversation(who, self.slug, until)
        if act.kind == "rates":
            stars, _, text = act.word.partition(" ")
            return RateConversation(who, self.slug, int(stars), text)
        assert act.kind == "resolves", act
        return ResolveConversation(who, self.slug)

    def _speaker(self, key: str) -> Speaker:
        return self.visitor if key == VISITOR else self.stage.speakers[key]

    def read_by_the_visitor(self) -> None:
        seen: Any = Conversation.objects.filter(room__slug=self.slug)
        for seq in seen.values_list("answered_seq", flat=True):
            self.stage.run(self.stage.now, actions.MarkRead(self.visitor, self.slug, seq))
