"""Texts of uneven length, put together from a few words."""

from __future__ import annotations

import random

_TEXT = """
abril árbol agua bread bridge camino carta casa coffee cuaderno draft evening friday garden
harbour idea janela kitchen lámpara letter libro market mesa morning noche notes orange paper
plan puente question reading river salt silla spring table tarde theatre ticket tren umbrella
ventana verano winter yellow zapato
"""
_WORDS = _TEXT.split()


def _phrases() -> list[str]:
    chance = random.Random(3)  # noqa: S311
    lengths = [2, 4, 6, 9, 14, 22, 35, 60]
    return [
        " ".join(chance.choices(_WORDS, k=lengths[number % len(lengths)])) for number in range(512)
    ]


# About 110 characters each on average, from a greeting to a paragraph.
PHRASES = _phrases()
