"""Which Python the package's starter takes: the box's own, else the newest that it brings packages for, else none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

STARTER = Path(__file__).parents[2] / "packaging" / "python"

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("on_the_box", "own", "chosen"),
    [
        (("3.11",), "3.11", "3.11"),
        (("3.11", "3.13"), "3.11", "3.11"),  # a second one need not be whole
        (("3.11", "3.12", "3.13"), "3.14", "3.13"),
        (("3.12", "3.11"), None, "3.12"),
        (("3.14",), "3.14", ""),
        ((), None, ""),
    ],
)
def test_the_boxs_own_python_is_used(tmp_path: Path, on_the_box: tuple[str, ...], own: str | None, chosen: str) -> None:
    programs, home = tmp_path / "usr/bin", tmp_path / "usr/lib/branchgate"
    programs.mkdir(parents=True)
    for number in on_the_box:
        (programs / f"python{number}").write_text(f'#!/bin/sh\necho {number} "$@"\n', encoding="utf-8")
        (programs / f"python{number}").chmod(0o755)
    if own:
        (programs / "python3").symlink_to(f"python{own}")
    for number in ("3.11", "3.12", "3.13"):
        (home / f"python{number}/bin").mkdir(parents=True)
        (home / f"python{number}/bin/python").symlink_to(programs / f"python{number}")
    starter = STARTER.read_text("utf-8").replace("/usr/", f"{tmp_path}/usr/")
    said = subprocess.run(
        ["sh", "-c", starter, "python", "-m", "cli"], capture_output=True, text=True, timeout=60, check=False
    )
    assert said.stdout.split() == ([chosen, "-I", "-m", "cli"] if chosen else [])
    assert (said.returncode, "apt-get install python3" in said.stderr) == ((0, False) if chosen else (69, True))
