"""The recipe language of printing: what steps must say, what templates may ask, where files are found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device_drivers.receipts.template import Template
from edge_agent.findings import Problem
from edge_agent.orders.parameters import Parameter, misfit
from edge_agent.orders.scenes import BadScene, load_scenes, parse_scene
from edge_agent.orders.templates import BadTemplates, Shelf, load_templates, pick, shipped_templates
from tests.edge_agent.texts.told import assert_told_in_both_languages

GOOD = """\
[scene]
name = "mine"
version = 1
class = "physical"
title = { zh = "我", en = "Mine" }

[parameters.paper]
type = "flag"
default = true

[parameters.language]
type = "choice"
options = ["zh", "en"]
default = "zh"

[parameters.lines]
type = "text"
max = 4000

[[step]]
name = "print"
role = "receipt-printer"
act = "print_receipt"
undo = "void_receipt"
undo_always = true
template = "card_receipt"
when = "paper"
optional = true

[[step]]
name = "letter"
role = "document-printer"
act = "print_document"
document = "letter"
"""


def put(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def line(of: str, nth: int = 1) -> int:
    return [number for number, text in enumerate(GOOD.split("\n"), 1) if text.startswith(of)][nth - 1]


def test_the_good_scene_is_good() -> None:
    scene = parse_scene(GOOD, "mine.toml")
    first, second = scene.step
    assert (first.template, first.when, first.optional, first.undo_always) == ("card_receipt", "paper", True, True)
    assert (second.document, second.optional, second.undo_always) == ("letter", False, False)
    assert scene.roles == ["receipt-printer", "document-printer"]
    assert scene.needed_roles == ["document-printer"]


MISTAKES: dict[str, tuple[str, int, list[str]]] = {
    "when without parameter": (
        put('when = "paper"', 'when = "ink"'),
        line("when"),
        ["step.0.when", "[parameters.ink]"],
    ),
    "when that is no flag": (put('when = "paper"', 'when = "lines"'), line("when"), ["step.0.when", "type = 'flag'"]),
    "always, but what": (put('undo = "void_receipt"\n', ""), line("undo_always") - 1, ["step.0.undo_always", "undo"]),
    "a receipt of nothing": (put('template = "card_receipt"\n', ""), line("act"), ["step.0.act", "template = "]),
    "a document of nothing": (put('document = "letter"\n', ""), line("act", 2), ["step.1.act", "document = "]),
    "a template on a document": (
        put('document = "letter"', 'document = "letter"\ntemplate = "ticket"'),
        line("document") + 1,
        ["step.1.template", "prints no sheet"],
    ),
    "a document on a receipt": (
        put('when = "paper"', 'document = "letter"'),
        line("when"),
        ["step.0.document", "prints no document"],
    ),
    "a path for a template": (
        put('"card_receipt"', '"../card_receipt"'),
        line("template"),
        ["step.0.template", "pattern"],
    ),
    "a choice of nothing": (
        put('options = ["zh", "en"]', "options = []"),
        line("options"),
        ["parameters.language.options", "choice"],
    ),
    "options of a text": (
        put('type = "text"', 'type = "text"\noptions = ["a"]'),
        line('type = "text"') + 1,
        ["parameters.lines.options", "choice"],
    ),
    "a default that is no option": (
        put('default = "zh"', 'default = "fr"'),
        line("default", 2),
        ["parameters.language.default", "'zh' or 'en'"],
    ),
    "a text without end": (put("max = 4000", "max = 9000"), line("max"), ["parameters.lines.max", "8000"]),
    "a text of no length": (put("max = 4000", "max = 0"), line("max"), ["parameters.lines.max", "8000"]),
    "optional, or so": (put("optional = true", 'optional = "yes please"'), line("optional"), ["optional", "true"]),
}


@pytest.mark.parametrize(("text", "at", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line_and_remedy_in_both_languages(text: str, at: int, says: list[str]) -> None:
    with pytest.raises(BadScene) as bad:
        parse_scene(text, "mine.toml")
    (problem,) = bad.value.problems
    assert (problem.line, [part for part in says if part not in problem.why]) == (at, []), problem
    assert_told_in_both_languages(problem)


def test_a_text_may_be_as_long_as_its_parameter_says() -> None:
    scene = parse_scene(GOOD, "mine.toml")
    assert scene.fill({"lines": "x" * 4000})["lines"] == "x" * 4000
    with pytest.raises(ValueError, match="at most 4000"):
        scene.fill({"lines": "x" * 4001})


@pytest.mark.parametrize("value", ["fr", "", 1, True, ["zh"], {}, "ZH"])
def test_a_choice_is_one_of_its_options(value: object) -> None:
    assert misfit(Parameter(type="choice", options=["zh", "en"]), "en") is None
    assert misfit(Parameter(type="choice", options=["zh", "en"]), value) is not None


# -- templates ---------------------------------------------------------------------------------------------------------


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def scene_problems(folder: Path, shelf: Shelf | None = None) -> list[Problem]:
    with pytest.raises(BadScene) as bad:
        load_scenes([folder], shelf)
    for problem in bad.value.problems:
        assert_told_in_both_languages(problem)
    return bad.value.problems


def test_what_ships_is_written_in_both_languages() -> None:
    assert {name: sorted(written) for name, written in shipped_templates().items()} == {
        name: ["en", "zh"] for name in ("card_receipt", "receipt", "ticket")
    }
    for written in shipped_templates().values():
        for language, template in written.items():
            assert template.language == language


def test_a_template_that_is_not_there_is_told_where_the_scene_names_it(tmp_path: Path) -> None:
    file = write(tmp_path, "mine.toml", put('"card_receipt"', '"car_receipt"'))
    (problem,) = scene_problems(tmp_path)
    assert (problem.file, problem.line) == (str(file), line("template"))
    assert "card_receipt, receipt, ticket" in problem.why


def test_a_template_that_asks_for_what_no_order_has_is_told_with_both(tmp_path: Path) -> None:
    file = write(tmp_path / "s", "mine.toml", put('"card_receipt"', '"mine"'))
    write(tmp_path / "t", "mine.en.toml", '[[block]]\ntext = "{order} {lines} {amount} {teller}"\n')
    write(tmp_path / "t", "mine.zh.toml", '[[block]]\ntext = "{order} {lines} {date} {time} {customer}"\n')
    (problem,) = scene_problems(tmp_path / "s", load_templates([tmp_path / "t"]))
    assert (problem.file, problem.line) == (str(file), line("template"))
    assert "mine.en" in problem.why
    assert "amount, teller" in problem.why


def test_a_template_of_the_branch_replaces_one_that_ships_in_its_language_only(tmp_path: Path) -> None:
    write(tmp_path / "a", "card_receipt.zh.toml", '[[block]]\ntext = "甲"\n')
    write(tmp_path / "a", "logo.png", "not looked at")
    write(tmp_path / "b", "card_receipt.zh.toml", '[[block]]\ntext = "乙"\n')
    shelf = load_templates([tmp_path / "a", tmp_path / "b"])
    assert [block.texts() for block in shelf["card_receipt"]["zh"].block] == [("乙",)]
    assert shelf["card_receipt"]["en"] == shipped_templates()["card_receipt"]["en"]
    assert shipped_templates()["card_receipt"]["zh"] != shelf["card_receipt"]["zh"], "what ships is left as it is"
    assert set(load_scenes([], shelf)) == set(load_scenes())


def test_the_orders_language_picks_and_the_other_one_helps_out(tmp_path: Path) -> None:
    write(tmp_path, "mine.en.toml", '[[block]]\ntext = "English"\n')
    shelf = load_templates([tmp_path])
    assert pick(shelf, "mine", {"language": "zh"}).language == "en"
    assert pick(shelf, "ticket", {"language": "en"}).language == "en"
    assert pick(shelf, "ticket", {"language": "zh"}).language == "zh"
    assert pick(shelf, "ticket", {}).language == "zh"


BAD: dict[str, tuple[str, str, int, str]] = {
    "no language": ("mine.toml", '[[block]]\ntext = "x"\n', 1, "card_receipt.zh.toml"),
    "another language": ("mine.fr.toml", '[[block]]\ntext = "x"\n', 1, "card_receipt.zh.toml"),
    "two minds": ("mine.en.toml", '\nlanguage = "zh"\n[[block]]\ntext = "x"\n', 2, "'en'"),
    "not TOML": ("mine.en.toml", "[[block]]\ntext : 5\n", 2, "TOML"),
    "nothing": ("mine.en.toml", "", 1, "block"),
    "a key": ("mine.en.toml", '[[block]]\ntext = "x"\n[[block]]\ntxet = "x"\n', 3, "columns"),
    "a brace": ("mine.en.toml", '[[block]]\ntext = "x"\n[[block]]\ntext = "{order"\n', 4, "brace"),
    "a picture that is not there": ("mine.en.toml", '[[block]]\nimage = "logo.png"\n', 2, "logo.png"),
    "a picture elsewhere": ("mine.en.toml", '[[block]]\nimage = "../logo.png"\n', 2, "outside"),
    "a letter": ("mine.en.toml", '[[block]]\ntext = "\U0001f600"\n', 2, "U+1F600"),
    "huge": ("mine.en.toml", "#\n" * 40_000, 1, "bytes"),
}


@pytest.mark.parametrize(("name", "text", "at", "says"), BAD.values(), ids=BAD)
def test_a_mistake_in_a_template_is_told_with_file_line_and_remedy(
    tmp_path: Path, name: str, text: str, at: int, says: str
) -> None:
    file = write(tmp_path, name, text)
    with pytest.raises(BadTemplates) as bad:
        load_templates([tmp_path])
    (problem,) = bad.value.problems
    assert (problem.file, problem.line) == (str(file), at), problem
    assert says in problem.why
    assert re.search(r"[:;] \w", problem.why)
    assert_told_in_both_languages(problem)


def test_every_mistake_of_every_file_is_told(tmp_path: Path) -> None:
    for name in ("a.zh.toml", "b.zh.toml"):
        write(tmp_path, name, "[[block]]\ntext = 5\n[[block]]\nrule = 5\n")
    with pytest.raises(BadTemplates) as bad:
        load_templates([tmp_path, tmp_path / "nowhere"])
    told = [(Path(problem.file).name, problem.line) for problem in bad.value.problems]
    assert told == [("a.zh.toml", 2), ("a.zh.toml", 4), ("b.zh.toml", 2), ("b.zh.toml", 4), ("nowhere", 1)]
    for problem in bad.value.problems:
        assert_told_in_both_languages(problem)


def test_a_template_too_large_to_be_kept_with_each_order_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.orders.templates.MAX_STORED_BYTES", 100)
    write(tmp_path, "mine.zh.toml", '[[block]]\ntext = "' + "x" * 100 + '"\n')
    with pytest.raises(BadTemplates, match="smaller pictures"):
        load_templates([tmp_path])


def test_a_template_is_kept_whole() -> None:
    for written in shipped_templates().values():
        for template in written.values():
            assert Template.model_validate(template.as_params()) == template
