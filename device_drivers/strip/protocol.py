"""The frame of a strip screen, `AA address BB 51 54 ...`, made and read: pure bytes.

Knows both ways of adding up the check byte; can write none for the address FF, which is every screen (PHY-3). Source:
devices.md section 3.1 (queue software of bank branches, two captured frames). No screen answers.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal

HEAD, MARK, SHOW, TAIL = 0xAA, 0xBB, b"\x51\x54", 0xFF
ADDRESSES = range(0x01, 0xFF)
GAP_S = 0.1  # what bank code pauses behind each frame
MAX_TEXT_BYTES = 200  # no source says how much a screen holds; the longest captured text has twelve
_FIXED = 11  # from the head to the valid time
MAX_FRAME_BYTES = _FIXED + MAX_TEXT_BYTES + 1
Check = Literal["sum_excludes_tail", "sum_includes_tail"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a text moves and looks: raw values, since no source names them (devices.md U9). Raises ValueError."""

    play: int = 0x01
    speed: int = 0x00
    stop: int = 0x00
    colour: int = 0x02
    valid: int = 0x63

    def __post_init__(self) -> None:
        if any(not 0 <= value < TAIL for value in astuple(self)):
            raise ValueError("play type, speed, stop time, colour and valid time are 00 to FE")


@dataclass(frozen=True, slots=True)
class Show:
    """A text for one screen; `check` is how its check byte was added up (both rules agree on none)."""

    address: int
    style: Style
    text: bytes  # GBK
    check: Check


def show_frame(address: int, style: Style, text: bytes, check: Check = "sum_excludes_tail") -> bytes:
    """One screen shows a text. Raises ValueError for every screen's address and for bytes that would end the frame."""
    if address not in ADDRESSES:
        raise ValueError(f"a screen has an address of 1 to 254, not {address}")
    if TAIL in text or len(text) > MAX_TEXT_BYTES:
        raise ValueError(f"a text is GBK without FF, {MAX_TEXT_BYTES} bytes at most")
    body = bytes(astuple(style)) + text
    return bytes([HEAD, address, MARK]) + SHOW + bytes([_sum(body, check)]) + body + bytes([TAIL])


def _sum(body: bytes, check: Check) -> int:
    return (sum(body) + (TAIL if check == "sum_includes_tail" else 0)) & 0xFF


class Decoder:
    """Bytes in any slices -> frames; what is none is skipped and counted. The buffer never outgrows one frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.garbage_bytes = 0
        self.bad_checks = 0

    def feed(self, data: bytes) -> list[Show]:
        """The frames that are whole now, for whichever screen."""
        found: list[Show] = []
        for byte in data:
            self._buffer.append(byte)
            while self._buffer and (show := self._look()) is not _WAITING:
                if isinstance(show, Show):
                    found.append(show)
                    self._buffer.clear()
                else:
                    self.garbage_bytes += 1
                    del self._buffer[0]
        return found

    def _look(self) -> Show | object:
        """The frame that ends at the last byte; or whether the first byte can still begin one."""
        buffer = self._buffer
        if any(want is not None and got != want for want, got in zip(_HEAD, buffer, strict=False)):
            return _GARBAGE
        if len(buffer) <= _FIXED or buffer[-1] != TAIL:
            return _WAITING if len(buffer) < MAX_FRAME_BYTES else _GARBAGE
        body = bytes(buffer[6:-1])
        rule = next((rule for rule in _RULES if _sum(body, rule) == buffer[5]), None)
        if rule is None or TAIL in body:
            self.bad_checks += 1
            return _GARBAGE
        return Show(buffer[1], Style(*body[:5]), body[5:], rule)


_HEAD = (HEAD, None, MARK, *SHOW)
_RULES: tuple[Check, ...] = ("sum_excludes_tail", "sum_includes_tail")
_WAITING, _GARBAGE = object(), object()
