"""Opening a journal: one agent at a time, never a newer file, each version whole, and what is damaged is kept."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import opening
from edge_agent.journal.journal import CommitHooks, Journal, JournalLocked, JournalUnusable
from tests.edge_agent.journal.gate import events, handles, opened, threads

NAME = "journal.sqlite3"
ROOT = Path(__file__).parents[3]


async def filled(folder: Path) -> str:
    """A closed journal with some content; its id."""
    async with opened(folder) as journal:
        for n in range(200):
            journal.post(lambda tx, n=n: tx.emit(f"t{n}", None, {"text": "x" * 200}))  # type: ignore[misc]
        return journal.id


def shape(folder: Path) -> tuple[int, list[str]]:
    """Version and tables of a closed journal, seen from outside."""
    db = sqlite3.connect(folder / NAME)
    try:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return db.execute("PRAGMA user_version").fetchone()[0], tables
    finally:
        db.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.rule("ENV-2")
async def test_a_journal_keeps_its_id_and_counts_its_starts(tmp_path: Path) -> None:
    ids, epochs = set(), []
    for start in range(3):
        async with opened(tmp_path / "new" / "folder") as journal:
            ids.add(journal.id)
            epochs.append(journal.epoch)
            assert journal.is_new is (start == 0)
            await journal.write(lambda tx: tx.emit("started", None, {}))
    assert (len(ids), epochs) == (1, [1, 2, 3])


DYING = """
import asyncio, os, sqlite3, sys
from pathlib import Path
from edge_agent.journal import opening
from edge_agent.journal.journal import Journal

left, real = [int(sys.argv[2])], sqlite3.connect

class Counted(sqlite3.Connection):
    def _count(self):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
    def execute(self, *given):
        done = super().execute(*given)
        self._count()
        return done
    def executescript(self, *given):
        done = super().executescript(*given)
        self._count()
        return done

sqlite3.connect = lambda *given, **more: real(*given, **{**more, "factory": Counted})
asyncio.run(Journal.open(Path(sys.argv[1])))
"""


@pytest.mark.rule("ORD-12")
@pytest.mark.parametrize("statements", range(8))
async def test_a_first_start_that_dies_leaves_no_journal_that_looks_lost(tmp_path: Path, statements: int) -> None:
    command = [sys.executable, "-c", DYING, str(tmp_path), str(statements)]
    died = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    assert await died.wait() == 9
    async with opened(tmp_path) as journal:
        assert (journal.is_new, journal.quarantined, journal.orphans) == (True, False, [])


# -- one at a time -----------------------------------------------------------------------------------------------------


async def test_a_second_agent_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    async with opened(tmp_path):
        for _ in range(2):
            with pytest.raises(JournalLocked, match=str(tmp_path)):
                await Journal.open(tmp_path)
    async with opened(tmp_path):
        pass


OPEN_IT = """
import asyncio, sys
from pathlib import Path
from edge_agent.journal.journal import Journal, JournalLocked

async def main():
    try:
        journal = await Journal.open(Path(sys.argv[1]))
    except JournalLocked:
        print("locked", flush=True)
        return
    print("open", flush=True)
    sys.stdin.read()
    await journal.close()

asyncio.run(main())
"""


def another(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPEN_IT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.process
async def test_another_process_is_refused_too_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with another(tmp_path) as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "locked\n"
    with another(tmp_path) as second:
        assert second.stdout is not None
        assert second.stdout.readline() == "open\n"
        with pytest.raises(JournalLocked):
            await Journal.open(tmp_path)
        second.kill()
    async with opened(tmp_path):
        pass


# -- versions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
async def test_a_newer_journal_is_refused_and_left_as_it_is(tmp_path: Path, mode: str) -> None:
    await filled(tmp_path)
    db = sqlite3.connect(tmp_path / NAME)
    db.execute("PRAGMA user_version = 99")
    db.execute(f"PRAGMA journal_mode = {mode}")
    db.close()
    before = contents(tmp_path)
    files = handles()
    for _ in range(2):  # the second time shows that the first left no lock behind
        with pytest.raises(JournalUnusable, match=r"version 99.*install the newer agent"):
            await Journal.open(tmp_path)
    assert contents(tmp_path) == before
    assert (handles(), threads()) == (files, [])


@pytest.mark.parametrize(
    "bad", ["CREATE TABLE a (x); CREATE TABLE a (x);", "CREATE TABLE a (x); INSERT INTO meta VALUES ('journal', '');"]
)
async def test_each_migration_is_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    id_ = await filled(tmp_path)
    first = opening.migrations()
    before = shape(tmp_path)
    monkeypatch.setattr(opening, "migrations", lambda: [*first, "CREATE TABLE b (x);", bad, "CREATE TABLE c (x);"])
    with pytest.raises(JournalUnusable):
        await Journal.open(tmp_path)
    version, tables = shape(tmp_path)
    assert version == len(first) + 1, "what came before the bad one stands"
    assert tables == sorted([*before[1], "b"]), "and nothing of the bad one"
    good = "CREATE TABLE a (x); INSERT INTO a SELECT count(*) FROM outbox;"
    monkeypatch.setattr(opening, "migrations", lambda: [*first, "CREATE TABLE b (x);", good])
    async with opened(tmp_path) as journal:
        assert journal.id == id_
        assert await journal.read(lambda tx: tx.all("SELECT x FROM a")[0][0]) == 200
    assert shape(tmp_path)[0] == len(first) + 2


MIGRATE_AND_DIE = """
import os, signal, sqlite3, sys
from pathlib import Path
from edge_agent.journal import opening

class Dying(sqlite3.Connection):
    def executescript(self, sql):
        left = [int(os.environ["STEPS"])]
        def step():
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        self.set_progress_handler(step, 10)
        return super().executescript(sql)

connect = sqlite3.connect
sqlite3.connect = lambda *a, **k: connect(*a, factory=Dying, **k)
for steps in range(0, 60, 4):
    folder = Path(sys.argv[1]) / str(steps)
    folder.mkdir()
    pid = os.fork()
    if not pid:
        os.environ["STEPS"] = str(steps)
        opening.open_database(folder / "journal.sqlite3").close()
        os._exit(0)
    print(steps, os.waitpid(pid, 0)[1], flush=True)
"""


def die_while_migrating(folder: Path) -> str:
    command = [sys.executable, "-c", MIGRATE_AND_DIE, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.process
async def test_a_migration_that_is_killed_is_whole_or_nothing(tmp_path: Path) -> None:
    told = die_while_migrating(tmp_path)
    killed = [line.split()[0] for line in told.splitlines() if line.endswith(" 9")]
    assert len(killed) > 5, told
    seen = set()
    for steps in killed:
        version, tables = shape(tmp_path / steps)
        assert (version == 0) == (not tables), f"killed after {steps} steps: version {version} with {tables}"
        seen.add(version)
        async with opened(tmp_path / steps) as journal:
            assert journal.is_new
    assert 0 in seen


# -- damage ------------------------------------------------------------------------------------------------------------


def _noise(at: int, size: int) -> Callable[[bytes], bytes]:
    return lambda good: good[:at] + random.Random(at).randbytes(size) + good[at + size :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "random bytes": lambda good: random.Random(1).randbytes(len(good)),
    "few random bytes": lambda good: random.Random(2).randbytes(600),
    "nothing left": lambda good: b"",
    "header cut": lambda good: good[:50],
    "first page only": lambda good: good[:4096],
    "half": lambda good: good[: len(good) // 2],
    "magic": _noise(0, 16),
    "page size": _noise(16, 8),
    "schema page": _noise(100, 200),
    "a page deep inside": _noise(8192, 4096),
    "another kind of file": lambda good: b"# not a database\n" * 300,
}


@pytest.mark.rule("ORD-12")
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_a_damaged_journal_is_kept_aside_and_a_new_one_begun(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    old = await filled(tmp_path)
    bad = damage((tmp_path / NAME).read_bytes())
    (tmp_path / NAME).write_bytes(bad)
    async with opened(tmp_path) as journal:
        assert (journal.quarantined, journal.is_new) == (True, True)
        assert journal.id != old
        assert await journal.write(lambda tx: tx.emit("created", None, {})) == 1
    assert (tmp_path / f"{NAME}.unreadable-1").read_bytes() == bad
    async with opened(tmp_path) as journal:
        assert (journal.quarantined, journal.is_new) == (False, False), "told once"
        assert await journal.read(events) == [(1, "created")]


async def test_every_damaged_file_is_kept_under_a_name_of_its_own(tmp_path: Path) -> None:
    for n in range(1, 13):
        (tmp_path / NAME).write_bytes(f"damage {n} ".encode() * 500)
        async with opened(tmp_path):
            pass
        if n == 2:
            (tmp_path / f"{NAME}.unreadable-1").unlink()  # somebody took it away to look at it
    kept = {name: raw.split(b" d")[0].decode() for name, raw in contents(tmp_path).items() if "unreadable" in name}
    assert kept == {f"{NAME}.unreadable-{n}": f"damage {n}" for n in range(2, 13)}


async def test_a_log_of_writes_goes_aside_with_its_damaged_file(tmp_path: Path) -> None:
    await filled(tmp_path)
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"{NAME}{suffix}").write_bytes(b"damage" * 1000)
    async with opened(tmp_path) as journal:
        assert journal.quarantined
        await journal.write(lambda tx: tx.emit("created", None, {}))
    assert (tmp_path / f"{NAME}.unreadable-1").read_bytes() == b"damage" * 1000
    assert not [name for name in contents(tmp_path) if name.startswith(f"{NAME}-")]


async def test_a_quarantine_cut_in_half_is_finished_by_the_next_start(tmp_path: Path) -> None:
    """The database went aside, its log did not: SQLite gives the log up, and the quarantine is still told."""
    async with opened(tmp_path) as journal:
        await journal.write(lambda tx: tx.emit("old", None, {}))
        wal = (tmp_path / f"{NAME}-wal").read_bytes()
    (tmp_path / NAME).rename(tmp_path / f"{NAME}.unreadable-1")
    (tmp_path / f"{NAME}-wal").write_bytes(wal)
    async with opened(tmp_path) as journal:
        assert (journal.is_new, journal.quarantined) == (True, True)
        assert await journal.read(events) == []


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), holes=st.integers(1, 6), cut=st.booleans())
def test_any_damage_is_opened_quarantined_or_refused_with_a_reason(
    tmp_path: Path, whole: Path, seed: int, holes: int, cut: bool
) -> None:
    dice = random.Random(seed)
    raw = bytearray(whole.read_bytes())
    for _ in range(holes):
        at, size = dice.choice((dice.randrange(200), dice.randrange(len(raw)))), dice.choice((1, 8, 600))
        raw[at : at + size] = dice.randbytes(len(raw[at : at + size]))
    if cut:
        del raw[dice.randrange(len(raw)) :]
    for file in tmp_path.iterdir():
        file.unlink()
    (tmp_path / NAME).write_bytes(raw)
    reason = str(tmp_path)
    try:
        opening.open_database(tmp_path / NAME).close()
    except opening.Unreadable as why:
        opening.quarantine(tmp_path, why)
        assert (tmp_path / f"{NAME}.unreadable-1").read_bytes() == raw
        opening.open_database(tmp_path / NAME).close()
    except JournalUnusable as refused:
        reason = str(refused)
    assert reason.startswith(str(tmp_path))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound journal with some rows, closed."""
    path = tmp_path_factory.mktemp("whole") / NAME
    db = opening.open_database(path)
    rows = [("t", "2026-01-01T00:00:00Z", "x" * 300) for _ in range(100)]
    db.executemany("INSERT INTO outbox (type, time, data) VALUES (?, ?, ?)", rows)
    db.close()
    return path


# -- no rights, no room ------------------------------------------------------------------------------------------------


@pytest.fixture
def powerless() -> Iterator[Path]:
    """A folder where this process may only read, whoever runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="branchgate-ro-"))
    folder.chmod(0o555)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # root writes anywhere
    try:
        yield folder
    finally:
        os.seteuid(me)
        folder.chmod(0o755)
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


async def test_a_folder_without_rights_is_named_with_the_reason(powerless: Path) -> None:
    files = handles()
    for folder in (powerless, powerless / "below"):
        with pytest.raises(JournalUnusable, match=rf"{folder}.*Permission denied"):
            await Journal.open(folder)
    assert (handles(), threads()) == (files, [])


async def test_a_database_without_rights_is_named_with_the_reason(powerless: Path) -> None:
    me, folder = os.geteuid(), powerless
    os.seteuid(os.getuid())
    for name in ("lock", "armed.ring"):
        (folder / name).touch()
        (folder / name).chmod(0o666)
    sqlite3.connect(folder / NAME).executescript("CREATE TABLE x (y)").connection.close()
    (folder / NAME).chmod(0o444)
    os.seteuid(me)
    for _ in range(2):
        with pytest.raises(JournalUnusable, match=f"{NAME}.*(readonly|unable to open)"):
            await Journal.open(folder)
    assert not [name for name in contents(folder) if "unreadable" in name], "what we may not write is not damaged"


async def test_a_file_in_place_of_the_folder_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(JournalUnusable, match=r"File exists|Not a directory"):
            await Journal.open(folder)


async def test_a_store_that_fails_at_the_first_write_is_closed_again(tmp_path: Path) -> None:
    def dead() -> None:
        raise OSError(28, "No space left on device")

    for _ in range(2):
        with pytest.raises(JournalUnusable, match="No space left") as refused:
            await Journal.open(tmp_path, CommitHooks(before=dead))
        assert isinstance(refused.value.__cause__, StoreFailed)
        assert threads() == []
    async with opened(tmp_path) as journal:
        assert journal.is_new


async def test_a_journal_without_its_tables_is_refused_with_a_reason(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / NAME).executescript("CREATE TABLE x (y); PRAGMA user_version = 1;").connection.close()
    with pytest.raises(JournalUnusable, match="no such table"):
        await Journal.open(tmp_path)
    assert threads() == []
