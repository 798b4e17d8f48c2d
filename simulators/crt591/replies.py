"""What a CRT-591 says to each command: which it knows, which it refuses and why, and the data of the answers.

Knows the command table; it moves nothing and keeps nothing but what the host may set (entry, counter).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.crt591.frames import Command, failure, success
from simulators.crt591.motion import MOVE, MOVE_TO, RESET, RESET_STAY, RESET_TO_BIN, RESET_TO_GATE, TO_BIN

if TYPE_CHECKING:
    from simulators.crt591.unit import Unit

STATUS, ENTRY, IC_TYPE = 0x31, 0x33, 0x50
SERIAL_NUMBER, CONFIGURATION, FIRMWARE, COUNTER = 0xA2, 0xA3, 0xA4, 0xA5

PARAMETERS: dict[int, frozenset[int]] = {
    RESET: frozenset((*RESET_TO_GATE, *RESET_TO_BIN, *RESET_STAY)),
    STATUS: frozenset((0x30, 0x31)),
    MOVE: frozenset((*MOVE_TO, TO_BIN)),
    ENTRY: frozenset((0x30, 0x31)),
    IC_TYPE: frozenset((0x30,)),
    SERIAL_NUMBER: frozenset((0x30,)),
    CONFIGURATION: frozenset((0x30,)),
    FIRMWARE: frozenset((0x30,)),
    COUNTER: frozenset((0x30, 0x31)),
}
# Chip and radio commands of the table, and A6: this unit has no such hardware.
WITHOUT_HARDWARE = frozenset((0x51, 0x52, 0x53, 0x54, 0x60, 0xA6))
TYPE_UNKNOWN = b"00"  # answer of 50 30; the manual's other values were not checked, none is made up


def refusal(command: Command) -> str | None:
    """The error code for a command that this unit can never do, whatever its state."""
    if command.cm in WITHOUT_HARDWARE or (command.cm, command.pm) == (IC_TYPE, 0x31):
        return "03"
    if command.cm not in PARAMETERS:
        return "00"
    if command.pm not in PARAMETERS[command.cm]:
        return "01"
    sets_counter = (command.cm, command.pm) == (COUNTER, 0x31)
    well_formed = len(command.data) == 3 and command.data.isdigit() if sets_counter else not command.data
    return None if well_formed else "04"


def answer(unit: Unit, command: Command) -> bytes:
    """The whole answer frame of a command that succeeded, with the status of this moment."""
    if command.cm == IC_TYPE and unit.metal.status()[:1] != b"2":
        return failure(command, "02")
    data = _data(unit, command)
    return success(command, unit.metal.status(), data)


def _data(unit: Unit, command: Command) -> bytes:
    metal, options = unit.metal, unit.options
    match command.cm, command.pm:
        case (0x30, _) | (0xA4, _):
            return options.firmware.encode("ascii")
        case (0x31, 0x31):
            return metal.sensors()
        case (0x33, pm):
            unit.entry = pm == 0x30
        case (0x50, _):
            return TYPE_UNKNOWN
        case (0xA2, _):
            return bytes((len(options.serial_number),)) + options.serial_number.encode("ascii")
        case (0xA3, _):
            return options.configuration.encode("ascii")
        case (0xA5, 0x30):
            return f"{metal.counter:03d}".encode("ascii")
        case (0xA5, _):
            metal.counter = int(command.data)
    return b""
