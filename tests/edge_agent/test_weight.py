"""An agent loads only what its branch has: what weighs much and few need comes with who asks for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# For a panel, a device at USB, documents to fetch and codes to print: about a megabyte and a twentieth of a start each.
HEAVY = ("fastapi", "uvicorn", "starlette", "edge_agent.panel", "usb", "h11", "segno")


@pytest.mark.process
def test_an_agent_with_a_printer_on_a_wire_loads_nothing_for_others() -> None:
    code = (
        "import sys, edge_agent.console.agent, device_drivers.escpos.kind; "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.strip() == "[]"
