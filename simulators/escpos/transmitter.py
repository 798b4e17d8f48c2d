"""What the printer sends, and when: single bytes, whole blocks, automatic status; and what is lost on the way.

Knows bytes, times and armed wire faults; it never decides what a reply says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulators.escpos.status import Condition, asb, asb_seen
from simulators.faults import Armed
from simulators.machine import Action, Agenda, Send

XON, XOFF = b"\x11", b"\x13"


class Transmitter:
    """Between a block's first byte and its closing `00` nothing goes out but XON and XOFF."""

    def __init__(
        self, agenda: Agenda, armed: Armed, emit: Callable[[Action], None], byte_s: float, *, holds: bool
    ) -> None:
        self._agenda, self._armed, self._emit, self._byte_s, self._holds = agenda, armed, emit, byte_s, holds
        self._cycle = object()
        self._free_s = 0.0
        self._busy_until_s = 0.0  # the host's ready line is down until then
        self._host = True
        self._pending_id = b""
        self._asb_due = False
        self._asb_told: tuple[object, ...] = ()
        self.mask = 0
        self.condition: Condition

    # --- what the printer says --------------------------------------------------------------------------------

    def reply(self, data: bytes, now: float) -> None:
        """A single byte, or a block that nothing may interrupt."""
        if self._host and now >= self._busy_until_s:
            self._send(data, now)

    def process_id(self, four: bytes, now: float) -> None:
        """Of several that could not leave only the latest does."""
        block = b"\x37\x22" + four + b"\x00"
        if now < self._busy_until_s or (not self._host and self._holds):
            self._pending_id = block
        elif self._host:
            self._send(block, now)

    def watch(self, mask: int, now: float) -> None:
        """`1D 61 n`: the present status at once, then on each change."""
        self.mask = mask
        if mask:
            self._say_asb(now)

    def changed(self, now: float) -> None:
        """The condition may have changed."""
        if self.mask and asb_seen(self.condition, self.mask) != self._asb_told:
            self._say_asb(now)

    def status_block(self, now: float) -> None:
        """The four bytes because somebody asked for them."""
        self.reply(asb(self.condition), now)

    def flow(self, control: bytes) -> None:
        """XON or XOFF, in the middle of anything."""
        self._emit(Send(control))

    # --- the host ---------------------------------------------------------------------------------------------

    def host(self, *, present: bool, now: float) -> None:
        """Somebody opened the line, or closed it."""
        self._host = present
        if present:
            self._release(now)

    def busy(self, for_s: float, now: float) -> None:
        """The host takes nothing for a while; what does not matter any more is not sent afterwards."""
        self._busy_until_s = now + for_s
        self._agenda.at(self._busy_until_s, self._release)

    def _release(self, now: float) -> None:
        if now < self._busy_until_s or not self._host:
            return
        if self._pending_id:
            block, self._pending_id = self._pending_id, b""
            self._send(block, now)
        if self._asb_due:
            self._say_asb(now)

    def forget_ids(self) -> None:
        """The buffers were cleared: their process IDs never leave."""
        self._pending_id = b""

    def cut(self) -> None:
        """No power."""
        self._cycle, self._free_s, self._pending_id = object(), 0.0, b""
        self.mask, self._asb_due, self._asb_told = 0, False, ()

    # --- the wire ---------------------------------------------------------------------------------------------

    def _say_asb(self, now: float) -> None:
        self._asb_told = asb_seen(self.condition, self.mask)
        if now < self._busy_until_s:
            self._asb_due = True
            return
        self._asb_due = False
        if self._host:
            self._send(asb(self.condition), now)

    def _send(self, data: bytes, now: float) -> None:
        if self._armed.take("silence", now):
            return
        late = self._armed.take("late_reply", now)
        data = self._spoilt(data, now)
        start_s = max(self._free_s, now + (float(late.args["delay_s"]) if late else 0.0))
        self._free_s = start_s + self._byte_s * len(data)
        pieces = [data] if self._byte_s == 0 else [data[at : at + 1] for at in range(len(data))]
        for nth, piece in enumerate(pieces):
            self._at(start_s + nth * self._byte_s, piece, now)

    def _at(self, when_s: float, piece: bytes, now: float) -> None:
        if when_s <= now:
            self._emit(Send(piece))
            return
        cycle = self._cycle

        def unless_power_went(_: float) -> None:
            if self._cycle is cycle:
                self._emit(Send(piece))

        self._agenda.at(when_s, unless_power_went)

    def _spoilt(self, data: bytes, now: float) -> bytes:
        garbage = self._armed.take("garbage", now)
        if garbage is None:
            return data
        noise: bytes = garbage.args["hex"]
        cut = {"before": 0, "inside": len(data) // 2}.get(garbage.args["where"], len(data))
        return data[:cut] + noise + data[cut:]

    def snapshot(self) -> dict[str, Any]:
        return {"mask": self.mask, "pending_id": self._pending_id.hex()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.mask, self._pending_id = int(saved["mask"]), bytes.fromhex(saved["pending_id"])
        self._asb_told = asb_seen(self.condition, self.mask)
