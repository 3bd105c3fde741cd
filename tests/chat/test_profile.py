"""Who I am: name, picture, language, time zone, and who hears of a change."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tertulia.testing.client import Client
from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser

PASSWORD = "a quiet warm room"
SETTINGS = "/chat/-/settings/"
PICTURE = "/chat/-/settings/picture/"
_numbers = itertools.count(1)


class Someone:
    """An account with a password, signed in by a browser; sockets go by its cookie."""

    def __init__(self, server: Server, stack: AsyncExitStack, name: str) -> None:
        self.server, self.stack, self.name = server, stack, name
        self.browser = Browser(server.url)
        form = {"username": name, "password1": PASSWORD, "password2": PASSWORD}
        self.browser.submit("/accounts/signup/", form)
        assert self.browser.signed_in

    async def connect(self, server: Server | None = None) -> Client:
        """To his own server or another one of the installation."""
        server = server or self.server
        client = await Client.connect(server.ws, cookie=self.browser.cookie, origin=server.url)
        self.stack.push_async_callback(client.close)
        return client

    def saves(self, **fields: str) -> Answer:
        """The settings form, as it stands but for these fields."""
        shown = {"name": self.called, "language": "", "time_zone": ""}
        return self.browser.submit(SETTINGS, {**shown, **fields})

    @property
    def page(self) -> dict[str, Any]:
        """What the server tells the page of the chat."""
        text = self.browser.get("/chat/").text
        found = re.search(r'<script id="tertulia-page"[^>]*>(.*?)</script>', text, re.DOTALL)
        assert found
        page: dict[str, Any] = json.loads(found[1])
        return page

    @property
    def called(self) -> str:
        return str(self.page["me"]["name"])

    def uploads(self, content: bytes, name: str = "me.png", kind: str = "image/png") -> Answer:
        """A file in the form for the picture."""
        self.browser.get(SETTINGS)
        boundary = "a-quiet-boundary"
        token = self.browser.cookies["csrftoken"]
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"'
            f'\r\n\r\n{token}\r\n--{boundary}\r\nContent-Disposition: form-data; name="picture";'
            f' filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
        ).encode()
        body += content + f"\r\n--{boundary}--\r\n".encode()
        return self.posts(body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def posts(self, body: Any, headers: dict[str, str]) -> Answer:
        """To the picture's form, whatever it is."""
        connection = http.client.HTTPConnection(self.browser.base.netloc, timeout=60)
        sent = {"Cookie": self.browser.cookie, "Origin": self.browser.origin, **headers}
        try:
            connection.request("POST", PICTURE, body, sent)
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, received, answer.read(), PICTURE)
        finally:
            connection.close()


@pytest.fixture
async def someone(embedded: Server) -> AsyncIterator[Callable[..., Someone]]:
    """`someone()` has just made an account."""
    async with AsyncExitStack() as stack:

        def make(name: str | None = None, server: Server = embedded) -> Someone:
            return Someone(server, stack, name or f"profile{next(_numbers)}")

        yield make


@pytest.fixture
def ana(someone: Callable[..., Someone]) -> Someone:
    return someone()


def image(mode: str = "RGB", size: tuple[int, int] = (40, 30), **save: Any) -> bytes:
    """A picture, red at its left and blue at its right."""
    made = Image.new("RGB", size, "red")
    made.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    buffer = BytesIO()
    made.convert(mode).save(buffer, **{"format": "PNG", **save})
    return buffer.getvalue()


def stored(ana: Someone) -> Image.Image:
    """The portrait that is served for her."""
    answer = ana.browser.get(ana.page["me"]["avatar"])
    assert answer.status == 200
    return Image.open(BytesIO(answer.body))


# The name


def test_a_name_is_chosen_and_signing_in_stays_as_it_was(ana: Someone) -> None:
    chosen = f"Ana María {next(_numbers)}"
    ana.saves(name=f"  {chosen}  ")
    assert ana.called == chosen
    again = Browser(ana.server.url)
    assert again.sign_in(ana.name, PASSWORD).path == "/chat/"
    code = f"""from django.contrib.auth.models import User
user = User.objects.get(username={ana.name!r}); user.username += "x"; user.save()
print(user.participant.name)"""
    assert ana.server.shell(code).strip().endswith(chosen)


@pytest.mark.parametrize(
    "name",
    [
        *("", "   ", "\u200b", "\u2800", "a\u202eb", "a\u2066b", "a\u200bb", "ana\u200d"),
        *("an\ufe0fa", "a\x00b", "a\x07b", "\u3164", "a\u00adb", "x" * 81),
    ],
    ids=ascii,
)
def test_a_name_that_will_not_do_is_refused_in_words(ana: Someone, name: str) -> None:
    page = ana.saves(name=name)
    assert 'id="id_name_error"' in page.text
    assert ana.called == ana.name


@pytest.mark.parametrize("name", ["咖啡 {}", "👩\u200d💻 {}", "José {}", "سلام {}", "न्\u200dय {}"])
def test_names_of_any_script(ana: Someone, name: str) -> None:
    name = name.format(next(_numbers))
    assert "id_name_error" not in ana.saves(name=name).text
    assert ana.called == name


def test_nobody_is_faster_than_another_to_a_name(installation: Installation) -> None:
    """An account is made while somebody is taking its name: it waits, and gets the next one."""
    name = f"race{next(_numbers)}"
    code = f"""
import threading
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from tertulia.chat.models import Participant
from tertulia.chat.profile.names import check_free, lock_names
def enrolling():
    get_user_model().objects.create_user({name!r})
    connection.close()
someone = Participant.objects.create(name="before-{name}", kind="bot")
thread = threading.Thread(target=enrolling)
with transaction.atomic():
    lock_names()
    check_free({name!r}, someone)
    thread.start()
    thread.join(1)
    someone.name = {name!r}
    someone.save()
thread.join()
found = Participant.objects.filter(name__startswith={name!r})
print(*sorted(found.values_list("name", flat=True)))
"""
    assert installation.here.shell(code).splitlines()[-1].split() == [name, f"{name}-2"]


def test_two_people_cannot_have_one_name(someone: Callable[..., Someone]) -> None:
    ana, bea = someone(), someone()
    ana.saves(name=f"Niña {ana.name}")
    for name in (f"niña {ana.name}", f"ＮＩÑＡ {ana.name}", f"nin\u0303a  {ana.name}"):
        assert 'id="id_name_error"' in bea.saves(name=name).text
    assert bea.called == bea.name
    assert "id_name_error" not in ana.saves(name=f"NIÑA {ana.name}").text


def test_who_comes_later_gets_the_next_name(someone: Callable[..., Someone]) -> None:
    name = f"wanted{next(_numbers)}"
    someone().saves(name=name)
    late = someone(name)
    assert late.called == f"{name}-2"


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>"])
def test_names_are_text_on_every_page(someone: Callable[..., Someone], name: str) -> None:
    ana = someone()
    ana.saves(name=f"{name}{next(_numbers)}")
    for path in ("/chat/", SETTINGS):
        text = ana.browser.get(path).text
        assert name not in text
        assert "<img src=x" not in text
    assert ana.called.startswith(name)


# Others hear of it


async def test_a_change_is_heard_everywhere(
    installation: Installation, someone: Callable[..., Someone]
) -> None:
    here, there = installation.here, installation.there
    ana, bea = someone(server=here), someone(server=here)
    one, other = await ana.connect(here), await ana.connect(there)
    bea_far = await bea.connect(there)
    room = await one.create("A room", members=[bea_far.id])
    await one.subscribe(room)
    await bea_far.subscribe(room)
    direct = await one.create("", "direct", members=[bea_far.id])
    chosen = f"Ana {ana.name}"
    ana.saves(name=chosen)
    for mine in (one, other):
        frame = await mine.expect("person.changed", room=None)
        assert frame["who"]["name"] == chosen
    for slug in (room, direct):
        frame = await bea_far.expect("person.changed", room=slug)
        assert frame["who"] == {**one.welcome["me"], "name": chosen}
    present = await bea_far.find(
        lambda f: (
            f.get("type") == "presence.changed"
            and chosen in [person["name"] for person in f["here"]]
        )
    )
    assert present["room"] == room
    await other.say(room, "hola")
    said = await bea_far.expect("message.created", room=room)
    assert said["message"]["author"]["name"] == chosen


async def test_strangers_hear_nothing(someone: Callable[..., Someone]) -> None:
    ana, eve = someone(), someone()
    client, stranger = await ana.connect(), await eve.connect()
    room = await client.create("Alone", "private")
    await client.subscribe(room)
    ana.saves(name=f"Quiet {ana.name}")
    await client.expect("person.changed", room=room)
    await stranger.silence(lambda f: f.get("type") == "person.changed", 0.3)


# The picture


@pytest.mark.parametrize(
    ("mode", "how"),
    [
        ("RGB", {}),
        ("RGBA", {}),
        ("P", {"format": "GIF"}),
        ("L", {"format": "JPEG"}),
        ("CMYK", {"format": "JPEG"}),
        ("RGB", {"format": "WEBP"}),
        ("1", {}),
    ],
    ids=["png", "transparent", "gif", "grey", "cmyk", "webp", "bits"],
)
def test_a_picture_becomes_a_small_square(ana: Someone, mode: str, how: Any) -> None:
    assert ana.uploads(image(mode, (300, 200), **how)).status == 302
    portrait = stored(ana)
    assert portrait.format == "WEBP"
    assert portrait.size == (256, 256)
    assert ana.browser.get(SETTINGS).text.count(ana.page["me"]["avatar"]) == 1


def test_of_an_animation_the_first_frame(ana: Someone) -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "green")]
    buffer = BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert ana.uploads(buffer.getvalue()).status == 302
    portrait = stored(ana)
    assert getattr(portrait, "n_frames", 1) == 1
    red, _, blue = portrait.convert("RGB").getpixel((128, 128))
    assert red > 200 > blue


def test_it_stands_upright_and_says_nothing_else(ana: Someone) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "a secret place"
    assert ana.uploads(image(size=(300, 300), format="JPEG", exif=exif.tobytes())).status == 302
    answer = ana.browser.get(ana.page["me"]["avatar"])
    assert b"secret" not in answer.body
    portrait = Image.open(BytesIO(answer.body)).convert("RGB")
    assert not portrait.getexif()
    upper, lower = portrait.getpixel((128, 40)), portrait.getpixel((128, 216))
    assert upper[0] > 150 > upper[2]
    assert lower[2] > 150 > lower[0]


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is this big, and has next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def many_scans(count: int) -> bytes:
    """A JPEG of 36 megapixels, with so many passes that change nothing, each of 60 bytes."""
    side = 6_000
    whole = image("L", (side, side), format="JPEG", progressive=True)
    # One Huffman code of one bit: "as many empty blocks as the next 14 bits and 16,384 say".
    table = b"\xff\xc4" + struct.pack(">H", 20) + b"\x10\x01" + b"\0" * 15 + b"\xe0"
    blocks = (side // 8) ** 2
    runs = [32_767] * (blocks // 32_767) + [16_384]
    bits = "".join(f"0{run - 16_384:014b}" for run in runs)
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x01\x3f\x00" + coded
    return whole.removesuffix(b"\xff\xd9") + table + scan * count + b"\xff\xd9"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"not a picture", SVG, b"<!doctype html><script>alert(1)</script>"),
        *(
            image(size=(200, 200))[:150],
            bomb(10_000, 10_000),
            bomb(60_000, 60_000),
            bomb(9_000, 100),
        ),
        image("1", (7_000, 7_000)),
        many_scans(1_000),
        *(b"GIF89a<script>alert(1)</script>", image(format="BMP"), image(format="TIFF")),
    ],
    ids=[
        *("nothing", "text", "svg", "html", "truncated", "100 MP", "3,600 MP", "missing pixels"),
        *("49 MP and all there", "a thousand scans"),
        *("gif and script", "bmp", "tiff"),
    ],
)
def test_what_is_no_picture_is_refused(ana: Someone, content: bytes) -> None:
    page = ana.uploads(content)
    assert page.status == 400
    assert 'id="id_picture_error"' in page.text
    assert ana.page["me"]["avatar"] is None


def test_what_hides_behind_a_picture_is_gone(ana: Someone) -> None:
    assert ana.uploads(image() + b"<script>alert(1)</script>").status == 302
    answer = ana.browser.get(ana.page["me"]["avatar"])
    assert b"script" not in answer.body
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "inline"
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]


def test_what_is_too_long_is_not_read(ana: Someone) -> None:
    assert ana.uploads(b"\0" * (5 * 1024 * 1024 + 100_000)).status == 413

    def endless() -> Any:
        for _ in range(200):
            yield b"\0" * 100_000

    try:
        answer = ana.posts(endless(), {"Content-Type": "multipart/form-data; boundary=x"})
        assert answer.status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # told while we were still sending
    assert ana.page["me"]["avatar"] is None


def test_a_picture_is_for_people_of_the_chat(ana: Someone) -> None:
    ana.uploads(image())
    address = ana.page["me"]["avatar"]
    assert re.fullmatch(r"/chat/-/picture/[0-9a-f]{32}\.webp", address)
    assert Browser(ana.server.url).get(address).status == 404
    assert ana.browser.get(address.replace(address[-10:], "00000.webp")).status == 404
    etag = ana.browser.get(address).headers["etag"]
    assert ana.browser.get(address, headers={"If-None-Match": etag}).status == 304


async def test_another_picture_replaces_the_file(ana: Someone) -> None:
    client = await ana.connect()
    folder = ana.server.data / "uploads" / "pictures"
    ana.uploads(image())
    first = await client.expect("person.changed", room=None)
    ana.uploads(image(size=(10, 10)))
    second = await client.expect("person.changed", room=None)
    names = [frame["who"]["avatar"].rpartition("/")[2] for frame in (first, second)]
    assert not (folder / names[0]).exists()
    assert (folder / names[1]).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert ana.browser.get(first["who"]["avatar"]).status == 404
    ana.browser.submit(SETTINGS, {"remove": "1"}, action=PICTURE)
    assert (await client.expect("person.changed", room=None))["who"]["avatar"] is None
    assert not (folder / names[1]).exists()


def test_nobody_changes_it_from_elsewhere(ana: Someone) -> None:
    for path in (SETTINGS, PICTURE):
        form = {"name": "Eve", "remove": "1"}
        answer = ana.browser.request("POST", path, form=form, headers={"Referer": "x"})
        assert answer.status == 403
    assert ana.called == ana.name


def test_who_was_signed_out_meanwhile_comes_back_to_the_page(embedded: Server) -> None:
    """Not to the form's own address, which is no page."""
    stranger = Browser(embedded.url)
    stranger.get("/accounts/login/")
    headers = {"X-CSRFToken": stranger.cookies["csrftoken"]}
    for form in (PICTURE, f"{SETTINGS}appearance/"):
        answer = stranger.request("POST", form, form={}, headers=headers, follow=False)
        assert answer.headers["location"].endswith(f"?next={SETTINGS}")


def test_strangers_are_sent_to_the_door(embedded: Server) -> None:
    assert Browser(embedded.url).get(SETTINGS).path.startswith("/accounts/login/")


# Language and time zone


def test_the_language_is_the_persons_not_the_browsers(ana: Someone) -> None:
    ana.saves(language="es", time_zone="America/Argentina/Salta")
    assert ana.page["language"] == "es"
    assert ana.page["timeZone"] == "America/Argentina/Salta"
    elsewhere = Browser(ana.server.url)
    elsewhere.sign_in(ana.name, PASSWORD)
    english = {"Accept-Language": "en"}
    for path in ("/chat/", SETTINGS, "/accounts/password/", "/chat/no-such-room/"):
        page = elsewhere.get(path, headers=english)
        assert '<html lang="es"' in page.text, path
        assert page.headers["content-language"] == "es"
    assert '<html lang="en"' in Browser(ana.server.url).get("/accounts/login/").text
    ana.saves(language="")
    assert '<html lang="en"' in elsewhere.get("/chat/", headers=english).text


def test_the_quick_choice_is_kept_in_the_profile(ana: Someone) -> None:
    ana.browser.submit("/chat/", {"language": "es"}, action="/chat/-/language/")
    assert ana.page["language"] == "es"
    ana.browser.submit("/chat/", {"language": "xx"}, action="/chat/-/language/")
    assert ana.page["language"] == "es"


@pytest.mark.parametrize("fields", [{"language": "fr"}, {"time_zone": "Atlantis/Capital"}], ids=str)
def test_only_what_is_offered_can_be_chosen(ana: Someone, fields: dict[str, str]) -> None:
    assert "_error" in ana.saves(**fields).text
    assert (ana.page["language"], ana.page["timeZone"]) == ("", "")
