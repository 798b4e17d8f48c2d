"""A scripted far side for the driver: a small unit on the other end of a memory line, and a notebook, on jumping time.

Knows frames and the few facts that the driver asks for; the simulator proper lives elsewhere and is kinder to nobody.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from device_drivers.crt591.driver import CardDispenser
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.crt591.protocol import COMMAND, Control, FrameReader, Packet, encode
from device_drivers.device import Arming, Json, Verdict
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends

MOTIONS = {(0x32, pm) for pm in (0x30, 0x31, 0x32, 0x33, 0x39)} | {(0x30, pm) for pm in (0x30, 0x31, 0x34, 0x35)}
DRAW, PRESENT, CAPTURE = (0x32, 0x31), (0x32, 0x39), (0x32, 0x33)
STATUS, BIN, ENTRY_OFF, INITIALISE = (0x31, 0x30), (0xA5, 0x30), (0x33, 0x31), (0x30, 0x37)

PROFILE = {"act_max_s": 10.0, "take_min_s": 20.0, "poll_s": 0.5}


class FarSide:
    """A unit: `st0`, `st1`, `st2`, `bin`, `not_reset`; `say` scripts what the next such command is answered with."""

    def __init__(self, end: MemoryEnd) -> None:
        self.end = end
        self.st0, self.st1, self.st2, self.bin = 0, 2, 0, 7
        self.not_reset = False
        self.counting = True  # False as after a reset by 30, 31 or 33: a capture then leaves `bin` as it is
        self.error = ""
        self.act_s = 0.5
        self.frames: list[Packet] = []
        self.controls: list[Control] = []
        self.bad: list[object] = []
        self.times: list[float] = []
        self.last_reply = b""
        self._script: dict[tuple[int, int], list[Answer]] = defaultdict(list)

    def say(self, command: tuple[int, int], *answers: Answer) -> None:
        """The next commands of that kind are answered so, one each."""
        self._script[command] += answers

    @property
    def motions(self) -> list[tuple[int, int]]:
        """Every motion frame that was on the wire."""
        return [(frame.cm, frame.pm) for frame in self.frames if (frame.cm, frame.pm) in MOTIONS]

    def count(self, command: tuple[int, int]) -> int:
        """How many frames of that command were on the wire."""
        return sum((frame.cm, frame.pm) == command for frame in self.frames)

    async def run(self) -> None:
        reader = FrameReader()
        while True:
            try:
                data = await self.end.read(1024, 3600.0)
            except LinkError:
                await asyncio.sleep(0.01)  # until the driver opens the line again
                continue
            for event in reader.feed(data):
                if isinstance(event, Packet):
                    await self._serve(event)
                elif isinstance(event, Control):
                    self.controls.append(event)
                    if event is Control.NAK and self.last_reply:
                        await self.send(self.last_reply)
                else:
                    self.bad.append(event)

    async def _serve(self, frame: Packet) -> None:
        assert frame.kind == COMMAND
        self.frames.append(frame)
        self.times.append(asyncio.get_running_loop().time())
        script = self._script[frame.cm, frame.pm]
        try:
            await (script.pop(0) if script else obey)(self, frame)
        except LinkError:
            return

    async def send(self, data: bytes) -> None:
        await self.end.write(data)

    async def reply(self, frame: Packet, data: bytes = b"") -> None:
        self.last_reply = self.success(frame, data)
        await self.send(self.last_reply)

    async def fail(self, frame: Packet, code: str, kind: int = 0x4E) -> None:
        self.last_reply = encode(frame.unit, bytes([kind, frame.cm, frame.pm]) + code.encode())
        await self.send(self.last_reply)

    def success(self, frame: Packet, data: bytes = b"") -> bytes:
        status = bytes(0x30 + value for value in (self.st0, self.st1, self.st2))
        return encode(frame.unit, bytes([0x50, frame.cm, frame.pm]) + status + data)

    def move(self, command: tuple[int, int]) -> None:
        """What the metal does."""
        if command == DRAW:
            self.st0 = 2
        elif command == PRESENT:
            self.st0 = 1
        elif command == CAPTURE and self.st0:
            self.st0, self.bin = 0, self.bin + self.counting


Answer = Callable[[FarSide, Packet], Coroutine[Any, Any, None]]

DATA = {(0xA2, 0x30): b"SN-0042", (0xA3, 0x30): b"0102", (0xA4, 0x30): b"CRT-591-M001 V1", (0x31, 0x31): b"00110011"}


async def obey(far: FarSide, frame: Packet) -> None:
    """What a sound unit does."""
    command = (frame.cm, frame.pm)
    await far.send(Control.ACK.wire)
    if command == INITIALISE:
        far.not_reset, far.counting = False, True
        await far.reply(frame, b"CRT-591-M001")
    elif far.not_reset:
        await far.fail(frame, "B0")
    elif far.error:
        await far.fail(frame, far.error)
    elif command in MOTIONS:
        await asyncio.sleep(far.act_s)
        far.move(command)
        await far.reply(frame)
    else:
        await far.reply(frame, f"{far.bin:03d}".encode() if command == BIN else DATA.get(command, b""))


async def silent(far: FarSide, frame: Packet) -> None:
    """Nothing at all."""


async def acts_unheard(far: FarSide, frame: Packet) -> None:
    """Does it, and its answer is lost."""
    await far.send(Control.ACK.wire)
    far.move((frame.cm, frame.pm))


async def refuses_to_hear(far: FarSide, frame: Packet) -> None:
    """NAK."""
    await far.send(Control.NAK.wire)


async def cuts(far: FarSide, frame: Packet) -> None:
    """Acts, and the line is gone."""
    far.move((frame.cm, frame.pm))
    far.end.cut("unplugged")


async def lies(far: FarSide, frame: Packet) -> None:
    """Says success and does nothing."""
    await far.send(Control.ACK.wire)
    await far.reply(frame)


def fails(code: str, kind: int = 0x4E) -> Answer:
    """ACK, then an error code."""

    async def answer(far: FarSide, frame: Packet) -> None:
        await far.send(Control.ACK.wire)
        await far.fail(frame, code, kind)

    return answer


def sends(data: bytes) -> Answer:
    """Exactly these bytes."""

    async def answer(far: FarSide, frame: Packet) -> None:
        await far.send(data)

    return answer


def floods(chunk: bytes) -> Answer:
    """These bytes, without end."""

    async def answer(far: FarSide, frame: Packet) -> None:
        while True:
            await far.send(chunk)
            await asyncio.sleep(0)

    return answer


class NoteLost(Exception):
    """What a notebook on a full disk raises."""


class Notes:
    """A notebook that remembers how many frames had left when each note was committed."""

    def __init__(self, far: FarSide) -> None:
        self.kinds: list[str] = []
        self.frames_before: list[int] = []
        self.failures = 0  # so many of the next commits fail
        self._far = far

    async def note(self, kind: str, facts: Mapping[str, Json], memory: Mapping[str, Json] | None = None) -> None:
        await asyncio.sleep(0.01)  # a commit takes its time; nothing may be asked meanwhile
        if self.failures:
            self.failures -= 1
            raise NoteLost
        self.kinds.append(kind)
        self.frames_before.append(len(self._far.frames))

    async def memory(self) -> dict[str, Json]:
        return {}

    async def remember(self, memory: Mapping[str, Json]) -> None:
        raise AssertionError("a card dispenser remembers nothing")

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        raise AssertionError("a card dispenser proves nothing unasked")

    async def notes_since(self, arming: Arming) -> list[str]:
        return self.kinds[arming.readings.get("notes", 0) :]


class Bench:
    """One driver, connected to one far side."""

    def __init__(self, **settings: Any) -> None:
        self.near, end = joined_ends()
        self.far = FarSide(end)
        self.notes = Notes(self.far)
        self.slept: list[float] = []
        self.profile = Crt591Profile(**{**PROFILE, **settings})
        self.line = SharedLine(self.near)
        self.driver = self.make()

    def make(self) -> CardDispenser:
        """A driver of a process that just began."""
        return CardDispenser("card-1", self.line, self.profile, self.notes, is_tcp=False, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds)


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
