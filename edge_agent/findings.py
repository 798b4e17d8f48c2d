"""What is wrong in a file that people write: its place, a stable code and the values that belong into its sentence.

Knows how a finding becomes a sentence of the catalogue (family `finding`); must not know what is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from cloud_bridge.sockets import name_of
from cloud_bridge.troubles import told, word_of
from edge_agent.hand_written import Place, Unreadable, line_of
from edge_agent.spellings import SPELLINGS
from edge_agent.texts import Texts


@dataclass(frozen=True, slots=True)
class Word:
    """A place of a sentence that is itself a word of the catalogue; shown as its code where no words are known."""

    family: str
    code: str


@dataclass(frozen=True, slots=True)
class Detail:
    """What an error says beyond its reason: its English where English is read, else what lies behind it."""

    english: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class Reported:
    """What another process says went wrong: its English where English is read, else the word that it gave."""

    english: str
    word: Word


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence that is in no language yet: `finding.{code}` with its places."""

    code: str
    places: Mapping[str, object] = field(default_factory=dict, hash=False)

    def words(self, texts: Texts) -> str:
        return texts(f"finding.{self.code}", **{name: shown(value, texts) for name, value in self.places.items()})

    def as_fact(self) -> dict[str, object]:
        """As it stands in a reply's facts, for whoever reads it there (`cloud_bridge.rejection`)."""
        return {"finding": self.code, **self.places}


def shown(value: object, texts: Texts) -> str:
    """A place of a sentence as people read it."""
    if isinstance(value, Saying):
        return value.words(texts)
    if isinstance(value, Word):
        return texts.word(value.family, value.code)
    if isinstance(value, Detail):
        return value.english if texts.lang == "en" else _behind(value.error, texts)
    if isinstance(value, Reported):
        return value.english if texts.lang == "en" else shown(value.word, texts)
    if isinstance(value, BaseException):
        return told(texts, value)
    if isinstance(value, tuple):  # one of these
        *some, last = value
        return texts("console.or", some=", ".join(some), last=last) if some else str(last)
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _behind(error: BaseException, texts: Texts) -> str:
    family, code = word_of(error)
    known = texts.word(family, code)
    return "" if known == code else known


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


def system_error(error: Exception) -> Word:
    """What the operating system refused."""
    return Word("os", name_of(error))


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


_INTEGER, _NUMBER, _FLAG, _MOMENT = "no_integer", "no_number", "no_flag", "no_moment"
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
    "mapping_type": ("no_table", ""),
    "dataclass_type": ("no_table", ""),
    "tuple_type": ("no_list", ""),
    "set_type": ("no_list", ""),
    "string_unicode": ("no_text", ""),
    "no_moment": (_MOMENT, ""),
    "datetime_type": (_MOMENT, ""),
    "datetime_parsing": (_MOMENT, ""),
    "datetime_from_date_parsing": (_MOMENT, ""),
    "datetime_object_invalid": (_MOMENT, ""),
    "timezone_aware": (_MOMENT, ""),
    "relay_line": ("relay_line", ""),
    "order_or_unknown": ("order_or_unknown", ""),
    "path_type": ("no_path", ""),
    "no_path": ("no_path", ""),
    "too_short": ("too_few", "min_length"),
    "too_long": ("too_many", "max_length"),
    "no_hex": ("no_hex", ""),
    "cell_place": ("cell_place", ""),
    "cell_door": ("cell_door", ""),
    "cell_line": ("cell_line", ""),
    "cell_id_twice": ("cell_id_twice", ""),
    "cell_lock_twice": ("cell_lock_twice", ""),
    "cell_contact_twice": ("cell_contact_twice", ""),
    "cell_feedback": ("cell_feedback", ""),
    "cell_modules": ("cell_modules", ""),
    "hex_acts_at_once": ("hex_acts_at_once", ""),
    "resync_too_short": ("resync_too_short", "bound"),
    "count_name": ("count_name", "bound"),
    "count_one_beam": ("count_one_beam", "bound"),
    "registers_for_other": ("registers_for_other", ""),
    "input_missing": ("input_missing", "bound"),
    "input_shared": ("input_shared", ""),
    "input_name": ("input_name", "bound"),
    "input_words": ("input_words", "bound"),
    "idle_text_unshowable": ("idle_text_unshowable", ""),
    "area_too_small": ("area_too_small", ""),
    "area_too_large": ("area_too_large", ""),
}


def _saying(kind: str, english: str, more: dict[str, Any]) -> Saying:
    if kind == "string_pattern_mismatch" and "pattern" in more:
        known = SPELLINGS.get(more["pattern"])
        return Saying(known) if known else Saying("spelling", {"pattern": more["pattern"]})
    if kind in ("literal_error", "enum") and (choices := re.findall(r"'[^']*'", str(more.get("expected")))):
        return Saying("no_such_choice", {"choices": tuple(choices)})
    code, told = _KINDS.get(kind, ("other", ""))
    if code == "other" or (told and told not in more):
        return Saying("other", {"english": english.removeprefix("Value error, ")})
    return Saying(code, {"bound": more[told]} if told else {})
