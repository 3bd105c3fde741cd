"""A connect token is worth nothing alone, and void with everything else when access ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator

import pytest

from tertulia.testing.client import Client, Closed, Refused
from tertulia.testing.installation import Installation
from tests.support.traced import How, Traced, is_nobody, showing

from .web import Visitor, sessions

PATIENCE = 8.0
MAKE = """
import json, time
from django.conf import settings
from tertulia.chat.connecting import token
from tertulia.chat.models import AccessChange, Installation, Participant
from tertulia.chat.people import digest_of, speaker_of
from tertulia.chat.validity import last_change
speaker = speaker_of(Participant.objects.get(user__username={name!r}))
shown = token.Credential.of_token(digest_of({bearer!r}))
epoch = Installation.objects.get().epoch
good = dict(epoch=epoch, mark=last_change(), now=time.time())
def make(credential=shown, **other):
    return token.make(speaker, credential, **(good | other))
made = {{
    "good": make(),
    "a slow clock": make(now=time.time() - 20),
    "expired": make(now=time.time() - token.LIFETIME - 2),
    "from the future": make(now=time.time() + 3600),
    "of another installation": make(epoch="0" * 16),
    "for another token": make(token.Credential.of_token("0" * 64)),
    "for a session": make(token.Credential.of_session({bearer!r})),
    "after too many returns": make(token.Credential(shown.shown, 8)),
    "older than anything known": make(mark=-1),
}}
settings.SECRET_KEY = "another key, as long as such a key has to be to be one"
made["signed with another key"] = make()
print(json.dumps(made))
"""
REFUSED = [
    "expired",
    "from the future",
    "of another installation",
    "for another token",
    "for a session",
    "after too many returns",
    "older than anything known",
    "signed with another key",
]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    made = Traced(tmp_path_factory.mktemp("trace"))
    yield made
    made.server.remove()


# What it is worth nothing for


async def test_alone_it_is_nobody(traced: Traced) -> None:
    _, session, cookie = traced.browser()
    token = await traced.token(**cookie)
    await is_nobody(traced.server, **showing(token))
    await is_nobody(traced.server, origin=traced.server.url, **showing(token))
    # Without an Origin a cookie does not count, and so neither does what was made for it.
    await is_nobody(traced.server, cookie=f"sessionid={session}", **showing(token))
    await is_nobody(traced.server, auth=token, **showing(token))


async def test_beside_another_credential_it_does_not_count(traced: Traced) -> None:
    ana, session, cookie = traced.browser()
    token = await traced.token(**cookie)
    bea, _, other = traced.browser()
    again = sessions(traced.server, {ana: 1})[ana][0]
    for how, who in ((other, bea), (traced.by_cookie(again), ana)):
        assert await traced.asked(**how, **showing(token)) != []
        async with await Client.connect(traced.server.ws, **how, **showing(token)) as client:
            assert client.name == who
    await is_nobody(traced.server, cookie="sessionid=" + session[::-1], origin=traced.server.url,
                           **showing(token))  # fmt: skip


@pytest.fixture(scope="module")
def made(traced: Traced) -> tuple[How, dict[str, str]]:
    """Somebody's bearer token, and connect tokens as one with the secret key could make them."""
    name, bearer = traced.person()
    printed = traced.server.shell(MAKE.format(name=name, bearer=bearer["token"]))
    return bearer, json.loads(printed.strip().splitlines()[-1])


@pytest.mark.parametrize("which", ["good", "a slow clock"])
async def test_one_that_was_made_elsewhere_counts(
    traced: Traced, made: tuple[How, dict[str, str]], which: str
) -> None:
    bearer, tokens = made
    assert await traced.asked(**bearer, **showing(tokens[which])) == []


async def test_a_token_that_came_of_a_token_alone_lasts_no_longer_than_the_first(
    traced: Traced,
) -> None:
    """Else a session that was deleted in the database could be used for ever, by coming back."""
    name, bearer = traced.person()
    script = MAKE.replace("time.time() - 20", "time.time() - token.LIFETIME + 10")
    printed = traced.server.shell(script.format(name=name, bearer=bearer["token"]))
    old = json.loads(printed.strip().splitlines()[-1])["a slow clock"]
    # Said in the same breath as the welcome, before the database is asked.
    second = await traced.token(before=old, **bearer)
    assert second != old
    assert await traced.asked(**bearer, **showing(second)) == []
    await asyncio.sleep(12)
    assert await traced.asked(**bearer, **showing(second)) != []


@pytest.mark.parametrize("which", REFUSED)
async def test_it_does_not_count(
    traced: Traced, made: tuple[How, dict[str, str]], which: str
) -> None:
    bearer, tokens = made
    assert await traced.asked(**bearer, **showing(tokens[which])) != []


async def test_one_that_was_tampered_with_does_not_count(
    traced: Traced, made: tuple[How, dict[str, str]]
) -> None:
    bearer, tokens = made
    good = tokens["good"]
    changed = [
        good[:10] + ("A" if good[10] != "A" else "B") + good[11:],
        good[:40] + ("A" if good[40] != "A" else "B") + good[41:],
        good[:-4],
        "A" * len(good),
        "A" * 6_000,
        "A",
    ]
    for token in changed:
        async with await Client.connect(traced.server.ws, **bearer, **showing(token)) as client:
            assert client.welcome["connect"]
    assert await traced.asked(**bearer, **showing(changed[0])) != []
    async with await Client.connect(traced.server.ws, welcome=False) as client:
        await client.send({"type": "auth", "token": bearer["token"], "connect": "né☃"})
        assert (await client.expect("welcome"))["connect"]


# What ends it


async def test_it_is_void_with_the_sign_out(traced: Traced) -> None:
    _, session, cookie = traced.browser()
    token = await traced.token(**cookie)
    with Visitor(traced.server, session) as visitor:
        assert visitor.ask("POST", "/accounts/logout/").status == 302
    await is_nobody(traced.server, **cookie, **showing(token))


ENDINGS = [
    "user.set_password('quite another word'); user.save()",
    "user.is_active = False; user.save()",
    "user.delete()",
]


@pytest.mark.parametrize("while_down", [False, True], ids=["running", "while it was down"])
async def test_it_is_void_with_password_activity_and_account(
    traced: Traced, *, while_down: bool
) -> None:
    """Ended in another process, and told by nobody but the database."""
    ended = []
    code = "from django.contrib.auth import get_user_model as g"
    for ending in ENDINGS:
        name, _, cookie = traced.browser()
        ended.append({**cookie, **showing(await traced.token(**cookie))})
        code += f"; user = g().objects.get(username={name!r}); {ending}"
    if while_down:
        traced.server.kill9()
    await asyncio.to_thread(traced.server.shell, code)
    if while_down:
        await asyncio.to_thread(traced.server.start)
    else:
        await asyncio.sleep(2)  # within which it is to be known everywhere
    for how in ended:
        await is_nobody(traced.server, **how)


async def test_for_a_bearer_it_is_void_with_the_bearer_token(traced: Traced) -> None:
    name, bearer = traced.person()
    token = await traced.token(**bearer)
    code = "from tertulia.chat.models import Token; "
    code += f"[row.delete() for row in Token.objects.filter(participant__name={name!r})]"
    await asyncio.to_thread(traced.server.shell, code)
    await asyncio.sleep(2)
    await is_nobody(traced.server, **bearer, **showing(token))


async def test_a_new_epoch_ends_it(traced: Traced) -> None:
    _, bearer = traced.person()
    async with await Client.connect(traced.server.ws, **bearer, **showing("")) as client:
        token = client.welcome["connect"]
        code = "from tertulia.chat.models import Installation, new_epoch; "
        code += "Installation.objects.update(epoch=new_epoch())"
        await asyncio.to_thread(traced.server.shell, code)
        assert (await client.closing(PATIENCE)).code == 1012
    assert await traced.asked(**bearer, **showing(token)) != []


async def test_it_counts_in_every_process_and_is_void_in_every_one(
    installation: Installation,
) -> None:
    """Made at one process and shown at another. One that counts knows the name from before it was
    changed in the database, where no process hears of it; who is asked about has the new one."""
    here, there = installation.here, installation.there
    (name, bearer), (leaves, _) = here.people(2)
    session = sessions(here, {leaves: 1})[leaves][0]
    cookie = {"cookie": f"sessionid={session}", "origin": there.url}
    async with (
        await Client.connect(here.ws, token=bearer, **showing("")) as client,
        await Client.connect(there.ws, **cookie, **showing("")) as leaving,
    ):
        token, other = client.welcome["connect"], leaving.welcome["connect"]
    code = "from tertulia.chat.models import Participant; "
    code += f"Participant.objects.filter(name={name!r}).update(name='changed')"
    await asyncio.to_thread(here.shell, code)
    async with await Client.connect(there.ws, token=bearer, **showing(token)) as client:
        assert client.name == name
        assert (await client.expect("person.changed", PATIENCE))["who"]["name"] == "changed"
    with Visitor(here, session) as visitor:
        assert visitor.ask("POST", "/accounts/logout/").status == 302
    await asyncio.sleep(2)
    await is_nobody(there, **cookie, **showing(other))


LASTING = """
import time
from django.contrib.auth import get_user_model
from django.db import transaction
user = get_user_model().objects.get(username={name!r})
user.set_password("quite another word")
with transaction.atomic():
    user.save()
    time.sleep(2.5)
"""


async def _changes(later: Client) -> None:
    """Of access, one after the other; on SQLite none is written while another transaction lasts."""
    while True:
        with contextlib.suppress(Refused):
            await later.create("Later")
        await asyncio.sleep(0.1)


async def test_what_is_made_while_a_sign_in_ends_is_void_when_it_has(
    installation: Installation,
) -> None:
    """Its transaction takes long, and later changes of access are committed before it."""
    here = installation.here
    (ends, _), (_, bearer) = here.people(2)
    cookie = {"cookie": f"sessionid={sessions(here, {ends: 1})[ends][0]}", "origin": here.url}
    ending = asyncio.create_task(asyncio.to_thread(here.shell, LASTING.format(name=ends)))
    made: list[str] = []
    async with await Client.connect(here.ws, token=bearer) as later:
        changing = asyncio.create_task(_changes(later))
        while not ending.done():
            with contextlib.suppress(TimeoutError, Closed):
                client = await Client.connect(here.ws, welcome=False, **cookie, **showing(""))
                async with client:
                    made.append((await client.expect("welcome", seconds=1))["connect"])
            await asyncio.sleep(0.1)
        changing.cancel()
    await ending
    await asyncio.sleep(2)
    assert len(made) > 1
    for token in made[-4:]:
        await is_nobody(here, **cookie, **showing(token))
