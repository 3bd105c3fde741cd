"""A mail server that refuses, hangs or is away, and a process that dies: no answer is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.support.mailserver import MailServer
from tests.support.metrics import Scrape

from .mails import MailDesk, environment, new_address

LEASE = 4.0
# The first conversation is due while somebody has its row, the second when all have looked at it.
HELD = """
import time
from datetime import timedelta
from django.db import transaction
from tertulia.chat.encode import now
for room, email, seconds in {due!r}:
    mine = Conversation.objects.filter(room__slug=room)
    mine.update(mail_at=now() + timedelta(seconds=seconds))
    Visitor.objects.filter(conversations__in=mine).update(email=email)
held, other = (Conversation.objects.filter(room__slug=room) for room, *_ in {due!r})
with transaction.atomic():
    held.update(url="https://shop.example/basket")
    until = time.monotonic() + 15
    while not (sent := other.get().mail_state == "sent") and time.monotonic() < until:
        time.sleep(0.2)
print(sent)
"""


@pytest.fixture(scope="module")
def own_post() -> Iterator[MailServer]:
    """Which may go away."""
    server = MailServer().start()
    yield server
    server.goes_on()
    server.stop()


@pytest.fixture(scope="module")
def shaken(own_post: MailServer) -> Iterator[Server]:
    """Its leases are short, and it gives up soon."""
    server = Server(env=environment(own_post, LEASE=LEASE, GIVEN_UP=5.0)).start()
    yield server
    server.remove()


@pytest.fixture
async def shaky(shaken: Server, own_post: MailServer) -> AsyncIterator[MailDesk]:
    async with AsyncExitStack() as stack:
        yield MailDesk.of(Installation([shaken]), stack).sited(own_post)  # type: ignore[attr-defined]


async def test_an_address_that_is_refused_is_told_and_not_tried_again(desk: MailDesk) -> None:
    email = new_address()
    desk.post.answers[email] = "550 no such user"
    before = Scrape.of(desk.installation.here)
    room, _ = await desk.asked(email=email)
    ana = await desk.agent()
    await ana.say(room, "It is.")
    failed = await desk.stands(ana, room, "failed")
    assert failed["address"] == email
    del desk.post.answers[email]
    await desk.nothing_for(email)
    after = Scrape.of(desk.installation.here)
    counted = "visitor_mails_total"
    grown = after(counted, outcome="failed") - before(counted, outcome="failed")
    assert grown == 1
    log = desk.installation.here.tail()
    assert "Answers to a visitor could not be mailed" in log
    assert email not in log
    # Another answer is another try.
    await ana.say(room, "Are you there?")
    mail = await desk.mail_to(email)
    assert "Are you there?" in mail.text
    assert "It is." not in mail.text
    await desk.stands(ana, room, "sent")


async def test_an_address_that_cannot_be_written_to_is_told(desk: MailDesk) -> None:
    room, _ = await desk.asked(email="visitor@[127.0.0.1]")
    ana = await desk.agent()
    await ana.say(room, "It is.")
    await desk.stands(ana, room, "failed")


async def test_what_is_not_taken_now_is_tried_again_with_what_was_said_since(
    desk: MailDesk,
) -> None:
    email = new_address()
    desk.post.answers[email] = "451 come back later"
    before = Scrape.of(desk.installation.here)
    room, _ = await desk.asked(email=email)
    ana = await desk.agent()
    await ana.say(room, "It is.")
    counted = "visitor_mails_total"
    deadline = time.monotonic() + 20
    while Scrape.of(desk.installation.here)(counted, outcome="later") == before(
        counted, outcome="later"
    ):
        assert time.monotonic() < deadline, "it was not tried"
        await asyncio.sleep(0.2)
    assert (await desk.state(ana, room))["mail"]["state"] == "waiting"
    await ana.say(room, "Really.")
    del desk.post.answers[email]
    mail = await desk.mail_to(email)
    assert "It is." in mail.text
    assert "Really." in mail.text
    await desk.stands(ana, room, "sent")
    await desk.nothing_for(email)


async def test_while_the_mail_server_is_away_the_mail_waits(shaky: MailDesk) -> None:
    room, email = await shaky.asked()
    ana = await shaky.agent()
    shaky.post.goes_away()
    try:
        await ana.say(room, "It is.")
        await asyncio.sleep(3)
        assert (await shaky.state(ana, room))["mail"]["state"] == "waiting"
    finally:
        shaky.post.comes_back()
    assert "It is." in (await shaky.mail_to(email)).text


async def test_what_cannot_be_sent_for_too_long_is_given_up(shaky: MailDesk) -> None:
    email = new_address()
    shaky.post.answers[email] = "451 come back later"
    room, _ = await shaky.asked(email=email)
    ana = await shaky.agent()
    await ana.say(room, "It is.")
    await shaky.stands(ana, room, "failed")
    del shaky.post.answers[email]
    await shaky.nothing_for(email)


async def test_a_mail_of_a_process_that_dies_is_sent_when_its_lease_has_ended(
    shaky: MailDesk,
) -> None:
    room, email = await shaky.asked()
    ana = await shaky.agent()
    greetings = shaky.post.greetings
    shaky.post.hangs()
    await ana.say(room, "It is.")
    deadline = time.monotonic() + 20
    while shaky.post.greetings == greetings:
        assert time.monotonic() < deadline, "nobody has called the mail server"
        await asyncio.sleep(0.05)
    # It has claimed the mail, and stands before a mail server that says nothing.
    shaky.installation.here.kill9()
    shaky.post.goes_on()
    claimed = time.monotonic()
    shaky.installation.here.start()
    mail = await shaky.mail_to(email)
    assert "It is." in mail.text
    assert time.monotonic() - claimed > LEASE / 2
    ana = await shaky.agent()
    await shaky.stands(ana, room, "sent")


async def test_of_several_processes_one_sends(everywhere: MailDesk) -> None:
    """Each conversation once, though all processes look at the same agenda."""
    desk = everywhere
    ana = await desk.agent(there=True)
    asked = [await desk.asked(number=number) for number in range(3)]
    for room, _email in asked:
        await ana.say(room, "It is.")
    for room, email in asked:
        await desk.mail_to(email)
        await desk.stands(ana, room, "sent")
    await asyncio.sleep(3)
    addresses = {email for _room, email in asked}
    assert [mail for mail in desk.post.mails if addresses & set(mail.to)] == []


@pytest.mark.parametrize("everywhere_mailing", ["scaled"], indirect=True)
async def test_a_conversation_that_somebody_holds_keeps_only_its_own_mail_waiting(
    everywhere: MailDesk,
) -> None:
    """A host's transaction may have written to it, and go on for long."""
    desk = everywhere
    ana = await desk.agent()
    rooms = [await desk.conversation(await desk.visitor(number), "hello") for number in range(2)]
    for room in rooms:
        await ana.say(room, "It is.")
    emails = [new_address() for _ in rooms]
    due = list(zip(rooms, emails, (2, 6), strict=True))
    told = await asyncio.to_thread(desk.shell, HELD.format(due=due))
    assert told.strip().splitlines()[-1] == "True"
    # Each comes, and comes once.
    for email in reversed(emails):
        await desk.mail_to(email)
    for email in emails:
        await desk.nothing_for(email)
