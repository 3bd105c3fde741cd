"""The table of protocol 1: which command leads to which action or reading.

What is written goes to the writer at once, in the order of arrival, so that the sends of one
connection to one room are committed in the order they were sent. What is read is one task a
command.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tertulia.protocol import commands as c
from tertulia.protocol.codec import encode
from tertulia.protocol.errors import Code, ProtocolError, forbidden, unavailable
from tertulia.protocol.events import FavouriteChanged, ReadChanged
from tertulia.protocol.limits import RESUME_EVENTS

from . import actions, kinds, read
from .entering import enter_room, find_ref

if TYPE_CHECKING:
    from tertulia.hub.connection import Connection

    from .actions.reads import Marked
    from .live_protocol import ProtocolSocket
    from .people import Speaker
    from .read import Snapshot
    from .runtime import Runtime

Act = Callable[["Speaker", Any], actions.Action]
Reading = Callable[["ProtocolSocket", "Speaker", Any], Coroutine[Any, Any, Any]]


def carry_out(live: ProtocolSocket, speaker: Speaker, command: Any) -> None:
    """Begin a command; its reply comes later. Raises `ProtocolError` for a rate exceeded."""
    kind = type(command)
    if speaker.is_visitor:
        _check_visitor(live, speaker, kind)
    if kind is c.MessageSend:
        live.check_send_rate()
    elif kind is c.RoomCreate or kind is c.ConversationOpen:
        live.check_rate("create", speaker.id)
    elif kind is c.TypingStart:
        live.check_rate("typing", speaker.id)
    elif kind is c.ConversationSearch:
        live.check_rate("search", speaker.id)
    if (act := ACTIONS.get(kind)) is not None:
        live.submit(command, act(speaker, command))
    elif (reading := READINGS.get(kind)) is not None:
        live.read(command, reading(live, speaker, command))
    elif kind is c.ReadMark:
        _read_mark(live, speaker, command)
    elif kind is c.RoomFavourite:
        _favourite(live, speaker, command)
    elif kind is c.Ping:
        live.reply(command, {})
    else:
        # Of an app that is not installed here.
        raise ProtocolError(Code.UNKNOWN_COMMAND, "This site has no support desk.")


def _check_visitor(live: ProtocolSocket, speaker: Speaker, kind: type) -> None:
    """What he may ask for, and how often: anybody on the internet is a visitor."""
    if kind not in kinds.bearers[speaker.person.kind].commands:
        raise forbidden("Visitors may not do this.")
    if kind is c.MessageSend:
        live.check_rate("visitor_send", speaker.id)
        live.check_rate("visitor_send_address", live.address)
    elif kind is c.ConversationRate:
        live.check_rate("visitor_rate", speaker.id)


# An app with commands of its own puts them into these two tables.
ACTIONS: dict[type, Act] = {
    c.RoomJoin: lambda who, it: actions.JoinRoom(who, it.room),
    c.RoomLeave: lambda who, it: actions.LeaveRoom(who, it.room),
    c.RoomCreate: lambda who, it: actions.CreateRoom(who, it.key, it.name, it.kind, it.members),
    c.RoomUpdate: lambda who, it: actions.UpdateRoom(
        who, it.room, name=it.name, topic=it.topic, archived=it.archived
    ),
    c.MemberAdd: lambda who, it: actions.AddMember(who, it.room, it.member, it.role),
    c.MemberRemove: lambda who, it: actions.RemoveMember(who, it.room, it.member),
    c.MemberRole: lambda who, it: actions.ChangeRole(who, it.room, it.member, it.role),
    c.MessageSend: lambda who, it: actions.SendMessage(
        who,
        it.room,
        it.text,
        it.key,
        reply_to=it.reply_to,
        attachments=it.attachments,
        seen=it.seen,
    ),
    c.MessageEdit: lambda who, it: actions.EditMessage(who, it.room, it.seq, it.text, it.version),
    c.MessageDelete: lambda who, it: actions.DeleteMessage(who, it.room, it.seq, it.version),
    c.ReactionAdd: lambda who, it: actions.AddReaction(who, it.room, it.seq, it.emoji),
    c.ReactionRemove: lambda who, it: actions.RemoveReaction(who, it.room, it.seq, it.emoji),
}


async def room_list(live: ProtocolSocket, speaker: Speaker, command: c.RoomList) -> Any:
    await live.runtime.read_marks.flush(speaker.id)
    return await live.runtime.readers.run(read.room_list, speaker, command.cursor, command.limit)


async def room_subscribe(live: ProtocolSocket, speaker: Speaker, command: c.RoomSubscribe) -> None:
    """Register in the hub first (news wait), then check and read the log in one snapshot."""
    runtime = live.runtime
    ref = await enter_room(runtime, speaker, command.room, live.check_rate)
    await runtime.read_marks.flush(speaker.id, command.room)
    _check_same(live, speaker)
    subscription = runtime.hub.subscribe(live.connection, ref.id, ref.slug)
    try:
        await runtime.hub.ready(subscription.room)
        after = command.after if isinstance(command.after, int) else None
        snapshot = await runtime.readers.run(
            *(read.subscription, speaker, ref.id, command.limit),
            *(after, command.epoch == runtime.epoch),
        )
        _check_same(live, speaker)
        if subscription.cut:
            raise unavailable("The subscription has been ended: ask again.")
        runtime.check_history(snapshot.epoch)
    except BaseException:
        if live.connection.subscription(ref.id) is subscription:
            runtime.hub.unsubscribe(live.connection, ref.id)
        raise
    _count_subscription(runtime, command, snapshot)
    # The reply before the events that follow it, in one breath.
    live.reply(command, snapshot.result)
    runtime.hub.go_live(
        *(subscription, snapshot.head, snapshot.role, snapshot.members), unseen=snapshot.unseen
    )


def _count_subscription(runtime: Runtime, command: c.RoomSubscribe, snapshot: Snapshot) -> None:
    counts = runtime.hub.counts
    if not isinstance(command.after, int):
        counts.fresh += 1
    elif not snapshot.reset:
        counts.resumes += 1
    elif command.epoch != runtime.epoch:
        counts.resets["epoch"] += 1
    elif command.after > snapshot.head:
        counts.resets["ahead"] += 1
    else:
        far = snapshot.head - command.after > RESUME_EVENTS
        counts.resets["events" if far else "bytes"] += 1


def _check_same(live: ProtocolSocket, speaker: Speaker) -> None:
    """An `auth` may have come meanwhile: what one person may read is not for another."""
    if live.speaker is None or live.speaker.id != speaker.id:
        raise ProtocolError(Code.UNAUTHENTICATED, "You have become somebody else meanwhile.")


async def room_unsubscribe(
    live: ProtocolSocket, speaker: Speaker, command: c.RoomUnsubscribe
) -> Any:
    ref = await find_ref(live.runtime, command.room)
    if not live.runtime.hub.unsubscribe(live.connection, ref.id):
        # Nothing to end; but a room that he may not see must not differ from none.
        await live.runtime.readers.run(read.entry, speaker, ref.id)
    return {}


async def member_list(live: ProtocolSocket, speaker: Speaker, command: c.MemberList) -> Any:
    return await live.runtime.readers.run(
        read.member_list, speaker, command.room, command.cursor, command.limit
    )


async def person_find(live: ProtocolSocket, speaker: Speaker, command: c.PersonFind) -> Any:
    return await live.runtime.readers.run(read.find_people, speaker, command.text, command.limit)


async def history_list(live: ProtocolSocket, speaker: Speaker, command: c.HistoryList) -> Any:
    return await live.runtime.readers.run(
        *(read.history, speaker, command.room),
        *(command.before, command.after, command.around, command.limit),
    )


async def typing(
    live: ProtocolSocket, speaker: Speaker, command: c.TypingStart | c.TypingStop
) -> Any:
    hub = live.runtime.hub
    ref = await find_ref(live.runtime, command.room)
    subscription = live.connection.subscription(ref.id)
    role = subscription.role if subscription is not None else None
    if role is None:
        role = (await live.runtime.readers.run(read.entry, speaker, ref.id)).role
    if role is None:
        raise forbidden("Only members of the room may write. Join it first.")
    room = hub.room(ref.id, ref.slug)
    if room.empty:
        room.idle_since = hub.loop.time()
    if isinstance(command, c.TypingStart):
        room.typing.start(speaker.person)
    else:
        room.typing.stop(speaker.person)
    return {}


READINGS: dict[type, Reading] = {
    c.RoomList: room_list,
    c.RoomSubscribe: room_subscribe,
    c.RoomUnsubscribe: room_unsubscribe,
    c.MemberList: member_list,
    c.PersonFind: person_find,
    c.HistoryList: history_list,
    c.TypingStart: typing,
    c.TypingStop: typing,
}


def _read_mark(live: ProtocolSocket, speaker: Speaker, command: c.ReadMark) -> None:
    def answer(outcome: int | ProtocolError) -> None:
        live.finish(command, {"read": outcome} if isinstance(outcome, int) else outcome)

    def written(marked: Marked, by: Connection | None) -> None:
        _tell_read(live.runtime, speaker, marked, by)

    live.runtime.read_marks.mark(live.connection, command.room, command.seq, answer, written)


def _tell_read(runtime: Runtime, speaker: Speaker, marked: Marked, by: Connection | None) -> None:
    """To my own connections but the one it was done `by`, and to the others in a direct room or a
    conversation."""
    person = speaker.person
    payload = encode(ReadChanged(room=marked.slug, read=marked.read, who=person))
    if marked.direct:
        runtime.tell_members(marked.room_id, payload, but=by)
    else:
        if marked.reader is not None:
            shown = encode(ReadChanged(room=marked.slug, read=marked.read, who=marked.reader))
            if marked.reader is person:
                runtime.tell_room(marked.room_id, shown, but=person.id)
            else:
                # To the members, subscribed or not: somebody who is just subscribing would miss
                # what only passes through the room.
                runtime.tell_members(marked.room_id, shown)
        runtime.tell_person(person.id, payload, but=by)


def _favourite(live: ProtocolSocket, speaker: Speaker, command: c.RoomFavourite) -> None:
    """My other devices show the list in the same order."""

    def done(outcome: str | ProtocolError | None) -> None:
        live.finish(command, outcome if isinstance(outcome, ProtocolError) else {})
        if isinstance(outcome, str):
            payload = encode(FavouriteChanged(room=outcome, favourite=command.favourite))
            live.runtime.tell_person(speaker.person.id, payload, but=live.connection)

    action = actions.SetFavourite(speaker, command.room, favourite=command.favourite)
    live.runtime.writer.submit(action, done)
