"""The present values of this process's metrics, gathered from where they are counted.

`Values` is by family and then by label values; a histogram's value is its counts by class and
its sum: `[[0, 3, 1], 0.02]`. All of it is JSON but for the tuples.
"""

from __future__ import annotations

import asyncio
import platform
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import django
from django.contrib.auth.signals import user_logged_in, user_login_failed

from tertulia import __version__
from tertulia.chat import capacity, publish, throttle
from tertulia.chat.live_classic import ClassicSocket
from tertulia.chat.runtime import RATES, Runtime
from tertulia.hub.counts import Histogram
from tertulia.project.accounts import throttle as accounts
from tertulia.protocol.errors import Close
from tertulia.support.mailing import counts as mails

from . import process
from .families import FAMILIES, Family

Value = Any
Values = dict[str, dict[tuple[str, ...], Value]]

# Seconds for which what takes a walk over all connections or tasks is not gathered anew.
WALK_EVERY = 5.0
NAMED: dict[type | None, str] = {None: "malformed", ClassicSocket: "chat_message"}
GAPS = ("sequencer", "sweep", "reader")
RESETS = ("epoch", "ahead", "events", "bytes")
LIMITERS = (throttle._limiter, accounts._limiter)

# By class of status, and by outcome; written by whoever answers.
http_responses: Counter[str] = Counter()
_sign_ins: Counter[str] = Counter()


def _signed_in(**_: Any) -> None:
    _sign_ins["ok"] += 1


def _refused(**_: Any) -> None:
    _sign_ins["refused"] += 1


user_logged_in.connect(_signed_in)
user_login_failed.connect(_refused)


def take(*, exact: bool) -> Values:
    """All values. Runs on the event loop's thread; `exact` walks over the connections now."""
    values: Values = {}
    for runtime in publish.runtimes:
        _put(values, _sockets(runtime))
        _put(values, _log(runtime))
        _put(values, _layer(runtime))
        _put(values, _walked_over(runtime, exact))
    _put(values, _pages())
    _put(values, _process())
    return values


def _put(values: Values, some: Mapping[str, Value | None]) -> None:
    for name, value in some.items():
        if isinstance(value, dict):
            values[name] = {_labels(key): each for key, each in value.items()}
        elif value is not None:
            values[name] = {(): value}


def _labels(key: Any) -> tuple[str, ...]:
    return tuple(map(str, key)) if isinstance(key, tuple) else (str(key),)


def _all(counter: Mapping[str, int], known: Iterable[str]) -> dict[str, int]:
    """The counter, with a nought for what has not happened: a rate needs a beginning."""
    return {**dict.fromkeys(known, 0), **counter}


def _histogram(histogram: Histogram) -> list[Any]:
    return [list(histogram.counts), histogram.sum]


def _sockets(runtime: Runtime) -> dict[str, Value]:
    hub, counts = runtime.hub, runtime.hub.counts
    commands = {(_tag(command), outcome): n for (command, outcome), n in counts.commands.items()}
    return {
        "connections": {"v1": hub.open - hub.classic, "classic": hub.classic},
        "connections_opened_total": dict(counts.opened),
        "connections_closed_total": {
            code: counts.closed[code] + capacity.refused_at_the_door[code]
            for code in (0, capacity.FULL, *map(int, Close))
        },
        "subscriptions": hub.subscribed,
        "rooms": len(hub.rooms),
        "frames_received_total": counts.frames,
        "commands_total": commands,
        "events_total": counts.events,
        "deliveries_total": counts.deliveries,
        "passing_deliveries_total": counts.passing,
        "delivered_bytes_total": counts.delivered_bytes,
        "failed_deliveries_total": counts.failed_deliveries,
        "abandoned_rooms_total": counts.abandoned_rooms,
        "outbox_overflows_total": counts.overflows,
        "gaps_found_total": _all(counts.gaps_found, GAPS),
        "gaps_repaired_total": _all(counts.gaps_repaired, GAPS),
        "repaired_events_total": counts.events_repaired,
        "fresh_subscriptions_total": counts.fresh,
        "resumes_total": counts.resumes,
        "resets_total": _all(counts.resets, RESETS),
        "event_loop_lag_seconds": _histogram(hub.lag.histogram),
        "rates_exceeded_total": _rates(runtime),
    }


def _tag(command: type | None) -> str:
    name = NAMED.get(command)
    return name if name is not None else str(command.__struct_config__.tag)  # type: ignore[union-attr]


def _rates(runtime: Runtime) -> dict[str, int]:
    rates = _all(runtime.limiter.refused, RATES)
    for limiter in LIMITERS:
        rates |= _all(limiter.refused, limiter.rates)
    return rates


def _log(runtime: Runtime) -> dict[str, Value]:
    writer, readers, sweep = runtime.writer, runtime.readers, runtime.sweep
    return {
        "commit_seconds": _histogram(writer.commit_seconds),
        "commit_actions": _histogram(writer.commit_actions),
        "writer_waiting_actions": writer.waiting,
        "writer_lanes": writer.lanes,
        "writer_refused_actions_total": {"busy": writer.busy, "held": writer.held},
        "waiting_reads": readers.waiting,
        "database_failures_total": {
            "writer": writer.outage.failures,
            "reader": readers.outage.failures,
        },
        "sweeps_total": sweep.sweeps if sweep else 0,
        "sweep_failures_total": sweep.failures if sweep else 0,
    }


def _layer(runtime: Runtime) -> dict[str, Value]:
    link = runtime.link
    return {
        "layer_sent_total": link.sent,
        "layer_received_total": link.received,
        "layer_dropped_total": link.dropped,
        "layer_rejoins_total": link.rejoins,
        "layer_failures_total": link.failures,
        "layer_waiting_news": link.waiting,
        "layer_up": 0 if link.failing else 1,
    }


_walked: tuple[float, dict[str, Value]] = (0.0, {})


def _walked_over(runtime: Runtime, exact: bool) -> dict[str, Value]:
    global _walked
    when, found = _walked
    now = time.monotonic()
    if exact or not found or now - when >= WALK_EVERY:
        total = greatest = 0
        for connection in runtime.hub.connections:
            waiting = connection.transport.buffered()
            if waiting:
                total += waiting
                greatest = max(greatest, waiting)
        found = {"outbox_bytes": total, "outbox_greatest_bytes": greatest}
        found["tasks"] = len(asyncio.all_tasks(runtime.loop))
        _walked = (now, found)
    return found


def _pages() -> dict[str, Value]:
    return {
        "http_responses_total": _all(http_responses, ("2xx", "3xx", "4xx", "5xx")),
        "sign_ins_total": _all(_sign_ins, ("ok", "refused")),
        "visitor_mails_total": _all(mails.outcomes, mails.OUTCOMES),
    }


@cache
def _build() -> tuple[str, str, str]:
    return __version__, platform.python_version(), django.get_version()


def _process() -> dict[str, Value]:
    return {
        "cpu_seconds_total": process.cpu_seconds(),
        "resident_memory_bytes": process.resident_bytes(),
        "open_files": process.open_files(),
        "open_files_limit": process.open_files_limit(),
        "start_time_seconds": process.start_time(),
        "workers": 1,
        "build_info": {_build(): 1},
    }


# Several workers


def counted(values: Values) -> Values:
    """Only what never falls: counters and histograms."""
    return {f.name: values[f.name] for f in FAMILIES if f.kind != "gauge" and f.name in values}


def together(family: Family, many: Iterable[dict[tuple[str, ...], Value]]) -> dict[Any, Value]:
    """The values of one family in several workers, or before and after a restart, as one."""
    result: dict[tuple[str, ...], Value] = {}
    for each in many:
        for labels, value in each.items():
            result[labels] = _both(family, result[labels], value) if labels in result else value
    return result


def _both(family: Family, one: Value, other: Value) -> Value:
    if family.kind == "histogram":
        pairs = zip(one[0], other[0], strict=True)
        return [[a + b for a, b in pairs], one[1] + other[1]]
    if family.summed == "sum":
        return one + other
    return max(one, other) if family.summed == "max" else min(one, other)
