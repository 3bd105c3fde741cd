"""Lines over time as SVG, readable on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

# Mid tones: at least 3:1 on white and on dark grey.
COLOURS = ("#2f81f7", "#bf8700", "#2da44e", "#cf5f5f", "#8250df")
TEXT, FAINT = "#7d8590", "#7d859055"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 820, 300, 60, 20, 44, 36
FONT = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"

Points = Sequence[tuple[float, float]]


def lines(title: str, series: Mapping[str, Points], unit: str) -> str:
    """Each series is (minutes, value); the values begin at nought."""
    most = max((v for points in series.values() for _, v in points), default=1.0) or 1.0
    last = max((t for points in series.values() for t, _ in points), default=1.0) or 1.0
    step = _step(most / 4)
    top = math.ceil(most / step) * step

    def place(minutes: float, value: float) -> str:
        x = LEFT + minutes / last * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f} {y:.1f}"

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' height="{HEIGHT}" role="img" font-family="{FONT}" font-size="13" fill="{TEXT}">',
        f"<title>{escape(title)}</title>",
        f'<text x="0" y="20" font-size="16" font-weight="600">{escape(title)}</text>',
    ]
    for n in range(round(top / step) + 1):
        x, y = place(0, n * step).split()
        drawn.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="{FAINT}"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{y}" dy="4" text-anchor="end">{n * step:g}</text>')
    minutes = f"0 to {last:.0f} minutes, in {unit}"
    drawn.append(f'<text x="{LEFT}" y="{HEIGHT - 10}">{minutes}</text>')
    for n, (name, points) in enumerate(series.items()):
        colour = COLOURS[n % len(COLOURS)]
        path = "L".join(place(*point) for point in points)
        drawn.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        key = LEFT + 170 + n * 120
        drawn.append(f'<text x="{key}" y="{HEIGHT - 10}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*drawn, "</svg>"]) + "\n"


def _step(least: float) -> float:
    """1, 2 or 5 times a power of ten."""
    power: float = 10 ** math.floor(math.log10(least))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= least)
