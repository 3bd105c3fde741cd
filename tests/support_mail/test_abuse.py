"""Anybody can leave somebody else's address: how much comes there, and how its owner ends it."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from tests.support.browser import Answer

from .mails import SITE, MailDesk, links_in, new_address, token_of

# What was sent so far is an hour older.
AGE = """
from datetime import timedelta
from django.db.models import F
SentMail.objects.filter(address={email!r}).update(at=F("at") - timedelta(hours={hours}))
"""

# An inbox has sent as much as it may.
MANY = """
from django.utils import timezone
who, now = Conversation.objects.get(room__slug={room!r}).client, timezone.now()
SentMail.objects.bulk_create(
    SentMail(inbox=inbox, visitor=who, address=f"{{n}}@example.org", at=now) for n in range(1_000)
)
"""


def out(desk: MailDesk, link: str, method: str = "GET", **form: str) -> Answer:
    """The page of the way out, or what its button does; without any cookie or token."""
    path = urlsplit(link).path
    if method == "GET":
        return desk.browser.get(path)
    return desk.browser.request("POST", path, form=form, headers={"Origin": "https://mail.example"})


async def test_an_address_gets_three_mails_a_day_whoever_has_left_it(desk: MailDesk) -> None:
    ana = await desk.agent()
    email = new_address()
    rooms = []
    for number in range(3):
        # However it is written.
        room, _ = await desk.asked(number=number, email=email.upper() if number else email)
        rooms.append(room)
        await ana.say(room, f"answer {number}.")
        await desk.stands(ana, room, "sent")
    # Whoever typed it looks in, which says nothing about whose address it is.
    desk.introduced(token=desk.tokens[0])
    desk.post.mails[:] = [
        mail for mail in desk.post.mails if email not in (to.lower() for to in mail.to)
    ]
    await ana.say(rooms[0], "One more.")
    await desk.nothing_for(email)
    assert (await desk.state(ana, rooms[0]))["mail"]["state"] == "waiting"
    # A day later there may be more.
    desk.shell(AGE.format(email=email, hours=25))
    assert "One more." in (await desk.mail_to(email)).text


async def test_who_comes_back_by_a_mail_is_mailed_again(desk: MailDesk) -> None:
    ana = await desk.agent()
    room, email = await desk.asked()
    for number in range(5):
        await ana.say(room, f"answer {number}.")
        link, _ = links_in(await desk.mail_to(email))
        await desk.stands(ana, room, "sent")
        if number == 0:
            # It was his own: from here on his visits count.
            desk.introduced(link=token_of(link))
        else:
            desk.introduced(token=desk.tokens[0])


async def test_another_address_is_not_proved_by_the_one_before(desk: MailDesk) -> None:
    ana = await desk.agent()
    room, email = await desk.asked()
    await ana.say(room, "It is.")
    link, _ = links_in(await desk.mail_to(email))
    other = desk.leaves(new_address())
    # The link was mailed to the first; and leaving a second takes the proof away.
    desk.introduced(link=token_of(link))
    proved = f"print(Visitor.objects.get(email={other!r}).email_proved)"
    assert desk.shell(proved).strip().splitlines()[-1] == "False"


async def test_an_address_of_ones_own_frees_no_other_from_the_limit(desk: MailDesk) -> None:
    ana = await desk.agent()
    room, mine = await desk.asked()
    await ana.say(room, "It is.")
    link, _ = links_in(await desk.mail_to(mine))
    another = desk.leaves(new_address())
    for number in range(3):
        await ana.say(room, f"answer {number}.")
        await desk.stands(ana, room, "sent")
        await desk.mail_to(another)
    desk.post.mails.clear()
    # He proves his own once more; what went to the other is not followed by that.
    desk.leaves(mine)
    desk.introduced(link=token_of(link))
    second, _ = await desk.asked(number=1, email=another)
    await ana.say(second, "One more.")
    await desk.nothing_for(another)


async def test_an_inbox_sends_so_many_a_day(desk: MailDesk) -> None:
    room, email = await desk.asked()
    ana = await desk.agent()
    desk.shell(MANY.format(room=room))
    await ana.say(room, "It is.")
    await desk.nothing_for(email)
    assert (await desk.state(ana, room))["mail"]["state"] == "waiting"
    desk.shell("SentMail.objects.filter(inbox=inbox).delete()")
    assert "It is." in (await desk.mail_to(email)).text


class TestNoMoreMails:
    """The second link of a mail."""

    async def test_looking_does_nothing_and_the_button_ends_it(self, desk: MailDesk) -> None:
        room, email = await desk.asked()
        ana = await desk.agent()
        await ana.say(room, "It is.")
        _back, link = links_in(await desk.mail_to(email))
        page = out(desk, link)
        assert page.status == 200
        assert "Send me no more mails" in page.text
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "script-src" not in page.headers["content-security-policy"]
        assert desk.introduced(token=desk.tokens[0])["email"] == email
        done = out(desk, link, "POST")
        assert done.status == 200
        assert "has been forgotten" in done.text
        assert desk.introduced(token=desk.tokens[0])["email"] == ""
        got = await ana.cmd("conversation.get", room=room)
        assert got["visitor"]["email"] == ""
        assert got["conversation"]["mail"]["address"] == ""
        await ana.say(room, "Are you there?")
        await desk.nothing_for(email)

    async def test_a_mail_program_ends_it_with_one_press(self, desk: MailDesk) -> None:
        room, email = await desk.asked()
        ana = await desk.agent()
        await ana.say(room, "It is.")
        mail = await desk.mail_to(email)
        link = mail.message["List-Unsubscribe"].strip(" <>")
        pressed = out(desk, link, "POST", **{"List-Unsubscribe": "One-Click"})
        assert pressed.status == 200
        assert desk.introduced(token=desk.tokens[0])["email"] == ""

    async def test_it_is_forgotten_where_its_visitor_has_left_another_since(
        self, everywhere: MailDesk
    ) -> None:
        """With everybody else who has left it, however it was written; his new one is kept."""
        desk = everywhere
        rooms = []
        ana, old = await desk.agent(), new_address()
        for number, written in enumerate((old, old.upper())):
            room, _ = await desk.asked(number=number, email=written)
            rooms.append(room)
            await ana.say(room, "It is.")
            await desk.stands(ana, room, "sent")
        _back, link = links_in(await desk.mail_to(old))
        new = desk.leaves(new_address())
        assert "has been forgotten" in out(desk, link, "POST").text
        assert desk.introduced(token=desk.tokens[0])["email"] == new
        assert desk.introduced(token=desk.tokens[1])["email"] == ""
        for room in rooms:
            assert (await desk.state(ana, room))["mail"]["address"] == ""
        found = await ana.cmd("conversation.search", query=old)
        assert found["results"] == []
        await ana.say(rooms[0], "Are you there?")
        assert "Are you there?" in (await desk.mail_to(new)).text

    async def test_nobody_brings_the_mails_back_but_who_has_the_link(self, desk: MailDesk) -> None:
        room, email = await desk.asked()
        ana = await desk.agent()
        await ana.say(room, "It is.")
        _back, link = links_in(await desk.mail_to(email))
        out(desk, link, "POST")
        for number, written in ((0, email), (1, email.upper())):
            answer = desk.ask("address", token=desk.tokens[number], email=written)
            assert answer.status == 403
            assert "wants no mails" in json.loads(answer.body)["error"]["detail"]
        # Another inbox has not been asked to be quiet.
        told = desk.shell("print(NoMail.objects.filter(inbox=other).count())")
        assert told.strip().splitlines()[-1] == "0"
        again = out(desk, link, "POST", again="1")
        assert "Mails are possible again" in again.text
        desk.leaves(email)
        await ana.say(room, "Are you there?")
        assert "Are you there?" in (await desk.mail_to(email)).text

    @pytest.mark.parametrize("token", ["made-up", "a:b:c", "x" * 3_000])
    async def test_a_link_that_is_none_does_nothing(self, desk: MailDesk, token: str) -> None:
        link = f"/support/-/no-mail/{token}/"
        assert out(desk, link).status == 404
        assert out(desk, link, "POST").status == 404

    async def test_the_way_back_is_not_the_way_out(self, desk: MailDesk) -> None:
        room, email = await desk.asked()
        ana = await desk.agent()
        await ana.say(room, "It is.")
        back, link = links_in(await desk.mail_to(email))
        assert out(desk, f"/support/-/no-mail/{token_of(back)}/", "POST").status == 404
        token = urlsplit(link).path.rstrip("/").rpartition("/")[2]
        assert desk.ask("visitor", link=token).status == 401

    async def test_it_speaks_his_language(self, desk: MailDesk) -> None:
        room, email = await desk.asked()
        desk.introduced(token=desk.tokens[0], language="es")
        ana = await desk.agent()
        await ana.say(room, "Sí.")
        _back, link = links_in(await desk.mail_to(email))
        page = out(desk, link)
        assert page.headers["content-language"] == "es"
        assert "No me envíen más correos" in page.text

    async def test_its_token_is_in_no_log(self, desk: MailDesk) -> None:
        room, email = await desk.asked()
        ana = await desk.agent()
        await ana.say(room, "It is.")
        back, link = links_in(await desk.mail_to(email))
        out(desk, link)
        log = desk.installation.here.tail(limit=1_000_000)
        assert urlsplit(link).path.rstrip("/").rpartition("/")[2] not in log
        assert token_of(back) not in log
        assert SITE + "/cart#" not in log
