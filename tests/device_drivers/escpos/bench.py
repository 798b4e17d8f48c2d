"""A scripted printer on the other end of a memory line, and a notebook, on jumping time.

Knows what the driver may send, and is as stubborn as the real ones: two lanes, a parser that stays half-fed, a buffer
that only its own power clears. The simulator proper lives elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from device_drivers.device import Arming, Json, Outcome, Verdict
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.escpos.driver import ReceiptPrinter
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends

PROFILE = {"act_max_s": 10.0, "take_min_s": 20.0, "poll_s": 0.5}
TEMPLATE = {"block": [{"text": "{text}"}]}
_FIXED = {b"\x1b\x40": 2, b"\x1c\x26": 2, b"\x1c\x2e": 2, b"\x1d\x67": 6}


class FarSide:
    """A printer: `status` bits, what it knows, its sheets as lists of lines; `left` is what hangs uncut."""

    def __init__(self, end: MemoryEnd) -> None:
        self.end = end
        self.paper_out = self.cover_open = self.cutter_jam = self.near_end = self.ticket = False
        self.ids = self.fence = self.asb = self.counter = True
        self.presenter = self.mute = self.off = False
        self.names = {0x42: b"EPSON", 0x43: b"TM-T88V"}
        self.cuts = 100
        self.print_s = 0.5
        self.sheets: list[list[str]] = []
        self.received = bytearray()
        self.queue = bytearray()
        self.left = bytearray()
        self.mask = 0
        self.events: dict[int, Any] = {}  # what happens once so many bytes were taken from the queue
        self.taken = 0
        self.unknown: list[int] = []  # control bytes that no command began with
        self._busy: list[asyncio.Task[None]] = []
        self._more = asyncio.Event()

    # -- hands and misfortune

    def becomes(self, **bits: bool) -> None:
        for name, value in bits.items():
            setattr(self, name, value)
        if self.mask:
            self._say(self._block())
        self._more.set()

    def loses_power(self) -> None:
        """All that it held is gone; what lies on the paper stays there."""
        self.queue.clear()
        self.mask = 0

    def after(self, taken: int, happening: Any) -> None:
        self.events[self.taken + taken] = happening

    @property
    def offline(self) -> bool:
        return self.paper_out or self.cover_open or self.cutter_jam

    def asked(self, command: bytes) -> int:
        return bytes(self.received).count(command)

    # -- its two lanes

    async def run(self) -> None:
        lanes = [asyncio.create_task(self._receive()), asyncio.create_task(self._print())]
        try:
            await asyncio.gather(*lanes)
        finally:
            for task in lanes:
                task.cancel()
            await asyncio.wait(lanes)

    async def _receive(self) -> None:
        while True:
            try:
                data = await self.end.read(1024, 3600.0)
            except LinkError:
                await asyncio.sleep(0.01)
                continue
            for byte in b"" if self.off else data:
                self.received.append(byte)
                self.queue.append(byte)
                if bytes(self.received[-3:-1]) == b"\x10\x04":
                    self._real_time(byte)
            self._more.set()

    def _say(self, data: bytes) -> None:
        if not self.mute:
            self._busy = [task for task in self._busy if not task.done()]
            self._busy.append(asyncio.ensure_future(self._write(data)))

    async def _write(self, data: bytes) -> None:
        try:
            await self.end.write(data)
        except LinkError:
            return

    def _real_time(self, n: int) -> None:
        answers = {
            1: 0x12 | self.offline << 3,
            2: 0x12 | self.cover_open << 2 | self.paper_out << 5 | self.cutter_jam << 6,
            3: 0x12 | self.cutter_jam << 3,
            4: 0x12 | (0x0C if self.near_end else 0) | (0x60 if self.paper_out else 0),
        }
        if n in answers:
            self._say(bytes([answers[n]]))
        elif n == 0x14 and self.presenter:
            self._say(bytes([0x10, 0x0F, self.ticket << 5 | self.paper_out, self.cover_open << 1, 0, 0]))

    def _block(self) -> bytes:
        paper = (0x0C if self.paper_out else 0) | (0x03 if self.near_end else 0)
        return bytes([0x10 | self.offline << 3 | self.cover_open << 5, self.cutter_jam << 3, paper, 0])

    async def _print(self) -> None:
        while True:
            self._more.clear()
            while not self.offline and (size := self._whole()):
                command = bytes(self.queue[:size])
                del self.queue[:size]
                await self._obey(command)
                before, self.taken = self.taken, self.taken + size
                for at in [at for at in self.events if before < at <= self.taken]:
                    self.events.pop(at)()
            await self._more.wait()

    def _whole(self) -> int:
        """The size of the command at the front, 0 while it is not all there."""
        size = _size(bytes(self.queue[:8]))
        return size if size and len(self.queue) >= size else 0

    async def _obey(self, command: bytes) -> None:
        head = command[:2]
        if head == b"\x1b\x40":
            self.left = self.left[: self.left.rfind(b"\n") + 1]
        elif head == b"\x1d\x61" and self.asb:
            self.mask = command[2]
            self._say(self._block())
        elif head == b"\x1d\x49" and command[2] in self.names:
            self._say(b"\x5f" + self.names[command[2]] + b"\x00")
        elif head == b"\x1d\x72" and self.fence:
            self._say(bytes([0x0F if self.paper_out else 0]))
        elif head == b"\x1d\x67" and self.counter:
            self._say(b"\x5f%07d\x00" % self.cuts)
        elif head == b"\x1d\x76":
            self.left += b"\n"
        elif head == b"\x1d\x56":
            await self._cut()
        elif command[:3] == b"\x1d\x28\x48" and self.ids:
            self._say(b"\x37\x22" + command[7:11] + b"\x00")
        elif len(command) == 1:
            self._letter(command[0])

    async def _cut(self) -> None:
        await asyncio.sleep(self.print_s)
        self.cuts += 1
        self.sheets.append([line for line in self.left.decode("gbk", errors="replace").split("\n") if line])
        self.left.clear()
        self.ticket = self.presenter

    def _letter(self, byte: int) -> None:
        if byte >= 0x20 or byte == 0x0A:
            self.left.append(byte)
        elif byte:
            self.unknown.append(byte)


def _size(queue: bytes) -> int:
    head = queue[:2]
    if not queue or queue[0] not in (0x1B, 0x1C, 0x1D, 0x10):
        return 1 if queue else 0
    if head in _FIXED:
        return _FIXED[head]
    if head == b"\x1d\x28":
        return 5 + int.from_bytes(queue[3:5], "little") if len(queue) >= 5 else 0
    if head == b"\x1d\x76":
        wide, rows = int.from_bytes(queue[4:6], "little"), int.from_bytes(queue[6:8], "little")
        return 8 + wide * rows if len(queue) >= 8 else 0
    if head == b"\x1d\x6b":
        return 4 + queue[3] if len(queue) >= 4 else 0
    return 3 if len(queue) >= 2 else 0


class Notes:
    """A notebook whose commits take a moment; `proofs` are what came late."""

    def __init__(self, far: FarSide) -> None:
        self.kept: dict[str, Json] = {}
        self.proofs: list[tuple[str, Verdict]] = []
        self.sent_before: list[int] = []
        self._far = far

    async def note(self, kind: str, facts: Mapping[str, Json], memory: Mapping[str, Json] | None = None) -> None:
        raise AssertionError("a receipt printer notes nothing")

    async def notes_since(self, arming: Arming) -> list[str]:
        return []

    async def memory(self) -> dict[str, Json]:
        return dict(self.kept)

    async def remember(self, memory: Mapping[str, Json]) -> None:
        await asyncio.sleep(0.001)
        self.join(memory)

    def join(self, memory: Mapping[str, Json]) -> None:
        self.kept = {name: value for name, value in {**self.kept, **memory}.items() if value is not None}

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        self.sent_before.append(len(self._far.received))
        await asyncio.sleep(0.01)
        assert len(self._far.received) == self.sent_before[-1], "something was sent before the proof was kept"
        self.proofs.append((attempt, verdict))
        self.join(verdict.memory)


class Bench:
    """One driver, its far side, and what an engine does with them."""

    def __init__(self, **settings: Any) -> None:
        self.near, end = joined_ends()
        self.far = FarSide(end)
        self.far.presenter = settings.get("presenter", False)
        self.notes = Notes(self.far)
        self.slept: list[float] = []
        self.profile = EscPosProfile(**{**PROFILE, **settings})
        self.driver = self.make()

    def make(self) -> ReceiptPrinter:
        """A driver of a process that just began."""
        line = SharedLine(self.near)
        return ReceiptPrinter("receipt-1", line, self.profile, self.notes, is_tcp=False, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds)

    async def restart(self) -> None:
        """The process is killed and comes back; the printer notices nothing."""
        await self.driver.disconnect()
        self.driver = self.make()
        await self.driver.connect()
        await asyncio.sleep(self.driver.settle_s)

    def cut_after(self, sent: int) -> None:
        """The line is gone once so many more bytes were sent; those still reach the printer."""
        write, left = self.near.write, sent

        async def cutting(data: bytes) -> None:
            nonlocal left
            await write(data[:left])
            if len(data) > left:
                await asyncio.sleep(0.001)
                self.near.cut()
                self.near.write = write  # type: ignore[method-assign]
                raise LinkError("memory://line", "cut")
            left -= len(data)

        self.near.write = cutting  # type: ignore[method-assign]

    async def arm(self, act: str = "print_receipt", **params: Json) -> Arming:
        """As the engine: what is remembered stands with the arming."""
        arming = await self.driver.arm(act, params)
        self.notes.join(arming.memory)
        return Arming(arming.readings)

    def settled(self, verdict: Verdict) -> Verdict:
        self.notes.join(verdict.memory)
        return verdict

    async def act(self, arming: Arming, act: str = "print_receipt", **params: Json) -> Verdict:
        return self.settled(await self.driver.act(act, params, arming))

    async def reconcile(self, arming: Arming, act: str = "print_receipt", **params: Json) -> Verdict:
        return self.settled(await self.driver.reconcile(act, params, arming))

    async def attempt(self, act: str = "print_receipt", **params: Json) -> Verdict:
        """One attempt as the engine makes it."""
        arming = await self.arm(act, **params)
        try:
            return await self.act(arming, act, **params)
        except OutcomeUnknown:
            await asyncio.sleep(self.driver.settle_s)
            return await self.reconcile(arming, act, **params)
        except (DeviceRefused, DeviceUnavailable) as unsent:
            return self.settled(Verdict(Outcome.NO_EFFECT, unsent.reason))


def job(number: int = 1, text: str = "回单", *, template: Json = None, reprint: int = 0, step: str = "receipt") -> Any:
    """Params of a printing step of order O-<number>."""
    sheet = {"template": template or TEMPLATE, "values": {"text": text}}
    attempt = f"O-{number}/{step}/{reprint + 1}"
    return {"order": f"O-{number}", "step": step, "attempt": attempt, "reprint": reprint, "sheet": sheet}


@asynccontextmanager
async def bench(**settings: Any) -> AsyncIterator[Bench]:
    """A bench whose far side runs for as long as the block."""
    it = Bench(**settings)
    task = asyncio.create_task(it.far.run())
    try:
        await it.driver.connect()
        yield it
    finally:
        await it.driver.disconnect()
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
        if it.far._busy:
            await asyncio.wait(it.far._busy)
        assert b"\x10\x05" not in it.far.received  # it would print again what was half printed, or lose it
        assert b"\x10\x14" not in it.far.received
