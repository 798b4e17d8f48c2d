"""The error of what cannot stand on a sheet, as a reason for orders, and as a code and places for people's languages.

Knows sentences in English and their codes; must not know templates nor printers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Why = Literal["unsupported_data", "value_missing", "too_long"]

_KINDS: dict[str, tuple[Why, str]] = {
    "print_value_missing": (
        "value_missing",
        "the template asks for it: give it a value, or take it out of the template",
    ),
    "print_character": (
        "unsupported_data",
        "{character} ({code_point}), line {line}, character {position}, is in no printer's font (GBK): write another",
    ),
    "print_lines": ("unsupported_data", "its data has more than one line: shorten it to one"),
    "print_mark": ("unsupported_data", "a line of it reads like the mark that every sheet bears: write it otherwise"),
    "print_code_empty": ("unsupported_data", "a code of nothing cannot be printed: give it data, or leave it out"),
    "print_bars": ("unsupported_data", "code 128 holds printable ASCII only: use a QR code instead"),
    "print_ean": ("unsupported_data", "EAN-13 is of 12 or 13 digits: give so many"),
    "print_check_digit": ("unsupported_data", "the last digit is not the check digit: mend it, or leave it out"),
    "print_no_picture": (
        "unsupported_data",
        "its picture was not read with the template: read the template from its file",
    ),
    "print_columns": ("too_long", "takes {width} columns where {limit} fit: shorten it, or let it wrap"),
    "print_dots": ("too_long", "is {width} dots wide where {limit} fit: make it smaller"),
    "print_qr": ("too_long", "{characters} characters are too many for a QR code of this level: shorten them"),
    "print_characters": ("too_long", "has more than {limit} characters with its values: shorten them"),
    "print_lines_many": ("too_long", "the sheet has more than {limit} lines here: shorten its values"),
}


class Unprintable(Exception):
    """A sheet that cannot be made of these values: `reason` is a code of the catalogue, `what` the value or block.

    `code` and `places` are a finding of the catalogue; `other` quotes the English.
    """

    def __init__(
        self, reason: Why, what: str, why: str, code: str = "other", places: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(f"{what}: {why}")
        self.reason: Why = reason
        self.what = what
        self.why = why
        self.code = code
        self.places = {"english": why} if places is None else dict(places)

    @property
    def facts(self) -> dict[str, object]:
        """Where it stands and why, for who can mend it; of the text itself only the character that is wrong."""
        return {**self.places, "where": self.what, "code": self.code}


def unprintable(code: str, what: str, /, **places: object) -> Unprintable:
    """The error for one of this file's codes."""
    reason, sentence = _KINDS[code]
    return Unprintable(reason, what, sentence.format_map(places), code, places)
