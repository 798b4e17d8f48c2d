"""Mixed lines as processes: a pty, a TCP serial server and a Modbus TCP port, with one ledger."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from device_drivers.links.address import open_address
from device_drivers.links.line import SharedLine
from device_drivers.modbus.unit import ModbusUnit
from simulators.branch import open_branch
from simulators.control import ControlClient
from simulators.ledger import read_ledger

UNITS = {"units": {"lock-1": {"kind": "relay"}, "memory-1": {"kind": "registers", "size": 16}}}


def lines_of(folder: Path) -> dict[str, object]:
    def line(listen: str, number: int, **options: object) -> dict[str, object]:
        names = {f"lock-{number}": 1, f"memory-{number}": 2}
        kinds = {"units": {name: UNITS["units"][f"{name.split('-')[0]}-1"] for name in names}}
        control = f"unix:{folder}/c{number}"
        return {"kind": "modbus", "listen": listen, "control": control, "devices": names, "options": kinds | options}

    return {
        "lines": [
            line(f"pty:{folder}/bus-1", 1),
            line("tcp:127.0.0.1:0", 2),
            line("tcp:127.0.0.1:0", 3, framing="tcp"),
        ]
    }


@pytest.mark.process
async def test_the_same_driver_speaks_to_all_three(tmp_path: Path) -> None:
    async with open_branch(lines_of(tmp_path), tmp_path) as branch:
        schemes = []
        for number in (1, 2, 3):
            address = branch.lines[f"lock-{number}"].address
            assert branch.lines[f"memory-{number}"].address == address
            schemes.append(address.split(":")[0])
            line = SharedLine(open_address(address))
            relay, memory = ModbusUnit(line, 1), ModbusUnit(line, 2)
            await asyncio.gather(relay.connect(), memory.connect())
            await asyncio.gather(
                relay.pulse_coil(0x0200 + number, 100),
                memory.write_words(3, [number, 0xFFFF]),
                *(memory.read_words("holding", 0, 16) for _ in range(5)),
            )
            assert await memory.read_words("holding", 3, 2) == (number, 0xFFFF)
            assert (await relay.read_bits("coils", 0, 8))[number]
            async with ControlClient(f"unix:{tmp_path}/c{number}") as control:
                assert (await control.request("state", device=f"lock-{number}"))["pulses"] == 1
            await relay.disconnect()
            await memory.disconnect()
        assert schemes == ["serial", "tcp", "modbus"]
    stamped = [(row["device"], row["detail"]["channel"]) for row in read_ledger(branch.ledger) if row["kind"] == "act"]
    assert stamped == [("lock-1", 1), ("lock-2", 2), ("lock-3", 3)]
