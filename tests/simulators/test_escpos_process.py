"""The printer as its own process: TCP and pty, a peer at the other end, kills, replies that wait, whole branches."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
from escpos.printer import Network  # type: ignore[import-untyped]

from simulators.branch import open_branch
from simulators.control import ControlClient
from simulators.ledger import read_ledger
from simulators.tcp_port import GRACE_S
from tests.simulators.receipt_bench import CUT, band, process_id, proof, receipt, text

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.process, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
PATIENCE_S = 60.0  # on a busy box; nothing that comes is waited for so long
Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def begin(listen: str, options: str = "{}") -> tuple[subprocess.Popen[str], str]:
        words = ["escpos", "--listen", listen, "--ledger", f"{tmp_path}/ledger.jsonl", "--state", f"{tmp_path}/state"]
        words += ["--control", f"unix:{tmp_path}/control.sock", "--device", "receipt-1", "--options", options]
        process = subprocess.Popen(
            [sys.executable, "-m", "simulators.serve", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().removeprefix("ready ").strip()

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def dial(address: str) -> socket.socket:
    host, port = address.removeprefix("tcp://").split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


async def asked(folder: Path) -> None:
    """What it had to say before has left it, or is lost, once it answers this."""
    async with ControlClient(f"unix:{folder}/control.sock", device="receipt-1", timeout_s=PATIENCE_S) as control:
        await control.state()


def heard(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := client.recv(count - len(data))):
        data += piece
    return data


def test_python_escpos_prints_over_the_network(start: Start, tmp_path: Path) -> None:
    _, address = start("tcp:127.0.0.1:0", '{"drawer_high": false, "line_s": 0.001, "cut_s": 0.01}')
    host, port = address.removeprefix("tcp://").split(":")
    printer = Network(host, int(port), timeout=5)
    try:
        assert printer.is_online()
        assert printer.paper_status() == 2
        printer.text("No. O-1/receipt/1\n")
        printer.qr("1234", native=True)
        printer.cut()
        printer._raw(bytes.fromhex(process_id("0001")))
        assert heard(printer.device, 7) == proof("0001")
    finally:
        printer.close()
    (line,) = read_ledger(tmp_path / "ledger.jsonl")
    assert line["detail"]["attempts"] == ["O-1/receipt/1"]
    assert (tmp_path / line["detail"]["png"]).read_bytes().startswith(b"\x89PNG")
    assert "[QR 1234]" in (tmp_path / "sheets/receipt-1-0001.txt").read_text(encoding="utf-8")


def test_a_killed_simulator_keeps_half_a_receipt_and_half_a_command(start: Start, tmp_path: Path) -> None:
    process, address = start("tcp:127.0.0.1:0")
    with dial(address) as client:
        client.sendall(bytes.fromhex(text("half") + process_id("0001") + band(24)[:-40]))
        assert heard(client, 7) == proof("0001")
        client.sendall(bytes.fromhex("10 04 02"))
        assert heard(client, 1) == b"\x12", "all before it has been taken, and its own three bytes were eaten as dots"
    process.kill()
    process.wait()
    _, address = start("tcp:127.0.0.1:0")
    with dial(address) as client:
        client.sendall(bytes.fromhex("AA" * 17 + text("rest") + CUT + process_id("0002")))
        assert heard(client, 7) == proof("0002")
    (line,) = read_ledger(tmp_path / "ledger.jsonl")
    assert line["detail"]["lines"] == ["half", "rest"]


@pytest.mark.parametrize("holds", [True, False])
def test_a_proof_that_finds_no_client(start: Start, tmp_path: Path, holds: bool) -> None:
    _, address = start("tcp:127.0.0.1:0", f'{{"cut_s": 2.0, "holds_replies": {str(holds).lower()}}}')
    with dial(address) as client:
        client.sendall(bytes.fromhex(receipt("O-1/receipt/1", "0001")))
    deadline = time.monotonic() + PATIENCE_S
    while not read_ledger(tmp_path / "ledger.jsonl"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    asyncio.run(asked(tmp_path))
    with dial(address) as client:
        client.sendall(bytes.fromhex("10 04 02"))
        assert heard(client, 8 if holds else 1) == (proof("0001") if holds else b"") + b"\x12"


async def test_a_large_image_over_tcp_waits_for_the_paper_and_loses_nothing(start: Start, tmp_path: Path) -> None:
    _, address = start("tcp:127.0.0.1:0", '{"line_s": 0.0005, "buffer_bytes": 4096}')
    with dial(address) as client:
        job = bytes.fromhex(band(2400) + text("No. O-1/receipt/1") + CUT + process_id("0001"))
        await asyncio.to_thread(client.sendall, job)
        assert await asyncio.to_thread(heard, client, 7) == proof("0001")
    async with ControlClient(f"unix:{tmp_path}/control.sock", device="receipt-1") as control:
        assert (await control.state())["lost_bytes"] == 0
    (line,) = read_ledger(tmp_path / "ledger.jsonl")
    assert line["detail"]["attempts"] == ["O-1/receipt/1"]


async def test_over_a_pty_with_faults_by_control(start: Start, tmp_path: Path) -> None:
    start(f"pty:{tmp_path}/tty")
    async with ControlClient(f"unix:{tmp_path}/control.sock") as control:
        await control.fault("paper_end", at_line=2)
        with serial.Serial(f"{tmp_path}/tty", timeout=5) as port:
            port.write(bytes.fromhex(receipt("O-1/receipt/1", "0001", "a", "b")))
            async with asyncio.timeout(60):
                while (await control.state())["offline"] is False:
                    pass
            port.write(bytes.fromhex("10 04 02"))
            assert await asyncio.to_thread(port.read, 1) == b"\x32"
            await control.request("refill")
            assert await asyncio.to_thread(port.read, 7) == proof("0001")
    acts = [line["act"] for line in read_ledger(tmp_path / "ledger.jsonl")]
    assert acts == ["paper_end", "sheet_out", "paper_refilled", "sheet_out"]


async def flood(write: Callable[[bytes], int], control: ControlClient) -> int:
    """As much as the line takes within some rounds; what of it the printer has taken."""
    state = await control.state()
    for _ in range(60):
        with contextlib.suppress(BlockingIOError):
            write(b"x" * 16_000)
        state = await control.state()  # a round with the simulator's loop, in which it would read
    assert state["lost_bytes"] == 0
    return int(state["buffered"])


async def test_a_stalled_pty_makes_the_host_wait(start: Start, tmp_path: Path) -> None:
    start(f"pty:{tmp_path}/tty")
    async with ControlClient(f"unix:{tmp_path}/control.sock") as control:
        await control.fault("stall", for_s=600.0)
        fd = os.open(f"{tmp_path}/tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            assert await flood(lambda data: os.write(fd, data), control) == 0
        finally:
            os.close(fd)


async def test_a_stalled_tcp_port_makes_the_host_wait_the_next_host_too(start: Start, tmp_path: Path) -> None:
    _, address = start("tcp:127.0.0.1:0")
    async with ControlClient(f"unix:{tmp_path}/control.sock") as control:
        with dial(address) as client:
            client.sendall(bytes.fromhex("10 04 02"))
            assert heard(client, 1) == b"\x12"
            await control.fault("stall", for_s=600.0)
            client.setblocking(False)
            assert await flood(client.send, control) == 0
            client.setblocking(True)
        with dial(address) as client:
            await asyncio.sleep(2 * GRACE_S)  # until the port has taken the second for the first
            client.setblocking(False)
            assert await flood(client.send, control) == 0


async def test_printers_and_dispensers_share_a_branch_and_its_ledger(tmp_path: Path) -> None:
    lines = [
        {"kind": "crt591", "listen": "pty:run/card", "control": "unix:run/card.sock", "devices": {"card-1": 0}},
        {
            "kind": "escpos",
            "listen": "tcp:127.0.0.1:0",
            "control": "unix:run/receipt.sock",
            "devices": {"receipt-1": 0},
            "options": {"presenter": True, "customer": {"policy": "leave"}, "line_delay_s": 0.01},
            "faults": [{"at": "1st cut", "fault": "paper_near_end"}],
        },
    ]
    async with open_branch({"lines": lines}, tmp_path) as branch:
        host, port = branch.lines["receipt-1"].address.removeprefix("tcp://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(bytes.fromhex(receipt("O-1/receipt/1", "0001")))
        assert await asyncio.wait_for(reader.readexactly(7), 5) == proof("0001")
        writer.close()
        await writer.wait_closed()
        async with ControlClient(f"unix:{tmp_path}/run/receipt.sock", device="receipt-1") as control:
            assert (await control.state())["ticket"]["attempts"] == ["O-1/receipt/1"]
    acts = [line["act"] for line in read_ledger(tmp_path / "ledger.jsonl")]
    assert acts == ["paper_near_end", "sheet_out", "ticket_presented"]


def test_two_printers_on_one_line_are_refused(tmp_path: Path) -> None:
    words = ["escpos", "--listen", "tcp:127.0.0.1:0", "--ledger", f"{tmp_path}/l", "--state", f"{tmp_path}/s"]
    words += ["--device", "a", "--device", "b"]
    done = subprocess.run(
        [sys.executable, "-m", "simulators.serve", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "a line of its own" in done.stderr
