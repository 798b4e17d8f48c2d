"""Scenes: the recipes of steps, read from TOML and checked before anything relies on them.

Knows the recipe language only; whether a branch has the devices that a scene asks for is checked where both are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_agent.findings import Problem, Saying, at, misfits, refusal, system_error, unreadable
from edge_agent.hand_written import Unreadable, members_of, read_text
from edge_agent.spellings import ROLE, WORD
from edge_agent.texts import Texts

MAX_SCENE_BYTES = 64 * 1024
MAX_PROBLEMS = 10
MAX_TEXT = 500
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

    name: str = Field(pattern=WORD)
    role: str = Field(pattern=ROLE)
    act: str = Field(pattern=WORD)
    undo: str | None = Field(
        default=None, pattern=WORD, description="the act that undoes it if the order does not finish"
    )
    no_return: bool = Field(default=False, description="once armed, the order cannot be cancelled")
    limit: str | None = Field(default=None, description="name of the number parameter that limits a watch, in seconds")
    waits_for: Literal["customer", "staff", "remote"] | None = None


class Head(_Part):
    name: str = Field(pattern=WORD)
    version: int = Field(ge=1)
    authority: Literal["service", "physical"] = Field(alias="class")
    title: Title


class Scene(_Part):
    """A recipe, ready to be stored with an order as it was when the order was accepted."""

    scene: Head
    parameters: dict[Annotated[str, Field(pattern=WORD)], Parameter] = Field(default_factory=dict)
    step: list[SceneStep] = Field(min_length=1, max_length=32)

    @model_validator(mode="after")
    def _fits_together(self) -> Scene:
        names = [s.name for s in self.step]
        for number, step in enumerate(self.step):
            if step.name in names[:number]:
                raise refusal(("step", number, "name"), Saying("step_name_twice", {"name": repr(step.name)}))
            limit = self.parameters.get(step.limit) if step.limit else None
            if step.limit and (limit is None or limit.type != "number"):
                saying = Saying("limit_no_number", {"limit": repr(step.limit), "table": f"[parameters.{step.limit}]"})
                raise refusal(("step", number, "limit"), saying)
        for name, parameter in self.parameters.items():
            if parameter.min is not None and parameter.max is not None and parameter.min > parameter.max:
                raise refusal(("parameters", name, "min"), Saying("bounds_upside_down"))
            if parameter.default is not None and (misfit := _misfit(parameter, parameter.default)):
                raise refusal(("parameters", name, "default"), misfit)
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
            if misfit := _misfit(parameter, value):
                raise ValueError(f"parameter {name}: {misfit.words(Texts('en'))}")
            filled[name] = value
        return filled


def _misfit(parameter: Parameter, value: Any) -> Saying | None:
    if parameter.type == "flag":
        return None if isinstance(value, bool) else Saying("no_flag")
    if parameter.type == "text":
        fits = isinstance(value, str) and len(value) <= MAX_TEXT
        return None if fits else Saying("no_text_of_length", {"bound": MAX_TEXT})
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_NUMBER <= value <= MAX_NUMBER:
        return Saying("no_number")
    if parameter.min is not None and value < parameter.min:
        return Saying("too_small", {"bound": parameter.min})
    if parameter.max is not None and value > parameter.max:
        return Saying("too_large", {"bound": parameter.max})
    return None


class BadScene(ValueError):
    """A scene file that cannot be used; `problems` names each file, line and remedy."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def parse_scene(text: str, file: str) -> Scene:
    """TOML -> Scene. Raises BadScene."""
    if len(text.encode(errors="replace")) > MAX_SCENE_BYTES:
        raise BadScene([Problem(file, 1, Saying("scene_too_large", {"bytes": MAX_SCENE_BYTES}))])
    try:
        members = members_of(text)
    except Unreadable as bad:
        raise BadScene([Problem(file, bad.line, unreadable(bad))]) from bad
    try:
        return Scene.model_validate(members)
    except ValidationError as error:
        raise BadScene(misfits(text, file, error, MAX_PROBLEMS)) from error


def _shipped() -> list[tuple[str, str]]:
    files = sorted(resources.files("edge_agent").joinpath("scenes").iterdir(), key=lambda p: p.name)
    return [(file.name, file.read_text("utf-8")) for file in files if file.name.endswith(".toml")]


def _written(folder: Path, problems: list[Problem]) -> list[tuple[str, str]]:
    """File names and texts of one folder; what cannot be read joins `problems`."""
    found: list[tuple[str, str]] = []
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        problems.append(Problem(str(folder), 1, Saying("no_scene_folder", {"error": system_error(error)})))
        return []
    for path in paths:
        try:
            found.append((str(path), read_text(path, MAX_SCENE_BYTES)))
        except Unreadable as bad:
            problems.append(Problem(str(path), bad.line, unreadable(bad)))
    return found


def _of_one_folder(files: list[tuple[str, str]], problems: list[Problem]) -> dict[str, Scene]:
    scenes: dict[str, Scene] = {}
    for file, text in files:
        try:
            scene = parse_scene(text, file)
        except BadScene as bad:
            problems += bad.problems
            continue
        if scene.name in scenes:
            problems.append(at(text, file, ("scene", "name"), Saying("scene_twice", {"name": repr(scene.name)})))
        scenes[scene.name] = scene
    return scenes


def load_scenes(folders: Iterable[Path] = ()) -> dict[str, Scene]:
    """The scenes that ship and those of the branch's folders, by name; a branch's scene replaces one that ships.

    Raises BadScene with every problem of every file.
    """
    problems: list[Problem] = []
    scenes = _of_one_folder(_shipped(), problems)
    for folder in folders:
        scenes |= _of_one_folder(_written(folder, problems), problems)
    if problems:
        raise BadScene(problems)
    return scenes
