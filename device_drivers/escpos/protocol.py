"""What an ESC/POS printer answers, told apart in one stream of bytes, without a line or a clock.

Knows the patterns of answers and where each ends; must not know which question was asked nor what an answer proves.
Source: Epson TM-L60II pp. 280 and 299, TM-L90 process ID, TM-U220A ASB, Custom KPM150H.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PROCESS_ID, INFO = 0x37, 0x5F  # headers of answers that end with 00
ASB_BYTES = 4
PRESENTER = b"\x10\x0f"  # as ASB it would say "online" and "mechanical error, cutter error" at once, which none does
PRESENTER_BYTES = 6
MAX_BLOCK = 96  # the longest name a printer tells of itself has some 80 characters


class FlowControl(Enum):
    """Whether the printer takes bytes; may stand in the middle of any other answer."""

    XON = 0x11
    XOFF = 0x13


@dataclass(frozen=True, slots=True)
class RealTimeStatus:
    """The answer to `10 04 n`; it does not say to which n."""

    value: int


@dataclass(frozen=True, slots=True)
class Asb:
    """Automatic status back: four bytes, told on each change (GS a)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ProcessId:
    """`37 22 d1 d2 d3 d4 00`: everything up to the command with this id was done (GS ( H, function 48)."""

    text: str


@dataclass(frozen=True, slots=True)
class Info:
    """`5F ... 00`: a text about itself (GS I) or a counter (GS g 2)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class QueuedByte:
    """The single byte that answers GS r or a GS I of one byte."""

    value: int


@dataclass(frozen=True, slots=True)
class Presenter:
    """The four bytes behind `10 0F`: paper, user, recoverable and unrecoverable errors."""

    data: bytes


Event = RealTimeStatus | Asb | ProcessId | Info | QueuedByte | Presenter | FlowControl
_FLOW = {member.value: member for member in FlowControl}


class ReplyReader:
    """Eats any slices of bytes and gives whole answers in order; holds at most one answer (96 bytes).

    What fits nothing is skipped and counted in `garbage_bytes`; `broken` counts answers that began and did not end.
    The inside of a broken one is never read as something else: letters of a text look like status bytes.
    """

    def __init__(self, *, presenter: bool = False) -> None:
        self._presenter = presenter
        self._open = bytearray()  # a block or an ASB whose end is awaited
        self.garbage_bytes = 0
        self.broken = 0

    @property
    def pending(self) -> bool:
        """True while the beginning of an answer waits for its rest."""
        return bool(self._open)

    def feed(self, data: bytes) -> list[Event]:
        """Takes the next bytes of the line; returns what became whole by them."""
        return [event for byte in data if (event := self._take(byte)) is not None]

    def resync(self) -> None:
        """The line fell silent: an open answer will not be finished."""
        if self._open:
            self._break()

    def _take(self, byte: int) -> Event | None:
        if byte in _FLOW:
            return _FLOW[byte]
        if not self._open:
            return self._begin(byte)
        if self._open[0] in (PROCESS_ID, INFO):
            return self._in_block(byte)
        if self._presenter and self._open[: len(PRESENTER)] == PRESENTER:
            return self._in_presenter(byte)
        return self._in_asb(byte)

    def _begin(self, byte: int) -> Event | None:
        if byte in (PROCESS_ID, INFO) or byte & 0x93 == 0x10:  # 0xx1xx00: an ASB
            self._open.append(byte)
        elif byte & 0x93 == 0x12:  # 0xx1xx10
            return RealTimeStatus(byte)
        elif byte & 0x90 == 0:  # 0xx0xxxx
            return QueuedByte(byte)
        else:
            self.garbage_bytes += 1
        return None

    def _in_block(self, byte: int) -> Event | None:
        if byte == 0:
            return self._end_of_block()
        if not 0x20 <= byte <= 0x7E or len(self._open) == MAX_BLOCK:
            self._break()
            return self._begin(byte)
        self._open.append(byte)
        return None

    def _end_of_block(self) -> Event | None:
        block = bytes(self._open)
        if block[0] == INFO:
            self._open.clear()
            return Info(block[1:])
        if len(block) == 6 and block[1] == 0x22:
            self._open.clear()
            return ProcessId(block[2:].decode("ascii"))
        self._open.append(0)
        self._break()
        return None

    def _in_presenter(self, byte: int) -> Event | None:
        self._open.append(byte)
        if len(self._open) < PRESENTER_BYTES:
            return None
        data = bytes(self._open[len(PRESENTER) :])
        self._open.clear()
        return Presenter(data)

    def _in_asb(self, byte: int) -> Event | None:
        if byte & 0x93 == 0x12:
            return RealTimeStatus(byte)  # it has a bit that no later byte of an ASB has
        if byte & 0x90:
            self._break()
            return self._begin(byte)
        self._open.append(byte)
        if len(self._open) < ASB_BYTES:
            return None
        data = bytes(self._open)
        self._open.clear()
        return Asb(data)

    def _break(self) -> None:
        self.broken += 1
        self.garbage_bytes += len(self._open)
        self._open.clear()
