"""The Debian package in each Debian it is for: installed, at work, upgraded, removed and purged, with its data kept.

Needs root, debootstrap, lintian and a mirror (that of this box's own apt); says so where one is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud_bridge.client import Scheduler
from tests.broker import Broker
from tests.ports import free_port

pytestmark = [
    pytest.mark.torture,
    pytest.mark.process,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may chroot"),
    pytest.mark.skipif(shutil.which("debootstrap") is None, reason="no debootstrap: apt-get install debootstrap"),
]
ROOT = Path(__file__).parents[2]
LIMIT_S = 900
READY_S = 60.0
OLD, NEW = "0.0.1", "0.0.2"
SUITES = {"bookworm": "3.11", "noble": "3.12", "trixie": "3.13"}  # Debian 12, Ubuntu 24.04, Debian 13: their own Python
BESIDE = "python3,libusb-1.0-0,systemd,init-system-helpers"
SHELLS = (
    "bash-completion/completions/branchgate",
    "zsh/vendor-completions/_branchgate",
    "fish/vendor_completions.d/branchgate.fish",
)
AARCH64 = 183  # e_machine of ELF
HOME, DATA = "usr/lib/branchgate", "var/lib/branchgate"


def _run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


@functools.cache
def _build(arch: str, version: str) -> Path:
    environment = {**os.environ, "BRANCHGATE_VERSION": version}
    subprocess.run([ROOT / "scripts" / "deb", arch], env=environment, check=True, timeout=LIMIT_S)
    return ROOT / "dist" / f"branchgate_{version}_{arch}.deb"


def _mirror(suite: str) -> str:
    """Where this box's own apt has that suite from, or others of its maker; empty where it knows none."""
    maker = "Ubuntu" if suite == "noble" else "Debian"
    told = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Origin: {maker}")
    return next((line for line in told.splitlines() if "security" not in line), "")


class Chroot:
    """A Debian in a folder, with the network of this box and nothing running."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        self.python = python

    def run(self, *command: str) -> str:
        return _run("chroot", self.folder, *command)

    def install(self, package: Path) -> str:
        shutil.copy(package, self.folder / "tmp")
        return self.run("dpkg", "-i", f"/tmp/{package.name}")


@pytest.fixture(scope="module", params=sorted(SUITES))
def debian(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroot]:
    suite = str(request.param)
    mirror = _mirror(suite)
    if not mirror or not Path("/usr/share/debootstrap/scripts", suite).exists():
        pytest.skip(f"no mirror that this box's apt uses has {suite}")
    folder = tmp_path_factory.mktemp(suite)
    folder.chmod(0o755)  # its root folder, which is not only root's
    try:
        try:
            _run("debootstrap", "--variant=minbase", f"--include={BESIDE}", suite, folder, mirror)
        except AssertionError as error:
            if "Release" not in str(error):  # it has no such suite: not the package's fault
                raise
            pytest.skip(f"{mirror} has no {suite}")
        _run("mount", "-t", "proc", "proc", folder / "proc")
        yield Chroot(folder, SUITES[suite])
    finally:
        subprocess.run(["umount", folder / "proc"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def _at_work(debian: Chroot, broker: Broker, machine: int) -> AsyncIterator[Scheduler]:
    """The installed agent as its own user, the installed simulator as its machine, and a scheduler of ours."""
    (debian.folder / "etc/branchgate/branch.toml").write_text(
        f"""
[branch]
id = "B0001"
name = "样板网点"
[link]
host = "127.0.0.1"
port = {broker.port}
[journal]
folder = "/{DATA}"
adoption = "automatic"
reserve_mib = 1
[clock]
source = "host"
[[device]]
id = "card-1"
kind = "crt591"
role = "card-dispenser"
address = "tcp://127.0.0.1:{machine}"
[device.profile]
act_max_s = 0.3
drain_s = 0.0
""",
        encoding="utf-8",
    )
    debian.run("chown", "-R", "branchgate:branchgate", "/etc/branchgate")
    simulated = ("simulate", "crt591", "--listen", f"tcp:127.0.0.1:{machine}", "--device", "card-1")
    files = ("--ledger", "/tmp/ledger.jsonl", "--state", "/tmp/card-1.json", "--options", '{"act_s": 0.1}')
    agent = ("agent", "--config", "/etc/branchgate/branch.toml")
    async with contextlib.AsyncExitStack() as stack:
        for user, words in (("root", (*simulated, *files)), ("branchgate", agent)):
            await stack.enter_async_context(_started(debian, user, *words))
        scheduler = await stack.enter_async_context(
            Scheduler("127.0.0.1", broker.port, name="torture", branch="B0001", watch={"session"})
        )
        async with asyncio.timeout(READY_S):
            await anext(aiter(scheduler.messages()))
        yield scheduler


@contextlib.asynccontextmanager
async def _started(debian: Chroot, user: str, *words: str) -> AsyncIterator[None]:
    command = ("chroot", f"--userspec={user}", str(debian.folder), "/usr/bin/branchgate", *words)
    process = await asyncio.create_subprocess_exec(*command, cwd="/")
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _ended(scheduler: Scheduler, order: str) -> str:
    async with asyncio.timeout(READY_S):
        while True:
            reply = await scheduler.orders(order=order)
            state = str((reply.result or {}).get("orders", [{}])[0].get("state"))
            if state in {"completed", "failed"}:
                return state
            await asyncio.sleep(0.2)


async def test_installed_at_work_upgraded_and_removed_with_its_data_kept(debian: Chroot, tmp_path: Path) -> None:
    arch = _run("dpkg", "--print-architecture").strip()
    said = debian.install(_build(arch, OLD))
    assert "write /etc/branchgate/branch.toml" in said
    assert f"python {debian.python}." in debian.run("branchgate", "--version")
    assert _enabled(debian) == [True, True]
    assert [one for one in SHELLS if not (debian.folder / "usr/share" / one).stat().st_size] == []
    _another_python_comes(debian)
    debian.run("install", "-d", "-o", "branchgate", "-g", "branchgate", "-m", "0700", f"/{DATA}")
    with Broker(tmp_path) as broker:
        machine = free_port()
        async with _at_work(debian, broker, machine) as scheduler:
            await scheduler.submit("collect_card", {"take_s": 5}, order="before")
            assert await _ended(scheduler, "before") == "completed"
        debian.run("branchgate", "check", "/etc/branchgate/branch.toml")
        kept = (debian.folder / "etc/branchgate/branch.toml").read_text("utf-8")
        debian.install(_build(arch, NEW))
        assert (debian.folder / "etc/branchgate/branch.toml").read_text("utf-8") == kept
        async with _at_work(debian, broker, machine) as scheduler:
            assert await _ended(scheduler, "before") == "completed", "the journal outlives an upgrade"
            await scheduler.submit("collect_card", {"take_s": 5}, order="after")
            assert await _ended(scheduler, "after") == "completed"
    debian.run("branchgate", "journal", "verify", f"/{DATA}")
    debian.run("systemctl", "disable", "branchgate-clock.service")
    debian.run("dpkg", "--remove", "branchgate")
    assert not (debian.folder / HOME).exists(), "compiled modules are left"
    assert not (debian.folder / "usr/bin/branchgate").exists()
    assert list((debian.folder / DATA).glob("journal*"))
    debian.install(_build(arch, NEW))
    assert _enabled(debian) == [True, False], "as it was before"
    debian.run("dpkg", "--remove", "branchgate")
    assert "are kept" in debian.run("dpkg", "--purge", "branchgate")
    assert list((debian.folder / DATA).glob("journal*"))
    debian.install(_build(arch, NEW))
    assert _enabled(debian) == [True, True], "as on a fresh box"


def _enabled(debian: Chroot) -> list[bool]:
    units, wanted = debian.folder / "etc/systemd/system", "multi-user.target.wants"
    names = ("branchgate.service", "branchgate-clock.service")
    assert [name for name in names if (units / name).is_symlink()] == [], "masked"
    return [(units / wanted / name).is_symlink() for name in names]


def _another_python_comes(debian: Chroot) -> None:
    """The unit sees /usr read-only: modules for a Python that came later are compiled when dpkg tells of it."""
    shared = debian.folder / HOME / "shared"
    for compiled in shared.glob("__pycache__/*.pyc"):
        compiled.unlink()
    debian.run("dpkg-trigger", "--by-package=python3", f"/usr/bin/python{debian.python}")
    debian.run("dpkg", "--triggers-only", "branchgate")
    assert list(shared.glob(f"__pycache__/cli.cpython-{debian.python.replace('.', '')}.pyc"))


def test_lintian_finds_nothing() -> None:
    if shutil.which("lintian") is None:
        pytest.skip("no lintian: apt-get install lintian")
    package = _build(_run("dpkg", "--print-architecture").strip(), OLD)
    command = ["lintian", "--allow-root", "--fail-on", "error,warning", str(package)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert said.returncode == 0, said.stdout
    assert [line for line in said.stdout.splitlines() if line[:2] in {"E:", "W:"}] == []


def test_it_is_refused_where_no_environment_of_it_fits() -> None:
    told = _run("dpkg-deb", "--field", _build(_run("dpkg", "--print-architecture").strip(), OLD), "Depends")
    for python in ("3.10", "3.11", "3.13", "3.14"):
        fits = all(
            subprocess.run(["dpkg", "--compare-versions", python, *wanted], check=False).returncode == 0
            for wanted in (part[9:-1].split() for part in told.split(", ") if part.startswith("python3 ("))
        )
        assert fits == (python in {"3.11", "3.13"}), told


def test_the_package_of_the_other_machine_holds_only_its_binaries(tmp_path: Path) -> None:
    _run("dpkg-deb", "--extract", _build("arm64", OLD), tmp_path)
    binaries = list(tmp_path.rglob("*.so*"))
    assert binaries
    for binary in binaries:
        assert int.from_bytes(binary.read_bytes()[18:20], "little") == AARCH64, binary
