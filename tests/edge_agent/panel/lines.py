"""Lines of machines that are none: what passes on them is what a test says.

Knows the watching of lines; must not know the panel.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device_drivers.links.line import Lines
from device_drivers.links.link import Link
from device_drivers.links.memory import MemoryEnd, joined_ends
from edge_agent.settings import DevicePart
from edge_agent.upkeep.watching import Watching
from tests.edge_agent.parts import DEVICE

KINDS = {  # device -> kind, line
    DEVICE: ("crt591", "card"),
    "receipt-1": ("escpos", "receipt"),
    "scanner-1": ("scanner", "scanner"),
    "counter-1": ("banknote_counter", "notes"),
    "screen-1": ("led485", "shared"),
    "ours-1": ("somebody_elses", "shared"),
}
ASKED = bytes.fromhex("F2 00 00 03 43 30 37 03 B6")  # initialise, leave card, bin counted


def _parts() -> dict[str, DevicePart]:
    return {
        name: DevicePart(id=name, role="r", kind=kind, address=f"memory://{line}")
        for name, (kind, line) in KINDS.items()
    }


@dataclass(slots=True)
class FakeLines:
    """`watching` is what the panel's house is given."""

    ends: dict[str, tuple[MemoryEnd, MemoryEnd]] = field(default_factory=dict)
    parts: dict[str, DevicePart] = field(default_factory=_parts)
    lines: Lines = field(init=False)
    watching: Watching = field(init=False)

    def __post_init__(self) -> None:
        self.lines = Lines(self._make)
        self.watching = Watching(self.parts, self.lines)

    def _make(self, address: str) -> Link:
        self.ends[address] = joined_ends()
        return self.ends[address][0]

    def is_tapped(self, device: str = DEVICE) -> bool:
        line = self.lines.line(self.parts[device].address)
        return line.link is not self.ends[self.parts[device].address][0]

    async def passes(self, *pieces: bytes, device: str = DEVICE, answer: bytes = b"") -> None:
        """To the machine, then what it answers."""
        hold = await self.lines.line(self.parts[device].address).hold()
        async with hold.exchange() as link:
            for piece in pieces:
                await link.write(piece)
            if answer:
                await self.ends[self.parts[device].address][1].write(answer)
                await link.read(4096, 1)
        await hold.let_go()
