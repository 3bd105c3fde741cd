"""Real-time chat for Django on one durable, ordered log a room."""

__version__ = "0.1.0"
