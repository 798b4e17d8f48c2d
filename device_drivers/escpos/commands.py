"""Every command that the driver can send, as bytes with its place in the manuals.

Knows commands one by one; must not know sheets. There is no `10 05` and no `10 14` here: the one prints a line again or
loses a job, the other clears buffers; neither may ever be automatic.
"""

from __future__ import annotations

from typing import Literal

INITIALISE = b"\x1b\x40"  # ESC @: clears the line in the making and all styles
CHINESE_ON = b"\x1c\x26"  # FS &
CHINESE_OFF = b"\x1c\x2e"  # FS .
LINE_FEED = b"\x0a"
HEAD_END = bytes(8)  # ends the head of any command that was cut in it: lengths become 0 instead of a question's bytes
FENCE = b"\x1d\x72\x01"  # GS r 1: answered when all data before it was processed (TM-L60II p. 280)
CUTTER_COUNTER = b"\x1d\x67\x32\x00\xb2\x00"  # GS g 2, counter 178: cuts since it was made (TM-T88III p. 476)
PRESENTER_STATUS = b"\x10\x04\x14"  # DLE EOT 20 (Custom KPM150H)

INFO_TEXTS = {"firmware": 0x41, "maker": 0x42, "model": 0x43, "serialNumber": 0x44, "fonts": 0x45}  # GS I n

PROCESS_IDS = 9999  # "0001" to "9999", ascending
PROBE_ID = "    "  # four blanks: no job ever has them

Symbology = Literal["code128", "ean13"]


def real_time(n: int) -> bytes:
    """DLE EOT n, 1 to 4: executed on reception, whatever the printer does."""
    if n not in (1, 2, 3, 4):
        raise ValueError(f"DLE EOT asks for 1, 2, 3 or 4, not {n}")
    return bytes([0x10, 0x04, n])


def automatic_status(mask: int) -> bytes:
    """GS a n: from now on four bytes on each change, and the present status at once unless n is 0."""
    return bytes([0x1D, 0x61, mask])


def info(n: int) -> bytes:
    """GS I n."""
    return bytes([0x1D, 0x49, n])


def process_id(text: str) -> bytes:
    """GS ( H, function 48: `37 22 text 00` comes back once everything before it was printed (TM-L90 p. 429)."""
    if len(text) != 4 or not all(" " <= char <= "~" for char in text):
        raise ValueError(f"a process id is four characters from 20 to 7E, not {text!r}")
    return b"\x1d\x28\x48\x06\x00\x30\x30" + text.encode("ascii")


def align(side: str) -> bytes:
    """ESC a n."""
    return bytes([0x1B, 0x61, {"left": 0, "centre": 1, "right": 2}[side]])


def bold(*, on: bool) -> bytes:
    """ESC E n."""
    return bytes([0x1B, 0x45, on])


def underline(*, on: bool) -> bytes:
    """ESC - n."""
    return bytes([0x1B, 0x2D, on])


def size(width: int, height: int) -> bytes:
    """GS ! n: 1 to 8 times each way."""
    return bytes([0x1D, 0x21, (width - 1) << 4 | (height - 1)])


def chinese_style(*, double_width: bool, double_height: bool, underlined: bool) -> bytes:
    """FS ! n."""
    return bytes([0x1C, 0x21, double_width << 2 | double_height << 3 | underlined << 7])


def code_page(n: int) -> bytes:
    """ESC t n: for single bytes only."""
    return bytes([0x1B, 0x74, n])


def feed(lines: int) -> bytes:
    """ESC d n."""
    return bytes([0x1B, 0x64, lines])


def cut(*, full: bool) -> bytes:
    """GS V m."""
    return bytes([0x1D, 0x56, 0 if full else 1])


def raster(bytes_wide: int, rows: int, payload: bytes) -> bytes:
    """GS v 0: one self-contained band of dots."""
    return b"\x1d\x76\x30\x00" + bytes_wide.to_bytes(2, "little") + rows.to_bytes(2, "little") + payload


def qr(data: bytes, size: int, level: str) -> list[bytes]:
    """GS ( k, functions 41 model 2, 43 size, 45 level, 50 store, 51 print."""
    head = b"\x1d\x28\x6b"
    return [
        head + b"\x04\x00\x31\x41\x32\x00",
        head + bytes([0x03, 0x00, 0x31, 0x43, size]),
        head + bytes([0x03, 0x00, 0x31, 0x45, 0x30 + "LMQH".index(level)]),
        head + (len(data) + 3).to_bytes(2, "little") + b"\x31\x50\x30" + data,
        head + b"\x03\x00\x31\x51\x30",
    ]


def barcode(symbology: Symbology, data: str, width: int, height: int, *, caption: bool) -> bytes:
    """GS h, GS w, GS f, GS H, and GS k with a length byte."""
    how = bytes([0x1D, 0x68, height, 0x1D, 0x77, width, 0x1D, 0x66, 0x00, 0x1D, 0x48, 2 if caption else 0])
    mark, text = (0x43, data) if symbology == "ean13" else (0x49, "{B" + data.replace("{", "{{"))
    return how + bytes([0x1D, 0x6B, mark, len(text)]) + text.encode("ascii")
