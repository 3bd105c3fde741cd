"""The addresses of the sockets."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import re_path as django_re_path

from .capacity import SocketCap
from .consumers import ClassicConsumer, EchoConsumer, ProtocolConsumer, nowhere
from .origin import OriginGate

# URLRouter takes ASGI applications where Django's types know only views.
re_path: Any = django_re_path

_ROOM = r"(?P<room>[^/]+)"

classic_urlpatterns: list[Any] = [
    re_path(r"^socket/?$", EchoConsumer.as_asgi()),
    re_path(rf"^chat/{_ROOM}/?$", ClassicConsumer.as_asgi()),
    re_path(rf"^room/{_ROOM}/?$", ClassicConsumer.as_asgi()),
    re_path(rf"^{_ROOM}/?$", ClassicConsumer.as_asgi()),
    re_path(r"", nowhere),
]


def tertulia_websocket_application() -> Any:
    """All sockets of the chat, for `ProtocolTypeRouter({"websocket": …})`.

    `/ws/` finds out by itself who speaks; around the classic addresses stands Channels' own
    authentication.
    """
    classic: Any = AuthMiddlewareStack(URLRouter(classic_urlpatterns))
    sockets: Any = URLRouter(
        [
            re_path(r"^/?ws/?$", ProtocolConsumer.as_asgi()),
            re_path(r"^/?ws/", classic),
            re_path(r"", nowhere),
        ]
    )
    return OriginGate(SocketCap(sockets))
