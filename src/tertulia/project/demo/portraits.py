"""Pictures of some of the people, drawn when the demo is made: flat shapes on a square."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw

SIDE = 512
Draw = ImageDraw.ImageDraw


def drawn(key: str) -> BytesIO | None:
    """A PNG of this person's picture; None for those who keep their initials."""
    known = _PORTRAITS.get(key)
    if known is None:
        return None
    ground, paint = known
    image = Image.new("RGB", (SIDE, SIDE), ground)
    paint(ImageDraw.Draw(image))
    file = BytesIO()
    image.save(file, "PNG")
    file.seek(0)
    return file


def _disc(draw: Draw, x: int, y: int, radius: int, colour: str) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _lighthouse(draw: Draw) -> None:
    draw.polygon([(256, 118), (512, 20), (512, 210)], fill="#f6d58a")
    draw.rectangle((0, 410, 512, 512), fill="#16414a")
    draw.polygon([(206, 430), (306, 430), (286, 150), (226, 150)], fill="#fbf7ef")
    for top in (200, 290, 380):
        draw.rectangle((214, top, 298, top + 36), fill="#c2533a")
    draw.rectangle((222, 96, 290, 150), fill="#f2b632")
    draw.polygon([(212, 100), (300, 100), (256, 48)], fill="#2a2622")


def _book(draw: Draw) -> None:
    draw.polygon([(256, 190), (70, 140), (70, 370), (256, 420)], fill="#fbf7ef")
    draw.polygon([(256, 190), (442, 140), (442, 370), (256, 420)], fill="#efe3cd")
    for row in range(5):
        y = 200 + 36 * row
        draw.line((100, y, 226, y + 32), fill="#b59a78", width=8)
        draw.line((286, y + 32, 412, y), fill="#b59a78", width=8)
    draw.polygon([(350, 164), (384, 154), (384, 268), (367, 250), (350, 276)], fill="#c2533a")


def _mountains(draw: Draw) -> None:
    _disc(draw, 360, 140, 58, "#fbf0cf")
    draw.polygon([(0, 420), (190, 150), (360, 420)], fill="#56708f")
    draw.polygon([(140, 222), (190, 150), (236, 222), (190, 250)], fill="#ffffff")
    draw.polygon([(220, 430), (400, 230), (560, 430)], fill="#3f5672")
    draw.rectangle((0, 410, 512, 512), fill="#2c6b62")


def _dog(draw: Draw) -> None:
    draw.polygon([(110, 90), (220, 150), (120, 300)], fill="#6b4a2f")
    draw.polygon([(402, 90), (292, 150), (392, 300)], fill="#6b4a2f")
    draw.ellipse((120, 120, 392, 440), fill="#d9a86c")
    draw.ellipse((186, 290, 326, 430), fill="#f3dcbc")
    for x in (200, 312):
        _disc(draw, x, 250, 22, "#2a2622")
    draw.ellipse((224, 300, 288, 346), fill="#2a2622")


def _octopus(draw: Draw) -> None:
    for arm, end in enumerate((400, 446, 424, 452, 418, 440)):
        x = 118 + 48 * arm
        draw.rounded_rectangle((x, 240, x + 36, end), 18, fill="#b5476b")
    draw.ellipse((106, 70, 406, 350), fill="#cf5d82")
    for x in (206, 306):
        _disc(draw, x, 220, 34, "#ffffff")
        _disc(draw, x, 228, 16, "#2a2622")


_PORTRAITS: dict[str, tuple[str, Callable[[Draw], None]]] = {
    "ana": ("#2f6f78", _lighthouse),
    "carmen": ("#7c3f58", _book),
    "edda": ("#a9c3dd", _mountains),
    "lena": ("#f0e2c4", _dog),
    "ines": ("#f6d9c9", _octopus),
}
