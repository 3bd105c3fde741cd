"""Saying something, changing it, taking it away."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from tertulia.protocol import events as ev
from tertulia.protocol.errors import Code, ProtocolError, conflict, forbidden, invalid, not_found
from tertulia.protocol.limits import TEXT

from .. import kinds, sql
from ..access import MODERATORS, check_member, check_open, check_see
from ..encode import key_text, message_of, timestamp
from ..log import LogTransaction, known_ref
from ..models import Membership, Mention, Message, Participant
from ..naming import candidates
from ..people import Speaker
from ..slugs import fold_slug
from ..sql.pages import messages_at
from ..text import RENDERER, Named, Rendered, is_blank, is_encodable, render
from .base import Action, Outcome
from .members import join


def check_text(text: str) -> None:
    """Not blank, not too long; surrogates and NUL were refused by the decoder."""
    if len(text) > TEXT:
        raise ProtocolError(
            Code.TOO_LARGE, f"The text has {len(text)} characters; {TEXT} are allowed."
        )
    if is_blank(text):
        raise invalid("text", "The text is blank.")
    if "\x00" in text or not is_encodable(text):
        raise invalid("text", "Text must be valid Unicode without NUL.")


def render_in(slug: str, text: str) -> Rendered:
    """Render, with mentions of the room's present members, and of whom its rules name."""
    names = candidates(text)
    if not names:
        return render(text)
    # The names first: both databases would look at all members of the room for them.
    people = Participant.objects.filter(name_fold__in=names).in_bulk()
    folded = fold_slug(slug)
    present: Any = Membership.objects.filter(
        room__slug_fold=folded, left_seq__isnull=True, participant_id__in=people
    ).values_list("participant_id", flat=True)
    ref = known_ref(slug)
    if ref is None or ref.ruled:
        # In the same statement: the work must not tell a hidden room from none.
        present = kinds.with_named(present, folded, list(people))
    named = [people[pk] for pk in present]
    return render(text, {one.name_fold: Named(one.public_id, one.pk) for one in named})


class SendMessage(Action):
    """Append a message. The same (speaker, key) gives the first answer again, for ever.

    `join`: a classic client joins a public room with its first message.
    """

    slug: str

    def __init__(
        self,
        speaker: Speaker,
        slug: str,
        text: str,
        key: uuid.UUID,
        *,
        reply_to: int | None = None,
        attachments: Sequence[str] = (),
        seen: int | None = None,
        join: bool = False,
    ) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.text = text
        self.key = key
        self.reply_to = reply_to
        self.attachments = attachments
        self.seen = seen
        self.join = join
        self.rendered: Rendered | None = None

    def prepare(self) -> None:
        # Text that will be refused is not worth rendering; the refusal comes in its turn.
        if self.rendered is None and len(self.text) <= TEXT:
            self.rendered = render_in(self.slug, self.text)

    def run(self, log: LogTransaction) -> Any:
        log.find(**what_is_read(log, [self]))
        outcome = send_all(log, [self])[0]
        log.flush()
        if isinstance(outcome, ProtocolError):
            raise outcome
        return outcome


def send_all(log: LogTransaction, sends: Sequence[SendMessage]) -> list[Outcome]:
    """Several sends in one go: the same few statements for one as for a thousand.

    The caller has had `log` find `what_is_read` of them, and lets it write what they append.
    """
    rooms = {slug: _locked(log, slug) for slug in {send.slug for send in sends}}
    outcomes: list[Outcome] = []
    for send in sends:
        try:
            outcomes.append(_send(log, send, rooms[send.slug]))
        except ProtocolError as error:
            outcomes.append(error)
    return outcomes


def what_is_read(log: LogTransaction, sends: Iterable[SendMessage]) -> dict[str, Any]:
    """What `LogTransaction.find` can read for them all at once."""
    ids: dict[str, int | None] = {}
    keys, members = [], []
    for send in sends:
        slug, author = send.slug, send.speaker.id
        keys.append((author, send.key))
        if slug not in ids:
            ref = log.ref(slug)
            ids[slug] = None if ref is None else ref.id
        room_id = ids[slug]
        if room_id is not None:
            members.append((room_id, author))
    rooms = {room_id for room_id in ids.values() if room_id is not None}
    return {"rooms": rooms, "keys": keys, "members": members}


def _locked(log: LogTransaction, slug: str) -> sql.RoomRow | None:
    try:
        return log.room(slug)
    except ProtocolError:
        return None


def _send(log: LogTransaction, send: SendMessage, room: sql.RoomRow | None) -> dict[str, Any]:
    """One send of a batch: a repeat is answered before any other check."""
    send.check_barred()
    speaker = send.speaker
    sent = log.sent_before(speaker.id, send.key)
    if sent is not None:
        if room is None or room.id != sent.room_id:
            raise conflict("This key was used for a message in another room.")
        return {"seq": sent.seq, "sent_at": timestamp(sent.sent_at), "duplicate": True}
    role = log.role(room.id, speaker.id) if room is not None else None
    check_see(room, role, speaker)
    assert room is not None
    _check_send(log, send, room, role)
    if role is None:
        join(log, room, speaker)
    seq = _append(log, send, room)
    rules = kinds.rules_of(room.kind)
    if rules is not None:
        rules.sent(log, room, speaker, seq)
        rules.written(log, room, seq, send.text)
    return {"seq": seq, "sent_at": log.stamp, "duplicate": False}


def _check_send(
    log: LogTransaction, send: SendMessage, room: sql.RoomRow, role: str | None
) -> None:
    if not send.join:
        check_member(room, role, "write")
    check_open(room, "write")
    check_text(send.text)
    if send.attachments:
        raise invalid("attachments", "This server takes no attachments.")
    if send.reply_to is not None:
        if send.reply_to <= room.head:
            log.flush()  # the message replied to may be one of this batch
        if not Message.objects.filter(room_id=room.id, seq=send.reply_to).exists():
            raise invalid("reply_to", "There is no message with this seq in the room.")
    rules = kinds.rules_of(room.kind)
    if rules is not None:
        rules.check_send(log, room, send.speaker, send.seen)


def _append(log: LogTransaction, send: SendMessage, room: sql.RoomRow) -> int:
    speaker = send.speaker
    if send.rendered is None:
        send.prepare()
    assert send.rendered is not None
    html, mentions = send.rendered
    seq = log.next_seq(room)
    room.messages += 1
    row = sql.MessageRow(
        *(room.id, seq, room.messages, speaker.id, speaker.person.name, send.key),
        *(send.text, html, RENDERER, send.reply_to, log.at),
    )
    for named in mentions:
        own = named.id == speaker.id
        log.add_mention(sql.MentionRow(room.id, seq, named.id, own), named.public_id)
    message = ev.Message(
        seq=seq,
        version=seq,
        number=row.number,
        key=key_text(send.key),
        author=speaker.person,
        text=send.text,
        html=html,
        sent_at=log.stamp,
        edited_at=None,
        deleted=False,
        reply_to=send.reply_to,
        mentions=[named.public_id for named in mentions],
        attachments=[],
        reactions=[],
    )
    event = ev.MessageCreated(
        room=room.slug, seq=seq, at=log.stamp, actor=speaker.person, message=message
    )
    log.append_message(room, event, speaker, row)
    return seq


def find_message(room: sql.RoomRow, seq: int) -> Message:
    """A message of the room; `not_found` where there is none."""
    message = Message.objects.select_related("author").filter(room_id=room.id, seq=seq).first()
    if message is None:
        raise not_found("There is no such message.")
    return message


class EditMessage(Action):
    """Change one's own text."""

    def __init__(
        self, speaker: Speaker, slug: str, seq: int, text: str, version: int | None = None
    ) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.seq = seq
        self.text = text
        self.version = version
        self.rendered: Rendered | None = None

    def prepare(self) -> None:
        if self.rendered is None and len(self.text) <= TEXT:
            self.rendered = render_in(self.slug or "", self.text)

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        message = self._mine(log, room)
        if message.text == self.text and not message.deleted:
            return {"event": message.content_seq}
        check_open(room, "edit a message")
        check_text(self.text)
        if message.deleted:
            raise conflict("The message was deleted.")
        _check_version(message, self.version)
        if self.rendered is None:
            self.prepare()
        assert self.rendered is not None
        seq = log.next_seq(room)
        message.text, message.html = self.text, self.rendered.html
        message.renderer, message.edited_at = RENDERER, log.at
        message.version = message.content_seq = seq
        message.save(
            update_fields=["text", "html", "renderer", "edited_at", "version", "content_seq"]
        )
        _replace_mentions(log, room, message, self.rendered.mentions)
        _tell_rules(log, room, message.seq, self.text)
        return _tell(log, room, self.speaker, message, ev.MessageEdited)

    def _mine(self, log: LogTransaction, room: sql.RoomRow) -> Message:
        role = log.role(room.id, self.speaker.id)
        check_member(room, role, "edit a message")
        message = find_message(room, self.seq)
        if message.author_id != self.speaker.id:
            raise forbidden("Only its author may edit a message.")
        return message


class DeleteMessage(Action):
    """Empty a message; its place and number remain."""

    def __init__(self, speaker: Speaker, slug: str, seq: int, version: int | None = None) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.seq = seq
        self.version = version

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        role = self.standing(log, room)
        check_member(room, role, "delete a message")
        message = find_message(room, self.seq)
        if message.author_id != self.speaker.id and role not in MODERATORS:
            raise forbidden("Only its author, a moderator or an owner may delete a message.")
        if message.deleted:
            return {"event": message.content_seq}
        check_open(room, "delete a message")
        _check_version(message, self.version)
        seq = log.next_seq(room)
        message.text = message.html = ""
        message.deleted = True
        message.version = message.content_seq = seq
        message.save(update_fields=["text", "html", "deleted", "version", "content_seq"])
        Mention.objects.filter(room_id=room.id, seq=message.seq).delete()
        _tell_rules(log, room, message.seq, None)
        return _tell(log, room, self.speaker, message, ev.MessageDeleted)


def _tell_rules(log: LogTransaction, room: sql.RoomRow, seq: int, text: str | None) -> None:
    """Of what a message says now."""
    rules = kinds.rules_of(room.kind)
    if rules is not None:
        rules.written(log, room, seq, text)


def _check_version(message: Message, seen: int | None) -> None:
    if seen is not None and seen != message.version:
        raise conflict(
            f"The message has changed since: its version is {message.version}, not {seen}."
        )


def _replace_mentions(
    log: LogTransaction, room: sql.RoomRow, message: Message, mentions: list[Named]
) -> None:
    """Who was named before keeps his mention, read or not."""
    present = Mention.objects.filter(room_id=room.id, seq=message.seq)
    kept = set(present.values_list("participant_id", flat=True))
    present.exclude(participant_id__in=[named.id for named in mentions]).delete()
    for named in mentions:
        if named.id not in kept:
            own = named.id == message.author_id
            log.add_mention(sql.MentionRow(room.id, message.seq, named.id, own), named.public_id)
    log.flush()


def _tell(
    log: LogTransaction,
    room: sql.RoomRow,
    speaker: Speaker,
    message: Message,
    kind: type[ev.MessageEdited] | type[ev.MessageDeleted],
) -> dict[str, Any]:
    event = kind(
        room=room.slug,
        seq=message.version,
        at=log.stamp,
        actor=speaker.person,
        message=message_of(messages_at(log.connection, room.id, [message.seq])[0]),
    )
    log.append(room, event, speaker, subject=message.seq)
    log.flush()
    return {"event": event.seq}


__all__ = [
    "DeleteMessage",
    "EditMessage",
    "SendMessage",
    "find_message",
    "send_all",
    "what_is_read",
]
