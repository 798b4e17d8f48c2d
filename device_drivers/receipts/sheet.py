"""A sheet: what shall stand on the paper, block by block, before any printer's language is chosen.

Knows blocks and their measures in columns and dots; must not know templates, values, nor a printer's commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Align = Literal["left", "centre", "right"]
Symbology = Literal["qr", "code128", "ean13"]
Level = Literal["L", "M", "Q", "H"]  # of a QR code: it still reads with 7, 15, 25 or 30 per cent of it spoilt


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line that fits the paper; `width` and `height` multiply the size of its letters (1..4)."""

    text: str
    align: Align = "left"
    bold: bool = False
    width: int = 1
    height: int = 1
    underline: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of characters over the whole width: `text` is all of it."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code that a scanner reads. `size`: dots per module; `height`: dots of bars; `level` is of QR codes only.

    The data of a QR code is meant in UTF-8; of `code128` it is ASCII, of `ean13` all 13 digits.
    """

    data: str
    symbology: Symbology
    size: int
    level: Level = "M"
    align: Align = "centre"
    height: int = 80
    caption: bool = True  # the data in letters below the bars; a QR code never has them


@dataclass(frozen=True, slots=True)
class Picture:
    """Dots: one `bytes` a row, eight dots a byte, the leftmost in the highest bit; 1 is black."""

    width_dots: int
    rows: tuple[bytes, ...]
    align: Align = "centre"


@dataclass(frozen=True, slots=True)
class Feed:
    """Blank lines of the height of a letter."""

    lines: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of the sheet; a cut that is not full leaves a bridge of paper."""

    full: bool = False


Block = TextLine | Rule | Code | Picture | Feed | Cut


@dataclass(frozen=True, slots=True)
class Sheet:
    """Blocks from top to bottom, the last of them the only Cut; `columns` of ASCII letters of size 1 fit a line."""

    blocks: tuple[Block, ...]
    columns: int

    @property
    def lines(self) -> list[str]:
        """What stands there in letters, for tests and for logs without customers' data."""
        return [block.text for block in self.blocks if isinstance(block, TextLine)]
