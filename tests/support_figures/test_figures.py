"""The numbers of the page and of its CSV, each computed by hand here."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tests.support_desk.desk import Desk

from .numbers import (
    COLUMNS,
    FIRST,
    RESOLUTION,
    WAITING,
    Reader,
    measure,
    passes,
    put,
)

DAY = "2026-03-10"
OWN = {"period": "own", "first": DAY, "last": DAY}


def noon(day: str) -> str:
    return f"{day}T12:00:00+00:00"


def numbers(row: dict[str, str]) -> list[str]:
    return [row[column] for column in COLUMNS]


async def test_a_day_is_counted_as_it_is_done_by_hand(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana, bea = await desk.visitor(), await desk.agent(), await desk.agent("bea")
    room = await desk.conversation(visitor, "hello")
    # 10, 20 … 100: half of ten are no greater than 50, nine of ten no greater than 90.
    answers = [
        measure("answer", f"{DAY}T10:00:{n:02d}+00:00", 10 * (n + 1), within=n, agent=ana.id)
        for n in range(10)
    ]
    put(
        desk,
        room,
        *answers,
        *(measure("opened", noon(DAY)) for _ in range(3)),
        measure("reopened", noon(DAY)),
        # Of two, half is the smaller one.
        measure("first_answer", noon(DAY), 61, agent=ana.id),
        measure("first_answer", noon(DAY), 3_600, agent=bea.id),
        measure("resolution", noon(DAY), 86_400, within=28_800, agent=bea.id),
        *(measure("rating", noon(DAY), agent=ana.id, value=value) for value in (5, 5, 3)),
        measure("rating", noon(DAY), agent=bea.id, value=1),
    )
    reader = Reader(desk)
    wanted = ["3", "1", "1", "2", "61", "3600", "10", "50", "90"]
    wanted += ["86400", "86400", "4", "3.50"]
    assert numbers(reader.day(DAY)) == wanted
    within = reader.day(DAY, time="hours")
    assert [within[name] for name in WAITING] == ["4", "8"]
    assert [within[name] for name in RESOLUTION] == ["28800", "28800"]
    assert [within[name] for name in FIRST] == ["61", "3600"]

    by_agent = {row["Agent"]: row for row in reader.rows("agents", **OWN)}
    assert set(by_agent) == {desk.people["ana"].name, desk.people["bea"].name}
    hers = by_agent[desk.people["ana"].name]
    assert [hers[name] for name in (*WAITING, *FIRST)] == ["50", "90", "61", "61"]
    assert (hers["Resolved"], hers["Ratings"], hers["Rating, mean"]) == ("0", "3", "4.33")
    assert "Opened" not in hers

    beas = reader.day(DAY, agent=bea.id)
    assert [beas[name] for name in ("First answers", "Answers", "Resolved", "Ratings")] == [
        *("1", "0", "1", "1"),
    ]
    assert "Opened" not in beas


async def test_the_page_shows_the_same_in_words(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    put(
        desk,
        room,
        *(measure("opened", noon(DAY)) for _ in range(3)),
        *(measure("opened", noon("2026-03-09")) for _ in range(2)),
        measure("first_answer", noon(DAY), 125, agent=ana.id),
        measure("first_answer", noon("2026-03-09"), 250, agent=ana.id),
        measure("resolution", noon(DAY), 93_600, agent=ana.id),
        measure("rating", noon(DAY), agent=ana.id, value=4),
    )
    text = Reader(desk).ask(**OWN).text
    cards = {
        title: [*rest]
        for title, *rest in (
            re.findall(r"<d[td][^>]*>([^<]*)</d[td]>", card)
            for card in re.findall(r"<div>\s*(<dt>.*?)</div>", text, re.S)
        )
    }
    assert cards["Opened"] == ["3", "50\xa0% more; before: 2"]
    assert cards["First answer"] == [
        "2\xa0min 5\xa0s",
        "median; 9 of 10 within 2\xa0min 5\xa0s",
        "50\xa0% shorter; before: 4\xa0min 10\xa0s",
    ]
    assert cards["Resolution"][0] == "1\xa0d 2\xa0h"
    assert cards["Resolution"][-1] == "before: nothing"
    assert cards["Rating"][:2] == ["4.0", "of 5, by 1 rating"]
    assert cards["Waiting for an answer"] == ["–", "before: nothing"]
    assert "<bdi>" + desk.people["ana"].name in text
    within = Reader(desk).ask(**OWN, time="hours").text
    # Business hours make no days.
    assert "26\xa0h" in within


async def test_no_time_at_all_is_a_time(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    put(
        desk,
        room,
        measure("answer", noon("2026-03-09"), 0, agent=ana.id),
        measure("first_answer", noon("2026-03-09"), 0, agent=ana.id),
        measure("first_answer", noon(DAY), 60, agent=ana.id),
        measure("resolution", noon("2026-03-09"), 0, agent=ana.id),
        measure("resolution", noon(DAY), 0, agent=ana.id),
    )
    text = Reader(desk).ask(**OWN).text
    told = re.findall(r"before: [^<]*", text)
    # Opened, resolved, first answer, waiting, resolution, rating.
    assert told[2:5] == ["before: 0\xa0s", "before: 0\xa0s", "before: the same"]


async def test_a_day_is_one_of_the_inboxs_time_zone(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    # In Auckland, thirteen hours ahead, 10 March is from 9 March 11:00 until 10 March 11:00.
    moments = ("2026-03-09T10:59:59", "2026-03-09T11:00:00", "2026-03-10T10:59:59.999")
    put(desk, room, *(measure("opened", f"{at}+00:00") for at in moments))
    reader = Reader(desk)
    assert reader.day(DAY)["Opened"] == "1"
    desk.shell(
        'Inbox.objects.filter(pk=inbox.pk).update(hours={"time_zone": "Pacific/Auckland"})\n'
        f"Participant.objects.filter(public_id={ana.id!r}).update(time_zone='Asia/Tokyo')"
    )
    assert reader.day(DAY)["Opened"] == "2"
    assert reader.day("2026-03-09")["Opened"] == "1"
    assert "days of Pacific/Auckland, the time zone of the inbox" in reader.ask().text
    # Two inboxes have no time zone in common: it is that of who asks.
    desk.shell(f"""
Agent.objects.create(inbox=other, participant=Participant.objects.get(public_id={ana.id!r}))
""")
    assert "days of Asia/Tokyo, your time zone" in reader.ask().text
    assert "the time zone of the inbox" in reader.ask(inbox=desk.inbox).text
    assert [row["Opened"] for row in reader.rows("days", **OWN)] == ["1"]


async def test_several_inboxes_are_counted_together_and_each_by_itself(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    desk.shell(f"""
Agent.objects.create(inbox=other, participant=Participant.objects.get(public_id={ana.id!r}))
""")
    put(
        desk,
        room,
        measure("answer", noon(DAY), 10, agent=ana.id),
        measure("answer", noon(DAY), 20, agent=ana.id, inbox=desk.other),
        measure("answer", noon(DAY), 30, agent=ana.id, inbox=desk.other),
    )
    reader = Reader(desk)
    assert [reader.day(DAY)[name] for name in WAITING] == ["20", "30"]
    by_inbox = {row["Inbox"]: row for row in reader.rows("inboxes", **OWN)}
    assert by_inbox["Shop"]["Waiting, median (s)"] == "10"
    assert by_inbox["Returns"]["Waiting, median (s)"] == "20"
    assert reader.day(DAY, inbox=desk.other)["Answers"] == "2"


async def test_many_days_are_shown_by_weeks(desk: Desk) -> None:
    visitor = await desk.visitor()
    room = await desk.conversation(visitor, "hello")
    # A Sunday and the Monday after it.
    put(desk, room, measure("opened", noon("2026-03-08")), measure("opened", noon("2026-03-09")))
    rows = Reader(desk).rows(period="own", first="2026-02-05", last="2026-06-01")
    spans = [(row["First day"], row["Last day"]) for row in rows]
    assert spans[:2] == [("2026-02-05", "2026-02-08"), ("2026-02-09", "2026-02-15")]
    assert spans[-1] == ("2026-06-01", "2026-06-01")
    opened = {row["First day"]: row["Opened"] for row in rows if row["Opened"] != "0"}
    assert opened == {"2026-03-02": "1", "2026-03-09": "1"}


async def test_the_days_before_end_at_the_same_time_of_day(desk: Desk) -> None:
    """What is not over yet must not look like less than what is."""
    visitor = await desk.visitor()
    room = await desk.conversation(visitor, "hello")
    week = datetime.now(UTC) - timedelta(days=7)
    put(
        desk,
        room,
        measure("opened", datetime.now(UTC).isoformat()),
        measure("opened", (week - timedelta(seconds=5)).isoformat()),
        measure("opened", (week + timedelta(seconds=40)).isoformat()),
    )
    text = Reader(desk).ask(period="7").text
    assert "before: the same" in text


async def test_who_waits_at_this_moment_stands_first(everywhere: Desk) -> None:
    desk = everywhere
    ana = await desk.agent()
    reader = Reader(desk)
    assert "Nobody is waiting for an answer." in reader.ask().text
    first, second = [await desk.visitor(number) for number in range(2)]
    longest = await desk.conversation(first, "hello")
    passes(desk, longest, hours=2)
    await desk.conversation(second, "hello")
    text = reader.ask().text
    assert "2 people are waiting" in text
    assert re.search(r"the longest for 2\xa0h:\s*<a href=\"([^\"]+)\"", text)
    assert f'href="/support/-/inbox/{longest}/"' in text
    await ana.say(longest, "yes?")
    assert "1 person is waiting" in reader.ask().text
    assert "Nobody is waiting for an answer." in reader.ask(agent=ana.id).text


async def test_an_empty_desk_says_so(desk: Desk) -> None:
    answer = Reader(desk).ask()
    assert answer.status == 200
    assert "Nothing happened in these days" in answer.text
    assert len(Reader(desk).rows(period="7")) == 7
    assert Reader(desk).rows("agents") == []


async def test_names_are_no_formulas(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    put(desk, room, measure("answer", noon(DAY), 10, agent=ana.id))
    reader = Reader(desk)
    for name in ('=HYPERLINK("http://evil.example")', "+1", "-1", "@SUM(A1)", "\u200e=1", "＝1"):
        desk.shell(f"Participant.objects.filter(public_id={ana.id!r}).update(name={name!r})")
        (row,) = reader.rows("agents", **OWN)
        assert row["Agent"] == "'" + name.lstrip("\u200e")
    answer = reader.ask(format="csv", **OWN)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_whose_account_is_gone_leaves_his_numbers(desk: Desk) -> None:
    """They are nobody's then, and the whole stays what it was."""
    visitor = await desk.visitor()
    room = await desk.conversation(visitor, "hello")
    put(desk, room, measure("answer", noon(DAY), 10))
    (row,) = Reader(desk).rows("agents", **OWN)
    assert (row["Agent"], row["Answers"]) == ("nobody's", "1")
