"""The unit file for systemd, and what it takes for granted about the agent.

Knows systemd's words; must not start a service.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from central_scheduler.console.problem import Exit
from edge_agent.watchdog import JOURNAL_LIMIT_S

UNIT = Path(__file__).parents[2] / "systemd" / "branchgate.service"
TEXT = UNIT.read_text(encoding="utf-8")


def _value(key: str) -> str:
    found = re.findall(rf"^{key}=(.*)$", TEXT, flags=re.MULTILINE)
    assert len(found) == 1, f"{key} stands {len(found)} times in the unit"
    return str(found[0])


def test_a_wrong_config_is_not_started_again_and_again() -> None:
    assert _value("Restart") == "always"
    assert int(_value("RestartPreventExitStatus")) == Exit.CONFIG == os.EX_CONFIG


def test_the_watchdog_outlasts_the_slowest_healthy_look() -> None:
    """The agent feeds it every half interval, after a look that may take as long as the journal is allowed to."""
    limit_s = float(_value("WatchdogSec"))
    assert _value("Type") == "notify"
    assert limit_s / 2 + JOURNAL_LIMIT_S < limit_s


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this box has no systemd to ask")
@pytest.mark.parametrize("unit", [UNIT, UNIT.with_name("branchgate-clock.service")], ids=lambda unit: unit.stem)
def test_systemd_understands_every_line(tmp_path: Path, unit: Path) -> None:
    here = tmp_path / unit.name
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
    here.write_text(text, encoding="utf-8")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in said.stderr.splitlines() if "branchgate" in line]  # it exits 0 on errors
    assert not ours
