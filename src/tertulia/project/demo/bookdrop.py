"""The room of the returns slot: as long as one wishes, to try how history is read."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from .cast import BOT
from .script import Act, Line

BOOKS = (
    *(("Platero y yo", "Juan Ramón Jiménez"), ("The Wind in the Willows", "Kenneth Grahame")),
    *(("Fortunata y Jacinta", "Benito Pérez Galdós"), ("Middlemarch", "George Eliot")),
    *(("La Regenta", "Leopoldo Alas"), ("Kidnapped", "Robert Louis Stevenson")),
    *(("Los pazos de Ulloa", "Emilia Pardo Bazán"), ("Emma", "Jane Austen")),
    *(("Campos de Castilla", "Antonio Machado"), ("Dubliners", "James Joyce")),
    *(("Cañas y barro", "Vicente Blasco Ibáñez"), ("To the Lighthouse", "Virginia Woolf")),
    *(("Niebla", "Miguel de Unamuno"), ("The Time Machine", "H. G. Wells")),
    *(("Rimas y leyendas", "Gustavo Adolfo Bécquer"), ("Walden", "Henry David Thoreau")),
    *(("Facundo", "Domingo Faustino Sarmiento"), ("Little Women", "Louisa May Alcott")),
    *(("Ariel", "José Enrique Rodó"), ("The Secret Garden", "Frances Hodgson Burnett")),
    *(("Azul", "Rubén Darío"), ("Great Expectations", "Charles Dickens")),
    *(("Cuentos de la selva", "Horacio Quiroga"), ("Jane Eyre", "Charlotte Brontë")),
)
PLACES = ("first floor", "children's corner", "reading room", "planta baja", "sala infantil")
REMARKS = (
    ("carmen", "Este viene con arena entre las páginas. Julio en noviembre."),
    ("oona", "There was a pressed fig leaf in that one. I put it back in."),
    ("ines", "¡Por fin! Lo esperaban tres niños."),
    ("hugo", "La ranura hace otra vez ese ruido de tos."),
    ("carmen", "Ticket de compra usado como marcapáginas: dos kilos de naranjas."),
    ("oona", "Somebody underlined every mention of soup."),
    ("greta", "I oiled the flap. If it squeaks now, it does so on purpose."),
    ("ines", "La cubierta está mojada, la seco en el radiador pequeño."),
    ("hugo", "¿Alguien ha pedido una caja para los que van a encuadernar?"),
    ("carmen", "Ese ejemplar no es nuestro. Es de la biblioteca de Sagunto."),
    ("oona", "Returned with a thank-you note, and a pear. The pear is in the kitchen."),
    ("greta", "Two from the same family, forty years between the library cards."),
    ("ines", "Le falta la página 112. La fotocopio del otro."),
    ("carmen", "La lectora del número anterior pide que le guardemos la segunda parte."),
    ("hugo", "Se ha atascado con un atlas. Lo he sacado con una cuchara de madera."),
    ("oona", "The scanner read the pear as ISBN 0. I have no further comment."),
)


def returns(count: int, now: datetime, days: int, chance: random.Random) -> list[Act]:
    """`count` messages over so many days, ascending in time; now and then somebody remarks."""
    span = days * 24 * 3600
    times = sorted(now - timedelta(seconds=chance.uniform(3600, span)) for _ in range(count))
    remarks = dict(zip(sorted(chance.sample(range(count), k=_some(count))), REMARKS, strict=False))
    acts = []
    for number, at in enumerate(times):
        who, text = remarks.get(number) or (BOT, _returned(40_000 + number, chance))
        acts.append(Act(at, "say", who, Line(who, text)))
    return acts


def _some(count: int) -> int:
    return min(len(REMARKS), count // 8)


def _returned(number: int, chance: random.Random) -> str:
    title, author = chance.choice(BOOKS)
    late = chance.choice((0, 0, 0, 0, 1, 2, 3, 5, 8, 21))
    when = "on time" if not late else f"**{late} day{'s' if late > 1 else ''} late**"
    place = chance.choice(PLACES)
    return f"No. {number}: *{title}* by {author}, copy {chance.randint(1, 6)}, {place}, {when}."
