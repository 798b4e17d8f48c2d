"""What the demo tells a person to type can be typed as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from central_scheduler.demo.show import program


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A branchgate in a checkout's environment, as scripts/demo calls it, and no other on PATH."""
    path = tmp_path / ".venv" / "bin" / "branchgate"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return path


def test_in_the_checkout_it_is_called_by_its_path(called: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as scripts_demo:
        scripts_demo.setenv("PATH", str(called.parent))
        assert program(str(called)) == ".venv/bin/branchgate"
    assert program(str(called)) == ".venv/bin/branchgate"
    (called.parent / "elsewhere").mkdir()
    monkeypatch.chdir(called.parent / "elsewhere")
    assert program(str(called)) == str(called)


def test_on_path_it_is_called_by_its_name(called: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(called.parent))
    (called.parent / "elsewhere").mkdir()
    monkeypatch.chdir(called.parent / "elsewhere")
    assert program(str(called)) == "branchgate"


def test_run_as_a_module_it_has_its_name(called: Path) -> None:
    assert program(str(called.with_name("cli.py"))) == "branchgate"
