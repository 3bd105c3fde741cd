"""Run as a program in the site's environment: a room and its members, by the app's own models.

    python enrol.py MEMBERS        migrates, makes them, prints a JSON object
    python enrol.py --head         prints the head of the room's log

Made in bulk, since a command and a token by the command line would take hours for ten thousand.
Each member has an account without a password, and a bearer token.
"""

from __future__ import annotations

import json
import secrets
import sys
from typing import Any

ROOM = "plaza"


def main(word: str) -> None:
    from tertulia.project import startup
    from tertulia.project.environment import read

    startup.prepare(read())
    from tertulia.chat.models import Room

    if word == "--head":
        print(Room.objects.get(slug=ROOM).head)
    else:
        print(json.dumps(enrolled(int(word))))


def enrolled(members: int) -> dict[str, Any]:
    """The tokens of the members of a new room without messages, and the installation's epoch."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from django.db import transaction

    from tertulia.chat.models import Membership, Participant, Room, Token
    from tertulia.chat.people import digest_of
    from tertulia.chat.read import epoch

    users: Any = get_user_model()
    tokens = [secrets.token_urlsafe(32) for _ in range(members)]
    names = [f"member-{number}" for number in range(members)]
    with transaction.atomic():
        # The mark of Django for accounts that no password opens.
        unusable = make_password(None)
        users.objects.bulk_create([users(username=n, password=unusable) for n in names], 1_000)
        accounts = users.objects.order_by("pk").filter(username__startswith="member-")
        Participant.objects.bulk_create(
            [Participant(user=user, name=(n := user.username), name_fold=n) for user in accounts],
            1_000,
        )
        people = list(Participant.objects.order_by("pk"))
        # As `issue_token` makes them.
        Token.objects.bulk_create(
            [
                Token(participant=one, digest=digest_of(token))
                for one, token in zip(people, tokens, strict=True)
            ],
            1_000,
        )
        room = Room.objects.create(slug=ROOM, slug_fold=ROOM, name="Plaza", kind=Room.Kind.PUBLIC)
        Membership.objects.bulk_create(
            [Membership(room=room, participant=one) for one in people], 1_000
        )
        history = epoch()
    return {"tokens": tokens, "epoch": history}


if __name__ == "__main__":
    main(sys.argv[1])
