"""The simulator as its own process, on a real pty and a real TCP port, through kills and unplugging (SIM-2)."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from simulators.control import ControlClient
from simulators.ledger import read_ledger
from tests.simulators.bench import CAPTURE, DRAW, PRESENT, RESET_KEEP, STATUS, reply

pytestmark = [pytest.mark.process, pytest.mark.rule("SIM-2")]

ROOT = Path(__file__).resolve().parents[2]
ACT_S = 0.2
PATIENCE_S = 30.0  # on a busy box; nothing that comes is waited for so long
CARD_INSIDE = bytes.fromhex("06" + reply("50 31 30 32 32 30"))
NO_CARD = bytes.fromhex("06" + reply("50 31 30 30 32 30"))
Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a simulator over the files of this test; ends those that still run."""
    running: list[subprocess.Popen[str]] = []

    def begin(listen: str, *more: str, **options: Any) -> tuple[subprocess.Popen[str], str]:
        settings = {"act_s": ACT_S, "customer": {"policy": "leave"}, **options}
        files = ["--ledger", f"{tmp_path}/ledger.jsonl", "--state", f"{tmp_path}/state.json"]
        control = ["--control", f"unix:{tmp_path}/control.sock", "--device", "card-1"]
        command = [sys.executable, "-m", "simulators.serve", "crt591", "--listen", listen, *files, *control]
        process = subprocess.Popen(
            [*command, "--options", json.dumps(settings), *more], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None
        ready = process.stdout.readline().split()
        assert ready[0] == "ready"
        return process, ready[1]

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def ask(port: serial.Serial | socket.socket, text: str, length: int) -> bytes:
    """Send a frame and read `length` bytes, or what came while there was patience."""
    data = bytes.fromhex(text)
    if isinstance(port, serial.Serial):
        port.write(data)
        return bytes(port.read(length))
    port.sendall(data)
    got = b""
    port.settimeout(PATIENCE_S)
    while len(got) < length and (piece := port.recv(length - len(got))):
        got += piece
    return got


def dial(address: str) -> socket.socket:
    host, _, number = address.removeprefix("tcp://").partition(":")
    return socket.create_connection((host, int(number)), timeout=PATIENCE_S)


def waiting_in(tty: Path) -> bytes:
    """What stands in the tty before anybody flushes it (pyserial does when it opens one)."""
    fd = os.open(tty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.poll(PATIENCE_S * 1000)
        return os.read(fd, 100)
    finally:
        os.close(fd)


def ledger_acts(folder: Path) -> list[str]:
    return [line["act"] for line in read_ledger(folder / "ledger.jsonl") if line["kind"] == "act"]


def wait_until(true: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    end_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end_s, "it did not come true in time"
        time.sleep(0.01)


def test_a_card_over_a_pty_and_a_planned_end(start: Start, tmp_path: Path) -> None:
    link = tmp_path / "tty-card-1"
    process, address = start(f"pty:{link}", customer={"policy": "take", "after_s": 0.1})
    assert address == f"serial://{link}"
    with serial.Serial(str(link), 9600, timeout=PATIENCE_S) as port:
        assert ask(port, RESET_KEEP, 25).endswith(b"CRT-591-M001\x03\x82")
        assert ask(port, DRAW, 13) == bytes.fromhex("06" + reply("50 32 31 32 32 30"))
        assert ask(port, PRESENT, 13) == bytes.fromhex("06" + reply("50 32 39 31 32 30"))
        wait_until(lambda: read_ledger(tmp_path / "ledger.jsonl")[-1]["act"] == "card_taken")
        assert ask(port, STATUS, 13) == NO_CARD
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    assert not link.is_symlink()
    assert [line["n"] for line in read_ledger(tmp_path / "ledger.jsonl")] == [1, 2, 3, 4]


@pytest.mark.parametrize("listen", ["pty:{}/tty", "tcp:127.0.0.1:0"])
def test_an_act_goes_on_when_the_host_is_gone(start: Start, tmp_path: Path, listen: str) -> None:
    _, address = start(listen.format(tmp_path), act_s=5 * ACT_S)  # the host must be gone before it is done
    port: serial.Serial | socket.socket
    open_again = (
        (lambda: dial(address))
        if address.startswith("tcp")
        else lambda: serial.Serial(f"{tmp_path}/tty", timeout=PATIENCE_S)
    )
    port = open_again()
    assert len(ask(port, RESET_KEEP, 25)) == 25
    assert ask(port, DRAW, 1) == b"\x06"
    port.close()
    assert ledger_acts(tmp_path) == []
    wait_until(lambda: ledger_acts(tmp_path) == ["card_drawn"])
    time.sleep(ACT_S)
    if isinstance(port, serial.Serial):
        assert waiting_in(tmp_path / "tty") == bytes.fromhex(reply("50 32 31 32 32 30")), "an answer that nobody read"
    port = open_again()
    assert ask(port, STATUS, 13) == CARD_INSIDE
    port.close()


def test_a_tcp_server_can_hold_answers_and_deliver_late(start: Start, tmp_path: Path) -> None:
    _, address = start("tcp:127.0.0.1:0", holds_answers=True, line_delay_s=0.1)
    with dial(address) as first:
        first.sendall(bytes.fromhex(RESET_KEEP))
    wait_until(lambda: bool(read_ledger(tmp_path / "ledger.jsonl")))
    time.sleep(ACT_S)
    with dial(address) as second:
        assert ask(second, "", 25).endswith(b"CRT-591-M001\x03\x82"), (
            "what the dead connection sent was done, and answered"
        )


def test_a_second_tcp_client_is_turned_away_and_the_first_goes_on(start: Start) -> None:
    _, address = start("tcp:127.0.0.1:0")
    with dial(address) as first:
        assert len(ask(first, RESET_KEEP, 25)) == 25
        with dial(address) as second:
            second.settimeout(PATIENCE_S)
            assert second.recv(1) == b"", "hung up without a word"
        assert ask(first, STATUS, 13) == NO_CARD


async def test_unplug_hangs_up_the_pty_and_the_name_comes_back(start: Start, tmp_path: Path) -> None:
    link = tmp_path / "tty"
    start(f"pty:{link}")
    fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
    async with ControlClient(f"unix:{tmp_path}/control.sock") as control:
        await control.fault("unplug", for_s=0.3)
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        assert poll.poll(PATIENCE_S * 1000)[0][1] & select.POLLHUP
        assert not link.exists()
        os.close(fd)
        await asyncio.to_thread(wait_until, link.exists)
    with serial.Serial(str(link), timeout=PATIENCE_S) as port:
        assert len(ask(port, RESET_KEEP, 25)) == 25


async def test_unplug_drops_the_tcp_client_until_it_is_plugged(start: Start, tmp_path: Path) -> None:
    _, address = start("tcp:127.0.0.1:0")
    async with ControlClient(f"unix:{tmp_path}/control.sock") as control:
        with dial(address) as first:
            assert len(ask(first, RESET_KEEP, 25)) == 25
            await control.fault("unplug", for_s=None)
            assert first.recv(1) == b""
        await control.request("plug")
        with dial(address) as again:
            assert ask(again, STATUS, 13) == NO_CARD


async def test_a_flood_that_nobody_reads_neither_blocks_nor_grows(start: Start, tmp_path: Path) -> None:
    process, _ = start(f"pty:{tmp_path}/tty")
    async with ControlClient(f"unix:{tmp_path}/control.sock") as control:
        before = resident_kib(process.pid)
        await control.fault("flood", for_s=0.5, bytes_per_s=1_000_000)
        await asyncio.sleep(0.6)
        assert (await control.state())["powered"] is True
        assert resident_kib(process.pid) - before < 2048


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0])


@pytest.mark.rule("SIM-1")
def test_a_killed_simulator_loses_no_card_and_no_number(start: Start, tmp_path: Path) -> None:
    link = f"{tmp_path}/tty"
    for life in range(3):
        process, _ = start(f"pty:{link}")
        with serial.Serial(link, timeout=PATIENCE_S) as port:
            if life == 0:
                ask(port, RESET_KEEP, 25)
            assert ask(port, DRAW, 13) == bytes.fromhex("06" + reply("50 32 31 32 32 30"))
            process.kill()
            process.wait()
        process, _ = start(f"pty:{link}")
        with serial.Serial(link, timeout=PATIENCE_S) as port:
            assert ask(port, CAPTURE, 13) == bytes.fromhex("06" + reply("50 32 33 30 32 30"))
        process.kill()
        process.wait()
    lines = read_ledger(tmp_path / "ledger.jsonl")
    assert [line["n"] for line in lines] == list(range(1, 8))
    serials = [line["detail"]["serial"] for line in lines[1:]]
    assert serials == [f"card-1-000{number}" for number in (1, 1, 2, 2, 3, 3)]
    assert lines[-1]["detail"]["bin"] == 3


def test_without_work_it_sleeps(start: Start, tmp_path: Path) -> None:
    process, _ = start(f"pty:{tmp_path}/tty")

    def cpu_ticks() -> int:
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = cpu_ticks()
    time.sleep(0.5)
    assert cpu_ticks() - before <= 1


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; import simulators.serve, simulators.branch;"
        "print([n for n in sys.modules if n.partition('.')[0] not in sys.stdlib_module_names"
        " and not n.startswith(('simulators', '_', 'sitecustomize', 'distutils-precedence'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_fault_plan_from_a_file(start: Start, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[faults]]\nat = "1st motion"\nfault = "jam"\n')
    start(f"pty:{tmp_path}/tty", "--fault-plan", str(plan))
    with serial.Serial(f"{tmp_path}/tty", timeout=PATIENCE_S) as port:
        ask(port, RESET_KEEP, 25)
        assert ask(port, DRAW, 12) == bytes.fromhex("06" + reply("4E 32 31 31 30"))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--listen", "udp:1"], "--listen"),
        (["--listen", "tcp:0.0.0.0:0"], "loopback"),
        (["--options", "{"], "JSON"),
        (["--options", "[]"], "object"),
        (["--options", '{"colour": 1}'], "colour"),
        (["--options", '{"act_s": "long"}'], "act_s"),
        (["--options", '{"units": {"x": {}}}'], "units"),
        (["--unit", "16"], "0 to 15"),
        (["--unit", "1", "--unit", "2"], "--unit"),
        (["--device", "card-1"], "--device"),
        (["--fault-plan", "/nowhere.toml"], "/nowhere.toml"),
        (["--control", "tcp:10.0.0.1:1"], "loopback"),
        (["--ledger", "/proc/nowhere/ledger"], "/proc/nowhere"),
    ],
)
def test_wrong_arguments_are_one_sentence_and_exit_2(wrong: list[str], says: str, tmp_path: Path) -> None:
    good = [
        "--listen",
        f"pty:{tmp_path}/tty",
        "--ledger",
        f"{tmp_path}/l",
        "--state",
        f"{tmp_path}/s",
        "--device",
        "card-1",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "simulators.serve", "crt591", *good, *wrong],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
