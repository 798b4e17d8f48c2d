"""Texts with {names} in them: which names they have, and the text once values are put in their place.

Knows braces; a value is put in literally and never looked at again, so that nothing in it can mean anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from device_drivers.receipts.bad_template import Mistake, Place
from device_drivers.receipts.letters import unprintable_in

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
TEXTS_KEPT = 256  # of templates, taken apart once; what is put in is never kept
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """Literal pieces and, beside an empty one, names."""
    for found in _PART.finditer(text):
        if found[1] is not None:
            yield "", found[1]
        elif found[0] in "{}":
            raise refusal("template_brace")
        else:
            yield {"{{": "{", "}}": "}"}.get(found[0], found[0]), None


def refusal(code: str, place: Place = (), /, **places: object) -> PydanticCustomError:
    """What a check of a member raises inside of a model; `bad_template` finds code and places in it again."""
    return PydanticCustomError("does_not_fit", "does not fit", {"mistake": Mistake(place, code, places)})


def names_in(text: str) -> set[str]:
    """The names of the values that a text asks for."""
    return {name for _, name in _parts(text) if name is not None}


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its values. Raises KeyError of the first name that has none."""
    return "".join([literal if name is None else values[name] for literal, name in _apart(text)])


@lru_cache(TEXTS_KEPT)
def _apart(text: str) -> tuple[tuple[str, str | None], ...]:
    return tuple(_parts(text))


def _checked(text: str) -> str:
    for literal, name in _parts(text):
        if name is not None and not NAME.fullmatch(name):
            raise refusal("template_name", name="{" + name + "}")
        if bad := unprintable_in(literal.replace("\n", "")):
            raise refusal("template_character", character=bad.shown, code_point=bad.code_point)
    return text


Blanks = Annotated[str, Field(max_length=2000), AfterValidator(_checked)]  # what a designer writes, with {names}
