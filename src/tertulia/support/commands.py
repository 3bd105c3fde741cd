"""The protocol's commands of the support desk: which leads to which action or reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tertulia.chat import commands as chat
from tertulia.protocol import commands as c
from tertulia.protocol.codec import encode
from tertulia.protocol.events import ConversationDelivered

from . import actions, read
from .search.find import conversation_search

if TYPE_CHECKING:
    from tertulia.chat.live_protocol import ProtocolSocket
    from tertulia.chat.people import Speaker


async def _inbox_list(live: ProtocolSocket, speaker: Speaker, command: c.InboxList) -> Any:
    return await live.runtime.readers.run(read.inbox_list, speaker)


async def _conversation_list(
    live: ProtocolSocket, speaker: Speaker, command: c.ConversationList
) -> Any:
    return await live.runtime.readers.run(
        *(read.conversation_list, speaker, command.inbox, command.filter),
        *(command.cursor, command.limit),
    )


async def _conversation_search(
    live: ProtocolSocket, speaker: Speaker, command: c.ConversationSearch
) -> Any:
    return await live.runtime.readers.run(
        *(conversation_search, speaker, command.query, command.inbox),
        *(command.cursor, command.limit),
    )


async def _conversation_get(
    live: ProtocolSocket, speaker: Speaker, command: c.ConversationGet
) -> Any:
    return await live.runtime.readers.run(read.conversation_get, speaker, command.room)


async def _conversation_received(
    live: ProtocolSocket, speaker: Speaker, command: c.ConversationReceived
) -> Any:
    runtime = live.runtime
    action = actions.MarkReceived(speaker, command.room, command.seq)
    action.barred = live.barred
    room_id = await runtime.write(action)
    if room_id is not None:
        # Its only member is the visitor.
        runtime.tell_members(room_id, encode(ConversationDelivered(command.room, command.seq)))
    return {}


async def _reply_list(live: ProtocolSocket, speaker: Speaker, command: c.ReplyList) -> Any:
    return await live.runtime.readers.run(read.reply_list, speaker, command.inbox)


ACTIONS: dict[type, chat.Act] = {
    c.ConversationOpen: lambda who, it: actions.OpenConversation(who, it.key, it.url, new=it.new),
    c.ConversationRate: lambda who, it: actions.RateConversation(who, it.room, it.rating, it.text),
    c.ConversationAssign: lambda who, it: actions.AssignConversation(
        *(who, it.room, it.agent, it.instead_of)
    ),
    c.ConversationTransfer: lambda who, it: actions.TransferConversation(who, it.room, it.inbox),
    c.ConversationSnooze: lambda who, it: actions.SnoozeConversation(
        *(who, it.room, it.until, it.seen)
    ),
    c.ConversationResolve: lambda who, it: actions.ResolveConversation(who, it.room, it.seen),
    c.ConversationReopen: lambda who, it: actions.ReopenConversation(who, it.room),
    c.AgentAvailable: lambda who, it: actions.SetAvailable(who, it.inbox, available=it.available),
}
READINGS: dict[type, chat.Reading] = {
    c.InboxList: _inbox_list,
    c.ConversationList: _conversation_list,
    c.ConversationSearch: _conversation_search,
    c.ConversationGet: _conversation_get,
    c.ConversationReceived: _conversation_received,
    c.ReplyList: _reply_list,
}


def register() -> None:
    """Put them into the chat's tables."""
    chat.ACTIONS.update(ACTIONS)
    chat.READINGS.update(READINGS)
