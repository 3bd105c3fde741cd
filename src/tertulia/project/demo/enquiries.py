"""Five weeks of short enquiries that are settled: what the desk's figures are drawn from."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from .bookdrop import BOOKS, PLACES
from .desk import AGENTS
from .script import TOWN, VISITOR, Act, Line, RoomScript

COUNT = 60
# Of the days that the desk is open; Saturday has half of it.
FIRST, LAST, LAST_ON_SATURDAY = 9.6, 18.2, 13.4
NAMES = (
    *("Adela", "Bernat", "Chiara", "Dolores", "Eamon", "Fátima", "Gonzalo", "Hanna", "Iker"),
    *("Jana", "Koldo", "Lidia", "Marcel", "Nieves", "Olga", "Pau", "Quim", "Rocío", "Saskia"),
    *("Teo", "Uxía", "Vera", "Wanda", "Ximena", "Yago", "Zoe"),
)
# What is asked, answered and said at the end, in English and Spanish. Each asks for a number, so
# that nobody says what somebody else has said.
ASKED = {
    "en": (
        ("Is *{title}* back yet? My reservation is no. {number}.", "Thanks!"),
        ("May I keep *{title}* for another two weeks? Loan {number}.", "Wonderful."),
        ("I cannot find *{title}* in the app; on the shelf label it says {number}.", "Got it now."),
        ("Could somebody put *{title}* aside for card {number}?", "See you later, then."),
    ),
    "es": (
        ("¿Ha vuelto ya *{title}*? Mi reserva es la {number}.", "¡Gracias!"),
        ("¿Puedo quedarme *{title}* dos semanas más? Préstamo {number}.", "Estupendo."),
        ("No encuentro *{title}* en la aplicación; en el tejuelo pone {number}.", "Ya lo tengo."),
        ("¿Me pueden guardar *{title}*? Carnet {number}.", "Hasta luego."),
    ),
}
ANSWERED = {
    "en": (
        "Done, no. {number}: *{title}* by {author}, {place}.",
        "I have just looked: copy {copy} of *{title}* is there, {place}. Noted for {number}.",
        "Of course. *{title}*, {number}, is yours until the end of the month.",
    ),
    "es": (
        "Hecho, n.º {number}: *{title}*, de {author}, {place}.",
        "Acabo de mirar: el ejemplar {copy} de *{title}* está, {place}. Apuntado para {number}.",
        "Por supuesto. *{title}*, {number}, es suyo hasta fin de mes.",
    ),
}
SAID = {5: ("Very kind.", "Muy amable."), 3: ("It took a while.", "Tardó un poco.")}


def enquiries(now: datetime, days: int, chance: random.Random) -> list[RoomScript]:
    """About `COUNT` of them in five weeks, none in the last two hours."""
    made = [
        _enquiry(number, begun, chance)
        for number, begun in enumerate(_times(now.astimezone(TOWN), days, chance))
    ]
    for script in made:
        script.acts = [act for act in script.acts if act.at < now]
    return [script for script in made if script.acts]


def _times(now: datetime, days: int, chance: random.Random) -> list[datetime]:
    """When somebody asks: within the desk's hours, most in the late morning."""
    times = []
    for _ in range(COUNT * days // 35):
        day = now - timedelta(days=chance.randint(0, days))
        last = LAST_ON_SATURDAY if day.weekday() == 5 else LAST
        hour = chance.triangular(FIRST, last, 11.5)
        at = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
        if day.weekday() != 6 and at < now - timedelta(hours=2):
            times.append(at)
    return sorted(times)


def _enquiry(number: int, begun: datetime, chance: random.Random) -> RoomScript:
    language = chance.choice(("en", "es"))
    title, author = chance.choice(BOOKS)
    book = {"title": title, "author": author, "number": 30_000 + 7 * number}
    book |= {"place": chance.choice(PLACES), "copy": chance.randint(1, 6)}
    question, thanks = chance.choice(ASKED[language])
    agent = chance.choice(AGENTS)
    script = RoomScript(f"enquiry-{number}")
    script.head = {"name": chance.choice(NAMES), "language": language, "page": "/catalogue"}
    at = begun

    def later(least: float, most: float) -> datetime:
        nonlocal at
        # Most are quick, a few are not.
        at += timedelta(minutes=least + (most - least) * chance.random() ** 3)
        return at

    def say(who: str, text: str) -> Act:
        return Act(at, "say", who, Line(who, text.format(**book)))

    acts = [say(VISITOR, question)]
    later(0.4, 24)
    acts += [say(agent, chance.choice(ANSWERED[language]))]
    later(0.3, 9)
    acts += [say(VISITOR, thanks)] if chance.random() < 0.8 else []
    acts.append(Act(later(0.5, 90), "resolves", agent))
    if chance.random() < 0.55:
        stars = chance.choices((5, 4, 3, 2), (60, 27, 10, 3))[0]
        words = SAID.get(stars, ("", ""))[language == "es"] if chance.random() < 0.3 else ""
        acts.append(Act(later(0.2, 30), "rates", VISITOR, word=f"{stars} {words}".strip()))
    script.acts = acts
    return script
