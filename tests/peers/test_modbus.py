"""Other people's Modbus on the far end: pymodbus' server against our units, its client and mbpoll against our lines."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from device_drivers.errors import DeviceRefused
from device_drivers.links.address import open_address
from device_drivers.links.line import SharedLine
from device_drivers.modbus.unit import ModbusUnit
from simulators.branch import Branch, open_branch
from simulators.control import ControlClient
from simulators.ledger import read_ledger
from tests.ports import free_port

pytestmark = pytest.mark.process


# --- somebody else's units, our driver -------------------------------------------------------------------------------


@asynccontextmanager
async def their_units(framer: FramerType) -> AsyncIterator[int]:
    """pymodbus' server with the units 1 and 7; its port."""
    blocks = (
        [SimData(0, values=[True, False, True, False, False, False, False, False], datatype=DataType.BITS)],
        [SimData(0, values=[False] * 8, datatype=DataType.BITS)],
        [SimData(0, values=[10, 11, 12, 13], datatype=DataType.REGISTERS)],
        [SimData(0, values=[0x0028, 0x005A, 0x0053, 0x0055], datatype=DataType.REGISTERS)],
    )
    port = free_port()
    units = [SimDevice(1, simdata=blocks), SimDevice(7, simdata=blocks)]
    server = ModbusTcpServer(units, framer=framer, address=("127.0.0.1", port), ignore_missing_devices=True)
    await server.serve_forever(background=True)
    try:
        yield port
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("framer", "scheme"), [(FramerType.SOCKET, "modbus"), (FramerType.RTU, "tcp")], ids=["Modbus TCP", "RTU over TCP"]
)
async def test_our_units_speak_with_somebody_elses_server(framer: FramerType, scheme: str) -> None:
    async with their_units(framer) as port:  # an unknown unit is exception 4 there, not silence: not asked
        line = SharedLine(open_address(f"{scheme}://127.0.0.1:{port}"))
        one, seven = ModbusUnit(line, 1), ModbusUnit(line, 7)
        for unit in (one, seven):
            await unit.connect()
        assert await one.read_bits("coils", 0, 8) == (True, False, True, *[False] * 5)
        assert await one.read_bits("inputs", 0, 8) == (False,) * 8
        assert await seven.read_words("input", 0, 4) == (40, 90, 83, 85)
        await one.write_coil(1, on=True)
        await one.write_word(0, 1234)
        await one.write_words(2, [0x4130, 0xFFFF])
        assert await one.read_bits("coils", 0, 2) == (True, True)
        assert await one.read_words("holding", 0, 4) == (1234, 11, 0x4130, 0xFFFF)
        assert await seven.read_words("holding", 0, 4) == (10, 11, 12, 13)
        with pytest.raises(DeviceRefused, match="unit_refused"):
            await one.read_words("holding", 100, 1)
        assert "badFrames" not in one.counters()
        for unit in (one, seven):
            await unit.disconnect()


# --- our units, somebody else's clients ------------------------------------------------------------------------------


@asynccontextmanager
async def our_lines(folder: Path) -> AsyncIterator[Branch]:
    """A pty and a Modbus TCP port, each with a relay board as unit 1 and memory as unit 2."""

    def line(listen: str, number: int, framing: str) -> dict[str, object]:
        units = {f"relay-{number}": {"kind": "relay"}, f"memory-{number}": {"kind": "registers"}}
        return {
            "kind": "modbus",
            "listen": listen,
            "control": f"unix:{folder}/c{number}",
            "devices": {f"relay-{number}": 1, f"memory-{number}": 2},
            "options": {"framing": framing, "units": units},
        }

    raw = {"lines": [line(f"pty:{folder}/bus", 1, "rtu"), line("tcp:127.0.0.1:0", 2, "tcp")]}
    async with open_branch(raw, folder) as branch:
        yield branch


def port_of(branch: Branch) -> int:
    return int(branch.lines["relay-2"].address.rpartition(":")[2])


def stamped(branch: Branch) -> list[tuple[str, int]]:
    rows = read_ledger(branch.ledger)
    return [(row["device"], row["detail"]["channel"]) for row in rows if row["act"] == "stamped"]


@pytest.mark.parametrize("way", ["RTU", "Modbus TCP"])
async def test_somebody_elses_client_speaks_with_our_units(tmp_path: Path, way: str) -> None:
    async with our_lines(tmp_path) as branch:
        client: AsyncModbusSerialClient | AsyncModbusTcpClient
        if way == "RTU":
            client = AsyncModbusSerialClient(str(tmp_path / "bus"), baudrate=9600, retries=0, timeout=1)
        else:
            client = AsyncModbusTcpClient("127.0.0.1", port=port_of(branch), retries=0, timeout=1)
        assert await client.connect()
        assert not (await client.write_coil(3, True, device_id=1)).isError()
        assert (await client.read_coils(0, count=8, device_id=1)).bits[:8] == [False] * 3 + [True] + [False] * 4
        assert not (await client.write_registers(0, [1, 2, 0xFFFF], device_id=2)).isError()
        assert not (await client.write_coils(4, [True, True, False], device_id=2)).isError()
        assert (await client.read_holding_registers(0, count=3, device_id=2)).registers == [1, 2, 0xFFFF]
        assert (await client.read_coils(0, count=8, device_id=2)).bits[:8] == [False] * 4 + [True, True, False, False]
        assert (await client.read_input_registers(1000, device_id=2)).exception_code == 2
        assert (await client.read_holding_registers(0, device_id=1)).exception_code == 1
        with pytest.raises(ModbusIOException):
            await client.read_coils(0, device_id=9)
        client.close()
        assert stamped(branch) == [(f"relay-{1 if way == 'RTU' else 2}", 3)]


async def test_a_librarys_client_writes_again_on_silence_unless_it_is_told_not_to(tmp_path: Path) -> None:
    """The trap that decision 65 names: three retries by default, also of what acts."""
    async with our_lines(tmp_path) as branch, ControlClient(f"unix:{tmp_path}/c2", device="relay-2") as control:
        for retries, frames in ((3, 3), (0, 1)):  # 3 is its default
            await control.fault("silence", count=2)
            before = (await control.state())["frames"]
            theirs = AsyncModbusTcpClient("127.0.0.1", port=port_of(branch), timeout=0.3, retries=retries)
            assert await theirs.connect()
            with suppress(ModbusIOException):
                await theirs.write_coil(0, True, device_id=1)
            theirs.close()
            assert (await control.state())["frames"] - before == frames
            await control.request("clear")


async def mbpoll(*arguments: str) -> str:
    """What it says; the test is skipped where it is not to be had."""
    program = os.environ.get("BRANCHGATE_MBPOLL") or shutil.which("mbpoll")
    if program is None:
        pytest.skip("no mbpoll: install mbpoll, or set BRANCHGATE_MBPOLL to the program's path")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


@pytest.mark.parametrize("way", ["RTU", "Modbus TCP"])
async def test_mbpoll_speaks_with_our_units(tmp_path: Path, way: str) -> None:
    async with our_lines(tmp_path) as branch:
        over, where = ["-m", "rtu", "-b", "9600", "-P", "none", "-0", "-1"], str(tmp_path / "bus")
        if way == "Modbus TCP":
            over, where = ["-m", "tcp", "-p", str(port_of(branch)), "-0", "-1"], "127.0.0.1"
        await mbpoll(*over, "-a", "2", "-t", "4", "-r", "3", where, "1234", "42")
        said = await mbpoll(*over, "-a", "2", "-t", "4", "-r", "3", "-c", "2", where)
        assert "[3]: \t1234" in said
        assert "[4]: \t42" in said
        await mbpoll(*over, "-a", "1", "-t", "0", "-r", "5", where, "1")
        said = await mbpoll(*over, "-a", "1", "-t", "0", "-r", "5", "-c", "1", where)
        assert "[5]: \t1" in said
        assert [channel for _, channel in stamped(branch)] == [5]
