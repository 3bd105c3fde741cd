"""The way back from a mail into the conversation: for its visitor, and for nobody else."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from tertulia.testing.client import Client, new_key
from tests.support_widget.conftest import identity

from .mails import SITE, MailDesk, links_in, token_of

# As `links.py` makes them, at another time.
OLD = """
import time
from django.core import signing
from tertulia.support.mailing import links
real = time.time
signing.time.time = lambda: real() - {days} * 86_400
visitor = Visitor.objects.get(participant__public_id={visitor!r})
print(links.back_link("https://shop.example/", visitor, visitor.email).partition("=")[2])
"""


async def mailed(desk: MailDesk, number: int = 0) -> tuple[str, str, str]:
    """A conversation, the token of its link, and the visitor's id."""
    room, email = await desk.asked(number=number)
    ana = await desk.agent()
    await ana.say(room, "It is.")
    link, _out = links_in(await desk.mail_to(email))
    page = urlsplit(link)
    assert f"{page.scheme}://{page.netloc}{page.path}" == f"{SITE}/cart"
    return room, token_of(link), desk.introduced(token=desk.tokens[number])["me"]["id"]


async def test_a_second_device_is_the_same_visitor_by_the_link(desk: MailDesk) -> None:
    room, token, visitor = await mailed(desk)
    told = desk.introduced(link=token)
    assert told["me"]["id"] == visitor
    assert told["keep"] is True
    client = await Client.connect(desk.installation.here.ws, auth=told["token"])
    async with client:
        assert [each["room"] for each in (await client.cmd("room.list"))["rooms"]] == [room]
        said = (await client.cmd("history.list", room=room))["messages"]
        assert [message["text"] for message in said] == ["Is it blue?", "It is."]


async def test_a_device_on_which_somebody_else_has_written_stays_his(desk: MailDesk) -> None:
    """Anybody can send him a link to a conversation of his own: what is his stays his."""
    _room, token, visitor = await mailed(desk)
    other = await desk.visitor(1)
    await desk.conversation(other, "My own matter")
    told = desk.introduced(token=desk.tokens[1], link=token)
    assert told["me"]["id"] == visitor
    assert told["keep"] is None
    # One who was only given a token has nothing to lose.
    fresh = desk.introduced()["token"]
    assert desk.introduced(token=fresh, link=token)["keep"] is True


@pytest.mark.parametrize("fault", ["changed", "cut", "another salt", "old", "no link"])
async def test_a_link_that_is_not_good_leads_to_nobody(desk: MailDesk, fault: str) -> None:
    _room, token, visitor = await mailed(desk)
    printed = desk.shell(OLD.format(days=31, visitor=visitor)).strip().splitlines()
    bad = {
        "changed": f"{token[:10]}{'a' if token[10] != 'a' else 'b'}{token[11:]}",
        "cut": token[:-2],
        "another salt": desk.tokens[0],
        "old": printed[-1],
        "no link": "x" * 5_000,
    }
    answer = desk.ask("visitor", link=bad[fault])
    assert answer.status == 401
    assert "too old" in json.loads(answer.body)["error"]["detail"]


async def test_a_month_is_not_too_long(desk: MailDesk) -> None:
    _room, _token, visitor = await mailed(desk)
    printed = desk.shell(OLD.format(days=29, visitor=visitor)).strip().splitlines()
    assert desk.introduced(link=printed[-1])["me"]["id"] == visitor


async def test_a_link_of_another_inbox_leads_to_nobody(desk: MailDesk) -> None:
    _room, token, _visitor = await mailed(desk)
    assert desk.ask("visitor", inbox=desk.other, link=token).status == 401


async def test_a_link_opens_no_socket(desk: MailDesk) -> None:
    """It makes a token, at an address of the inbox, and is none."""
    _room, token, _visitor = await mailed(desk)
    client = await Client.connect(desk.installation.here.ws, welcome=False)
    await client.send({"type": "auth", "token": token})
    assert (await client.closing()).code == 4401


async def test_a_visitor_who_was_deleted_is_nobody(desk: MailDesk) -> None:
    _room, token, visitor = await mailed(desk)
    desk.shell(
        "from django.db import transaction\n"
        f"who = Visitor.objects.get(participant__public_id={visitor!r})\n"
        "with transaction.atomic():\n"
        "    Conversation.objects.filter(client=who).delete()\n"
        "    who.delete()\n"
    )
    assert desk.ask("visitor", link=token).status == 401


async def test_whom_the_site_signs_comes_back_by_the_sites_sign_in_alone(desk: MailDesk) -> None:
    _room, before, visitor = await mailed(desk)
    secret = desk.shell("print(inbox.secret)").strip().splitlines()[-1]
    signed = identity(secret, id="c-1", name="Ana López", email="ana.lopez@example.org")
    claimed = desk.introduced(token=desk.tokens[0], identity=signed)
    assert claimed["me"]["id"] == visitor
    # The link of before, when he was nobody at the site, is good no longer.
    assert desk.ask("visitor", link=before).status == 401
    ana = await desk.agent()
    client = await Client.connect(desk.installation.here.ws, auth=claimed["token"])
    room = (await client.cmd("conversation.open", key=new_key(), url=f"{SITE}/a?b=c"))["room"]
    await client.say(room, "And the price?")
    await client.close()
    await ana.say(room, "Ten.")
    mail = await desk.mail_to("ana.lopez@example.org")
    link, _out = links_in(mail)
    # Nothing but the page, which opens the widget.
    assert link == f"{SITE}/a#tertulia"
    assert "Sign in there" in mail.text


async def test_who_the_site_says_he_is_counts_more_than_a_link(desk: MailDesk) -> None:
    _room, token, visitor = await mailed(desk)
    secret = desk.shell("print(inbox.secret)").strip().splitlines()[-1]
    told = desk.introduced(identity=identity(secret, id="c-2", name="Bruno"), link=token)
    assert told["me"]["id"] != visitor
    assert told["me"]["name"] == "Bruno"


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://shop.example/a b/ü?x=1#y", f"{SITE}/a%20b/%C3%BC"),
        ("https://shop.example", f"{SITE}/"),
        ("https://evil.example/cart", f"{SITE}/"),
        ("https://shop.example.evil.example/cart", f"{SITE}/"),
        ("https://shop.example@evil.example/cart", f"{SITE}/"),
        ("https://shop.example:444/cart", f"{SITE}/"),
        ("http://shop.example/cart", f"{SITE}/"),
        ("https://shop.example//evil.example/", f"{SITE}//evil.example/"),
        ("https://shop.example/" + "a" * 600, f"{SITE}/"),
        ("https://[bad/cart", f"{SITE}/"),
        ("", f"{SITE}/"),
    ],
)
async def test_the_link_leads_to_a_page_of_the_site_and_nowhere_else(
    desk: MailDesk, url: str, page: str
) -> None:
    told = desk.shell(
        f"from tertulia.support.mailing.links import page_of\nprint(page_of(inbox, {url!r}))"
    )
    assert told.strip().splitlines()[-1] == page
