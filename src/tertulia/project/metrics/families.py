"""Every metric: its name, kind, labels and what exactly it counts.

Each is exported twice: as `tertulia_NAME`, summed over the workers of a server, and as
`tertulia_worker_NAME` with the label `worker`. Two names, since a sum beside its parts under
one name would be counted twice by `sum()`. The table in docs/operations.md is this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tertulia.chat.writer import ACTIONS_BOUNDS, SECONDS_BOUNDS
from tertulia.hub.counts import LAG_BOUNDS

PREFIX = "tertulia_"
WORKER_PREFIX = "tertulia_worker_"


@dataclass(frozen=True)
class Family:
    """A metric. `summed` says how a gauge of several workers becomes one."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    summed: Literal["sum", "max", "min"] = "sum"
    bounds: tuple[float, ...] = ()


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(name, "counter", text, labels)


def _gauge(
    name: str, text: str, *labels: str, summed: Literal["sum", "max", "min"] = "sum"
) -> Family:
    return Family(name, "gauge", text, labels, summed)


def _histogram(name: str, text: str, bounds: tuple[float, ...]) -> Family:
    return Family(name, "histogram", text, bounds=bounds)


FAMILIES = (
    # Sockets
    _gauge("connections", "Open sockets, by protocol: v1 or classic.", "protocol"),
    _counter("connections_opened_total", "Sockets accepted, by protocol.", "protocol"),
    _counter(
        "connections_closed_total",
        "Sockets ended, by the close code sent (1013: too slow or too busy); code 0: ended by"
        " the peer or the network; 503: never opened, since the process was full.",
        "code",
    ),
    _gauge("subscriptions", "Subscriptions of rooms by open sockets."),
    _gauge("rooms", "Rooms that the process serves live."),
    _counter("frames_received_total", "Frames received from clients."),
    _counter(
        "commands_total",
        "Commands answered, by type and outcome: ok or the error code. Command chat_message is"
        " a message by the classic protocol, malformed is what was no command.",
        *("command", "outcome"),
    ),
    _counter(
        "rates_exceeded_total",
        "Acts refused because a rate of a person or an address was exceeded, by rate.",
        "rate",
    ),
    # Deliveries
    _counter("events_total", "Events appended to logs and told by this process."),
    _counter(
        "deliveries_total", "Events passed on to subscribers: events times the subscribers served."
    ),
    _counter(
        "passing_deliveries_total",
        "Passing frames (typing, presence …) passed on to subscribers of rooms.",
    ),
    _counter(
        "delivered_bytes_total", "JSON bytes of both kinds of deliveries, as protocol 1 has them."
    ),
    _counter("failed_deliveries_total", "Deliveries that raised an error; the socket is closed."),
    _counter(
        "abandoned_rooms_total", "Rooms whose subscribers were closed with 1013 after an error."
    ),
    _gauge("outbox_bytes", "Bytes that wait in the outboxes of all sockets."),
    _gauge(
        "outbox_greatest_bytes", "Bytes that wait in the fullest outbox of a socket.", summed="max"
    ),
    _counter("outbox_overflows_total", "Sockets closed because their outbox was full."),
    # The log
    _histogram(
        "commit_seconds",
        "Seconds from the begin of a writing transaction to the end of its commit.",
        SECONDS_BOUNDS,
    ),
    _histogram("commit_actions", "Actions in a committed transaction.", ACTIONS_BOUNDS),
    _gauge("writer_waiting_actions", "Actions that wait for the writing thread."),
    _gauge("writer_lanes", "Rooms that are waited for because another transaction holds them."),
    _counter(
        "writer_refused_actions_total",
        "Actions answered with unavailable: busy (the queue was full), held (another transaction"
        " kept the room).",
        "reason",
    ),
    _gauge("waiting_reads", "Readings for sockets that wait for a thread or run."),
    _counter(
        "database_failures_total",
        "Times that the database could not be read or written for sockets, by who tried.",
        "by",
    ),
    # Gaps, resumes
    _counter(
        "gaps_found_total",
        "Gaps in a room's news, by who noticed: sequencer (a later event came), sweep (the log"
        " had grown unheard), reader (a subscriber had read further). Some close by themselves.",
        "by",
    ),
    _counter(
        "gaps_repaired_total", "Gaps that were closed by reading the log, by who noticed.", "by"
    ),
    _counter("repaired_events_total", "Events passed on by closing gaps from the log."),
    _counter("fresh_subscriptions_total", "Subscriptions that began with a snapshot of the room."),
    _counter("resumes_total", "Subscriptions that went on by seq, with exactly what was missed."),
    _counter(
        "resets_total",
        "Subscriptions that asked to go on and got a snapshot, by reason: epoch (another history),"
        " ahead (beyond the head), events or bytes (too much missed).",
        "reason",
    ),
    _counter("sweeps_total", "Comparisons of the live state with the database, one a second."),
    _counter("sweep_failures_total", "Those that failed."),
    # The layer
    _counter("layer_sent_total", "News given to the channel layer."),
    _counter("layer_received_total", "News received from other processes."),
    _counter("layer_dropped_total", "News dropped because the layer was away or too slow."),
    _counter("layer_rejoins_total", "Times that all groups were joined anew."),
    _counter("layer_failures_total", "Calls to the layer that failed."),
    _gauge("layer_waiting_news", "News that wait for the layer."),
    _gauge(
        "layer_up",
        "1 while the last call to the layer succeeded, or where no layer is needed; else 0.",
        summed="min",
    ),
    # Pages
    _counter("http_responses_total", "HTTP responses begun, by class of status.", "status"),
    _counter(
        "sign_ins_total",
        "Sign-ins by name and password: ok or refused. Those that a rate stopped are in"
        " rates_exceeded.",
        "outcome",
    ),
    # The support desk
    _counter(
        "visitor_mails_total",
        "Mails with answers to visitors, by what came of a try: sent, later (it is tried again) or"
        " failed (refused, or given up).",
        "outcome",
    ),
    # The process
    _histogram(
        "event_loop_lag_seconds",
        "How late a timer of the event loop came, looked at every quarter of a second.",
        LAG_BOUNDS,
    ),
    _gauge(
        "tasks",
        "Tasks of the event loop; a socket is none under `tertulia serve`, and some elsewhere.",
    ),
    _counter("cpu_seconds_total", "Processor time used, user and system."),
    _gauge("resident_memory_bytes", "Resident memory."),
    _gauge("open_files", "Open file descriptors."),
    _gauge("open_files_limit", "How many file descriptors a process may have.", summed="min"),
    _gauge("start_time_seconds", "When the process began, in Unix time.", summed="min"),
    _gauge("workers", "Processes that serve."),
    _gauge(
        "build_info",
        "1; the versions are in the labels.",
        *("version", "python", "django"),
        summed="max",
    ),
)
