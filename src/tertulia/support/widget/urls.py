"""The widget's addresses, all below an inbox's public id. The loader has a view of its own."""

from django.urls import path

from ..mailing import pages as mailing
from . import pages, visitors

app_name = "tertulia_support_widget"

urlpatterns = [
    path("<str:inbox>/", pages.conversation, name="conversation"),
    path("<str:inbox>/settings/", pages.settings, name="settings"),
    path("<str:inbox>/picture/<slug:stem>.webp", pages.picture, name="picture"),
    path("<str:inbox>/visitor/", visitors.visitor, name="visitor"),
    path("<str:inbox>/unread/", visitors.unread, name="unread"),
    path("<str:inbox>/address/", visitors.address, name="address"),
    # No inbox is called `-`.
    path("-/no-mail/<str:token>/", mailing.no_mail, name="no_mail"),
]
