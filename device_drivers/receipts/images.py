"""Pictures of a template: a PNG file beside it becomes dots, once, when the template is read.

Knows files, grey and transparency; must not know where on the sheet a picture stands.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from device_drivers.receipts.bad_template import BadPicture
from device_drivers.receipts.blanks import refusal

MAX_WIDTH, MAX_HEIGHT = 832, 1200  # dots: the widest head of a receipt printer, and 15 cm of paper
MAX_FILE_BYTES = 4_000_000
MAX_PIXELS = 8_000_000  # what a small file may unfold to while it is read


class Dots(BaseModel):
    """A picture inside of a template: rows of `width` dots, packed, deflated, in base64."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    width: int = Field(ge=1, le=MAX_WIDTH)
    height: int = Field(ge=1, le=MAX_HEIGHT)
    packed: Annotated[str, Field(max_length=200_000)]

    @model_validator(mode="after")
    def _as_large_as_it_says(self) -> Dots:
        self.rows()
        return self

    def rows(self) -> tuple[bytes, ...]:
        """One `bytes` a row, the leftmost dot in the highest bit."""
        stride = (self.width + 7) // 8
        try:
            raw = zlib.decompressobj().decompress(
                base64.b64decode(self.packed, validate=True), stride * self.height + 1
            )
        except (binascii.Error, ValueError, zlib.error):
            raise refusal("template_dots") from None
        if len(raw) != stride * self.height:
            raise refusal("template_dots")
        return tuple(raw[start : start + stride] for start in range(0, len(raw), stride))


def dots_of_file(folder: Path, name: str, width: int | None) -> Dots:
    """Reads and dithers one picture. Raises BadPicture."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadPicture("template_picture_path", file=name)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadPicture("template_picture_large", file=name, pixels=f"> {MAX_PIXELS}", most=MAX_PIXELS)
        return _dithered(path, name, width)
    except OSError as error:
        raise BadPicture("template_picture", file=name, why=error if error.errno else "PNG") from error


def _dithered(path: Path, name: str, width: int | None) -> Dots:
    from PIL import Image  # only who has pictures in a template needs it

    with Image.open(path, formats=("PNG",)) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise BadPicture(
                "template_picture_large", file=name, pixels=picture.width * picture.height, most=MAX_PIXELS
            )
        solid = Image.new("RGBA", picture.size, "white")
        solid.alpha_composite(picture.convert("RGBA"))
    wide = min(width or solid.width, MAX_WIDTH)
    high = max(1, round(solid.height * wide / solid.width))
    if high > MAX_HEIGHT:
        raise BadPicture("template_picture_large", file=name, pixels=f"{wide}x{high}", most=f"{MAX_WIDTH}x{MAX_HEIGHT}")
    grey = solid.convert("L").resize((wide, high), Image.Resampling.LANCZOS)
    black = grey.convert("1").point(lambda value: 255 - value)
    return packed(wide, high, black.tobytes())


def packed(width: int, height: int, raw: bytes) -> Dots:
    """Rows one behind the other -> a picture inside of a template."""
    return Dots(width=width, height=height, packed=base64.b64encode(zlib.compress(raw, 9)).decode("ascii"))
