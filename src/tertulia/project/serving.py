"""`tertulia serve`: one socket, one or several processes, one address to open."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
from typing import TYPE_CHECKING
from urllib.parse import quote

from . import openfiles, place, startup
from .database import is_sqlite
from .environment import Environment, SettingsError
from .hosts import WILDCARDS, bracketed
from .safety import refusals

if TYPE_CHECKING:
    from .worker import WorkerConfig

logger = logging.getLogger("tertulia.project")

# Connections that the kernel keeps until they are accepted, when all come at once; it takes less
# where it allows less (`net.core.somaxconn`, 4,096 on Linux).
BACKLOG = 16_384
GRACE = 5  # seconds that requests under way get when the server stops
STOPPING = (signal.SIGINT, signal.SIGTERM)


def serve(env: Environment, host: str, port: int) -> int:
    """Serve until told to stop; the exit status. Raises SettingsError for what cannot be."""
    refuse_workers(env)
    refusals.refuse_key(env)
    for number in STOPPING:
        signal.signal(number, _leave)
    listener = listen(host, port)
    with listener:
        # Several workers have a pool each; this process then only starts them.
        startup.load(env, pool=env.workers == 1)
        refusals.refuse_settings(env)
        startup.prepare(env, pool=env.workers == 1)
        with startup.database_errors(env):
            refusals.refuse_administrators(env)
        startup.warn_without_redis(env)
        announce(env, listener)
        if env.email_url is None:
            logger.info("No mail server is set (TERTULIA_EMAIL_URL): mails are printed here")
        startup.disconnect()
        return _run(env, listener)


def _leave(*_: object) -> None:
    """Told to stop before serving began: nothing to wait for."""
    raise SystemExit(0)


def refuse_workers(env: Environment) -> None:
    """Several workers need a database and a layer that they can share."""
    if env.workers == 1:
        return
    count = f"{env.workers} workers need"
    if is_sqlite(env):
        raise SettingsError(f"{count} PostgreSQL: set DATABASE_URL; SQLite is for one process")
    if not env.redis_urls:
        raise SettingsError(f"{count} Redis between them: set REDIS_URL")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: from here on the port is ours, and connections wait until served."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise SettingsError(f"there is no host {host!r} to listen on") from error
    listener = socket.socket(family, kind, protocol)
    try:
        # A port that a server has just left may be taken again at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(_why_not(error, host, port)) from error
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} is reserved for the system; choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; choose another with --host"
    return f"cannot listen on {host}, port {port}: {error.strerror}"


def announce(env: Environment, listener: socket.socket) -> None:
    """Say where the site is and, while nobody administers it, how to become who does."""
    from .accounts.links import new_setup_link

    with startup.database_errors(env):
        token = new_setup_link()
    host, port = listener.getsockname()[:2]
    here = f"http://{bracketed(_reachable(host))}:{port}"
    site = env.url or here
    print(f"Tertulia is at {site}/" + (f" (served on {here})" if env.url else ""), flush=True)
    if token:
        print(f"Set up the first administrator: {site}/accounts/setup/{quote(token)}/", flush=True)


def _reachable(host: str) -> str:
    if host in WILDCARDS:
        return "127.0.0.1" if host == WILDCARDS[0] else "::1"
    return host


def configuration(env: Environment) -> WorkerConfig:
    """How the site is served, by one process or by each of several."""
    from .worker import WorkerConfig

    return WorkerConfig(
        "tertulia.project.asgi:application",
        loop="uvloop",
        http="tertulia.server.http:HttpProtocol",
        ws="tertulia.server.websocket:WebSocketProtocol",
        ws_max_size=131072,
        ws_per_message_deflate=False,
        # The hub pings, one sweep for all connections.
        ws_ping_interval=None,
        lifespan="on",
        # The log is Django's to configure, in each worker.
        log_config=None,
        access_log=False,
        server_header=False,
        # `proxies.py` sees to them, alike under every server.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        backlog=BACKLOG,
        workers=env.workers,
    )


def _run(env: Environment, listener: socket.socket) -> int:
    from uvicorn import Server
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    config = configuration(env)
    openfiles.allow()
    if env.workers == 1:
        # uvicorn raises the signal again once it has stopped; that is no failure.
        for number in STOPPING:
            signal.signal(number, lambda *_: None)
        server = Server(config)
        server.run(sockets=[listener])
        return 0 if server.started else 1
    config.parent = os.getpid()
    with place.run_folder():
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
    return 0 if all(process.exitcode != STARTUP_FAILURE for process in supervisor.processes) else 1
