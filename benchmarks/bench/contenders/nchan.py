"""nginx with the module nchan: one location to publish to and subscribe at, by WebSocket.

One worker, messages in memory and not kept, no access log, no shared or remote storage, no
compression. The master process is counted with its worker; it does nothing meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tertulia.testing.processes import free_port

from .base import Contender, Running
from .children import Failed, carried_out, scratch, serving

# Daemons are not on the PATH of everybody.
SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
MODULE = "ngx_nchan_module.so"

CONFIGURATION = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/pid;
error_log stderr warn;
events {{
    worker_connections {connections};
}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /lobby {{
            nchan_pubsub websocket;
            nchan_channel_id lobby;
            nchan_store_messages off;
        }}
    }}
}}
"""


class Nchan(Contender):
    """Debian's nginx and libnginx-mod-nchan, or others of the machine's."""

    key = "nchan"
    name = "nginx nchan"
    remarks = "keeps nothing; one worker"

    def missing(self) -> str | None:
        if _nginx() and _module():
            return None
        lacking = f"the module {MODULE}" if _nginx() else "nginx"
        return (
            f"{lacking} is not installed: sudo apt-get install nginx libnginx-mod-nchan "
            "(and sudo systemctl disable --now nginx, where nothing else needs it)"
        )

    @contextlib.contextmanager
    def running(self, work: Path, *, members: int) -> Iterator[Running]:
        nginx, module = _nginx(), _module()
        if not nginx or not module:
            raise Failed(self.missing())
        port = free_port()
        # A few more than the room, for whoever looks in meanwhile.
        connections = members + 1024
        with scratch(work, self.key) as folder:
            configuration = folder / "nginx.conf"
            configuration.write_text(
                CONFIGURATION.format(
                    module=module,
                    files=connections + 128,
                    folder=folder,
                    connections=connections,
                    port=port,
                )
            )
            command = (nginx, "-p", folder, "-c", configuration, "-e", "stderr")
            with serving(command, port, folder / "log") as served:
                yield Running(
                    port=port,
                    path="/lobby",
                    pids=(served.pid,),
                    message="%S %P",
                    versions=_versions(nginx),
                    kill=served.kill,
                )


def _nginx() -> str | None:
    return shutil.which("nginx", path=SEARCHED)


def _module() -> Path | None:
    """The module where this nginx looks for modules."""
    nginx = _nginx()
    if not nginx:
        return None
    _, found, path = carried_out((nginx, "-V")).partition("--modules-path=")
    module = Path(path.split()[0] if found else "/usr/lib/nginx/modules") / MODULE
    return module if module.exists() else None


def _versions(nginx: str) -> dict[str, str]:
    """The module does not tell its own; where Debian's packages are asked, they do."""
    versions = {"nginx": carried_out((nginx, "-v")).rpartition("/")[2]}
    query = ("dpkg-query", "--show", "--showformat=${Version}", "libnginx-mod-nchan")
    with contextlib.suppress(Failed, FileNotFoundError):
        # "1:1.3.6+dfsg-2": an epoch, the module's own version, Debian's.
        versions["nchan"] = carried_out(query).rpartition(":")[2]
    return versions


CONTENDERS = [Nchan()]
