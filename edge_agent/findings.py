"""What is wrong in a file that people write: its place, a stable code and the values that belong into its sentence.

Knows how a finding becomes a sentence of the catalogue (family `finding`); must not know what is looked for.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from edge_agent.hand_written import Place, Unreadable, line_of
from edge_agent.spellings import SPELLINGS
from edge_agent.texts import Texts


@dataclass(frozen=True, slots=True)
class Word:
    """A place of a sentence that is itself a word of the catalogue; shown as its code where no words are known."""

    family: str
    code: str


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence that is in no language yet: `finding.{code}` with its places."""

    code: str
    places: Mapping[str, object] = field(default_factory=dict, hash=False)

    def words(self, texts: Texts) -> str:
        return texts(f"finding.{self.code}", **{name: _shown(value, texts) for name, value in self.places.items()})


def _shown(value: object, texts: Texts) -> str:
    if isinstance(value, Saying):
        return value.words(texts)
    if isinstance(value, Word):
        return texts.word(value.family, value.code)
    if isinstance(value, tuple):  # one of these
        *some, last = value
        return texts("console.or", some=", ".join(some), last=last) if some else str(last)
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: where it is, what is wrong and what to do. Logs have it in English."""

    file: str
    line: int
    saying: Saying
    key: str = ""

    @property
    def code(self) -> str:
        return self.saying.code

    @property
    def why(self) -> str:
        return self.words(Texts("en"))

    def words(self, texts: Texts) -> str:
        """The key and the sentence in one language."""
        sentence = self.saying.words(texts)
        return texts("console.at_key", key=self.key, what=sentence) if self.key else sentence

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}"


def at(text: str, file: str, place: Place, saying: Saying) -> Problem:
    """A finding at a member of a text."""
    return Problem(file, line_of(text, place), saying, ".".join(str(part) for part in place))


def unreadable(bad: Unreadable) -> Saying:
    """What a file that says nothing is told as."""
    places = {name: system_error(value) if isinstance(value, OSError) else value for name, value in bad.places.items()}
    return Saying(bad.code, places)


def system_error(error: OSError) -> Word:
    """What the operating system refused."""
    return Word("os", errno.errorcode.get(error.errno or 0, type(error).__name__))


def refusal(place: Place, saying: Saying) -> PydanticCustomError:
    """What a check of a whole raises inside of a model: `misfits` finds place and saying in it again."""
    return PydanticCustomError("does_not_fit", "does not fit", {"place": place, "saying": saying})


def misfits(text: str, file: str, error: ValidationError, most: int, inside: Place = ()) -> list[Problem]:
    """What pydantic found, at most so many; `inside` is the place of what it looked at."""
    found = error.errors(include_url=False, include_input=False)[:most]
    return [_misfit(text, file, inside, one) for one in found]


def _misfit(text: str, file: str, inside: Place, error: ErrorDetails) -> Problem:
    more = error.get("ctx", {})
    if isinstance(saying := more.get("saying"), Saying):
        return at(text, file, (*inside, *more["place"]), saying)
    return at(text, file, (*inside, *error["loc"]), _saying(error["type"], error["msg"], more))


_INTEGER, _NUMBER, _FLAG = "no_integer", "no_number", "no_flag"
_KINDS: dict[str, tuple[str, str]] = {  # pydantic's type -> our code, and the member of its context that is told
    "missing": ("missing", ""),
    "extra_forbidden": ("not_known", ""),
    "string_type": ("no_text", ""),
    "string_too_short": ("text_too_short", "min_length"),
    "string_too_long": ("text_too_long", "max_length"),
    "int_type": (_INTEGER, ""),
    "int_parsing": (_INTEGER, ""),
    "int_from_float": (_INTEGER, ""),
    "int_parsing_size": ("number_too_long", ""),
    "float_type": (_NUMBER, ""),
    "float_parsing": (_NUMBER, ""),
    "finite_number": ("not_finite", ""),
    "bool_type": (_FLAG, ""),
    "bool_parsing": (_FLAG, ""),
    "greater_than": ("not_above", "gt"),
    "greater_than_equal": ("too_small", "ge"),
    "less_than": ("not_below", "lt"),
    "less_than_equal": ("too_large", "le"),
    "multiple_of": ("no_multiple", "multiple_of"),
    "list_type": ("no_list", ""),
    "dict_type": ("no_table", ""),
    "model_type": ("no_table", ""),
    "model_attributes_type": ("no_table", ""),
    "path_type": ("no_path", ""),
    "no_path": ("no_path", ""),
    "too_short": ("too_few", "min_length"),
    "too_long": ("too_many", "max_length"),
}


def _saying(kind: str, english: str, more: dict[str, Any]) -> Saying:
    if kind == "string_pattern_mismatch" and "pattern" in more:
        known = SPELLINGS.get(more["pattern"])
        return Saying(known) if known else Saying("spelling", {"pattern": more["pattern"]})
    if kind == "literal_error" and (choices := re.findall(r"'[^']*'", str(more.get("expected")))):
        return Saying("no_such_choice", {"choices": tuple(choices)})
    code, told = _KINDS.get(kind, ("other", ""))
    if code == "other" or (told and told not in more):
        return Saying("other", {"english": english.removeprefix("Value error, ")})
    return Saying(code, {"bound": more[told]} if told else {})
