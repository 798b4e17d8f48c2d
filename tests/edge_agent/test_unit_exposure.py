"""What systemd thinks of the rights that the unit leaves to the agent."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "systemd" / "branchgate.service"
ALLOWED = 2.5  # of 10; a unit without a single restriction has 9.6


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this box has no systemd to ask")
def test_the_agent_is_left_few_rights() -> None:
    asked = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = re.search(r"Overall exposure level for branchgate\.service: ([\d.]+)", asked.stdout)
    assert found, asked.stderr
    assert float(found[1]) <= ALLOWED, asked.stdout
    said = [line for line in asked.stderr.splitlines() if UNIT.name in line]  # it exits 0 on mistakes
    assert not said
