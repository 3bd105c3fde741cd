"""What has happened to a conversation: its log has more of it than a client is sent at first."""

from __future__ import annotations

from tertulia.chat.access import MODERATORS
from tertulia.chat.encode import timestamp
from tertulia.chat.models import Event, Participant
from tertulia.chat.people import Speaker, person_of
from tertulia.chat.read import snapshot, visible_by_slug
from tertulia.protocol import events as ev
from tertulia.protocol.errors import forbidden, not_found

from ..models import Conversation

KIND = "conversation.changed"
# More are not shown: whoever has to look further has `/admin/`.
MOST = 300


def changes_of(speaker: Speaker, slug: str) -> list[ev.ConversationChanged]:
    """The newest changes of a conversation, the oldest first; `not_found` where it is not his."""
    with snapshot():
        room = visible_by_slug(speaker, slug)
        conversation = (
            Conversation.objects.select_related("room", "notes").filter(room=room.id).first()
        )
        if conversation is None:
            raise not_found()
        if room.role not in MODERATORS:
            raise forbidden("Only agents of its inbox may do this with a conversation.")
        rooms = {each.pk: each.slug for each in (conversation.room, conversation.notes)}
        rows = list(
            Event.objects.select_related("actor")
            .filter(room__in=rooms, kind=KIND)
            .order_by("-at", "-room", "-seq")[:MOST]
        )
        agents = Participant.objects.in_bulk({row.subject for row in rows if row.subject})
    return [_change(row, rooms[row.room_id], agents) for row in reversed(rows)]


def _change(row: Event, slug: str, agents: dict[int, Participant]) -> ev.ConversationChanged:
    agent = agents.get(row.subject or 0)
    return ev.ConversationChanged(
        room=slug,
        seq=row.seq,
        at=timestamp(row.at),
        actor=person_of(row.actor),
        agent=None if agent is None else person_of(agent),
        **(row.data or {}),
    )
