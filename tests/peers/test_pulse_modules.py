"""Somebody else's Modbus client reads our simulated pulse modules, and makes the same numbers of their registers."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.branch import open_branch
from simulators.control import ControlClient

pytestmark = pytest.mark.process


async def test_pymodbus_counts_the_same_people(tmp_path: Path) -> None:
    units = {
        "icp-1": {"kind": "pulse_counter", "raw": [0x005A0028, 0x00550053]},
        "adam-1": {"kind": "pulse_counter", "model": "adam605x", "raw": [70_000]},
        "site-1": {"kind": "digital_inputs"},
    }
    line = {
        "kind": "modbus",
        "listen": "tcp:127.0.0.1:0",
        "control": f"unix:{tmp_path}/c",
        "devices": {"icp-1": 1, "adam-1": 2, "site-1": 3},
        "options": {"framing": "tcp", "units": units},
    }
    async with open_branch({"lines": [line]}, tmp_path) as branch:
        async with ControlClient(f"unix:{tmp_path}/c") as control:
            await control.request("walk", device="adam-1", way="in", people=5)
            await control.request("input", device="site-1", channel=2)
        port = int(branch.lines["icp-1"].address.rpartition(":")[2])
        client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0, timeout=2)
        assert await client.connect()
        icp = await client.read_input_registers(0, count=4, device_id=1)
        assert icp.registers == [0x0028, 0x005A, 0x0053, 0x0055]
        adam = await client.read_holding_registers(0, count=2, device_id=2)
        whole = client.convert_from_registers(adam.registers, client.DATATYPE.UINT32, word_order="little")
        assert whole == 70_005
        assert (await client.read_discrete_inputs(0, count=8, device_id=3)).bits[:8] == [False] * 2 + [True] + [
            False
        ] * 5
        client.close()
