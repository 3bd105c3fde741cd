"""What agents read: their inboxes, lists of conversations, one of them. Runs in reader threads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from tertulia.chat.access import MODERATORS
from tertulia.chat.people import Speaker, person_of
from tertulia.chat.read import snapshot, visible_by_slug
from tertulia.protocol import events as ev
from tertulia.protocol.errors import forbidden, invalid, not_found

from .models import Agent, CannedReply, Conversation, Inbox
from .state import WITH, inbox_of, states_of, visitor_of

OPEN = Conversation.Status.OPEN
# Past conversations of a visitor that are shown beside the present one.
PAST = 50

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _List(NamedTuple):
    """Which conversations a list has, and the time that it goes by: `newest` first, or last."""

    which: Callable[[int], Q]
    time: str = "last_message_at"
    newest: bool = True


LISTS = {
    "unassigned": _List(lambda me: Q(status=OPEN, agent__isnull=True)),
    "mine": _List(lambda me: Q(status=OPEN, agent=me)),
    "all": _List(lambda me: Q(status=OPEN)),
    "waiting": _List(
        lambda me: Q(status=OPEN, waiting_since__isnull=False), "waiting_since", newest=False
    ),
    "snoozed": _List(lambda me: Q(status=Conversation.Status.SNOOZED)),
    "resolved": _List(lambda me: Q(status=Conversation.Status.RESOLVED)),
}


def _no_inbox() -> Exception:
    return not_found("There is no such inbox, or you do not answer in it.")


def _my_inboxes(speaker: Speaker, public_id: str | None = None) -> QuerySet[Inbox]:
    mine = Inbox.objects.filter(agents__participant=speaker.id)
    return mine if public_id is None else mine.filter(public_id=public_id)


def mine_or_refused(speaker: Speaker, inbox: str | None) -> list[int]:
    """Primary keys of one of my inboxes, or of all of them; another's is `not_found`."""
    inboxes = list(_my_inboxes(speaker, inbox).values_list("pk", flat=True))
    if inbox is not None and not inboxes:
        raise _no_inbox()
    return inboxes


def inbox_list(speaker: Speaker) -> dict[str, Any]:
    """My inboxes, counted; and the others by name, for transfers."""
    with snapshot():
        mine = list(_my_inboxes(speaker).order_by("name", "pk"))
        ids = [inbox.pk for inbox in mine]
        counts = _counts(speaker, ids)
        agents = _agents(ids)
        others = Inbox.objects.exclude(pk__in=ids).order_by("name", "pk") if ids else []
        return {
            "inboxes": [
                inbox_of(inbox, counts.get(inbox.pk, {}), agents.get(inbox.pk, []))
                for inbox in mine
            ],
            "others": [{"id": inbox.public_id, "name": inbox.name} for inbox in others],
        }


def _counts(speaker: Speaker, inbox_ids: list[int]) -> dict[int, dict[str, int]]:
    names = ("unassigned", "mine", "all", "waiting")
    counted = {f"n_{name}": Count("pk", filter=LISTS[name].which(speaker.id)) for name in names}
    rows: Any = (
        Conversation.objects.filter(inbox__in=inbox_ids, status=OPEN)
        .order_by()
        .values("inbox")
        .annotate(**counted)
    )
    return {row["inbox"]: {name: row[f"n_{name}"] for name in names} for row in rows}


def _agents(inbox_ids: list[int]) -> dict[int, list[ev.Agent]]:
    busy = (
        Conversation.objects.filter(inbox__in=inbox_ids, status=OPEN, agent__isnull=False)
        .order_by()
        .values_list("inbox", "agent")
        .annotate(n=Count("pk"))
    )
    taken = {(inbox, agent): n for inbox, agent, n in busy}
    now = timezone.now()
    found: dict[int, list[ev.Agent]] = {}
    agents = Agent.objects.filter(inbox__in=inbox_ids).select_related("participant")
    for one in agents.order_by("participant__name_fold", "pk"):
        person = person_of(one.participant)
        told = ev.Agent(
            *(person.id, person.name, person.kind, person.avatar),
            available=one.available,
            here=one.here_until is not None and one.here_until > now,
            open=taken.get((one.inbox_id, one.participant_id), 0),
        )
        found.setdefault(one.inbox_id, []).append(told)
    return found


def conversation_list(
    speaker: Speaker, inbox: str | None, name: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of one of the lists, of one inbox or of all that are mine."""
    chosen = LISTS[name]
    with snapshot():
        inboxes = mine_or_refused(speaker, inbox)
        rows = Conversation.objects.filter(chosen.which(speaker.id), inbox__in=inboxes)
        if cursor is not None:
            rows = rows.filter(_after(chosen, cursor))
        sign = "-" if chosen.newest else ""
        order = (f"{sign}{chosen.time}", f"{sign}id")
        page = list(rows.select_related(*WITH).order_by(*order)[: limit + 1])
        shown = page[:limit]
        more = _place(chosen, shown[-1]) if len(page) > limit else None
        return {"conversations": states_of(shown), "more": more}


def _place(chosen: _List, last: Conversation) -> str:
    time: datetime = getattr(last, chosen.time)
    return f"{(time - _EPOCH) // _MICROSECOND}-{last.pk}"


def _after(chosen: _List, cursor: str) -> Q:
    moment, pk = moment_of(cursor)
    than = "lt" if chosen.newest else "gt"
    return Q(**{f"{chosen.time}__{than}": moment}) | Q(**{chosen.time: moment, f"id__{than}": pk})


def moment_of(cursor: str) -> tuple[datetime, int]:
    """The time and the primary key of the conversation after which a page begins."""
    time, dash, pk = cursor.partition("-")
    if not (dash and all(one.isascii() and one.isdigit() and len(one) < 18 for one in (time, pk))):
        raise invalid("cursor", "Send back the `more` of the page before, or nothing.")
    return _EPOCH + int(time) * _MICROSECOND, int(pk)


def place_of(last: Conversation) -> str:
    """The cursor behind a conversation, in lists that go by what was said last."""
    return _place(LISTS["all"], last)


def conversation_get(speaker: Speaker, slug: str) -> dict[str, Any]:
    """A conversation, its visitor, and those of his others that are mine to see."""
    with snapshot():
        room = visible_by_slug(speaker, slug)
        conversations = Conversation.objects.select_related(*WITH)
        conversation = conversations.filter(room=room.id).first()
        if conversation is None:
            raise not_found()
        if room.role not in MODERATORS:
            raise forbidden("Only agents of its inbox may do this with a conversation.")
        past = (
            conversations.filter(client=conversation.client_id)
            .filter(inbox__in=_my_inboxes(speaker))
            .exclude(pk=conversation.pk)
            .order_by("-id")[:PAST]
        )
        state, *others = states_of([conversation, *past])
        return {"conversation": state, "past": others, "visitor": visitor_of(conversation)}


def reply_list(speaker: Speaker, inbox: str) -> dict[str, Any]:
    """The answers of an inbox that are ready to be sent."""
    with snapshot():
        mine = _my_inboxes(speaker, inbox).first()
        if mine is None:
            raise _no_inbox()
        rows = CannedReply.objects.filter(inbox=mine).order_by("shortcut")
        return {"replies": [ev.CannedReply(row.shortcut, row.text) for row in rows]}


def agents_by_inbox() -> list[tuple[int, str, int]]:
    """(inbox, public id of the person, agent) of all agents, for a process's live side."""
    agents = Agent.objects.annotate(who=F("participant__public_id"))
    return list(agents.values_list("inbox_id", "who", "pk"))


def due() -> list[str]:
    """Addresses of conversations that are to be woken."""
    asleep = Conversation.objects.filter(
        status=Conversation.Status.SNOOZED, snoozed_until__lte=timezone.now()
    )
    return list(asleep.order_by("snoozed_until").values_list("room__slug", flat=True)[:50])
