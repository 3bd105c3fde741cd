"""Run by `tertulia manage shell`: prints how much work a sign-in and a reset are, name by name.

Hashes of passwords and statements of the database are counted in the thread of the request, which
is what the visitor waits for; `status` and the length of the page without the name tell the answer.
"""

import json
import re
import sys

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

users = get_user_model()._default_manager
hashes: list[int] = []
honest = PBKDF2PasswordHasher.encode


def encode(self, *args, **kwargs):
    hashes.append(1)
    return honest(self, *args, **kwargs)


PBKDF2PasswordHasher.encode = encode  # type: ignore[method-assign]
PBKDF2PasswordHasher.iterations = 1_000


def work(path, form, told):
    """One POST as a stranger: status, hashes, statements, and the page without `told`."""
    client = Client(headers={"host": "localhost"}, REMOTE_ADDR="198.51.100.7")
    del hashes[:]
    with CaptureQueriesContext(connection) as asked:
        answer = client.post(path, form)
    page = answer.content.decode().replace(told, "")
    page = re.sub(r'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"', "", page)
    return {"status": answer.status_code, "hashes": len(hashes), "asked": len(asked), "page": page}


def account(name, **fields):
    users.filter(username=name).delete()
    return users.create_user(name, **fields)


account("wk-known", password="a quiet warm room", email="wk-known@example.org")
account("wk-token-only")
closed = account("wk-closed", password="a quiet warm room")
closed.is_active = False
closed.save()

attempts = {
    "known": "wk-known",
    "unknown": "wk-nobody",
    "token only": "wk-token-only",
    "closed": "wk-closed",
    "known by another case": "WK-KNOWN",
}
signing_in = {
    kind: work("/accounts/login/", {"username": name, "password": "wrong"}, name)
    for kind, name in attempts.items()
}
addresses = {"known": "wk-known@example.org", "unknown": "wk-nobody@example.org"}
resetting = {
    kind: work("/accounts/reset/", {"email": address}, address)
    for kind, address in addresses.items()
}
# In one piece and on a line of its own: the mail of the reset is printed meanwhile, in pieces.
told = json.dumps({"sign in": signing_in, "reset": resetting})
sys.stdout.write(f"\n{told}\n")
