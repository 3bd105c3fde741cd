"""Who gets what from every address, as data: written from the contract, tried over real HTTP.

An address of the URLconf without a row here fails the tests (`test_addresses.py`). Statuses stand
in the order of `ROLES`; the room of `{room}` is private, that of `{public}` public. The member is
one of both, the others of neither.
"""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("anonymous", "member", "stranger", "staff", "administrator")
MEANING = {
    "anonymous": "nobody is signed in",
    "member": "somebody with an account, a member of the rooms",
    "stranger": "somebody with an account, no member of them",
    "staff": "an account of the staff without any permission",
    "administrator": "a superuser, no member of the rooms",
}
Statuses = tuple[int, ...]


def _all(status: int) -> Statuses:
    return (status,) * len(ROLES)


def _signed_in(status: int, anonymous: int = 302) -> Statuses:
    return (anonymous, *_all(status)[1:])


NOT_ALLOWED = _all(405)
_MEMBERS = (302, 200, 404, 404, 404)


@dataclass(frozen=True)
class Address:
    """One address in one case. `post` is with a CSRF token and the fields of `form`, or `body`.

    `post` None: what it does is tried elsewhere. `other`: the answer to PUT, PATCH and DELETE;
    `put` where Django's form views take PUT for a POST, whose fields they then do not find.
    """

    route: str
    path: str
    get: Statuses
    post: Statuses | None = NOT_ALLOWED
    case: str = ""
    form: tuple[tuple[str, str], ...] = ()
    # JSON.
    body: str = ""
    other: int = 405
    put: int | None = None
    # A page of one of the administration's models: the same few views of Django's for all.
    of_model: bool = False
    # No cookie means anything there, so no CSRF token is asked for.
    cookieless: bool = False


_LINKS = "chat/-/rooms/<str:slug>/invitations/"
_MAIL, _MAIL_TO_SITE = f"{_LINKS}mail/", "accounts/invite/mail/"
_REVOKE = "chat/-/rooms/<str:slug>/invitations/<int:key>/revoke/"
_INVITATION = "chat/-/invitation/<str:token>/"
_ROOM, _MESSAGE = "chat/<str:slug>/", "chat/<str:slug>/<int:seq>/"
_RESET = "accounts/reset/<uidb64>/<token>/"

CHAT = (
    Address("chat/", "/chat/", _signed_in(200)),
    Address("chat/-/enter/", "/chat/-/enter/", _signed_in(302)),
    Address("chat/-/rooms/", "/chat/-/rooms/", _signed_in(200, 401)),
    Address(
        _LINKS,
        "/chat/-/rooms/{room}/invitations/",
        (401, 200, 404, 404, 404),
        (401, 201, 404, 404, 404),
        "private room",
    ),
    Address(
        _LINKS,
        "/chat/-/rooms/{public}/invitations/",
        (401, 200, 403, 403, 403),
        (401, 201, 403, 403, 403),
        "public room",
    ),
    Address(
        _LINKS,
        "/chat/-/rooms/{absent}/invitations/",
        _signed_in(404, 401),
        _signed_in(404, 401),
        "no room",
    ),
    Address(
        _MAIL,
        "/chat/-/rooms/{room}/invitations/mail/",
        NOT_ALLOWED,
        _signed_in(403, 401),
        "no mail server is set",
    ),
    Address(
        _REVOKE,
        "/chat/-/rooms/{room}/invitations/{key}/revoke/",
        NOT_ALLOWED,
        (401, 200, 404, 404, 404),
        "the member's, private room",
    ),
    Address(
        _REVOKE,
        "/chat/-/rooms/{public}/invitations/{public_key}/revoke/",
        NOT_ALLOWED,
        (401, 200, 403, 403, 403),
        "the member's, public room",
    ),
    Address(
        _REVOKE,
        "/chat/-/rooms/{public}/invitations/{key}/revoke/",
        NOT_ALLOWED,
        (401, 404, 403, 403, 403),
        "of another room",
    ),
    Address(
        _INVITATION,
        "/chat/-/invitation/{link}/",
        (302, 302, 200, 200, 200),
        None,
        "a good link",
    ),
    Address(
        _INVITATION,
        "/chat/-/invitation/made-up/",
        _signed_in(404),
        _signed_in(404),
        "a made-up link",
    ),
    Address("chat/-/language/", "/chat/-/language/", NOT_ALLOWED, _all(302)),
    Address("chat/-/settings/", "/chat/-/settings/", _signed_in(200), _signed_in(200)),
    Address(
        "chat/-/settings/appearance/",
        "/chat/-/settings/appearance/",
        NOT_ALLOWED,
        _signed_in(302),
    ),
    Address(
        "chat/-/settings/picture/",
        "/chat/-/settings/picture/",
        NOT_ALLOWED,
        _signed_in(400),
    ),
    Address(
        "chat/-/picture/<slug:stem>.webp",
        "{picture}",
        _signed_in(200, 404),
        case="the member's",
    ),
    Address(
        "chat/-/picture/<slug:stem>.webp",
        "/chat/-/picture/made-up.webp",
        _all(404),
        case="no picture",
    ),
    Address(_ROOM, "/chat/{room}/", _MEMBERS, case="private"),
    Address(_ROOM, "/chat/{direct}/", _MEMBERS, case="direct"),
    Address(_ROOM, "/chat/{public}/", _signed_in(200), case="public"),
    Address(_ROOM, "/chat/{absent}/", _signed_in(404), case="no room"),
    Address(_MESSAGE, "/chat/{room}/{seq}/", _MEMBERS, case="private"),
    Address(_MESSAGE, "/chat/{direct}/1/", _MEMBERS, case="direct"),
    Address(_MESSAGE, "/chat/{public}/1/", _signed_in(200), case="public"),
    Address(_MESSAGE, "/chat/{absent}/1/", _signed_in(404), case="no room"),
)

_AGENTS = "support/-/inbox/"
# The agents' page: a frame without contents, the same for everybody. What it is filled with, and
# the changes of a conversation that is there, are tried in `tests/support_desk` and `tests/e2e`.
AGENTS = (
    Address(_AGENTS, "/support/-/inbox/", _signed_in(200)),
    # Who answers in an inbox is tried in `tests/support_figures`.
    Address(f"{_AGENTS}figures/", "/support/-/inbox/figures/", _signed_in(200)),
    Address(
        f"{_AGENTS}figures/",
        "/support/-/inbox/figures/?format=csv",
        _signed_in(404),
        case="CSV, for who answers nowhere",
    ),
    Address(f"{_AGENTS}<str:room>/", "/support/-/inbox/{absent}/", _signed_in(200)),
    Address(f"{_AGENTS}<str:room>/<int:seq>/", "/support/-/inbox/{absent}/1/", _signed_in(200)),
    Address(
        f"{_AGENTS}<str:room>/note-<int:note>/",
        "/support/-/inbox/{absent}/note-1/",
        _signed_in(200),
    ),
    Address(
        f"{_AGENTS}<str:room>/changes/",
        "/support/-/inbox/{absent}/changes/",
        _signed_in(404, 401),
        case="no conversation",
    ),
    Address(
        f"{_AGENTS}<str:room>/changes/",
        "/support/-/inbox/{room}/changes/",
        _signed_in(404, 401),
        case="a private room",
    ),
)

_INBOX, _NO_INBOX = "support/<str:inbox>/", "/support/made-up/"
# The widget, which asks nobody who he is. Those of an inbox that is there, and which sites may call
# them, are tried in `tests/support_widget`.
WIDGET = (
    Address("widget.js", "/widget.js", _all(200)),
    Address(_INBOX, _NO_INBOX, _all(404), case="no inbox"),
    Address(f"{_INBOX}settings/", f"{_NO_INBOX}settings/", _all(404), case="no inbox"),
    Address(
        f"{_INBOX}picture/<slug:stem>.webp",
        f"{_NO_INBOX}picture/made-up.webp",
        _all(404),
        case="no inbox",
    ),
    *(
        Address(
            f"{_INBOX}{name}/",
            f"{_NO_INBOX}{name}/",
            NOT_ALLOWED,
            _all(404),
            "no inbox",
            cookieless=True,
        )
        for name in ("visitor", "unread", "address")
    ),
    Address(
        "support/-/no-mail/<str:token>/",
        "/support/-/no-mail/made-up/",
        _all(404),
        _all(404),
        "a made-up link",
        cookieless=True,
    ),
)

_GUESTS_ONLY = (200, 302, 302, 302, 302)
_STAFF = (302, 403, 403, 200, 200)
ACCOUNTS = (
    Address("", "/", _all(302), _all(302), other=302),
    Address("favicon.ico", "/favicon.ico", _all(302), _all(302), other=302),
    Address("accounts/login/", "/accounts/login/", _GUESTS_ONLY, _GUESTS_ONLY, other=302),
    # Signing out ends the session: `test_sign_out.py` and the access tests do it.
    Address("accounts/logout/", "/accounts/logout/", NOT_ALLOWED, None),
    Address("accounts/signup/", "/accounts/signup/", _GUESTS_ONLY, _GUESTS_ONLY),
    Address("accounts/password/", "/accounts/password/", _signed_in(200), _signed_in(200), put=200),
    Address("accounts/email/", "/accounts/email/", _signed_in(200), _signed_in(200)),
    Address("accounts/reset/", "/accounts/reset/", _all(200), _all(200)),
    Address(
        _RESET, "/accounts/reset/MQ/made-up/", _all(200), _all(200), "a made-up link", other=200
    ),
    Address(
        "accounts/setup/<str:token>/",
        "/accounts/setup/made-up/",
        _all(404),
        _all(404),
        "a made-up link",
    ),
    Address("accounts/invite/", "/accounts/invite/", _STAFF, _STAFF),
    Address(
        _MAIL_TO_SITE,
        "/accounts/invite/mail/",
        (302, 403, 403, 405, 405),
        (302, 403, 403, 302, 302),
        "no mail server is set",
    ),
    Address(
        "accounts/invite/<int:key>/revoke/",
        "/accounts/invite/999999/revoke/",
        (302, 403, 403, 405, 405),
        (302, 403, 403, 302, 302),
    ),
)

# Inviting by mail, on a server that has somebody to give its mails to.
MAIL = (
    Address(
        _MAIL,
        "/chat/-/rooms/{room}/invitations/mail/",
        NOT_ALLOWED,
        (401, 200, 404, 404, 404),
        "private room, a mail server is set",
        body='{"addresses": "to-the-private@example.org"}',
    ),
    Address(
        _MAIL,
        "/chat/-/rooms/{public}/invitations/mail/",
        NOT_ALLOWED,
        (401, 200, 403, 403, 403),
        "public room, a mail server is set",
        body='{"addresses": "to-the-public@example.org"}',
    ),
    Address(
        _MAIL,
        "/chat/-/rooms/{absent}/invitations/mail/",
        NOT_ALLOWED,
        _signed_in(404, 401),
        "no room, a mail server is set",
        body='{"addresses": "to-none@example.org"}',
    ),
    Address(
        _MAIL_TO_SITE,
        "/accounts/invite/mail/",
        (302, 403, 403, 405, 405),
        (302, 403, 403, 302, 302),
        "a mail server is set",
        (("addresses", "to-the-site@example.org"),),
    ),
    Address(
        _MAIL_TO_SITE,
        "/accounts/invite/mail/",
        (302, 403, 403, 405, 405),
        (302, 403, 403, 400, 400),
        "no address, a mail server is set",
    ),
)
# How many mails go to whom when everybody has tried all of that: to the site by two.
MAILED = {
    "to-the-private@example.org": 1,
    "to-the-public@example.org": 1,
    "to-the-site@example.org": 2,
}

_AT_THE_DOOR = (302, 302, 302)
_DESK = (*_AT_THE_DOOR, 200, 200)
# The administration as a whole; its pages of models follow from `MODELS`.
ADMIN = (
    Address("admin/login/", "/admin/login/", (302, 403, 403, 302, 302), None),
    Address("admin/", "/admin/", _DESK, None),
    Address("admin/logout/", "/admin/logout/", (*_AT_THE_DOOR, 405, 405), None),
    Address("admin/password_change/", "/admin/password_change/", _DESK, None),
    Address("admin/password_change/done/", "/admin/password_change/done/", _DESK, None),
    Address("admin/autocomplete/", "/admin/autocomplete/", (*_AT_THE_DOOR, 403, 403), None),
    Address("admin/jsi18n/", "/admin/jsi18n/", _DESK, None),
    Address(
        "admin/r/<path:content_type_id>/<path:object_id>/",
        "/admin/r/0/0/",
        (*_AT_THE_DOOR, 404, 404),
        None,
    ),
    Address(
        "admin/tertulia_chat/message/at/<int:room_id>/<int:seq>/",
        "/admin/tertulia_chat/message/at/0/1/",
        (*_AT_THE_DOOR, 403, 404),
        None,
        case="no such message",
    ),
    Address("admin/<app_label>/", "/admin/tertulia_chat/", (*_AT_THE_DOOR, 404, 200), None),
    Address("admin/<url>", "/admin/no/such/page", (*_AT_THE_DOOR, 404, 404), None),
)
# What an administrator may do with each model through its own pages. The log is read-only; what
# changes rooms and members goes through the chat's actions and is in the log.
MODELS = {
    "admin.logentry": "view",
    "auth.group": "view add change delete",
    "auth.user": "view add change delete",
    "tertulia_chat.accesschange": "view",
    "tertulia_chat.event": "view",
    "tertulia_chat.installation": "view",
    "tertulia_chat.membership": "view add delete",
    "tertulia_chat.mention": "view",
    "tertulia_chat.message": "view",
    "tertulia_chat.participant": "view change",
    "tertulia_chat.reaction": "view",
    "tertulia_chat.room": "view change",
    "tertulia_chat.roominvitation": "view",
    "tertulia_chat.token": "view delete",
    "tertulia_project.invitation": "view",
    "tertulia_support.inbox": "view add change delete",
}
# Pages of a model, and which of the words above opens each.
MODEL_PAGES = {
    "": "view",
    "add/": "add",
    "<path:object_id>/history/": "view",
    "<path:object_id>/delete/": "delete",
    "<path:object_id>/change/": "view",
    # Old links lead on to the page itself.
    "<path:object_id>/": "",
}
MORE_PAGES = {
    "auth.user": {"<id>/password/": "change"},
    "tertulia_chat.participant": {"signed-in/": "view"},
}


def model_addresses(objects: dict[str, str]) -> list[Address]:
    """The administration's pages of every model; `objects`: a primary key of each."""
    found = []
    for label, allowed in MODELS.items():
        for page, needed in {**MODEL_PAGES, **MORE_PAGES.get(label, {})}.items():
            base = f"admin/{label.replace('.', '/')}/"
            path = page.replace("<path:object_id>", "{pk}").replace("<id>", "{pk}")
            may = needed in allowed.split()
            statuses = (*_AT_THE_DOOR, 403, 200 if may else 403) if needed else _all(302)
            found.append(
                Address(
                    route=base + page,
                    path="/" + base + path.format(pk=objects.get(label, "0")),
                    get=statuses,
                    # What an administrator may do is tried in the tests of the administration.
                    post=None if may or not needed else statuses,
                    of_model=True,
                )
            )
    return found


# Answered before Django: the process and its state, the same to everybody, whatever the method.
BEFORE_DJANGO = {"/healthz": 200, "/readyz": 200}
# From this machine, without a proxy between, the metrics are for everybody; from elsewhere:
METRICS: Statuses = (403, 403, 403, 403, 200)
