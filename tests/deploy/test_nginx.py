"""What is nginx' own: times, reloads, its log, several machines."""

from __future__ import annotations

import http.client
import re
import signal

from tertulia.testing.client import Client
from tertulia.testing.processes import children, wait_for

from .conftest import Site
from .fronts import HOST, Nginx

WS = f"wss://{HOST}"


def test_the_site_as_it_stands_is_accepted(nginx: Nginx) -> None:
    assert "test is successful" in nginx.check()


async def test_a_silent_socket_outlives_nginx_patience(site: Site, nginx: Nginx) -> None:
    """The server speaks every `heartbeat` seconds, and gives a silent client up after two."""
    token = site.token()
    async with await Client.connect(WS, token=token, **nginx.way) as client:
        heartbeat = client.welcome["heartbeat"]
    assert nginx.seconds("proxy_read_timeout") > 2 * heartbeat
    assert nginx.seconds("proxy_send_timeout") > 2 * heartbeat


async def test_a_reload_cuts_nobody_off(site: Site, nginx: Nginx) -> None:
    assert nginx.process
    token = site.token()
    before = children(nginx.process.pid)
    async with await Client.connect(WS, token=token, **nginx.way) as old:
        room = await old.create("Before and after")
        await old.subscribe(room)
        nginx.process.send(signal.SIGHUP)
        wait_for(
            lambda: nginx.process and set(children(nginx.process.pid)) - set(before),
            10,
            "a new process of nginx",
        )
        async with await Client.connect(WS, token=token, **nginx.way) as new:
            await new.say(room, "after")
        await old.reached(room, 2)


def test_links_that_admit_are_in_no_log(nginx: Nginx) -> None:
    browser = nginx.browser()
    secrets = [
        "/accounts/setup/a-secret/",
        "/accounts/reset/MQ/a-secret/",
        "/chat/-/invitation/a-secret/",
        "/accounts/signup/?invite=a-secret",
    ]
    for path in secrets:
        browser.get(path, follow=False)
    come_from = {"Referer": f"https://{HOST}/accounts/setup/a-secret/"}
    browser.get("/static/tertulia/icon.svg", headers=come_from)
    # Typed without https, it is led there.
    plain = http.client.HTTPConnection("127.0.0.1", nginx.plain, timeout=20)
    plain.request("GET", secrets[0], headers={"Host": HOST})
    answer = plain.getresponse()
    assert (answer.status, answer.getheader("Location")) == (301, f"https://{HOST}{secrets[0]}")
    answer.read()
    plain.close()
    browser.get("/healthz?the-last")
    wait_for(lambda: "the-last" in nginx.logs(), 5, "requests are logged")
    assert "a-secret" not in nginx.logs()


def test_several_machines_stand_in_the_example(nginx: Nginx) -> None:
    """The lines that are commented out there are right ones."""
    site = nginx.SITE.read_text()
    several = re.sub(r"# (server 10\.)", r"\1", site)
    assert several.count("\n    server 10.") == 2
    try:
        nginx.write(several)
        nginx.check()
    finally:
        nginx.write(site)


def test_certbot_finds_its_proofs(nginx: Nginx) -> None:
    folder = nginx.folder / "www" / ".well-known" / "acme-challenge"
    folder.mkdir(parents=True)
    (folder / "proof").write_text("it is mine")
    connection = http.client.HTTPConnection("127.0.0.1", nginx.plain, timeout=20)
    connection.request("GET", "/.well-known/acme-challenge/proof", headers={"Host": HOST})
    assert connection.getresponse().read() == b"it is mine"
    connection.close()
