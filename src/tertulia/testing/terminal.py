"""`python -m tertulia.testing proxy`: the fault proxy on a terminal, changed by lines of input."""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from ipaddress import ip_address
from typing import Any

from .proxy import LOOPBACK, Address, Proxy
from .toxics import KINDS, parse, settable

HELP = """Lines that it takes while it runs:
  add TOXIC      as after --toxic
  remove NAME    a toxic's name is KIND_STREAM unless one was given
  clear          no toxic any more
  reset          reset all connections, once
  down, up       refuse connections, and take them again

Toxics (KIND:NAME=VALUE,…; times in ms, rates in KB/s, the slicer's delay in µs):
"""


def address(text: str) -> Address:
    """`8000`, or `127.0.0.1:8000`."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no PORT or HOST:PORT")
    return (host.strip("[]") or LOOPBACK, int(port))


def own(text: str) -> Address:
    """An address of this machine's own: nobody else is to be let in."""
    host, port = address(text)
    try:
        inside = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise argparse.ArgumentTypeError(f"{host} is not loopback; the proxy listens there only")
    return host, port


def toxic(text: str) -> tuple[str, dict[str, Any]]:
    """As `parse`; the fault is told by argparse."""
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments, and its help."""
    shown = "\n".join(f"  {kind}: {', '.join(settable(KINDS[kind]))}" for kind in KINDS)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = HELP + shown
    parser.add_argument("listen", metavar="LISTEN", type=own, help="PORT or HOST:PORT, 0: any")
    parser.add_argument("upstream", metavar="UPSTREAM", type=address, help="PORT or HOST:PORT")
    parser.add_argument(
        "--toxic", metavar="TOXIC", type=toxic, action="append", default=[], help="may be repeated"
    )
    parser.add_argument("--seed", type=int, help="the same chances in each run")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Until interrupted; the exit status."""
    try:
        asyncio.run(_serve(options))
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError) as error:
        print(f"proxy: {error}", file=sys.stderr)
        return 2
    return 0


async def _serve(options: argparse.Namespace) -> None:
    host, port = options.listen
    async with Proxy(options.upstream, host=host, port=port, seed=options.seed) as proxy:
        for kind, attributes in options.toxic:
            proxy.add(kind, **attributes)
        to = ":".join(map(str, options.upstream))
        print(f"{proxy.host}:{proxy.port} → {to}", flush=True)
        lines: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        threading.Thread(target=_read, args=(loop, lines), daemon=True).start()
        while True:
            try:
                told = await obey(proxy, (await lines.get()).split())
            except ValueError as error:
                told = str(error)
            print(told, flush=True)


def _read(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str]) -> None:
    """In a thread, since standard input may be a file; it ends with the input."""
    for line in sys.stdin:
        if line.strip():
            loop.call_soon_threadsafe(lines.put_nowait, line)


async def obey(proxy: Proxy, words: list[str]) -> str:
    """Carry out one line; what to say of it. Raises ValueError."""
    match words:
        case ["add", text]:
            kind, attributes = parse(text)
            return f"added {proxy.add(kind, **attributes).name}"
        case ["remove", name]:
            proxy.remove(name)
            return f"removed {name}"
        case ["clear"]:
            proxy.clear()
            return "cleared"
        case ["reset"]:
            return f"reset {proxy.reset_all()}"
        case ["down"]:
            await proxy.down()
            return "down"
        case ["up"]:
            await proxy.up()
            return "up"
    raise ValueError("add TOXIC, remove NAME, clear, reset, down or up")
