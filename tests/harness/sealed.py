"""A printer with a stamp: two machines under one name, as the branch sees them, each with its own ledger.

Knows how they are put together; both ledgers name the same device, so the checker joins them like one machine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.machines import Machine, RunningMachine

SEALED = "sealed-1"
STAMP = "stamp"  # the relay board among the branch's machines
CHANNEL = 3
A4 = {"page_s": 0.1, "begin_s": 0.1}
PROFILE: Mapping[str, Any] = {
    "act_max_s": 5.0,
    "settle_s": 0.3,
    "incoming_s": 1.0,
    "answer_s": 5.0,
    "poll_s": 0.1,
    "stamp.unit": 1,
    "stamp.channel": CHANNEL,
    "stamp.pulse_ms": 200,
    "stamp.act_max_s": 0.5,
    "stamp.modbus.answer_s": 20.0,  # the board is a process like others, and what it did not say in time is for people
    "stamp.modbus.deadline_s": 30.0,
}


class _Board(RunningMachine):
    """It has no table of its own: its address stands in the printer's profile."""

    def config(self) -> str:
        return ""


async def sealed_branch(make_branch: BranchMaker, **words: Any) -> Branch:
    """A branch whose only device is a printer with a stamp."""
    printer = Machine(SEALED, "ipp", "sealed-printer", "tcp", A4, PROFILE, {"kind": "sealed_printer"})
    branch: Branch = await make_branch(others=(printer,), card=False, **words)
    folder = branch.folder / STAMP
    folder.mkdir()
    board = _Board(branch.nursery, folder, Machine(SEALED, "relay", ""))
    await board.start()
    running = branch.machines[SEALED]
    running.wanted = replace(printer, profile={**PROFILE, "stamp.address": f"serial://{board.tty}?baud=9600"})
    branch.machines[STAMP] = board
    branch.write_config()
    return branch


def stamps(branch: Branch) -> list[int]:
    """The channels that closed, in order."""
    return [line["detail"]["channel"] for line in branch.machines[STAMP].lines() if line["act"] == "stamped"]
