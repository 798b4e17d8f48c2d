"""Looking at receipts without a printer: which templates ship, and what one looks like with these values.

Knows templates' files, made-up values and findings; it prints nothing and asks no device.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from device_drivers.pictures.canvas import Canvas
from device_drivers.pictures.png import png
from device_drivers.receipts.bad_template import BadTemplate
from device_drivers.receipts.blocks import Barcode
from device_drivers.receipts.compose import Marks, compose
from device_drivers.receipts.paper import PAPERS, Unprintable
from device_drivers.receipts.preview import drawn
from device_drivers.receipts.sheet import Sheet
from device_drivers.receipts.template import Template, template_of
from edge_agent.findings import Problem, Saying, at, unreadable
from edge_agent.hand_written import Unreadable, members_of, read_text
from edge_agent.plain_file import is_there
from edge_agent.texts import Texts

MAX_BYTES = 64 * 1024
ATTEMPT = "O-20300131-0042/receipt/{attempt}"
_MADE_UP = {  # the same in every language; the others stand in the catalogue's section `sample`
    "order": "O-20300131-0042",
    "attempt": ATTEMPT.format(attempt=1),
    "branch": "B0001",
    "date": "2030-01-31",
    "time": "09:30:00",
    "customer": "C-10086",
    "number": "A018",
    "ahead": "6",
    "amount": "1,000.00",
    "qr": "https://branch.example/q/A018",
}
_EAN_13 = "690123456789"
_BLOCK = re.compile(r"block (\d+)")


class BadReceipt(ValueError):
    """A receipt that cannot be shown; `problems` names each file, line and remedy."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Shown:
    """A receipt that can be looked at."""

    file: str
    template: Template
    values: Mapping[str, str]
    made_up: list[str]  # names of the values that nobody gave
    unasked: list[str]  # names that were given, but the template does not know
    sheet: Sheet

    @cached_property
    def canvas(self) -> Canvas:
        return drawn(self.sheet, PAPERS[self.sheet.columns])

    @cached_property
    def png(self) -> bytes:
        return png(self.canvas.rows(), self.canvas.width)

    def as_json(self, out: Path | None) -> dict[str, object]:
        """What scripts want to know of it."""
        return {
            "template": self.file,
            "language": self.template.language,
            "columns": self.sheet.columns,
            "width_dots": self.canvas.width,
            "height_dots": self.canvas.height,
            "out": None if out is None else str(out),
            "values": dict(self.values),
            "made_up": self.made_up,
            "unasked": self.unasked,
            "lines": self.sheet.lines,
        }


def shipped() -> dict[str, Path]:
    """The templates that ship, by name and language: `card_receipt.zh`."""
    folder = Path(str(resources.files("edge_agent").joinpath("receipts")))
    return {path.name.removesuffix(".toml"): path for path in sorted(folder.glob("*.toml"))}


def names() -> list[str]:
    """What templates that ship are called, without their languages."""
    return sorted({name.partition(".")[0] for name in shipped()})


def found(name: str, lang: str) -> Path | None:
    """The file that a person means: a path, or the name of a template that ships, with or without its language.

    None: it reads like a name, and nothing is called so.
    """
    known, path = shipped(), Path(name)
    named = known.get(name) or known.get(f"{name}.{lang}")
    a_path = path.name != name or path.suffix == ".toml" or is_there(path)
    return named or (path if a_path else None)


def read(path: Path) -> tuple[str, Template]:
    """A template's text and what it means. Raises BadReceipt."""
    try:
        text = read_text(path, MAX_BYTES)
        template = template_of(members_of(text), path)
    except Unreadable as bad:
        raise BadReceipt([Problem(str(path), bad.line, unreadable(bad))]) from bad
    except BadTemplate as bad:
        raise BadReceipt(
            [at(text, str(path), one.place, Saying(one.code, one.places)) for one in bad.problems]
        ) from bad
    if "language" not in template.model_fields_set and path.name.endswith(".en.toml"):
        template = template.model_copy(update={"language": "en"})
    return text, template


def values_of(path: Path) -> dict[str, str]:
    """Values from a JSON file: one object of texts, numbers and flags. Raises BadReceipt."""
    try:
        members = json.loads(read_text(path, MAX_BYTES))
    except Unreadable as bad:
        raise BadReceipt([Problem(str(path), bad.line, unreadable(bad))]) from bad
    except (ValueError, RecursionError) as bad:
        line = getattr(bad, "lineno", 1)
        raise BadReceipt([Problem(str(path), line, Saying("values_no_json"))]) from bad
    if not isinstance(members, dict):
        raise BadReceipt([Problem(str(path), 1, Saying("values_no_object"))])
    wrong = [name for name, value in members.items() if not isinstance(value, str | int | float)]
    if wrong:
        raise BadReceipt([Problem(str(path), 1, Saying("values_no_text"), key=name) for name in wrong])
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in members.items()}


def show(path: Path, given: Mapping[str, str], columns: int, reprint: int) -> Shown:
    """The receipt with the given values, and made-up ones for the rest. Raises BadReceipt."""
    text, template = read(path)
    made_up = sorted(template.every_name - given.keys())
    values = {name: _made_up(template, name) for name in made_up} | dict(given)
    marks = Marks(ATTEMPT.format(attempt=reprint + 1), reprint)
    try:
        sheet = compose(template, values, PAPERS[columns], marks)
    except Unprintable as bad:
        raise BadReceipt([_problem(text, str(path), bad)]) from bad
    return Shown(str(path), template, values, made_up, sorted(given.keys() - template.every_name), sheet)


def _made_up(template: Template, name: str) -> str:
    bars = (block for block in template.block if isinstance(block, Barcode))
    if any(block.symbology == "ean13" and "{" + name + "}" in block.barcode for block in bars):
        return _EAN_13
    return _MADE_UP.get(name) or Texts(template.language).word("sample", name)


def _problem(text: str, file: str, bad: Unprintable) -> Problem:
    """At its block, or where the value is first asked for."""
    saying = Saying(bad.code, bad.places)
    if block := _BLOCK.fullmatch(bad.what):
        return at(text, file, ("block", int(block[1]) - 1), saying)
    line = next((n for n, line in enumerate(text.split("\n"), 1) if "{" + bad.what + "}" in line), 1)
    return Problem(file, line, saying, key=bad.what)
