"""A pulse module whose inputs are the two beams of a door: ICP DAS M-7084 or Advantech ADAM-605x, 32-bit counters.

Knows its registers and the people who walk by; whether a direction is meant by an input is the installer's affair.
Source: devices.md section 5.6. What no source says is an option, or the nastier guess: power loss takes the counters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simulators.faults import FaultTable
from simulators.machine import ControlError
from simulators.modbus.unit import ILLEGAL_FUNCTION, ON, Refusal, Unit

WIDTH = 1 << 32
MODELS: Mapping[str, tuple[str, int]] = {"m7084": ("input", 8), "adam605x": ("holding", 12)}
WAYS = ("in", "out")
COILS_FROM, COILS_PER_CHANNEL = 32, 4  # ADAM: start, clear, clear overflow, latch; channel 11 at 00077 to 00080


class PulseCounter(Unit):
    """`raw` are the counters as the registers show them; a walk is shown in the ledger with what was really there."""

    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "model": "m7084",
        "word_order": "low_first",
        "doors": {"main": [0, 1]},  # name -> its two beams
        "preset": 0,  # what a counter shows after it was cleared or lost its power
        "keeps": False,  # whether power loss leaves the counters
        "raw": [],
    }
    FAULTS: ClassVar[FaultTable] = {"torn_read": {"count": 1}}  # the words of a counter are of two moments
    OCCASIONS: ClassVar[Sequence[str]] = ("walk",)
    VERBS: ClassVar[Mapping[str, set[str]]] = {
        "walk": {"way", "people", "door"},
        "bounce": {"channel", "pulses"},
        "set": {"channel", "value"},
        "zero": {"channel"},
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if self.options["model"] not in MODELS or self.options["word_order"] not in {"low_first", "high_first"}:
            raise ControlError(f"{self.device}: model is {' or '.join(MODELS)}, word_order low_first or high_first")
        self._table, self.channels = MODELS[self.options["model"]]
        self._doors = self._parse_doors()
        raw = list(self.options["raw"])
        if not all(isinstance(value, int) and 0 <= value < WIDTH for value in raw) or len(raw) > self.channels:
            raise ControlError(f"{self.device}: raw has up to {self.channels} numbers of 32 bits, not {raw!r}")
        self.raw = raw + [int(self.options["preset"])] * (self.channels - len(raw))
        self._before = list(self.raw)  # as they were before the newest pulse
        self.walks = 0

    def read_words(self, table: str, address: int, count: int, now: float) -> Sequence[int]:
        if table != self._table:
            raise Refusal(ILLEGAL_FUNCTION)
        if address + count > 2 * self.channels:
            raise Refusal
        torn = self.armed.take("torn_read", now) is not None
        words = [word for channel in range(self.channels) for word in self._words(channel, torn=torn)]
        return words[address : address + count]

    def _words(self, channel: int, *, torn: bool) -> tuple[int, int]:
        """A torn pair has the low word of now and the high word of a pulse ago."""
        high = (self._before[channel] if torn else self.raw[channel]) >> 16
        low = self.raw[channel] & 0xFFFF
        return (low, high) if self.options["word_order"] == "low_first" else (high, low)

    def write_bits(self, address: int, values: Sequence[bool], now: float) -> None:
        """ADAM only: the second of a channel's four coils clears it. No source tells a coil of the M-7084."""
        if self._table != "holding" or address < COILS_FROM:
            raise Refusal(ILLEGAL_FUNCTION)
        for at, value in enumerate(values, start=address - COILS_FROM):
            if at // COILS_PER_CHANNEL >= self.channels:
                raise Refusal
            if at % COILS_PER_CHANNEL == 1 and value:
                self._zero(at // COILS_PER_CHANNEL, now)

    def write_coil(self, address: int, value: int, now: float) -> None:
        self.write_bits(address, [value == ON], now)

    def do(self, verb: str, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """`walk` by a door, `bounce` of an input, `set` a counter, `zero` one or all."""
        if verb == "walk":
            self._walk(request, now)
        elif verb == "zero" and request.get("channel") is None:
            for channel in range(self.channels):
                self._zero(channel, now)
        elif verb == "zero":
            self._zero(self._channel(request), now)
        elif verb == "bounce":
            channel, pulses = self._channel(request), _count(request, "pulses", 1, 1000)
            self._pulse(channel, pulses)
            self.tell("show", "input_bounced", {"channel": channel, "pulses": pulses}, now)
        else:
            channel, value = self._channel(request), _count(request, "value", 0, WIDTH - 1)
            self.raw[channel] = self._before[channel] = value
            self.tell("show", "counter_set", {"channel": channel, "raw": value}, now)
        return self.state()

    def _walk(self, request: Mapping[str, Any], now: float) -> None:
        way, door = request.get("way"), request.get("door", next(iter(self._doors)))
        if way not in WAYS or door not in self._doors:
            raise ControlError(f"'way' is in or out, 'door' one of {', '.join(self._doors)}, not {way!r}, {door!r}")
        people = _count(request, "people", 1, 1_000_000, 1)
        channel = self._doors[door][WAYS.index(way)]
        if self.powered:
            self._pulse(channel, people)
        self.walks += 1
        detail = {"door": door, "people": people, "counted": self.powered, "raw": self.raw[channel]}
        self.tell("show", f"people_{way}", detail, now)
        self.count("walk", self.walks, now)

    def _pulse(self, channel: int, pulses: int) -> None:
        self._before[channel] = (self.raw[channel] + pulses - 1) % WIDTH
        self.raw[channel] = (self.raw[channel] + pulses) % WIDTH

    def _zero(self, channel: int, now: float) -> None:
        self.raw[channel] = self._before[channel] = int(self.options["preset"])
        self.tell("show", "counter_cleared", {"channel": channel}, now)

    def power_lost(self, now: float) -> None:
        if not self.options["keeps"]:
            self.raw = [int(self.options["preset"])] * self.channels
            self._before = list(self.raw)

    def state(self) -> dict[str, Any]:
        return {"raw": list(self.raw), "walks": self.walks}

    def snapshot(self) -> dict[str, Any]:
        return {"raw": list(self.raw), "walks": self.walks}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        self.raw, self.walks = [int(value) for value in saved["raw"]], int(saved["walks"])
        self._before = list(self.raw)

    def _channel(self, request: Mapping[str, Any]) -> int:
        return _count(request, "channel", 0, self.channels - 1)

    def _parse_doors(self) -> dict[str, list[int]]:
        doors = self.options["doors"]
        channels = set(range(self.channels))
        if not doors or not all(
            isinstance(two, list) and len(two) == 2 and set(two) <= channels for two in doors.values()
        ):
            raise ControlError(f"{self.device}: doors are such as {{'main': [0, 1]}}, inputs 0 to {self.channels - 1}")
        return dict(doors)


def _count(request: Mapping[str, Any], key: str, low: int, high: int, default: Any = None) -> int:
    value = request.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise ControlError(f"{key!r} is a number from {low} to {high}, not {value!r}")


UNIT = PulseCounter
