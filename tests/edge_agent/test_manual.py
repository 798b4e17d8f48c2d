"""The manuals' examples are read by the same code as a branch's files, and no setting is left out of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from device_drivers.catalog import kind_of
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.escpos.profile import EscPosProfile
from edge_agent import settings
from edge_agent.orders.scenes import load_scenes, parse_scene

DOCS = Path(__file__).parents[2] / "docs"


def example(name: str) -> str:
    found = re.search(r"```toml\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def all_examples(name: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL)


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


def test_the_printer_of_the_manual_has_every_setting_at_its_default() -> None:
    text = next(block for block in all_examples("configuration.md") if '"escpos"' in block)
    head = example("configuration.md").split("[[device]]")[0]
    given = settings.parse(head + text).device[0].profile
    assert given == {name: value for name, value in EscPosProfile().model_dump().items() if value is not None}
    assert [key for key in keys(EscPosProfile) if key not in text] == []


@pytest.mark.parametrize("kind", ["strip_screen", "bx6", "led485"])
def test_each_screen_of_the_manual_has_every_setting_at_its_default(kind: str) -> None:
    text = next(block for block in all_examples("screens.md") if f'"{kind}"' in block)
    head = example("configuration.md").split("[[device]]")[0]
    profile = kind_of(kind).profile
    given = settings.parse(head + text).device[0].profile
    default = profile().model_dump()
    assert given == {n: v for n, v in default.items() if v is not None} | {n: given[n] for n in given if n == "modbus"}
    assert profile.model_validate(given) == profile()
    assert [key for key in profile.model_fields if key not in text] == []


def test_no_setting_is_left_out_of_the_manual() -> None:
    text = example("configuration.md")
    left_out = [
        key for key in (*keys(settings.Settings), *keys(Crt591Profile)) if not re.search(rf"\b{key}\b\]? ?=?", text)
    ]
    assert left_out == []


def test_the_scene_of_the_manual_is_the_one_that_ships() -> None:
    assert parse_scene(example("scenes.md"), "scenes.md") == load_scenes()["collect_card"]
