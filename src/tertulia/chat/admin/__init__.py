"""The administration of the chat.

The log is read-only here as everywhere: what changes a room goes through the actions of
`chat/actions`, carried out by `chat/perform.py`, and is in the log as every other event.
"""

from . import events, links, marks, members, messages, people, rooms, system  # noqa: F401  (registered by being imported)
