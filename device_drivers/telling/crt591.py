"""The frames of a CRT-591 line in words.

Knows the table of commands and what status digits are; must not know what a command came to.
"""

from __future__ import annotations

from device_drivers.crt591.codes import explain
from device_drivers.crt591.protocol import COMMAND, SUCCESS, BadFrame, Control, Event, FrameReader
from device_drivers.telling.tellers import Direction, Said, Word


class Telling:
    """See `tellers.Teller`."""

    def __init__(self) -> None:
        self._readers = {"write": FrameReader(), "read": FrameReader()}

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        return [_told(event) for event in self._readers[direction].feed(data)]


def _told(event: Event) -> Said:
    if isinstance(event, Control):
        return Said("control", {"name": event.name})
    if isinstance(event, BadFrame):
        return Said("broken", {"why": Word("frame", f"broken_{event.why}"), "head": event.head.hex(" ").upper()})
    places: dict[str, object] = {"unit": event.unit, "name": Word("crt591", f"c{event.cm:02x}{event.pm:02x}")}
    places["data"] = _text(event.data)
    if event.kind == COMMAND:
        return Said("crt591_command", places)
    if event.kind == SUCCESS:
        status = event.data[:3].decode("ascii", "replace")
        return Said("crt591_success", places | {"status": " ".join(status), "data": _text(event.data[3:])})
    code = event.data[:2].decode("ascii", "replace")
    return Said("crt591_failure", places | {"code": code, "why": Word("reason", explain(code).reason)})


def _text(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E else "." for byte in data)
