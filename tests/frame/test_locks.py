"""The locked dependencies: complete, bound by hash, free of addresses, and all that the product imports.

Knows pyproject.toml and requirements/; must not know what the packages do.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OURS = {"cli", "commands", "edge_agent", "device_drivers", "cloud_bridge", "central_scheduler", "simulators"}
# Where the import's name is not the package's.
PACKAGE_OF = {
    "paho": "paho-mqtt",
    "serial": "pyserial",
    "pydantic_core": "pydantic-core",
    "PIL": "pillow",
    "usb": "pyusb",
}


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", line, maxsplit=1)[0].lower() for line in requirements}


def _locked(name: str) -> dict[str, list[str]]:
    """Package -> its hashes, as written in requirements/<name>.txt."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return {
        words[0].split("==")[0]: [word for word in words if word.startswith("--hash=sha256:")]
        for words in lines
        if "==" in words[0]
    }


@pytest.mark.parametrize("name", ["runtime", "dev", "lock"])
def test_a_lock_binds_every_line_by_hash_and_names_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    locked = _locked(name)
    assert entries
    assert len(entries) == len(locked), "a line that is no pinned package, or a package twice"
    assert not [package for package, hashes in locked.items() if not hashes]
    assert "://" not in text
    assert "--index" not in text


def test_everything_asked_for_is_locked() -> None:
    groups = PROJECT["dependency-groups"]
    runtime = _names(PROJECT["project"]["dependencies"] + groups["build"])
    assert runtime <= set(_locked("runtime"))
    assert runtime | _names(groups["test"]) <= set(_locked("dev"))
    assert _names(groups["lock"]) <= set(_locked("lock"))


def test_the_development_set_holds_the_same_versions_as_the_runtime_set() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        return set(re.findall(r"^(\S+==\S+)", text, flags=re.MULTILINE))

    assert pins("runtime") <= pins("dev")


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return {name.split(".")[0] for name in found}


def test_the_product_imports_only_what_it_declares() -> None:
    declared = _names(PROJECT["project"]["dependencies"])
    files = [ROOT / "cli.py", *(path for package in OURS for path in (ROOT / package).rglob("*.py"))]
    foreign = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in _imports(path) - sys.stdlib_module_names - OURS
        if PACKAGE_OF.get(name, name) not in declared
    }
    assert not foreign, "declare them in pyproject.toml and run scripts/lock"


def test_the_checker_imports_nothing_but_the_standard_library() -> None:
    """import-linter cannot say "nothing at all"; one import of ours would let the checker share our mistakes."""
    files = list((ROOT / "simulators" / "checker").glob("*.py"))
    assert set().union(*(_imports(path) for path in files)) <= sys.stdlib_module_names | {"simulators"}
    ours = [line for path in files for line in path.read_text(encoding="utf-8").splitlines() if "simulators" in line]
    assert not [line for line in ours if line.startswith(("import ", "from ")) and "simulators.checker." not in line]
