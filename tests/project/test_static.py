"""Static files: text compressed for those who take it, and asked for again without being sent."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tertulia.testing.server import Server
from tests import ROOT
from tests.support.browser import Answer, Browser

FOLDER = ROOT / "src" / "tertulia" / "chat" / "static"
SCRIPT = "tertulia/page/main.js"


def get(server: Server, name: str = SCRIPT, method: str = "GET", **headers: str) -> Answer:
    sent = {each.replace("_", "-"): value for each, value in headers.items()}
    return Browser(server.url).request(method, f"/static/{name}", headers=sent)


def source(name: str = SCRIPT) -> bytes:
    return Path(FOLDER / name).read_bytes()


@pytest.mark.parametrize(
    "name", [SCRIPT, "tertulia/css/tokens.css", "tertulia/icon.svg", "tertulia/package.json"]
)
def test_text_is_compressed_for_who_takes_it(embedded: Server, name: str) -> None:
    packed = get(embedded, name, Accept_Encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == source(name)
    assert packed.headers["content-length"] == str(len(packed.body))
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["cache-control"] == "no-cache"
    assert packed.headers["x-content-type-options"] == "nosniff"


def test_large_text_arrives_whole(embedded: Server) -> None:
    """More than one block of the body."""
    packed = get(embedded, "admin/js/vendor/jquery/jquery.js", Accept_Encoding="gzip")
    plain = get(embedded, "admin/js/vendor/jquery/jquery.js")
    assert len(packed.body) < len(plain.body) / 3
    assert gzip.decompress(packed.body) == plain.body


@pytest.mark.parametrize("taken", ["", "br", "identity", "gzip;q=0", "gzipped"])
def test_who_does_not_take_it_gets_the_file(embedded: Server, taken: str) -> None:
    plain = get(embedded, Accept_Encoding=taken)
    assert "content-encoding" not in plain.headers
    assert plain.body == source()
    # A cache between must keep both apart.
    assert plain.headers["vary"] == "Accept-Encoding"


def test_each_encoding_has_its_own_etag(embedded: Server) -> None:
    packed, plain = get(embedded, Accept_Encoding="gzip"), get(embedded)
    assert packed.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize("taken", ["gzip", "identity"])
def test_what_is_known_is_not_sent_again(embedded: Server, taken: str) -> None:
    first = get(embedded, Accept_Encoding=taken)
    again = get(embedded, Accept_Encoding=taken, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in again.headers


def test_an_etag_among_others_and_one_that_a_proxy_weakened(embedded: Server) -> None:
    etag = get(embedded, Accept_Encoding="gzip").headers["etag"]
    known = f'"other", W/{etag}'
    assert get(embedded, Accept_Encoding="gzip", If_None_Match=known).status == 304


def test_the_other_encodings_etag_does_not_do(embedded: Server) -> None:
    plain = get(embedded).headers["etag"]
    packed = get(embedded, Accept_Encoding="gzip", If_None_Match=plain)
    assert (packed.status, gzip.decompress(packed.body)) == (200, source())


def test_by_date_where_no_etag_is_named(embedded: Server) -> None:
    date = get(embedded, Accept_Encoding="gzip").headers["last-modified"]
    assert get(embedded, Accept_Encoding="gzip", If_Modified_Since=date).status == 304
    named = get(embedded, Accept_Encoding="gzip", If_Modified_Since=date, If_None_Match='"old"')
    assert named.status == 200


def test_head_tells_the_same_and_sends_nothing(embedded: Server) -> None:
    full = get(embedded, Accept_Encoding="gzip")
    head = get(embedded, method="HEAD", Accept_Encoding="gzip")
    assert head.body == b""
    for name in ("content-length", "content-encoding", "etag", "vary", "content-type"):
        assert head.headers[name] == full.headers[name]


def test_a_part_of_a_file_is_of_the_plain_one(embedded: Server) -> None:
    part = get(embedded, Accept_Encoding="gzip", Range="bytes=0-9")
    assert (part.status, part.body) == (206, source()[:10])
    assert "content-encoding" not in part.headers


def test_nothing_but_reading(embedded: Server) -> None:
    assert get(embedded, method="POST", Accept_Encoding="gzip").status == 405


def test_what_is_not_known_for_text_is_sent_as_it_is(embedded: Server) -> None:
    """Pictures and fonts are compressed by what they are."""
    name = "tertulia/vendor/lit-html.LICENSE"
    answer = get(embedded, name, Accept_Encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert answer.body == source(name)
