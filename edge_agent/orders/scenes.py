"""Scenes: recipes read from TOML and checked, with the templates that they print, before anything relies on them.

Knows files and their mistakes; whether a branch has the devices that a scene asks for is checked where both are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from edge_agent.findings import Problem, Saying, at, misfits, system_error, unreadable
from edge_agent.hand_written import Unreadable, members_of, read_text
from edge_agent.orders.recipe import Scene
from edge_agent.orders.templates import BUILT_IN, Shelf, shipped_templates

MAX_SCENE_BYTES = 64 * 1024
MAX_PROBLEMS = 10


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
        places = {"folder": folder, "error": system_error(error)}
        problems.append(Problem(str(folder), 1, Saying("no_scene_folder", places)))
        return []
    for path in paths:
        try:
            found.append((str(path), read_text(path, MAX_SCENE_BYTES)))
        except Unreadable as bad:
            problems.append(Problem(str(path), bad.line, unreadable(bad)))
    return found


def _of_one_folder(files: list[tuple[str, str]], shelf: Shelf, problems: list[Problem]) -> dict[str, Scene]:
    scenes: dict[str, Scene] = {}
    for file, text in files:
        try:
            scene = parse_scene(text, file)
        except BadScene as bad:
            problems += bad.problems
            continue
        problems += _check_templates(scene, shelf, text, file)
        if scene.name in scenes:
            problems.append(at(text, file, ("scene", "name"), Saying("scene_twice", {"name": repr(scene.name)})))
        scenes[scene.name] = scene
    return scenes


def _check_templates(scene: Scene, shelf: Shelf, text: str, file: str) -> list[Problem]:
    """Each template that a step names is there, in one language at least, and asks for nothing that no order has."""
    found: list[Problem] = []
    known = BUILT_IN | set(scene.parameters)
    for number, step in enumerate(scene.step):
        if step.template is None:
            continue
        place = ("step", number, "template")
        if step.template not in shelf:
            places = {"template": repr(step.template), "known": ", ".join(sorted(shelf)) or "-"}
            found.append(at(text, file, place, Saying("template_unknown", places)))
        for language, template in sorted(shelf.get(step.template, {}).items()):
            if asked := sorted(template.names() - known):
                places = {"template": f"{step.template}.{language}", "asked": ", ".join(asked)}
                places |= {"known": ", ".join(sorted(known))}
                found.append(at(text, file, place, Saying("template_asks", places)))
    return found


def load_scenes(folders: Iterable[Path] = (), shelf: Shelf | None = None) -> dict[str, Scene]:
    """The scenes that ship and those of the branch's folders, by name; a branch's scene replaces one that ships.

    `shelf`: the branch's templates; those that ship unless given. Raises BadScene with every problem of every file.
    """
    shelf = shipped_templates() if shelf is None else shelf
    problems: list[Problem] = []
    scenes = _of_one_folder(_shipped(), shelf, problems)
    for folder in folders:
        scenes |= _of_one_folder(_written(folder, problems), shelf, problems)
    if problems:
        raise BadScene(problems)
    return scenes
