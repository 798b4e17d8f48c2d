from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.messages.catalogue import INSTRUCTIONS, PLANNED
from cloud_bridge.messages.words import Code
from cloud_bridge.spec import short
from tests.rules import NAMED, Rules, borne_in, judge, of_this_project, stated_in

ROOT = Path(__file__).parents[1]


def test_every_rule_is_borne_by_a_test_or_says_why_not() -> None:
    rules = of_this_project(ROOT)
    assert rules.findings == []
    assert len(rules.stated) >= 55
    assert len(rules.borne) > len(rules.excused)


def test_a_rule_that_says_what_is_missing_is_not_called_whole() -> None:
    page = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
    for text in page.split("\n**")[1:]:
        rule = text.split("**")[0]
        told = "(Later:" in text.split("\n#")[0] or "In force today" in text
        assert told <= (stated_in(page)[rule] != ""), rule


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

PAGE = """# Rules

**ABC-1** First.
**ABC-2** *(later)* Second, see ABC-1.
**ABC-3** *(in part)* Third.

Text with **ABC-9** in the middle.
"""
LATER = {"ABC-2": "not built"}
IN_PART = {"ABC-3": "half of it"}
TEST = """
import pytest

@pytest.mark.rule("ABC-1")
@pytest.mark.rule("ABC-3")
def test_it(): ...
"""


def found(
    page: str = PAGE, later: dict[str, str] = LATER, in_part: dict[str, str] = IN_PART, source: str = TEST
) -> Rules:
    return judge([page], {"later": later, "in_part": in_part}, {"test_x.py": source})


def and_another(rule: str) -> str:
    return TEST + f'@pytest.mark.rule("{rule}")\ndef test_2(): ...\n'


def test_rules_are_read_at_the_beginning_of_a_line_only() -> None:
    assert stated_in(PAGE) == {"ABC-1": "", "ABC-2": "later", "ABC-3": "in part"}
    with pytest.raises(ValueError, match="ABC-1 is stated twice"):
        stated_in(PAGE + "**ABC-1** again")


def test_a_sound_project_has_no_findings() -> None:
    rules = found()
    assert rules.findings == []
    assert rules.borne == {"ABC-1": ["test_x.py::test_it"], "ABC-3": ["test_x.py::test_it"]}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"source": "def test_it(): ..."}, "ABC-1: no test bears it"),
        ({"source": TEST.replace("ABC-3", "ABC-1")}, "ABC-3: no test bears it"),
        ({"later": {}}, "ABC-2: no test bears it"),
        ({"source": and_another("ABC-2")}, "ABC-2: stands in tests/rules_later.toml as later but is borne by"),
        ({"later": LATER | IN_PART, "in_part": {}}, "ABC-3: stands in tests/rules_later.toml as later but is borne"),
        ({"source": and_another("ABC-7")}, "ABC-7: test_x.py::test_2 bears a rule that no document states"),
        ({"later": {"ABC-2": " "}}, "ABC-2: tests/rules_later.toml gives no reason"),
        ({"later": LATER | {"ABC-8": "x"}}, "ABC-8: tests/rules_later.toml names a rule that no document states"),
        ({"in_part": {}}, "ABC-3: the document says 'in part', tests/rules_later.toml says 'in force'"),
        ({"page": PAGE.replace(" *(later)*", "")}, "ABC-2: the document says 'in force', tests/rules_later.toml says"),
        ({"page": PAGE.replace("1** ", "1** *(later)* ")}, "ABC-1: the document says 'later', tests/rules_later.toml"),
        ({"source": TEST.replace("test_it", "helper")}, "test_x.py: helper bears ABC-1 but is no test"),
        ({"source": TEST.replace('"ABC-1"', "NAME")}, "test_x.py: line 4: a rule is named by a literal text"),
    ],
)
def test_each_misfit_is_found(changes: dict[str, Any], finding: str) -> None:
    findings = found(**changes).findings
    assert any(text.startswith(finding) for text in findings), findings


def test_a_rule_in_two_documents_is_found() -> None:
    rules = judge([PAGE, PAGE], {"later": LATER, "in_part": IN_PART}, {"t.py": TEST})
    assert "ABC-1 is stated in two documents" in rules.findings


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
