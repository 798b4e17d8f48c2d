"""What is wrong in a template: a place, a code and the values that belong into its sentence; in English for logs.

Knows codes and sentences; must not know files' lines nor other languages (the floor above has both).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError
from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]

_SENTENCES = {
    "missing": "is missing: add it",
    "not_known": "is not known here: remove it or mend its spelling",
    "no_text": "must be a string: put it in quotes",
    "text_too_short": "is too short: write at least {bound} characters",
    "text_too_long": "is too long: write at most {bound} characters",
    "no_integer": "must be an integer: write digits without quotes and without a fraction",
    "no_flag": "must be true or false: write one of them without quotes",
    "too_small": "must be at least {bound}: write a larger number",
    "too_large": "must be at most {bound}: write a smaller number",
    "no_list": "must be a list: write its members in brackets, or each as a table [[...]]",
    "no_table": "must be a table: write its members as key = value below a header",
    "too_few": "has too few members: give at least {bound}",
    "too_many": "has too many members: give at most {bound}",
    "no_such_choice": "must be {choices}: write one of these",
    "toml_other": "is not TOML: {english}; mend this line",
    "other": "{english}: mend it",
    "template_no_block": "is no block: give it exactly one of {known}",
    "template_two_blocks": "is {first} and {second} at once: make two blocks of it",
    "template_brace": "has a brace that belongs to no name: write {{name}}, or two braces for a brace itself",
    "template_name": "{name} can be no value's name: use small letters, digits and underscore, starting with a letter",
    "template_character": "the character {character} ({code_point}) is in no printer's font (GBK): write another",
    "template_cut_not_last": "cuts before the sheet ends: make it the last block, and the only one",
    "template_rule": "must be one printable ASCII character: write '-', '=' or the like",
    "template_picture": "{file} is no picture that can be read ({why}): name a PNG file",
    "template_picture_large": "{file} has {pixels} pixels: make it smaller, at most {most}",
    "template_picture_path": "{file} lies outside of the template's folder: put the picture beside the template",
    "template_dots": "the dots are not those of a picture: give the file's name instead",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend; `place` is the path of a member in the template's TOML, blocks counted from 0."""

    place: Place
    code: str
    places: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def why(self) -> str:
        """The sentence without its place."""
        return _SENTENCES[self.code].format_map({name: _shown(value) for name, value in self.places.items()})

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.place))}: {self.why}" if self.place else self.why


def _shown(value: object) -> str:
    if isinstance(value, tuple):  # one of these
        *some, last = value
        return f"{', '.join(some)} or {last}" if some else str(last)
    if isinstance(value, OSError):
        return value.strerror or type(value).__name__
    return f"{value:g}" if isinstance(value, float) else str(value)


class BadPicture(Exception):
    """A file that cannot become dots: a code and its places; the place is known to who named the file."""

    def __init__(self, code: str, **places: object) -> None:
        super().__init__(code)
        self.code = code
        self.places = places


class BadTemplate(ValueError):
    """A template that cannot be meant; `problems` has everything that is wrong with it."""

    def __init__(self, file: str, problems: Sequence[Mistake]) -> None:
        super().__init__("; ".join(f"{file}: {problem}" for problem in problems))
        self.file = file
        self.problems = tuple(problems)


_KINDS: dict[str, tuple[str, str]] = {  # pydantic's type -> our code, and the member of its context that is told
    "missing": ("missing", ""),
    "extra_forbidden": ("not_known", ""),
    "string_type": ("no_text", ""),
    "string_too_short": ("text_too_short", "min_length"),
    "string_too_long": ("text_too_long", "max_length"),
    "int_type": ("no_integer", ""),
    "int_parsing": ("no_integer", ""),
    "int_from_float": ("no_integer", ""),
    "bool_type": ("no_flag", ""),
    "bool_parsing": ("no_flag", ""),
    "greater_than_equal": ("too_small", "ge"),
    "less_than_equal": ("too_large", "le"),
    "list_type": ("no_list", ""),
    "tuple_type": ("no_list", ""),
    "dict_type": ("no_table", ""),
    "model_type": ("no_table", ""),
    "model_attributes_type": ("no_table", ""),
    "too_short": ("too_few", "min_length"),
    "too_long": ("too_many", "max_length"),
}


def mistakes_of(error: ValidationError, most: int = 20) -> list[Mistake]:
    """What pydantic found, at most so many."""
    return [_mistake(one) for one in error.errors(include_url=False, include_input=False)[:most]]


def _mistake(error: ErrorDetails) -> Mistake:
    more = error.get("ctx", {})
    place = _without_tag(error["loc"])
    if isinstance(mistake := more.get("mistake"), Mistake):
        return Mistake((*place, *mistake.place), mistake.code, mistake.places)
    if error["type"] == "literal_error" and (choices := re.findall(r"'[^']*'", str(more.get("expected")))):
        return Mistake(place, "no_such_choice", {"choices": tuple(choices)})
    code, told = _KINDS.get(error["type"], ("other", ""))
    if code == "other":
        return Mistake(place, code, {"english": error["msg"].removeprefix("Value error, ")})
    return Mistake(place, code, {"bound": more[told]} if told else {})


def _without_tag(place: Place) -> Place:
    """Without the kind of block, which pydantic names behind its index; in the file it does not stand there."""
    return (*place[:2], *place[3:]) if len(place) > 2 and place[0] == "block" else place
