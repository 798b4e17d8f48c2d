"""The scripts' bootstrap, tried in a copy of the checkout: what it refuses, what it passes on, who waits for whom.

Knows scripts/ and a shell; must not install anything.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "scripts").rglob("*") if path.is_file())

pytestmark = pytest.mark.process


class Copy:
    """A checkout that holds nothing but the scripts, in a folder whose name has a space."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "check out"
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        self.tools = self.root / ".tools"
        (self.tools / "bin").mkdir(parents=True)
        (self.tools / "log").mkdir()

    def sh(self, words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs words as a script that has sourced the bootstrap."""
        return subprocess.run(
            ["/bin/sh", "-euc", self.body(words)], capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": os.defpath, "BRANCHGATE_PYTHON": sys.executable, "LC_ALL": "C", **env},
        )  # fmt: skip

    def body(self, words: str) -> str:
        return f'here="{self.root}/scripts"; . "$here/lib/bootstrap.sh"; {words}'

    def program(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        return path


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_plain_shell(script: Path) -> None:
    shells = [shell for shell in ("sh", "dash") if shutil.which(shell)]
    for shell in shells:
        said = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, timeout=60, check=False)
        assert (said.returncode, said.stderr) == (0, "")
    assert shells


def test_an_old_python_is_refused_by_name_and_nothing_is_installed(copy: Copy, tmp_path: Path) -> None:
    old = copy.program(tmp_path / "python3", 'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    said = copy.sh("bootstrap runtime", BRANCHGATE_PYTHON=str(old))
    assert said.returncode == 1
    assert "Python 3.11 or newer is missing" in said.stderr
    assert "Python 3.9.2" in said.stderr
    assert "apt-get install python3" in said.stderr
    assert not (copy.root / ".venv").exists()


def test_the_environments_own_python_is_not_taken_for_the_boxs(copy: Copy) -> None:
    """One script that calls another has it first on PATH; made anew from itself it would be gone."""
    own, theirs = copy.root / ".venv" / "bin", copy.root / "usr bin"
    copy.program(own / "python3", "exit 0")
    copy.program(theirs / "python3", f'exec "{sys.executable}" "$@"')
    for path in (f"{own}:{theirs}:{os.defpath}", f"{own}:{own}:{theirs}:{os.defpath}:{own}"):
        said = copy.sh('find_python; echo "$python"', PATH=path, BRANCHGATE_PYTHON="")
        assert (said.stdout, said.returncode) == (f"{theirs}/python3\n", 0)


def test_a_failed_step_fails_with_its_own_code_and_shows_its_words(copy: Copy) -> None:
    said = copy.sh("logged step sh -c 'echo no space left; exit 7'")
    assert said.returncode == 7
    assert "| no space left" in said.stderr
    assert copy.sh("logged step sh -c 'echo chatter'").stderr == ""


def test_an_unusable_tool_from_the_environment_is_refused(copy: Copy) -> None:
    said = copy.sh("provide_tool mosquitto mosquitto BRANCHGATE_MOSQUITTO", BRANCHGATE_MOSQUITTO="/nowhere/mosquitto")
    assert said.returncode == 1
    assert "BRANCHGATE_MOSQUITTO is set to /nowhere/mosquitto" in said.stderr


def test_a_tool_without_apt_is_asked_for_plainly(copy: Copy) -> None:
    said = copy.sh("have_apt() { return 1; }; provide_tool nosuchtool nosuchtool X")
    assert said.returncode == 1
    assert "nosuchtool is missing, and this box has no apt-get" in said.stderr


def test_a_tool_whose_library_is_missing_is_not_taken_for_found(copy: Copy) -> None:
    copy.program(copy.tools / "bin" / "sometool", "echo 'error while loading shared libraries: libx.so.1'; exit 127")
    said = copy.sh('find_tool sometool || { echo "$tool_fault"; exit 3; }')
    assert said.returncode == 3
    assert "libx.so.1" in said.stdout


def test_a_wrapped_tool_is_the_process_that_was_started(copy: Copy) -> None:
    """A test that kills the broker by the id it got from starting it must hit the broker."""
    copy.program(copy.tools / "pack" / "usr" / "sbin" / "thing", 'echo "$$|$LD_LIBRARY_PATH|$1|$2"')
    library = copy.tools / "pack" / "usr" / "lib" / "some-linux" / "libthing.so.1"
    library.parent.mkdir(parents=True)
    library.touch()
    assert copy.sh("wrap_tool thing pack").returncode == 0
    with subprocess.Popen(
        [copy.tools / "bin" / "thing", "a b", ""], stdout=subprocess.PIPE, text=True, env={"PATH": os.defpath}
    ) as started:
        out, _ = started.communicate(timeout=60)
    assert out == f"{started.pid}|{library.parent}|a b|\n"


def test_two_bootstraps_wait_for_each_other(copy: Copy) -> None:
    words = "find_python; take_lock; echo mine; drop_lock"
    with (copy.tools / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = subprocess.Popen(
            ["/bin/sh", "-euc", copy.body(words)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": os.defpath, "BRANCHGATE_PYTHON": sys.executable},
        )  # fmt: skip
        assert second.stderr is not None
        assert "waiting for another run" in second.stderr.readline()
        assert second.poll() is None
    out, _ = second.communicate(timeout=60)
    assert (second.returncode, out) == (0, "mine\n")


def test_a_lock_left_by_a_killed_run_holds_nobody_up(copy: Copy) -> None:
    with subprocess.Popen(
        ["/bin/sh", "-euc", copy.body("find_python; take_lock; echo mine; kill -9 $$")],
        text=True, stdout=subprocess.PIPE, env={"PATH": os.defpath, "BRANCHGATE_PYTHON": sys.executable},
    ) as killed:  # fmt: skip
        out, _ = killed.communicate(timeout=60)
    assert (killed.returncode, out) == (-9, "mine\n")
    said = copy.sh("find_python; take_lock; echo mine")
    assert (said.stdout, said.stderr) == ("mine\n", "")
