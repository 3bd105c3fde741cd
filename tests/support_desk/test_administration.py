"""An administrator sets a desk up by the pages of the administration."""

from __future__ import annotations

import json
from typing import Any

from .desk import Desk

# Django's own client, in a process beside the server: what it writes is what the server reads.
SET_UP = """
import json, re
from django.contrib.auth import get_user_model
from django.test import Client
from tertulia.chat.people import participant_of
users = get_user_model().objects
users.filter(username="the-desks-boss").delete()
client = Client(headers={"host": "localhost"})
client.force_login(users.create_superuser("the-desks-boss", "", "x"))
ana = participant_of(users.get(username=%(ana)r))
form = {
    "name": "Shop of the test", "colour": "#112233", "title_en": "Hi", "greeting_es": "Hola",
    "sites": "https://Shop.example.org/\\nhttp://localhost:8001",
    "hours_zone": "Europe/Madrid", "hours_mon": "9-13.30, 15:00–18:00",
    "hours_holidays": "12-25\\n2026-12-24 09:00-13:00",
    "agents-TOTAL_FORMS": "1", "agents-INITIAL_FORMS": "0", "agents-0-participant": ana.pk,
    "agents-0-available": "on", "replies-TOTAL_FORMS": "1", "replies-INITIAL_FORMS": "0",
    "replies-0-shortcut": "hi", "replies-0-text": "Hello",
}
add = "/admin/tertulia_support/inbox/add/"
told = {"added": client.post(add, form).status_code}
made = Inbox.objects.order_by("-pk").first()
page = client.get(
    f"/admin/tertulia_support/inbox/{made.pk}/change/", headers={"accept-language": "es"}
).content.decode()
told["shown"] = [
    made.secret in page, "Hacer un secreto nuevo" in page,
    f'src=&quot;http://localhost/widget.js&quot; data-inbox=&quot;{made.public_id}&quot;' in page,
    'value="09:00-13:30, 15:00-18:00"' in page, "2026-12-24 09:00-13:00" in page,
]
act = {"action": "renew_secret", "_selected_action": made.pk}
asking = client.post("/admin/tertulia_support/inbox/", act).content.decode()
told["no form where none is needed"] = "None" not in asking
told["asked first"] = Inbox.objects.get(pk=made.pk).secret == made.secret
client.post("/admin/tertulia_support/inbox/", {**act, "post": "yes"})
told["renewed"] = Inbox.objects.get(pk=made.pk).secret != made.secret
told["made"] = [made.sites, made.texts, made.hours, made.public_id]
told["refused"] = [
    client.post(add, {**form, **wrong}).status_code
    for wrong in (
        {"sites": "javascript:alert(1)"}, {"hours_zone": "Nowhere"}, {"hours_tue": "early"},
        {"hours_sun": "18:00-09:00"}, {"hours_holidays": "Christmas"}, {"hours_holidays": "1-2 x"},
        {"colour": "red;"}, {"most": "0"}, {"name": ""},
    )
]
told["count"] = Inbox.objects.filter(name="Shop of the test").count()
bare = {name: value for name, value in form.items() if "agents-0" not in name}
bare |= {"name": "Bare", "sites": "", "agents-TOTAL_FORMS": "0"}
saved = client.post(add, bare, follow=True).content.decode()
told["what is missing"] = ["name your sites" in saved, "make somebody an agent of it" in saved]
saved = client.post(add, form, follow=True).content.decode()
told["nothing missing"] = "yet:" not in saved
print(json.dumps(told))
"""


async def test_an_inbox_with_its_agents_is_set_up_on_one_page(desk: Desk) -> None:
    name = desk.people["ana"].name
    told: dict[str, Any] = json.loads(
        desk.shell(SET_UP.replace("%(ana)r", repr(name))).strip().splitlines()[-1]
    )
    assert told["added"] == 302
    assert told["shown"] == [True] * 5
    assert told["asked first"]
    assert told["no form where none is needed"]
    assert told["what is missing"] == [True, True]
    assert told["nothing missing"]
    assert told["renewed"]
    sites, texts, hours, public_id = told["made"]
    assert sites == ["https://shop.example.org", "http://localhost:8001"]
    assert texts == {"en": {"title": "Hi"}, "es": {"greeting": "Hola"}}
    assert hours == {
        "time_zone": "Europe/Madrid",
        "weekly": {"mon": [["09:00", "13:30"], ["15:00", "18:00"]]},
        "holidays": {"12-25": [], "2026-12-24": [["09:00", "13:00"]]},
    }
    assert told["refused"] == [200] * 9
    assert told["count"] == 1
    ana = await desk.agent()
    mine = (await ana.cmd("inbox.list"))["inboxes"]
    assert public_id in [inbox["id"] for inbox in mine]


ARCHIVE = """
from django.contrib.auth import get_user_model
from tertulia.chat.actions import UpdateRoom
from tertulia.chat.authority import Administrator
from tertulia.chat.people import participant_of, speaker_of
from tertulia.chat.perform import perform
from tertulia.protocol.errors import ProtocolError
users = get_user_model().objects
boss = users.filter(username="the-rooms-boss").first() or users.create_superuser("the-rooms-boss")
act = UpdateRoom(speaker_of(participant_of(boss)), {room!r}, archived=True)
try:
    perform(act, Administrator(boss.pk, "tertulia_chat.change_room"))
except ProtocolError as error:
    print(error.code.value)
"""


async def test_an_administrator_does_not_archive_a_conversation(desk: Desk) -> None:
    """Its visitor could never write again: it is resolved, which he may undo by writing."""
    visitor = await desk.visitor()
    room = await desk.conversation(visitor, "hello")
    assert desk.shell(ARCHIVE.format(room=room)).split()[-1] == "forbidden"
    await visitor.say(room, "still here")
