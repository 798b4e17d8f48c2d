"""The printer's condition as the host sees it: `DLE EOT`, ASB, `GS r` and the presenter's status bytes.

Knows bits (devices: Epson ESC/POS references, Custom KPM manual); it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Condition:
    """What is wrong with the printer, and what its sensors see."""

    cover_open: bool = False
    opened_in_print: bool = False  # an error that closing the cover recovers
    near_end: bool = False
    paper_end: bool = False
    cutter_jammed: bool = False  # metal
    cutter_error: bool = False  # the latched error, which outlives the jam until somebody recovers it
    head_hot: bool = False
    unrecoverable: bool = False
    drawer_high: bool = True

    @property
    def offline(self) -> bool:
        return self.cover_open or self.paper_end or self.error

    @property
    def error(self) -> bool:
        return self.cutter_error or self.head_hot or self.opened_in_print or self.unrecoverable

    def snapshot(self) -> dict[str, Any]:
        return asdict(self)

    def restore(self, saved: Mapping[str, Any]) -> None:
        for name in asdict(self):
            setattr(self, name, bool(saved[name]))


def _bits(base: int, **bits: bool) -> int:
    return base | sum(1 << int(name[1:]) for name, on in bits.items() if on)


def dle_eot(condition: Condition, n: int) -> int | None:
    """The byte for `10 04 n`; None for an n that the printer does not know."""
    c = condition
    if n == 1:
        return _bits(0x12, b2=c.drawer_high, b3=c.offline)
    if n == 2:
        return _bits(0x12, b2=c.cover_open, b5=c.paper_end, b6=c.error)
    if n == 3:
        return _bits(0x12, b3=c.cutter_error, b5=c.unrecoverable, b6=c.head_hot or c.opened_in_print)
    if n == 4:
        return 0x12 | (0x0C if c.near_end else 0) | (0x60 if c.paper_end else 0)
    return None


def asb(condition: Condition) -> bytes:
    """The four bytes of automatic status back."""
    c = condition
    return bytes(
        (
            _bits(0x10, b2=c.drawer_high, b3=c.offline, b5=c.cover_open),
            _bits(0, b3=c.cutter_error, b5=c.unrecoverable, b6=c.head_hot or c.opened_in_print),
            (0x03 if c.near_end else 0) | (0x0C if c.paper_end else 0),
            0,
        )
    )


def asb_seen(condition: Condition, mask: int) -> tuple[object, ...]:
    """What of the condition the mask watches: a block leaves when this changes."""
    c = condition
    return (
        c.drawer_high if mask & 1 else None,
        (c.offline, c.cover_open) if mask & 2 else None,
        (c.cutter_error, c.unrecoverable, c.head_hot, c.opened_in_print) if mask & 4 else None,
        (c.near_end, c.paper_end) if mask & 8 else None,
    )


def gs_r(condition: Condition, n: int) -> int | None:
    """The byte for `1D 72 n`; None for an n that the printer does not know."""
    if n in {1, 0x31}:
        return (0x03 if condition.near_end else 0) | (0x0C if condition.paper_end else 0)
    return int(condition.drawer_high) if n in {2, 0x32} else None


def presenter(condition: Condition, *, ticket_waits: bool, busy: bool) -> bytes:
    """The six bytes for `10 04 14`."""
    c = condition
    paper = _bits(0, b0=c.paper_end, b2=c.near_end, b5=ticket_waits)
    user = _bits(0, b1=c.cover_open, b3=busy)
    return bytes((0x10, 0x0F, paper, user, int(c.head_hot), _bits(0, b0=c.cutter_error, b6=c.unrecoverable)))


def print_status(condition: Condition, *, busy: bool) -> int:
    """The byte for `10 04 11`."""
    return _bits(0x12, b2=busy, b5=condition.paper_end)


def usb_port_status(condition: Condition) -> int:
    """The byte of GET_PORT_STATUS: USB printer class 1.1, 4.2.2."""
    return _bits(0, b3=not condition.error, b4=not condition.offline, b5=condition.paper_end)
