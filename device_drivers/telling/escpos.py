"""An ESC/POS line in words: questions, commands that matter, how much is printed; and what the printer answers.

Knows the beginnings of commands; reads no letters: what is printed may be personal, and is shown as bytes only.
"""

from __future__ import annotations

from device_drivers.escpos.protocol import (
    Asb,
    Event,
    FlowControl,
    Info,
    Presenter,
    ProcessId,
    QueuedByte,
    RealTimeStatus,
    ReplyReader,
)
from device_drivers.telling.tellers import Direction, Said

_COMMANDS: dict[bytes, tuple[str, int]] = {  # beginning -> code, whole length
    b"\x10\x04": ("escpos_real_time", 3),
    b"\x1d\x61": ("escpos_automatic", 3),
    b"\x1d\x49": ("escpos_info", 3),
    b"\x1d\x72": ("escpos_fence", 3),
    b"\x1d\x67\x32": ("escpos_counter", 6),
    b"\x1d\x28\x48": ("escpos_process_id", 11),
    b"\x1d\x56": ("escpos_cut", 3),
    b"\x1b\x40": ("escpos_initialise", 2),
}


class Telling:
    """See `tellers.Teller`."""

    def __init__(self) -> None:
        self._answers = ReplyReader()

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        if direction == "read":
            return [_answer(event) for event in self._answers.feed(data)]
        return _commands(data)


def _commands(data: bytes) -> list[Said]:
    """Each driver writes a command whole, so that none begins in the middle of what was written before."""
    told: list[Said] = []
    printed = at = 0
    while at < len(data):
        size = _raster_size(data[at : at + 8])
        found = next((one for start, one in _COMMANDS.items() if data.startswith(start, at)), None)
        if found is None or size:
            printed += size or 1
            at += size or 1
            continue
        code, size = found
        if printed:
            told.append(Said("escpos_data", {"bytes": printed}))
            printed = 0
        value = data[at + 2 : at + size]
        text = value[5:].decode("ascii", "replace") if code == "escpos_process_id" else value.hex(" ").upper()
        told.append(Said(code, {"value": text}))
        at += size
    if printed:
        told.append(Said("escpos_data", {"bytes": printed}))
    return told


def _raster_size(head: bytes) -> int:
    """GS v 0 says how many bytes of dots follow, among which any command may seem to be."""
    if len(head) < 8 or not head.startswith(b"\x1d\x76\x30"):
        return 0
    return 8 + int.from_bytes(head[4:6], "little") * int.from_bytes(head[6:8], "little")


def _answer(event: Event) -> Said:
    if isinstance(event, FlowControl):
        return Said("control", {"name": event.name})
    if isinstance(event, ProcessId):
        return Said("escpos_proof", {"id": event.text})
    if isinstance(event, RealTimeStatus | QueuedByte):
        code = "escpos_status" if isinstance(event, RealTimeStatus) else "escpos_byte"
        return Said(code, {"value": f"{event.value:02X}"})
    if isinstance(event, Info):
        return Said("escpos_text", {"text": event.data.decode("ascii", "replace")})
    assert isinstance(event, Asb | Presenter)
    code = "escpos_asb" if isinstance(event, Asb) else "escpos_presenter"
    return Said(code, {"value": event.data.hex(" ").upper()})
