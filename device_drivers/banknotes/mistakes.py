"""What is wrong with bytes that should be banknotes: a stable code, its values, and the English sentence for logs.

Knows no bytes; a catalogue has the same sentences for people (family `banknotes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SENTENCES = {
    "head_short": "{size} bytes are no head of {bound}",
    "begins": "it begins with {found}, not {wanted}",
    "version": "an unknown version {found}",
    "head_end": "the head ends with {found}, not {wanted}",
    "many": "{count} records are more than {bound}",
    "size": "{count} records make {wanted} bytes, the file has {found}",
    "record_size": "a record has {bound} bytes",
    "flag": "{found} is neither fake, genuine, damaged nor old",
    "serial": "a serial number of {count} letters",
    "letter": "{found} is no letter",
    "cut": "cut after {count} bytes",
    "frame_end": "it does not end with BE BE BE BE but {found}",
    "length": "a length of {found}, not {wanted}",
    "mode": "an unknown mode {found}",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong."""

    code: str
    places: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return SENTENCES[self.code].format_map(self.places)


class MistakeError(ValueError):
    """Something at the byte `offset` is not as it should be."""

    def __init__(self, offset: int, code: str, **places: object) -> None:
        self.mistake = Mistake(code, places)
        super().__init__(f"at byte {offset}: {self.mistake}")
        self.offset = offset

    @property
    def why(self) -> str:
        return str(self.mistake)
