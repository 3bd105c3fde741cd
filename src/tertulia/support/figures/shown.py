"""Numbers, times and days in the words of who reads them."""

from __future__ import annotations

from datetime import date

from django.utils.formats import date_format, number_format

from .spans import Span

NOTHING = "–"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
# Keeps a number and its unit together.
_SPACE = "\u00a0"


def duration(seconds: int, *, within: bool = False) -> str:
    """Two units, such as `2 h 5 min`; one where the second says nothing.

    Within business hours there are no days: the longest of them is no day of 24 hours.
    """
    if seconds < MINUTE:
        return _of(seconds, "s")
    if seconds < 10 * MINUTE:
        return _two(seconds, (MINUTE, "min"), (1, "s"))
    if seconds < HOUR:
        return _of(seconds // MINUTE, "min")
    if within or seconds < DAY:
        return _two(seconds, (HOUR, "h"), (MINUTE, "min"))
    return _two(seconds, (DAY, "d"), (HOUR, "h"))


def _two(seconds: int, whole: tuple[int, str], rest: tuple[int, str]) -> str:
    first, left = divmod(seconds, whole[0])
    second = left // rest[0]
    both = [_of(first, whole[1]), *([_of(second, rest[1])] if second else [])]
    return " ".join(both)


def _of(n: int, unit: str) -> str:
    return f"{count(n)}{_SPACE}{unit}"


def count(n: int) -> str:
    return str(number_format(n, force_grouping=True))


def mean(value: float) -> str:
    """With one digit behind the sign that the language has for it."""
    return str(number_format(value, 1, force_grouping=True))


def share(n: int, of: int) -> str:
    """In hundredths; nothing of nothing is none."""
    return f"{count(round(100 * n / of) if of else 0)}{_SPACE}%"


def short_day(day: date) -> str:
    """For an axis: `12 Nov`."""
    return str(date_format(day, "j M"))


def long_day(day: date) -> str:
    return str(date_format(day, "DATE_FORMAT"))


def days(span: Span) -> str:
    """A day, or the first and the last of a week."""
    if span.first == span.last:
        return short_day(span.first)
    return f"{short_day(span.first)} – {short_day(span.last)}"


def change(now: float, then: float, more: str, less: str) -> str:
    """`12 % more`, in words, not by a colour; "" where it is hardly another."""
    percent = round(100 * abs(now - then) / then)
    return f"{count(percent)}{_SPACE}% {more if now > then else less}" if percent else ""
