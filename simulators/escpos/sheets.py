"""A piece of paper that came off the printer: what the ledger says of it, its picture and its text.

Knows the marks that a sheet bears (`No. …`, 重印 REPRINT n, 作废 VOID); must not know how they were printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from device_drivers.pictures.png import png
from simulators.escpos.roll import Piece

_NUMBER = re.compile(r"No\. (\S+)\s*")
_ATTEMPT = re.compile(r"\S+/\S+/[1-9]\d*")  # a text may speak of other numbers: No. 6222
_REPRINT = re.compile(r"重印 REPRINT (\d{1,6})")
VOID = "作废 VOID"
CONTINUED = "  "


def detail_of(number: int, piece: Piece, png_path: str, *, cut: bool) -> dict[str, Any]:
    """The ledger's detail of one sheet."""
    lines = [text for text in piece.texts if not text.startswith("\x00")]
    again = [int(found[1]) for found in (_REPRINT.fullmatch(line.strip()) for line in lines) if found]
    return {
        "sheet": number,
        "attempts": attempts_in(lines),
        "reprint": max(again, default=0),  # not the first line where half another sheet hangs before it
        "void": VOID in {line.strip() for line in lines},
        "lines": lines,
        "cut": cut,
        "png": png_path,
    }


def attempts_in(lines: Iterable[str]) -> list[str]:
    """The attempt of each `No. ` line; a long one goes on in lines that begin with two blanks."""
    attempts: list[str] = []
    goes_on = False
    for line in lines:
        found = _NUMBER.fullmatch(line)
        if found:
            attempts.append(found[1])
        elif goes_on and line.startswith(CONTINUED) and line.strip():
            attempts[-1] += line.strip()
        goes_on = found is not None or (goes_on and line.startswith(CONTINUED))
    return [attempt for attempt in attempts if _ATTEMPT.fullmatch(attempt)]


def text_of(piece: Piece) -> str:
    """The sheet for people: its lines, codes in brackets."""
    return "".join(f"{text.lstrip(chr(0))}\n" for text in piece.texts)


def png_of(rows: Sequence[bytes], dots: int) -> bytes:
    """The sheet as a picture; one of no paper at all is still one row high."""
    return png(rows or (bytes(dots // 8),), dots)
