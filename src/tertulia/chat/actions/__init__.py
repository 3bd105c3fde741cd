"""What people can do. Each action checks, then does, inside the writing transaction.

An action is run by the writer, or by a caller in his own transaction. It raises
`ProtocolError` before its first append, or appends and returns its result.
"""

from .base import Action
from .invitations import AcceptInvitation, MakeInvitation, RevokeInvitation
from .members import AddMember, ChangeRole, JoinRoom, LeaveRoom, RemoveMember
from .messages import DeleteMessage, EditMessage, SendMessage
from .people import AdmitGuest
from .reactions import AddReaction, RemoveReaction
from .reads import MarkRead
from .rooms import CreateRoom, SetFavourite, UpdateRoom, VisitRoom

__all__ = [
    "AcceptInvitation",
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
    "MakeInvitation",
    "MarkRead",
    "RemoveMember",
    "RemoveReaction",
    "RevokeInvitation",
    "SendMessage",
    "SetFavourite",
    "UpdateRoom",
    "VisitRoom",
]
