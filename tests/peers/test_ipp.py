"""Our driver prints on somebody else's printer, somebody else's client on our simulated one (both CUPS)."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import Arming, Json, Outcome
from device_drivers.errors import DeviceRefused, OutcomeUnknown
from device_drivers.ipp.driver import DocumentPrinter
from device_drivers.ipp.kind import KIND
from device_drivers.kinds import Wiring
from device_drivers.links.address import open_address
from device_drivers.links.line import Lines
from simulators.ledger import read_ledger
from simulators.serve import Wanted, start
from tests.device_drivers.ipp.bench import PDF, SHA, PaperNotebook
from tests.peers.ippeveprinter import PeerPrinter, find

pytestmark = pytest.mark.process


class Branch:
    """Our driver's side: one notebook, and drivers that come and go."""

    def __init__(self, folder: Path, address: str, **profile: Any) -> None:
        self.notebook = PaperNotebook()
        self._address = address
        self._profile = {"poll_s": 0.1, "act_max_s": 20.0, "incoming_s": 0.5, **profile}
        self._file = folder / "statement.pdf"
        self._file.write_bytes(PDF)

    async def driver(self) -> DocumentPrinter:
        profile = KIND.profile.model_validate(self._profile)
        driver = KIND.make(Wiring("a4-1", self._address, profile, self.notebook, Lines(open_address).line))
        assert isinstance(driver, DocumentPrinter)
        await driver.connect()
        return driver

    def params(self, attempt: str, reprint: int = 0) -> dict[str, Json]:
        document = {"name": "statement", "media_type": "application/pdf", "sha256": SHA, "path": str(self._file)}
        return {"attempt": attempt, "reprint": reprint, "document": document}

    async def arm(self, driver: DocumentPrinter, params: dict[str, Json]) -> Arming:
        arming = await driver.arm("print_document", params)
        self.notebook.join(arming.memory)
        return arming


@pytest.mark.rule("ORD-10")
async def test_our_driver_prints_on_a_printer_that_is_not_ours_and_finds_the_job_by_its_name(tmp_path: Path) -> None:
    with PeerPrinter(tmp_path) as peer:
        branch = Branch(tmp_path, peer.address)
        driver, params = await branch.driver(), branch.params("O-17/print/1")
        assert (await driver.probe()).device == "online"
        arming = await branch.arm(driver, params)
        verdict = await driver.act("print_document", params, arming)
        assert (verdict.outcome, verdict.facts["evidence"], verdict.facts["impressions"]) == (
            Outcome.DONE,
            "printed",
            2,
        )
        (printed,) = peer.printed.iterdir()
        assert hashlib.sha256(printed.read_bytes()).hexdigest() == SHA
        branch.notebook.kept.clear()  # a journal that knows nothing: only the name is left
        later = await branch.driver()
        verdict = await later.reconcile("print_document", params, arming)
        assert (verdict.outcome, verdict.facts["evidence"]) == (Outcome.DONE, "printed")
        with pytest.raises(DeviceRefused, match="job_name_taken"):
            await later.arm("print_document", params)
        with pytest.raises(DeviceRefused, match="reprint_unmarked"):  # one document per job is all that it can
            await later.arm("print_document", branch.params("O-17/print/2", reprint=1))


async def test_a_peer_that_counts_nothing_is_told_as_processed(tmp_path: Path) -> None:
    with PeerPrinter(tmp_path, pages=None) as peer:
        branch = Branch(tmp_path, peer.address)
        driver, params = await branch.driver(), branch.params("O-17/print/1")
        verdict = await driver.act("print_document", params, await branch.arm(driver, params))
        assert (verdict.outcome, verdict.facts["evidence"]) == (Outcome.DONE, "processed")


@pytest.mark.rule("PHY-7")
async def test_a_peer_killed_in_the_middle_and_restarted_proves_nothing(tmp_path: Path) -> None:
    with PeerPrinter(tmp_path, job_s=30) as peer:
        branch = Branch(tmp_path, peer.address, history_s=3600.0)
        driver, params = await branch.driver(), branch.params("O-17/print/1")
        arming = await branch.arm(driver, params)
        acting = asyncio.create_task(driver.act("print_document", params, arming))
        await asyncio.sleep(1.0)
        peer.kill()
        with pytest.raises(OutcomeUnknown):
            await acting
        peer.start()
        later = await branch.driver()
        verdict = await later.reconcile("print_document", params, arming)
        assert (verdict.outcome, verdict.lane_shut) == (Outcome.UNKNOWN, True)
        assert verdict.reason in {"printer_restarted", "job_history_short"}


@pytest.mark.rule("PHY-2")
async def test_an_empty_job_is_cancelled_at_the_peer_and_the_document_printed_under_another_name(
    tmp_path: Path,
) -> None:
    with PeerPrinter(tmp_path) as peer:
        branch = Branch(tmp_path, peer.address)
        driver, params = await branch.driver(), branch.params("O-17/print/1")
        arming = await branch.arm(driver, params)
        await driver._queue.create("O-17/print/1", {}, 5.0)  # and there the process ended
        later = await branch.driver()
        verdict = await later.reconcile("print_document", params, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "document_not_sent")
        assert verdict.facts["job_state"] == 7
        again = branch.params("O-17/print/2")
        verdict = await later.act("print_document", again, await branch.arm(later, again))
        assert verdict.outcome is Outcome.DONE
        assert len(list(peer.printed.iterdir())) == 1


CLIENT = """
{
    NAME "ask the printer"
    OPERATION Get-Printer-Attributes
    GROUP operation-attributes-tag
    ATTR charset attributes-charset utf-8
    ATTR naturalLanguage attributes-natural-language en
    ATTR uri printer-uri $uri
    STATUS successful-ok
    EXPECT printer-uuid OF-TYPE uri COUNT 1
    EXPECT printer-up-time OF-TYPE integer
    EXPECT printer-state OF-TYPE enum WITH-VALUE 3
    EXPECT operations-supported OF-TYPE enum
}
{
    NAME "create a job"
    OPERATION Create-Job
    GROUP operation-attributes-tag
    ATTR charset attributes-charset utf-8
    ATTR naturalLanguage attributes-natural-language en
    ATTR uri printer-uri $uri
    ATTR name requesting-user-name stranger
    ATTR name job-name "from-elsewhere"
    STATUS successful-ok
    EXPECT job-id OF-TYPE integer
}
{
    NAME "send its document"
    OPERATION Send-Document
    GROUP operation-attributes-tag
    ATTR charset attributes-charset utf-8
    ATTR naturalLanguage attributes-natural-language en
    ATTR uri printer-uri $uri
    ATTR integer job-id $job-id
    ATTR name requesting-user-name stranger
    ATTR mimeMediaType document-format application/pdf
    ATTR boolean last-document true
    FILE $filename
    STATUS successful-ok
}
{
    NAME "wait for its end"
    OPERATION Get-Job-Attributes
    GROUP operation-attributes-tag
    ATTR charset attributes-charset utf-8
    ATTR naturalLanguage attributes-natural-language en
    ATTR uri printer-uri $uri
    ATTR integer job-id $job-id
    ATTR name requesting-user-name stranger
    STATUS successful-ok
    EXPECT job-state OF-TYPE enum IN-GROUP job-attributes-tag WITH-VALUE >5 REPEAT-NO-MATCH
    EXPECT job-name OF-TYPE name WITH-VALUE "from-elsewhere"
    DISPLAY job-impressions-completed
}
{
    NAME "find it among the others"
    OPERATION Get-Jobs
    GROUP operation-attributes-tag
    ATTR charset attributes-charset utf-8
    ATTR naturalLanguage attributes-natural-language en
    ATTR uri printer-uri $uri
    ATTR keyword which-jobs completed
    ATTR keyword requested-attributes job-id,job-name,job-state
    STATUS successful-ok
    EXPECT job-name OF-TYPE name WITH-VALUE "from-elsewhere"
}
"""


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_client_that_is_not_ours_prints_on_our_simulated_printer(tmp_path: Path, chunked: bool) -> None:
    ipptool = find("ipptool")
    (tmp_path / "client.test").write_text(CLIENT)
    (tmp_path / "statement.pdf").write_bytes(PDF)
    options = {"page_s": 0.05, "begin_s": 0.05, "chunked": chunked}
    ledger = tmp_path / "ledger.jsonl"
    wanted = Wanted("ipp", "tcp:127.0.0.1:0", ledger, tmp_path / "a4.json", {"a4-1": 0}, None, options)
    async with AsyncExitStack() as stack:
        serving = await start(wanted, stack)
        command = [
            ipptool,
            "-tv",
            "-f",
            str(tmp_path / "statement.pdf"),
            serving.address,
            str(tmp_path / "client.test"),
        ]
        told = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        await asyncio.sleep(0.5)
    (sheet,) = [line["detail"] for line in read_ledger(ledger) if line["act"] == "sheet_out"]
    assert (sheet["attempts"], sheet["pages_done"], sheet["sha256"]) == (["from-elsewhere"], 2, SHA)
