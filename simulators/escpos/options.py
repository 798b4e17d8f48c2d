"""The settings of one simulated receipt printer: paper, timing, buffer, which commands it knows, who stands before it.

Knows only plain JSON values; a mistake names the key and what may stand there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from simulators.customer import Customer, parse_customer
from simulators.machine import ControlError

FLOWS = ("none", "xon_xoff", "stall")


@dataclass(frozen=True)
class Identity:
    """What `GS I` answers; clones answer with the name of the printer that they imitate."""

    model_id: int = 0x20
    rom_id: int = 0x01
    firmware: str = "1.00"
    maker: str = "SIM"
    model: str = "SIM80"
    language: str = "GB18030"


@dataclass(frozen=True)
class Options:
    """All times in seconds."""

    dots: int = 576
    line_s: float = 0.02  # for 24 dot rows; about 150 mm/s
    cut_s: float = 0.2
    byte_s: float = 0.0  # per byte that it sends
    buffer_bytes: int = 4096
    flow: str = "stall"
    cutter_dots: int = 96  # 12 mm of printed paper between head and cutter, which a cut without feed leaves behind
    chinese_default: bool = True
    process_id: bool = True
    asb: bool = True
    gs_r: bool = True
    counters: bool = False
    counters_kept_every: int = 10  # cuts between two writings of the counters; a loss of power loses the rest
    init_stops_asb: bool = True
    identity: Identity | None = field(default_factory=Identity)
    near_end_sensor: bool = True
    drawer_high: bool = True
    presenter: bool = False
    retract: str = "1D6502"
    eject: str = "1D6505"
    customer: Customer = field(default_factory=Customer)
    holds_replies: bool = False
    draws: bool = True  # false: no dots and no pictures, only lengths and texts; many sheets a second


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def check(key: str, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise ControlError(f"option {key!r} must be a whole number from {low} to {high}, not {value!r}")

    return check


def _time(key: str, value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 3600:
        return float(value)
    raise ControlError(f"option {key!r} must be a number of seconds from 0 to 3600, not {value!r}")


def _flag(key: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ControlError(f"option {key!r} must be true or false, not {value!r}")


def _dots(key: str, value: Any) -> int:
    if value in {384, 432, 512, 576, 640, 832}:
        return int(value)
    raise ControlError(f"option {key!r} must be 384, 432, 512, 576, 640 or 832, not {value!r}")


def _flow(key: str, value: Any) -> str:
    if value in FLOWS:
        return str(value)
    raise ControlError(f"option {key!r} must be one of {', '.join(FLOWS)}, not {value!r}")


def _hex(key: str, value: Any) -> str:
    try:
        command = bytes.fromhex(value)
    except (TypeError, ValueError) as error:
        raise ControlError(f"option {key!r} must be hexadecimal bytes such as '1D6502', not {value!r}") from error
    if len(command) < 2 or command[0] not in {0x1B, 0x1C, 0x1D}:
        raise ControlError(f"option {key!r} must be a command: two bytes or more, the first 1B, 1C or 1D")
    return command.hex().upper()


def _identity(key: str, value: Any) -> Identity | None:
    if value is None:
        return None
    known = [item.name for item in fields(Identity)]
    if not isinstance(value, Mapping) or set(value) - set(known):
        raise ControlError(f"option {key!r} must be null, or a table of {', '.join(known)}, not {value!r}")
    numbers = all(isinstance(value[one], int) and 0 <= value[one] <= 0x7F for one in known[:2] if one in value)
    texts = all(isinstance(value[one], str) and value[one].isascii() for one in known[2:] if one in value)
    if not (numbers and texts):
        raise ControlError(f"option {key!r}: the two ids are numbers to 127, the rest ASCII texts")
    return Identity(**value)


def _customer(key: str, value: Any) -> Customer:
    return parse_customer(value)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "dots": _dots,
    "line_s": _time,
    "cut_s": _time,
    "byte_s": _time,
    "buffer_bytes": _whole(256, 1 << 20),
    "flow": _flow,
    "cutter_dots": _whole(0, 400),
    "counters_kept_every": _whole(1, 1000),
    "identity": _identity,
    "retract": _hex,
    "eject": _hex,
    "customer": _customer,
}


def _check(key: str) -> Callable[[str, Any], Any]:
    return _CHECKS.get(key, _flag)


def parse_options(raw: Mapping[str, Any]) -> Options:
    """Check plain values and make `Options` of them, or raise `ControlError`."""
    known = [item.name for item in fields(Options)]
    for key in raw:
        if key not in known:
            raise ControlError(f"option {key!r} is not known; known are {', '.join(known)}")
    return Options(**{key: _check(key)(key, value) for key, value in raw.items()})
