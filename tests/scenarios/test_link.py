"""The same orders while the way to the centre fails and instructions come twice, late, in the wrong order or forged."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from simulators.checker import check
from simulators.ledger import read_ledger
from tests.broker import Broker, broker
from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.nursery import ROOT
from tests.harness.scheduler import REACH_S, Scheduler
from tests.scenarios.test_outage import until_all_sent

__all__ = ["broker"]  # a fixture of these tests

pytestmark = pytest.mark.process

EXIT_LOCKED = 75  # sysexits.h EX_TEMPFAIL: systemd may try again
ONE_CARD = {"card_drawn": 1, "card_presented": 1}


@pytest_asyncio.fixture
async def own(broker: Broker, tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """A broker that may be harmed, with its own scheduler; to be handed to `make_branch`."""
    async with Scheduler(broker.port, tmp_path) as scheduler:
        yield {"port": broker.port, "scheduler": scheduler}


async def begun(make_branch: BranchMaker, **words: Any) -> Branch:
    branch: Branch = await make_branch(**words)
    await branch.start_agent()
    await branch.born()
    return branch


# -- the broker --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("SES-4")
@pytest.mark.rule("SES-6")
@pytest.mark.rule("OUT-2")
@pytest.mark.parametrize("wiped", [False, True], ids=["killed", "killed and its store wiped"])
async def test_broker_killed_in_the_middle_of_an_order(
    make_branch: BranchMaker,
    own: dict[str, Any],
    broker: Broker,
    wiped: bool,
) -> None:
    branch = await begun(make_branch, **own)
    await branch.submit("a")
    await branch.until_ledger("card_drawn")
    broker.kill()
    if wiped:
        broker.wipe()
    await branch.until_ledger("card_presented")  # the machine serves its customer meanwhile
    broker.start()
    await branch.scheduler.caught_up(branch.name, again=True)
    assert await branch.settled("a") == "completed"
    assert await branch.serve("b") == "completed"
    report = await branch.verdict(again=True)
    assert report.acts == {"card_drawn": 2, "card_presented": 2}


@pytest.mark.rule("OUT-5")
async def test_agent_killed_and_back_while_the_broker_is_away(
    make_branch: BranchMaker, own: dict[str, Any], broker: Broker
) -> None:
    branch = await begun(make_branch, **own)
    await branch.submit("a")
    await branch.until_ledger("card_drawn")
    broker.stop()
    assert branch.agent is not None
    await branch.agent.kill()
    await branch.start_agent()
    await branch.until_ledger("card_presented")
    broker.start()
    assert await branch.settled("a") == "completed"
    report = await branch.verdict(again=True)
    assert report.acts == ONE_CARD


@pytest.mark.rule("SES-5")
async def test_a_broker_that_comes_back_brings_no_order_twice(
    make_branch: BranchMaker, own: dict[str, Any], broker: Broker
) -> None:
    branch = await begun(make_branch, **own)
    assert await branch.serve("a") == "completed"
    await branch.scheduler.caught_up(branch.name)
    await until_all_sent(branch)
    sent = len(branch.heard.events)
    for _ in range(3):
        births = len(branch.births())
        broker.restart()
        await branch.born(births + 1)
    report = await branch.verdict(again=True)
    assert report.acts == ONE_CARD
    assert len(branch.heard.events) == sent, "nothing that was acknowledged is sent again"
    assert len(branch.shown("reset")) <= 2, "a reconnect restarts no driver"


# -- instructions ------------------------------------------------------------------------------------------------------


def submission(branch: Branch, order: str, id_: str, **more: Any) -> dict[str, Any]:
    words = {"scene": "collect_card", "parameters": {"take_s": 30}}
    branch.submitted.append(order)
    return branch.scheduler.envelope(branch.name, "order.submit", words, subject=order, id_=id_, **more)


@pytest.mark.rule("INS-3")
@pytest.mark.rule("INS-9")
async def test_an_instruction_delivered_again_and_again_has_one_effect(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch)
    message = submission(branch, "a", "i1")
    for _ in range(5):
        branch.scheduler.push(branch.name, message)
    assert await branch.settled("a") == "completed"
    for _ in range(5):
        branch.scheduler.push(branch.name, message)
    await branch.heard.until(lambda: len(branch.heard.replies) >= 10, "ten replies")
    replies = [reply["data"] for reply in branch.heard.replies if reply["data"]["instruction"] == "i1"]
    assert [reply.get("repeat", False) for reply in replies] == [False] + [True] * 9
    assert {reply["status"] for reply in replies} == {"accepted"}
    report = await branch.verdict()
    assert report.acts == ONE_CARD


@pytest.mark.rule("INS-3")
async def test_the_same_id_with_other_content_is_a_conflict_without_effect(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch)
    branch.scheduler.push(branch.name, submission(branch, "a", "i1"))
    assert await branch.settled("a") == "completed"
    forged = submission(branch, "b", "i1")
    branch.scheduler.push(branch.name, forged)
    await branch.heard.until(lambda: len(branch.heard.replies) >= 2, "the conflict's reply")
    assert branch.heard.replies[-1]["data"]["code"] == "conflict"
    branch.submitted.remove("b")
    report = await branch.verdict()
    assert report.acts == ONE_CARD


@pytest.mark.rule("INS-1")
async def test_what_comes_after_its_deadline_is_refused_for_good(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch)
    reply = await branch.scheduler.instruct(submission(branch, "a", "i1", valid_s=-1))
    assert (reply["status"], reply["code"]) == ("rejected", "expired")
    again = await branch.scheduler.instruct(submission(branch, "a", "i1", valid_s=600))
    assert again["status"] == "rejected", "a rejection is final for its id"
    retry = await branch.scheduler.instruct(submission(branch, "a", "i2"))
    assert retry["status"] == "accepted"
    assert await branch.settled("a") == "completed"
    branch.judge()
    report = await branch.verdict()
    assert report.acts == ONE_CARD


@pytest.mark.rule("ORD-7")
async def test_instructions_in_the_wrong_order(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch)
    scheduler, name = branch.scheduler, branch.name

    def cancel(order: str, id_: str) -> dict[str, Any]:
        return scheduler.envelope(name, "order.cancel", {"reason": "changed my mind"}, subject=order, id_=id_)

    first, second = submission(branch, "a", "sa"), submission(branch, "b", "sb")
    for message in (
        cancel("a", "ca"),
        first,
        second,
        cancel("b", "cb"),
        first,
        second,
        cancel("a", "ca"),
        cancel("b", "cb"),
    ):
        scheduler.push(name, message)
    assert await branch.settled("a") == "completed"
    assert await branch.settled("b") == "cancelled"
    await branch.heard.until(lambda: len(branch.heard.replies) >= 8, "eight replies")
    early = branch.heard.reply("ca")
    assert early is not None
    assert early["code"] == "unknown_order"
    report = await branch.verdict()
    assert report.acts == ONE_CARD


# -- two agents --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-12")
@pytest.mark.rule("ORD-9")
async def test_a_second_agent_with_the_same_client_id_and_its_own_folder_moves_nothing(
    make_branch: BranchMaker,
) -> None:
    """A box was cloned: same name, same client id, a journal without predecessor, its own machine."""
    first = await begun(make_branch)
    second: Branch = await make_branch(name=first.name, adoption="instruction")
    await second.start_agent()
    heard = first.heard
    await heard.until(lambda: len({m["data"]["journal"] for m in heard.sessions}) == 2, "both were born")
    async with asyncio.timeout(REACH_S):  # whichever of the two holds the session answers
        for number in itertools.count():
            reply = await first.scheduler.instruct(submission(first, "a", f"i{number}"))
            if reply["status"] == "accepted" or reply["code"] == "conflict":
                break  # a conflict: the first had taken it under an id to which the second's answer came sooner
            assert reply["code"] == "journal_new"
            await asyncio.sleep(0.1)
    await first.until_ledger("card_presented")

    # The first is stopped so that the second can say all that it has to say, and the other way round.
    assert await first.stop_agent() == 0
    await say_all(second)
    assert await second.stop_agent() == 0
    await first.start_agent()
    assert await first.settled("a") == "completed"
    await say_all(first)
    ledgers = [read_ledger(branch.ledger) for branch in (first, second)]
    report = check(heard.events, ledgers, submitted=["a"], replies=heard.replies, in_order=False)
    assert report.ok, report.table()
    assert first.acts() == ["card_drawn", "card_presented"]
    assert second.acts() == []


async def say_all(branch: Branch) -> None:
    """Waits until everything of the journal that answers now is here."""
    scheduler = branch.scheduler
    reply = await scheduler.instruct(scheduler.envelope(branch.name, "orders.request", {}))
    journal, after = reply["journal"], reply["after"]
    await branch.heard.until(lambda: branch.heard.has(journal, after), f"all of journal {journal}")


async def test_a_second_agent_on_the_same_folder_refuses_to_start(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch)
    command = [sys.executable, str(ROOT / "cli.py"), "agent", "--config", str(branch.config)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(REACH_S):
        out, err = await process.communicate()
    assert process.returncode == EXIT_LOCKED, (out, err)
    assert str(branch.folder / "data") in (out + err).decode()
    assert await branch.serve("a") == "completed"
    await branch.verdict()
    assert await branch.stop_agent() == 0


@pytest.mark.rule("SES-3")
async def test_a_planned_stop_in_the_middle_of_an_order_is_told_and_taken_up_again(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch)
    await branch.submit("a")
    await branch.until_ledger("card_drawn")
    assert branch.agent is not None
    assert await branch.agent.kill(signal.SIGTERM) == 0
    heard = branch.heard

    def deaths() -> list[str]:
        return [m["data"]["reason"] for m in heard.sessions if m["type"] == "branchgate.session.died.v1"]

    await heard.until(lambda: bool(deaths()), "its death is told")
    assert deaths() == ["planned_stop"]
    await branch.start_agent()
    assert await branch.settled("a") == "completed"
    report = await branch.verdict()
    assert report.acts == ONE_CARD
