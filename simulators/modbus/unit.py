"""What every simulated Modbus unit is: hooks over bits and words, effects, own faults, power, and what it remembers.

Knows nothing of frames, lines and other units; a kind of unit overrides the hooks that it has and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from simulators.faults import Armed, Fault, FaultTable
from simulators.machine import Action, Agenda, ControlError, Effect, Kind

ON, OFF = 0xFF00, 0x0000
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, UNIT_FAILED = 0x01, 0x02, 0x03, 0x04


class Refusal(Exception):
    """Raised by a hook: the unit answers with this Modbus exception, and nothing happened."""

    def __init__(self, code: int = ILLEGAL_ADDRESS) -> None:
        super().__init__(f"Modbus exception {code:02X}")
        self.code = code


@dataclass(frozen=True)
class Shell:
    """What a unit is given by its line: when to do things, where effects go, its mates on the line, and occasions."""

    agenda: Agenda
    out: Callable[[Action], None]
    mate: Callable[[str], Unit]  # another unit of this line by its device's name; ControlError where there is none
    count: Callable[[Unit, str, int, float], None]  # the nth time of something, for a fault plan


class Unit:
    """One unit. Hooks raise `Refusal`; FC01 to FC06, FC0F and FC10 end in them.

    `OPTIONS` are the names and defaults of what its kind may be told, `FAULTS` its own faults beside those that every
    unit has (`faults.UNIT_FAULTS`), `OCCASIONS` its own words of a plan, `VERBS` its own requests with their keys.
    """

    OPTIONS: ClassVar[Mapping[str, Any]] = {}
    FAULTS: ClassVar[FaultTable] = {}
    OCCASIONS: ClassVar[Sequence[str]] = ()
    VERBS: ClassVar[Mapping[str, set[str]]] = {}

    def __init__(self, device: str, address: int, shell: Shell, options: Mapping[str, Any]) -> None:
        self.device, self.address = device, address
        self.agenda, self._shell = shell.agenda, shell
        self.options = parse_options(device, options, {"answer_s": 0.01, **self.OPTIONS})
        self.armed = Armed()
        self.powered = True
        self.frames = self.outages = 0

    # --- what a kind of unit overrides ----------------------------------------------------------------------------

    def read_bits(self, table: str, address: int, count: int, now: float) -> Sequence[bool]:
        """`table`: coils (FC01) or inputs (FC02)."""
        raise Refusal(ILLEGAL_FUNCTION)

    def read_words(self, table: str, address: int, count: int, now: float) -> Sequence[int]:
        """`table`: holding (FC03) or input (FC04)."""
        raise Refusal(ILLEGAL_FUNCTION)

    def write_coil(self, address: int, value: int, now: float) -> None:
        """FC05 as it stands on the wire; a plain one is FF00 or 0000."""
        if value not in {ON, OFF}:
            raise Refusal(ILLEGAL_VALUE)
        self.write_bits(address, [value == ON], now)

    def write_bits(self, address: int, values: Sequence[bool], now: float) -> None:
        """FC0F, and a plain FC05."""
        raise Refusal(ILLEGAL_FUNCTION)

    def write_words(self, address: int, values: Sequence[int], now: float) -> None:
        """FC10 and FC06."""
        raise Refusal(ILLEGAL_FUNCTION)

    def strike(self, fault: Fault, now: float) -> None:
        """A fault of its own: at once, or armed for its occasion."""
        self.armed.add(fault, now)

    def do(self, verb: str, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """A request of its own, one of `VERBS`."""
        raise ControlError(f"{self.device} does not {verb}")

    def power_lost(self, now: float) -> None:
        """Whatever does not survive it is gone now."""

    def power_back(self, now: float) -> None:
        """It begins anew."""

    def state(self) -> dict[str, Any]:
        """For people and tests."""
        return {}

    def snapshot(self) -> dict[str, Any]:
        """What survives the end of this process, as plain JSON values."""
        return {}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on from a snapshot."""

    # --- what a kind of unit uses ---------------------------------------------------------------------------------

    def tell(self, kind: Kind, act: str, detail: dict[str, Any], now: float) -> None:
        """An effect for the ledger."""
        self._shell.out(Effect(now, self.device, kind, act, detail))

    def emit(self, action: Action) -> None:
        """Anything else that its surroundings obey: the picture of what it shows."""
        self._shell.out(action)

    def mate(self, device: str) -> Unit:
        """Another unit of the same line."""
        return self._shell.mate(device)

    def count(self, what: str, nth: int, now: float) -> None:
        """The nth time of one of its `OCCASIONS`: what a plan has for it strikes."""
        self._shell.count(self, what, nth, now)


def parse_options(device: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Each option with its default where it is not given, and of the same sort; `ControlError` names the option."""
    for key, value in given.items():
        if key not in defaults:
            raise ControlError(f"{device} has no option {key!r}; known are {', '.join(defaults)}")
        default = defaults[key]
        if default is None or isinstance(value, type(default)):
            continue
        if not (isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)):
            raise ControlError(f"option {key!r} of {device} is something like {default!r}, not {value!r}")
    return {**defaults, **given}
