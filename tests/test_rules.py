from __future__ import annotations

from pathlib import Path

import pytest

from cloud_bridge.messages import INSTRUCTIONS, PLANNED, Code
from cloud_bridge.spec import short
from tests.rules import NAMED, Rules, borne_in, judge, of_this_project, stated_in

ROOT = Path(__file__).parents[1]


def test_every_rule_is_borne_by_a_test_or_says_why_not() -> None:
    rules = of_this_project(ROOT)
    assert rules.findings == []
    assert len(rules.stated) >= 55
    assert len(rules.borne) > len(rules.later)


def test_every_rule_that_code_and_documents_name_is_stated_somewhere() -> None:
    stated = of_this_project(ROOT).stated
    families = {rule.split("-")[0] for rule in stated}
    folders = ("edge_agent", "device_drivers", "cloud_bridge", "central_scheduler", "simulators", "docs")
    files = [
        file
        for name in folders
        for suffix in ("py", "md", "toml", "sql")
        for file in (ROOT / name).rglob(f"*.{suffix}")
    ]
    named = {
        (rule, str(file.relative_to(ROOT)))
        for file in files
        for rule in NAMED.findall(file.read_text(encoding="utf-8"))
        if rule.split("-")[0] in families
    }
    assert [pair for pair in sorted(named) if pair[0] not in stated] == []


@pytest.mark.rule("INS-4")
def test_the_contract_page_lists_the_codes_that_exist() -> None:
    page = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
    table = page.split("**INS-4**")[1].split("**INS-5**")[0]
    listed = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert listed == list(Code)


@pytest.mark.rule("INS-8")
def test_the_contract_page_lists_the_types_that_exist_and_those_to_come() -> None:
    page = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
    built, planned = page.split("**INS-8**")[1].split("**INS-9**")[0].split("These")
    assert set(built.split("`")[1::2]) == {short(kind) for kind in INSTRUCTIONS}
    words = set(planned.split("`")[1::2])
    assert words - {"unsupported", "invalid"} == {short(kind) for kind in PLANNED}


# -- the check itself --------------------------------------------------------------------------------------------------

PAGE = "# Rules\n\n**ABC-1** First.\n**ABC-2** *(later)* Second, see ABC-1.\n\nText with **ABC-9** in the middle.\n"
TEST = 'import pytest\n\n\n@pytest.mark.rule("ABC-1")\ndef test_it():\n    pass\n'


def found(page: str = PAGE, later: dict[str, str] | None = None, source: str = TEST) -> Rules:
    return judge([page], {"ABC-2": "not built"} if later is None else later, {"test_x.py": source})


def test_rules_are_read_at_the_beginning_of_a_line_only() -> None:
    assert stated_in(PAGE) == {"ABC-1": False, "ABC-2": True}
    with pytest.raises(ValueError, match="ABC-1 is stated twice"):
        stated_in(PAGE + "**ABC-1** again")


def test_a_sound_project_has_no_findings() -> None:
    rules = found()
    assert rules.findings == []
    assert rules.borne == {"ABC-1": ["test_x.py::test_it"]}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"source": "def test_it(): ..."}, "ABC-1: no test bears it"),
        ({"later": {}}, "ABC-2: no test bears it"),
        ({"source": TEST + TEST.replace("ABC-1", "ABC-2").replace("_it", "_2")}, "ABC-2: stands in tests/rules_later"),
        (
            {"source": TEST + TEST.replace("ABC-1", "ABC-7").replace("_it", "_2")},
            "ABC-7: test_x.py::test_2 bears a rule",
        ),
        ({"later": {"ABC-2": " "}}, "ABC-2: tests/rules_later.toml gives no reason"),
        ({"later": {"ABC-2": "x", "ABC-8": "x"}}, "ABC-8: tests/rules_later.toml names a rule"),
        ({"page": PAGE.replace(" *(later)*", "")}, "ABC-2: tests/rules_later.toml calls it later, the document"),
        ({"page": PAGE.replace("1** ", "1** *(later)* ")}, "ABC-1: the document calls it later"),
        ({"source": TEST.replace("test_it", "helper")}, "test_x.py: helper bears ABC-1 but is no test"),
        ({"source": TEST.replace('"ABC-1"', "NAME")}, "test_x.py: line 4: a rule is named by a literal"),
    ],
)
def test_each_misfit_is_found(changes: dict[str, object], finding: str) -> None:
    findings = found(**changes).findings  # type: ignore[arg-type]
    assert any(text.startswith(finding) for text in findings), findings


def test_a_rule_in_two_documents_is_found() -> None:
    assert "ABC-1 is stated in two documents" in judge([PAGE, PAGE], {"ABC-2": "x"}, {"t.py": TEST}).findings


def test_marks_are_found_where_pytest_finds_them() -> None:
    source = """
pytestmark = [pytest.mark.process, pytest.mark.rule("ABC-1")]

@pytest.mark.rule("ABC-2")
class TestGroup:
    @pytest.mark.rule("ABC-3")
    async def test_inside(self): ...
    def helper(self): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.rule("ABC-4"))])
def test_with_parameters(x): ...

class Helper:
    @pytest.mark.rule("ABC-5")
    def test_of_no_test_class(self): ...

TestMachine = Machine.TestCase
"""
    assert borne_in(source) == {
        "ABC-1": ["TestGroup::test_inside", "test_with_parameters", "TestMachine"],
        "ABC-2": ["TestGroup::test_inside"],
        "ABC-3": ["TestGroup::test_inside"],
        "ABC-4": ["test_with_parameters"],
    }
