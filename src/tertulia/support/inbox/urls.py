"""The agents' addresses. No inbox is called `-`, so they stand beside the widget's."""

from django.urls import path, reverse

from tertulia.chat import places
from tertulia.chat.models import Participant

from ..figures.views import page as figures
from ..models import Agent
from . import views

app_name = "tertulia_support_inbox"

urlpatterns = [
    path("", views.page, name="list"),
    # No conversation is called so: their addresses are random.
    path("figures/", figures, name="figures"),
    path("<str:room>/", views.page, name="conversation"),
    path("<str:room>/<int:seq>/", views.page, name="message"),
    path("<str:room>/note-<int:note>/", views.page, name="note"),
    path("<str:room>/changes/", views.changes, name="changes"),
]


def _place(person: Participant) -> str | None:
    """The way from the chat, for agents."""
    mine = Agent.objects.filter(participant=person)
    return reverse(f"{app_name}:list") if mine.exists() else None


places.offered["inbox"] = _place
