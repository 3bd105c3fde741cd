"""Statement 9: of files there are the pictures of people, for everybody who may use the chat and
nobody else; and no address leads to any other file of the site.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image

from tertulia.testing.server import Server

from .web import Visitor, send_picture, sessions

ADDRESS = re.compile(r"/chat/-/picture/[0-9a-f]{32}\.webp")
Visit = Callable[[str | None], Visitor]


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    """Its folder is looked through for whatever might be asked for."""
    server = Server(env={"TERTULIA_LIMITS": "off"}).start()
    yield server
    server.remove()


@pytest.fixture
def visit(site: Server) -> Iterator[Visit]:
    """`visit(session)`: somebody, or nobody."""
    visitors: list[Visitor] = []

    def new(session: str | None) -> Visitor:
        visitors.append(Visitor(site, session))
        return visitors[-1]

    yield new
    for visitor in visitors:
        visitor.close()


def put_picture(visitor: Visitor, colour: str) -> str:
    """The address of a new picture of hers."""
    content = BytesIO()
    Image.new("RGB", (8, 8), colour).save(content, "PNG")
    assert send_picture(visitor, content.getvalue()).status == 302
    found = ADDRESS.search(visitor.get("/chat/").text)
    assert found
    return found[0]


def test_a_picture_is_served_to_who_may_use_the_chat_now(site: Server, visit: Visit) -> None:
    (ana, _), (bea, _) = site.people(2)
    held = sessions(site, {ana: 1, bea: 2})
    owner, other, leaving = visit(held[ana][0]), visit(held[bea][0]), visit(held[bea][1])
    stranger, forged = visit(None), visit("made-up-session")
    address = put_picture(owner, "red")
    assert [each.get(address).status for each in (owner, other, leaving)] == [200] * 3

    def refuses(visitor: Visitor) -> None:
        """Not even that it has not changed, or how long it is, is said."""
        etag = f'"{address.rpartition("/")[2].removesuffix(".webp")}"'
        for method in ("GET", "HEAD"):
            for asked in (
                {},
                {"If_None_Match": etag},
                {"If_None_Match": "*"},
                {"Range": "bytes=0-1"},
            ):
                answer = visitor.ask(method, address, **asked)
                assert answer.status == 404
                assert answer.headers["content-type"] != "image/webp"

    refuses(stranger)
    refuses(forged)
    # After a sign-out the address is worth nothing to that browser.
    assert leaving.ask("POST", "/accounts/logout/").status == 302
    refuses(leaving)
    # Nor is that of a picture that was replaced, to anybody, be he its owner.
    replacement = put_picture(owner, "blue")
    refuses(owner)
    refuses(other)
    address = replacement
    assert other.get(address).status == 200
    # Whoever is deactivated sees none.
    site.shell(
        "from django.contrib.auth import get_user_model as users\n"
        f"user = users().objects.get(username={bea!r}); user.is_active = False; user.save()"
    )
    refuses(other)
    assert owner.get(address).status == 200


def test_no_address_leads_to_another_file(site: Server, visit: Visit) -> None:
    """The database, the key, and what the storage has besides the pictures that somebody has."""
    ((ana, _),) = site.people(1)
    visitor = visit(sessions(site, {ana: 1})[ana][0])
    address = put_picture(visitor, "green")
    stored = next(site.data.rglob(address.rpartition("/")[2]))
    (stored.parent / ("0" * 32 + ".webp")).write_bytes(b"nobody's picture")
    (site.data / "secret.webp").write_bytes(b"not for anybody")
    kept = [
        path.relative_to(site.data).as_posix() for path in site.data.rglob("*") if path.is_file()
    ]
    assert any("sqlite3" in name for name in kept)
    folder = stored.parent.relative_to(site.data).as_posix()
    ups = (
        "",
        "../",
        "../../",
        "..%2f",
        "..%2f..%2f",
        "%2e%2e/",
        "....//",
        "..\\",
        "..%5c",
        "//",
        "%00",
    )
    asked = {
        before + up + name
        for name in [*kept, "secret", "secret.webp", "etc/passwd", "0" * 32 + ".webp"]
        for up in ups
        for before in ("/", "/chat/-/picture/", "/static/", "/media/", f"/{folder}/", "/files/")
    } - {address}
    for path in sorted(asked):
        answer = visitor.get(path)
        assert answer.status in (301, 302, 308, 400, 404), path
        for secret in (b"not for anybody", b"nobody's picture", b"SQLite format"):
            assert secret not in answer.body, path
    assert visitor.get(address).status == 200
