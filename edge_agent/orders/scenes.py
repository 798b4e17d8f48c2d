"""Scenes: the recipes of steps, read from TOML and checked before anything relies on them.

Knows the recipe language only; whether a branch has the devices that a scene asks for is checked where both are known.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

NAME = r"^[a-z][a-z0-9_]{0,40}$"
MAX_SCENE_BYTES = 64 * 1024
MAX_NUMBER = 1e15  # an integer without bounds does not fit a float; infinity and NaN are no numbers either


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Part):
    zh: str
    en: str


class Parameter(_Part):
    """One value that an order may give."""

    type: Literal["number", "text", "flag"]
    default: float | str | bool | None = None
    min: float | None = None
    max: float | None = None
    title: Title | None = None


class SceneStep(_Part):
    """One act by the device that has the role."""

    name: str = Field(pattern=NAME)
    role: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    act: str = Field(pattern=NAME)
    undo: str | None = Field(
        default=None, pattern=NAME, description="the act that undoes it if the order does not finish"
    )
    no_return: bool = Field(default=False, description="once armed, the order cannot be cancelled")
    limit: str | None = Field(default=None, description="name of the number parameter that limits a watch, in seconds")
    waits_for: Literal["customer", "staff", "remote"] | None = None


class Head(_Part):
    name: str = Field(pattern=NAME)
    version: int = Field(ge=1)
    authority: Literal["service", "physical"] = Field(alias="class")
    title: Title


class Scene(_Part):
    """A recipe, ready to be stored with an order as it was when the order was accepted."""

    scene: Head
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    step: list[SceneStep] = Field(min_length=1, max_length=32)

    @model_validator(mode="after")
    def _fits_together(self) -> Scene:
        names = [s.name for s in self.step]
        for number, step in enumerate(self.step):
            if step.name in names[:number]:
                raise ValueError(f"step.{number}.name: '{step.name}' is used twice: give each step its own name")
            limit = self.parameters.get(step.limit) if step.limit else None
            if step.limit and (limit is None or limit.type != "number"):
                raise ValueError(
                    f"step.{number}.limit: '{step.limit}' is no number parameter: declare [parameters.{step.limit}]"
                )
        for name, parameter in self.parameters.items():
            if parameter.default is not None:
                why = _misfit(parameter, parameter.default)
                if why:
                    raise ValueError(f"parameters.{name}.default: {why}")
        return self

    @property
    def name(self) -> str:
        return self.scene.name

    @property
    def roles(self) -> list[str]:
        """Each role that it asks for, once, in order."""
        return list(dict.fromkeys(s.role for s in self.step))

    def fill(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The order's parameters with defaults. Raises ValueError naming the parameter and the remedy."""
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            raise ValueError(
                f"scene {self.name} has no parameter {unknown[0]!r}; it has: {', '.join(self.parameters) or 'none'}"
            )
        filled: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            value = given.get(name, parameter.default)
            if value is None:
                raise ValueError(f"parameter {name} is missing: scene {self.name} needs it")
            why = _misfit(parameter, value)
            if why:
                raise ValueError(f"parameter {name}: {why}")
            filled[name] = value
        return filled


def _misfit(parameter: Parameter, value: Any) -> str:
    if parameter.type == "flag":
        return "" if isinstance(value, bool) else "must be true or false"
    if parameter.type == "text":
        return "" if isinstance(value, str) and len(value) <= 500 else "must be text of at most 500 characters"
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_NUMBER <= value <= MAX_NUMBER:
        return "must be a number"
    if parameter.min is not None and value < parameter.min:
        return f"must be at least {parameter.min:g}"
    if parameter.max is not None and value > parameter.max:
        return f"must be at most {parameter.max:g}"
    return ""


@dataclass(frozen=True, slots=True)
class SceneProblem:
    """One finding in a scene file: where it is, what is wrong and what to do."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}"


class BadScene(ValueError):
    """A scene file that cannot be used; `problems` names each file, line and remedy."""

    def __init__(self, problems: list[SceneProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def parse_scene(text: str, file: str) -> Scene:
    """TOML -> Scene. Raises BadScene."""
    if len(text.encode(errors="replace")) > MAX_SCENE_BYTES:
        raise BadScene([SceneProblem(file, 1, f"is over {MAX_SCENE_BYTES} bytes: a recipe is a page, not a book")])
    try:
        members = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise BadScene([SceneProblem(file, int(found[1]) if found else 1, f"is not TOML: {error}")]) from error
    try:
        return Scene.model_validate(members)
    except ValidationError as error:
        raise BadScene([_problem(text, file, e["loc"], e["msg"]) for e in error.errors()[:10]]) from error


_REMEDIES = {
    "Field required": "is missing: add it",
    "Extra inputs are not permitted": "is not known here: remove it or mend its spelling",
}


def _problem(text: str, file: str, loc: tuple[int | str, ...], message: str) -> SceneProblem:
    message = message.removeprefix("Value error, ")
    if not loc and (
        found := re.match(r"([a-z]+)\.(\w+)\.(\w+): ", message)
    ):  # our own checks name the place themselves
        loc = (found[1], int(found[2]) if found[2].isdigit() else found[2], found[3])
        message = message[found.end() :]
    place = ".".join(str(part) for part in loc)
    return SceneProblem(file, line_of(text, loc), f"{place}: {_REMEDIES.get(message, message)}")


def line_of(text: str, loc: tuple[int | str, ...]) -> int:
    """The 1-based line of a TOML member by its path, or of the nearest table above it that stands in the text."""
    table, line, index, best = "", 0, -1, 1
    head = str(loc[0]) if loc else ""
    wanted_index = loc[1] if len(loc) > 1 and isinstance(loc[1], int) else None
    names = [str(p) for p in loc if not isinstance(p, int)]
    for line, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if found := re.match(r"\[\[\s*([^\]]+?)\s*\]\]", stripped):
            table = found[1]
            index += table == head
            if table == head and index == wanted_index:
                best = line
        elif found := re.match(r"\[\s*([^\]]+?)\s*\]", stripped):
            table = found[1]
            if names[: len(table.split("."))] == table.split("."):
                best = line
        elif found := re.match(r"([A-Za-z0-9_\"-]+)\s*=", stripped):
            here = [*table.split("."), found[1].strip('"')] if table else [found[1].strip('"')]
            if here == names[: len(here)] and (wanted_index is None or index == wanted_index):
                best = line
    return best


def _files(folders: Iterable[Path]) -> list[tuple[str, str]]:
    shipped = sorted(resources.files("edge_agent").joinpath("scenes").iterdir(), key=lambda p: p.name)
    found = [(p.name, p.read_text("utf-8")) for p in shipped if p.name.endswith(".toml")]
    for folder in folders:
        if not folder.is_dir():
            raise BadScene([SceneProblem(str(folder), 1, "no such folder of scenes: mend [scenes] folders")])
        for path in sorted(folder.glob("*.toml")):
            try:
                found.append((str(path), path.read_text("utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                raise BadScene([SceneProblem(str(path), 1, f"cannot be read as UTF-8 text: {error}")]) from error
    return found


def load_scenes(folders: Iterable[Path] = ()) -> dict[str, Scene]:
    """The scenes that ship and those of the branch's folders, by name; a branch's scene replaces one that ships.

    Raises BadScene with every problem of every file.
    """
    scenes: dict[str, Scene] = {}
    problems: list[SceneProblem] = []
    for file, text in _files(folders):
        try:
            scene = parse_scene(text, file)
            scenes[scene.name] = scene
        except BadScene as bad:
            problems += bad.problems
    if problems:
        raise BadScene(problems)
    return scenes
