"""What people can do. Each action checks, then does, inside the writing transaction.

An action is run by the writer, or by a caller in his own transaction. It raises
`ProtocolError` before its first append, or appends and returns its result.
"""

from .base import Action
from .members import AddMember, ChangeRole, JoinRoom, LeaveRoom, RemoveMember
from .messages import DeleteMessage, EditMessage, SendMessage
from .people import AdmitGuest
from .reactions import AddReaction, RemoveReaction
from .reads import MarkRead
from .rooms import CreateRoom, UpdateRoom, VisitRoom

__all__ = [
    "Action",
    "AddMember",
    "AddReaction",
    "AdmitGuest",
    "ChangeRole",
    "CreateRoom",
    "DeleteMessage",
    "EditMessage",
    "JoinRoom",
    "LeaveRoom",
    "MarkRead",
    "RemoveMember",
    "RemoveReaction",
    "SendMessage",
    "UpdateRoom",
    "VisitRoom",
]
