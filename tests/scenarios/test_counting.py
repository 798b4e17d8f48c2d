"""People, doors and banknotes with the real agent: readings and inputs reach a scheduler, and an order's cash is
counted, through a kill of the agent."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from device_drivers.banknotes.fsn import read_fsn
from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.machines import Machine
from tests.harness.scheduler import REACH_S
from tests.scenarios.test_outage import ask_journal

pytestmark = pytest.mark.process

PEOPLE, SITE, NOTES = "people-1", "site-1", "note-1"
MACHINES = (
    Machine(
        PEOPLE,
        "modbus",
        "people-counter",
        "tcp",
        options={
            "framing": "tcp",
            "units": {PEOPLE: {"kind": "pulse_counter", "model": "adam605x", "raw": [4_294_967_293, 7]}},
        },
        profile={"model": "adam605x", "unit": 1, "counts": {"in": 0, "out": 1}},
        settings={"kind": "people_counter", "observe_s": 1.0},
        unit=1,
    ),
    Machine(
        SITE,
        "modbus",
        "site-inputs",
        options={"units": {SITE: {"kind": "digital_inputs"}}},
        profile={
            "unit": 2,
            "inputs": {
                "branchDoor": {"channel": 0, "on": "open", "off": "closed"},
                "panicButton": {"channel": 3, "on": "on", "off": "off"},
            },
        },
        settings={"kind": "site_inputs"},
        unit=2,
    ),
    Machine(
        NOTES,
        "banknotes",
        "banknote-counter",
        options={"note_s": 0.02},
        profile={"batch_gap_s": 0.5},
        settings={"kind": "banknote_counter"},
    ),
)


async def counting_branch(make_branch: BranchMaker) -> Branch:
    branch: Branch = await make_branch(others=MACHINES, card=False)
    await branch.start_agent()
    await branch.born()
    await branch.heard.until(lambda: len(_readings(branch)) > 0, "the first reading")
    return branch


def _readings(branch: Branch) -> list[dict[str, Any]]:
    """The readings of the door, look by look, by name."""
    looks = [message["data"] for message in branch.heard.readings if message["data"]["device"] == PEOPLE]
    return [{one["name"]: one for one in look["readings"]} for look in looks]


def _told(branch: Branch, device: str) -> list[dict[str, Any]]:
    """What was told once of a device, but whether it is there."""
    kind = "branchgate.device.changed.v1"
    data = [event["data"] for event in branch.heard.events if event["type"] == kind]
    return [one for one in data if one["device"] == device and one["state"] not in {"online", "offline"}]


async def until_told(branch: Branch, device: str, count: int) -> list[dict[str, Any]]:
    await branch.heard.until(lambda: len(_told(branch, device)) >= count, f"{count} tales of {device}")
    return _told(branch, device)


@pytest.mark.rule("DEV-3")
async def test_people_and_doors_reach_the_scheduler(make_branch: BranchMaker) -> None:
    branch = await counting_branch(make_branch)
    door = branch.machines[PEOPLE]
    await door.request("walk", way="in", people=5)
    await door.request("walk", way="out", people=2)
    await branch.heard.until(lambda: _deltas(branch) == (5, 2), "what walked by")
    flags = [one["flag"] for look in _readings(branch) for one in look.values() if "flag" in one]
    assert flags == ["wrapped"]

    site = branch.machines[SITE]
    await branch.heard.until(lambda: _inputs(branch) == {"branchDoor": "closed", "panicButton": "off"}, "the inputs")
    await site.request("input", channel=0, bounces=4, bounce_s=0.02)
    await until_told(branch, SITE, 1)
    await site.request("input", channel=3)
    await until_told(branch, SITE, 2)
    await site.request("input", channel=3, on=False)
    told = await until_told(branch, SITE, 3)
    assert [(one["facts"]["input"], one["facts"]["to"]) for one in told] == [
        ("branchDoor", "open"),
        ("panicButton", "on"),
        ("panicButton", "off"),
    ]

    agent = branch.agent
    assert agent is not None
    await agent.kill()
    await door.request("walk", way="in", people=4)
    await branch.start_agent()
    await branch.born(2)

    def seen() -> list[dict[str, Any]]:
        return [look for look in _readings(branch) if look["in"]["raw"] == 6]

    await branch.heard.until(lambda: bool(seen()), "a look of the next agent")
    first = seen()[0]
    assert first["in"]["delta"] >= 4  # and what the agent before had not kept yet
    assert first["in"].get("flag", "") in {"", "wrapped"}
    assert await branch.stop_agent() == 0


def _deltas(branch: Branch) -> tuple[int, int]:
    looks = _readings(branch)
    return sum(look["in"].get("delta", 0) for look in looks), sum(look["out"].get("delta", 0) for look in looks)


def _inputs(branch: Branch) -> dict[str, str]:
    twins = [message["data"] for message in branch.heard.twins if message["data"]["device"] == SITE]
    found: dict[str, str] = twins[-1].get("auxiliaries", {}) if twins else {}
    return found


TRIES = 20
STANDSTILL = {"restarted", "not_from_the_start"}  # flaws of a batch of which each note was heard


async def counted(branch: Branch, notes: list[Any]) -> dict[str, Any]:
    """Puts a bundle in, and again, as people do, until it was told as one batch.

    What comes before the agent heard a silence is void; and a counter that others of this box keep from counting for
    longer than its gap has ended a batch by that.
    """
    desk = branch.machines[NOTES]
    for _ in range(TRIES):
        before, passed = len(_told(branch, NOTES)), len(branch.shown("note_passed"))
        ended = len(branch.shown("batch_counted"))
        await desk.request("put", notes=notes)
        await branch.until_ledger("batch_counted", ended + 1)
        serials = serials_of(branch)[passed:]
        await branch.heard.until(partial(_all_told, branch, before, len(serials)), "all of a bundle was told")
        await desk.request("take")
        for one in _batches(branch, before):
            if [note["serial"] for note in one["facts"].get("notes", ())] == serials:
                return one
    raise AssertionError(f"none of {TRIES} bundles was told as one batch")


def serials_of(branch: Branch) -> list[str]:
    """Of all notes that ever passed, in order."""
    return [line["detail"]["serial"] for line in branch.shown("note_passed")]


def _batches(branch: Branch, before: int) -> list[dict[str, Any]]:
    return [one for one in _told(branch, NOTES)[before:] if one["state"] != "notes_count_anew"]


def _all_told(branch: Branch, before: int, notes: int) -> bool:
    """Whether batches of so many notes were told since, or one of which notes were lost on the way."""
    told = [one["facts"] for one in _batches(branch, before)]
    flaws = {flaw["flaw"] for facts in told for flaw in facts.get("flaws", ())}
    return sum(facts.get("count", 0) for facts in told) >= notes or bool(flaws - STANDSTILL)


async def until_remembered(branch: Branch) -> None:
    """Waits until the agent has written down that a batch is under way."""
    async with asyncio.timeout(REACH_S):
        while not ask_journal(branch, "SELECT count(*) FROM memories WHERE memory LIKE '%\"open\"%'"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_withdrawal_is_counted_through_a_kill(make_branch: BranchMaker) -> None:
    branch = await counting_branch(make_branch)
    desk = branch.machines[NOTES]
    unasked = await counted(branch, [{"value": 50, "count": 4}, {"value": 100, "cash": "suspect"}])
    assert (unasked["state"], unasked["facts"]["sum"], unasked["facts"]["cash"]["suspect"]) == ("notes_counted", 200, 1)
    assert "order" not in unasked["facts"]

    reply = await branch.submit("w", scene="count_cash", parameters={"amount": 4000})
    assert reply["status"] == "accepted"
    await branch.heard.until(
        lambda: branch.heard.orders.get("w", {}).get("waiting_for") == "staff", "it waits for staff"
    )
    refused = await counted(branch, [{"value": 100, "count": 39}])
    assert refused["state"] == "notes_refused"
    facts = refused["facts"]
    why = {"reason": "notes_sum_differs", "expected": 4000, "sum": 3900, "batches": [facts["batch"]]}
    assert (facts["order"], facts["refused"]) == ("w", why)

    before, passed = len(_told(branch, NOTES)), len(branch.shown("note_passed"))
    await desk.request("put", notes=[{"value": 100, "count": 1000}])
    await branch.until_ledger("note_passed", passed + 10)
    await until_remembered(branch)
    agent = branch.agent
    assert agent is not None
    await agent.kill()  # in the middle of a bundle
    await desk.request("free")
    await branch.start_agent()
    await branch.born(2)
    both = {"notes_void", "notes_count_anew"}
    await branch.heard.until(lambda: both <= {one["state"] for one in _told(branch, NOTES)[before:]}, "what was cut")
    assert {one["state"] for one in _told(branch, NOTES)[before:]} == both
    await counted(branch, [100])  # what lay in the line when the agent died was told before it
    last = await counted(branch, [{"value": 100, "count": 40}])
    assert await branch.settled("w") == "completed"
    assert (last["state"], last["facts"]["order"], last["facts"]["count"]) == ("notes_counted", "w", 40)
    serials = serials_of(branch)[-40:]
    assert [note["serial"] for note in last["facts"]["notes"]] == serials
    files = sorted((branch.folder / "fsn").glob("*.fsn"), key=lambda file: file.stat().st_mtime_ns)
    assert [
        note.serial for note in read_fsn(files[-1].read_bytes()).notes
    ] == serials  # what the counter itself exports
    await branch.verdict()
    log = "".join(path.read_text() for path in branch.folder.glob("agent-*.log"))
    assert not [serial for serial in serials if serial in log]
    assert await branch.stop_agent() == 0
