"""A small shop on an origin of its own, with the support widget on each of its pages.

    python shop.py --chat http://127.0.0.1:8000 --inbox PUBLIC_ID --secret SECRET

It is Python's standard library and a few static pages: what a site needs for the widget is the one
`<script>` element in `pages/frame.html`, the chat's origin in the policy below, and `identity()`
if the site knows its customers.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import time
from html import escape
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

PAGES = Path(__file__).parent / "pages"
# Nothing is allowed that is not named: no inline script or style, and of other origins the chat
# alone, for the loader (script-src), the conversation (frame-src) and what it asks (connect-src).
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src {chat}; frame-src {chat};"
    " connect-src {chat}; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'"
)
CUSTOMERS = {"ana": "Ana López", "bruno": "Bruno Díaz"}
ADDRESSES = {"/": "home.html", "/cup": "cup.html", "/bowl": "bowl.html"}


def identity(secret: str, customer: str, name: str, email: str = "") -> str:
    """Who the visitor is, signed for the chat, for an hour: it goes into the page."""
    claims = {"id": customer, "name": name, "email": email, "expires": int(time.time()) + 3600}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{body}.{hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()}"


class Shop(BaseHTTPRequestHandler):
    """Every page anew, with the widget's script in it."""

    chat = inbox = secret = ""
    language = "en"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/style.css":
            self._send((PAGES / "style.css").read_bytes(), "text/css")
        elif path in ADDRESSES:
            content = (PAGES / ADDRESSES[path]).read_text("utf-8")
            self._send(self._framed(content).encode(), "text/html; charset=utf-8")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Sign in or out. A real shop asks for a password, and guards its forms."""
        customer = self.path.removeprefix("/sign-in/")
        self.send_response(HTTPStatus.SEE_OTHER)
        if customer in CUSTOMERS:
            self.send_header("Set-Cookie", f"customer={customer}; Path=/; HttpOnly; SameSite=Lax")
        else:
            self.send_header("Set-Cookie", "customer=; Path=/; Max-Age=0")
        self.send_header("Location", "/")
        self.end_headers()

    @property
    def _customer(self) -> str | None:
        morsel = SimpleCookie(self.headers.get("Cookie", "")).get("customer")
        return morsel.value if morsel and morsel.value in CUSTOMERS else None

    def _framed(self, content: str) -> str:
        frame = Template((PAGES / "frame.html").read_text("utf-8"))
        customer = self._customer
        signed = ""
        if customer and self.secret:
            signed = f' data-identity="{identity(self.secret, customer, CUSTOMERS[customer])}"'
        form = '<form method="post" action="/{}"><button>{}</button></form>'
        account = (
            f"<span>{escape(CUSTOMERS[customer])}</span>" + form.format("sign-out", "Sign out")
            if customer
            else "".join(form.format(f"sign-in/{c}", f"Sign in as {c}") for c in CUSTOMERS)
        )
        return frame.substitute(
            language=self.language,
            content=content,
            account=account,
            chat=escape(self.chat),
            inbox=escape(self.inbox),
            identity=signed,
        )

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY.format(chat=self.chat))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def shop(chat: str, inbox: str, secret: str = "", port: int = 0, language: str = "en") -> Server:
    """The server, which listens on this machine only; port 0: any that is free."""
    names = {"chat": chat, "inbox": inbox, "secret": secret, "language": language}
    return Server(("127.0.0.1", port), type("ThisShop", (Shop,), names))


class Server(ThreadingHTTPServer):
    """The shop, until `shutdown()`."""

    daemon_threads = True

    @property
    def url(self) -> str:
        """By a name of its own: to a browser, 127.0.0.1 is another site than localhost."""
        return f"http://localhost:{self.server_port}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chat", default="http://127.0.0.1:8000", help="the chat's origin")
    parser.add_argument("--inbox", required=True, help="the inbox's public id")
    parser.add_argument(
        "--secret", default="", help="the inbox's secret, to sign who customers are"
    )
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--language", default="en", choices=("en", "es"))
    given = parser.parse_args()
    server = shop(given.chat, given.inbox, given.secret, given.port, given.language)
    print(f"The shop is open at {server.url}/ (allow this site in the inbox)")
    server.serve_forever()


if __name__ == "__main__":
    main()
