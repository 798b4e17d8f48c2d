"""The templates of what is printed, by name and language: those that ship, and those of the branch's own folders.

Knows files, names and languages; what a template may say is `device_drivers.receipts`' affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from device_drivers.receipts.bad_template import BadTemplate
from device_drivers.receipts.template import Template, template_of
from edge_agent.findings import Problem, Saying, at, system_error, unreadable
from edge_agent.hand_written import Unreadable, members_of, read_text

Shelf = Mapping[str, Mapping[str, Template]]  # name -> language -> template
LANGUAGES = ("zh", "en")
# What every order has for its templates, whatever its scene; a scene's parameters join them.
BUILT_IN = frozenset({"order", "attempt", "branch", "branch_name", "time", "date", "customer"})
MAX_TEMPLATE_BYTES = 64 * 1024
MAX_STORED_BYTES = 512 * 1024  # with its pictures, in each order's row
_FILE_NAME = re.compile(r"([a-z][a-z0-9_]{0,40})\.(zh|en)\.toml")


class BadTemplates(ValueError):
    """Template files that cannot be used; `problems` names each file, line and remedy."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def pick(shelf: Shelf, name: str, parameters: Mapping[str, Any]) -> Template:
    """The template in the order's language, else in the first that it is written in. Raises KeyError."""
    written = shelf[name]
    return written.get(str(parameters.get("language")), next(written[one] for one in LANGUAGES if one in written))


@cache
def shipped_templates() -> Shelf:
    """The templates that ship."""
    with resources.as_file(resources.files("edge_agent").joinpath("receipts")) as folder:
        return load_templates([], folder)


def load_templates(folders: Iterable[Path], shipped: Path | None = None) -> Shelf:
    """A branch's template replaces one that ships of the same name and language.

    Raises BadTemplates with every problem of every file.
    """
    problems: list[Problem] = []
    shelf: dict[str, dict[str, Template]] = {}
    if shipped is None:
        shelf = {name: dict(written) for name, written in shipped_templates().items()}
    for folder in folders if shipped is None else (shipped,):
        for name, language, template in _of_one_folder(folder, problems):
            shelf.setdefault(name, {})[language] = template
    if problems:
        raise BadTemplates(problems)
    return shelf


def _of_one_folder(folder: Path, problems: list[Problem]) -> list[tuple[str, str, Template]]:
    found: list[tuple[str, str, Template]] = []
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        places = {"folder": folder, "error": system_error(error)}
        problems.append(Problem(str(folder), 1, Saying("no_template_folder", places)))
        return []
    for path in paths:
        named = _FILE_NAME.fullmatch(path.name)
        if named is None:
            problems.append(Problem(str(path), 1, Saying("template_file_name")))
        elif template := _read(path, named[2], problems):
            found.append((named[1], named[2], template))
    return found


def _read(path: Path, language: str, problems: list[Problem]) -> Template | None:
    file = str(path)
    try:
        text = read_text(path, MAX_TEMPLATE_BYTES)
        template = template_of(members_of(text), path)
    except Unreadable as bad:
        problems.append(Problem(file, bad.line, unreadable(bad)))
        return None
    except BadTemplate as bad:
        problems += [at(text, file, one.place, Saying(one.code, one.places)) for one in bad.problems]
        return None
    if "language" not in template.model_fields_set:
        template = template.model_copy(update={"language": language})
    elif template.language != language:
        problems.append(at(text, file, ("language",), Saying("template_language", {"language": repr(language)})))
    if len(template.model_dump_json(exclude_defaults=True)) > MAX_STORED_BYTES:
        problems.append(Problem(file, 1, Saying("template_too_large", {"bytes": MAX_STORED_BYTES})))
    return template
