"""One installation of the product: one database, one or several server processes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .server import Server
from .services import Postgres, Redis
from .workload import Doors


class Installation:
    """`servers[0]` and `servers[-1]` are different processes where there are several."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers

    @classmethod
    def scaled(
        cls,
        postgres: Postgres,
        redis: Redis,
        env: dict[str, str],
        servers: int = 2,
        **options: Any,
    ) -> Installation:
        """Separate servers on one PostgreSQL database and one Redis; `options` go to each."""
        # With failpoints a server takes only what it has made itself.
        database = postgres.new_database(tables="TERTULIA_FAILPOINTS" not in env)
        # Sessions and guest tokens are signed: all processes of an installation share the key.
        env = {"TERTULIA_SECRET_KEY": secrets.token_hex(32), **env}
        made = [
            Server(database_url=database, redis_url=redis.url, env=env, **options)
            for _ in range(servers)
        ]
        installation = cls(made)
        try:
            for server in made:
                server.start(wait=False)
            for server in made:
                server.wait_ready()
        except BaseException:
            installation.remove()
            raise
        return installation

    @property
    def here(self) -> Server:
        return self.servers[0]

    @property
    def there(self) -> Server:
        return self.servers[-1]

    @property
    def doors(self) -> Doors:
        return Doors(*(server.ws for server in self.servers))

    def remove(self) -> None:
        for server in self.servers:
            server.remove()


@contextmanager
def running(made: Installation) -> Iterator[Installation]:
    """The installation, removed at the end."""
    try:
        yield made
    finally:
        made.remove()
