"""The addresses of the sockets, and which consumer answers at each."""

from django.conf import settings
from django.urls import re_path

from . import consumers

# Two documents have a consumer at ws/chat/<room>/, one synchronous and one not.
at_chat = {"sync": consumers.ChatConsumer, "async": consumers.ChatRoomConsumer}

websocket_urlpatterns = [
    re_path(r"^ws/socket/$", consumers.EchoConsumer.as_asgi()),
    re_path(r"^ws/chat/(?P<room_name>[^/]+)/$", at_chat[settings.CHAT_CONSUMER].as_asgi()),
    re_path(r"^ws/room/(?P<room_id>[^/]+)/$", consumers.RoomConsumer.as_asgi()),
    re_path(r"^ws/(?P<room_name>[^/]+)$", consumers.AsyncChatConsumer.as_asgi()),
]
