"""What somebody asks for who invites by mail: read from a form or from JSON, and checked."""

from __future__ import annotations

from msgspec import Struct

from tertulia.protocol.errors import invalid

from . import addresses
from .faults import Fault
from .letter import NOTE, has_link


class Asked(Struct):
    """The field of addresses as it was filled in, and a line to go with the link."""

    addresses: str = ""
    note: str = ""


class Checked(Struct):
    """Whom to write to, and what will not be tried."""

    addresses: list[str]
    failed: list[tuple[str, Fault]]
    note: str


def check(asked: Asked) -> Checked:
    """Raises `invalid` for no address at all and for a note that may not go out."""
    if len(asked.note) > NOTE:
        raise invalid("note", f"At most {NOTE} characters.")
    if has_link(asked.note):
        # Nobody's advertisement is sent in this site's name.
        raise invalid("note", "The line may have no address of a page in it.")
    written = addresses.read(asked.addresses)
    if not written.addresses and not written.others:
        raise invalid("addresses", "Write the address of whom you invite.")
    failed = [(text[: addresses.LONGEST], Fault.ADDRESS) for text in written.others]
    failed += [(address, Fault.MANY) for address in written.addresses[addresses.AT_ONCE :]]
    return Checked(written.addresses[: addresses.AT_ONCE], failed, asked.note)
