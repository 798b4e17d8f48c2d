"""Findings in two languages: every code has words and a remedy; what lower floors raise says the same in English."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from cloud_bridge.envelope import Moment
from cloud_bridge.messages.words import Choice
from cloud_bridge.sockets import NotLoopbackError, require_loopback
from device_drivers.catalog import UnknownKindError, kind_of
from device_drivers.links.address import AddressError, open_address
from device_drivers.links.line import Lines
from edge_agent import findings, spellings, toml_mistakes
from edge_agent.findings import Problem, Saying, misfits, unreadable
from edge_agent.hand_written import PathName, Unreadable, members_of, read_text
from edge_agent.texts import Texts, load
from tests.edge_agent.texts.told import assert_told_in_both_languages, english_in

CODES = sorted(key for key in load("en") if key.startswith("finding."))
TABLES = {
    *(code for code, _ in findings._KINDS.values()),
    *(code for _, code in toml_mistakes._CODES),
    *spellings.SPELLINGS.values(),
}


@pytest.mark.parametrize("key", CODES)
def test_every_finding_says_what_to_do(key: str) -> None:
    assert "请" in load("zh")[key]
    assert re.search(r"[:;] [A-Za-z]", load("en")[key])


def test_every_code_of_the_tables_has_words() -> None:
    assert sorted(code for code in TABLES if f"finding.{code}" not in CODES) == []


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")
    n: int = 0

    @field_validator("n")
    @classmethod
    def _strangely(cls, n: int) -> int:
        if n == 13:
            raise ValueError("thirteen brings bad luck")
        return n


@pytest.mark.parametrize(
    ("form", "value", "code"),
    [
        (str, 1, "no_text"),
        (int, "x", "no_integer"),
        (int, [], "no_integer"),
        (int, 1.5, "no_integer"),
        (int, "9" * 5000, "number_too_long"),
        (float, "x", "no_number"),
        (float, [], "no_number"),
        (Annotated[float, Field(allow_inf_nan=False)], float("inf"), "not_finite"),
        (bool, "x", "no_flag"),
        (bool, [], "no_flag"),
        (Annotated[int, Field(gt=3)], 3, "not_above"),
        (Annotated[float, Field(ge=0.5)], 0, "too_small"),
        (Annotated[int, Field(lt=3)], 3, "not_below"),
        (Annotated[int, Field(le=3)], 4, "too_large"),
        (Annotated[int, Field(multiple_of=3)], 4, "no_multiple"),
        (Annotated[str, Field(min_length=2)], "", "text_too_short"),
        (Annotated[str, Field(max_length=2)], "xxx", "text_too_long"),
        (list[int], 1, "no_list"),
        (dict[str, int], 1, "no_table"),
        (_Model, 1, "no_table"),
        (Annotated[list[int], Field(min_length=1)], [], "too_few"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "too_many"),
        (Path, 1, "no_path"),
        (PathName, "", "no_path"),
        (Literal["a", "b", "c"], "d", "no_such_choice"),
        (Choice, "d", "no_such_choice"),
        (Moment, "yesterday", "no_moment"),
        (Moment, "2030-01-31T08:00:00", "no_moment"),
        (Moment, "9999-12-31T23:00:00Z", "no_moment"),
        (Moment, [], "no_moment"),
        (tuple[int, ...], 1, "no_list"),
        (Annotated[str, Field(pattern=spellings.NAME)], "/", "spelling_name"),
        (Annotated[str, Field(pattern=spellings.ROLE)], "/", "spelling_role"),
        (Annotated[str, Field(pattern=spellings.KIND)], "/", "spelling_kind"),
        (Annotated[str, Field(pattern=spellings.WORD)], "/", "spelling_word"),
        (Annotated[str, Field(pattern=spellings.TOPIC_ROOT)], " ", "spelling_topic_root"),
        (Annotated[str, Field(pattern=spellings.CLIENT_ID)], "/", "spelling_client_id"),
        (Annotated[str, Field(pattern=spellings.USERNAME)], "\n", "spelling_username"),
        (Annotated[str, Field(pattern="^a+$")], "b", "spelling"),
        (_Model, {"m": 1}, "not_known"),
    ],
)
def test_what_pydantic_finds_is_told_in_both_languages(form: Any, value: object, code: str) -> None:
    with pytest.raises(ValidationError) as error:
        TypeAdapter(form).validate_python(value)
    (problem,) = misfits("", "f", error.value, 20, ("part",))
    assert (problem.code, problem.key.partition(".")[0]) == (code, "part")
    assert_told_in_both_languages(problem)


def test_the_words_of_a_choice_are_joined_in_the_language() -> None:
    saying = Saying("no_such_choice", {"choices": ("'a'", "'b'", "'c'")})
    assert "'a', 'b' or 'c'" in saying.words(Texts("en"))
    assert "'a', 'b' 或 'c'" in saying.words(Texts("zh"))
    assert "must be 'a':" in Saying("no_such_choice", {"choices": ("'a'",)}).words(Texts("en"))


def test_what_nobody_foresaw_names_the_key_and_quotes_the_english() -> None:
    with pytest.raises(ValidationError) as error:
        TypeAdapter(_Model).validate_python({"n": 13})
    (problem,) = misfits("", "f", error.value, 20, ("device", 0, "profile"))
    assert problem.why == "device.0.profile.n: thirteen brings bad luck: mend it"
    zh = problem.words(Texts("zh"))
    assert zh.startswith("device.0.profile.n：")
    assert "“thirteen brings bad luck”" in zh
    assert english_in(zh, problem), "the helper of these tests must see English where it stands"


ADDRESSES = """/dev/ttyUSB0|serial://dev/ttyUSB0|serial:///d?baud=9601|serial:///d?speed=1|serial:///d?baud=9600&baud=9600
serial:///d?dtr=on|serial:///d?baud|serial:///dev/tty USB0|serial:///d#1|tcp://127.0.0.1|tcp://h:70000|tcp://h:1/
tcp://a@h:1|tcp://[::1:4001|memory://a/b|usb://04b8|usb://04b8:0e15?baud=1|usb://04b8:0e15?serial=
usb://04b8:0e15?interface=x|usb://04b8:0e15?bus=x"""


@pytest.mark.parametrize("address", re.split(r"[|\n]", ADDRESSES))
def test_an_address_is_told_in_both_languages(address: str) -> None:
    with pytest.raises(AddressError) as error:
        open_address(address)
    _same(error.value, error.value.code, error.value.places)


def test_two_settings_of_one_port_are_told_in_both_languages() -> None:
    lines = Lines(open_address)
    lines.line("serial:///d?baud=9600")
    with pytest.raises(AddressError) as error:
        lines.line("serial:///d?baud=19200")
    _same(error.value, error.value.code, error.value.places)


def test_an_unknown_kind_is_told_in_both_languages() -> None:
    with pytest.raises(UnknownKindError) as error:
        kind_of("toaster")
    _same(error.value, error.value.code, error.value.places)


def test_a_broker_elsewhere_is_told_in_both_languages() -> None:
    with pytest.raises(NotLoopbackError) as error:
        require_loopback("192.0.2.7")
    _same(error.value, error.value.code, error.value.places)


def _same(error: Exception, code: str, places: dict[str, str]) -> None:
    problem = Problem("f", 1, Saying(code, places))
    assert problem.why == str(error), "what the log says and what the console says must be one sentence"
    assert_told_in_both_languages(problem)


TOML = {
    "a 1": "toml_no_equals",
    "a = 1 2": "toml_two_on_a_line",
    "a = [1": "toml_open_bracket",
    "a = {x = 1": "toml_open_bracket",
    "[a": "toml_open_bracket",
    'a = "x': "toml_open_text",
    "a = 'x": "toml_open_text",
    'a = "x\ny"': "toml_character",
    "a = 1\na = 2": "toml_twice",
    "[a]\n[a]": "toml_twice",
    "a = {x = 1, x = 2}": "toml_twice",
    "= 1": "toml_no_key",
    "[]": "toml_no_key",
    "a = yes": "toml_no_value",
    "a = 2026-02-30": "toml_no_date",
    'a = "\\q"': "toml_escape",
    'a = "\\ud800"': "toml_escape",
}


@pytest.mark.parametrize(("text", "code"), TOML.items())
def test_what_is_not_toml_is_told_in_both_languages(text: str, code: str) -> None:
    with pytest.raises(Unreadable) as error:
        members_of(text)
    assert error.value.code == code
    assert_told_in_both_languages(Problem("f", 1, unreadable(error.value)))


def test_what_the_parser_never_said_before_is_quoted() -> None:
    line, code, places = toml_mistakes.told("a\nb", ValueError("Flux too low (at line 2, column 1)"))
    assert (line, code) == (2, "toml_other")
    assert "“Flux too low (at line 2, column 1)”" in Saying(code, places).words(Texts("zh"))


@pytest.mark.parametrize(
    ("path", "zh"), [("/nowhere", "没有这个文件或目录"), ("/tmp", "是目录"), ("/dev/null/x", "不是目录")]
)
def test_what_the_system_refuses_is_told_in_both_languages(path: str, zh: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_text(Path(path), 100)
    problem = Problem(path, 1, unreadable(error.value))
    assert zh in problem.words(Texts("zh"))
    assert_told_in_both_languages(problem)
