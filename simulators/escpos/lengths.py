"""How many bytes each ESC/POS command has, told from the bytes of it that are there already.

Knows lengths only (Epson's ESC/POS reference; `GS g 2` from the TM-T88III manual, p. 476); pure functions and tables.
"""

from __future__ import annotations

from collections.abc import Callable

UNKNOWN = -1
ENDLESS = 1 << 40  # ends with a NUL that has not come yet
LONGEST_BARCODE = 255
DLE, ESC, FS, GS = 0x10, 0x1B, 0x1C, 0x1D


def needed(command: bytes) -> int:
    """The whole length as far as it can be told yet, `ENDLESS` before its NUL, or `UNKNOWN`."""
    if len(command) < 2:
        return 2
    head = command[:2]
    if head in _FIXED:
        return _FIXED[head]
    return _VARIABLE[head](command) if head in _VARIABLE else UNKNOWN


def _fixed(lead: int, letters_of: dict[int, str]) -> dict[bytes, int]:
    return {bytes((lead, ord(letter))): 2 + count for count, letters in letters_of.items() for letter in letters}


_FIXED = {
    **_fixed(ESC, {0: "@2<LSimv\x0c", 1: "aEGdJ3tR-!M V{e=rTKu%?", 2: "$\\c", 3: "p", 8: "W"}),
    **_fixed(GS, {0: ":", 1: "!hwfHBbarI/T", 2: "LWP$\\", 3: "^z"}),
    **_fixed(FS, {0: "&.", 1: "!-WC", 2: "Sp?", 74: "2"}),
    **_fixed(DLE, {1: "\x04\x05"}),
}


def _after(start: int, count: int) -> Callable[[bytes], int]:
    """A command with its length in `count` little-endian bytes that end before `start`."""

    def length(command: bytes) -> int:
        if len(command) < start:
            return start
        return start + int.from_bytes(command[start - count : start], "little")

    return length


def _cut(command: bytes) -> int:
    return 3 if len(command) < 3 or command[2] not in {65, 66, 97, 98, 103, 104} else 4


def _barcode(command: bytes) -> int:
    if len(command) < 3:
        return 3
    if command[2] <= 6:
        ended = len(command) > 3 and (command[-1] == 0 or len(command) > LONGEST_BARCODE)
        return len(command) if ended else ENDLESS
    if 65 <= command[2] <= 79:
        return 4 if len(command) < 4 else 4 + command[3]
    return UNKNOWN


def _raster(command: bytes) -> int:
    if len(command) < 3:
        return 3
    return 8 if command[2] == 0x30 else UNKNOWN


def _counter(command: bytes) -> int:
    if len(command) < 3:
        return 3
    return 6 if command[2] in {0x30, 0x32} else UNKNOWN


def _column_image(command: bytes) -> int:
    if len(command) < 5:
        return 5
    return 5 + int.from_bytes(command[3:5], "little") * (3 if command[2] >= 32 else 1)


def _downloaded_image(command: bytes) -> int:
    return 4 if len(command) < 4 else 4 + command[2] * command[3] * 8


def _graphics(command: bytes) -> int:
    if len(command) < 3:
        return 3
    return _after(7, 4)(command) if command[2] == 0x4C else UNKNOWN


def _tabs(command: bytes) -> int:
    ended = len(command) > 2 and (command[-1] == 0 or len(command) > 34)
    return len(command) if ended else ENDLESS


def _user_characters(command: bytes) -> int:
    if len(command) < 5:
        return 5
    length = 5
    for _ in range(max(0, command[4] - command[3] + 1)):
        if len(command) <= length:
            return length + 1
        length += 1 + command[2] * command[length]
    return length


def _real_time(command: bytes) -> int:
    if len(command) < 3:
        return 3
    return {1: 5, 2: 5, 7: 4, 8: 10}.get(command[2], UNKNOWN)


_VARIABLE: dict[bytes, Callable[[bytes], int]] = {
    b"\x1dV": _cut,
    b"\x1dk": _barcode,
    b"\x1dv": _raster,
    b"\x1dg": _counter,
    b"\x1d(": _after(5, 2),
    b"\x1c(": _after(5, 2),
    b"\x1b(": _after(5, 2),
    b"\x1d8": _graphics,
    b"\x1d*": _downloaded_image,
    b"\x1b*": _column_image,
    b"\x1bD": _tabs,
    b"\x1b&": _user_characters,
    b"\x10\x14": _real_time,
}
