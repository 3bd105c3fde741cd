"""The peers in the order in which they stand in the table."""

from __future__ import annotations

from . import nchan, node, socketio_python, tutorial, uwebsockets
from .base import Contender

PEERS: list[Contender] = [
    *uwebsockets.CONTENDERS,
    *nchan.CONTENDERS,
    *node.CONTENDERS,
    *socketio_python.CONTENDERS,
    *tutorial.CONTENDERS,
]
