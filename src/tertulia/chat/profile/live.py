"""A changed name or picture, told by each process to those who are connected to it.

The change itself reaches the processes as an `AccessChange`, by the layer or by the sweep; each
then reads the profile, so the last one wins whatever order the news come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tertulia.protocol.codec import encode
from tertulia.protocol.events import PersonChanged

from ..log import AccessNews
from ..models import Membership, Participant, Room
from ..people import Speaker, speaker_of
from ..recheck import asked

if TYPE_CHECKING:
    from ..runtime import Runtime

# Changes that are remembered for sockets which were just being opened.
REMEMBERED = 1_000


class Profile(NamedTuple):
    """Somebody as he is now, and his rooms: id, slug, kind."""

    speaker: Speaker
    rooms: list[tuple[int, str, str]]


def read_profile(public_id: str) -> Profile | None:
    """From the database; None where there is no such person any more."""
    person = Participant.objects.filter(public_id=public_id).first()
    if person is None:
        return None
    rooms = Membership.objects.filter(participant=person, left_seq__isnull=True)
    return Profile(
        speaker_of(person), list(rooms.values_list("room_id", "room__slug", "room__kind"))
    )


class Profiles:
    """Tells of one person at a time once, however often he changes meanwhile."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # Who is being told of, and whether he has changed again since the profile was read.
        self._again: dict[str, bool] = {}
        # The last change of each, oldest first.
        self._last: dict[str, int] = {}

    def changed(self, change: AccessNews) -> None:
        """News of a change of kind `profile`."""
        if change.person_id is None:
            return
        self._last.pop(change.person_id, None)
        self._last[change.person_id] = change.id
        if len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]
        self._tell_soon(change.person_id)

    def identified(self, person_id: str, mark: int) -> None:
        """Somebody has connected whose profile was read when `mark` was the last change."""
        if self._last.get(person_id, 0) > mark:
            self._tell_soon(person_id)

    def _tell_soon(self, person_id: str) -> None:
        if person_id in self._again:
            self._again[person_id] = True
        else:
            self._again[person_id] = False
            self._runtime.hub.spawn(self._tell(person_id))

    async def _tell(self, person_id: str) -> None:
        try:
            while True:
                self._again[person_id] = False
                profile = await asked(self._runtime, read_profile, person_id)
                if profile is not None:
                    self._show(profile)
                if not self._again[person_id]:
                    return
        finally:
            del self._again[person_id]

    def _show(self, profile: Profile) -> None:
        """To his own connections, which speak under the new name, and in his rooms."""
        hub, person = self._runtime.hub, profile.speaker.person
        hub.person_changed(person)
        to_himself = encode(PersonChanged(room=None, who=person))
        for connection in hub.people.get(person.id, ()):
            connection.speaker = profile.speaker
            if not connection.classic:
                connection.send(to_himself)
        for room_id, slug, kind in profile.rooms:
            live = hub.rooms.get(room_id)
            in_lists = kind == Room.Kind.DIRECT
            if live is None and not in_lists:
                continue
            payload = encode(PersonChanged(room=slug, who=person))
            if live is not None:
                live.pass_frame(payload)
            if in_lists:
                self._show_in_lists(room_id, payload)

    def _show_in_lists(self, room_id: int, payload: bytes) -> None:
        """A direct room is called after its people: those who are not looking see it too."""

        def tell(person_id: str) -> None:
            for connection in self._runtime.hub.people.get(person_id, ()):
                if not connection.classic and connection.subscription(room_id) is None:
                    connection.send(payload)

        self._runtime.interest.each(room_id, tell)
