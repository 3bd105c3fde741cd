"""Redis, by which the processes tell each other: it answers, and carries a message."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from urllib.parse import urlsplit

from tertulia.project import layer as configuration
from tertulia.project.database import is_sqlite
from tertulia.project.environment import Environment, SettingsError, without_password

from .check_site import is_local
from .report import Report

PATIENCE = 3.0  # seconds
OLDEST = 6


def redis(env: Environment, report: Report) -> None:
    """Each server by itself: groups are shared out among them."""
    for url in env.redis_urls:
        try:
            asyncio.run(_one(env, url, report))
        except Exception as error:  # noqa: BLE001 - redis-py's errors, sockets', TLS's
            report.warn(
                f"Redis at {without_password(url)} does not answer:"
                f" {' '.join(str(error).split()) or type(error).__name__}",
                "start it, or mend REDIS_URL; until then messages reach other workers a second"
                " late, and presence and typing do not reach them",
            )


async def _one(env: Environment, url: str, report: Report) -> None:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    shown = without_password(url)
    client = Redis.from_url(
        url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
    )
    try:
        await client.ping()
        info = await client.info()
    finally:
        await client.aclose()
    await asyncio.wait_for(_carry(env, url), 2 * PATIENCE)
    version = str(info.get("redis_version", "?"))
    report.ok(f"Redis {version} at {shown} carries messages from one connection to another")
    if version.partition(".")[0].isdigit() and int(version.partition(".")[0]) < OLDEST:
        report.warn(f"Redis {version} is no longer supported", "use a newer version")
    _memory(info, shown, env, report)
    _exposure(url, shown, report)


async def _carry(env: Environment, url: str) -> None:
    """A message between two processes' views of the layer. Its keys, if any, are its own."""
    from django.utils.module_loading import import_string

    entry = configuration.layer(env)
    hosts = [host for host in entry["CONFIG"]["hosts"] if host["address"] == url]
    make = import_string(entry["BACKEND"])
    listener, speaker = (make(hosts=hosts, prefix="tertulia-doctor") for _ in range(2))
    group, text = f"doctor.{secrets.token_hex(8)}", secrets.token_hex(8)
    try:
        channel = await listener.new_channel()
        await listener.group_add(group, channel)
        await speaker.group_send(group, {"type": "doctor", "text": text})
        message = await listener.receive(channel)
        await listener.group_discard(group, channel)
        if message.get("text") != text:
            raise RuntimeError("what arrives is not what was sent")
    finally:
        for layer in (listener, speaker):
            await _close(layer)


async def _close(layer: Any) -> None:
    await (layer.flush() if hasattr(layer, "_shards") else layer.close_pools())


def _memory(info: dict[str, Any], shown: str, env: Environment, report: Report) -> None:
    most, policy = int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", ""))
    if not most:
        return
    if env.layer == "core" and policy == "noeviction":
        report.warn(
            f"Redis at {shown} may use {most // 1024**2} MiB and then refuses to write, and the"
            " core layer keeps its messages there",
            "set TERTULIA_LAYER=pubsub, which keeps nothing in Redis, or give it more memory",
        )
    else:
        report.ok(f"a full Redis ({policy}) costs nothing: what it forgets is made anew")


def _exposure(url: str, shown: str, report: Report) -> None:
    parts = urlsplit(url)
    if parts.scheme == "unix" or is_local(parts.hostname or ""):
        return
    if not parts.password or parts.scheme != "rediss":
        missing = "a password" if not parts.password else "TLS"
        report.warn(
            f"Redis at {shown} is used without {missing}, and what is said goes through it",
            "use rediss://:PASSWORD@…, or a private network",
        )


def workers(env: Environment, report: Report) -> None:
    """Several processes need a database and a layer between them."""
    if env.workers == 1:
        report.ok("one worker" + ("" if env.redis_urls else ", which needs no Redis"))
        if not env.redis_urls and not is_sqlite(env):
            report.warn(
                "PostgreSQL without Redis: a second server on this database would hear of"
                " messages a second late",
                "set REDIS_URL where there is more than one",
            )
        return
    from tertulia.project.serving import refuse_workers

    try:
        refuse_workers(env)
    except SettingsError as error:
        report.warn(
            f"`tertulia serve` refuses to start: {error}", "do that, or set TERTULIA_WORKERS=1"
        )
    else:
        report.ok(f"{env.workers} workers share PostgreSQL and Redis")
