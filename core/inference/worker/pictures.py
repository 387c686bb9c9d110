"""Reads pictures (PNG, JPEG, WebP, GIF, BMP, TIFF) in a confined worker: their pixels for a model, and a small copy for a person to look at.

What is larger than `MOST_PIXELS` is refused before it is decoded.
"""

import io
import warnings
from typing import Final

from core.errors import BadInput
from core.inference.records import ShownPicture, ShowPicture
from core.records import Record
from core.workers.serving import Call, Handler

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MOST_PIXELS: Final = 40_000_000


def decoded(number: int, data: bytes) -> tuple[bytes, int, int]:
    """The pixels of a picture (RGB, three bytes each), its width and its height. Raises `BadInput`."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    source = f"Picture {number}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise BadInput(source=source, problem=f"it has more than {MOST_PIXELS:,} pixels. Make it smaller.")
                image = ImageOps.exif_transpose(opened).convert("RGB")
    except BadInput:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadInput(source=source, problem=f"it has more than {MOST_PIXELS:,} pixels. Make it smaller.") from None
    except Exception:  # noqa: BLE001 (decoders of hostile files raise whatever they like)
        raise BadInput(source=source, problem="it can't be read. Give a PNG, JPEG, WebP, GIF, BMP or TIFF.") from None
    return image.tobytes(), image.width, image.height


def show(request: ShowPicture, call: Call) -> ShownPicture:
    """A copy of which no side is longer than `request.longest` pixels. Raises `BadInput`."""
    from PIL import Image

    pixels, width, height = decoded(request.number, request.data)
    small = Image.frombytes("RGB", (width, height), pixels)
    small.thumbnail((request.longest, request.longest))
    return ShownPicture(
        width=width, height=height, shown_width=small.width, shown_height=small.height, pixels=small.tobytes()
    )


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {ShowPicture: show}
