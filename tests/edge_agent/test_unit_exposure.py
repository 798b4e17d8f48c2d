"""What systemd thinks of the rights that the units leave to the agent and to whoever asks the kernel for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
ALLOWED = 1.5  # of 10; a unit without a single restriction has 9.6


@pytest.mark.process
@pytest.mark.parametrize("name", ["branchgate.service", "branchgate-clock.service"])
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this box has no systemd to ask")
def test_few_rights_are_left(name: str) -> None:
    asked = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = re.search(rf"Overall exposure level for {re.escape(name)}: ([\d.]+)", asked.stdout)
    assert found, asked.stderr
    assert float(found[1]) <= ALLOWED, asked.stdout
    said = [line for line in asked.stderr.splitlines() if name in line]  # it exits 0 on mistakes
    assert not said


def test_the_families_that_the_agents_links_need_are_left() -> None:
    """Doors, brokers and machines by address, and netlink: Debian's libusb opens its udev monitor or refuses to begin.

    Seen with 1.0.26 and a `socket` that refuses the family: no USB printer of a packaged branch could be opened.
    """
    unit = (UNITS / "branchgate.service").read_text("utf-8")
    (families,) = re.findall(r"^RestrictAddressFamilies=(.*)$", unit, re.MULTILINE)
    assert set(families.split()) == {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"}
