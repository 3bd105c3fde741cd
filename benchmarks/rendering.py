"""How long the worst texts take to become HTML: `.venv/bin/python benchmarks/rendering.py`.

Thousands of texts, each made from a short pattern, at the longest length that a message may have
and at 64 KiB. Prints the worst ten of each in milliseconds of processor time, the best of five, and
as multiples of ordinary prose. Takes some minutes; ends with status 1 when one takes over 50 ms.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from tertulia.chat.languages import LANGUAGES
from tertulia.chat.text import render
from tertulia.protocol.limits import TEXT

LONG = 65_536
BOUND = 50.0
# So many of the slowest are measured again: one measurement is often another program's doing.
SUSPECTS = 40
PROSE = "Shall we talk about it on Thursday, when everybody is back? "

MARKDOWN = (
    *(
        "> ",
        "- ",
        "1. ",
        "* a\n",
        "# a\n",
        "a\n\n",
        "- a\n  - b\n",
        "```\n",
        "~~~\n",
        "---\n",
        "\t",
    ),
    *(
        "|a|\n|-|\n",
        "a\n|-|\n",
        "    a\n",
        ">a\n",
        "- > ",
        "> - ",
        "- - - - - - - - - a\n",
        "*a\na\n",
    ),
    *(
        "`a` ",
        "``",
        "~~a~~",
        "<a@b.c>",
        "<http://a>",
        "&amp;",
        "\\*",
        "a\\\n",
        "[a](<b>)",
        "[a](",
        "[",
    ),
    *(
        "](",
        "![",
        "a*",
        "_a",
        "**",
        "***a",
        "*a **b ",
        "@ana ",
        "://",
        "http://",
        "http://a",
        "mailto:a@b.c ",
    ),
    *("(http://a.b", "http://a.b) ", "&#x41;", "<!--", "é*", "\u202e*", "🙂*"),
)
CODE = (
    *(
        '"',
        "'",
        "`",
        '"""',
        "'''",
        "/*",
        "<!--",
        "<a b=",
        "</",
        "{-",
        "--[[",
        "(",
        "[[",
        "{",
        "${",
        "$(",
    ),
    *(
        "\\",
        "\\\n",
        "\n ",
        "\n\t",
        " \n",
        "a ",
        "a.b",
        "a(",
        "a:",
        "\na: ",
        "\na =",
        "a-",
        "é",
        "1 a ",
        "1.",
    ),
    *(
        "#",
        "\n#",
        "\n-",
        "\n+",
        "\n=a",
        "@a ",
        ":a ",
        'r#"',
        "f'{",
        "'\\",
        '"\\',
        "<<A\n",
        "%",
        "a=",
        "&a",
    ),
    *('"a":', "{'a': 1, ", "/a/", "<?", "\n>>> ", "\n[a", "A b ", "aB(1)\n"),
)


def texts(size: int) -> Iterator[tuple[str, str]]:
    """(name, text) of at most `size` characters."""
    columns = 256
    row = "|a" * columns + "|\n" + "|-" * columns + "|\n"
    yield "a wide table", (row + "x\n" * size)[:size]
    for pattern in MARKDOWN:
        yield f"{pattern!r} again and again", _repeated(pattern, size)
    for language in dict.fromkeys(language.id for language in LANGUAGES.values()):
        for pattern in CODE:
            fence = f"```{language}\n{_repeated(pattern, min(size, TEXT) - 40)}\n```\n"
            yield f"{language}: {pattern!r}", fence + _repeated("a\n\n", size - len(fence))


def main() -> int:
    over = 0
    print("| text | ms | × prose |\n| --- | --- | --- |")
    for size in (TEXT, LONG):
        prose = _milliseconds(_repeated(PROSE + "*Yes*.\n\n", size))
        once = sorted(
            ((_milliseconds(text, 1), name, text) for name, text in texts(size)), reverse=True
        )
        worst = sorted(
            ((_milliseconds(text), name) for _, name, text in once[:SUSPECTS]), reverse=True
        )
        over += sum(1 for taken, _ in worst if taken > BOUND)
        for taken, name in [(prose, "prose with some emphasis"), *worst[:10]]:
            print(f"| {size:,}: {name} | {taken:.1f} | {taken / prose:.1f} |")
    return 1 if over else 0


def _repeated(pattern: str, size: int) -> str:
    return (pattern * (size // len(pattern) + 1))[: max(size, 0)]


def _milliseconds(text: str, times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        began = time.thread_time()
        render(text)
        best = min(best, (time.thread_time() - began) * 1_000)
    return best


if __name__ == "__main__":
    sys.exit(main())
