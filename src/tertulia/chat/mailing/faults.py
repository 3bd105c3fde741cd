"""Why a mail was not sent: a word for people, and a line for the log that names nobody."""

from __future__ import annotations

import smtplib
from enum import StrEnum


class Fault(StrEnum):
    """What is wrong, by who can mend it."""

    ADDRESS = "address"  # it is none
    REFUSED = "refused"  # the mail server does not take it
    LATER = "later"  # the mail server does not take it now
    SERVER = "server"  # the mail server cannot be used: a matter of the administrator's
    BUSY = "busy"  # too many mails wait
    OFTEN = "often"  # this address was invited several times today
    MANY = "many"  # more addresses than one request may have


class NothingSent(Exception):
    """The backend raised nothing, and says that it has sent none."""


def fault_of(error: Exception) -> Fault:
    """By what a backend raised."""
    if isinstance(error, UnicodeError | ValueError) and not isinstance(error, OSError):
        return Fault.ADDRESS
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return Fault.LATER if _code(error) < 500 else Fault.REFUSED
    if isinstance(error, NothingSent):
        return Fault.REFUSED
    return Fault.SERVER


def described(error: Exception) -> str:
    """Its kind and code. A mail server's own words are left out: they hold addresses."""
    code = _code(error)
    name = type(error).__name__
    if code:
        return f"{name} {code}"
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return f"{name}: {error.strerror or error}" if str(error) else name
    return name


def _code(error: Exception) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((code for code, _text in error.recipients.values()), default=0)
    if isinstance(error, smtplib.SMTPResponseException):
        return int(error.smtp_code)
    return 0
