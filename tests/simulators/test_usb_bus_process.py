"""The receipt printer as its own process behind a USB plug, reached by the agent's own link through its address."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device_drivers.links.link import LinkError
from device_drivers.links.usb import UsbLink
from simulators.control import ControlClient
from simulators.ledger import read_ledger
from simulators.usb_bus import simulated
from simulators.usb_remote import decoded, encoded
from tests.device_drivers.links.usb_bench import offer, opened, usb_link, usb_threads
from tests.simulators.receipt_bench import proof, receipt

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., tuple["subprocess.Popen[str]", str]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    offer(monkeypatch, "simulated", simulated)
    running: list[subprocess.Popen[str]] = []

    def begin(where: str = "127.0.0.1:0", **options: object) -> tuple[subprocess.Popen[str], str]:
        words = ["--ledger", f"{tmp_path}/ledger.jsonl", "--state", f"{tmp_path}/state.json", "--device", "receipt-1"]
        words += ["--control", f"unix:{tmp_path}/c.sock", "--options", json.dumps({"cutter_dots": 0, **options})]
        command = [sys.executable, "-m", "simulators.serve", "escpos", "--listen", f"usb:{where}", *words]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        ready = process.stdout.readline().split()
        assert ready[:1] == ["ready"]
        return process, ready[1]

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    assert not usb_threads()


async def heard(link: UsbLink, wanted: bytes) -> bytes:
    got = b""
    async with asyncio.timeout(20):
        while wanted not in got:
            got += await link.read(100, 1)
    return got


async def lost(link: UsbLink) -> str:
    try:
        async with asyncio.timeout(20):
            while True:
                await link.read(100, 1)
    except LinkError as error:
        return error.why


async def found_again(link: UsbLink) -> None:
    async with asyncio.timeout(20):
        while (why := await refused(link)) is not None:
            assert "there is no such device" in why


async def refused(link: UsbLink) -> str | None:
    try:
        await link.open()
    except LinkError as error:
        return error.why
    return None


async def test_a_receipt_is_printed_and_proven_through_the_plug(start: Start, tmp_path: Path) -> None:
    _, address = start(usb={"serial": "R-17", "device_id": "MFG:Rongta;MDL:RP80;"})
    async with opened(f"{address}&serial=R-17") as link:
        assert await link.device_id() == {"MFG": "Rongta", "MDL": "RP80"}
        await link.write(bytes.fromhex(receipt("O-1/receipt/1", "0001", "x" * 5000)))
        await heard(link, proof("0001"))
    (sheet,) = [line for line in read_ledger(tmp_path / "ledger.jsonl") if line["act"] == "sheet_out"]
    assert sheet["detail"]["attempts"] == ["O-1/receipt/1"]


async def test_the_ports_status_follows_the_paper(start: Start, tmp_path: Path) -> None:
    _, address = start()
    async with opened(address) as link, ControlClient(f"unix:{tmp_path}/c.sock") as control:
        healthy = await link.port_status()
        await control.fault("paper_end")
        empty = await link.port_status()
    assert healthy is not None
    assert empty is not None
    assert (healthy.paper_empty, empty.paper_empty, empty.selected) == (False, True, False)


@pytest.mark.parametrize("fault", ["unplug", "power_loss"])
async def test_what_vanishes_and_returns_is_found_again(start: Start, tmp_path: Path, fault: str) -> None:
    _, address = start()
    link = usb_link(address)
    await link.open()
    words = {"for_s": 0.05} if fault == "unplug" else {"off_s": 0.05}
    async with ControlClient(f"unix:{tmp_path}/c.sock") as control:
        await control.fault(fault, **words)
        assert "gone" in await lost(link)
    await link.close()
    await found_again(link)
    await link.write(bytes.fromhex("10 04 01"))
    assert await heard(link, b"\x16")
    await link.close()


async def test_a_loss_of_power_that_nobody_saw_ends_the_old_handle_all_the_same(start: Start, tmp_path: Path) -> None:
    _, address = start()
    async with opened(address) as link, ControlClient(f"unix:{tmp_path}/c.sock") as control:
        await link.write(b"x")
        await control.power(on=False)
        await control.power(on=True)
        with pytest.raises(LinkError, match="gone"):
            await link.write(b"y")


async def test_what_a_dead_program_had_claimed_is_free(start: Start) -> None:
    _, address = start()
    host, _, port = address.partition("simulated:")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for operation in ("detach", "claim"):
        writer.write(encoded({"do": operation, "address": 2, "owner": 1, "args": [0]}))
        assert decoded(await reader.readline()) == {"ok": True}
    why = await refused(usb_link(address))
    assert why is not None
    assert "another program holds the port" in why
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(60):
        link = usb_link(address)
        while await refused(link) is not None:
            assert "holds the port" in why
        await link.close()


async def test_two_programs_do_not_share_the_plug(start: Start) -> None:
    _, address = start()
    async with opened(address):
        with pytest.raises(LinkError, match="another program holds the port"):
            await usb_link(address).open()
    async with opened(address) as link:
        await link.write(bytes.fromhex("10 04 01"))
        await heard(link, b"\x16")


async def test_a_killed_simulator_is_an_unplugged_printer_and_its_next_life_a_new_one(start: Start) -> None:
    process, address = start()
    link = usb_link(address)
    await link.open()
    reading = asyncio.create_task(lost(link))
    await asyncio.sleep(0.05)
    process.kill()
    assert "gone" in await reading
    process.wait()
    await link.close()
    with pytest.raises(LinkError, match="there is no such device"):
        await link.open()
    start(address.partition("simulated:")[2])
    await link.open()
    await link.close()


async def test_a_stopped_simulator_hangs_nobody_for_long(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.usb_remote.ANSWER_S", 0.2)
    process, address = start()
    link = usb_link(address)
    await link.open()
    process.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(60):
            assert "gone" in await lost(link)
            await link.close()
    finally:
        process.send_signal(signal.SIGCONT)


async def test_what_is_no_host_is_hung_up_on_and_harms_nobody(start: Start) -> None:
    _, address = start()
    host, _, port = address.partition("simulated:")[2].partition(":")
    for words in (b"GET / HTTP/1.1\r\n\r\n", b'{"do": "write"}\n', b"[]\n", b"x" * 2_000_000):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(words)
        try:
            async with asyncio.timeout(60):
                with contextlib.suppress(ConnectionError):
                    assert not await reader.read()
        finally:
            writer.close()
    async with opened(address) as link:
        await link.write(bytes.fromhex("10 04 01"))
        await heard(link, b"\x16")
