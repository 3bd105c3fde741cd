"""The tests: black-box ones over real sockets, and pure ones beside them."""

from pathlib import Path

# The clone.
ROOT = Path(__file__).parents[1]
