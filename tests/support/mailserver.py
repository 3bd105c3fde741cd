"""A mail server of the tests' own: it takes mails, refuses some, hangs, or is away."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Literal, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Security = Literal["plain", "starttls", "tls"]


@dataclass
class Mail:
    """One that was taken, with what its sender said before it."""

    greeting: str
    sender: str
    to: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, self.message
        return str(part.get_content()).replace("\r\n", "\n")


class MailServer:
    """Serves on a free port in a thread of its own until `stop()`.

    `answers` is what it says of an address instead of taking it: `{"a@b.org": "550 no"}`.
    `greetings` counts those who have connected.
    """

    def __init__(
        self,
        *,
        security: Security = "plain",
        certificate: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.mails: list[Mail] = []
        self.answers: dict[str, str] = {}
        self.greetings = 0
        self.port = 0
        self._security = security
        self._certificate = certificate
        self._login = login
        self._news = threading.Condition()
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._quiet: set[asyncio.BaseTransport] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> MailServer:
        self._thread.start()
        self.comes_back()
        return self

    def stop(self) -> None:
        self.goes_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def goes_away(self) -> None:
        """Nobody listens at the port any more."""
        self._do(self._close())

    def comes_back(self) -> None:
        self._do(self._listen())

    def hangs(self) -> None:
        """It takes connections, and says nothing."""
        self._loop.call_soon_threadsafe(self._speaks.clear)

    def goes_on(self) -> None:
        """After it hung, with those who still wait."""
        self._loop.call_soon_threadsafe(self._speaks.set)

    def hangs_up(self) -> None:
        """On those who wait, while it hangs."""
        for transport in list(self._quiet):
            self._loop.call_soon_threadsafe(transport.close)

    def url(self, query: str = "", login: str = "") -> str:
        """As TERTULIA_EMAIL_URL has it."""
        scheme = "smtps" if self._security == "tls" else "smtp"
        options = [*(["tls=off"] if self._security == "plain" else []), *([query] if query else [])]
        tail = f"?{'&'.join(options)}" if options else ""
        return f"{scheme}://{login and f'{login}@'}127.0.0.1:{self.port}{tail}"

    def mail_to(self, address: str, seconds: float = 20) -> Mail:
        """The oldest mail to this address, which is waited for, and taken out."""
        return self._wait(lambda mail: address in mail.to, seconds, f"no mail to {address}")

    def _wait(self, wanted: Callable[[Mail], bool], seconds: float, missing: str) -> Mail:
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for mail in self.mails:
                    if wanted(mail):
                        self.mails.remove(mail)
                        return mail
                left = deadline - time.monotonic()
                assert left > 0, f"{missing}; there are {[mail.to for mail in self.mails]}"
                self._news.wait(left)

    # In the server's thread

    def _do(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        direct = self._certificate if self._security == "tls" else None
        self._server = await self._loop.create_server(
            self._protocol, "127.0.0.1", self.port, ssl=direct
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _protocol(self) -> SMTP:
        starttls = self._security == "starttls"
        return _Silent(
            self,
            encrypted=self._security == "tls",
            hostname="mail.example",
            tls_context=self._certificate if starttls else None,
            require_starttls=starttls,
            authenticator=self._check if self._login else None,
            auth_required=self._login is not None,
            loop=self._loop,
        )

    def _check(self, server: Any, session: Any, envelope: Any, kind: str, data: Any) -> AuthResult:
        assert self._login is not None
        given = cast(LoginPassword, data)
        right = (given.login.decode(), given.password.decode()) == self._login
        return AuthResult(success=right, handled=False)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = message_from_bytes(cast(bytes, envelope.content), policy=default)
        mail = Mail(
            str(session.host_name),
            str(envelope.mail_from),
            list(map(str, envelope.rcpt_tos)),
            message,
        )
        with self._news:
            self.mails.append(mail)
            self._news.notify_all()
        return "250 OK"

    async def greet(self, transport: asyncio.BaseTransport) -> None:
        self.greetings += 1
        self._quiet.add(transport)
        try:
            await self._speaks.wait()
        except asyncio.CancelledError:
            # Who waited has gone, and nobody else closes our half.
            transport.close()
            raise
        finally:
            self._quiet.discard(transport)


class _Silent(SMTP):
    """Says nothing, not even who it is, as long as it hangs."""

    def __init__(self, handler: MailServer, *, encrypted: bool, **how: Any) -> None:
        super().__init__(handler, **how)
        self._mail_server = handler
        # It knows of STARTTLS alone, and would warn of a name asked for without that.
        self._auth_require_tls = not encrypted

    async def _handle_client(self) -> None:
        assert self.transport is not None
        await self._mail_server.greet(self.transport)
        await super()._handle_client()
