"""The language and time zone that somebody has chosen, on every page of the site."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin

from tertulia.chat.people import me
from tertulia.chat.profile.spoken import WRITTEN_IN, zone_of


class OwnLanguage(MiddlewareMixin):
    """Behind Django's LocaleMiddleware, which goes by cookie and browser, and who is signed in."""

    def process_request(self, request: HttpRequest) -> None:
        """Sets both anew each time: the thread has served others before."""
        person = me(request) if request.user.is_authenticated else None
        zone = zone_of(person) if person is not None else None
        if zone is not None:
            timezone.activate(zone)
        else:
            timezone.deactivate()
        if person is not None and person.language in WRITTEN_IN:
            translation.activate(person.language)
            request.LANGUAGE_CODE = person.language
