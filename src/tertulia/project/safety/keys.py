"""Whether the signing key is one that can be guessed: whoever has it makes sessions at will."""

from __future__ import annotations

import re

# What is long enough for a random key, and below which no key is one.
GOOD = 32
SHORTEST = 16
FEWEST = 8  # different characters
# What keys out of examples, templates and compose files hold, whatever stands beside it.
PLACEHOLDERS = (
    *("insecure", "changeme", "changethis", "replaceme", "placeholder", "yoursecret"),
    *("supersecret", "topsecret", "notsecret", "keepsecret", "keepthissecret", "keepitsecret"),
)
# Words that a key must not consist of.
_WORDS = re.compile(
    "(?:my|the|a|secret|key|password|default|example|django|tertulia|letmein|admin|test|dev|prod)+"
)
_PLAIN = re.compile(r"[\W_\d]")


def is_known(key: str) -> bool:
    """Whether it is one that anybody would try."""
    plain = _PLAIN.sub("", key.casefold())
    return any(word in plain for word in PLACEHOLDERS) or bool(_WORDS.fullmatch(plain))


def default(key: str) -> str | None:
    """Why the server does not start with this key, as the end of "the secret key …"."""
    if is_known(key):
        return "is one of those that stand in examples, which everybody knows"
    if len(key) < SHORTEST:
        return f"has {len(key)} characters; it must have at least {GOOD}"
    return None


def weakness(key: str) -> str | None:
    """The same, and why a key that is let pass is not a good one."""
    if (known := default(key)) is not None:
        return known
    if len(key) < GOOD:
        return f"has {len(key)} characters; it must have at least {GOOD}"
    if len(set(key)) < FEWEST or key in (key + key)[1:-1]:
        return "repeats itself; it must be random"
    return None
