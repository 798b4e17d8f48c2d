"""Scenes: the recipes of steps, read from TOML and checked before anything relies on them.

Knows the recipe language only; whether a branch has the devices that a scene asks for is checked where both are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_agent.hand_written import Place, Unreadable, line_of, members_of, read_text

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
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
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
    parameters: dict[Annotated[str, Field(pattern=NAME)], Parameter] = Field(default_factory=dict)
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
            if parameter.min is not None and parameter.max is not None and parameter.min > parameter.max:
                raise ValueError(f"parameters.{name}.min: is larger than max, so no value fits: exchange them")
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
        members = members_of(text)
    except Unreadable as bad:
        raise BadScene([SceneProblem(file, bad.line, bad.why)]) from bad
    try:
        return Scene.model_validate(members)
    except ValidationError as error:
        raise BadScene([_problem(text, file, e["loc"], e["msg"]) for e in error.errors()[:10]]) from error


_REMEDIES = {
    "Field required": "is missing: add it",
    "Extra inputs are not permitted": "is not known here: remove it or mend its spelling",
}


def _problem(text: str, file: str, loc: Place, message: str) -> SceneProblem:
    message = message.removeprefix("Value error, ")
    found = re.match(r"([a-z]+)\.(\w+)\.(\w+): ", message)
    if not loc and found:  # our own checks name the place themselves
        loc = (found[1], int(found[2]) if found[2].isdigit() else found[2], found[3])
        message = message[found.end() :]
    place = ".".join(str(part) for part in loc)
    return SceneProblem(file, line_of(text, loc), f"{place}: {_REMEDIES.get(message, message)}")


def _shipped() -> list[tuple[str, str]]:
    files = sorted(resources.files("edge_agent").joinpath("scenes").iterdir(), key=lambda p: p.name)
    return [(file.name, file.read_text("utf-8")) for file in files if file.name.endswith(".toml")]


def _written(folder: Path, problems: list[SceneProblem]) -> list[tuple[str, str]]:
    """File names and texts of one folder; what cannot be read joins `problems`."""
    found: list[tuple[str, str]] = []
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        why = f"is no readable folder of scenes ({error.strerror}): mend [scenes] folders"
        problems.append(SceneProblem(str(folder), 1, why))
        return []
    for path in paths:
        try:
            found.append((str(path), read_text(path, MAX_SCENE_BYTES)))
        except Unreadable as bad:
            problems.append(SceneProblem(str(path), bad.line, bad.why))
    return found


def _of_one_folder(files: list[tuple[str, str]], problems: list[SceneProblem]) -> dict[str, Scene]:
    scenes: dict[str, Scene] = {}
    for file, text in files:
        try:
            scene = parse_scene(text, file)
        except BadScene as bad:
            problems += bad.problems
            continue
        if scene.name in scenes:
            why = f"scene.name: another file of this folder is called {scene.name!r} too: keep one of them"
            problems.append(SceneProblem(file, line_of(text, ("scene", "name")), why))
        scenes[scene.name] = scene
    return scenes


def load_scenes(folders: Iterable[Path] = ()) -> dict[str, Scene]:
    """The scenes that ship and those of the branch's folders, by name; a branch's scene replaces one that ships.

    Raises BadScene with every problem of every file.
    """
    problems: list[SceneProblem] = []
    scenes = _of_one_folder(_shipped(), problems)
    for folder in folders:
        scenes |= _of_one_folder(_written(folder, problems), problems)
    if problems:
        raise BadScene(problems)
    return scenes
