"""What a good client keeps of one room: its messages, in order, as the events make them."""

from __future__ import annotations

import copy
from typing import Any

Frame = dict[str, Any]


class Disorder(AssertionError):
    """An event came twice, too early or out of order."""


class RoomView:
    """`seq` is the last event applied; `messages` maps a message's seq to the message.

    `start` is the seq from which on every message is known: older ones were not loaded.
    """

    def __init__(self, room: str, head: int, messages: list[Frame]) -> None:
        self.room = room
        self.epoch: str | None = None
        self.seq = head
        self.messages = {m["seq"]: copy.deepcopy(m) for m in messages}
        self.events: list[Frame] = []
        self.resets = 0

    @classmethod
    def load(cls, room: str, result: Frame) -> RoomView:
        """From the result of a `room.subscribe` without `after`."""
        return cls(room, result["head"], result["messages"])

    def catch_up(self, result: Frame) -> None:
        """From the result of a `room.subscribe` with `after`."""
        for event in result["events"]:
            self.apply(event)
        if self.seq != result["head"]:
            raise Disorder(f"resumed to {self.seq}, but the head is {result['head']}")

    def apply(self, event: Frame) -> None:
        """One durable event; it must be the next."""
        if event["seq"] != self.seq + 1:
            raise Disorder(f"{self.room}: at {self.seq} came {event['type']} {event['seq']}")
        self.seq = event["seq"]
        self.events.append(event)
        kind = event["type"]
        if kind.startswith("message."):
            self._replace(event["message"])
        elif kind.startswith("reaction."):
            self._react(event, adding=kind == "reaction.added")

    def _replace(self, message: Frame) -> None:
        known = self.messages.get(message["seq"])
        if known is None or message["version"] >= known["version"]:
            self.messages[message["seq"]] = copy.deepcopy(message)

    def _react(self, event: Frame, adding: bool) -> None:
        message = self.messages.get(event["target"])
        if message is None or message["version"] >= event["seq"]:
            return
        message["version"] = event["seq"]
        person = event["actor"]["id"]
        reactions = {r["emoji"]: r for r in message["reactions"]}
        entry = reactions.setdefault(
            event["emoji"], {"emoji": event["emoji"], "count": 0, "by": []}
        )
        entry["count"] = event["count"]
        entry["by"] = [p for p in entry["by"] if p != person] + ([person] if adding else [])
        message["reactions"] = [r for r in reactions.values() if r["count"]]

    def texts(self) -> list[str]:
        """The texts in order."""
        return [m["text"] for _, m in sorted(self.messages.items())]

    def comparable(self) -> dict[int, Frame]:
        """The messages without what has no meaning: the order of reactions and of `by`."""
        return {seq: comparable(message) for seq, message in self.messages.items()}


def comparable(message: Frame) -> Frame:
    reactions = {r["emoji"]: (r["count"], frozenset(r["by"])) for r in message["reactions"]}
    return {**message, "reactions": reactions}
