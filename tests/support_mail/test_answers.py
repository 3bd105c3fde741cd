"""Answers that a visitor has not read reach him by mail: which, when, and how they look."""

from __future__ import annotations

import asyncio
import re
import time

from tertulia.testing.server import Server

from .mails import MailDesk, is_activity, links_in, new_address


async def test_an_answer_that_is_not_read_comes_by_mail_once(everywhere: MailDesk) -> None:
    desk = everywhere
    room, email = await desk.asked("Buy at evil.example!")
    ana = await desk.agent(there=True)
    await ana.say(room, "It is blue.")
    last = await ana.say(room, "And green inside.")
    waiting = (await desk.state(ana, room))["mail"]
    assert (waiting["state"], waiting["address"]) == ("waiting", email)
    assert waiting["seq"] == last["seq"]
    mail = await desk.mail_to(email)
    for said in ("It is blue.", "And green inside.", ana.name, "Shop", "shop.example"):
        assert said in mail.text
        assert said in mail.html
    # Of what the visitor has written there is nothing: the address may be somebody else's.
    assert "evil" not in mail.message.as_string()
    sent = await desk.stands(ana, room, "sent")
    assert (sent["address"], sent["seq"]) == (email, last["seq"])
    await desk.nothing_for(email)


async def test_agents_are_told_when_it_is_sent(everywhere: MailDesk) -> None:
    desk = everywhere
    room, email = await desk.asked()
    ana, bea = await desk.agent(), await desk.agent("bea", there=True)
    await ana.say(room, "It is.")
    await bea.find(is_activity(room))
    before = len(bea.frames)
    await desk.mail_to(email)
    await desk.stands(ana, room, "sent")
    deadline = time.monotonic() + 10
    while not any(is_activity(room)(frame) for frame in bea.frames[before:]):
        assert time.monotonic() < deadline, "nobody has told the agents"
        await asyncio.sleep(0.05)


async def test_the_visitor_is_told_nothing_of_it(desk: MailDesk) -> None:
    room, email = await desk.asked()
    ana = await desk.agent()
    await ana.say(room, "It is.")
    await desk.mail_to(email)
    await desk.stands(ana, room, "sent")
    visitor = await desk.visitor()
    result = await visitor.subscribe(room)
    assert result["conversation"]["mail"] is None


async def test_what_he_reads_is_not_mailed(desk: MailDesk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "Is it blue?")
    email = desk.leaves(new_address())
    answer = await ana.say(room, "It is.")
    await visitor.cmd("read.mark", room=room, seq=answer["seq"])
    await desk.nothing_for(email)
    assert (await desk.state(ana, room))["mail"] is None
    # The agenda is empty again, and not only put off.
    told = desk.shell(f"print(Conversation.objects.get(room__slug={room!r}).mail_at)")
    assert told.strip().splitlines()[-1] == "None"


async def test_who_is_connected_and_does_not_read_is_mailed(desk: MailDesk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "Is it blue?")
    await visitor.subscribe(room)
    email = desk.leaves(new_address())
    await ana.say(room, "It is.")
    assert "It is." in (await desk.mail_to(email)).text


async def test_an_address_that_is_left_after_the_answer_gets_it(desk: MailDesk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "Is it blue?")
    await ana.say(room, "It is.")
    # Nobody to mail it to: the agenda forgets it.
    await asyncio.sleep(3)
    assert (await desk.state(ana, room))["mail"] is None
    email = desk.leaves(new_address())
    assert "It is." in (await desk.mail_to(email)).text


async def test_while_answers_come_one_waits_but_not_for_ever(desk: MailDesk) -> None:
    room, email = await desk.asked()
    ana = await desk.agent()
    began = time.monotonic()
    said = 0
    while not [mail for mail in desk.post.mails if email in mail.to]:
        assert time.monotonic() - began < 10, "it waits for ever"
        said += 1
        await ana.say(room, f"answer {said}.")
        await asyncio.sleep(0.4)
    took = time.monotonic() - began
    # Quiet is a second here, the latest three.
    assert took > 2.5
    first = await desk.mail_to(email)
    assert "answer 1." in first.text
    assert "answer 4." in first.text
    # What came since has a mail of its own, with nothing of the first in it.
    await ana.say(room, "The last.")
    second = await desk.mail_to(email)
    assert "The last." in second.text
    assert "answer 1." not in second.text


async def test_as_it_is_now_without_what_was_deleted_and_without_notes(desk: MailDesk) -> None:
    room, email = await desk.asked()
    ana = await desk.agent()
    notes = (await desk.state(ana, room))["notes"]
    gone = await ana.say(room, "A mistake.")
    kept = await ana.say(room, "It is bleu.")
    await ana.say(notes, "A difficult customer.")
    await ana.cmd("message.delete", room=room, seq=gone["seq"])
    await ana.cmd("message.edit", room=room, seq=kept["seq"], text="It is blue.")
    mail = await desk.mail_to(email)
    assert "It is blue." in mail.text
    whole = mail.text + mail.html
    for absent in ("mistake", "bleu", "difficult"):
        assert absent not in whole


async def test_what_was_deleted_before_it_is_due_is_not_mailed(desk: MailDesk) -> None:
    room, email = await desk.asked()
    ana = await desk.agent()
    gone = await ana.say(room, "A mistake.")
    await ana.cmd("message.delete", room=room, seq=gone["seq"])
    await desk.nothing_for(email)


async def test_in_his_language_and_by_his_clock(desk: MailDesk) -> None:
    room, email = await desk.asked()
    desk.introduced(token=desk.tokens[0], language="es-MX", time_zone="Pacific/Auckland")
    ana = await desk.agent()
    await ana.say(room, "Sí, es azul.")
    mail = await desk.mail_to(email)
    assert "Tiene una respuesta de Shop en shop.example." in mail.text
    assert "No fui yo, o no quiero más correos" in mail.html
    assert mail.message["Subject"] == f"Respuesta de {ana.name} · Shop"
    assert re.search(r"\d{1,2} de \w+ de 20\d\d, \d\d:\d\d \(Pacific/Auckland\)", mail.text)
    assert '<html lang="es">' in mail.html


async def test_the_headers_say_what_it_is_and_cannot_be_written_into(desk: MailDesk) -> None:
    desk.shell("inbox.name = 'Shop\\r\\nBcc: eve@example.org\\r\\n\\r\\nx'; inbox.save()")
    room, email = await desk.asked()
    ana = await desk.agent()
    await ana.say(room, "It is.\r\nBcc: eve@example.org\r\n.\r\nMAIL FROM:<eve@example.org>")
    mail = await desk.mail_to(email)
    head = mail.message
    assert mail.to == [email]
    assert head["Bcc"] is None
    assert head["To"] == email
    assert head["Auto-Submitted"] == "auto-generated"
    assert head["From"].endswith("<chat@example.org>")
    assert head["From"].startswith('"Shop Bcc: eve@example.org')
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    _back, out = links_in(mail)
    assert head["List-Unsubscribe"].strip() == f"<{out}>"


async def test_what_is_long_is_cut_and_said_to_be(desk: MailDesk) -> None:
    room, email = await desk.asked()
    ana = await desk.agent()
    await ana.say(room, "a" * 2_500)
    for number in range(12):
        await ana.say(room, f"answer {number}. " + "b" * 600)
    mail = await desk.mail_to(email)
    assert "a" * 2_000 in mail.text
    assert "a" * 2_001 not in mail.text
    assert mail.text.count("… more in the conversation") == 2
    assert "answer 0." in mail.text
    assert "answer 11." not in mail.text
    assert len(mail.text) < 10_000
    # All of it has been mailed, or is in the conversation.
    await desk.nothing_for(email)


def test_a_look_at_the_agenda_reads_its_index_alone(mailing: Server) -> None:
    told = mailing.shell(
        "from tertulia.support.models import Conversation\n"
        "standing = Conversation.objects.filter(mail_at__isnull=False).order_by('mail_at')\n"
        "print(standing.values_list('pk', 'mail_at')[:20].explain())"
    )
    (plan,) = told.strip().splitlines()[-1:]
    assert "COVERING INDEX tertulia_support_mail" in plan


async def test_what_an_agent_has_formatted_is_formatted(desk: MailDesk) -> None:
    room, email = await desk.asked()
    ana = await desk.agent()
    await ana.say(room, "**Yes**, [here](https://example.org/blue)\nor there")
    mail = await desk.mail_to(email)
    assert "**Yes**, [here](https://example.org/blue)\nor there" in mail.text
    assert "<strong>Yes</strong>, <a " in mail.html
    assert 'href="https://example.org/blue"' in mail.html
    assert "<br>" in mail.html


async def test_text_is_text_and_no_markup(desk: MailDesk) -> None:
    room, email = await desk.asked()
    ana = await desk.agent()
    await ana.say(room, "<img src=x onerror=alert(1)> & \u202e<b>blue</b>")
    mail = await desk.mail_to(email)
    assert "<img src=x onerror=alert(1)> & <b>blue</b>" in mail.text
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;blue&lt;/b&gt;" in mail.html
    assert "<img" not in mail.html


JUST_THEN = """
import threading, time
from django.db import transaction
from tertulia.chat.encode import now
from tertulia.support.mailing.arming import has_address
conversation = Conversation.objects.get(room__slug={room!r})
mine = Conversation.objects.filter(pk=conversation.pk)
mine.update(mail_at=now(), answered_seq=1)
def leave():
    Visitor.objects.filter(pk=conversation.client_id).update(email="ana@example.org")
    has_address(Visitor.objects.get(pk=conversation.client_id))
with transaction.atomic():
    # As the agenda does, which has seen no address.
    mine.update(mail_tries=1)
    leaving = threading.Thread(target=leave)
    leaving.start()
    time.sleep(0.5)
    mine.update(mail_at=None, mail_tries=0)
leaving.join()
print(mine.get().mail_at is not None)
mine.update(mail_at=None)
"""


async def test_an_address_that_is_left_while_the_agenda_looks_is_not_missed(
    everywhere: MailDesk,
) -> None:
    desk = everywhere
    visitor = await desk.visitor()
    room = await desk.conversation(visitor, "hello")
    told = await asyncio.to_thread(desk.shell, JUST_THEN.format(room=room))
    assert told.strip().splitlines()[-1] == "True"
