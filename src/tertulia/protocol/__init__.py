"""The wire of protocol version 1: commands, events, errors and their limits.

Knows neither Django nor sockets: bytes in, typed objects out, and back.
"""

VERSION = 1
SUBPROTOCOL = "tertulia.v1"
