"""Finds the rules that the documents state and the tests that bear them, from their texts alone.

Knows Markdown headings of rules, the `rule` marker in Python sources and the list of what comes later; runs no test.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

STATED = re.compile(r"^\*\*([A-Z]{3}-\d+)\*\*(?: \*\((later|in part)\)\*)?", re.MULTILINE)
LATER = "tests/rules_later.toml"
NAMED = re.compile(r"\b[A-Z]{3}-\d+\b")


@dataclass(slots=True)
class Rules:
    """What was found; `findings` says what does not fit together."""

    stated: dict[str, str] = field(default_factory=dict)  # id -> "", "later" or "in part", as the document calls it
    excused: dict[str, tuple[str, str]] = field(default_factory=dict)  # id -> "later" or "in part", reason
    borne: dict[str, list[str]] = field(default_factory=dict)  # id -> tests
    findings: list[str] = field(default_factory=list)


def stated_in(text: str) -> dict[str, str]:
    """Rule id -> "", "later" or "in part". Raises ValueError when one is stated twice."""
    found: dict[str, str] = {}
    for match in STATED.finditer(text):
        if match[1] in found:
            raise ValueError(f"{match[1]} is stated twice")
        found[match[1]] = match[2] or ""
    return found


def _ids(node: ast.expr) -> list[str]:
    """The ids in an expression of marks: `pytest.mark.rule("X-1")`, alone or in a list."""
    found: list[str] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "rule":
            for argument in part.args:
                text = argument.value if isinstance(argument, ast.Constant) else None
                if not isinstance(text, str):
                    problem = f"line {part.lineno}: a rule is named by a literal text, so that it can be found"
                    raise ValueError(problem)  # noqa: TRY004 - it is the source that is wrong, not a caller's type
                found.append(text)
    return found


def _module_marks(tree: ast.Module) -> list[str]:
    marks: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            marks += _ids(node.value)
    return marks


def _tests(body: Iterable[ast.stmt], inherited: list[str]) -> Iterator[tuple[str, list[str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            marks = [rule for decorator in node.decorator_list for rule in _ids(decorator)]
            for name, rules in _tests(node.body, inherited + marks):
                yield f"{node.name}::{name}", rules
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = [rule for decorator in node.decorator_list for rule in _ids(decorator)]
            if node.name.startswith("test"):
                yield node.name, inherited + marks
            elif marks:
                raise ValueError(f"{node.name} bears {marks[0]} but is no test")
        elif isinstance(node, ast.Assign) and _is_machine(node):
            yield node.targets[0].id if isinstance(node.targets[0], ast.Name) else "", inherited


def _is_machine(node: ast.Assign) -> bool:
    """`TestName = SomeMachine.TestCase`: hypothesis's stateful tests."""
    return isinstance(node.value, ast.Attribute) and node.value.attr == "TestCase"


def borne_in(source: str) -> dict[str, list[str]]:
    """Rule id -> names of the tests in this source that bear it. Raises ValueError for marks on what is no test."""
    tree = ast.parse(source)
    found: dict[str, list[str]] = {}
    for name, rules in _tests(tree.body, _module_marks(tree)):
        for rule in rules:
            found.setdefault(rule, []).append(name)
    return found


def judge(documents: Iterable[str], excuses: Mapping[str, Mapping[str, str]], sources: Mapping[str, str]) -> Rules:
    """Everything together. `excuses`: as in tests/rules_later.toml; `sources`: path -> text of each test module."""
    rules = Rules()
    for table, reasons in excuses.items():
        rules.excused |= {rule: (table.replace("_", " "), reason) for rule, reason in reasons.items()}
    for text in documents:
        for rule, status in stated_in(text).items():
            if rule in rules.stated:
                rules.findings.append(f"{rule} is stated in two documents")
            rules.stated[rule] = status
    for path, source in sources.items():
        try:
            marks = borne_in(source)
        except ValueError as error:
            rules.findings.append(f"{path}: {error}")
            continue
        for rule, names in marks.items():
            rules.borne.setdefault(rule, []).extend(f"{path}::{name}" for name in names)
    rules.findings += sorted(_conflicts(rules))
    return rules


def _conflicts(rules: Rules) -> Iterator[str]:
    for rule, status in rules.stated.items():
        excuse = rules.excused.get(rule, ("", ""))[0]
        if rule not in rules.borne and excuse != "later":
            yield f"{rule}: no test bears it, and {LATER} does not say that it comes later"
        if status != excuse:
            yield f"{rule}: the document says {status or 'in force'!r}, {LATER} says {excuse or 'in force'!r}"
    for rule, names in rules.borne.items():
        if rule not in rules.stated:
            yield f"{rule}: {names[0]} bears a rule that no document states"
    for rule, (excuse, reason) in rules.excused.items():
        if excuse == "later" and rule in rules.borne:
            yield f"{rule}: stands in {LATER} as later but is borne by {rules.borne[rule][0]}"
        if rule not in rules.stated:
            yield f"{rule}: {LATER} names a rule that no document states"
        if not reason.strip():
            yield f"{rule}: {LATER} gives no reason"


def of_this_project(root: Path) -> Rules:
    """Reads docs/contract.md, docs/evidence.md, tests/rules_later.toml and every test module."""
    documents = [(root / "docs" / name).read_text(encoding="utf-8") for name in ("contract.md", "evidence.md")]
    excuses = tomllib.loads((root / LATER).read_text(encoding="utf-8"))
    sources = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted((root / "tests").rglob("test_*.py"))
    }
    return judge(documents, excuses, sources)
