"""The demo's simulated machines: which there are, how each is started, and its table in the agent's configuration.

Knows kinds, options and profiles; processes are the house's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from central_scheduler.demo.children import python

ACT_S = 0.4  # the real machine takes a little longer; long enough to be killed in the middle
CARDS = 500
BUFFER = 65536  # a whole receipt: what is in it comes out once there is paper again


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine; everything of it in the demo's folder begins with its device's name."""

    device: str
    kind: str
    role: str
    options: Mapping[str, Any]
    profile: Mapping[str, float]

    def control(self, folder: Path) -> Path:
        return folder / f"{self.device}.sock"

    def ledger(self, folder: Path) -> Path:
        return folder / f"{self.device}.jsonl"

    def command(self, folder: Path) -> list[str]:
        """What starts it."""
        return python(
            "simulators.serve", self.kind, "--device", self.device,
            "--listen", f"pty:{folder / self.device}.tty", "--control", f"unix:{self.control(folder)}",
            "--ledger", str(self.ledger(folder)), "--state", str(folder / f"{self.device}.json"),
            "--options", json.dumps(self.options),
        )  # fmt: skip

    def config(self, folder: Path) -> str:
        """Its [[device]] in branch.toml."""
        lines = ["[[device]]", f'id = "{self.device}"', f'role = "{self.role}"', f'kind = "{self.kind}"']
        lines += [f'address = "serial://{folder}/{self.device}.tty?baud=9600"', "idle_poll_s = 1.0"]
        lines += ["[device.profile]"]
        return "\n".join([*lines, *(f"{key} = {value}" for key, value in self.profile.items())]) + "\n"


CARD = Machine(
    "card-1", "crt591", "card-dispenser",
    {"act_s": ACT_S, "cards": CARDS, "customer": {"policy": "take", "after_s": 0.2}},
    {"act_max_s": 0.6, "take_min_s": 2.0},
)  # fmt: skip
RECEIPT = Machine(
    "receipt-1",
    "escpos",
    "receipt-printer",
    {"line_s": 0.012, "buffer_bytes": BUFFER},
    {"act_max_s": 1.0, "rows_per_s": 1900, "max_chunk_bytes": 16384, "poll_s": 0.2},
)
MACHINES = (CARD, RECEIPT)
