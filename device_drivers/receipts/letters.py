"""Letters as a Chinese receipt printer has them: ASCII one column wide, GBK's two-byte characters two columns.

Knows widths and which characters exist there; must not know lines, layouts nor where a text came from.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadLetter:
    """A character that no such printer has, and where it stands (counted from 1)."""

    character: str
    position: int

    @property
    def shown(self) -> str:
        return self.character if self.character.isprintable() else repr(self.character)

    @property
    def code_point(self) -> str:
        return f"U+{ord(self.character):04X}"

    @property
    def places(self) -> dict[str, object]:
        """As the places of a sentence."""
        return {"character": self.shown, "code_point": self.code_point, "position": self.position}


def printable(character: str) -> bool:
    """Whether it is printable ASCII, or two bytes 81..FE, 40..FE in GBK; a control character is neither."""
    if character.isascii():
        return " " <= character <= "~"
    try:
        code = character.encode("gbk")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0x81 <= code[0] <= 0xFE and 0x40 <= code[1] <= 0xFE and code[1] != 0x7F


def unprintable_in(text: str) -> BadLetter | None:
    """The first character that cannot be printed."""
    if text.isascii() and text.isprintable():
        return None
    return next((BadLetter(one, place) for place, one in enumerate(text, 1) if not printable(one)), None)


def width_of(text: str) -> int:
    """Columns at size 1."""
    return len(text) if text.isascii() else len(text) + sum(not character.isascii() for character in text)
