"""The connect token: what the server knew of a connection, signed, for the next one.

    base64url( 16 bytes of HMAC-SHA256 + MessagePack of `Known` )

The signature also covers the installation's epoch and the credential of the connection which was
given the token: a session, a bearer token or a guest's token. They are not in it, and have to be
shown again beside it, so that a connect token alone is worth nothing. Whatever does not fit (an
expired token, one of another session, person, installation or secret key) is no token at all.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from functools import lru_cache
from typing import Any

import msgspec
from django.conf import settings
from django.utils.encoding import force_bytes

from tertulia.protocol.events import Person

from ..people import Speaker

# Seconds for which a token is good. Those who are connected are asked about every 20 s
# (`sweep.VALIDITY`), so a token made just before its session was deleted is void within the minute
# that a session which merely expires may still be used.
LIFETIME = 38
# Seconds by which the clock of the machine that made a token may be ahead of ours.
AHEAD = 5
# Stands before it among the subprotocols: a browser can set no header, and an address is logged.
SUBPROTOCOL = "tertulia.connect."
# Longer ones are not looked at; a name and a picture's address make 1,500 at most.
MOST = 4_096

# Another layout of `Known` takes another number.
_SALT = b"tertulia.connect.1"
_SIGNATURE = 16


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What a token tells. `issued`: seconds since 1970 by the clock of whoever made it."""

    issued: int
    # Every change of access up to this id had been heard of when it was made.
    mark: int
    # How often in a row its bearer has come back by a token.
    returns: int
    id: int
    public_id: str
    name: str
    kind: str
    avatar: str | None

    @property
    def speaker(self) -> Speaker:
        """Whom it speaks for."""
        return Speaker(self.id, Person(self.public_id, self.name, self.kind, self.avatar))


class Credential(msgspec.Struct, frozen=True, gc=False):
    """What a client has shown of himself, and `returns` of the token that he may be given.

    `issued`: of the token by which he came, until the database has been asked about him. Tokens
    that come of tokens alone do not last longer than the first.
    """

    shown: str
    returns: int = 0
    issued: int | None = None

    def vouched_for(self) -> Credential:
        """The database has been asked."""
        return Credential(self.shown, self.returns)

    @classmethod
    def of_session(cls, session_key: str) -> Credential:
        """A session cookie."""
        return cls(f"session:{session_key}")

    @classmethod
    def of_token(cls, digest: str) -> Credential:
        """A bearer token, by its digest."""
        return cls(f"token:{digest}")

    @classmethod
    def of_guest(cls, public_id: str) -> Credential:
        """A guest's token. He has many, all signed for him, and may bring any of them."""
        return cls(f"guest:{public_id}")

    @classmethod
    def of_visitor(cls, name: str) -> Credential:
        """A visitor's token, by whom it names; he may have many, as a guest."""
        return cls(f"visitor:{name}")


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Known).decode


def make(speaker: Speaker, credential: Credential, *, epoch: str, mark: int, now: float) -> str:
    """A token for whoever shows this credential again. About 5 µs: each heartbeat has one."""
    person = speaker.person
    issued = int(now) if credential.issued is None else credential.issued
    body = _encode(
        (
            *(issued, mark, credential.returns),
            *(speaker.id, person.id, person.name, person.kind, person.avatar),
        )
    )
    signature = _signature(_key(settings.SECRET_KEY), epoch, credential, body)
    return base64.urlsafe_b64encode(signature + body).rstrip(b"=").decode()


def read(token: str, credential: Credential, *, epoch: str, now: float) -> Known | None:
    """What a token tells, if it was made here for this credential and is still good."""
    if len(token) > MOST:
        return None
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    signature, body = raw[:_SIGNATURE], raw[_SIGNATURE:]
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(
        hmac.compare_digest(signature, _signature(_key(secret), epoch, credential, body))
        for secret in secrets
    ):
        return None
    known = _decode(body)
    return known if -AHEAD <= now - known.issued <= LIFETIME else None


def offered_token(scope: dict[str, Any]) -> str | None:
    """The token that a handshake offers among its subprotocols.

    "" where the client has none yet but would take one; None where it has not asked.
    """
    for name in scope.get("subprotocols") or ():
        if name.startswith(SUBPROTOCOL):
            return str(name[len(SUBPROTOCOL) :])
    return None


def _signature(key: bytes, epoch: str, credential: Credential, body: bytes) -> bytes:
    history, shown = epoch.encode(), credential.shown.encode()
    # With their lengths, so that nothing of one part can be taken for the next.
    lengths = struct.pack(">II", len(history), len(shown))
    return hmac.digest(key, lengths + history + shown + body, "sha256")[:_SIGNATURE]


@lru_cache(maxsize=16)
def _key(secret: str | bytes) -> bytes:
    return hmac.digest(force_bytes(secret), _SALT, "sha256")
