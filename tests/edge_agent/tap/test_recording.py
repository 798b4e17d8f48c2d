"""Recordings by the running agent: bounded, ended by time, size, disk or hand; and nothing that passes is changed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from device_drivers.links.line import Lines
from device_drivers.links.link import Link
from device_drivers.links.memory import MemoryEnd, joined_ends
from device_drivers.links.tap import Passing, Recorder, read_recording
from edge_agent.console import tap
from edge_agent.settings import DevicePart
from edge_agent.upkeep import recording
from edge_agent.upkeep.recording import NotRecorded, Recordings, bounds
from tests.virtual_time import virtual_time

PARTS = {
    name: DevicePart(id=name, role="r", kind="crt591", address=f"memory://{line}")
    for name, line in (("a", "one"), ("b", "one"), ("c", "two"))
}


class Branch:
    """Two lines, three devices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ends: dict[str, tuple[MemoryEnd, MemoryEnd]] = {}
        self.lines = Lines(self._make)
        self.it = Recordings(folder, PARTS, self.lines)

    def _make(self, address: str) -> Link:
        self.ends[address] = joined_ends()
        return self.ends[address][0]

    async def pass_by(self, data: bytes, device: str = "a") -> None:
        line = self.lines.line(PARTS[device].address)
        hold = await line.hold()
        async with hold.exchange() as link:
            await link.write(data)
        await hold.let_go()


def heard(path: Path) -> bytes:
    return b"".join(one.data for one in read_recording(path))


@virtual_time
async def test_what_passes_is_kept_until_the_time_is_over(tmp_path: Path) -> None:
    branch = Branch(tmp_path)
    await branch.pass_by(b"before")
    path = branch.it.begin("a", "n1", 60.0, 4096)
    await branch.pass_by(b"during")
    assert branch.it.running == {"a": str(path)}
    await asyncio.sleep(61)
    await branch.pass_by(b"after")
    assert heard(path) == b"during"
    assert branch.it.running == {}
    near, far = branch.ends["memory://one"]
    assert branch.lines.line("memory://one").link is near, "the line is as it was"
    assert await far.read(100, 1) == b"after"  # a new opening begins without old bytes


@virtual_time
async def test_an_exchange_that_was_under_way_goes_on_untouched(tmp_path: Path) -> None:
    branch = Branch(tmp_path)
    hold = await branch.lines.line("memory://one").hold()
    async with hold.exchange() as link:
        path = branch.it.begin("a", "n1", 60.0, 4096)
        await link.write(b"old")
    async with hold.exchange() as link:
        branch.it.end("a")
        await link.write(b"new")  # through a tap whose file is closed
    assert heard(path) == b""
    assert await branch.ends["memory://one"][1].read(100, 1) == b"oldnew"
    await hold.let_go()


@virtual_time
async def test_it_ends_when_it_is_full_or_the_disk_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    branch = Branch(tmp_path)
    path = branch.it.begin("a", "n1", 60.0, 200)
    await branch.pass_by(b"x" * 500)
    await asyncio.sleep(0)
    assert branch.it.running == {}
    assert path.stat().st_size <= 200

    branch.it.begin("a", "n2", 60.0, 4096)

    def full(self: Recorder, passing: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Recorder, "__call__", full)
    await branch.pass_by(b"goes through")
    await asyncio.sleep(0)
    assert branch.it.running == {}
    assert b"goes through" in await branch.ends["memory://one"][1].read(4096, 1)


@virtual_time
async def test_one_line_once_and_not_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    branch = Branch(tmp_path)
    branch.it.begin("a", "n1", 60.0, 4096)
    for device, why in (("a", "busy"), ("b", "busy"), ("nobody", "unknown")):
        with pytest.raises(NotRecorded, match=why):
            branch.it.begin(device, "n2", 60.0, 4096)
    monkeypatch.setattr(recording, "AT_ONCE", 1)
    with pytest.raises(NotRecorded, match="too_many"):
        branch.it.begin("c", "n1", 60.0, 4096)
    branch.it.close()
    monkeypatch.setattr(recording, "free_bytes", lambda _: 1024)
    with pytest.raises(NotRecorded, match="no_room"):
        branch.it.begin("c", "n1", 60.0, 4096)
    assert branch.it.running == {}


@virtual_time
async def test_older_recordings_go(tmp_path: Path) -> None:
    branch = Branch(tmp_path)
    for n in range(12):
        branch.it.begin("a", f"n{n:02}", 60.0, 4096)
        branch.it.end("a")
    left = sorted(path.name for path in (tmp_path / "recordings").iterdir())
    assert len(left) == recording.KEPT
    assert left[-1] == "000012-a-n11.tap", "the newest by its number, whatever the clock says"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"device": 1},
        {"device": "a", "seconds": 0},
        {"device": "a", "seconds": 3601},
        {"device": "a", "bytes": 1 << 30},
        {"device": "a", "bytes": True},
        {"device": "a", "seconds": "60"},
    ],
)
def test_bounds_that_no_recording_has(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=": "):
        bounds(data)


def test_a_recording_is_its_owners_alone_also_in_a_file_that_was_there(tmp_path: Path) -> None:
    """It holds what customers were printed; and brought home onto itself it stays what it is."""
    recording, out = tmp_path / "000001.tap", tmp_path / "home.tap"
    recorder = Recorder(recording, about={"device": "card-1"})
    recorder(Passing(1.0, "read", b"\x06"))
    recorder.close()
    out.write_text("an older one\n" * 1000)
    out.chmod(0o666)
    assert tap.fetch(recording, out).pieces == 1
    assert (out.stat().st_mode & 0o777, out.read_bytes()) == (0o600, recording.read_bytes())
    assert tap.fetch(recording, recording).pieces == 1
