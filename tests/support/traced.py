"""A server that writes down its SQL, and what it asks before it lets somebody in."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from tertulia.testing.client import Client, Closed
from tertulia.testing.server import Server
from tests.security.web import sessions

How = dict[str, Any]

_SETTINGS = Path(__file__).parents[1] / "security" / "traced"
# Whatever is asked about a person, an account, a session or a bearer token; but not by the
# sweep, which looks at changes of access every second.
_ASKED = re.compile(r"auth_user|django_session|chat_token|FROM tertulia_chat_participant")
# Time for what is looked at a moment after a connection was opened.
SETTLING = 0.5
# Sessions that are made together, at the price of one command.
BATCH = 12


def showing(token: str) -> How:
    """The subprotocols that show a connect token; "" asks for one."""
    return {"subprotocols": ["tertulia.v1", f"tertulia.connect.{token}"]}


async def is_nobody(server: Server, **how: Any) -> None:
    """Nobody is let in by this: neither welcomed nor heard."""
    client = await Client.connect(server.ws, welcome=False, **how)
    async with client:
        try:
            reply = await client.request("room.list")
        except Closed as closed:
            assert closed.code == 4401
        else:
            assert reply["error"]["code"] == "unauthenticated"
        assert not [frame for frame in client.frames if frame["type"] == "welcome"]


class Traced:
    """A server that writes down its statements."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.trace = folder / "statements"
        env = {
            "PYTHONPATH": str(_SETTINGS),
            "DJANGO_SETTINGS_MODULE": "traced_settings",
            "TRACE": str(self.trace),
            "TERTULIA_LIMITS": "off",
        }
        self.server = Server(env=env, **options).start()
        self._signed_in: list[tuple[str, str]] = []

    def person(self) -> tuple[str, How]:
        """Somebody new, and the header of his bearer token."""
        ((name, token),) = self.server.people(1, batch=20)
        return name, {"token": token}

    def by_cookie(self, session: str) -> How:
        return {"cookie": f"sessionid={session}", "origin": self.server.url}

    def browser(self) -> tuple[str, str, How]:
        """Somebody new with a session: name, session key, and what his handshake has."""
        if not self._signed_in:
            names = [self.person()[0] for _ in range(BATCH)]
            made = sessions(self.server, dict.fromkeys(names, 1))
            self._signed_in = [(name, made[name][0]) for name in names]
        name, session = self._signed_in.pop()
        return name, session, self.by_cookie(session)

    async def token(self, before: str = "", **how: Any) -> str:
        """A connect token for this credential; `before`: the one that is shown for it."""
        async with await Client.connect(self.server.ws, **how, **showing(before)) as client:
            return str(client.welcome["connect"])

    async def asked(self, **how: Any) -> list[str]:
        """What is asked about a person before his `welcome`. The fewest of several handshakes,
        since what the server looks at by itself may come between."""
        tries = []
        for _ in range(2):
            await asyncio.sleep(SETTLING)
            before = self.trace.stat().st_size
            async with await Client.connect(self.server.ws, **how):
                tries.append(self.asked_since(before))
        return min(tries, key=len)

    def asked_since(self, before: int) -> list[str]:
        """The same since the trace had so many bytes."""
        with self.trace.open("rb") as file:
            file.seek(before)
            return [line for line in file.read().decode().splitlines() if _ASKED.search(line)]
