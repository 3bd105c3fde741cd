"""A server started with this folder on PYTHONPATH and LEAK=1 keeps what it should let go."""

from __future__ import annotations

import os
import threading
import time
from typing import Any


def leak() -> None:
    """Memory, 5 MiB a second, and ten descriptors a second."""
    kept: list[Any] = []
    while True:
        kept.append(bytearray(os.urandom(512 * 1024)))
        kept.append(os.open("/dev/null", os.O_RDONLY))
        time.sleep(0.1)


if os.environ.get("LEAK"):
    threading.Thread(target=leak, daemon=True).start()
