"""Serves `echo.py` by our WebSocket class, with the settings of `tertulia serve`.

    .venv/bin/python tools/autobahn/serve_ours.py PORT MAX_MESSAGE

MAX_MESSAGE, in bytes, is what differs from the product: the suite sends up to 16 MiB.
"""

from __future__ import annotations

import sys

from uvicorn import Server

from tertulia.project.environment import read
from tertulia.project.serving import configuration


def main(port: int, max_message: int) -> None:
    config = configuration(read({}))
    config.app = "echo:application"
    config.port = port
    config.ws_max_size = max_message
    Server(config).run()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
