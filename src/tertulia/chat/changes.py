"""Telling every process of a change that open sockets must hear of: a row, and news of it."""

from __future__ import annotations

from django.db import transaction

from .log import AccessNews, News
from .models import AccessChange, Participant
from .publish import publish


def tell_change(participant: Participant, kind: AccessChange.Kind) -> None:
    """Part of the caller's transaction; told when it commits.

    The news may be lost: the sweep of each process finds the row within a second.
    """
    change = AccessChange.objects.create(kind=kind, participant=participant)
    news = AccessNews(
        id=change.pk,
        kind=kind.value,
        person_id=participant.public_id,
        participant_id=participant.pk,
    )
    transaction.on_commit(lambda: publish(News(access=[news])))
