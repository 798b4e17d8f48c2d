"""The error codes of the CRT-591 with the reason codes and XFS4IoT device words they are told as.

Knows the manual's table and nothing of acts; what a code means for one act is judged in evidence.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """`reason` is the catalogue code, `device` the XFS4IoT word while the unit says so, `meaning` English for logs."""

    reason: str
    device: str
    meaning: str


_HARDWARE, _USER, _ONLINE = "hardwareError", "userError", "online"

CODES: dict[str, ErrorCode] = {
    "00": ErrorCode("undefined_command", _ONLINE, "undefined command"),
    "01": ErrorCode("parameter_error", _ONLINE, "parameter error"),
    "02": ErrorCode("sequence_error", _ONLINE, "command out of sequence"),
    "03": ErrorCode("not_supported", _ONLINE, "not supported by this hardware"),
    "04": ErrorCode("data_error", _ONLINE, "data error in the packet"),
    "05": ErrorCode("contact_not_released", _HARDWARE, "IC contact not released"),
    "10": ErrorCode("card_jam", _HARDWARE, "card jam"),
    "12": ErrorCode("sensor_error", _HARDWARE, "sensor error"),
    "13": ErrorCode("card_too_long", _HARDWARE, "card too long"),
    "14": ErrorCode("card_too_short", _HARDWARE, "card too short"),
    "16": ErrorCode("moved_by_hand", _USER, "card moved by hand"),
    "40": ErrorCode("card_taken", _ONLINE, "card taken, or recycling not possible"),
    "41": ErrorCode("magnet_error", _HARDWARE, "IC magnet error"),
    "42": ErrorCode("cannot_position", _HARDWARE, "cannot move to IC position (42 in one implementation)"),
    "43": ErrorCode("cannot_position", _HARDWARE, "cannot move to IC position"),
    "45": ErrorCode("moved_by_hand", _USER, "card moved by hand"),
    "50": ErrorCode("bin_counter_overflow", _USER, "capture counter overflow"),
    "51": ErrorCode("motor_error", _HARDWARE, "motor error"),
    "60": ErrorCode("chip_supply_short", _ONLINE, "IC supply short"),
    "61": ErrorCode("chip_activation_failed", _ONLINE, "card activation failed"),
    "62": ErrorCode("chip_command_unsupported", _ONLINE, "command not supported by the card"),
    "65": ErrorCode("chip_not_active", _ONLINE, "IC card not active"),
    "66": ErrorCode("card_unsupported", _ONLINE, "not supported by the present card"),
    "67": ErrorCode("chip_transfer_error", _ONLINE, "IC transfer error"),
    "68": ErrorCode("chip_timeout", _ONLINE, "IC transfer timeout"),
    "69": ErrorCode("chip_breaks_emv", _ONLINE, "card breaks EMV rules"),
    "A0": ErrorCode("stacker_empty", _ONLINE, "stacker empty"),
    "A1": ErrorCode("error_bin_full", _USER, "error bin full"),
    "B0": ErrorCode("not_reset", _ONLINE, "not reset since power-on"),
}

NOT_RESET = "B0"
MOVED_BY_HAND = ("45", "16")


def explain(code: str) -> ErrorCode:
    """The entry of a code; one that no source lists is told as `unlisted_error`."""
    return CODES.get(code) or ErrorCode("unlisted_error", _HARDWARE, f"error {code}, which no manual lists")
