"""Where things are; the chat's own addresses are in `tertulia.chat.urls`."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from tertulia.support.widget.script import widget_script

from .accounts import email, invite, mailed, reset, setup, views
from .lean import without_comments

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="tertulia:home")),
    path("chat/", include("tertulia.chat.urls")),
    path("support/-/inbox/", include("tertulia.support.inbox.urls")),
    path("support/", include("tertulia.support.widget.urls")),
    path("widget.js", widget_script(without_comments), name="widget"),
    path("accounts/login/", views.SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/signup/", views.sign_up, name="sign_up"),
    path("accounts/password/", views.ChangePassword.as_view(), name="password_change"),
    path("accounts/email/", email.change_email, name="email_change"),
    path("accounts/reset/", reset.forgotten, name="password_reset"),
    path(
        "accounts/reset/<uidb64>/<token>/",
        reset.ChooseAnother.as_view(),
        name="password_reset_confirm",
    ),
    path("accounts/setup/<str:token>/", setup.set_up, name="set_up"),
    path("accounts/invite/", invite.invite, name="invite"),
    path("accounts/invite/mail/", mailed.invite_by_mail, name="invite_by_mail"),
    path("accounts/invite/<int:key>/revoke/", invite.revoke, name="revoke_invitation"),
    # The administration's pages name no icon, and browsers then ask here.
    path("favicon.ico", RedirectView.as_view(url=static("tertulia/icon.svg"))),
    path("admin/login/", views.admin_sign_in),
    path("admin/", admin.site.urls),
]
