"""The blocks of a template, as a designer writes them: what each may say, within which bounds.

Knows each block by itself; must not know the order of blocks, values, paper, nor files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from device_drivers.receipts.blanks import NAME, Blanks, refusal
from device_drivers.receipts.images import Dots
from device_drivers.receipts.sheet import Align, Level

_SIZE = Annotated[int, Field(ge=1, le=4)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    when: str | None = None  # the block is left out where this value is missing, empty or "false"

    @field_validator("when")
    @classmethod
    def _named(cls, when: str | None) -> str | None:
        if when is not None and not NAME.fullmatch(when):
            raise refusal("template_name", name=when)
        return when

    def texts(self) -> tuple[str, ...]:
        """Everything in it that may hold {names}."""
        return ()


class Text(_Block):
    """Text in one or more lines; `size` sets width and height together."""

    text: Blanks
    align: Align = "left"
    bold: bool = False
    underline: bool = False
    size: _SIZE = 1
    width: _SIZE | None = None
    height: _SIZE | None = None
    wrap: bool = True

    def texts(self) -> tuple[str, ...]:
        return (self.text,)


class Cell(BaseModel):
    """One column's text; its width is its share of the sum of all shares."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    text: Blanks
    share: int = Field(1, ge=1, le=48)
    align: Align = "left"
    wrap: bool = True


class Columns(_Block):
    """Cells side by side, one blank between them."""

    columns: Annotated[list[Cell], Field(min_length=1, max_length=8)]
    bold: bool = False
    underline: bool = False
    size: _SIZE = 1

    def texts(self) -> tuple[str, ...]:
        return tuple(cell.text for cell in self.columns)


class Line(_Block):
    """A rule over the whole width, made of one character."""

    rule: str = "-"

    @field_validator("rule")
    @classmethod
    def _one_character(cls, rule: str) -> str:
        if len(rule) != 1 or not "!" <= rule <= "~":
            raise refusal("template_rule")
        return rule


class Qr(_Block):
    """A QR code; `size` is dots per module."""

    qr: Blanks
    size: int = Field(6, ge=2, le=16)
    level: Level = "M"
    align: Align = "centre"

    def texts(self) -> tuple[str, ...]:
        return (self.qr,)


class Barcode(_Block):
    """Bars; `size` is dots per module, `height` in dots, `caption` puts the data in letters below."""

    barcode: Blanks
    symbology: Literal["code128", "ean13"] = "code128"
    size: int = Field(2, ge=2, le=6)
    height: int = Field(80, ge=16, le=255)
    caption: bool = True
    align: Align = "centre"

    def texts(self) -> tuple[str, ...]:
        return (self.barcode,)


class Image(_Block):
    """A picture from a PNG file beside the template, in `width` dots; grey becomes a pattern of dots."""

    image: str = Field(min_length=1, max_length=200)
    width: int | None = Field(None, ge=8, le=832)
    align: Align = "centre"
    dots: Dots | None = None  # filled in when the file is read


class Seal(_Block):
    """A round seal: drawn with `seal` around and `below` under its star, or a PNG file with a transparent ground."""

    seal: Blanks
    below: Blanks = ""
    image: str | None = Field(None, min_length=1, max_length=200)
    width: int = Field(240, ge=160, le=400)
    align: Align = "right"
    dots: Dots | None = None

    def texts(self) -> tuple[str, ...]:
        return (self.seal, self.below)


class Blank(_Block):
    """Blank lines."""

    feed: int = Field(ge=1, le=20)


class End(_Block):
    """The cut; where a template has none, the sheet is cut partially."""

    cut: Literal["full", "partial"]


_KINDS = ("text", "columns", "rule", "qr", "barcode", "image", "seal", "feed", "cut")


def _kind_of(block: Any) -> str:
    """The one key that says what a block is; a seal may have an image."""
    if isinstance(block, BaseModel):
        return _NAMES[type(block)]
    return "seal" if "seal" in block else next(kind for kind in _KINDS if kind in block)


AnyBlock = Annotated[
    Annotated[Text, Tag("text")]
    | Annotated[Columns, Tag("columns")]
    | Annotated[Line, Tag("rule")]
    | Annotated[Qr, Tag("qr")]
    | Annotated[Barcode, Tag("barcode")]
    | Annotated[Image, Tag("image")]
    | Annotated[Seal, Tag("seal")]
    | Annotated[Blank, Tag("feed")]
    | Annotated[End, Tag("cut")],
    Discriminator(_kind_of),
]


_NAMES: dict[type[BaseModel], str] = dict(
    zip((Text, Columns, Line, Qr, Barcode, Image, Seal, Blank, End), _KINDS, strict=True)
)


def one_kind_each(blocks: Any) -> Any:
    """Refuses a block that is none, or two at once, before its members are looked at."""
    for place, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if isinstance(block, BaseModel):
            continue
        found = [kind for kind in _KINDS if isinstance(block, Mapping) and kind in block]
        if "seal" in found and "image" in found:
            found.remove("image")
        if not found:
            raise refusal("template_no_block", (place,), known=_KINDS)
        if len(found) > 1:
            raise refusal("template_two_blocks", (place,), first=found[0], second=found[1])
    return blocks
