"""The code scanner driver: says each code that a customer shows, once.

Knows the scanner's line and its habits; must not know orders, nor what a code is good for. Nothing is written to it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from device_drivers.actless import Actless
from device_drivers.device import Happening, Scan, Twin
from device_drivers.errors import DeviceUnavailable
from device_drivers.links.line import Hold, SharedLine
from device_drivers.links.link import LinkError
from device_drivers.scanner.profile import ScannerProfile
from device_drivers.scanner.protocol import Decoder

log = logging.getLogger(__name__)
READ_BYTES = 1024
PATIENCE_S = 30.0  # of one read while nothing is under way; the line is alone with us
FLOOD_WINDOW_S, FLOOD_CODES = 60.0, 60  # more codes than that in a minute no customer shows
SHOWN = 4  # letters of a code that may be seen, and only of one at least twice as long


class Scanner(Actless):
    """A `device.Driver` and `device.Listener`. Cancelled at any await it loses nothing: codes stay in `_heard`."""

    def __init__(self, device_id: str, line: SharedLine, profile: ScannerProfile) -> None:
        self.device_id = device_id
        self._line, self._profile = line, profile
        self._hold: Hold | None = None
        self._decoder: Decoder = profile.decoder()
        self._heard: deque[bytes] = deque()
        self._last: tuple[bytes, float] = (b"", 0.0)  # the newest code, and when it was seen last
        self._recent: deque[float] = deque()
        self._counted = {"repeats": 0, "floods": 0, "staleBytes": 0}

    async def connect(self) -> None:
        """Takes hold of the line; what was scanned while nobody listened is no wish of now, and dropped."""
        await self.disconnect()
        try:
            self._hold = await self._line.hold()
        except LinkError as error:
            raise DeviceUnavailable("line_unavailable", str(error)) from error
        until_s = _now_s() + self._profile.drain_s
        while (left_s := until_s - _now_s()) > 0:
            self._counted["staleBytes"] += len(await self._read(left_s))

    async def disconnect(self) -> None:
        """Lets go of the line; half a code is none."""
        hold, self._hold = self._hold, None
        self._decoder.abandon()
        self._heard.clear()
        if hold is not None:
            await hold.let_go()

    async def probe(self) -> Twin:
        """It answers no question: all that can be known is that its line is open."""
        if self._hold is None or not self._hold.unbroken:
            raise DeviceUnavailable("line_lost", self.device_id)
        counters = {"garbageBytes": self._decoder.garbage_bytes, "badFrames": self._decoder.bad_lines}
        return Twin(
            "online", "scanner_floods" if self._floods(_now_s()) else "", counters={**counters, **self._counted}
        )

    async def listen(self) -> Happening:
        """The next code."""
        while True:
            while self._heard:
                if (scan := self._scan(self._heard.popleft(), _now_s())) is not None:
                    return Happening("code_scanned", code=scan)
            await self._hear()

    async def _hear(self) -> None:
        data = await self._read(self._profile.gap_s if self._decoder.waits else PATIENCE_S)
        if data:
            self._heard += self._decoder.feed(data)
            await asyncio.sleep(0)  # a flooding line is always readable and would never let another lane run
        elif self._decoder.waits:
            self._heard += self._decoder.silence()

    async def _read(self, limit_s: float) -> bytes:
        if self._hold is None:
            raise DeviceUnavailable("line_closed", "connect() comes first")
        try:
            async with self._hold.exchange() as link:
                return await link.read(READ_BYTES, limit_s)
        except LinkError as error:
            raise DeviceUnavailable("line_lost", str(error)) from error

    # -- one code ------------------------------------------------------------------------------------------------------

    def _scan(self, raw: bytes, now_s: float) -> Scan | None:
        """None: it was said already, comes in a flood, or is no text."""
        last, seen_s = self._last
        self._last = (raw, now_s)
        if raw == last and now_s - seen_s < self._profile.repeat_s:
            self._counted["repeats"] += 1
            return None
        if self._floods(now_s):
            self._counted["floods"] += 1
            return None
        self._recent.append(now_s)
        try:
            value = raw.decode(self._profile.encoding)
        except UnicodeDecodeError:
            self._decoder.bad_lines += 1
            return None
        return Scan(value, self._seen_of(value), tuple(self._profile.serves))

    def _floods(self, now_s: float) -> bool:
        while self._recent and now_s - self._recent[0] > FLOOD_WINDOW_S:
            self._recent.popleft()
        return len(self._recent) >= FLOOD_CODES

    def _seen_of(self, value: str) -> str:
        """What of it others may see."""
        if self._profile.shown == "whole":
            return value
        return value[-SHOWN:] if self._profile.shown == "last4" and len(value) >= 2 * SHOWN else ""


def _now_s() -> float:
    return asyncio.get_running_loop().time()
