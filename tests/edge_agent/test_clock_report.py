"""An agent that may not ask the kernel believes what a second process wrote down, and only while that is new."""

from __future__ import annotations

import ctypes
import errno
from pathlib import Path
from typing import Any

import pytest

from edge_agent.clock import kernel, report
from edge_agent.clock.kernel import REPORT_MAX_AGE_S, kernel_synchronised


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is written; the agent's own call is refused, as its unit has it."""

    class Refusing:
        def adjtimex(self, _: Any) -> int:
            ctypes.set_errno(errno.EPERM)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Refusing())
    monkeypatch.setattr(kernel, "steady_s", lambda: 1000.0)
    monkeypatch.setenv(kernel.REPORT, str(tmp_path / "synchronised"))
    return tmp_path / "synchronised"


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize(
    ("told", "good"),
    [
        ("1000.000 1\n", True),
        (f"{1000 - REPORT_MAX_AGE_S:.3f} 1\n", True),
        ("1000.000 0\n", False),
        (f"{999 - REPORT_MAX_AGE_S:.3f} 1\n", False),  # whoever wrote it has ended
        ("1001.000 1\n", False),  # of another boot
        ("nan 1\n", False),
        ("", False),
        ("1000.000", False),
        ("soon 1", False),
        ("\N{LATIN SMALL LETTER E WITH ACUTE} 1", False),
    ],
)
def test_what_is_believed(file: Path, told: str, good: bool) -> None:
    file.write_text(told, encoding="utf-8")
    assert kernel_synchronised() is good


def test_nothing_written_vouches_for_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not kernel_synchronised()
    monkeypatch.delenv(kernel.REPORT)
    assert not kernel_synchronised()


@pytest.mark.parametrize("good", [True, False])
def test_what_is_written_is_what_the_kernel_said(file: Path, monkeypatch: pytest.MonkeyPatch, good: bool) -> None:
    monkeypatch.setattr(report, "kernel_synchronised", lambda: good)
    monkeypatch.setattr(report, "steady_s", lambda: 1000.0)
    report.write(file)
    assert kernel_synchronised() is good
    assert [left.name for left in file.parent.iterdir()] == ["synchronised"]


def test_it_writes_again_and_again_before_it_is_too_old(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(report, "kernel_synchronised", lambda: True)
    monkeypatch.setattr("edge_agent.clock.report.time.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        report.main([str(file)])
    assert len(slept) == 3
    assert max(slept) < REPORT_MAX_AGE_S


def test_without_a_file_it_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main([]) == 64
    assert "give the file" in capsys.readouterr().err
