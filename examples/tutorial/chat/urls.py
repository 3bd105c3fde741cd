"""The two pages: a field for the name of a room, and the room.

Nothing of a room is in its page but the name: what is said arrives through the socket.
"""

from django.urls import path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="chat/index.html"), name="index"),
    path("<str:room_name>/", TemplateView.as_view(template_name="chat/room.html"), name="room"),
]
