"""Recipes: what ships is good, what a branch writes is checked line by line, and any text gets a clear answer."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.findings import Problem, Saying
from edge_agent.orders.parameters import Parameter, misfit
from edge_agent.orders.recipe import Scene
from edge_agent.orders.scenes import MAX_SCENE_BYTES, BadScene, load_scenes, parse_scene
from tests.edge_agent.texts.told import assert_told_in_both_languages

GOOD = """\
[scene]
name = "hand_out"
version = 2
class = "physical"
title = { zh = "发放", en = "Hand out" }

[parameters.take_s]
type = "number"
default = 30
min = 1
max = 600

[parameters.note]
type = "text"
default = ""

[parameters.loud]
type = "flag"
default = false

[[step]]
name = "draw"
role = "card-dispenser"
act = "draw_card"
undo = "capture_card"

[[step]]
name = "take"
role = "card-dispenser"
act = "await_taken"
limit = "take_s"
waits_for = "customer"
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(BadScene) as bad:
        parse_scene(text, "mine.toml")
    assert bad.value.problems
    return bad.value.problems


def line(of: str, nth: int = 1) -> int:
    return [number for number, text in enumerate(GOOD.split("\n"), 1) if text.startswith(of)][nth - 1]


def put(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_what_ships_is_good_and_says_itself_in_both_languages() -> None:
    scenes = load_scenes()
    card = scenes["collect_card"].step
    assert [step.act for step in card] == ["draw_card", "present_card", "await_taken", "print_receipt"]
    assert [step.no_return for step in card] == [False, True, False, False]
    assert {"print_receipt", "print_ticket", "print_document", "sealed_document"} <= set(scenes)
    for scene in scenes.values():
        assert scene.scene.title.zh
        assert scene.scene.title.en


def test_the_good_scene() -> None:
    scene = parse_scene(GOOD, "mine.toml")
    assert (scene.name, scene.scene.authority, scene.roles) == ("hand_out", "physical", ["card-dispenser"])
    assert scene.fill({}) == {"take_s": 30, "note": "", "loud": False}
    assert scene.fill({"take_s": 5, "loud": True}) == {"take_s": 5, "note": "", "loud": True}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tack_s": 5}, ["no parameter 'tack_s'", "it has: take_s, note, loud"]),
        ({"take_s": "5"}, ["take_s", "must be a number"]),
        ({"take_s": True}, ["take_s", "must be a number"]),
        ({"take_s": float("nan")}, ["take_s", "must be a number"]),
        ({"take_s": float("inf")}, ["take_s", "must be a number"]),
        ({"take_s": 10**400}, ["take_s", "must be a number"]),
        ({"take_s": 0.5}, ["take_s", "at least 1"]),
        ({"take_s": 601}, ["take_s", "at most 600"]),
        ({"note": 5}, ["note", "must be a string"]),
        ({"note": "x" * 501}, ["note", "500"]),
        ({"loud": 1}, ["loud", "true or false"]),
        ({"loud": None}, ["loud", "missing"]),
        ({"take_s": [1]}, ["take_s", "must be a number"]),
    ],
)
def test_parameters_that_do_not_fit(given: dict[str, Any], says: list[str]) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its words are looked at below
        parse_scene(GOOD, "mine.toml").fill(given)
    for part in says:
        assert part in str(refused.value)


def test_a_parameter_without_a_default_must_be_given() -> None:
    scene = parse_scene(put("default = 30\n", ""), "mine.toml")
    with pytest.raises(ValueError, match="take_s is missing"):
        scene.fill({})


MISTAKES: dict[str, tuple[str, int, list[str]]] = {
    "unknown key": (put("undo =", "udno ="), line("undo"), ["step.0.udno", "not known", "spelling"]),
    "unknown table": (GOOD + "[steps]\n", GOOD.count("\n") + 1, ["steps", "not known"]),
    "missing key": (put('role = "card-dispenser"\n', ""), line("[[step]]"), ["step.0.role", "missing: add it"]),
    "missing in the second step": (
        put('act = "await_taken"\n', ""),
        line("[[step]]", 2),
        ["step.1.act", "missing: add it"],
    ),
    "missing head": (GOOD[GOOD.index("[parameters") :], 1, ["scene: is missing"]),
    "no step": (GOOD[: GOOD.index("[[step]]")], 1, ["step: is missing"]),
    "wrong type": (put("version = 2", 'version = "two"'), line("version"), ["scene.version", "integer"]),
    "version 0": (put("version = 2", "version = 0"), line("version"), ["scene.version", "1"]),
    "another class": (put('"physical"', '"admin"'), line("class"), ["scene.class", "'service' or 'physical'"]),
    "one language": (put(', en = "Hand out"', ""), line("title"), ["scene.title.en", "missing"]),
    "bad name": (put('"hand_out"', '"Hand Out"'), line("name"), ["scene.name", "pattern"]),
    "bad role": (put('role = "card-dispenser"', 'role = "Card"'), line("role"), ["step.0.role", "pattern"]),
    "one name twice": (put('name = "take"', 'name = "draw"'), line("name", 3), ["step.1.name", "twice", "its own"]),
    "limit without parameter": (
        put('limit = "take_s"', 'limit = "give_s"'),
        line("limit"),
        ["step.1.limit", "declare [parameters.give_s]"],
    ),
    "limit that is no number": (put('limit = "take_s"', 'limit = "note"'), line("limit"), ["step.1.limit", "number"]),
    "waits for nobody": (put('"customer"', '"nobody"'), line("waits_for"), ["step.1.waits_for", "'customer'"]),
    "a code awaited twice": (
        put('undo = "capture_card"', "awaits_code = true").replace('limit = "take_s"', "awaits_code = true"),
        line("limit"),
        ["step.1.awaits_code", "first only"],
    ),
    "a code's step that may be left out": (
        put('undo = "capture_card"', "optional = true\nawaits_code = true"),
        line("undo") + 1,
        ["step.0.awaits_code", "must not be left out"],
    ),
    "unknown kind of parameter": (
        put('type = "flag"', 'type = "bool"'),
        line("type", 3),
        ["parameters.loud.type", "'flag'"],
    ),
    "default out of bounds": (put("default = 30", "default = 0"), line("default"), ["parameters.take_s.default", "1"]),
    "default of another type": (put('default = ""', "default = 5"), line("default", 2), ["parameters.note.default"]),
    "default that is no number": (put("default = 30", "default = nan"), line("default"), ["take_s.default", "number"]),
    "default without end": (put("default = 30", f"default = {'9' * 400}"), line("default"), ["take_s.default"]),
    "bound that is no number": (put("min = 1", "min = nan"), line("min"), ["parameters.take_s.min", "finite"]),
    "bounds upside down": (put("min = 1", "min = 700"), line("min"), ["parameters.take_s.min", "exchange"]),
    "bad parameter name": (
        put("[parameters.note]", '[parameters."a b"]'),
        line("[parameters.note]"),
        ["parameters.a b"],
    ),
    "not TOML": (put("version = 2", "version : 2"), line("version"), ["is not TOML"]),
    "huge": ("#\n" * MAX_SCENE_BYTES, 1, ["bytes"]),
    "too many steps": (GOOD + '[[step]]\nname = "x"\nrole = "r"\nact = "a"\n' * 40, line("[[step]]"), ["step", "32"]),
    "empty": ("", 1, ["scene: is missing"]),
    "deep": ("a = " + ("[" * 4000 + "\n") * 10, 1, ["nested too deeply"]),
}


@pytest.mark.parametrize(("text", "at", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line_and_remedy(text: str, at: int, says: list[str]) -> None:
    found = problems(text)
    told = [problem for problem in found if all(part in problem.why for part in says)]
    assert told, found
    assert (told[0].file, told[0].line) == ("mine.toml", at), told[0]
    assert str(told[0]).startswith(f"mine.toml:{at}: ")


@pytest.mark.parametrize("text", [text for text, _, _ in MISTAKES.values()], ids=MISTAKES)
def test_a_mistake_is_told_in_both_languages(text: str) -> None:
    for problem in problems(text):
        assert_told_in_both_languages(problem)


def check_any(text: str) -> None:
    try:
        scene = parse_scene(text, "mine.toml")
    except BadScene as bad:
        found = bad.problems
    else:
        assert isinstance(scene, Scene)
        assert Scene.model_validate_json(scene.model_dump_json(by_alias=True)) == scene, "it is stored with its orders"
        return
    for problem in found:
        assert problem.file == "mine.toml"
        assert 1 <= problem.line <= text.count("\n") + 1
        assert re.search(r"\w+ \w+", problem.why), problem
        assert not problem.why.startswith(": "), problem


BITS = st.sampled_from(
    ["[", "]]", "[[", "=", '"', '"""', "{", "}", ".", "\n", "#", "\\u0000", "nan", "-inf", "9" * 30, "true", "[[step]]"]
)


@settings(max_examples=120, deadline=None)
@given(st.text(max_size=200) | st.lists(BITS | st.sampled_from(GOOD.split()), max_size=50).map(" ".join))
def test_any_text(text: str) -> None:
    check_any(text)


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32), st.lists(BITS | st.text(max_size=4), min_size=1, max_size=6))
def test_any_mutation_of_the_good_scene(seed: int, bits: list[str]) -> None:
    dice = random.Random(seed)
    text = GOOD
    for bit in bits:
        at, tail = dice.randrange(len(text) + 1), dice.choice((0, 0, len(bit), 20))
        text = text[:at] + bit + text[at + tail :]
        if dice.random() < 0.3:
            lines = text.split("\n")
            lines.insert(dice.randrange(len(lines) + 1), lines[dice.randrange(len(lines))])
            text = "\n".join(lines)
    check_any(text)


# -- folders -----------------------------------------------------------------------------------------------------------


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_scene_of_the_branch_replaces_one_that_ships_and_the_last_folder_wins(tmp_path: Path) -> None:
    mine = GOOD.replace("hand_out", "collect_card")
    write(tmp_path / "a", "one.toml", mine)
    write(tmp_path / "a", "two.toml", GOOD)
    write(tmp_path / "a", "not-a-scene.txt", "[")
    write(tmp_path / "b", "any.toml", mine.replace("version = 2", "version = 3"))
    assert load_scenes([tmp_path / "a"])["collect_card"].scene.version == 2
    assert load_scenes([tmp_path / "a", tmp_path / "b"])["collect_card"].scene.version == 3
    assert load_scenes([tmp_path / "b", tmp_path / "a"])["collect_card"].scene.version == 2
    assert set(load_scenes([tmp_path / "a"])) == {*load_scenes(), "hand_out"}


def test_every_problem_of_every_file_is_told(tmp_path: Path) -> None:
    bad = [
        write(tmp_path / "a", "1.toml", "[scene"),
        write(tmp_path / "a", "2.toml", put("version = 2", "version = 0")),
        write(tmp_path / "b", "3.toml", put("undo =", "udno =")),
    ]
    (tmp_path / "b" / "4.toml").write_bytes(b"\n\n# \xff\n")
    (tmp_path / "b" / "5.toml").mkdir()
    with pytest.raises(BadScene) as refused:
        load_scenes([tmp_path / "a", tmp_path / "b", tmp_path / "c"])
    told = {(problem.file, problem.line) for problem in refused.value.problems}
    assert told == {
        (str(bad[0]), 1),
        (str(bad[1]), line("version")),
        (str(tmp_path / "b" / "4.toml"), 3),
        (str(tmp_path / "b" / "5.toml"), 1),
        (str(bad[2]), line("undo")),
        (str(tmp_path / "c"), 1),
    }
    for problem in refused.value.problems:
        assert_told_in_both_languages(problem)


def test_two_files_of_one_folder_must_not_tell_the_same_scene(tmp_path: Path) -> None:
    write(tmp_path, "1.toml", GOOD)
    second = write(tmp_path, "2.toml", "# comment\n" + GOOD)
    with pytest.raises(BadScene) as refused:
        load_scenes([tmp_path])
    (problem,) = refused.value.problems
    assert (problem.file, problem.line) == (str(second), 3)
    assert "keep one" in problem.why
    assert_told_in_both_languages(problem)


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "zero.toml").open("wb") as file:
        file.truncate(10**10)  # of nothing: it takes no room
    with pytest.raises(BadScene, match="bytes"):
        load_scenes([tmp_path])


def test_a_number_given_as_text_and_a_text_too_long_are_told_apart() -> None:
    name = Parameter(type="text", max=3)
    assert misfit(name, "123") is None
    assert misfit(name, 17) == Saying("no_text"), "its length is not what is wrong with it"
    assert misfit(name, "1234") == Saying("no_text_of_length", {"bound": 3})
