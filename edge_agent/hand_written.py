"""Files that people write: read within bounds, parsed as TOML, and every mistake placed on its line.

Knows text and TOML; must not know what a member means.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from edge_agent import toml_mistakes
from edge_agent.plain_file import open_plain

Place = tuple[int | str, ...]
MAX_LINE = 4096
MAX_DOTS = 100  # the parser's time for a dotted key grows with the square of its parts: 100 KiB of them take a minute
MAX_DEPTH = 16  # nothing that people write here lies deeper


class Unreadable(ValueError):
    """A file that says nothing: a code of the catalogue's findings, its places, and the line (1-based)."""

    def __init__(self, line: int, code: str, **places: object) -> None:
        super().__init__(f"line {line}: {code} {places}")
        self.line = line
        self.code = code
        self.places = places


def _named(value: Any) -> Any:
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise PydanticCustomError("no_path", "names no file or folder: write its path")
    return value


PathName = Annotated[Path, BeforeValidator(_named)]  # "" would be the folder that the agent happens to stand in


def read_text(path: Path, max_bytes: int) -> str:
    """The file as text. Raises Unreadable; the error never holds what stands in the file."""
    try:
        with open_plain(path) as file:
            raw = file.read(max_bytes + 1)
    except PermissionError as error:
        raise Unreadable(1, "file_forbidden") from error
    except OSError as error:
        raise Unreadable(1, "file_unreadable", error=error) from error
    if len(raw) > max_bytes:
        raise Unreadable(1, "file_too_large", bytes=max_bytes)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
    raise Unreadable(line, "file_encoding")


def members_of(text: str) -> dict[str, Any]:
    """TOML text -> its members. Raises Unreadable."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            raise Unreadable(number, "line_too_long", characters=MAX_LINE)
        if line.count(".") > MAX_DOTS and _NO_KEY.sub("", line).count(".") > MAX_DOTS:
            raise Unreadable(number, "too_many_dots", dots=MAX_DOTS)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise Unreadable(1, "nested_too_deeply") from None
    except ValueError as error:  # a number of thousands of digits is one, too
        line_number, code, places = toml_mistakes.told(text, error)
        raise Unreadable(line_number, code, **places) from error


def line_of(text: str, place: Place) -> int:
    """The 1-based line of a member by its path, or of the nearest table around it that stands in the text."""
    lines = _lines(text)
    return next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), 1)


_WORD = r"\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+"
_NO_KEY = re.compile(r"\"[^\"]*\"|'[^']*'|#.*")
_PATH = rf"((?:{_WORD})(?:\s*\.\s*(?:{_WORD}))*)"
_ARRAY, _TABLE, _KEY = (re.compile(rf"\s*{form}") for form in (rf"\[\[\s*{_PATH}", rf"\[\s*{_PATH}", rf"{_PATH}\s*="))


@lru_cache(maxsize=4)
def _lines(text: str) -> dict[Place, int]:
    """Where each member begins; what looks like one inside a longer text only misplaces a hint."""
    lines: dict[Place, int] = {}
    last: dict[Place, int] = {}  # of each array of tables, the index of the newest
    table: Place = ()
    for number, line in enumerate(text.split("\n"), 1):
        if found := _ARRAY.match(line):
            array = _resolved(_words(found[1]), last)
            last[array] = last.get(array, -1) + 1
            member = table = (*array, last[array])
        elif found := _TABLE.match(line):
            member = table = _resolved(_words(found[1]), last)
        elif found := _KEY.match(line):
            member = (*table, *_words(found[1]))
        else:
            continue
        for depth in range(1, len(member) + 1):
            lines.setdefault(member[:depth], number)
    return lines


def _words(path: str) -> list[str]:
    return [word.strip("\"'") for word in re.findall(_WORD, path)][:MAX_DEPTH]


def _resolved(words: list[str], last: dict[Place, int]) -> Place:
    """The path of a header as it is meant there: behind the name of an array comes the index of its newest table."""
    path: Place = ()
    for word in words[:-1]:
        path = (*path, word)
        if path in last:
            path = (*path, last[path])
    return (*path, words[-1])
