"""A self-test of a card dispenser that moves nothing and resets nothing: line, state, identity, sensors, counter.

Knows which questions a field engineer would ask; must not send anything but questions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from device_drivers.crt591 import commands
from device_drivers.crt591.codes import explain
from device_drivers.crt591.replies import (
    Failure,
    MalformedReplyError,
    Reply,
    Success,
    parse_bin_counter,
    parse_sensors,
    parse_text,
)
from device_drivers.errors import DeviceUnavailable

LINE_ROUNDS = 5  # questions asked in a row to see whether the line carries them

Ask = Callable[[commands.Question], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `reason` is a catalogue code when it is not well; `detail` what was read, in English."""

    name: str
    ok: bool
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The findings in the order they were made."""

    device: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True when every finding is well."""
        return all(finding.ok for finding in self.findings)


async def run(device: str, ask: Ask, faults: Callable[[], int]) -> SelfTest:
    """Asks everything; `faults` counts what went wrong on the line so far. A silent unit gives one finding."""
    try:
        findings = [await _line(ask, faults)]
        findings += [await _finding(ask, question, read) for question, read in _READINGS]
    except DeviceUnavailable as error:
        findings = [Finding("line", ok=False, reason=error.reason, detail=error.detail)]
    return SelfTest(device, tuple(findings))


async def _line(ask: Ask, faults: Callable[[], int]) -> Finding:
    loop = asyncio.get_running_loop()
    before, slowest_s = faults(), 0.0
    for _ in range(LINE_ROUNDS):
        began = loop.time()
        await ask(commands.STATUS)
        slowest_s = max(slowest_s, loop.time() - began)
    wrong = faults() - before
    detail = f"{LINE_ROUNDS} questions, slowest {slowest_s * 1000:.0f} ms, {wrong} faults"
    return Finding("line", ok=not wrong, reason="line_noisy" if wrong else "", detail=detail)


async def _finding(ask: Ask, question: commands.Question, read: Callable[[Success], Finding]) -> Finding:
    reply = await ask(question)
    if isinstance(reply, Failure):
        code = explain(reply.code)
        return Finding(question.name, ok=False, reason=code.reason, detail=f"{code.meaning} ({reply.code})")
    try:
        return read(reply)
    except MalformedReplyError as error:
        return Finding(question.name, ok=False, reason="nonsense", detail=str(error))


def _state(reply: Success) -> Finding:
    status = reply.status
    detail = f"transport {status.st0}, stacker {status.st1}, error bin {status.st2}"
    reason = "error_bin_full" if status.st2 else "stacker_empty" if not status.st1 else ""
    return Finding("status", ok=not reason, reason=reason, detail=detail)


def _sensors(reply: Success) -> Finding:
    sensors = parse_sensors(reply.data)
    covered = [f"S{number}" for number, card in enumerate(sensors, start=1) if card]
    detail = f"{len(sensors)} sensors, card at {', '.join(covered) or 'none'}"
    return Finding("sensors", ok=True, detail=detail)


def _counter(reply: Success) -> Finding:
    return Finding("bin counter", ok=True, detail=f"{parse_bin_counter(reply.data)} cards retained")


def _text(name: str) -> Callable[[Success], Finding]:
    return lambda reply: Finding(name, ok=True, detail=parse_text(reply.data))


_READINGS: tuple[tuple[commands.Question, Callable[[Success], Finding]], ...] = (
    (commands.STATUS, _state),
    (commands.SENSORS, _sensors),
    (commands.BIN_COUNTER, _counter),
    *((one, _text(one.name)) for one in (commands.SERIAL_NUMBER, commands.CONFIGURATION, commands.FIRMWARE)),
)
