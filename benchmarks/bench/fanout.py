"""What telling a room costs: CPU a delivery, latency, losses."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

from .stage import Row, Stage, Subject, median, with_ratios

ONE, MANY = 1, 64
# Messages that a person may send at once, with some to spare: rates are on.
BURST = 270
# Seconds that 64 messages may take together before that is not waited for.
PATIENCE = 30.0
# A burst: so many people, each with so many messages.
BURST_PEOPLE, BURST_EACH = 100, 3


def fan_out(stage: Stage) -> list[Row]:
    """CPU a delivery in rooms of several sizes, one message at a time and 64 at once.

    Every member is a connection and a person of its own, signed in and subscribed. Messages have
    200 bytes of text and come from all members in turn, in a closed loop: a message is done when
    every member has got it, and 1 or 64 are under way. CPU is user and system time of all the
    server's processes (with its Redis and PostgreSQL, where it has them) during a round, divided
    by the deliveries in it. Latency is from the sender's `send` to each member's `recv`. Rounds
    are taken by all servers in turn; figures are medians over the rounds, the ratio is that to
    the bare-socket limit of the same round.
    """
    rows: list[Row] = []
    for size in stage.plan.sizes:
        measure = f"a room of {size:,}"
        with stage.running(measure, stage.contenders, size) as subjects:
            rows += _in_room(stage, measure, size, subjects)
    return rows


def _in_room(stage: Stage, measure: str, size: int, subjects: list[Subject]) -> list[Row]:
    plan = stage.plan
    count = min(BURST * size // (2 * plan.rounds), 50_000)
    opening = {one.key: one.opening / one.connections * 1e6 for one in subjects}
    # Not asked again for 64 at once: they need too long, or lose what they are asked for.
    slow: set[str] = set()

    def probe(subject: Subject) -> Row:
        # The first message finds caches empty.
        for _ in range(2):
            answer = subject.load.send(count=2, ms=0, window=ONE, senders=2)
        if not answer["delivered"]:
            raise ValueError(f"nothing is delivered; {subject.load.said()}")
        if (seconds := answer["seconds"] / 2) * MANY > PATIENCE:
            slow.add(subject.key)
            reason = f"one message takes {seconds:.1f} s"
            stage.give_up(subject.key, f"{measure}, {MANY} at once", reason)
        return {}

    stage.in_turn(measure, subjects, probe)
    rounds: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for number in range(plan.rounds):
        stage.say(f"{measure}: round {number + 1} of {plan.rounds}")
        for window in (ONE, MANY):
            act = partial(_round, count=count, ms=plan.ms, window=window, size=size)
            fit = [each for each in subjects if window == ONE or each.key not in slow]
            asked = list(fit)
            for row in with_ratios(stage.in_turn(measure, fit, act), "cpu"):
                taken = rounds[row["key"], window]
                taken.append(row)
                # Waiting for what is lost takes seconds a round: two rounds are enough.
                if window == MANY and sum(1 for each in taken if each["lost"]) == 2:
                    slow.add(row["key"])
            subjects[:] = [each for each in subjects if each in fit or each not in asked]
    return [
        {"room": size, "window": window, "opening": opening[key], **_summary(key, taken)}
        for (key, window), taken in rounds.items()
    ]


def _round(subject: Subject, count: int, ms: int, window: int, size: int) -> Row:
    answer, cpu = subject.spent(
        lambda: subject.load.send(count=count, ms=ms, window=window, senders=size)
    )
    if not answer["delivered"]:
        raise ValueError(f"nothing was delivered; {subject.load.said()}")
    return {
        "cpu": cpu / answer["delivered"] * 1e6,
        "messages": answer["sent"] / answer["seconds"],
        **{
            name: answer[name]
            for name in ("p50", "p99", "bytes", "own_cpu", "doubled", "sent", "seconds")
        },
        "lost": answer["lost"] / (answer["sent"] * answer["listeners"]),
        # Meaningless where deliveries were lost.
        "disordered": None if answer["lost"] else answer["disordered"],
    }


def _summary(key: str, rounds: list[Row]) -> Row:
    names = ("cpu", "ratio", "p50", "p99", "messages", "lost", "bytes", "own_cpu")
    return {
        "key": key,
        **{name: median(rounds, name) for name in names},
        "doubled": sum(row["doubled"] for row in rounds),
        "disordered": sum(row["disordered"] or 0 for row in rounds),
        "rounds": rounds,
    }


def burst(stage: Stage) -> list[Row]:
    """Losses when 100 people send three messages each at the same moment.

    A room of 100; all 300 messages are written before the first is waited for. A delivery counts
    as lost when nothing has come for 3 s. The share is that of 30,000 deliveries; the median of
    the rounds, and the worst.
    """
    measure = "a burst"
    rounds: dict[str, list[Row]] = defaultdict(list)

    def act(subject: Subject) -> Row:
        count = BURST_PEOPLE * BURST_EACH
        answer = subject.load.send(count=count, ms=0, window=count, senders=BURST_PEOPLE)
        lost = answer["lost"] / (count * answer["listeners"])
        names = ("doubled", "disordered", "seconds", "p99")
        return {"lost": lost, **{name: answer[name] for name in names}}

    with stage.running(measure, stage.contenders, BURST_PEOPLE) as subjects:
        for _ in range(min(stage.plan.rounds, 3)):
            for row in stage.in_turn(measure, subjects, act):
                rounds[row["key"]].append(row)
    return [
        {
            "key": key,
            "lost": median(taken, "lost"),
            "worst": max(row["lost"] for row in taken),
            "seconds": median(taken, "seconds"),
            "rounds": taken,
        }
        for key, taken in rounds.items()
    ]
