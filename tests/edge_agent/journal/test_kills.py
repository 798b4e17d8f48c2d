"""Processes that write and are killed, or whose disk is full: what was acknowledged is there, whole and in order."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge_agent.journal.gate import opened

WRITE = """
import asyncio, os, sys
from pathlib import Path
from edge_agent.journal.journal import Journal

async def main():
    journal = await Journal.open(Path(sys.argv[1]))
    journal.post(lambda tx: tx.do("CREATE TABLE IF NOT EXISTS acks (seq INTEGER PRIMARY KEY, writer, n, run)"))
    run = sys.argv[2]

    def work(tx, writer, n):
        seq = tx.emit("e", None, {"writer": writer, "n": n, "run": run})
        tx.do("INSERT INTO acks VALUES (?, ?, ?, ?)", seq, writer, n, run)
        if n % 5 == 4:
            raise ValueError
        return seq

    async def write(writer):
        n = 0
        while True:
            try:
                seq = await journal.write(lambda tx: work(tx, writer, n))
            except ValueError:
                pass
            else:
                os.write(1, b"%d %d %d\\n" % (seq, writer, n))
            n += 1

    await asyncio.gather(*(write(w) for w in range(8)))

asyncio.run(main())
"""


Ack = tuple[int, int, int, int]  # seq, writer, n, run


def write_until_killed(folder: Path, run: int, wanted: int) -> list[Ack]:
    """Everything that a process was told to be on disk before it was killed, just after the `wanted`-th."""
    with subprocess.Popen([sys.executable, "-c", WRITE, str(folder), str(run)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(wanted)]
        child.send_signal(signal.SIGKILL)
        lines += [line for line in child.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
    assert child.returncode == -signal.SIGKILL
    numbers = [[int(word) for word in line.split()] for line in lines]
    return [(seq, writer, n, run) for seq, writer, n in numbers]


@pytest.mark.process
@pytest.mark.rule("INS-2")
@pytest.mark.parametrize("seed", range(4))
async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    acknowledged: list[Ack] = []
    for run in range(2):
        acknowledged += write_until_killed(tmp_path, run, dice.randint(1, 3000))
    async with opened(tmp_path) as journal:
        rows = await journal.read(lambda tx: [tuple(row) for row in tx.all("SELECT * FROM acks ORDER BY seq")])
        last = await journal.read(lambda tx: tx.last_seq())
        count = await journal.read(lambda tx: tx.all("SELECT count(*) FROM outbox")[0][0])
    there = {(seq, writer, n, int(run)) for seq, writer, n, run in rows}
    assert set(acknowledged) <= there
    assert [row[0] for row in rows] == list(range(1, last + 1)), "the numbers of events have no gap"
    assert count == last
    for run in range(2):
        for writer in range(8):
            mine = [n for _, w, n, r in rows if (w, int(r)) == (writer, run)]
            assert mine == [n for n in range(len(mine) * 2) if n % 5 != 4][: len(mine)], "in the order of asking"


FILL = """
import asyncio, resource, sys
from pathlib import Path
from cloud_bridge.ports import StoreFailed
from edge_agent.journal.journal import Journal

async def main():
    journal = await Journal.open(Path(sys.argv[1]))
    kept = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
    failed = 0
    for n in range(200):
        try:
            kept.append(await journal.write(lambda tx: tx.emit("e", None, {"text": "x" * 20_000})))
        except StoreFailed as error:
            failed += 1
            why = str(error)
    assert failed, "the disk was never full"
    assert not journal._db.in_transaction
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for n in range(10):
        kept.append(await journal.write(lambda tx: tx.emit("e", None, {})))
    there = await journal.read(lambda tx: [row[0] for row in tx.all("SELECT seq FROM outbox ORDER BY seq")])
    assert kept == there == list(range(1, len(kept) + 1)), (kept, there)
    await journal.close()
    print("failed", failed, why)

asyncio.run(main())
"""


def fill(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FILL, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.process
async def test_a_disk_that_is_full_for_a_while_is_survived(tmp_path: Path) -> None:
    """Real write errors of the system: a file may not grow any more, then it may again."""
    done = fill(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "failed" in done.stdout
    assert "cannot write" in done.stdout
    async with opened(tmp_path) as journal:
        assert not journal.quarantined
        assert await journal.read(lambda tx: tx.all("PRAGMA integrity_check")[0][0]) == "ok"
