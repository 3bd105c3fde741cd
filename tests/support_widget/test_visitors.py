"""How visitors get their token, by themselves or by a site's signature."""

from __future__ import annotations

import json
import time

import pytest

from tertulia.testing.client import Client, new_key
from tertulia.testing.server import Server
from tests.support.desk import Inbox

from .conftest import SITE, Asking, identity


def test_a_token_makes_the_same_visitor_again(shop: Asking) -> None:
    first = shop.introduced()
    again = shop.introduced(token=first["token"])
    assert again["me"] == first["me"]
    assert first["me"]["kind"] == "visitor"
    assert first["keep"] is again["keep"] is True
    assert shop.introduced()["me"]["id"] != first["me"]["id"]


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "WyJhIl0:1:2", "\u0000", "é" * 1000])
def test_a_token_that_is_none_makes_somebody_new(shop: Asking, token: str) -> None:
    assert shop.introduced(token=token)["me"]["kind"] == "visitor"


def test_a_token_is_good_in_its_own_inbox_only(shop: Asking, embedded: Server) -> None:
    first = shop.introduced()
    other = Asking(Inbox(embedded, "Another", sites=[SITE]))
    assert other.introduced(token=first["token"])["me"]["id"] != first["me"]["id"]
    fields = {"token": first["token"], "email": "ana@example.org"}
    assert other.post("address/", fields).status == 401


def test_who_is_signed_by_the_site_is_the_same_everywhere(shop: Asking, inbox: Inbox) -> None:
    signed = identity(inbox.secret, id="c-1", name="Ana López", email="ana@example.org")
    first, again = shop.introduced(identity=signed), shop.introduced(identity=signed)
    assert first["me"]["id"] == again["me"]["id"]
    assert first["me"]["name"] == "Ana López"
    assert first["email"] == "ana@example.org"
    # Nothing of him is to stay on the device.
    assert first["keep"] is None
    assert (
        shop.introduced(identity=identity(inbox.secret, id="c-2"))["me"]["id"] != first["me"]["id"]
    )


def test_his_token_does_not_make_him_signed_for_longer(shop: Asking, inbox: Inbox) -> None:
    token = shop.introduced(identity=identity(inbox.secret, id="c-9"))["token"]
    # A new one would say that it was made a second later.
    time.sleep(1.1)
    assert shop.introduced(token=token)["token"] == token


def test_who_wrote_before_he_signed_in_stays_the_same_and_leaves_the_device(
    shop: Asking, inbox: Inbox
) -> None:
    before = shop.introduced()
    signed = identity(inbox.secret, id="c-3", name="Berta")
    after = shop.introduced(token=before["token"], identity=signed)
    assert after["me"]["id"] == before["me"]["id"]
    assert after["keep"] is False
    # On a second device somebody wrote who has been here before: that stays apart.
    other = shop.introduced()
    again = shop.introduced(token=other["token"], identity=signed)
    assert again["me"]["id"] == before["me"]["id"]
    assert again["keep"] is None


@pytest.mark.parametrize("fault", ["secret", "expired", "far ahead", "cut", "changed"])
def test_a_signature_that_is_not_good_is_refused(shop: Asking, inbox: Inbox, fault: str) -> None:
    good = identity(inbox.secret, id="c-4")
    bad = {
        "secret": identity("another", id="c-4"),
        "expired": identity(inbox.secret, time.time() - 1, id="c-4"),
        "far ahead": identity(inbox.secret, time.time() + 3 * 86_400, id="c-4"),
        "cut": good[:-1],
        "changed": "A" + good,
    }
    answer = shop.post("visitor/", {"identity": bad[fault]})
    assert answer.status == 401
    assert json.loads(answer.body)["error"]["code"] == "unauthenticated"


@pytest.mark.parametrize("body", ["", "[]", "{", '{"token": 1}', '{"token": ["a"]}', "x" * 9000])
def test_what_is_no_introduction_is_refused(shop: Asking, body: str) -> None:
    assert shop.post("visitor/", body).status in (400, 413)


def test_an_address_is_kept_for_the_agents(shop: Asking) -> None:
    token = shop.introduced()["token"]
    for wrong in (
        "",
        "ana",
        "ana@",
        "a b@example.org",
        "a" * 250 + "@example.org",
        "a\n@b.example",
    ):
        answer = shop.post("address/", {"token": token, "email": wrong})
        assert answer.status == 400, wrong
        assert json.loads(answer.body)["error"]["field"] == "email"
    answer = shop.post("address/", {"token": token, "email": " ana@example.org "})
    assert json.loads(answer.body) == {"email": "ana@example.org"}
    assert shop.introduced(token=token)["email"] == "ana@example.org"


async def test_unread_is_what_the_agents_said_since(shop: Asking, inbox: Inbox) -> None:
    told = shop.introduced()

    def unread(shown: str = told["token"]) -> int:
        count: int = json.loads(shop.post("unread/", shown).body)["unread"]
        return count

    assert unread() == unread("nobody") == 0
    ((name, token),) = inbox.server.people(1)
    inbox.employ(name)
    visitor = await Client.connect(inbox.server.ws, auth=told["token"])
    agent = await Client.connect(inbox.server.ws, token=token)
    key = "00000000-0000-4000-8000-000000000001"
    room = (await visitor.cmd("conversation.open", key=key))["room"]
    await visitor.say(room, "Hello")
    assert unread() == 0
    for text in ("Hi", "How can I help?"):
        seq = (await agent.say(room, text))["seq"]
    assert unread() == 2
    await visitor.cmd("read.mark", room=room, seq=seq)
    assert unread() == 0
    await visitor.close()
    await agent.close()


def test_who_is_signed_is_told_of_answers_without_a_token(shop: Asking, inbox: Inbox) -> None:
    signed = identity(inbox.secret, id="c-5")
    # Asking makes nobody.
    assert json.loads(shop.post("unread/", signed).body) == {"unread": 0}
    assert shop.introduced(identity=signed)["me"]["id"]
    assert json.loads(shop.post("unread/", signed).body) == {"unread": 0}


def test_only_an_agents_picture_is_shown(shop: Asking) -> None:
    assert shop.get("picture/nobody.webp").status == 404


PICTURED = """
import io, json
from PIL import Image
from tertulia.chat.models import Participant
from tertulia.chat.profile.change import set_picture
from tertulia.chat.profile.pictures import portrait
file = io.BytesIO()
Image.new("RGB", (64, 64), (120, 60, 40)).save(file, "PNG")
file.seek(0)
stems = []
for name in {names!r}:
    person = Participant.objects.get(name=name)
    set_picture(person, portrait(file))
    stems.append(person.picture.rpartition("/")[2].removesuffix(".webp"))
print(json.dumps(stems))
"""


async def test_who_answers_in_another_inbox_is_seen_by_whom_he_answers(
    embedded: Server,
) -> None:
    shop = Asking(Inbox(embedded, "Before", sites=[SITE]))
    after = Inbox(embedded, "After", sites=[SITE])
    people = embedded.people(3)
    (bea, bea_token), (ana, ana_token), (stranger, _) = people
    shop.inbox.employ(bea)
    after.employ(ana)
    told = embedded.shell(PICTURED.format(names=[bea, ana, stranger]))
    pictures = [f"picture/{stem}.webp" for stem in json.loads(told.strip().splitlines()[-1])]
    assert [shop.get(path).status for path in pictures] == [200, 404, 404]

    visitor = await Client.connect(embedded.ws, auth=shop.introduced()["token"])
    room = (await visitor.cmd("conversation.open", key=new_key()))["room"]
    first = await Client.connect(embedded.ws, token=bea_token)
    await first.cmd("conversation.transfer", room=room, inbox=after.id)
    assert [shop.get(path).status for path in pictures] == [200, 200, 404]
    second = await Client.connect(embedded.ws, token=ana_token)
    await visitor.say(room, "hello")
    await second.say(room, "What can I do?")
    # He has answered, and is seen beside that when he works here no longer.
    after.dismiss(ana)
    assert [shop.get(path).status for path in pictures] == [200, 200, 404]
    for client in (visitor, first, second):
        await client.close()
