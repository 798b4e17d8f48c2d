"""Faults of the box itself, planted one by one, and each found with its remedy: clock, disk, journal, agent, ports."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge import trial
from device_drivers.links.usb_address import UsbAddress
from device_drivers.links.usb_errors import UsbTrouble
from edge_agent import door
from edge_agent.clock.kernel import steady_s
from edge_agent.console.door import NoDoor
from edge_agent.findings import Word
from edge_agent.journal import opening
from edge_agent.settings import ClockPart, DevicePart, JournalPart
from edge_agent.texts import Texts, load
from edge_agent.upkeep.doctor import devices, disk, examine, ports, running, times
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import User, World
from tests.edge_agent.doctor.branch import NOBODY, Sick, ill

ME = User("me", os.geteuid(), frozenset({os.getegid()}))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Sick:
    one = Sick(tmp_path_factory.mktemp("begun"))
    one.begin()
    return one


@pytest.fixture
def sick(tmp_path: Path, begun: Sick) -> Sick:
    shutil.copytree(begun.data, tmp_path / "data")
    return Sick(tmp_path)


def part(sick: Sick, reserve_mib: int = 0) -> JournalPart:
    return JournalPart(folder=sick.data, reserve_mib=reserve_mib)


def on_disk(sick: Sick, user: User = ME, reserve_mib: int = 0) -> list[str]:
    return ill(list(disk.disk(part(sick, reserve_mib), user, sick.world)))


def in_journal(sick: Sick) -> list[str]:
    return ill(list(disk.journal(sick.data)))


async def of_clock(sick: Sick, clock: ClockPart = ClockPart(), grade: str = "") -> list[str]:
    return ill([one async for one in times.clock(clock, grade, sick.world)])


# -- clock -------------------------------------------------------------------------------------------------------------


def process(sick: Sick, pid: int, name: str, *open_files: Path) -> None:
    folder = sick.folder / "proc" / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text(f"{name}\n")
    for number, file in enumerate(open_files, 3):
        (folder / "fd" / str(number)).symlink_to(os.path.realpath(file))


async def test_a_clock_that_nobody_disciplines_and_one_that_is_not_there_yet(sick: Sick) -> None:
    assert await of_clock(sick) == []
    sick.senses["synchronised"] = lambda: False
    assert await of_clock(sick) == ["clock_no_service"]
    process(sick, 17, "chronyd")
    assert await of_clock(sick) == ["clock_unsynchronised"]


async def test_the_report_for_an_agent_that_may_not_ask_is_old(sick: Sick) -> None:
    report = sick.folder / "clock" / "synchronised"
    report.parent.mkdir()
    sick.senses["report"] = report
    assert await of_clock(sick) == ["clock_report"]
    report.write_text(f"{steady_s() - 31:.3f} 1\n")
    assert await of_clock(sick) == ["clock_report"]
    report.write_text(f"{steady_s() - 1:.3f} 1\n")
    assert await of_clock(sick) == []


async def test_a_time_server_that_is_not_there(sick: Sick) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    found = await of_clock(sick, ClockPart(source="lan", lan_server=f"127.0.0.1:{port}"))
    assert found == ["clock_lan_silent"]


async def test_an_agent_that_does_not_know_the_time(sick: Sick) -> None:
    assert await of_clock(sick, grade="unknown") == ["clock_grade"]
    assert await of_clock(sick, grade="synced") == []


# -- disk and journal --------------------------------------------------------------------------------------------------


def test_wrong_rights_of_the_folder_and_of_files_in_it(sick: Sick) -> None:
    assert on_disk(sick) == []
    assert on_disk(sick, NOBODY) == ["disk_rights", "disk_files"]
    sick.data.chmod(0o777)
    assert on_disk(sick, NOBODY) == ["disk_open_to_all", "disk_files"]
    assert on_disk(sick) == ["disk_open_to_all"]


def test_a_disk_that_is_full_low_read_only_or_has_no_names_left(sick: Sick) -> None:
    sick.room.f_bavail = 10
    assert on_disk(sick) == ["disk_full"]
    sick.room.f_bavail = 100 * 256
    assert on_disk(sick) == ["disk_low"]
    sick.room.f_bavail, sick.room.f_favail = 1024 * 1024, 0
    assert on_disk(sick) == ["disk_no_inodes"]
    sick.room.f_favail, sick.room.f_flag = 1, os.ST_RDONLY
    assert on_disk(sick) == ["disk_read_only"]


def test_a_reserve_that_was_given_up(sick: Sick) -> None:
    assert on_disk(sick, reserve_mib=32) == ["disk_reserve"]
    (sick.data / "reserve").touch()
    assert on_disk(sick, reserve_mib=32) == []


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert on_disk(Sick(tmp_path)) == ["disk_no_folder"]


def test_a_journal_from_a_newer_version(sick: Sick) -> None:
    assert in_journal(sick) == []
    with closing(sqlite3.connect(sick.data / opening.NAME)) as db:
        db.execute("PRAGMA user_version = 999")
    assert in_journal(sick) == ["journal_newer"]


@pytest.mark.parametrize("what", [b"", b"no database" * 1000])
def test_a_damaged_journal(sick: Sick, what: bytes) -> None:
    (sick.data / opening.NAME).write_bytes(what)
    assert in_journal(sick) == ["journal_damaged"]


def test_a_page_that_is_broken(sick: Sick) -> None:
    path = sick.data / opening.NAME
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 4096] = b"\xff" * 4096
    path.write_bytes(whole)
    assert in_journal(sick) == ["journal_damaged"]


def test_a_journal_that_was_put_aside(sick: Sick) -> None:
    (sick.data / f"{opening.UNREADABLE}1").touch()
    assert in_journal(sick) == ["journal_quarantined"]


# -- agent -------------------------------------------------------------------------------------------------------------

WELL = {
    "pid": 17,
    "versions": {"agent": "1"},
    "journal": {"store": "good", "adopted": True},
    "link": {"connected": True, "last_error": ""},
}


async def asked(sick: Sick, answer: Callable[[], dict[str, Any]]) -> running.Running:
    """With the lock held by somebody who has a door."""
    with (sick.data / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (sick.data / door.NAME).touch()
        return await running.agent("B1", sick.data, sick.data, sick.world, lambda folder, line: answer())


async def test_no_agent_and_a_door_that_was_left_behind(sick: Sick) -> None:
    assert ill(list((await running.agent("B1", sick.data, sick.data, sick.world)).found)) == ["agent_not_running"]
    (sick.data / door.NAME).touch()
    found = await running.agent("B1", sick.data, sick.data, sick.world)
    assert ill(list(found.found)) == ["agent_not_running", "agent_stale_door"]
    assert not found.held


async def test_looking_makes_no_lock_where_none_is(tmp_path: Path) -> None:
    assert not (await running.agent("B1", tmp_path, tmp_path, World())).held
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - one name in one folder


async def test_whoever_may_not_look_does_not_take_it_that_nobody_is_there(
    sick: Sick, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, **_: object) -> os.stat_result:
        if self.parent == sick.data:
            raise PermissionError(13, "Permission denied")
        return os.stat(self)  # noqa: PTH116 - its own stat is what is replaced

    def refuse_to_open(path: Path, *_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refuse)
        patch.setattr(os, "open", refuse_to_open)
        found = await running.agent("B1", sick.data, sick.data, sick.world)
        assert (ill(list(found.found)), found.held) == (["agent_unseen"], True)
        with running.kept_out(sick.data) as free:
            assert not free, "a device behind TCP would be asked beside the agent"
        assert in_journal(sick) == ["journal_unreadable"]
        assert on_disk(sick, reserve_mib=32) == []
        parts = [DevicePart(id="d", role="r", kind="crt591", address="memory://d")]
        assert devices.past_of(sick.data, parts)["d"].open_act == "?"


async def test_whoever_may_come_to_the_door_need_not_look_into_the_folder(
    sick: Sick, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    def shut(_: Path, __: bytes) -> dict[str, Any]:
        raise NoDoor("timed out", Word("os", "TimeoutError"))

    monkeypatch.setattr(Path, "exists", refuse)
    found = await running.agent("B1", sick.data, sick.data, sick.world, lambda _, __: WELL)
    assert (ill(list(found.found)), found.held, found.pid, found.unseen) == ([], True, WELL["pid"], False)
    for ask in (shut, lambda _, __: {"problem": "not_trusted"}):
        assert ill(list((await running.agent("B1", sick.data, sick.data, sick.world, ask)).found)) == ["agent_unseen"]


async def test_what_is_not_ours_to_look_into_is_no_damage(sick: Sick, monkeypatch: pytest.MonkeyPatch) -> None:
    unreadable = Found(Level.ERROR, "journal", "journal_unreadable", "x", {"why": "Permission denied"})
    monkeypatch.setattr(disk, "journal", lambda _: [unreadable])
    assert "journal_unreadable" in ill(await sick.look()), "root's own failure to read it stays one"
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = await sick.look()
    assert "journal_unseen" in [one.code for one in found if one.level is Level.NOTE]
    assert [code for code in ill(found) if code in ("journal_unreadable", "folder_not_writable")] == []


async def test_an_agent_that_hangs_has_no_door_or_will_not_tell(sick: Sick) -> None:
    def hang() -> dict[str, Any]:
        raise NoDoor("timed out", Word("os", "TimeoutError"))

    process(sick, 4711, "branchgate", sick.data / "lock")
    hung = await asked(sick, hang)
    assert (ill(list(hung.found)), hung.pid) == (["agent_hung"], 4711)
    assert ill(list((await asked(sick, lambda: {"problem": "unreadable"})).found)) == ["agent_refuses"]
    with (sick.data / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (sick.data / door.NAME).unlink()
        assert ill(list((await running.agent("B1", sick.data, sick.data, sick.world)).found)) == ["agent_no_door"]


async def test_a_command_that_somebody_runs_is_not_taken_for_an_agent(sick: Sick) -> None:
    process(sick, 4712, "python", sick.data / "lock")
    (sick.folder / "proc/4712/cmdline").write_bytes(b"python\0-m\0cli\0device\0probe\0card-1\0")
    found = await asked(sick, lambda: WELL)
    assert (ill(list(found.found)), found.held, found.pid) == (["agent_by_hand"], True, 4712)
    assert "branchgate device probe" in found.found[0].words(Texts("en"))
    assert "kill 4712" in found.found[0].remedy(Texts("zh"))


async def test_an_agent_that_is_well_and_one_that_is_not(sick: Sick) -> None:
    assert ill(list((await asked(sick, lambda: WELL)).found)) == []
    bad = {
        **WELL,
        "journal": {"store": "disk_full", "adopted": False},
        "link": {"connected": False, "last_error": "refused"},
    }
    assert ill(list((await asked(sick, lambda: bad)).found)) == ["agent_store", "agent_not_adopted", "agent_no_link"]


# -- ports -------------------------------------------------------------------------------------------------------------


def at(path: str | Path) -> list[DevicePart]:
    return [DevicePart(id="card-1", role="card-dispenser", kind="crt591", address=f"serial://{path}?baud=9600")]


def of_port(sick: Sick, path: str | Path, user: User = ME) -> list[str]:
    return ill(list(ports.ports(at(path), user, None, sick.world)))


def test_a_port_that_is_missing_or_none(sick: Sick) -> None:
    assert of_port(sick, "/dev/branchgate/port-nowhere") == ["port_missing"]
    assert of_port(sick, sick.config.parent / "proc") == ["port_no_device"]


def test_a_port_without_rights_and_one_that_another_process_holds(sick: Sick) -> None:
    near, far = pty.openpty()
    try:
        path = os.ttyname(far)
        assert of_port(sick, path) == []
        assert of_port(sick, path, NOBODY) == ["port_rights"]
        process(sick, 99, "ModemManager", Path(path))
        (found,) = [one for one in ports.ports(at(path), ME, None, sick.world) if one.level is Level.ERROR]
        assert (found.code, found.places["who"]) == ("port_held", "ModemManager (99)")
        assert ill(list(ports.ports(at(path), ME, 99, sick.world))) == [], "the agent may hold its own port"
        process(sick, 100, "branchgate", Path(path), Path("/dev/ptmx"))
        (found,) = [one for one in ports.ports(at(path), ME, None, sick.world) if one.level is Level.ERROR]
        assert found.places["who"] == "ModemManager (99)", "a simulator is the machine behind its own port"
    finally:
        os.close(near)
        os.close(far)


def on_usb(sick: Sick, alike: int | None, serial: str = "") -> list[str]:
    def look(address: UsbAddress) -> tuple[int, list[str]]:
        if alike is None:
            raise UsbTrouble("libusb is not installed")
        return alike, ["1d6b:0002"]

    sick.senses["usb"] = look
    device = DevicePart(id="receipt-1", role="receipt-printer", kind="escpos", address=f"usb://04b8:0e15{serial}")
    return ill(list(ports.ports([device], ME, None, sick.world)))


def test_a_printer_that_is_not_plugged_in_or_has_a_twin(sick: Sick) -> None:
    assert on_usb(sick, 1) == []
    assert on_usb(sick, 0) == ["usb_missing"]
    assert on_usb(sick, 2) == ["usb_alike"]
    assert on_usb(sick, 2, "?serial=X1") == []
    assert on_usb(sick, None) == ["usb_unreadable"]


def test_a_name_that_wanders(sick: Sick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "WANDERS", ("/dev/null",))
    assert of_port(sick, "/dev/null") == ["port_wanders"]


async def test_nobody_is_told_to_give_a_folder_away_to_whoever_looks(
    sick: Sick, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen = Found(Level.ERROR, "agent", "agent_unseen", "f", {"why": "no"})

    async def not_seen(*_: object) -> running.Running:
        return running.Running(True, found=(unseen,))

    stranger = User("me", os.geteuid(), frozenset())
    monkeypatch.setattr(User, "may", lambda self, there, wanted: False)
    sick.senses["user"] = lambda pid: stranger
    assert "disk_rights" in ill(await sick.look())
    monkeypatch.setattr(running, "agent", not_seen)
    assert "disk_rights" not in ill(await sick.look())


# -- configuration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("[orders]\nmax_opne = 3", "not_known"),
        ("[link]\nhost = '192.0.2.7'", "host_elsewhere"),
        ("[link]\nhost = 'no-such-host.invalid'", "host_unknown"),
    ],
)
async def test_a_mistake_of_the_configuration_ends_the_look(sick: Sick, more: str, code: str) -> None:
    areas: list[str] = []
    text = sick.write().read_text()
    sick.config.write_text((text if "link" not in more else text.partition("[link]")[0]) + more)
    found = [one async for one in examine.examine(sick.config, Texts("en"), areas.append, sick.world)]
    assert (ill(found), areas) == ([code], ["config"])
    assert found[-1].code == "config_ends_here"


async def test_a_password_that_cannot_be_read_leaves_the_rest_to_be_looked_at(sick: Sick) -> None:
    """The look once ended at the broker, as an error that nobody foresaw: no device was asked."""
    sick.link = 'username = "u"\npassword_file = "nowhere"'
    areas: list[str] = []
    found = await sick.look(areas.append)
    assert {"password_file", "agent_not_running"} < set(ill(found))
    assert [one.code for one in found if one.area == "broker"] == ["broker_untried"]
    assert tuple(areas) == examine.AREAS


@pytest.mark.parametrize("why", [errno.ENAMETOOLONG, errno.EACCES])
async def test_a_folder_whose_path_cannot_be_looked_at_ends_no_look(
    sick: Sick, why: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of one with a name of 300 letters, or below a folder that is closed to whoever looks."""
    sick.folder /= "closed"
    sick.folder.mkdir()
    stat = os.stat

    def closed(path: Any, **more: Any) -> os.stat_result:
        if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(sick.data):
            raise OSError(why, os.strerror(why), str(path))
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", closed)
    found = await sick.look()
    assert "disk_no_journal_yet" in [one.code for one in found]
    assert "broker_tcp" in ill(found)


def test_every_step_of_the_trial_and_every_finding_has_words() -> None:
    sources = [*Path(examine.__file__).parent.glob("*.py"), Path(trial.__file__)]
    words = {code for path in sources for code in re.findall(r'"((?:\w+_)+\w+)"', path.read_text("utf-8"))}
    known = {key.partition(".")[2] for key in load("en") if key.startswith("doctor.")}
    made = {f"{code}{end}" for code in ("broker_tcp", "broker_tls") for end in ("", "_silent", "_good")}
    plain = {"config"}
    assert known - words - made - plain == set(), "words of findings that nothing finds"
