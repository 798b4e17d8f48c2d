"""What may be told of a simulated banknote counter, and what may be put into it.

Knows plain values and their bounds; raises `ControlError` naming what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from simulators.banknotes.records import FLAGS, Note
from simulators.machine import ControlError

NOTES_MAX = 5000  # of a hopper, with everything that is laid on it


@dataclass(frozen=True)
class Options:
    """See docs/simulators.md."""

    note_s: float = 0.06  # 1,000 notes in a minute
    numbered: bool = True
    byte_order: str = "little"
    machine: str = "SIM-1"
    stops_at: int = 0  # notes of a batch, after which it waits for `take`; 0: counts what there is
    fsn: bool = True


def parse_options(given: Mapping[str, Any]) -> Options:
    """Raises ControlError."""
    known = {field.name: field.default for field in fields(Options)}
    for key, value in given.items():
        if key not in known:
            raise ControlError(f"option {key!r} is not known; known are {', '.join(known)}, line_delay_s")
        default = known[key]
        fits = type(value) is type(default) or (isinstance(default, float) and type(value) is int)
        if not fits or (isinstance(value, (int, float)) and value < 0):
            raise ControlError(f"option {key!r} is something like {default!r}, not {value!r}")
    options = Options(**given)
    if options.byte_order not in {"little", "big"} or len(options.machine) > 24 or options.note_s == 0:
        raise ControlError("'byte_order' is little or big, 'machine' up to 24 letters, 'note_s' above 0")
    return options


def parse_bundle(raw: Any, first_serial: int) -> list[Note]:
    """`[100, {"value": 100, "count": 98}, {"value": 100, "cash": "suspect", "serial": "…"}]`. Raises ControlError."""
    if not isinstance(raw, list) or not raw:
        raise ControlError('\'notes\' is a list such as [100, {"value": 100, "count": 98}], not ' + repr(raw))
    notes: list[Note] = []
    for item in raw:
        notes += _some({"value": item} if isinstance(item, int) else item, first_serial + len(notes))
        if len(notes) > NOTES_MAX:
            raise ControlError(f"a hopper takes {NOTES_MAX} notes at most")
    return notes


def _some(item: Any, serial: int) -> list[Note]:
    if not isinstance(item, Mapping) or set(item) - {"value", "count", "cash", "serial", "currency"}:
        raise ControlError(f"a note has value, count, cash, serial and currency, not {item!r}")
    value: Any = item.get("value")
    count, cash = item.get("count", 1), item.get("cash", "fit")
    own, currency = item.get("serial"), item.get("currency", "CNY")
    if not _whole(value, 1, 0xFFFF) or not _whole(count, 1, NOTES_MAX) or cash not in FLAGS:
        raise ControlError(
            f"'value' is 1 to 65535, 'count' 1 to {NOTES_MAX}, 'cash' one of {', '.join(FLAGS)}: {item!r}"
        )
    if (
        not isinstance(currency, str)
        or len(currency) > 4
        or not (own is None or (isinstance(own, str) and len(own) <= 12))
    ):
        raise ControlError(f"'serial' has up to 12 letters and 'currency' up to 4, not {item!r}")
    return [Note(value, cash, f"SM{serial + n:08d}" if own is None else own, currency) for n in range(count)]


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
