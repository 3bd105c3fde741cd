"""After the commit: the same encoded events to this process's hub and to the other processes."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction

from . import news
from .layer import crossing_layer, message
from .log import LogTransaction, News
from .read import epoch as read_epoch

if TYPE_CHECKING:
    from .runtime import Runtime

logger = logging.getLogger(__name__)

# The live sides of this process: one, but for tests that run several event loops.
runtimes: set[Runtime] = set()


def publish_on_commit(log: LogTransaction) -> None:
    """Tell what a caller's own transaction appended, once it has been committed."""
    log.flush()
    told = log.news()
    if told.rooms or told.access:
        transaction.on_commit(partial(publish, told))


def publish(told: News) -> None:
    """Tell from any thread; from a process without a live side, through the layer."""
    if runtimes:
        for runtime in list(runtimes):
            runtime.call_soon(runtime.tell, told)
        return
    layer = crossing_layer()
    if layer is None:
        return  # a process of its own: the sweep of the serving one finds it within a second
    try:
        async_to_sync(_send)(layer, told)
    except Exception as error:  # noqa: BLE001 - every layer raises its own types
        logger.warning("The channel layer is away (%s); the sweep will find the news", error)


async def _send(layer: object, told: News) -> None:
    epoch = await sync_to_async(read_epoch)()
    for group, item in items_of(epoch, told):
        await layer.group_send(group, message("", news.encode(item)))  # type: ignore[attr-defined]


def items_of(epoch: str, told: News) -> list[tuple[str, news.Any]]:
    """What goes to the other processes, with the group of the layer that it goes to."""
    items: list[tuple[str, news.Any]] = [
        (news.room_group(epoch, room.room_id), news.RoomEvents(room.room_id, room.events))
        for room in told.rooms
    ]
    items += [(news.site_group(epoch), news.Access(change)) for change in told.access]
    items += [(news.site_group(epoch), news.Activity.of(room)) for room in told.rooms]
    return items
