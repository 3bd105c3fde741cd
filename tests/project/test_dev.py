"""`bin/dev`: what is changed in the source is served at once, and pages hear of it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.client import open_socket
from tertulia.testing.processes import alive, descendants, free_port, wait_for
from tertulia.testing.server import clean_environment
from tests import ROOT
from tests.support.browser import Browser
from tests.support.dev import Dev, Listener

from .conftest import check_refused

BASE = "chat/templates/tertulia/base.html"
STYLE = "chat/static/tertulia/css/base.css"
MODULE = "chat/static/tertulia/page/main.js"
PYTHON = "project/health.py"
SETTINGS = "tertulia.project.dev.settings"


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    """Started once; each test leaves it serving."""
    made = Dev()
    made.start()
    yield made
    made.remove()


@pytest.fixture
def listener(dev: Dev) -> Iterator[Listener]:
    """A page that is open."""
    if not (dev.process and dev.process.running):
        dev.start()
    opened = Listener(dev)
    yield opened
    opened.close()


@pytest.fixture
def visitor(dev: Dev) -> Browser:
    return Browser(dev.url)


def test_it_says_where_it_is_and_how_to_begin(dev: Dev) -> None:
    lines = dev.tail().splitlines()
    assert lines[0] == f"Tertulia is at {dev.url}/"
    assert f"{dev.url}/accounts/setup/" in lines[1]


def test_pages_listen_under_the_sites_own_policy(dev: Dev, visitor: Browser) -> None:
    answer = visitor.get("/accounts/login/")
    assert 'src="/static/django-browser-reload/reload-listener.js"' in answer.text
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert visitor.get("/static/django-browser-reload/reload-worker.js").status == 200


def test_errors_can_be_read(visitor: Browser) -> None:
    answer = visitor.get("/no/such/page")
    assert answer.status == 404
    assert "DEBUG = True" in answer.text
    # Django's own page of errors has its style in itself.
    assert "'unsafe-inline'" in answer.headers["content-security-policy"]


async def test_a_template_is_read_anew_and_pages_reload(
    dev: Dev, listener: Listener, visitor: Browser
) -> None:
    """In the same process: the sockets stay."""
    socket = await open_socket(dev.ws + "/ws/socket/")
    version = listener.version()
    dev.change(BASE, "<body ", '<body data-changed="yes" ')
    listener.hears_of_a_change(version)
    assert 'data-changed="yes"' in visitor.get("/accounts/login/").text
    await socket.send("still here")
    assert await asyncio.wait_for(socket.recv(), 10) == "You said: still here"
    await socket.close()


@pytest.mark.parametrize("name", [STYLE, MODULE])
def test_a_style_sheet_and_a_module_are_read_anew_and_pages_reload(
    dev: Dev, listener: Listener, visitor: Browser, name: str
) -> None:
    address = "/static/" + name.partition("static/")[2]
    packed = {"Accept-Encoding": "gzip"}
    first = visitor.get(address, headers=packed)
    version = listener.version()
    dev.append(name, "/* changed */ changed {}")
    listener.hears_of_a_change(version)
    assert "changed {}" in visitor.get(address).text
    known = {**packed, "If-None-Match": first.headers["etag"]}
    assert visitor.get(address, headers=known).status == 200


async def test_python_starts_it_anew_and_pages_reload(
    dev: Dev, listener: Listener, visitor: Browser
) -> None:
    """Sockets are told to come back; who asks meanwhile waits and is not refused."""
    socket = await open_socket(dev.ws + "/ws/socket/")
    version = listener.version()
    dev.change(PYTHON, '{"status": "ok"})\n        elif', '{"status": "changed"})\n        elif')
    await asyncio.wait_for(socket.wait_closed(), 30)
    assert socket.close_code == 1012
    assert "changed" in visitor.get("/healthz").text
    listener.hears_of_a_change(version)
    assert "Traceback" not in dev.tail()


def test_what_is_broken_is_waited_for(dev: Dev, visitor: Browser) -> None:
    dev.change(PYTHON, "def with_health", "def with health")
    wait_for(lambda: "waiting for a change" in dev.tail(), 30, "it says that it waits")
    assert "SyntaxError" in dev.tail()
    dev.change(PYTHON, "def with health", "def with_health")
    assert visitor.get("/healthz").status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_leaves_nothing_behind(
    dev: Dev, listener: Listener, number: signal.Signals
) -> None:
    """Also while a page listens. Last: it ends the server."""
    assert dev.process
    listener.version()
    tree = [dev.process.pid, *descendants(dev.process.pid)]
    assert len(tree) == 2
    assert dev.process.stop(number) == 0
    assert not any(alive(pid) for pid in tree)
    # Had it waited for the page in vain, or cut anything short, it would have said so.
    assert "ERROR" not in dev.tail()


# Who may not have it


@pytest.mark.parametrize(
    ("arguments", "env", "word"),
    [
        (["--host", "0.0.0.0"], {}, "0.0.0.0"),
        ([], {"TERTULIA_URL": "https://chat.example.org"}, "TERTULIA_URL"),
        (["--workers", "2"], {}, "--workers"),
        ([], {"TERTULIA_LIMITS": "perhaps"}, "TERTULIA_LIMITS"),
    ],
)
def test_what_is_not_for_development_is_one_line(
    tmp_path: Path, arguments: list[str], env: dict[str, str], word: str
) -> None:
    command = [sys.executable, "-m", "tertulia.project.dev", "--port", str(free_port())]
    env = clean_environment(**env)
    done = subprocess.run(
        [*command, *arguments], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    check_refused(done, "bin/dev:", word)


@pytest.mark.parametrize("arguments", [["serve", "--port", "0"], ["manage", "check"]])
def test_its_settings_are_refused_to_everything_else(tmp_path: Path, arguments: list[str]) -> None:
    """A line left over in some environment file shows nobody any error's insides."""
    done = subprocess.run(
        [sys.executable, "-m", "tertulia", *arguments],
        env=clean_environment(DJANGO_SETTINGS_MODULE=SETTINGS, DJANGO_DEBUG="1"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    check_refused(done, SETTINGS)


def test_what_is_installed_has_no_part_of_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    assert "tertulia/project/settings.py" in names
    assert not [name for name in names if name.startswith("tertulia/project/dev")]
