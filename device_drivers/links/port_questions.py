"""What a printer's port can be asked beside its stream of bytes: who it is (IEEE 1284) and its port status.

Knows the two answers of the USB printer class and how to reach them through wrapped links; must not know languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from device_drivers.links.link import Link

# IEEE 1284 knows each name in a short and a long form; some makers made up further ones.
_SHORT = {
    "MANUFACTURER": "MFG",
    "MODEL": "MDL",
    "COMMAND SET": "CMD",
    "CLASS": "CLS",
    "DESCRIPTION": "DES",
    "SERIALNUMBER": "SN",
    "SERN": "SN",
}


@dataclass(frozen=True, slots=True)
class PortStatus:
    """The byte of GET_PORT_STATUS (USB printer class 1.1, 4.2.2); a healthy port has 18 hex."""

    no_error: bool
    selected: bool
    paper_empty: bool


@runtime_checkable
class PortQuestions(Protocol):
    """A link whose port answers questions. Both are bounded in time and raise LinkError when the line is lost."""

    @property
    def bytes_begun(self) -> int:
        """How many bytes may have left since the link was made: the same before and after a write, none did."""
        ...

    @property
    def two_way(self) -> bool:
        """False while the port that is open can only be written to (protocol 01): nothing will ever be read."""
        ...

    async def device_id(self) -> dict[str, str]:
        """`{"MFG": …, "MDL": …, "CMD": …, "SN": …}` as far as told; empty when the port does not answer."""
        ...

    async def port_status(self) -> PortStatus | None:
        """None when the port does not answer."""
        ...


def port_questions(link: Link) -> PortQuestions | None:
    """The link below all wrappers, where it can be asked; None for serial lines and TCP."""
    inner: object = link
    while inner is not None:
        if isinstance(inner, PortQuestions):
            return inner
        inner = getattr(inner, "wrapped", None)
    return None


def parse_port_status(answer: bytes) -> PortStatus | None:
    """None for an empty answer."""
    if not answer:
        return None
    return PortStatus(bool(answer[0] & 0x08), bool(answer[0] & 0x10), bool(answer[0] & 0x20))


def parse_device_id(answer: bytes) -> dict[str, str]:
    """The pairs of an IEEE 1284 device id, names in their short form; what cannot be read is left out."""
    pairs: dict[str, str] = {}
    for piece in _text(answer).split(";"):
        name, colon, value = piece.partition(":")
        name, value = _clean(name).upper(), _clean(value)
        if colon and name and value:
            pairs.setdefault(_SHORT.get(name, name), value)
    return pairs


def _text(answer: bytes) -> str:
    """Without the length before it, which counts itself, big-endian; some makers count otherwise or leave it out."""
    if len(answer) < 2:
        return ""
    length = int.from_bytes(answer[:2], "big")
    if length >= 0x2020 and answer[:2].isalpha():  # longer than any id, and letters: there is no length
        return answer.decode(errors="replace")
    text = answer[2:length] if 2 < length < len(answer) and answer[length - 1 : length] == b";" else answer[2:]
    return text.decode(errors="replace")


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable()).strip()
