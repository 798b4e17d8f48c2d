"""A module with digital inputs: doors, buttons and power contacts of a site, which bounce as contacts do.

Knows levels; what an input means is the installer's affair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from simulators.machine import ControlError
from simulators.modbus.unit import ILLEGAL_FUNCTION, Refusal, Unit

CHANNELS_MAX = 64
BOUNCES_MAX = 1000


class DigitalInputs(Unit):
    """`on` are the levels of the contacts themselves: the module's own power changes nothing of them."""

    OPTIONS: ClassVar[Mapping[str, Any]] = {"channels": 8, "table": "inputs"}
    OCCASIONS: ClassVar[Sequence[str]] = ("change",)
    VERBS: ClassVar[Mapping[str, set[str]]] = {"input": {"channel", "on", "for_s", "bounces", "bounce_s"}}

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if not 1 <= self.options["channels"] <= CHANNELS_MAX or self.options["table"] not in {"inputs", "coils"}:
            raise ControlError(f"{self.device}: channels are 1 to {CHANNELS_MAX}, table is inputs or coils")
        self.on = [False] * self.options["channels"]
        self.changes = 0

    def read_bits(self, table: str, address: int, count: int, now: float) -> Sequence[bool]:
        if table != self.options["table"]:
            raise Refusal(ILLEGAL_FUNCTION)
        if address + count > len(self.on):
            raise Refusal
        return self.on[address : address + count]

    def do(self, verb: str, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """`input`: a contact goes `on` or off, `bounces` times to and fro before it holds, and back after `for_s`."""
        channel, on = request.get("channel"), request.get("on", True)
        if not isinstance(channel, int) or not 0 <= channel < len(self.on) or not isinstance(on, bool):
            raise ControlError(f"'channel' is 0 to {len(self.on) - 1} and 'on' true or false, not {channel!r}, {on!r}")
        bounces = int(_number(request, "bounces", 0, BOUNCES_MAX))
        bounce_s = _number(request, "bounce_s", 0.01, 60)
        for nth in range(2 * bounces):
            self.agenda.at(now + nth * bounce_s, partial(self._level, channel, on ^ bool(nth % 2)))
        holds_s = now + 2 * bounces * bounce_s
        self.agenda.at(holds_s, partial(self._change, channel, on))
        if request.get("for_s") is not None:
            for_s = _number(request, "for_s", 1, 86_400)
            self.agenda.at(holds_s + for_s, partial(self._change, channel, not on))
        self.agenda.run(now)
        return self.state()

    def _level(self, channel: int, on: bool, now: float) -> None:  # noqa: FBT001 - a contact's level
        self.on[channel] = on

    def _change(self, channel: int, on: bool, now: float) -> None:  # noqa: FBT001 - a contact's level
        self.on[channel] = on
        self.changes += 1
        self.tell("show", "input_on" if on else "input_off", {"channel": channel}, now)
        self.count("change", self.changes, now)

    def state(self) -> dict[str, Any]:
        return {"on": list(self.on), "changes": self.changes}

    def snapshot(self) -> dict[str, Any]:
        return self.state()

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        self.on, self.changes = [bool(level) for level in saved["on"]], int(saved["changes"])


def _number(request: Mapping[str, Any], key: str, default: float, high: float) -> float:
    value = request.get(key, default)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= high:
        return float(value)
    raise ControlError(f"{key!r} is a number from 0 to {high:g}, not {value!r}")


UNIT = DigitalInputs
