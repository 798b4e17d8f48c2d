"""Disks of the system's own making: a small one that others fill, one that turns read-only; under a whole agent too."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import reserve
from edge_agent.journal.journal import Journal
from tests.broker import Broker
from tests.edge_agent.journal.gate import arming
from tests.edge_agent.panel.test_server import get
from tests.edge_agent.test_app import Ear, Process, config
from tests.ports import free_port

pytestmark = [pytest.mark.process, pytest.mark.rule("OUT-4")]
MIB = 1024 * 1024
DISK_BYTES = 12 * MIB
RESERVE_BYTES = 2 * MIB
PATIENCE_S = 180.0  # the steward looks every 5 s, on a machine that others use too


class SmallDisk:
    """A file system of its own, 12 MiB, in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Somebody else writes until nothing more fits."""
        with contextlib.suppress(OSError), (self.folder / "others").open("ab", buffering=0) as others:
            while True:
                others.write(b"x" * 4096)

    def free(self) -> None:
        (self.folder / "others").unlink()

    def remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    folder = Path(tempfile.mkdtemp(prefix="branchgate-disk-"))  # pytest cannot clear away what is mounted in its own
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a file system of its own needs the right to mount")
        try:
            yield SmallDisk(folder)
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)  # also while a failed test has files open
    finally:
        folder.rmdir()


async def opened(disk: SmallDisk) -> Journal:
    return await Journal.open(disk.folder / "data", reserve_bytes=RESERVE_BYTES)


async def write_until_it_fails(journal: Journal) -> int:
    for n in range(10_000):
        try:
            await journal.write(lambda tx: tx.emit("e", None, {"text": "x" * 2000}))
        except StoreFailed:
            return n
    raise AssertionError("the disk was never full")


async def test_outcomes_are_written_on_a_disk_that_others_filled(disk: SmallDisk) -> None:
    journal = await opened(disk)
    await journal.write(lambda tx: tx.armed.append(arming("o-1/draw/1")))
    disk.fill()
    kept = [await journal.write(lambda tx: tx.emit("e", None, {"text": "x" * 2000})) for _ in range(40)]
    assert kept == list(range(1, 41))
    assert journal.disk_full
    assert not await asyncio.to_thread(journal.reserve.make)
    disk.free()
    assert await asyncio.to_thread(journal.reserve.make)
    await journal.close()


async def test_a_start_on_a_full_disk_and_one_where_the_reserve_is_used_up_too(disk: SmallDisk) -> None:
    journal = await opened(disk)
    id_ = journal.id
    await journal.close()
    disk.fill()
    journal = await opened(disk)
    assert (journal.id, journal.epoch, journal.store) == (id_, 2, "disk_full")
    last = await write_until_it_fails(journal)
    assert last > 40, "the reserve held some"
    disk.free()
    await journal.close()  # with room for its log to be written back
    disk.fill()
    journal = await opened(disk)
    assert (journal.id, journal.store) == (id_, "read_only")
    assert await journal.read(lambda tx: tx.last_seq()) == last
    with pytest.raises(StoreFailed):
        await journal.write(lambda tx: tx.emit("e", None, {}))
    await journal.close()
    disk.free()
    journal = await opened(disk)
    assert (journal.epoch, journal.store) == (3, "good")
    assert await journal.read(lambda tx: tx.one("PRAGMA integrity_check")[0]) == "ok"  # type: ignore[index]
    await journal.close()


@pytest.mark.parametrize("how", ["closed", "killed"])
async def test_a_journal_on_a_disk_that_is_read_only(disk: SmallDisk, how: str) -> None:
    journal = await opened(disk)
    await journal.write(lambda tx: tx.armed.append(arming("o-1/draw/1")))
    await journal.write(lambda tx: tx.emit("kept", None, {}))
    copy = {path: path.read_bytes() for path in (disk.folder / "data").iterdir()}
    await journal.close()
    if how == "killed":  # its log lies there, and was never written back
        for path, raw in copy.items():
            path.write_bytes(raw)
    disk.remount("ro")
    looked = await opened(disk)
    assert (looked.id, looked.epoch, looked.store) == (journal.id, 1, "read_only")
    assert await looked.read(lambda tx: tx.last_seq()) == 1
    assert list(looked.ring.entries) == ["o-1/draw/1"]
    with pytest.raises(StoreFailed, match="read_only"):
        await looked.write(lambda tx: tx.armed.append(arming("o-2/draw/1")))
    await looked.close()
    disk.remount("rw")
    again = await opened(disk)
    assert (again.epoch, again.store) == (2, "good")
    await again.close()


async def hear_store(ear: Ear, wanted: str) -> int:
    """The session of the next birth or heartbeat that tells `wanted`."""
    async with asyncio.timeout(PATIENCE_S):
        while (data := (await ear.hear())["data"]).get("store") != wanted:
            pass
    return int(data["session"])


async def test_an_agent_serves_on_a_read_only_disk_and_comes_back_by_itself(disk: SmallDisk, tmp_path: Path) -> None:
    panel = free_port()
    small = f'heartbeat_s = 0.5\n[panel]\nlisten = "127.0.0.1:{panel}"'
    with Broker(tmp_path) as broker:
        text = config(disk.folder, broker.port, more=small)
        text = text.replace('adoption = "automatic"', 'adoption = "automatic"\nreserve_mib = 2')
        async with Ear(broker.port) as ear:
            with Process(tmp_path, text) as agent:
                first = await hear_store(ear, "good")
                await asyncio.to_thread(agent.stop)
            disk.remount("ro")
            with Process(tmp_path, text) as agent:
                assert await hear_store(ear, "read_only") > first
                head, _ = await get(panel, "/sign-in")
                assert head.startswith(b"HTTP/1.1 200")
                disk.remount("rw")
                await hear_store(ear, "good")
                disk.fill()
                await hear_store(ear, "disk_full")
                disk.free()
                await hear_store(ear, "good")
                await asyncio.to_thread(agent.stop)
                code, said = agent.end()
    assert code == 0, said
    assert "Traceback" not in said
    assert (disk.folder / "data" / reserve.NAME).stat().st_size == RESERVE_BYTES
