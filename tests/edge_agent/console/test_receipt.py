"""Receipts that are looked at: what ships fits every paper, and the documents show it as it is."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageChops

from device_drivers.receipts.paper import PAPERS
from edge_agent.console import receipt
from edge_agent.console.half_blocks import half_blocks
from edge_agent.console.receipt import BadReceipt

ROOT = Path(__file__).parents[3]
PICTURES = ROOT / "docs" / "receipts"


def same(one: bytes, other: bytes) -> bool:
    """The same dots: compressors differ, pictures must not."""
    first, second = (Image.open(io.BytesIO(data)).convert("L") for data in (one, other))
    return first.size == second.size and ImageChops.difference(first, second).getbbox() is None


@pytest.mark.parametrize("name", sorted(receipt.shipped()))
def test_the_documents_show_what_ships(name: str) -> None:
    fresh = receipt.show(receipt.shipped()[name], {}, columns=48, reprint=0)
    assert same((PICTURES / f"{name}.png").read_bytes(), fresh.png), "run scripts/receipt-pictures"


def test_the_documents_show_a_reprint() -> None:
    fresh = receipt.show(receipt.shipped()["card_receipt.zh"], {}, columns=32, reprint=1)
    assert same((PICTURES / "reprint.zh.png").read_bytes(), fresh.png), "run scripts/receipt-pictures"


def test_every_picture_is_shown_and_each_that_is_shown_is_there() -> None:
    text = (ROOT / "docs" / "receipts.md").read_text("utf-8")
    assert sorted(path.name for path in PICTURES.glob("*.png")) == sorted(
        part.split(")")[0] for part in text.split("(receipts/")[1:]
    )


@pytest.mark.parametrize("columns", sorted(PAPERS))
@pytest.mark.parametrize("name", sorted(receipt.shipped()))
def test_what_ships_fits_every_paper_and_its_languages_ask_for_the_same(name: str, columns: int) -> None:
    shown = receipt.show(receipt.shipped()[name], {}, columns=columns, reprint=1)
    assert shown.sheet.lines[0] == "重印 REPRINT 1"
    assert shown.template.language == name.rpartition(".")[2]
    _, other = receipt.read(receipt.shipped()[name.replace(".zh", ".en")])
    assert (shown.template.names(), shown.template.every_name) == (other.names(), other.every_name)


def test_the_ticket_scans() -> None:
    shown = receipt.show(receipt.shipped()["ticket.zh"], {"qr": "https://x.example/李"}, columns=32, reprint=0)
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(shown.png)).convert("L"))
    assert found.text == "https://x.example/李"


def problems(template: str, folder: Path, **values: str) -> list[tuple[int, str, str]]:
    path = folder / "t.zh.toml"
    path.write_text(template, "utf-8")
    with pytest.raises(BadReceipt) as error:
        receipt.show(path, values, columns=32, reprint=0)
    assert all(problem.file == str(path) for problem in error.value.problems)
    return [(problem.line, problem.key, problem.code) for problem in error.value.problems]


BLOCK = "[[block]]\n"


@pytest.mark.parametrize(
    ("template", "values", "found"),
    [
        ("block = [1", {}, (1, "", "toml_open_bracket")),
        (BLOCK + "text = 'x'\nsize = 9", {}, (3, "block.0.size", "too_large")),
        (BLOCK + "text = 'x'\n" + BLOCK + "image = 'x.png'", {}, (4, "block.1.image", "template_picture")),
        (BLOCK + "text = 'x'\n" + BLOCK + "text = '{a}'", {"a": "😀"}, (4, "a", "print_character")),
        (BLOCK + "text = 'x'\n" + BLOCK + "barcode = '{a}'", {"a": "号"}, (3, "block.1", "print_bars")),
    ],
)
def test_a_mistake_is_found_on_its_line(
    tmp_path: Path, template: str, values: dict[str, str], found: tuple[int, str, str]
) -> None:
    assert problems(template, tmp_path, **values) == [found]


def test_values_are_made_up_where_none_are_given(tmp_path: Path) -> None:
    path = tmp_path / "t.en.toml"
    path.write_text(
        BLOCK + "text = '{order} {branch_name} {card_no}'\n" + BLOCK + "barcode = '{goods}'\nsymbology = 'ean13'\n"
        + BLOCK + "text = 'yes'\nwhen = 'flag'",
        "utf-8",
    )  # fmt: skip
    shown = receipt.show(path, {"order": "O-9"}, columns=48, reprint=0)
    assert shown.made_up == ["branch_name", "card_no", "flag", "goods"]
    assert shown.sheet.lines[:2] == ["O-9 Example Bank, Haidian card_no", "yes"]


@pytest.mark.parametrize(
    ("text", "values"),
    [('{"a": "x", "b": 3, "c": true}', {"a": "x", "b": "3", "c": "true"}), ("{}", {})],
)
def test_values_come_from_a_file(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    (tmp_path / "v.json").write_text(text)
    assert receipt.values_of(tmp_path / "v.json") == values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{\n'a'", (2, "", "values_no_json")),
        ("[" * 30_000, (1, "", "values_no_json")),
        ("[]", (1, "", "values_no_object")),
        (json.dumps({"a": None}), (1, "a", "values_no_text")),
        (json.dumps({"a": {}}), (1, "a", "values_no_text")),
    ],
)
def test_a_file_that_has_no_values_is_refused(tmp_path: Path, text: str, found: tuple[Any, ...]) -> None:
    (tmp_path / "v.json").write_text(text)
    with pytest.raises(BadReceipt) as error:
        receipt.values_of(tmp_path / "v.json")
    assert [(p.line, p.key, p.code) for p in error.value.problems] == [found]


def test_a_template_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    assert receipt.found("ticket", "en") == receipt.shipped()["ticket.en"]
    assert receipt.found("ticket.zh", "en") == receipt.shipped()["ticket.zh"]
    assert receipt.found("tickets", "en") is None
    assert receipt.found(str(tmp_path / "ticket"), "en") == tmp_path / "ticket"


def test_dots_become_halves_of_letters() -> None:
    rows = [b"\xf0", b"\xf0", b"\x0f", b"\xff"]
    assert half_blocks(rows, 8, 8) == ["████", "▄▄▄▄████"]
    assert half_blocks(rows, 8, 4) == ["██▄▄"]


def test_what_is_too_wide_is_made_smaller_and_a_rule_stays_black() -> None:
    blank, rule = bytes(40), b"\xff" * 40
    lines = half_blocks([*[blank] * 9, rule, *[blank] * 10], 320, 32)
    assert lines == ["▀" * 32]
