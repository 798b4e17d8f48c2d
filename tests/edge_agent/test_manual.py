"""The manuals' examples are read by the same code as a branch's files, and no setting is left out of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from device_drivers.crt591.profile import Crt591Profile
from edge_agent import settings
from edge_agent.orders.scenes import load_scenes, parse_scene

DOCS = Path(__file__).parents[2] / "docs"


def example(name: str) -> str:
    found = re.search(r"```toml\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = getattr(field.annotation, "__args__", (field.annotation,))[0]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner)
        else:
            yield name


def test_the_configuration_of_the_manual_is_one() -> None:
    read = settings.parse(example("configuration.md"))
    assert read.device[0].profile == Crt591Profile().model_dump()
    assert read.link == settings.LinkPart()


def test_no_setting_is_left_out_of_the_manual() -> None:
    text = example("configuration.md")
    left_out = [
        key for key in (*keys(settings.Settings), *keys(Crt591Profile)) if not re.search(rf"\b{key}\b\]? ?=?", text)
    ]
    assert left_out == []


def test_the_scene_of_the_manual_is_the_one_that_ships() -> None:
    assert parse_scene(example("scenes.md"), "scenes.md") == load_scenes()["collect_card"]
