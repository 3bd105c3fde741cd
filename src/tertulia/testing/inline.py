"""The chat inside a `TestCase` of Django's, written and read on the test's own connection.

Such a test never commits, so the writing thread and the reading threads of a process that serves
see nothing of it. Within `inline_writer()` there are no such threads: what a socket asks for is
done where the test's own queries run, is seen by them, and undone with the test. `post`,
`open_room` and `revoke` run in their caller's transaction everywhere. What they tell is told by
`on_commit`, thus in a `TestCase` at the end of `captureOnCommitCallbacks(execute=True)`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import mock

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, connection, transaction

from tertulia.protocol.errors import Code, ProtocolError, unavailable

# The chat's modules need loaded apps, so they are imported where they are used.
if TYPE_CHECKING:
    from django.test import TransactionTestCase as _Tests

    from tertulia.chat.actions import Action
    from tertulia.chat.log import News
    from tertulia.chat.readers import Readers
    from tertulia.chat.sweep import Sweep
    from tertulia.chat.writer import Done, Item, Writer
else:
    _Tests = object

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class InlineWriterMixin(_Tests):
    """`class OrderTests(InlineWriterMixin, TestCase)`: all its tests are in `inline_writer()`.

    So is `setUpTestData`. For a `TransactionTestCase`, too.
    """

    @classmethod
    def setUpClass(cls) -> None:
        cls.enterClassContext(inline_writer())
        super().setUpClass()


@contextmanager
def inline_writer() -> Iterator[None]:
    """Whatever serves sockets in this process writes and reads on the connection of the test.

    Their event loop has to be one that `async_to_sync`, or an `async def` of a `TestCase`, has
    begun in here. Needs loaded apps. It holds for all threads: tests side by side need processes
    of their own, as with `--parallel`.
    """
    from tertulia.chat import log, readers, sweep, writer

    with ExitStack() as stack:
        for holder, name, replacement in (
            (writer.Writer, "start", _start),
            (writer.Writer, "submit", _submit),
            (writer.Writer, "stop", _stop),
            (readers.Readers, "run", _read),
            (sweep.Sweep, "run", _sweep),
            (log, "_refs", _Forgetful()),
            (log, "_plain", _Forgetful()),
        ):
            stack.enter_context(mock.patch.object(holder, name, replacement))
        yield


class _Forgetful(dict[Any, Any]):
    """In place of what a process remembers of rooms, which a rollback makes untrue: nothing is."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """As of a dictionary."""

    def add(self, key: Any) -> None:
        """As of a set."""


# In place of the methods of `Writer`. While `_calling` is set, a task of the loop is at work.


def _start(writer: Writer) -> None:
    """There is no thread to begin."""


def _submit(writer: Writer, action: Action, done: Done) -> None:
    """Have an action carried out after those before it. Called in the event loop."""
    from tertulia.chat.writer import Item

    item = Item(action, done, writer.epoch)
    if writer._stopped:
        writer._fail([item], unavailable("The chat has been shut down."))
        return
    writer._items.append(item)
    if not writer._calling:
        writer._calling = True
        # The loop itself would let go of the task.
        vars(writer)["_task"] = asyncio.get_running_loop().create_task(_write_all(writer))


def _stop(writer: Writer, timeout: float = 10.0) -> None:
    """Wait at most `timeout` seconds for what was submitted. Called beside the event loop."""
    writer._stopped = True
    until = monotonic() + timeout
    while writer._calling and monotonic() < until:
        sleep(0.01)


async def _write_all(writer: Writer) -> None:
    try:
        while writer._items:
            await sync_to_async(_carry_out)(writer, writer._items.popleft())
    finally:
        writer._calling = False


def _carry_out(writer: Writer, item: Item) -> None:
    """Nothing here may close the connection: the test's transaction would be gone with it."""
    name = type(item.action).__name__
    try:
        outcome, told = _written(writer, item)
    except (OperationalError, InterfaceError) as error:
        logger.error("%s could not be written: %s", name, str(error).strip())
        writer._fail([item], unavailable("The database cannot be written at the moment."))
    except Exception:
        logger.exception("%s failed", name)
        writer._fail([item], ProtocolError(Code.INTERNAL, "The server failed to do this."))
    else:
        writer._committed([(item.done, outcome)], told)


def _written(writer: Writer, item: Item) -> tuple[Any, News]:
    """In a transaction of its own: in a `TestCase`, up to a savepoint."""
    from tertulia.chat.log import LogTransaction

    item.action.prepare()
    with transaction.atomic():
        log = LogTransaction(connection)
        outcome = writer._run_one(log, item.action)
        log.flush()
    return outcome, log.news()


# In place of `Readers.run` and `Sweep.run`


async def _read(readers: Readers, function: Callable[..., Result], *args: Any) -> Result:
    """The function's result. Raises `ProtocolError`: also where the database refuses."""
    try:
        return await sync_to_async(function)(*args)
    except (OperationalError, InterfaceError) as error:
        logger.error("%s could not read: %s", function.__name__, str(error).strip())
        raise unavailable("The database cannot be read at the moment.") from None


async def _sweep(sweep: Sweep) -> None:
    """Look at nothing: it would tell of what is not committed, at a time of its own.

    It is cancelled with its loop, after which nobody has anything to tell that runtime.
    """
    from tertulia.chat import publish

    try:
        await asyncio.Event().wait()
    finally:
        publish.runtimes.discard(sweep._runtime)
