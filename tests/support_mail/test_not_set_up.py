"""Where mails cannot be sent the widget promises none, and nothing waits to be sent."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.support.mailserver import MailServer

from .mails import MailDesk, environment, new_address

LACKING = ("TERTULIA_EMAIL_URL", "TERTULIA_URL")


@pytest.fixture(scope="module", params=LACKING)
def incomplete(request: pytest.FixtureRequest, post: MailServer) -> Iterator[Server]:
    """Without a mail server; without an address of its own, to which links could lead."""
    env = {name: value for name, value in environment(post).items() if name != request.param}
    server = Server(env=env).start()
    yield server
    server.remove()


@pytest.fixture
async def silent(incomplete: Server, post: MailServer) -> AsyncIterator[MailDesk]:
    async with AsyncExitStack() as stack:
        yield MailDesk.of(Installation([incomplete]), stack).sited(post)  # type: ignore[attr-defined]


def page_of(desk: MailDesk) -> dict[str, Any]:
    """What the page in the widget's frame is told."""
    text = desk.browser.get(f"/support/{desk.inbox}/").text
    found = re.search(r'<script id="tertulia-widget"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert found
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    return told


async def test_nothing_is_promised_and_nothing_waits(silent: MailDesk) -> None:
    assert page_of(silent)["mail"] is False
    # What he leaves all the same is for the agents, who have mails of their own.
    room, email = await silent.asked(email=new_address())
    ana = await silent.agent()
    await ana.say(room, "It is.")
    got = await ana.cmd("conversation.get", room=room)
    assert got["visitor"]["email"] == email
    assert got["conversation"]["mail"] is None
    await silent.nothing_for(email)
    told = silent.shell(f"print(Conversation.objects.get(room__slug={room!r}).mail_at)")
    assert told.strip().splitlines()[-1] == "None"


async def test_with_both_it_is_promised(desk: MailDesk) -> None:
    assert page_of(desk)["mail"] is True
