"""The agents' addresses. No inbox is called `-`, so they stand beside the widget's."""

from django.urls import path, reverse

from tertulia.chat import places
from tertulia.chat.models import Participant

from ..models import Agent
from . import views

app_name = "tertulia_support_inbox"

urlpatterns = [
    path("", views.page, name="list"),
    path("<str:room>/", views.page, name="conversation"),
    path("<str:room>/changes/", views.changes, name="changes"),
]


def _place(person: Participant) -> str | None:
    """The way from the chat, for agents."""
    mine = Agent.objects.filter(participant=person)
    return reverse(f"{app_name}:list") if mine.exists() else None


places.offered["inbox"] = _place
