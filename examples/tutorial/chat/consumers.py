"""One consumer for each open socket, and in the room's group one member for each.

Whatever is said goes to the group; the layer puts a copy into every member's queue, and every
consumer encodes its copy anew for its own socket.
"""

import hashlib
import json
import logging
import re
from typing import NamedTuple

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from django.conf import settings

from .models import store

logger = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a consumer is: the group of its room, and the address under which it is kept."""

    group: str
    url: str


def place_of(prefix: str, room: str, url: str) -> Place:
    """A layer takes fewer than 100 of these characters in a group's name, and no others."""
    fits = re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", room)
    return Place(prefix + (room if fits else hashlib.sha256(room.encode()).hexdigest()), url)


def text_in(frame: str | None) -> str | None:
    """`hola` of `{"message": "hola"}`, further fields ignored; None for anything else."""
    try:
        data = json.loads(frame or "")
    except (ValueError, RecursionError):
        return None
    text = data.get("message") if isinstance(data, dict) else None
    return text if isinstance(text, str) else None


def spoken(text: str, user) -> dict[str, str]:
    """The event for the group, which each member passes on as it is."""
    return {"type": "chat_message", "message": text, "username": user.get_username() or "guest"}


class EchoConsumer(AsyncWebsocketConsumer):
    """`ws/socket/`: says to each what he said himself."""

    async def connect(self):
        logger.info("WebSocket connected")
        await self.accept()

    async def disconnect(self, close_code):
        logger.info("WebSocket disconnected")

    async def receive(self, text_data=None, bytes_data=None):
        if text_data is not None:
            await self.send(text_data=f"You said: {text_data}")


class ChatConsumer(WebsocketConsumer):
    """`ws/chat/<room>/`, synchronous: its methods run in a thread, so they may use the database."""

    def place(self) -> Place:
        room = self.scope["url_route"]["kwargs"]["room_name"]
        return place_of("chat_", room, f"/chat/{room}/")

    def connect(self):
        self.at = self.place()
        async_to_sync(self.channel_layer.group_add)(self.at.group, self.channel_name)
        self.accept()

    def disconnect(self, close_code):
        async_to_sync(self.channel_layer.group_discard)(self.at.group, self.channel_name)

    def receive(self, text_data=None, bytes_data=None):
        text = text_in(text_data)
        if text is not None:
            event = spoken(text, self.scope["user"])
            if settings.STORE_MESSAGES:
                store(self.at.url, self.scope["user"], event)
            async_to_sync(self.channel_layer.group_send)(self.at.group, event)

    def chat_message(self, event):
        """The group has something for this member: the layer finds the method by `type`."""
        self.send(text_data=json.dumps(event))


class RoomConsumer(ChatConsumer):
    """`ws/room/<id>/`: the same with rooms that have an id, in groups of their own."""

    def place(self) -> Place:
        room = self.scope["url_route"]["kwargs"]["room_id"]
        return place_of("sala_chat_", room, f"/room/{room}/")


class AsyncChatConsumer(AsyncWebsocketConsumer):
    """`ws/<room>`: as ChatConsumer, in the same groups, without a thread for each step."""

    async def connect(self):
        room = self.scope["url_route"]["kwargs"]["room_name"]
        self.at = place_of("chat_", room, f"/chat/{room}/")
        await self.channel_layer.group_add(self.at.group, self.channel_name)
        await self.accept()

    async def disconnect(self, close_code):
        await self.channel_layer.group_discard(self.at.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        text = text_in(text_data)
        if text is not None:
            event = spoken(text, self.scope["user"])
            if settings.STORE_MESSAGES:
                await database_sync_to_async(store)(self.at.url, self.scope["user"], event)
            await self.channel_layer.group_send(self.at.group, event)

    async def chat_message(self, event):
        await self.send(text_data=json.dumps(event))

    async def tester_message(self, event):
        """Here too, since the group is shared with consumers that greet."""
        await self.send(text_data=json.dumps({"tester": event["tester"]}))


class ChatRoomConsumer(AsyncChatConsumer):
    """`ws/chat/<room>/`, asynchronous: whoever enters greets the room, himself included."""

    async def connect(self):
        await super().connect()
        greeting = {"type": "tester_message", "tester": "hello_world"}
        await self.channel_layer.group_send(self.at.group, greeting)
