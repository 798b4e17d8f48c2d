"""SIGKILL cannot tell synchronous=FULL from OFF; traced system calls show the journal on disk before each motion."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import LEAVES, Branch
from tests.harness.nursery import ROOT
from tests.harness.scheduler import REACH_S
from tests.harness.trace import CALLS, Motion, read_motions

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt-get install strace"),
]


async def traced(branch: Branch, bug: str | None, folder: Path) -> list[Motion]:
    """One order left standing (drawn, presented, captured) by an agent under strace; its motions."""
    trace = folder / "trace"
    words = json.dumps({"config": str(branch.config), "bug": bug})
    options = ["-f", "-y", "-s", "100000", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(trace)]
    with (folder / "agent.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "strace", *options, sys.executable, "-m", "tests.harness.alone", words, cwd=ROOT, stdout=log, stderr=log
        )
        try:
            await branch.born()
            assert await branch.serve("a", take_s=1) == "failed"
            await branch.verdict()
        finally:
            end_traced(process.pid)
            async with asyncio.timeout(REACH_S):
                await process.wait()
    line = branch.card.tty.readlink()
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    return read_motions(lines, "a", f"<{line}")


def end_traced(strace: int) -> None:
    """SIGTERM to the traced agent; strace ends with it."""
    children = Path(f"/proc/{strace}/task/{strace}/children").read_text(encoding="ascii").split()
    for child in children or [str(strace)]:
        os.kill(int(child), signal.SIGTERM)


@pytest.mark.rule("ORD-4")
async def test_the_journal_is_on_disk_before_each_motion_frame(make_branch: BranchMaker, tmp_path: Path) -> None:
    branch = await make_branch(customer=LEAVES)
    motions = await traced(branch, None, tmp_path)
    assert [motion.step for motion in motions] == ["draw", "present", "draw.undo"]
    assert all(motion.safe for motion in motions), motions


async def test_a_journal_that_does_not_wait_for_the_disk_is_caught(make_branch: BranchMaker, tmp_path: Path) -> None:
    branch = await make_branch(customer=LEAVES)
    motions = await traced(branch, "commit_without_sync", tmp_path)
    assert [motion.step for motion in motions] == ["draw", "present", "draw.undo"]
    assert all(motion.logged is not None for motion in motions), "the attempts were written, only not waited for"
    assert not any(motion.safe for motion in motions), motions
