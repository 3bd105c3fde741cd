"""Mail addresses as people write them into a field, and as the mail takes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# Addresses that one request may write to.
AT_ONCE = 20
LONGEST = 254
_NAMED = re.compile(r".*<([^<>]*)>\s*", re.DOTALL)


class Written(NamedTuple):
    """What stood in the field: addresses, each once, and what is none, as it was written."""

    addresses: list[str]
    others: list[str]


def read(text: str) -> Written:
    """Addresses apart by comma, semicolon, line or space; `Name <a@b>` is the address alone."""
    addresses: dict[str, str] = {}
    others: dict[str, None] = {}
    for part in _parts(text):
        try:
            address = tidy(part)
        except ValueError:
            others.setdefault(part)
        else:
            addresses.setdefault(address.lower(), address)
    return Written(list(addresses.values()), list(others))


def _parts(text: str) -> Iterator[str]:
    """A comma within quotes is of a name."""
    for part in re.findall(r'(?:"[^"\r\n]*"|[^,;\r\n])+', text):
        words = part.split()
        if len(words) > 1 and "<" not in part and all("@" in word for word in words):
            yield from words
        elif words:
            yield part.strip()


def tidy(text: str) -> str:
    """One address: the domain in small letters and as its people write it.

    Raises ValueError for what is none, and for what mail servers commonly refuse: letters
    beyond ASCII before the @, an IP address behind it.
    """
    named = _NAMED.fullmatch(text)
    address = (named[1] if named else text).strip().removeprefix("mailto:")
    if any(unicodedata.category(sign)[0] in "CZ" for sign in address):
        raise ValueError("signs that are not seen")
    local, _at, domain = address.rpartition("@")
    ascii_domain = domain.encode("idna").decode("ascii").lower()
    if not local.isascii() or "[" in domain or len(f"{local}@{ascii_domain}") > LONGEST:
        raise ValueError("no address that mail servers take")
    try:
        validate_email(f"{local}@{ascii_domain}")
    except ValidationError as error:
        raise ValueError("no address") from error
    return f"{local}@{ascii_domain.encode().decode('idna')}"


def on_the_wire(address: str) -> str:
    """In ASCII, as every mail server takes it."""
    local, _at, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"
