"""A BX-6 screen on a line or at a TCP port: one frame, and an answer that says no more than that somebody is there.

Knows frames, their answers and echoes; what an answer means besides no source tells (devices.md U10), so nothing is
made of it: what is shown was `sent`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from device_drivers.bx6.commands import PING, show
from device_drivers.bx6.profile import COLOURS, Bx6Profile
from device_drivers.bx6.protocol import Decoder, Packet, frame
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.links.line import SharedLine, Urgency
from device_drivers.receipts.letters import width_of
from device_drivers.screens.driver import Evidence
from device_drivers.screens.faces import Face
from device_drivers.screens.share import Share, Turn

QUIET_S = 0.02
DRAIN_MAX = 64  # reads of old bytes before a line counts as flooding
ASKED_MAX = 2  # a question may be asked again


class Bx6Screen:
    """One address on a line."""

    def __init__(self, line: SharedLine, profile: Bx6Profile) -> None:
        self._share, self._profile = Share(line), profile
        self._area = profile.dynamic_area
        self._counted = {"echoes": 0, "badFrames": 0, "garbageBytes": 0, "resends": 0}

    async def connect(self) -> None:
        """Takes a share of the line. Raises DeviceUnavailable."""
        await self._share.connect()

    async def disconnect(self) -> None:
        """Gives it back."""
        await self._share.disconnect()

    async def ask(self) -> None:
        """A ping, twice at most. Raises DeviceUnavailable."""
        if not self._profile.answers:
            self._share.check()
            return
        for asked in range(ASKED_MAX):
            try:
                await self._exchange(PING, Urgency.POLL)
                return
            except OutcomeUnknown as silent:
                if asked == ASKED_MAX - 1 or silent.reason != "screen_silent":
                    raise DeviceUnavailable(silent.reason, silent.detail) from silent
                self._counted["resends"] += 1

    async def show(self, face: Face, urgency: Urgency) -> Evidence:
        """One frame. Raises DeviceUnavailable; OutcomeUnknown: it did not answer."""
        await self._exchange(show(self._area, self._text(face)), urgency)
        return "sent"

    def _text(self, face: Face) -> bytes:
        """Rows are filled with blanks, so that each begins where the controller begins a line."""
        panel, profile = self._profile.panel, self._profile
        fill = panel.rows * len(face.pages) > 1
        text = b""
        for line in (line for page in face.pages for line in page):
            blanks = " " * (panel.columns - width_of(line.text)) if fill else ""
            colour = COLOURS[profile.urgent_colour if line.urgent else profile.colour]
            text += colour + (line.text + blanks or " ").encode(panel.letters)
        return text

    async def _exchange(self, data: bytes, urgency: Urgency) -> None:
        profile = self._profile
        packet = Packet(profile.unit, profile.sender, data, profile.device_type)
        async with self._share.turn(urgency) as turn:
            await self._make_quiet(turn)
            await turn.write(frame(packet))
            if profile.answers and not await self._answered(turn, packet):
                raise OutcomeUnknown("screen_silent", f"screen {profile.unit} did not answer in {profile.answer_s} s")

    async def _make_quiet(self, turn: Turn) -> None:
        """An answer that came too late is not to be taken for the next one's."""
        for _ in range(DRAIN_MAX):
            heard = await turn.heard(QUIET_S)
            if not heard:
                return
            self._counted["garbageBytes"] += len(heard)
        raise DeviceUnavailable("line_floods", f"screen {self._profile.unit}")

    async def _answered(self, turn: Turn, own: Packet) -> bool:
        """Whether a whole frame came that is not our own, which a line that hears itself brings back."""
        loop, decoder = asyncio.get_running_loop(), Decoder()
        until, answered = loop.time() + self._profile.answer_s, False
        while not answered and (left := until - loop.time()) > 0:
            for packet in decoder.feed(await turn.heard(left)):
                self._counted["echoes"] += packet == own
                answered = answered or packet != own
        self._counted["badFrames"] += decoder.bad_frames
        self._counted["garbageBytes"] += decoder.garbage_bytes
        return answered

    def counters(self) -> Mapping[str, int]:
        """What is not nought."""
        return {name: count for name, count in self._counted.items() if count}
