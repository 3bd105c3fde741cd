"""REDIS_URL and TERTULIA_LAYER → Channels' CHANNEL_LAYERS entry."""

from __future__ import annotations

from typing import Any

from .environment import Environment, need

BACKENDS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "core": "channels_redis.core.RedisChannelLayer",
}
CONNECT_TIMEOUT = 2  # seconds


def layer(env: Environment) -> dict[str, Any]:
    """The channel layer: in memory for one process, else Redis.

    `pubsub`, the default, survives a flushed and a restarted Redis; `core` is there for
    those who run it already. Several addresses share the groups by the hash of their names.
    """
    if not env.redis_urls:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    need("channels_redis", "redis", "REDIS_URL")
    options: dict[str, Any] = {"socket_connect_timeout": CONNECT_TIMEOUT}
    if env.layer == "core":
        # core waits in a blocking read; with redis-py's own timeout of 5 s, from its
        # version 8 on, an idle consumer dies of it (channels_redis issue 422).
        options["socket_timeout"] = None
    hosts = [{"address": url, **options} for url in env.redis_urls]
    return {"BACKEND": BACKENDS[env.layer], "CONFIG": {"hosts": hosts, "prefix": "tertulia"}}
