"""One receipt printer as the host meets it: two lanes in, replies and paper out, sans-io; see docs/simulators.md.

Knows when a byte is heard, when a command's turn has come and what power takes away; metal is the mechanism's. The
dangerous behaviour of the real machine is meant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

from simulators.escpos import commands, controls, keeping, mishaps, requests
from simulators.escpos.counters import Counters
from simulators.escpos.mechanism import Mechanism
from simulators.escpos.noise import Noise
from simulators.escpos.options import Options
from simulators.escpos.presenter import Presenter
from simulators.escpos.realtime import Scanner
from simulators.escpos.status import Condition, usb_port_status
from simulators.escpos.tokens import Token, Tokenizer
from simulators.escpos.transmitter import XOFF, XON, Transmitter
from simulators.escpos.writer import Writer
from simulators.faults import Armed
from simulators.machine import Action, Agenda, Detail, Effect, Kind, Ready
from simulators.plan import Plan

OVERRUN_BYTES = 1 << 20  # what may come after the ready line fell: the rest of what the host's side had in hand
HIGH_SHARE, LOW_SHARE = 0.8, 0.2  # of the buffer: stop and go on


class EscPosPrinter:
    """See `simulators.machine.Machine` for how to drive it."""

    def __init__(self, device: str, options: Options, plan: Plan | None = None) -> None:
        self.device, self.options, self.plan = device, options, plan
        self.agenda = Agenda()
        self.armed = Armed()
        self.noise: Noise = Noise()
        self.condition = Condition(drawer_high=options.drawer_high)
        self.wire: Transmitter = Transmitter(
            self.agenda, self.armed, self.emit, options.byte_s, holds=options.holds_replies
        )
        self.wire.condition = self.condition
        self.presenter = Presenter(options.customer, self.agenda, partial(self.tell, "show"))
        self.counters = Counters(options.counters_kept_every)
        self.writer = Writer(options.dots, chinese_default=options.chinese_default, draws=options.draws)
        self.mechanism = Mechanism(self)
        self.scanner = Scanner()
        self.tokenizer = Tokenizer(
            {bytes.fromhex(options.retract): "retract", bytes.fromhex(options.eject): "eject"}
            if options.presenter
            else {}
        )
        self.tokens: deque[Token] = deque()
        self.buffered = self.lost_bytes = self.outages = 0
        self.powered, self.comes_back = True, False
        self.stalled_until_s = 0.0
        self.told: set[str] = set()
        self._out: list[Action] = []
        self._stopped = False  # the host was told to wait
        self._wakes = False  # its power is back, and it was not ready since
        self._outage: object = None

    # --- simulators.machine.Machine ---------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the host, in any slices."""
        self._catch_up(now)
        for byte in data:
            heard = self.noise.heard(byte)
            if self.powered and heard is not None:
                self._hear(heard, now)
        self.go_on(now)

    def next_time(self) -> float | None:
        """When `advance` must be called at the latest; None while nothing is going on."""
        return self.agenda.next_time()

    def advance(self, now: float) -> list[Action]:
        """What happened and what leaves up to `now`, in order."""
        self._catch_up(now)
        done, self._out[:] = list(self._out), []
        return done

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Do one request of the control interface."""
        self._catch_up(now)
        answer = controls.do(self, request, now)
        self.go_on(now)
        return answer

    def host(self, *, present: bool, now: float) -> None:
        """Somebody opened the line, or closed it: neither parser nor buffer hear of that."""
        self._catch_up(now)
        self.wire.host(present=present, now=now)

    def port_status(self) -> int | None:
        """What a USB port tells of it; None without power, when there is no port."""
        return usb_port_status(self.condition) if self.powered else None

    def snapshot(self) -> dict[str, Any]:
        """What survives the end of this process, as plain JSON values; a job under way begins again."""
        return keeping.snapshot(self)

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on from a snapshot. Power that was to come back by itself is back."""
        keeping.restore(self, saved, now)
        if saved["comes_back"]:
            self.power_on(now)
        self.go_on(now)

    # --- what comes in ----------------------------------------------------------------------------------------

    def _hear(self, byte: int, now: float) -> None:
        request = self.scanner.feed(byte)
        if self.buffered + self.tokenizer.held >= self._room():
            self.lost_bytes += 1  # only the real-time lane still hears
        else:
            self._queue(self.tokenizer.feed(byte))
        if request is not None:
            self.go_on(now)  # what takes no time was done before it came, however the bytes were sliced
            requests.obey(self, request, now)
        if self.powered and not self._stopped and self.buffered > HIGH_SHARE * self.options.buffer_bytes:
            self.go_on(now)
            self._flow(now)

    def _room(self) -> int:
        return OVERRUN_BYTES if self.options.flow == "stall" else self.options.buffer_bytes

    def _queue(self, tokens: list[Token]) -> None:
        for token in tokens:
            self.tokens.append(token)
            self.buffered += token.size

    def _flow(self, now: float) -> None:
        """Tell the host to wait or to go on, and once after power-on that it is ready, if it does such a thing."""
        if self._wakes and self.powered and not self.condition.offline:
            self._wakes = False
            if self.options.flow == "xon_xoff":
                self.wire.flow(XON)
        full = self.buffered > HIGH_SHARE * self.options.buffer_bytes or now < self.stalled_until_s
        free = self.buffered < LOW_SHARE * self.options.buffer_bytes and now >= self.stalled_until_s
        if self.powered and self._stopped != full and (full or free):
            self._stopped = full
            if self.options.flow == "xon_xoff":
                self.wire.flow(XOFF if full else XON)
            elif self.options.flow == "stall":
                self.emit(Ready(on=not full))

    def _let_go(self) -> None:
        """Without power nobody is told to wait: what comes is lost."""
        self.stalled_until_s = 0.0
        if self._stopped and self.options.flow == "stall":
            self.emit(Ready(on=True))
        self._stopped = False

    # --- the queued lane --------------------------------------------------------------------------------------

    def go_on(self, now: float) -> None:
        """Do what can be done: one command after the other, each after the paper of the one before."""
        while self.powered and not self.condition.offline and now >= self.stalled_until_s:
            if self.mechanism.busy or self.mechanism.begin(now):
                break
            if self.mechanism.waiting:
                continue
            if not self.tokens:
                break
            token = self.tokens.popleft()
            self.buffered -= token.size
            self.mechanism.add(commands.execute(self, token, now))
        self._flow(now)

    def stall(self, for_s: float, now: float) -> None:
        """It takes and prints nothing for a while."""
        self.stalled_until_s = now + for_s
        self._flow(now)
        self.agenda.at(self.stalled_until_s, self.go_on)

    def clear_buffers(self, now: float) -> None:
        """`10 05 02` and `10 14 08`: what was not printed is gone, and so are its process IDs, silently."""
        lost = self.buffered + self.tokenizer.held
        self.tokens.clear()
        self.buffered = 0
        self.tokenizer.clear()
        self.writer.drop()
        self.mechanism.clear()
        self.wire.forget_ids()
        self.tell("show", "buffer_cleared", {"bytes": lost}, now)

    def changed(self, now: float) -> None:
        """Something that sensors see has changed."""
        self.wire.changed(now)
        if self.condition.offline:
            self.mechanism.pause()
        else:
            self.go_on(now)

    # --- power ------------------------------------------------------------------------------------------------

    def power_off(self, off_s: float | None, now: float) -> None:
        """Buffer, half commands, styles and pending replies are gone; paper stays where it is."""
        if not self.powered:
            return
        lost = self.buffered + self.tokenizer.held
        during = self.mechanism.stop()
        self.powered, self.comes_back = False, off_s is not None
        self.outages += 1
        self.tokens.clear()
        self.buffered = 0
        self.tokenizer.clear()
        self.scanner.seen = b""
        self.writer.reset()
        self.wire.cut()
        self.counters.lose()
        self._let_go()
        self.condition.head_hot = self.condition.opened_in_print = False
        self.tell("show", "power_lost", {"during": during, "bytes": lost}, now)
        outage = self._outage = object()

        def come_back(at_s: float) -> None:
            if self._outage is outage:
                self.power_on(at_s)

        if off_s is not None:
            self.agenda.at(now + off_s, come_back)

    def power_on(self, now: float) -> None:
        """Power is back, as new: nobody is told anything before asking but by XON, where it is used."""
        if not self.powered:
            self.powered, self.comes_back, self._outage, self._wakes = True, False, None, True
            self.condition.cutter_error = self.condition.cutter_jammed
            self.tell("show", "power_restored", {}, now)
            self.go_on(now)

    # --- what leaves ------------------------------------------------------------------------------------------

    def emit(self, action: Action) -> None:
        self._out.append(action)

    def tell(self, kind: Kind, act: str, detail: Detail, now: float) -> None:
        """An effect, for the ledger."""
        self.emit(Effect(now, self.device, kind, act, detail))

    def tell_once(self, what: str, command: bytes, now: float) -> None:
        """Of a command that it cannot do; the same one is not told again."""
        name = command.hex(" ").upper()
        if f"{what} {name}" not in self.told:
            self.told.add(f"{what} {name}")
            self.tell("show", what, {"command": name}, now)

    def occasion(self, what: str, nth: int, now: float) -> None:
        """The plan's faults for the n-th line, band, code, cut or sheet."""
        for fault in self.plan.due(what, nth, self.device) if self.plan else []:
            mishaps.strike(self, fault, now)

    def _catch_up(self, now: float) -> None:
        if self.plan is not None and not self.plan.started:
            for after_s, device, fault in self.plan.start():
                if device in {None, self.device}:
                    self.agenda.at(now + after_s, partial(mishaps.strike, self, fault))
        self.agenda.run(now)
