"""A sheet becomes commands: whole ones, none longer than the zeros of a resync, none that acts on reception.

Knows blocks and commands; must not know a line nor what comes of the sheet. Bytes that a printer executes on reception
(`10 04`, `10 05`, `10 14`) are kept out of images by blackening one dot beside a black one, else by refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from device_drivers.escpos import commands
from device_drivers.escpos.profile import BAND_ROWS, EscPosProfile
from device_drivers.pictures.qr import qr_width
from device_drivers.receipts.paper import Unprintable
from device_drivers.receipts.sheet import Align, Block, Code, Cut, Feed, Picture, Rule, Sheet, TextLine

PIECE_BYTES = 512  # so many go out between two looks for XOFF; half a second at 9600 baud
STATES_KEPT = 64  # ways in which lines are set; a receipt has five or six
LINE_ROWS = 30  # dot rows of a line of size 1 with its gap
_ACTS_AT_ONCE = re.compile(rb"\x10[\x04\x05\x14]")
_ADD_A_DOT = 0x08  # 04, 05 and 14 become 0C, 0D and 1C: none of them acts, and no 10 arises


@dataclass(frozen=True, slots=True)
class Encoded:
    """Commands in order, each whole, and how many dot rows of paper they take."""

    commands: tuple[bytes, ...]
    rows: int

    def __add__(self, other: Encoded) -> Encoded:
        return Encoded(self.commands + other.commands, self.rows + other.rows)


def encode(sheet: Sheet, profile: EscPosProfile, *, behind: bytes = b"") -> Encoded:
    """The sheet from `1B 40` to its cut, and `behind` (what ejects or retracts it). Raises Unprintable."""
    made: list[bytes] = [commands.INITIALISE]
    if profile.code_page is not None:
        made.append(commands.code_page(profile.code_page))
    rows = 0
    for block in sheet.blocks:
        make: Callable[[Any, EscPosProfile], Iterable[bytes]] = _MAKERS[type(block)]
        made += make(block, profile)
        rows += _rows(block, profile)
    return Encoded(checked((*made, *([behind] if behind else [])), profile), rows)


def checked(made: Sequence[bytes], profile: EscPosProfile) -> tuple[bytes, ...]:
    """The same commands. Raises Unprintable for what would act at once, or could not be ended by the resync."""
    if found := _ACTS_AT_ONCE.search(b"".join(made)):
        raise Unprintable("unsupported_data", "sheet", f"its bytes would hold {found[0].hex(' ')}, which acts at once")
    longest = max(len(command) for command in made)
    if longest > profile.resync_bytes:
        raise Unprintable("too_long", "sheet", f"a command of {longest} bytes, and resync_bytes is less")
    return tuple(made)


def resync(profile: EscPosProfile) -> tuple[bytes, ...]:
    """Ends whatever a half-fed printer waits for: zeros as long as the longest command, then `1B 40`."""
    return (bytes(profile.resync_bytes), commands.INITIALISE)


def chunks(made: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Whole commands together, at most `most` bytes unless a single one is longer."""
    chunk = b""
    for command in made:
        if chunk and len(chunk) + len(command) > most:
            yield chunk
            chunk = b""
        chunk += command
    if chunk:
        yield chunk


def _text(line: TextLine, profile: EscPosProfile) -> Iterable[bytes]:
    """State first, all of it and for both kinds of letters; two-byte letters are turned on right before they come."""
    state = _state(line.align, line.width, line.height, bold=line.bold, underline=line.underline)
    letters = commands.CHINESE_OFF if line.text.isascii() else bytes.fromhex(profile.chinese_on_hex)
    return (*state, letters, line.text.encode("gbk") + commands.LINE_FEED)


@lru_cache(STATES_KEPT)
def _state(align: Align, width: int, height: int, *, bold: bool, underline: bool) -> tuple[bytes, ...]:
    return (
        commands.align(align),
        commands.bold(on=bold),
        commands.underline(on=underline),
        # FS ! knows only double; where it and GS ! both count, the later and finer one shall hold.
        commands.chinese_style(double_width=width > 1, double_height=height > 1, underlined=underline),
        commands.size(width, height),
    )


def _rule(rule: Rule, profile: EscPosProfile) -> Iterable[bytes]:
    return _text(TextLine(rule.text), profile)


def _code(code: Code, _profile: EscPosProfile) -> Iterator[bytes]:
    yield commands.align(code.align)
    if code.symbology == "qr":
        yield from commands.qr(code.data.encode("utf-8"), code.size, code.level)
    else:
        yield commands.barcode(code.symbology, code.data, code.size, code.height, caption=code.caption)


def _picture(picture: Picture, _profile: EscPosProfile) -> Iterator[bytes]:
    yield commands.align(picture.align)
    wide = (picture.width_dots + 7) // 8
    for start in range(0, len(picture.rows), BAND_ROWS):
        rows = picture.rows[start : start + BAND_ROWS]
        yield commands.raster(wide, len(rows), guarded(b"".join(rows)))


def guarded(payload: bytes) -> bytes:
    """The payload of a band without bytes that act on reception; at most one dot in a pair of bytes is added."""
    return _ACTS_AT_ONCE.sub(lambda pair: bytes([pair[0][0], pair[0][1] | _ADD_A_DOT]), payload)


def _feed(feed: Feed, _profile: EscPosProfile) -> Iterator[bytes]:
    yield commands.feed(feed.lines)


def _cut(cut: Cut, profile: EscPosProfile) -> Iterator[bytes]:
    if profile.feed_before_cut_lines:
        yield commands.feed(profile.feed_before_cut_lines)
    yield commands.cut(full=cut.full and profile.cut == "full")


def _rows(block: Block, profile: EscPosProfile) -> int:
    """Dot rows, rather too many than too few."""
    if isinstance(block, TextLine):
        return LINE_ROWS * block.height
    if isinstance(block, Picture):
        return len(block.rows)
    if isinstance(block, Code):
        qr = block.symbology == "qr"
        return LINE_ROWS + (qr_width(block.data, block.level) * block.size if qr else block.height + LINE_ROWS)
    if isinstance(block, Feed):
        return LINE_ROWS * block.lines
    return LINE_ROWS * (profile.feed_before_cut_lines if isinstance(block, Cut) else 1)


_MAKERS: dict[type[Any], Callable[[Any, EscPosProfile], Iterable[bytes]]] = {
    TextLine: _text,
    Rule: _rule,
    Code: _code,
    Picture: _picture,
    Feed: _feed,
    Cut: _cut,
}
