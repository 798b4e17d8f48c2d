"""Commissioning a cabinet: what its contacts read is seen, nothing moves unasked, and wrong wiring is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from device_drivers.cells.kind import KIND
from device_drivers.cells.profile import CellsProfile
from device_drivers.commissioning import Commissioning, NotAsMeantError, StoppedByHandError
from device_drivers.device import Json
from device_drivers.links.line import SharedLine
from tests.device_drivers.cells.bench import CELLS, Bench, bench, profile_of
from tests.device_drivers.hands import Hands
from tests.device_drivers.modbus.test_against_simulator import Far, simulated
from tests.virtual_time import run, virtual_time

EMPTY = {"serials": [None] * CELLS}


def unseen(**more: Any) -> dict[str, Any]:
    """A profile without what commissioning finds."""
    profile = profile_of(**more)
    return {key: value for key, value in profile.items() if key not in {"locked_feedback", "act_max_s"}}


def hands_of(b: Bench, **more: Any) -> Hands:
    async def put(cell: str) -> None:
        b.machine.chest.cells[cell].serial = "sample"

    async def take(cell: str) -> None:
        b.machine.chest.cells[cell].serial = None

    async def shut(cell: str) -> None:
        b.control("close", cell=cell)

    async def by_key(cell: str) -> None:
        b.control("force", cell=cell)

    deeds = {"put_item_in": put, "take_item_out": take, "shut_door": shut, "open_by_hand": by_key}
    return Hands(deeds, **more)


async def commission(line: SharedLine, profile: Mapping[str, Json], hands: Hands) -> Mapping[str, Json]:
    assert KIND.commission is not None
    return await KIND.commission(Commissioning("memory://cells", profile, lambda _: line, hands))


def with_bench(test: Callable[[Bench], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def work() -> None:
        async with bench({**EMPTY, **options}, profile_of()) as b:
            await test(b)

    run(work())


@pytest.mark.parametrize("locked", ["00", "11"])
def test_the_feedback_the_items_and_the_time_of_a_door_are_seen(locked: str) -> None:
    async def test(b: Bench) -> None:
        hands = hands_of(b)
        seen = await commission(b.line, unseen(), hands)
        assert seen["locked_feedback"] == locked
        assert seen["act_max_s"] == 2.0
        assert seen["cell"] == [{"id": f"{n:02d}", "item": {"inverted": False}} for n in range(1, CELLS + 1)]
        assert b.opening_frames == ["8A 01 01 11 9B"]  # devices.md 2.3, vector 1: one cell, once
        assert hands.asked == ["shut_doors", "may_open", "put_item_in", "take_item_out", "shut_door"]
        CellsProfile.model_validate({**unseen(), "locked_feedback": locked, "act_max_s": seen["act_max_s"]})

    with_bench(test, locked_feedback=locked)


def test_a_slow_door_makes_the_wait_longer() -> None:
    async def test(b: Bench) -> None:
        seen = await commission(b.line, unseen(), hands_of(b))
        assert 4.5 <= seen["act_max_s"] <= 5.5  # three times what it took, in halves of a second

    with_bench(test, act_s=1.5)


def test_nothing_moves_without_consent_and_the_key_does_as_well() -> None:
    async def test(b: Bench) -> None:
        hands = hands_of(b, agrees=False)
        seen = await commission(b.line, unseen(), hands)
        assert b.opening_frames == []
        assert "open_by_hand" in hands.asked
        assert "act_max_s" not in seen
        assert seen["locked_feedback"] == "00"

    with_bench(test)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"cell": [{"lock": {"board": 1, "lock": 2}}, {"lock": {"board": 1, "lock": 1}}]}, "other_doors"),
        ({"stuck": True}, "door_did_not_open"),
        ({"open": True}, "doors_differ"),
        ({"dead": True}, "board_silent"),
        ({"no_item": True}, "item_not_seen"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_as_the_profile_says_is_named(change: dict[str, Any], key: str) -> None:
    async def test(b: Bench) -> None:
        hands, profile = hands_of(b), unseen()
        if "cell" in change:  # the door contacts of two cells are mixed up
            profile["cell"][0]["door"] = change["cell"][0]["lock"]
            profile["cell"][1]["door"] = change["cell"][1]["lock"]
        if "stuck" in change:
            b.fault("stuck_lock")
        if "open" in change:
            b.control("force", cell="03")
        if "dead" in change:
            b.fault("dead_board", board=1, for_s=60.0)
        if "no_item" in change:
            hands = Hands({})
        with pytest.raises(NotAsMeantError) as otherwise:
            await commission(b.line, profile, hands)
        # A mixed-up contact shows first as a door that did not open, its own contact being another's.
        assert otherwise.value.key == ("door_did_not_open" if key == "other_doors" else key)
        assert len(b.opening_frames) <= 1

    with_bench(test)


def test_a_person_may_break_off() -> None:
    async def test(b: Bench) -> None:
        hands = hands_of(b)
        hands.stops_at = "put_item_in"
        with pytest.raises(StoppedByHandError):
            await commission(b.line, unseen(), hands)
        async with asyncio.timeout(1):
            hold = await b.line.hold()  # the line was given back
            await hold.let_go()

    with_bench(test)


# --- on Modbus modules -----------------------------------------------------------------------------------------------

MODULES = {
    "cell": [
        {
            "id": f"{n + 1}",
            "lock": {"unit": 1, "channel": n},
            "door": {"unit": 2, "channel": n},
            "item": {"unit": 2, "channel": n + 4},
        }
        for n in range(2)
    ],
    "modbus": {"framing": "rtu"},
}


def at_modules(far: Far, opens: int) -> Hands:
    """Doors read 0 while shut; items read 1 while there. A lock lets go of the door `opens`."""

    def level(channel: int, *, on: bool) -> None:
        request = {"do": "input", "device": "u2", "channel": channel, "on": on}
        far.machine.control(request, asyncio.get_running_loop().time())

    async def may_open(cell: str) -> None:
        asyncio.get_running_loop().call_later(0.4, lambda: level(opens, on=True))

    async def put(cell: str) -> None:
        level(int(cell) + 3, on=True)

    async def take(cell: str) -> None:
        level(int(cell) + 3, on=False)

    async def shut(cell: str) -> None:
        level(int(cell) - 1, on=False)

    return Hands({"may_open": may_open, "put_item_in": put, "take_item_out": take, "shut_door": shut})


@virtual_time
async def test_contacts_of_modules_are_found_to_be_inverted() -> None:
    async with simulated({1: "relay", 2: "digital_inputs"}) as far:
        held = await far.line.hold()  # keeps the memory line from being closed under the machine
        seen = await commission(far.line, MODULES, at_modules(far, opens=0))
        assert held.unbroken
        assert far.pulses == 1
        assert seen["cell"] == [
            {"id": "1", "door": {"inverted": True}, "item": {"inverted": False}},
            {"id": "2", "door": {"inverted": True}, "item": {"inverted": False}},
        ]
        assert "locked_feedback" not in seen
        assert seen["act_max_s"] == 2.0


@virtual_time
async def test_a_lock_that_opens_another_cells_door_is_named() -> None:
    async with simulated({1: "relay", 2: "digital_inputs"}) as far:
        hands = at_modules(far, opens=1)
        held = await far.line.hold()
        with pytest.raises(NotAsMeantError) as otherwise:
            await commission(far.line, MODULES, hands)
        assert otherwise.value.key == "door_did_not_open"
        assert far.pulses == 1
        assert held.unbroken
