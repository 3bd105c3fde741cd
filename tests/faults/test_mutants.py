"""The proof is proved: eleven mutants of it, and the checker catches each for its reason.

A mutant is the product with one part replaced from outside (`mutants/sitecustomize.py`, which
only its server loads), or a client with a broken outbox. Each scene is played with the honest
product too, which passes: so it is the mutant that is caught, and not the scene.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tertulia.testing.stored import execute
from tertulia.testing.storm import Storm
from tertulia.testing.verdict import Verdict
from tests.conftest import RELAXED

from .scenes import MUTANTS, SCENES, SHAKES

REPLACED = str(Path(__file__).with_name("mutants"))
# Seconds that a mutant's followers get to converge: the guarantee's five where that is what
# it breaks, else no longer than it takes to see the rest.
LATE, ENOUGH = 5.0, 1.5

HONEST = [("honest", scene) for scene in SCENES]
SERVERS = [(name, mutant.scene) for name, mutant in MUTANTS.items() if mutant.client is None]
# Honest servers are shared by the scenes; those that break Redis come last.
PLAYS = [*HONEST, *SERVERS]


def _key(name: str, scene: str) -> str:
    """Which installation plays this."""
    return f"honest {SCENES[scene].mode}" if name == "honest" else name


class Casts:
    """The installations, each started in the background while another is played."""

    def __init__(self, postgres: Postgres, keys: list[str]) -> None:
        self._postgres = postgres
        self._pool = ThreadPoolExecutor(1)
        self._order = keys
        self._made: dict[str, Future[tuple[Installation, Redis]]] = {}
        self._redis: dict[str, Redis] = {}

    def get(self, key: str) -> tuple[Installation, Redis]:
        """The installation and its Redis; the next one is begun."""
        made = self._begin(key)
        following = self._order[self._order.index(key) + 1 :]
        for other in following[:1]:
            self._begin(other)
        return made.result()

    def _begin(self, key: str) -> Future[tuple[Installation, Redis]]:
        if key not in self._made:
            self._made[key] = self._pool.submit(self._start, key)
        return self._made[key]

    def _start(self, key: str) -> tuple[Installation, Redis]:
        name, _, mode = key.partition(" ")
        env = {**RELAXED, "PYTHONPATH": REPLACED}
        if name != "honest":
            mode = SCENES[MUTANTS[name].scene].mode
            env["MUTANT"] = name
        redis = Redis()
        if mode == "embedded":
            server = Server(env=env)
            server.env["SHAKE"] = str(server.data / SHAKES)
            installation = Installation([server.start()])
        else:
            redis.start()
            env["TERTULIA_LAYER"] = "core"
            installation = Installation.scaled(self._postgres, redis, env)
        # People for the first storm, made before it is waited for.
        installation.here.pool += installation.here.people(1)
        return installation, redis

    def drop(self, key: str) -> None:
        """This installation is played no more."""
        installation, redis = self._made[key].result()
        installation.remove()
        redis.remove()
        del self._made[key]

    def close(self) -> None:
        for key in list(self._made):
            self.drop(key)
        self._pool.shutdown()


Get = Callable[[str], tuple[Installation, Redis]]


@pytest.fixture(scope="module")
def casts(postgres: Postgres) -> Iterator[Casts]:
    keys = list(dict.fromkeys(_key(name, scene) for name, scene in PLAYS))
    made = Casts(postgres, keys)
    yield made
    made.close()


async def play(
    casts: Casts, key: str, scene: str, seconds: float, mutant: str | None = None
) -> Verdict:
    """Play a scene and let the checker judge."""
    installation, redis = casts.get(key)
    part = SCENES[scene]
    if mutant == "no_unique_key":
        execute(
            installation.here,
            "ALTER TABLE tertulia_chat_message DROP CONSTRAINT tertulia_message_key",
        )
    client = (MUTANTS[mutant].client if mutant else None) or part.how.get("writer")
    how = {**part.how, **({"writer": client} if client else {})}
    async with Storm(installation, **how) as storm:
        await part.play(storm, redis)
        return await storm.verdict(seconds)


@pytest.mark.parametrize(("name", "scene"), HONEST)
async def test_the_honest_product_passes(casts: Casts, name: str, scene: str) -> None:
    verdict = await play(casts, _key(name, scene), scene, 10)
    assert verdict.passed, verdict.explained()
    assert verdict.acknowledged >= 40


@pytest.mark.parametrize("name", MUTANTS)
async def test_the_mutant_is_caught(casts: Casts, name: str) -> None:
    mutant = MUTANTS[name]
    key = _key("honest" if mutant.client else name, mutant.scene)
    verdict = await play(
        casts, key, mutant.scene, LATE if mutant.caught_by == "I7" else ENOUGH, name
    )
    reasons = [v.what for v in verdict.violations if v.invariant == mutant.caught_by]
    assert any(mutant.words in reason for reason in reasons), verdict.explained()
    if not mutant.client:
        casts.drop(key)
