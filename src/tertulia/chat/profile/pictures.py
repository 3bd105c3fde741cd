"""Pictures of people: an upload becomes a small square WebP, made anew from its pixels.

Nothing of the uploaded file is kept, so nothing that is hidden in it is served: no metadata
(the place where a photograph was taken), no markup that a browser might take for a page.
"""

from __future__ import annotations

import secrets
import threading
from io import BytesIO
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

# Bytes of an upload, and pixels of what it unfolds to.
BYTES = 5 * 1024 * 1024
PIXELS = 40_000_000
# Pixels of each side of what is kept.
SIDE = 256
# Passes over a JPEG: some ten are usual. Each takes time for all its pixels, and 50 bytes.
SCANS = 200
_SCAN = b"\xff\xda"
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
FOLDER = "pictures"

# A picture of 40 megapixels takes up to 320 MB while it is unfolded: one at a time.
_one_at_a_time = threading.Lock()


def too_big() -> ValidationError:
    """An upload of more than `BYTES`."""
    return ValidationError(
        _("The picture has more than %(most)d MiB. Choose a smaller one."),
        code="too_big",
        params={"most": BYTES // 1024**2},
    )


def portrait(upload: BinaryIO) -> bytes:
    """The first frame's middle square as WebP. Raises `ValidationError`, with a sentence."""
    try:
        with _one_at_a_time, Image.open(upload, formats=FORMATS) as image:
            if image.width * image.height > PIXELS:
                raise _too_many_pixels()
            _check_scans(image, upload)
            return _encoded(_squared(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except ValidationError:
        raise
    except Exception as error:  # the decoders raise whatever they come upon
        raise ValidationError(
            _("This is no picture that can be read: choose a PNG, JPEG, WebP or GIF."),
            code="unreadable",
        ) from error


def _check_scans(image: Image.Image, upload: BinaryIO) -> None:
    """Raises ValueError for a JPEG that would keep a processor busy for minutes."""
    if image.format == "JPEG":
        place = upload.tell()
        upload.seek(0)
        # In the pixels themselves every 0xFF is followed by a zero.
        if upload.read(BYTES).count(_SCAN) > SCANS:
            raise ValueError("too many scans")
        upload.seek(place)


def _too_many_pixels() -> ValidationError:
    return ValidationError(
        _("The picture has more than %(most)d megapixels. Choose a smaller one."),
        code="too_big",
        params={"most": PIXELS // 10**6},
    )


def _squared(image: Image.Image) -> Image.Image:
    # Of a JPEG only as much is unfolded as is needed.
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    image.load()
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    square.info = dict(image.info)
    small = _coloured(square).resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    # Cameras write the pixels as the sensor has them, and beside them which way is up.
    small.getexif().update(image.getexif())
    return ImageOps.exif_transpose(small)


def _coloured(image: Image.Image) -> Image.Image:
    """In a mode that WebP has. Sixteen bits of grey become eight."""
    if image.mode.startswith(("I", "F")):
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _encoded(image: Image.Image) -> bytes:
    # A new image has the pixels and nothing else.
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    buffer = BytesIO()
    bare.save(buffer, "WEBP", quality=86, method=6)
    return buffer.getvalue()


def keep(content: bytes) -> str:
    """Put a portrait into the project's default storage; its name there, which nobody can guess."""
    return default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}.webp", ContentFile(content))


def discard(name: str) -> None:
    """Delete a picture that nobody has any more."""
    default_storage.delete(name)


def read(name: str) -> bytes | None:
    """A picture's bytes; None where the storage has lost it."""
    try:
        with default_storage.open(name) as file:
            content: bytes = file.read()
    except FileNotFoundError:
        return None
    return content
