"""An agent of an inbox at the protocol, for tests that drive browsers and so cannot await."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tertulia.testing.server import Server

PATIENCE = 15.0

_MAKE = """
import json
from tertulia.support.models import Inbox
inbox = Inbox(name={name!r}, **json.loads({how!r}))
inbox.full_clean()
inbox.save()
print(json.dumps([inbox.public_id, inbox.secret]))
"""
_EMPLOY = """
from tertulia.chat.models import Participant
from tertulia.support.models import Agent, Inbox
agent = Agent(inbox=Inbox.objects.get(public_id={inbox!r}),
    participant=Participant.objects.get(name={name!r}))
agent.save()
"""
_DISMISS = """
from tertulia.support.models import Agent
Agent.objects.filter(participant__name={name!r}).first().delete()
"""


class Inbox:
    """One of a server's inboxes; `how` are its fields."""

    def __init__(self, server: Server, name: str, **how: Any) -> None:
        self.server = server
        self.name = name
        made = server.shell(_MAKE.format(name=name, how=json.dumps(how)))
        self.id, self.secret = json.loads(made.strip().splitlines()[-1])

    @property
    def path(self) -> str:
        return f"/support/{self.id}/"

    def change(self, **fields: Any) -> None:
        code = "import json\nfrom tertulia.support.models import Inbox\n"
        code += f"Inbox.objects.filter(public_id={self.id!r}).update(**json.loads({{!r}}))"
        self.server.shell(code.format(json.dumps(fields)))

    def employ(self, name: str) -> None:
        self.server.shell(_EMPLOY.format(inbox=self.id, name=name))

    def dismiss(self, name: str) -> None:
        self.server.shell(_DISMISS.format(name=name))


class DeskAgent:
    """One connection; everything that is no reply stays in `heard`."""

    def __init__(self, server: Server, name: str, token: str) -> None:
        self.name = name
        self.heard: list[dict[str, Any]] = []
        self._refs = itertools.count(1)
        headers = {"Authorization": f"Bearer {token}"}
        self._stack = ExitStack()
        self._socket: ClientConnection = self._stack.enter_context(
            connect(f"{server.ws}/ws/", additional_headers=headers, compression=None, proxy=None)
        )
        self.id: str = self._next(time.monotonic() + PATIENCE)["me"]["id"]

    def close(self) -> None:
        self._stack.close()

    def request(self, type_: str, **fields: Any) -> dict[str, Any]:
        """The result of a command; what is refused fails the test."""
        ref = next(self._refs)
        self._socket.send(json.dumps({"type": type_, "ref": ref, **fields}))
        deadline = time.monotonic() + PATIENCE
        while True:
            frame = self._next(deadline)
            if frame["type"] == "reply" and frame["ref"] == ref:
                assert frame["ok"], frame
                result: dict[str, Any] = frame.get("result") or {}
                return result
            self.heard.append(frame)

    def waits_for(self, type_: str, **fields: Any) -> dict[str, Any]:
        """The first event of this kind with these fields, heard already or still to come."""
        deadline = time.monotonic() + PATIENCE
        seen = 0
        while True:
            for frame in self.heard[seen:]:
                if frame["type"] == type_ and fields.items() <= frame.items():
                    return frame
            seen = len(self.heard)
            self.heard.append(self._next(deadline))

    def _next(self, deadline: float) -> dict[str, Any]:
        text = self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
        frame: dict[str, Any] = json.loads(text)
        return frame

    # What an agent does

    def conversations(self, filter_: str = "all") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.request("conversation.list", filter=filter_)[
            "conversations"
        ]
        return found

    def takes(self) -> dict[str, Any]:
        """Waits for a conversation of the inbox and follows it: its state. It is there a moment
        before the first word of it."""
        deadline = time.monotonic() + PATIENCE
        while not (found := [each for each in self.conversations() if each["last"]]):
            assert time.monotonic() < deadline, "nothing has been said in a conversation"
            time.sleep(0.05)
        self.request("room.subscribe", room=found[0]["room"])
        return found[0]

    def says(self, room: str, text: str) -> int:
        seq: int = self.request("message.send", room=room, key=str(uuid.uuid4()), text=text)["seq"]
        return seq

    def messages(self, room: str) -> list[str]:
        found = self.request("history.list", room=room, before=2**53 - 1)["messages"]
        return [message["text"] for message in found]

    def reads(self, room: str) -> None:
        """All that has been said."""
        head = self.request("conversation.get", room=room)["conversation"]["head"]
        self.request("read.mark", room=room, seq=head)
