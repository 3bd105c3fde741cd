"""Makes everything about a visitor's mail take seconds instead of minutes.

Loaded by a server that is started with this folder on PYTHONPATH and HURRIED, a JSON object of
names in `times.py`, with seconds for times.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any


def hurry(wanted: dict[str, Any]) -> None:
    from tertulia.support.mailing import times

    for name, value in wanted.items():
        present = getattr(times, name)
        if isinstance(present, timedelta):
            value = timedelta(seconds=value)
        elif isinstance(present, tuple):
            value = tuple(timedelta(seconds=each) for each in value)
        setattr(times, name, value)


if os.environ.get("HURRIED"):
    hurry(json.loads(os.environ["HURRIED"]))
