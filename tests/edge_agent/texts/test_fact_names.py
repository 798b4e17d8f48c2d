"""What drivers tell with a verdict, and what the audit keeps, has names in both languages: staff read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.messages.catalogue import INSTRUCTIONS
from edge_agent.texts import load

ROOT = Path(__file__).parents[3]
TELL = {"facts"}  # functions and names that hold what is told


def _keys(node: ast.AST | None) -> Iterator[str]:
    for one in ast.walk(node) if node is not None else ():
        if isinstance(one, ast.Dict):
            yield from (key.value for key in one.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def _told(node: ast.AST) -> Iterator[str]:
    """Names of facts in a call, an assignment or a function of a driver."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for keyword in node.keywords:
            yield from _keys(keyword.value) if keyword.arg in {"facts", "identity", "counters"} else ()
        place = {"Verdict": 3, "Arming": 0}.get(name)
        yield from _keys(node.args[place]) if place is not None and place < len(node.args) else ()
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from _keys(node.value) if any(isinstance(t, ast.Name) and t.id in TELL for t in targets) else ()
    elif isinstance(node, ast.FunctionDef) and node.name in TELL:
        yield from (key for one in ast.walk(node) if isinstance(one, ast.Return) for key in _keys(one.value))


def _sources(*folders: str) -> Iterator[ast.AST]:
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield from ast.walk(ast.parse(file.read_text("utf-8")))


FACTS = sorted({name for node in _sources("device_drivers") for name in _told(node)})
DEEDS = sorted(
    {
        kind.removeprefix("branchgate.").removesuffix(".v1")
        for kind, row in INSTRUCTIONS.items()
        if row.authority != "read"
    }
    | {
        str(node.args[0].value)
        for node in _sources("edge_agent")
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Deed"
        and isinstance(node.args[0], ast.Constant)
    }
)


def test_the_scan_sees_what_it_should() -> None:
    assert {"presented", "reprint", "process_id", "exception", "impressions", "armed_serial_number"} <= set(FACTS)
    assert {"order.resolve", "people.add", "session.begin", "device.watch", "wall.begin"} <= set(DEEDS)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("family", "names"), [("fact", FACTS), ("deed", DEEDS)])
def test_each_has_a_name(lang: str, family: str, names: list[str]) -> None:
    assert [name for name in names if f"{family}.{name}" not in load(lang)] == []
