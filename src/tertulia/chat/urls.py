"""The chat's pages. A host project mounts them where it likes.

No slug begins with `-`, so whatever is not a room lives under `-/`.
"""

from django.urls import path

from . import invitation_views, views
from .profile import views as profile_views

app_name = "tertulia"

urlpatterns = [
    path("", views.home, name="home"),
    path("-/enter/", views.enter, name="enter"),
    path("-/rooms/", views.public_rooms, name="public_rooms"),
    path("-/rooms/<str:slug>/invitations/", invitation_views.room_invitations, name="invitations"),
    path("-/rooms/<str:slug>/invitations/mail/", invitation_views.mail_invitations),
    path("-/rooms/<str:slug>/invitations/<int:key>/revoke/", invitation_views.revoke),
    path("-/invitation/<str:token>/", invitation_views.invitation, name="invitation"),
    path("-/language/", profile_views.language, name="language"),
    path("-/settings/", profile_views.settings_page, name="settings"),
    path("-/settings/appearance/", profile_views.appearance, name="appearance"),
    path("-/settings/picture/", profile_views.picture_form, name="picture_form"),
    path("-/picture/<slug:stem>.webp", profile_views.picture, name="picture"),
    path("<str:slug>/", views.room, name="room"),
    path("<str:slug>/<int:seq>/", views.room, name="message"),
]
