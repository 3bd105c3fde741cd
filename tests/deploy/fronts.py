"""The project's nginx and Caddy configurations, started for real in front of a server.

Only addresses, ports, file names and the source of the certificate are other ones.
"""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tertulia.testing.processes import Process, children, free_port, listening, wait_for
from tests import ROOT
from tests.support.browser import Browser

HOST = "chat.example.org"
URL = f"https://{HOST}"
# Where packages put the programs: nginx is off the PATH of who is not root.
PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"


def replaced(text: str, changes: dict[str, str]) -> str:
    """The text with every one of the changes made; each has to be possible."""
    for old, new in changes.items():
        assert old in text, f"not in there: {old}"
        text = text.replace(old, new)
    return text


class Front:
    """A reverse proxy on two ports of the loopback, `port` with TLS and `plain` without."""

    name = ""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port, self.plain = free_port(), free_port()
        # Its processes may run as somebody else, who has to get in.
        self.folder = Path(tempfile.mkdtemp(prefix=f"tertulia-{self.name}-"))
        self.folder.chmod(0o755)
        self.process: Process | None = None
        self.trust = ssl.create_default_context()

    def start(self) -> Front:
        self.process = Process(self.command(), self.folder / "log", env=self.environment())
        wait_for(self._answers, 20, f"{self.name} answers: {(self.folder / 'log').read_text()}")
        return self

    def _answers(self) -> bool:
        assert self.process
        assert self.process.running, (self.folder / "log").read_text()
        return listening(self.port) and listening(self.plain)

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.folder), "PATH": PROGRAMS}

    @contextmanager
    def without_server(self) -> Iterator[None]:
        """Meanwhile it finds nobody where the server was."""
        self.turn_to(free_port())
        try:
            yield
        finally:
            self.turn_to(self.upstream)

    def turn_to(self, upstream: int) -> None:
        """Read the configuration anew, with the server at this port."""
        raise NotImplementedError

    def logs(self) -> str:
        """All that it has written down."""
        return "".join(path.read_text() for path in self.folder.glob("*log"))

    def remove(self) -> None:
        if self.process:
            self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Ways in

    def browser(self, peer: str = "127.0.0.1") -> SiteBrowser:
        """Somebody at the public address; `peer` is whence the proxy sees him come."""
        return SiteBrowser(self, peer)

    @property
    def way(self) -> dict[str, Any]:
        """How a WebSocket to wss://HOST is opened through here."""
        return {"host": "127.0.0.1", "port": self.port, "ssl": self.trust}


class SiteBrowser(Browser):
    """A browser for which the public name leads to the proxy under test."""

    def __init__(self, front: Front, peer: str) -> None:
        super().__init__(URL, peer=peer)
        self.front = front

    def connection(self) -> http.client.HTTPConnection:
        return _Secure(self.front, self.source)


class _Secure(http.client.HTTPSConnection):
    def __init__(self, front: Front, source: tuple[str, int] | None) -> None:
        super().__init__(HOST, timeout=20, context=front.trust)
        self.front = front
        self.source = source

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.front.port), 20, self.source)
        self.sock = self.front.trust.wrap_socket(plain, server_hostname=HOST)


class Nginx(Front):
    """deploy/nginx.conf as the one site of an nginx that is otherwise bare."""

    name = "nginx"
    SITE = ROOT / "deploy" / "nginx.conf"

    def __init__(self, upstream: int) -> None:
        super().__init__(upstream)
        self._make_certificate()
        self.write(self.SITE.read_text())

    def turn_to(self, upstream: int) -> None:
        assert self.process
        self.write(self.SITE.read_text(), upstream)
        before = set(children(self.process.pid))
        self.process.send(signal.SIGHUP)
        wait_for(lambda: self._only_others(before), 10, "nginx has a new process alone")

    def _only_others(self, before: set[int]) -> bool:
        now = set(children(self.process.pid)) if self.process else set()
        return bool(now) and not now & before

    def _make_certificate(self) -> None:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
                *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"),
                *("-addext", f"subjectAltName=DNS:{HOST}"),
                *("-keyout", self.folder / "privkey.pem", "-out", self.folder / "fullchain.pem"),
            ],
            check=True,
            capture_output=True,
        )
        self.trust = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))

    def write(self, site: str, upstream: int = 0) -> None:
        """The configuration: `site`, on our ports and with our files."""
        changes = {
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{upstream or self.upstream};",
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "listen [::]:80;": "",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            "listen [::]:443 ssl http2;": "",
            f"/etc/letsencrypt/live/{HOST}/": f"{self.folder}/",
            "/var/log/nginx/tertulia.log": f"{self.folder}/access.log",
            "/var/www/html": f"{self.folder}/www",
        }
        (self.folder / "site.conf").write_text(replaced(site, changes))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        (self.folder / "nginx.conf").write_text(
            f"""
            daemon off;
            worker_processes 1;
            pid {self.folder}/pid;
            error_log {self.folder}/error.log;
            events {{ worker_connections 256; }}
            http {{
                {"".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds)}
                # What no site takes over lands here, as Debian has it.
                access_log {self.folder}/access.log;
                include {self.folder}/site.conf;
            }}
            """
        )

    def command(self) -> list[str]:
        return ["nginx", "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf"]

    def check(self) -> str:
        """What `nginx -t` says; it must be content, and warn of nothing."""
        done = subprocess.run(
            [*self.command(), "-t"], env=self.environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr, done.stderr
        return done.stderr

    def seconds(self, directive: str) -> int:
        """A time that is configured."""
        found = re.search(rf"{directive} (\d+)s;", self.SITE.read_text())
        assert found
        return int(found[1])


class Caddy(Front):
    """deploy/Caddyfile, with a certificate by Caddy's own authority, as for every local name."""

    name = "caddy"
    SITE = ROOT / "deploy" / "Caddyfile"

    def __init__(self, upstream: int, env: dict[str, str]) -> None:
        super().__init__(upstream)
        self.admin = free_port()
        self.env = env
        # Beside the options that the file itself has.
        self.options = f"""{{
            admin 127.0.0.1:{self.admin}
            http_port {self.plain}
            https_port {self.port}
            default_bind 127.0.0.1
            local_certs
            skip_install_trust
            storage file_system {self.folder}/storage
        """
        (self.folder / "Caddyfile").write_text(self.written(self.SITE.read_text()))

    def written(self, site: str) -> str:
        """The configuration: `site`, on our ports and with our folder."""
        text, count = re.subn(r"^\{$", lambda _: self.options, site, count=1, flags=re.MULTILINE)
        assert count == 1
        return text

    def turn_to(self, upstream: int) -> None:
        places = {"{$TERTULIA_UPSTREAM:127.0.0.1:8000}": f"127.0.0.1:{upstream}"}
        text = self.written(replaced(self.SITE.read_text(), places))
        asked = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=20)
        asked.request("POST", "/load", text.encode(), {"Content-Type": "text/caddyfile"})
        answer = asked.getresponse()
        assert answer.status == 200, answer.read()
        asked.close()

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self.env}

    def command(self) -> list[str]:
        return ["caddy", "run", "--config", f"{self.folder}/Caddyfile", "--adapter", "caddyfile"]

    def start(self) -> Caddy:
        super().start()
        root = self.folder / "storage" / "pki" / "authorities" / "local" / "root.crt"
        wait_for(root.exists, 20, "Caddy has an authority of its own")
        self.trust = ssl.create_default_context(cafile=str(root))
        wait_for(self._has_certificate, 20, "Caddy has a certificate")
        return self

    def _has_certificate(self) -> bool:
        try:
            self.browser().get("/healthz")
        except (ssl.SSLError, OSError):
            return False
        return True
