"""The table of protocol 1: which command leads to which action or reading.

A handler returns at once. What is written goes to the writer in the order of arrival, so
that the sends of one connection to one room are committed in the order they were sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tertulia.protocol import commands as c
from tertulia.protocol.codec import encode
from tertulia.protocol.errors import Code, ProtocolError, forbidden
from tertulia.protocol.events import ReadChanged

from . import actions, read
from .access import check_see, role_in
from .entering import enter_room, find_ref

if TYPE_CHECKING:
    from .actions.reads import Marked
    from .live_protocol import ProtocolSocket
    from .people import Speaker

Handler = Callable[["ProtocolSocket", Any], None]


def ping(live: ProtocolSocket, command: c.Ping) -> None:
    live.reply(command.ref, {})


def room_list(live: ProtocolSocket, command: c.RoomList) -> None:
    live.read(command.ref, _room_list(live, command))


async def _room_list(live: ProtocolSocket, command: c.RoomList) -> dict[str, Any]:
    assert live.speaker is not None
    await live.runtime.read_marks.flush(live.speaker.id)
    return await live.runtime.readers.run(
        read.room_list, live.speaker, command.cursor, command.limit
    )


def room_subscribe(live: ProtocolSocket, command: c.RoomSubscribe) -> None:
    live.read(command.ref, _subscribe(live, command))


async def _subscribe(live: ProtocolSocket, command: c.RoomSubscribe) -> None:
    """Register in the hub first (news wait), then check and read the log in one snapshot."""
    runtime, speaker = live.runtime, live.speaker
    assert speaker is not None
    ref = await enter_room(runtime, speaker, command.room)
    await runtime.read_marks.flush(speaker.id)
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
    except BaseException:
        if live.connection.subscriptions.get(ref.id) is subscription:
            runtime.hub.unsubscribe(live.connection, ref.id)
        raise
    runtime.hub.counters["resets" if snapshot.reset else "subscriptions"] += 1
    live.reply(command.ref, snapshot.result)
    runtime.hub.go_live(subscription, snapshot.head, snapshot.role, snapshot.members)


def _check_same(live: ProtocolSocket, speaker: Speaker) -> None:
    """An `auth` may have come meanwhile: what one person may read is not for another."""
    if live.speaker is None or live.speaker.id != speaker.id:
        raise ProtocolError(Code.UNAUTHENTICATED, "You have become somebody else meanwhile.")


def room_unsubscribe(live: ProtocolSocket, command: c.RoomUnsubscribe) -> None:
    live.read(command.ref, _unsubscribe(live, command))


async def _unsubscribe(live: ProtocolSocket, command: c.RoomUnsubscribe) -> dict[str, Any]:
    ref = await find_ref(live.runtime, command.room)
    if not live.runtime.hub.unsubscribe(live.connection, ref.id):
        # Nothing to end; but a room that he may not see must not differ from none.
        assert live.speaker is not None
        await live.runtime.readers.run(read.entry, live.speaker, ref.id)
    return {}


def room_join(live: ProtocolSocket, command: c.RoomJoin) -> None:
    assert live.speaker is not None
    live.submit(command.ref, actions.JoinRoom(live.speaker, command.room))


def room_leave(live: ProtocolSocket, command: c.RoomLeave) -> None:
    assert live.speaker is not None
    live.submit(command.ref, actions.LeaveRoom(live.speaker, command.room))


def room_create(live: ProtocolSocket, command: c.RoomCreate) -> None:
    assert live.speaker is not None
    live.check_rate("create", live.speaker.id)
    live.submit(
        command.ref,
        actions.CreateRoom(live.speaker, command.key, command.name, command.kind, command.members),
    )


def room_update(live: ProtocolSocket, command: c.RoomUpdate) -> None:
    assert live.speaker is not None
    live.submit(
        command.ref,
        actions.UpdateRoom(
            live.speaker,
            command.room,
            name=command.name,
            topic=command.topic,
            archived=command.archived,
        ),
    )


def member_add(live: ProtocolSocket, command: c.MemberAdd) -> None:
    assert live.speaker is not None
    live.submit(
        command.ref,
        actions.AddMember(live.speaker, command.room, command.member, command.role),
    )


def member_remove(live: ProtocolSocket, command: c.MemberRemove) -> None:
    assert live.speaker is not None
    live.submit(command.ref, actions.RemoveMember(live.speaker, command.room, command.member))


def member_role(live: ProtocolSocket, command: c.MemberRole) -> None:
    assert live.speaker is not None
    live.submit(
        command.ref,
        actions.ChangeRole(live.speaker, command.room, command.member, command.role),
    )


def member_list(live: ProtocolSocket, command: c.MemberList) -> None:
    live.read(
        command.ref,
        live.runtime.readers.run(
            *(read.member_list, live.speaker, command.room, command.cursor, command.limit)
        ),
    )


def person_find(live: ProtocolSocket, command: c.PersonFind) -> None:
    readers = live.runtime.readers
    live.read(command.ref, readers.run(read.find_people, live.speaker, command.text, command.limit))


def message_send(live: ProtocolSocket, command: c.MessageSend) -> None:
    assert live.speaker is not None
    live.check_send_rate()
    live.submit(
        command.ref,
        actions.SendMessage(
            *(live.speaker, command.room, command.text, command.key),
            reply_to=command.reply_to,
            attachments=command.attachments,
        ),
    )


def message_edit(live: ProtocolSocket, command: c.MessageEdit) -> None:
    assert live.speaker is not None
    live.submit(
        command.ref,
        actions.EditMessage(live.speaker, command.room, command.seq, command.text, command.version),
    )


def message_delete(live: ProtocolSocket, command: c.MessageDelete) -> None:
    assert live.speaker is not None
    live.submit(
        command.ref,
        actions.DeleteMessage(live.speaker, command.room, command.seq, command.version),
    )


def reaction_add(live: ProtocolSocket, command: c.ReactionAdd) -> None:
    assert live.speaker is not None
    live.submit(
        command.ref,
        actions.AddReaction(live.speaker, command.room, command.seq, command.emoji),
    )


def reaction_remove(live: ProtocolSocket, command: c.ReactionRemove) -> None:
    assert live.speaker is not None
    live.submit(
        command.ref,
        actions.RemoveReaction(live.speaker, command.room, command.seq, command.emoji),
    )


def read_mark(live: ProtocolSocket, command: c.ReadMark) -> None:
    assert live.speaker is not None
    speaker = live.speaker

    def answer(outcome: int | ProtocolError) -> None:
        live.finish(command.ref, {"read": outcome} if isinstance(outcome, int) else outcome)

    def written(marked: Marked) -> None:
        _tell_read(live, speaker.person, marked)

    live.runtime.read_marks.mark(live.connection, command.room, command.seq, answer, written)


def _tell_read(live: ProtocolSocket, person: Any, marked: Marked) -> None:
    """To my own other connections, and to everyone in a direct room."""
    runtime = live.runtime
    payload = encode(ReadChanged(room=marked.slug, read=marked.read, who=person))
    if marked.direct:
        runtime.tell_members(marked.room_id, payload, but=live.connection)
    else:
        runtime.tell_person(person.id, payload, but=live.connection)


def typing_start(live: ProtocolSocket, command: c.TypingStart) -> None:
    live.read(command.ref, _typing(live, command.room, writing=True))


def typing_stop(live: ProtocolSocket, command: c.TypingStop) -> None:
    live.read(command.ref, _typing(live, command.room, writing=False))


async def _typing(live: ProtocolSocket, slug: str, *, writing: bool) -> dict[str, Any]:
    speaker, hub = live.speaker, live.runtime.hub
    assert speaker is not None
    if writing:
        live.check_rate("typing", speaker.id)
    ref = await find_ref(live.runtime, slug)
    subscription = live.connection.subscriptions.get(ref.id)
    if subscription is None or subscription.role is None:
        role = await live.runtime.readers.run(_role, ref.id, speaker.id)
        if role is None:
            raise forbidden("Only members of the room may write. Join it first.")
    room = hub.room(ref.id, ref.slug)
    if room.empty:
        room.idle_since = hub.loop.time()
    if writing:
        room.typing.start(speaker.person)
    else:
        room.typing.stop(speaker.person)
    return {}


def _role(room_id: int, participant_id: int) -> str | None:
    role = role_in(room_id, participant_id)
    check_see(read.Room.objects.filter(pk=room_id).first(), role)
    return role


def history_list(live: ProtocolSocket, command: c.HistoryList) -> None:
    live.read(
        command.ref,
        live.runtime.readers.run(
            *(read.history, live.speaker, command.room),
            *(command.before, command.after, command.around, command.limit),
        ),
    )


HANDLERS: dict[type, Handler] = {
    c.Ping: ping,
    c.RoomList: room_list,
    c.RoomSubscribe: room_subscribe,
    c.RoomUnsubscribe: room_unsubscribe,
    c.RoomJoin: room_join,
    c.RoomLeave: room_leave,
    c.RoomCreate: room_create,
    c.RoomUpdate: room_update,
    c.MemberAdd: member_add,
    c.MemberRemove: member_remove,
    c.MemberRole: member_role,
    c.MemberList: member_list,
    c.PersonFind: person_find,
    c.MessageSend: message_send,
    c.MessageEdit: message_edit,
    c.MessageDelete: message_delete,
    c.ReactionAdd: reaction_add,
    c.ReactionRemove: reaction_remove,
    c.ReadMark: read_mark,
    c.TypingStart: typing_start,
    c.TypingStop: typing_stop,
    c.HistoryList: history_list,
}

__all__ = ["HANDLERS"]
