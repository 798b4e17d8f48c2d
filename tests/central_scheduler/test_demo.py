"""The demo as a person starts it: it judges itself, and nothing of it outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
LIMIT_S = 150  # a quiet box takes 35


async def _start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "demo", *arguments),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "BRANCHGATE_LANG": "en"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def _left(folder: Path) -> list[str]:
    """The processes that still work in the demo's folder."""
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [command] if str(folder) in command else []
    return found


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def _until_said(process: asyncio.subprocess.Process, wanted: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        while wanted not in (line := (await process.stdout.readline()).decode()):
            assert line, "the demo ended early"


async def _until_gone(folder: Path) -> None:
    end = time.monotonic() + 10
    while left := _left(folder):
        assert time.monotonic() < end, left
        await asyncio.sleep(0.05)


async def test_once_every_order_ends_as_planned_and_the_checker_agrees(tmp_path: Path) -> None:
    process = await _start(tmp_path, "--once", "--json", "--seed", "2")
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    told = json.loads(out)
    assert told["findings"] == []
    assert (process.returncode, told["ok"], err) == (0, True, b"")
    assert len(told["orders"]) == 12
    ends = {order["state"] for order in told["orders"]}
    assert {"completed", "failed", "expired"} <= ends
    assert sum(order["acts"].count("card_presented") for order in told["orders"]) >= 9
    assert _files(tmp_path) == []
    assert _left(tmp_path) == []


@pytest.mark.torture
async def test_without_once_it_stays_and_ends_with_its_summary(tmp_path: Path) -> None:
    process = await _start(tmp_path)
    await _until_said(process, "Try it from another terminal")
    await _until_said(process, "demo-13: accepted")
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert "13 orders" in out.decode()
    assert _files(tmp_path) == []
    assert _left(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    process = await _start(tmp_path)
    await _until_said(process, "demo-01: running")
    assert _left(tmp_path)
    process.send_signal(number)
    async with asyncio.timeout(LIMIT_S):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert _files(tmp_path) == []
    assert _left(tmp_path) == []


async def test_a_killed_demo_takes_its_processes_along(tmp_path: Path) -> None:
    process = await _start(tmp_path)
    await _until_said(process, "demo-01: running")
    process.kill()
    await process.communicate()
    await _until_gone(tmp_path)


async def test_without_mosquitto_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHGATE_MOSQUITTO", "/no/such/mosquitto")
    process = await _start(tmp_path, "--once")
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"apt install mosquitto" in err
    assert _files(tmp_path) == []


async def test_a_broker_that_does_not_start_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "mosquitto"
    broken.write_text("#!/bin/sh\necho out of order\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    (tmp_path / "t").mkdir()
    monkeypatch.setenv("BRANCHGATE_MOSQUITTO", str(broken))
    process = await _start(tmp_path / "t", "--once")
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"out of order" in err
    assert b"Traceback" not in err
