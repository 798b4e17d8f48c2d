"""Templates: what a designer may write, and that each mistake names its place and what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from device_drivers.receipts.bad_template import BadTemplate
from device_drivers.receipts.compose import Marks, Paper, compose
from device_drivers.receipts.images import MAX_HEIGHT, MAX_PIXELS
from device_drivers.receipts.sheet import Picture
from device_drivers.receipts.template import Template, parse_template


def mistakes(text: str, file: Path | str = "card.zh.toml") -> list[tuple[str, str]]:
    with pytest.raises(BadTemplate) as error:
        parse_template(text, file)
    assert all(str(problem) in str(error.value) for problem in error.value.problems)
    assert all(re.search(r"[:;] [A-Za-z]", problem.why) for problem in error.value.problems), "each has its remedy"
    return [(".".join(map(str, problem.place)), problem.code) for problem in error.value.problems]


BLOCK = "[[block]]\n"


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("", "block", "missing"),
        ("block = []", "block", "too_few"),
        ("block = 1", "block", "no_list"),
        ("block = [1]", "block.0", "template_no_block"),
        (BLOCK + "bold = true", "block.0", "template_no_block"),
        (BLOCK + "text = 'x'\nqr = 'y'", "block.0", "template_two_blocks"),
        (BLOCK + "text = 'x'\nimage = 'y'", "block.0", "template_two_blocks"),
        (BLOCK + "text = 'x'\n" + BLOCK + "text = 1", "block.1.text", "no_text"),
        (BLOCK + "text = 'x'\nblod = true", "block.0.blod", "not_known"),
        (BLOCK + "text = 'x'\nalign = 'center'", "block.0.align", "no_such_choice"),
        (BLOCK + "text = 'x'\nsize = 5", "block.0.size", "too_large"),
        (BLOCK + "text = 'x'\nsize = 0", "block.0.size", "too_small"),
        (BLOCK + "text = 'x'\nsize = '2'", "block.0.size", "no_integer"),
        (BLOCK + "text = 'x'\nbold = 1", "block.0.bold", "no_flag"),
        (BLOCK + "text = 'x'\nwhen = 'A'", "block.0.when", "template_name"),
        (BLOCK + "text = '{Amount}'", "block.0.text", "template_name"),
        (BLOCK + "text = '{a.b}'", "block.0.text", "template_name"),
        (BLOCK + "text = '{a!r}'", "block.0.text", "template_name"),
        (BLOCK + "text = '{}'", "block.0.text", "template_name"),
        (BLOCK + "text = '{a'", "block.0.text", "template_brace"),
        (BLOCK + "text = 'a}'", "block.0.text", "template_brace"),
        (BLOCK + "text = '😀'", "block.0.text", "template_character"),
        (BLOCK + 'text = "\\u001b@"', "block.0.text", "template_character"),
        (BLOCK + f"text = '{'x' * 2001}'", "block.0.text", "text_too_long"),
        (BLOCK + "columns = []", "block.0.columns", "too_few"),
        (BLOCK + "columns = 'x'", "block.0.columns", "no_list"),
        (BLOCK + "columns = [1]", "block.0.columns.0", "no_table"),
        (BLOCK + "columns = [{share = 1}]", "block.0.columns.0.text", "missing"),
        (BLOCK + "columns = [{text = '{'}]", "block.0.columns.0.text", "template_brace"),
        (BLOCK + "rule = '--'", "block.0.rule", "template_rule"),
        (BLOCK + "rule = '—'", "block.0.rule", "template_rule"),
        (BLOCK + "qr = 'x'\nlevel = 'Z'", "block.0.level", "no_such_choice"),
        (BLOCK + "barcode = 'x'\nsymbology = 'qr'", "block.0.symbology", "no_such_choice"),
        (BLOCK + "feed = 0", "block.0.feed", "too_small"),
        (BLOCK + "cut = true", "block.0.cut", "no_such_choice"),
        (BLOCK + "cut = 'full'\n" + BLOCK + "text = 'x'", "block.0", "template_cut_not_last"),
        (BLOCK + "image = 'x.png'\nwidth = 4000", "block.0.width", "too_large"),
        ("language = 'fr'\n" + BLOCK + "text = 'x'", "language", "no_such_choice"),
        ("nope = 1\n" + BLOCK + "text = 'x'", "nope", "not_known"),
        ("block = ", "", "toml_other"),
    ],
)
def test_a_mistake_has_its_place_and_remedy(text: str, place: str, code: str) -> None:
    assert mistakes(text) == [(place, code)]


def test_every_mistake_is_told_at_once() -> None:
    text = BLOCK + "text = '{'\nsize = 9\n" + BLOCK + "feed = 0"
    assert {code for _, code in mistakes(text)} == {"template_brace", "too_large", "too_small"}


def test_names_are_those_that_it_cannot_do_without() -> None:
    template = parse_template(
        BLOCK + "text = '{order}{{no}}'\n" + BLOCK + "columns = [{text = '{a}'}, {text = '{b1_}'}]\n"
        + BLOCK + "qr = '{url}'\nwhen = 'url'\n" + BLOCK + "seal = '{bank}'\nbelow = '{kind}'",
        "x",
    )  # fmt: skip
    assert template.names() == {"order", "a", "b1_", "bank", "kind"}
    assert template.every_name == template.names() | {"url"}


def picture(
    folder: Path, name: str = "logo.png", mode: str = "L", size: tuple[int, int] = (16, 8), ink: Any = 0
) -> None:
    Image.new(mode, size, ink).save(folder / name)


def dots_of(template: Template) -> tuple[int, int, int]:
    """Width, height and black dots of a template's only picture."""
    (block, *_) = compose(template, {}, Paper(), Marks("O/x/1")).blocks
    assert isinstance(block, Picture)
    return block.width_dots, len(block.rows), sum(int.from_bytes(row).bit_count() for row in block.rows)


def test_a_picture_travels_with_its_template(tmp_path: Path) -> None:
    picture(tmp_path, size=(20, 8))
    template = parse_template(BLOCK + "image = 'logo.png'", tmp_path / "t.zh.toml")
    (tmp_path / "logo.png").unlink()
    again = Template.model_validate(json.loads(json.dumps(template.as_params())))
    assert again == template
    assert dots_of(again) == (20, 8, 160)


@pytest.mark.parametrize(
    ("mode", "ink", "least", "most"),
    [("L", 255, 0, 0), ("L", 128, 400, 625), ("RGBA", (0, 0, 0, 0), 0, 0), ("RGBA", (200, 0, 0, 255), 500, 900)],
)
def test_grey_becomes_dots_and_what_is_transparent_stays_white(
    tmp_path: Path, mode: str, ink: Any, least: int, most: int
) -> None:
    picture(tmp_path, mode=mode, ink=ink, size=(64, 64))
    width, height, black = dots_of(parse_template(BLOCK + "image = 'logo.png'\nwidth = 32", tmp_path / "t.toml"))
    assert (width, height) == (32, 32)
    assert least <= black <= most


def test_a_seal_may_be_a_file(tmp_path: Path) -> None:
    picture(tmp_path, "seal.png", "RGBA", (300, 300), (255, 0, 0, 255))
    template = parse_template(BLOCK + "seal = '{bank}'\nimage = 'seal.png'\nwidth = 200", tmp_path / "t.toml")
    assert dots_of(template)[:2] == (200, 200)


def test_a_picture_that_cannot_be_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    picture(tmp_path, "outside.png")
    picture(inside, "tall.png", size=(8, MAX_HEIGHT + 1))
    picture(inside, "huge.png", "1", (MAX_PIXELS // 2000 + 1, 2000))
    (inside / "text.png").write_text("no picture")
    Image.new("L", (8, 8)).save(inside / "other.png", "GIF")
    for name, code in (
        ("none.png", "template_picture"),
        ("text.png", "template_picture"),
        ("other.png", "template_picture"),
        ("../outside.png", "template_picture_path"),
        ("tall.png", "template_picture_large"),
        ("huge.png", "template_picture_large"),
    ):
        assert mistakes(BLOCK + f"image = '{name}'", inside / "t.toml") == [("block.0.image", code)], name


@pytest.mark.parametrize("packed", ["", "!", "eA==", "eJxjYAAAAAIAAQ=="])
def test_dots_that_are_no_picture_are_refused(packed: str) -> None:
    block = {"image": "x.png", "dots": {"width": 16, "height": 8, "packed": packed}}
    with pytest.raises(ValidationError):
        Template.model_validate({"block": [block]})
