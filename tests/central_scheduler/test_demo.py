"""The demo as a person starts it: it judges itself, and nothing of it outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
LIMIT_S = 280  # a quiet box takes 40; where it takes this long it hangs


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: the demo's sockets stand in folders of folders of it, and their paths have 107 letters."""
    with tempfile.TemporaryDirectory(prefix="bg-") as folder:
        yield Path(folder)


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


async def _until_said(process: asyncio.subprocess.Process, wanted: str) -> str:
    """The line in which it stood."""
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        while wanted not in (line := (await process.stdout.readline()).decode()):
            assert line, "the demo ended early"
    return line


async def _until_gone(folder: Path) -> None:
    end = time.monotonic() + 10
    while left := _left(folder):
        assert time.monotonic() < end, left
        await asyncio.sleep(0.05)


async def _whole(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """All that it said; a demo that hangs is interrupted, so that what it had said is seen."""
    saying = asyncio.create_task(process.communicate())
    done, _ = await asyncio.wait({saying}, timeout=LIMIT_S)
    if not done:
        process.send_signal(signal.SIGINT)
        out, err = await saying
        pytest.fail(f"the demo did not end:\n{out.decode()}\n{err.decode()}")
    return await saying


async def test_once_every_order_ends_as_planned_and_the_checker_agrees(tmp_path: Path) -> None:
    process = await _start(tmp_path, "--once", "--json", "--seed", "2")
    out, err = await _whole(process)
    told = json.loads(out)
    assert told["findings"] == []
    assert (process.returncode, told["ok"], err) == (0, True, b"")
    assert len(told["orders"]) == 14
    ends = {order["state"] for order in told["orders"]}
    assert {"completed", "failed", "expired"} <= ends
    assert sum(order["acts"].count("card_presented") for order in told["orders"]) >= 9
    assert _files(tmp_path) == []
    assert _left(tmp_path) == []


@pytest.mark.torture
async def test_without_once_it_stays_and_ends_with_its_summary(tmp_path: Path) -> None:
    process = await _start(tmp_path)
    await _until_said(process, "Try it from another terminal")
    said = await _until_said(process, "panel is http://127.0.0.1:")
    site = said.split("panel is ")[1].split(" ")[0]
    page = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{site}sign-in", timeout=30).read())  # noqa: S310
    assert "登录".encode() in page
    await _until_said(process, "demo-15: accepted")
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert "15 orders" in out.decode()
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
    assert err.decode().splitlines() == ["Everything that the demo started was ended.", "interrupted"]
    assert _files(tmp_path) == []
    assert _left(tmp_path) == []


async def test_an_interrupted_demo_says_which_folder_it_kept(tmp_path: Path) -> None:
    process = await _start(tmp_path, "--keep")
    await _until_said(process, "demo-01: running")
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(LIMIT_S):
        _, err = await process.communicate()
    (kept,) = _files(tmp_path)
    assert f"kept: {kept}" in err.decode().splitlines()
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
