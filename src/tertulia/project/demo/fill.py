"""Fills a site that nobody has used yet, and tells how to get in."""

from __future__ import annotations

import os
import random
import secrets
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db import transaction

from tertulia.chat.encode import now as present
from tertulia.chat.models import Message, Room
from tertulia.support.models import Conversation

from .bookdrop import returns
from .cast import BOT
from .desk import Desk
from .enquiries import enquiries
from .script import Reader, RoomScript
from .stage import Stage

SEED = 7
PASSWORD_FILE = "demo-password"  # noqa: S105 - the name of the file
FOLDER = Path(__file__).parent / "rooms"
CONVERSATIONS = FOLDER.with_name("conversations")
WORDS = (
    "almond amber anchor apricot autumn basil bell birch blue boat bread bridge brook candle cedar"
    " chalk cherry clay cloud clover copper coral cotton daisy dune ember fern fig flint garden"
    " ginger harbour hazel honey island ivory juniper kettle lantern lemon linen maple meadow mint"
    " moss oak olive orchard paper pear pebble pepper pine plum quill rain reed river saffron sage"
    " sand slate thyme violet walnut willow"
)


class Filled(NamedTuple):
    """What is there now. `password` is None on a site that was not filled by this."""

    rooms: int
    messages: int
    conversations: int
    password: str | None
    new: bool


def fill(data: Path, days: int, history: int) -> Filled:
    """Fill the site unless somebody has used it; `history`: messages in the long room."""
    kept = data / PASSWORD_FILE
    new = not get_user_model().objects.exists() and not Room.objects.exists()
    if new:
        password = "-".join(secrets.choice(WORDS.split()) for _ in range(4))
        _keep(kept, password)
        with transaction.atomic():
            _perform(password, days, history)
    password_there = kept.read_text("utf-8") if kept.exists() else None
    rooms = Room.objects.exclude(kind=Room.Kind.SUPPORT)
    return Filled(
        rooms.count(),
        Message.objects.filter(room__in=rooms).count(),
        Conversation.objects.count(),
        password_there,
        new,
    )


def scripts(
    now: datetime, days: int, chance: random.Random, folder: Path = FOLDER
) -> list[RoomScript]:
    """All rooms, read anew. Raises ScriptError."""
    return [
        Reader(path.stem, now, days, chance).read(path.read_text("utf-8"))
        for path in sorted(folder.glob("*.txt"))
    ]


def _perform(password: str, days: int, history: int) -> None:
    now, chance = present(), random.Random(SEED)  # noqa: S311 - the same talk every time
    stage = Stage(now, chance)
    stage.enter(password)
    rooms = scripts(now, days, chance)
    for room in rooms:
        if BOT in room.people("members"):
            room.acts += returns(history, now, days, chance)
    stage.play(rooms)
    conversations = [script for script in scripts(now, days, chance, CONVERSATIONS) if script.acts]
    Desk(stage).play(conversations + enquiries(now, days, chance))


def _keep(path: Path, password: str) -> None:
    """So that every start can say it again; nobody else may read it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password)
