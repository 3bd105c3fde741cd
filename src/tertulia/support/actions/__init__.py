"""What visitors and agents can do with conversations. Each checks, then does, as in the chat."""

from .agents import (
    AssignConversation,
    ReopenConversation,
    ResolveConversation,
    SnoozeConversation,
    TransferConversation,
)
from .desk import AssignQueued, RenewHere, SetAvailable, UnassignConversation, WakeConversation
from .received import MarkReceived
from .visitors import OpenConversation, RateConversation

__all__ = [
    "AssignConversation",
    "AssignQueued",
    "MarkReceived",
    "OpenConversation",
    "RateConversation",
    "RenewHere",
    "ReopenConversation",
    "ResolveConversation",
    "SetAvailable",
    "SnoozeConversation",
    "TransferConversation",
    "UnassignConversation",
    "WakeConversation",
]
