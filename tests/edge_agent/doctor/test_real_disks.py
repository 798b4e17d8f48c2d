"""The doctor on file systems that are really full, really read-only and really out of names."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge_agent.texts import Texts
from edge_agent.upkeep.doctor.examine import examine
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import World

pytestmark = pytest.mark.process
NAMES = 32


@pytest.fixture
def small() -> Iterator[Path]:
    """12 MiB and a few names, in memory."""
    folder = Path(tempfile.mkdtemp(prefix="branchgate-doctor-"))  # pytest cannot clear away what is mounted in its own
    command = ["mount", "-t", "tmpfs", "-o", f"size=12m,nr_inodes={NAMES}", "tmpfs", str(folder)]
    try:
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a file system of its own needs the right to mount")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
    finally:
        folder.rmdir()


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


async def seen(tmp_path: Path, data: Path) -> list[Found]:
    config = tmp_path / "branch.toml"
    text = f'[branch]\nid = "B1"\n[link]\nhost = "127.0.0.1"\n[journal]\nfolder = "{data}"\nreserve_mib = 1\n'
    config.write_text(text, encoding="utf-8")
    areas: list[str] = []
    found = []
    async for one in examine(config, Texts("en"), areas.append, World()):
        if areas[-1] == "port":  # the broker is another's affair
            break
        found.append(one)
    return [one for one in found if one.area in ("config", "disk") and one.level in (Level.WARNING, Level.ERROR)]


def codes(found: list[Found]) -> list[str]:
    return [str(one.places["code"]) if one.code == "config" else one.code for one in found]


async def test_full_read_only_and_out_of_names(tmp_path: Path, small: Path) -> None:
    data = small / "data"
    data.mkdir(0o700)
    assert codes(await seen(tmp_path, data)) == ["no_devices", "disk_low"]
    remount(small, "ro")
    found = await seen(tmp_path, data)
    assert codes(found) == ["no_devices", "disk_read_only", "disk_low"], "nobody is told to give the folder away"
    assert f"mount -o remount,rw {small}" in found[1].remedy(Texts("en"))
    remount(small, "rw")
    with suppress(OSError), (small / "others").open("wb", buffering=0) as others:
        while True:
            others.write(b"x" * 65536)
    found = await seen(tmp_path, data)
    assert codes(found) == ["no_devices", "disk_full"]
    assert f"du -xh -d1 {small}" in found[1].remedy(Texts("zh"))
    (small / "others").unlink()
    with suppress(OSError):
        for number in range(NAMES):
            (small / str(number)).touch()
    assert codes(await seen(tmp_path, data)) == ["no_devices", "disk_no_inodes"]
