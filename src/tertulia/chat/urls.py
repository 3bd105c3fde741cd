"""The chat's pages. A host project mounts them where it likes.

No slug begins with `-`, so whatever is not a room lives under `-/`.
"""

from django.urls import path

from . import views

app_name = "tertulia"

urlpatterns = [
    path("", views.home, name="home"),
    path("-/enter/", views.enter, name="enter"),
    path("-/rooms/", views.public_rooms, name="public_rooms"),
    path("-/language/", views.language, name="language"),
    path("<str:slug>/", views.room, name="room"),
    path("<str:slug>/<int:seq>/", views.room, name="message"),
]
