"""The catalogue: both languages have the same keys and places, and every code that the product can tell has words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from central_scheduler.orderbook import ENDS
from cloud_bridge.messages.words import Choice, Code
from device_drivers.crt591.codes import CODES
from device_drivers.device import Whereabouts
from edge_agent import findings, toml_mistakes
from edge_agent.orders.states import Order, Step
from edge_agent.people.roles import Right
from edge_agent.spellings import SPELLINGS
from edge_agent.texts import LANGUAGES, Texts, UnknownText, language, load

ROOT = Path(__file__).parents[3]
FLOORS = ("device_drivers", "cloud_bridge", "edge_agent")
PLACE = re.compile(r"{(\w*)}")


def test_both_languages_have_the_same_keys() -> None:
    assert set(load("zh")) == set(load("en"))


@pytest.mark.parametrize("key", sorted(load("en")))
def test_both_languages_have_the_same_places_and_some_text(key: str) -> None:
    zh, en = load("zh")[key], load("en")[key]
    assert sorted(set(PLACE.findall(zh))) == sorted(set(PLACE.findall(en)))
    assert zh.strip()
    assert en.strip()


def test_chinese_is_chinese_and_english_is_ascii_at_heart() -> None:
    assert not [key for key, text in load("en").items() if re.search(r"[\u4e00-\u9fff]", text)]
    ours = re.compile(r"^[\u3000-\u303f\uff00-\uffef]+$|[\u4e00-\u9fff]|{")  # a mark that joins two words has none
    assert not [key for key, text in load("zh").items() if not ours.search(text)]


def _words(node: ast.expr | None, constants: dict[str, str]) -> Iterator[str]:
    """The literal texts that an expression may come to."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _words(value, constants)
    elif isinstance(node, ast.IfExp):
        yield from _words(node.body, constants)
        yield from _words(node.orelse, constants)


# Where a code stands among a call's positional arguments, and of which family it is.
_DEVICE_ERRORS = ("DeviceError", "DeviceUnavailable", "DeviceRefused", "DeviceFault", "OutcomeUnknown", "NoReplyError")
PLACES = {
    **dict.fromkeys((*_DEVICE_ERRORS, "ErrorCode", "NotNow", "note"), ((0, "reason"),)),
    "Happening": ((0, "reason"),),
    "Verdict": ((1, "reason"),),
    **dict.fromkeys(("hold", "release"), ((2, "reason"),)),
    **dict.fromkeys(("stop", "set_goal", "doubt"), ((3, "reason"),)),
    "wait": ((2, "waiting"), (3, "reason")),
    "tell_once": ((0, "journal"),),
    **dict.fromkeys(("Saying", "AddressError"), ((0, "finding"),)),
    **dict.fromkeys(("refusal", "BadPicture", "BadQr", "BadBars", "unprintable"), ((0, "finding"),)),
    "Mistake": ((1, "finding"),),
    "Rejected": ((1, "rejection"),),
    "DoesNotFit": ((0, "rejection"),),
    "refuse_wide": ((2, "finding"),),
    "PeopleRefused": ((0, "people"),),
    **dict.fromkeys(("Unreadable", "UnknownKindError", "NotLoopbackError"), ((1, "finding"),)),
}


def _codes(path: Path) -> Iterator[tuple[str, str]]:
    """(family, code) of every literal in one source file that reaches people as a code."""
    tree = ast.parse(path.read_text("utf-8"))
    constants = {
        target.id: value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for name, value in _pairs(node)
        if isinstance(target := name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for place, family in PLACES.get(name, ()):
                given = node.args[place] if place < len(node.args) else None
                yield from ((family, word) for word in _words(given, constants))
            for keyword in (k for k in node.keywords if k.arg in {"reason", "waiting_for"}):
                family = "waiting" if keyword.arg == "waiting_for" else "reason"
                yield from ((family, word) for word in _words(keyword.value, constants))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                told = {"reason": "reason", "what": "journal"}.get(getattr(key, "value", None) or "")
                if told:
                    yield from ((told, word) for word in _words(value, constants))


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value


def _all_codes() -> set[tuple[str, str]]:
    files = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    return {code for path in files for code in _codes(path) if re.fullmatch(r"[A-Za-z][A-Za-z_]+", code[1])}


def test_the_scan_sees_what_it_should() -> None:
    found = _all_codes()
    assert {("reason", "card_jam"), ("reason", "drawn"), ("reason", "cancelled_by_centre")} <= found
    assert {
        ("finding", code) for code in ("same_machine", "address_no_line", "kind_unknown", "host_elsewhere")
    } <= found
    assert len(found) > 40


@pytest.mark.parametrize(("family", "code"), sorted(_all_codes()))
def test_every_code_in_the_sources_has_words(family: str, code: str) -> None:
    assert f"{family}.{code}" in load("en")


def test_every_refusal_of_people_has_a_remedy_of_its_own() -> None:
    codes = {code for family, code in _all_codes() if family == "people"} | {"altered"}
    assert len(codes) > 15
    for texts in (load("en"), load("zh")):
        remedies = {code: texts[f"remedy.people_{code}"] for code in codes}
        same = {"password_length", "password_simple"}  # another password, whatever is wrong with this one
        assert len(set(remedies.values())) == len(codes - same) + 1


def test_every_right_has_words() -> None:
    assert [right for right in Right if f"right.{right}" not in load("en")] == []


@pytest.mark.parametrize(
    ("family", "codes"),
    [
        ("order_state", list(Order)),
        ("order_state", sorted(ENDS)),
        ("step_state", list(Step)),
        ("choice", list(Choice)),
        ("reason", [f"decided_{choice}" for choice in Choice]),
        ("code", list(Code)),
        ("item", list(Whereabouts)),
        ("reason", [entry.reason for entry in CODES.values()]),
        ("device_state", [entry.device for entry in CODES.values()]),
    ],
)
def test_every_word_of_the_contract_has_words(family: str, codes: list[str]) -> None:
    assert [code for code in codes if f"{family}.{code}" not in load("en")] == []


TABLES_OF_FINDINGS = (findings._KINDS.values(), ((code, "") for _, code in toml_mistakes._CODES))


def test_no_finding_is_kept_that_nothing_finds() -> None:
    found = {code for family, code in _all_codes() if family == "finding"}
    found |= {code for table in TABLES_OF_FINDINGS for code, _ in table} | set(SPELLINGS.values())
    kept = {key.removeprefix("finding.") for key in load("en") if key.startswith("finding.")}
    assert kept - found == set()


XFS_DEVICE = "online offline powerOff noDevice hardwareError userError deviceBusy fraudAttempt potentialFraud starting"


def test_every_twin_word_has_words() -> None:
    texts = load("en")
    assert [word for word in XFS_DEVICE.split() if f"device_state.{word}" not in texts] == []
    assert [w for w in ("unknown", "present", "notPresent", "jammed", "entering") if f"media.{w}" not in texts] == []


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert Texts("zh").word("reason", "never_heard_of") == "never_heard_of"
    assert Texts("zh").word("reason", "") == ""


def test_an_unknown_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(UnknownText, match=r"error\.nothing_of_the_kind"):
        Texts("en")("error.nothing_of_the_kind")


def test_an_unknown_language_is_english() -> None:
    assert Texts("fr").lang == "en"


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        ([], {}, "en"),
        (["order", "list", "--lang", "zh"], {"BRANCHGATE_LANG": "en"}, "zh"),
        (["--lang=zh"], {}, "zh"),
        (["--lang"], {}, "en"),
        (["--lang", "klingon"], {"BRANCHGATE_LANG": "zh"}, "zh"),
        ([], {"BRANCHGATE_LANG": "zh", "LANG": "en_US.UTF-8"}, "zh"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ([], {"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LC_MESSAGES": "zh_TW"}, "zh"),
    ],
)
def test_the_language_is_chosen(arguments: list[str], environ: dict[str, str], expected: str) -> None:
    assert language(arguments, environ) == expected
    assert expected in LANGUAGES
