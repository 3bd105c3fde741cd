"""Redis forgets everything, dies, and comes back: nothing acknowledged depends on it."""

from __future__ import annotations

import pytest

from .playing import passes


@pytest.mark.parametrize("name", ["redis-flushed", "redis-killed"])
async def test_redis_with_either_layer(name: str) -> None:
    await passes(name, "scaled")


async def test_news_lost_delayed_mixed_up_and_doubled() -> None:
    await passes("news-mangled", "scaled")
