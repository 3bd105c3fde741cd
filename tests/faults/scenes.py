"""What is played, with the honest product and with each mutant: the same scene for both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tertulia.testing.client import Client, new_key
from tertulia.testing.services import Redis
from tertulia.testing.sleeper import Sleeper
from tertulia.testing.storm import Storm
from tertulia.testing.workload import Doors, Writer

# A file in the data folder, while which is there transactions fail now and then.
SHAKES = "shake"


class Forgetful(Writer):
    """A mutant of the client: its outbox is cleared as soon as a message has been sent."""

    async def write(self, text: str, key: str | None = None) -> int | None:
        self.patience = 0
        try:
            return await super().write(text, key)
        except TimeoutError:
            return None
        finally:
            self.patience = 60


async def shaken(storm: Storm, redis: Redis) -> None:
    """Everybody talks, while transactions fail; what is read in the end is read afterwards."""
    shaking = storm.installation.here.data / SHAKES
    shaking.touch()
    await storm.more(80)
    shaking.unlink()


async def repeated(storm: Storm, redis: Redis) -> None:
    """Every send is repeated with its key, as after an answer that was lost."""

    async def repeat(writer: Writer) -> None:
        for _ in range(5):
            key = new_key()
            await writer.write("twice", key)
            await writer.write("twice", key)

    await storm.quiet()
    await asyncio.gather(*map(repeat, storm.writers))


async def last_word(storm: Storm) -> None:
    """Said when the others have long been silent: whatever one process writes makes it look for
    what it has not heard, and so hides for that moment that it hears nothing."""
    await storm.quiet()
    await asyncio.sleep(1)
    await storm.writers[0].write("the last word")


async def news_lost(storm: Storm, redis: Redis) -> None:
    """Redis dies, and the last that is said is said without it."""
    await storm.more(40)
    await storm.away(redis.kill9)
    await storm.more(40)
    await last_word(storm)


async def flushed(storm: Storm, redis: Redis) -> None:
    """Redis forgets everything, and people go on talking."""
    await storm.more(40)
    await storm.away(redis.flush)
    await storm.more(40)
    await last_word(storm)


async def removal(storm: Storm, redis: Redis) -> None:
    """A follower is removed while the others go on."""
    await storm.more(30)
    await storm.remove_a_follower()
    await storm.more(30)


async def coming_back(storm: Storm, redis: Redis) -> None:
    """Connections of followers break again and again, in the middle of what comes."""
    for follower in storm.followers:
        follower.fragile = 5
    await storm.more(80)
    for follower in storm.followers:
        follower.fragile = 0


async def cut_off(storm: Storm, redis: Redis) -> None:
    """Connections of writers break again and again, before and after the answer."""
    for writer in storm.writers:
        writer.fragile = 4
    await storm.more(60)


async def asleep(storm: Storm, redis: Redis) -> None:
    """Somebody reads nothing while more is said than may wait for him."""
    await storm.quiet()
    (token,) = await storm.tokens(1)
    async with await Client.connect(storm.installation.here.ws, token=token) as client:
        sleeper_id = client.id
    here = Doors(storm.installation.here.ws)
    async with await Client.connect(here.next(), token=storm.owner_token) as owner:
        await owner.cmd("member.add", room=storm.room, member=sleeper_id)
    sleeper = Sleeper("sleeper", here, token, storm.room, storm.history)
    await sleeper.sleep()
    # Each is an event of 60 kB: as text one byte a character, as HTML five. Few at once, so that
    # one write brings little beyond what may wait.
    for _ in range(192):
        await asyncio.gather(*(storm.writers[0].write("&" * 10_000) for _ in range(2)))
    await sleeper.wake()


@dataclass(frozen=True)
class Scene:
    """`mode`: the installation it needs. `how`: what the storm is like."""

    play: Callable[[Storm, Redis], Awaitable[None]]
    mode: str = "embedded"
    how: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mutant:
    """`caught_by`: the invariant that stands for what it breaks, and words of the violation."""

    scene: str
    caught_by: str
    words: str
    # For clients that are mutants themselves; the server then is the honest one.
    client: type[Writer] | None = None


SCENES = {
    "shaken": Scene(shaken),
    "repeated": Scene(repeated, "scaled-core"),
    "flushed": Scene(flushed, "scaled-core"),
    "news_lost": Scene(news_lost, "scaled-core"),
    "removal": Scene(removal),
    "coming_back": Scene(coming_back, how={"pause": 0}),
    "cut_off": Scene(cut_off),
    "asleep": Scene(asleep, how={"followers": 0, "writers": 1}),
}

MUTANTS = {
    "publish_before_commit": Mutant("shaken", "I3", "applied"),
    "reply_before_commit": Mutant("shaken", "I1", "another message in the log"),
    "database_sequence": Mutant("shaken", "I4", "is stored where"),
    "no_unique_key": Mutant("repeated", "I2", "is stored as"),
    "no_sweep": Mutant("news_lost", "I7", "in the end"),
    "groups_only_in_redis": Mutant("flushed", "I7", "in the end"),
    "no_check_after_removal": Mutant("removal", "I6", "not admitted"),
    "resume_by_time": Mutant("coming_back", "I4", "right after"),
    "stale_reads": Mutant("shaken", "I5", "then read a head of"),
    "outbox_cleared_on_sending": Mutant("cut_off", "I8", "never answered", Forgetful),
    "unbounded_queue": Mutant("asleep", "I8", "waited for sleeper"),
}
