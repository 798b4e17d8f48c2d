"""The document printer as a process: killed in the middle of a job and begun again, the job goes on; one sheet."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from device_drivers.device import Json, Outcome
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from simulators.ledger import read_ledger
from tests.peers.test_ipp import Branch
from tests.ports import free_port

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]


async def printer(folder: Path, port: int) -> asyncio.subprocess.Process:
    """The simulator's process once it listens."""
    command = [sys.executable, "-m", "simulators.serve", "ipp", "--listen", f"tcp:127.0.0.1:{port}", "--device", "a4-1"]
    command += ["--ledger", str(folder / "ledger.jsonl"), "--state", str(folder / "a4-1.json")]
    command += ["--options", '{"page_s": 2.0, "begin_s": 0.4}']
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(120):
        assert await process.stdout.readline() == f"ready ipp://127.0.0.1:{port}/ipp/print\n".encode()
    return process


@pytest.mark.rule("PHY-2")
async def test_killed_in_the_middle_of_a_job_the_printer_goes_on_and_the_job_is_found_again(tmp_path: Path) -> None:
    port = free_port()
    process = await printer(tmp_path, port)
    try:
        branch = Branch(tmp_path, f"ipp://127.0.0.1:{port}/ipp/print")
        driver, params = await branch.driver(), branch.params("O-17/print/1")
        arming = await branch.arm(driver, params)
        sending, remember = asyncio.Event(), branch.notebook.remember

        async def told(memory: Mapping[str, Json]) -> None:
            await remember(memory)
            sending.set()

        branch.notebook.remember = told  # type: ignore[method-assign]
        acting = asyncio.create_task(driver.act("print_document", params, arming))
        await sending.wait()
        while "job-printing" not in (tmp_path / "a4-1.json").read_text():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        process.kill()
        await process.wait()
        with pytest.raises(OutcomeUnknown):
            await acting
        with pytest.raises(DeviceUnavailable):
            await branch.driver()
        process = await printer(tmp_path, port)
        verdict = await (await branch.driver()).reconcile("print_document", params, arming)
        assert (verdict.outcome, verdict.facts["evidence"]) == (Outcome.DONE, "printed")
    finally:
        process.kill()
        await process.wait()
    (sheet,) = [line["detail"] for line in read_ledger(tmp_path / "ledger.jsonl") if line["act"] == "sheet_out"]
    assert (sheet["attempts"], sheet["pages_done"]) == (["O-17/print/1"], 2)
