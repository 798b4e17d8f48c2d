"""Our units against simulated lines: one pulse per act whatever is lost, and what dead units cost those that live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from device_drivers.errors import DeviceError, DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.bus import Bus
from device_drivers.links.line import SharedLine, Urgency
from device_drivers.links.memory import joined_ends
from device_drivers.modbus.settings import ModbusSettings
from device_drivers.modbus.unit import ModbusUnit
from simulators.machine import Effect
from simulators.modbus.kind import build
from tests.simulators.plugged import plugged
from tests.virtual_time import virtual_time

SETTINGS = ModbusSettings()


@dataclass
class Far:
    """A simulated line, its effects, and our end of it."""

    line: SharedLine
    machine: Any
    effects: list[Effect]

    def fault(self, name: str, device: str | None = None, **args: Any) -> None:
        request = {"do": "fault", "name": name, "args": args, **({"device": device} if device else {})}
        self.machine.control(request, asyncio.get_running_loop().time())

    def clear(self) -> None:
        self.machine.control({"do": "clear"}, asyncio.get_running_loop().time())

    @property
    def pulses(self) -> int:
        return sum(effect.act == "stamped" for effect in self.effects)


@asynccontextmanager
async def simulated(kinds: dict[int, str], framing: str = "rtu") -> AsyncIterator[Far]:
    """A line with a unit of a kind at each address, called `u1` and so on."""
    devices = {f"u{address}": address for address in kinds}
    units = {f"u{address}": {"kind": kind} for address, kind in kinds.items()}
    machine = build(devices, {"units": units, "framing": framing}, None).machine
    near, far = joined_ends()
    async with plugged(machine, lambda timeout_s: far.read(4096, timeout_s), far.write) as effects:
        yield Far(SharedLine(near), machine, effects)


async def connected(line: SharedLine, unit: int, settings: ModbusSettings = SETTINGS) -> ModbusUnit:
    made = ModbusUnit(line, unit, settings)
    await made.connect()
    return made


# --- one pulse per act -----------------------------------------------------------------------------------------------


@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize("framing", ["rtu", "tcp"])
@pytest.mark.parametrize(
    ("fault", "args", "pulses"),
    [
        ("silence", {}, 1),
        ("silence", {"executes": False}, 0),
        ("late_answer", {"delay_s": 1.5}, 1),
        ("wrong_echo", {}, 1),
        ("half_answer", {}, 1),
        ("wrong_unit", {}, 1),
        ("exception", {"code": 4}, 0),
        ("dead", {"for_s": 5.0}, 0),
        ("power_loss", {}, 0),
        ("stuck_bus", {"for_s": 5.0}, 0),
    ],
)
def test_a_lost_reply_leaves_one_pulse_in_the_ledger_and_never_two(
    fault: str, args: dict[str, Any], pulses: int, framing: str
) -> None:
    @virtual_time
    async def work() -> None:
        async with simulated({1: "relay", 2: "registers"}, framing) as far:
            settings = ModbusSettings(framing="tcp" if framing == "tcp" else "rtu")
            relay, other = await connected(far.line, 1, settings), await connected(far.line, 2, settings)
            await relay.read_bits("coils", 0, 8)
            far.fault(fault, None if fault == "stuck_bus" else "u1", **args)
            with pytest.raises(OutcomeUnknown):
                await relay.pulse_coil(0x0203, 5)
            assert far.pulses == pulses
            far.clear()
            await asyncio.sleep(5)
            for unit in (other, relay, other):
                assert len(await unit.read_bits("coils", 0, 8)) == 8
            assert far.pulses == pulses  # nothing was sent again, by anybody
            await relay.pulse_coil(0x0203, 5)
            assert far.pulses == pulses + 1

    work()


@virtual_time
async def test_a_line_that_hears_itself_is_found_out_and_its_dead_board_never_believed() -> None:
    async with simulated({1: "relay"}) as far:
        relay = await connected(far.line, 1)
        far.fault("echo")
        await relay.pulse_coil(0x0200, 5)
        assert far.pulses == 1
        far.fault("dead", "u1")
        with pytest.raises(OutcomeUnknown, match="unit_silent"):
            await relay.pulse_coil(0x0200, 5)
        assert far.pulses == 1


@virtual_time
async def test_a_board_that_has_no_such_relay_says_so_and_nothing_happened() -> None:
    async with simulated({1: "relay"}) as far:
        relay = await connected(far.line, 1)
        with pytest.raises(DeviceRefused) as refused:
            await relay.pulse_coil(0x0208, 5)
        assert (refused.value.waits_for, far.pulses) == ("never", 0)


@virtual_time
async def test_questions_get_through_noise_and_one_bad_answer() -> None:
    async with simulated({1: "registers"}) as far:
        unit = await connected(far.line, 1)
        await unit.write_words(0, [7, 8])
        for fault in ("wrong_crc", "half_answer", "collision", "wrong_unit", "silence"):
            far.fault(fault, "u1")
            assert await unit.read_words("holding", 0, 2) == (7, 8)
        far.fault("garbage", hex="01 03 FF 01 03")
        assert await unit.read_words("holding", 0, 2) == (7, 8)
        assert unit.breaker.value == "closed"


# --- twenty units on four lines, five of them dead in different ways -------------------------------------------------

LINES, UNITS, FOR_S = 4, 5, 90
DEAD: dict[tuple[int, int], tuple[str, dict[str, Any]]] = {
    (0, 2): ("dead", {}),
    (0, 4): ("wrong_crc", {"count": 100_000}),
    (1, 3): ("slow", {"for_s": 3600.0, "delay_s": 4.0}),
    (2, 5): ("power_loss", {"off_s": None}),
    (3, 1): ("half_answer", {"count": 100_000}),
}
TIMEOUT_S = SETTINGS.answer_s + SETTINGS.late_s + 0.1  # and the frames themselves


@dataclass
class Poll:
    """What polling one unit came to."""

    took_s: list[float] = field(default_factory=list)
    missed: int = 0


async def _poll(unit: ModbusUnit, poll: Poll) -> None:
    """Each second, as a lane does it: late ones are not made up for."""
    clock = asyncio.get_running_loop().time
    due_s, end_s = clock(), clock() + FOR_S
    while due_s < end_s:
        await asyncio.sleep(max(0.0, due_s - clock()))
        began = clock()
        try:
            await unit.read_words("holding", 0, 8, Urgency.POLL)
        except DeviceUnavailable:
            poll.missed += 1
        poll.took_s.append(clock() - began)
        due_s = max(due_s + 1.0, clock())


async def _twenty(dead: dict[tuple[int, int], tuple[str, dict[str, Any]]]) -> tuple[dict[tuple[int, int], Poll], Any]:
    polls = {(line, unit): Poll() for line in range(LINES) for unit in range(1, UNITS + 1)}
    units: dict[tuple[int, int], ModbusUnit] = {}
    async with AsyncExitStack() as stack:
        fars = [
            await stack.enter_async_context(simulated(dict.fromkeys(range(1, UNITS + 1), "registers")))
            for _ in range(LINES)
        ]
        for place in polls:
            units[place] = await connected(fars[place[0]].line, place[1])
        for (line, unit), (fault, args) in dead.items():
            fars[line].fault(fault, f"u{unit}", **args)
        async with asyncio.TaskGroup() as group:
            for place, unit_ in units.items():
                group.create_task(_poll(unit_, polls[place]))
        timeouts = [Bus.of(far.line).timeouts for far in fars]
        counters = {place: dict(unit_.counters()) for place, unit_ in units.items()}
    return polls, (timeouts, counters)


@virtual_time
async def test_what_dead_units_cost_the_living_is_counted_and_bounded() -> None:
    polls, (timeouts, counters) = await _twenty(DEAD)
    # One timeout per back-off period: 0.5, 1, 2, ... 60 s. In 90 s that is seven or eight periods for each dead unit.
    for place in DEAD:
        assert counters[place]["backOffs"] in {7, 8}
        assert polls[place].missed > 60
    for line in range(LINES):
        assert timeouts[line] == sum(counters[place]["backOffs"] for place in DEAD if place[0] == line)
    for place, poll in polls.items():
        if place in DEAD:
            continue
        # A unit that is late, not dead, holds the line twice as long: its old answer is heard before it is doubted.
        others = [2 if DEAD[dead][0] == "slow" else 1 for dead in DEAD if dead[0] == place[0]]
        assert poll.missed == 0, place
        assert "backOffs" not in counters[place]
        # One poll waits for each dead unit of its line at most once, and all of them for no more than was counted.
        assert max(poll.took_s) <= sum(others) * TIMEOUT_S + UNITS * 0.1
        assert sum(took - 0.2 for took in poll.took_s if took > 0.2) <= timeouts[place[0]] * max(others) * TIMEOUT_S


@virtual_time
async def test_without_dead_units_no_poll_is_missed_and_none_waits() -> None:
    polls, (timeouts, _) = await _twenty({})
    assert timeouts == [0] * LINES
    assert {poll.missed for poll in polls.values()} == {0}
    assert max(max(poll.took_s) for poll in polls.values()) < 0.2
    assert {len(poll.took_s) for poll in polls.values()} == {FOR_S}


@virtual_time
async def test_an_act_waits_for_no_more_than_one_timeout_of_a_dead_unit() -> None:
    async with simulated({1: "relay", **dict.fromkeys(range(2, 8), "registers")}) as far:
        relay = await connected(far.line, 1)
        await relay.read_bits("coils", 0, 8)
        units = [await connected(far.line, number) for number in range(2, 8)]
        for number in range(2, 8):
            far.fault("dead", f"u{number}")

        async def ask_for_ever(unit: ModbusUnit) -> None:
            while True:
                try:
                    await unit.read_words("holding", 0, 8, Urgency.POLL)
                except DeviceError:
                    await asyncio.sleep(0.05)

        busy = [asyncio.create_task(ask_for_ever(unit)) for unit in units]
        took_s = []
        for _ in range(20):
            await asyncio.sleep(0.3)
            began = asyncio.get_running_loop().time()
            await relay.pulse_coil(0x0200, 1)
            took_s.append(asyncio.get_running_loop().time() - began)
        for task in busy:
            task.cancel()
        await asyncio.wait(busy)
        assert max(took_s) <= TIMEOUT_S + 0.1
        assert max(took_s) > 0.5  # it did wait: there was something to pass by
        assert relay.counters()["lineOvertaken"] > 0
        assert far.pulses == 20
