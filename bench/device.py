"""What one ticket costs between the driver and its machine: arming and act, with no journal and no broker.

Knows the driver contract; what is printed is the ticket that ships.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from bench.figures import Spread
from bench.stage import QUIET_S
from device_drivers.catalog import kind_of
from device_drivers.device import Arming, Outcome, Verdict
from device_drivers.escpos import sheets
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.kinds import Wiring
from device_drivers.links.address import open_address
from device_drivers.links.line import Lines

ACT = "print_ticket"


class Pad:
    """A notebook that keeps its memory while the process lives."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    async def note(self, kind: str, facts: Mapping[str, Any], memory: Mapping[str, Any] | None = None) -> None:
        """Evidence that is told once is of no interest here."""

    async def notes_since(self, arming: Arming) -> list[str]:
        return []

    async def memory(self) -> Mapping[str, Any]:
        return self.kept

    async def remember(self, memory: Mapping[str, Any]) -> None:
        joined = {**self.kept, **memory}
        self.kept = {key: value for key, value in joined.items() if value is not None}

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        raise RuntimeError(f"{attempt} was proved late: the simulator has no delays")


async def exchanges(address: str, count: int) -> Spread:
    """Each repetition arms and prints one ticket on the printer at host:port."""
    pad = Pad()
    kind = kind_of("escpos")
    profile = kind.profile.model_validate({"act_max_s": 10.0, "drain_s": 0.1, "quiet_s": QUIET_S})
    driver = kind.make(Wiring("ticket-1", f"tcp://{address}", profile, pad, Lines(open_address).line))
    await driver.connect()
    await driver.probe()
    seconds = []
    for number in range(count):
        params = _params(number)
        began_s = time.perf_counter()
        arming = await driver.arm(ACT, params)
        await pad.remember(arming.memory)
        verdict = await driver.act(ACT, params, arming)
        seconds.append(time.perf_counter() - began_s)
        await pad.remember(verdict.memory)
        if verdict.outcome is not Outcome.DONE:
            raise RuntimeError(f"the simulator printed nothing: {verdict}")
    await driver.disconnect()
    return Spread.of(seconds)


def sheet() -> bytes:
    """The bytes of one such ticket, without the process ID behind it."""
    params, profile = _params(0), EscPosProfile()
    made = sheets.printout(sheets.sheet_of(ACT, params, profile), profile, left=[])
    return b"".join(made.pieces)


@cache
def _template() -> dict[str, Any]:
    """Read once, as the agent does: it would be a tenth of what is measured."""
    return tomllib.loads(resources.files("edge_agent").joinpath("receipts", "ticket.zh.toml").read_text("utf-8"))


def _params(number: int) -> dict[str, Any]:
    values = {
        "branch_name": "示例支行",
        "number": "A001",
        "queue": "个人业务",
        "ahead": "3",
        "qr": "",
        "date": "2026-03-02",
        "time": "12:00:00",
    }
    attempt = f"bench-{number}/ticket/1"
    return {
        "order": f"bench-{number}",
        "step": "ticket",
        "attempt": attempt,
        "reprint": 0,
        "earlier": {},
        "sheet": {"template": _template(), "values": values},
    }
