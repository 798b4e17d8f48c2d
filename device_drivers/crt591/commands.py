"""Every command of the CRT-591 table, sorted by what a repetition would do.

Knows CM, PM and data of each command; must not know when one is allowed. `Motion` is a type of its own so that nothing
that resends can be handed one.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_drivers.crt591.protocol import COMMAND, MAX_DATA, encode


@dataclass(frozen=True, slots=True)
class Question:
    """Reads; asking again is harmless."""

    name: str
    cm: int
    pm: int


@dataclass(frozen=True, slots=True)
class Setting:
    """Sets a mode or value; setting it again is harmless."""

    name: str
    cm: int
    pm: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Initialises and leaves the card where it is; written once, because a frame during it disturbs it."""

    name: str
    cm: int
    pm: int


@dataclass(frozen=True, slots=True)
class CardTalk:
    """Speaks with a card's chip; moves nothing, but a repetition may mean something to the card."""

    name: str
    cm: int
    pm: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Motion:
    """May move a card; the frame has no sequence number, so a second one is a second act."""

    name: str
    cm: int
    pm: int


Command = Question | Setting | Recovery | CardTalk | Motion

STATUS = Question("status", 0x31, 0x30)
SENSORS = Question("sensors", 0x31, 0x31)
SERIAL_NUMBER = Question("serial number", 0xA2, 0x30)
CONFIGURATION = Question("configuration", 0xA3, 0x30)
FIRMWARE = Question("firmware", 0xA4, 0x30)
BIN_COUNTER = Question("bin counter", 0xA5, 0x30)

ENTRY_ON = Setting("entry on", 0x33, 0x30)
ENTRY_OFF = Setting("entry off", 0x33, 0x31)
RESET_READER = Setting("reset reader", 0xA6, 0x30)  # not in the manual's table; used by no driver path

RESET_LEAVING = Recovery("reset, leave card", 0x30, 0x33)
INITIALISE = Recovery("initialise, leave card, bin counted", 0x30, 0x37)  # the only automatic one (PHY-4)

RESET_TO_GATE = Motion("reset, card to gate", 0x30, 0x30)
RESET_CAPTURING = Motion("reset, capture", 0x30, 0x31)
RESET_TO_GATE_COUNTED = Motion("reset, card to gate, bin counted", 0x30, 0x34)
RESET_CAPTURING_COUNTED = Motion("reset, capture, bin counted", 0x30, 0x35)
MOVE_TO_HOLDING = Motion("move to holding position", 0x32, 0x30)
DRAW = Motion("move to IC position", 0x32, 0x31)  # with an empty transport it draws from the stacker
MOVE_TO_RF = Motion("move to RF position", 0x32, 0x32)
CAPTURE = Motion("move to error bin", 0x32, 0x33)
PRESENT = Motion("move out of gate", 0x32, 0x39)

CHECK_IC_TYPE = CardTalk("check IC card type", 0x50, 0x30)
CHECK_RF_TYPE = CardTalk("check RF card type", 0x50, 0x31)
_CPU_PMS = (0x30, 0x31, 0x32, 0x33, 0x34, 0x38, 0x39)
_SAM_PMS = (*_CPU_PMS, 0x40)
_RF_PMS = (0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x39)


def set_bin_counter(count: int) -> Setting:
    """Sets the error-bin counter, three ASCII digits."""
    if not 0 <= count <= 999:
        raise ValueError(f"the bin counter takes 0..999, not {count}")
    return Setting("set bin counter", 0xA5, 0x31, f"{count:03d}".encode("ascii"))


def cpu_card(pm: int, data: bytes = b"") -> CardTalk:
    """CPU card: 30 cold reset, 31 off, 32 status, 33 T=0, 34 T=1, 38 warm reset, 39 auto APDU."""
    return _card_talk("CPU card", 0x51, pm, _CPU_PMS, data)


def sam_card(pm: int, data: bytes = b"") -> CardTalk:
    """SAM: as the CPU card; 40 selects the socket."""
    return _card_talk("SAM", 0x52, pm, _SAM_PMS, data)


def rf_card(pm: int, data: bytes = b"") -> CardTalk:
    """RF: 30 start, 31 off, 32 status, 33 Mifare, 34 type A, 35 type B, 39 enable."""
    return _card_talk("RF card", 0x60, pm, _RF_PMS, data)


def memory_card(cm: int, pm: int, data: bytes = b"") -> CardTalk:
    """SLE4442/4428 (CM 53) and 24Cxx (CM 54); the manual's PM values depend on the chip."""
    if cm not in (0x53, 0x54):
        raise ValueError(f"memory cards are CM 53 or 54, not {cm:02X}")
    return _card_talk("memory card", cm, pm, tuple(range(0x30, 0x40)), data)


def command_frame(unit: int, command: Command) -> bytes:
    """The frame of a command for exactly one unit (0..15). Raises ValueError for any other address."""
    data = command.data if isinstance(command, Setting | CardTalk) else b""
    return encode(unit, bytes([COMMAND, command.cm, command.pm]) + data)


def _card_talk(name: str, cm: int, pm: int, allowed: tuple[int, ...], data: bytes) -> CardTalk:
    if pm not in allowed:
        raise ValueError(f"{name} has no PM {pm:02X}; known are {' '.join(f'{one:02X}' for one in allowed)}")
    if len(data) > MAX_DATA:
        raise ValueError(f"data has at most {MAX_DATA} bytes, not {len(data)}")
    return CardTalk(name, cm, pm, data)
