"""The console against a real broker, agent and machine: what a person types in another terminal."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Broker
from tests.conftest import BranchMaker
from tests.harness.branch import LEAVES, Branch

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
LIMIT_S = 240  # Python itself takes seconds to start on a busy box


class Terminal:
    """Types commands at a broker and a branch; no terminal is attached, so lines are plain."""

    def __init__(self, port: int, branch: str | None, lang: str = "en") -> None:
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BRANCHGATE_")},
            "BRANCHGATE_BROKER": f"127.0.0.1:{port}",
            "BRANCHGATE_LANG": lang,
            **({"BRANCHGATE_BRANCH": branch} if branch else {}),
        }

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", *arguments),
            cwd=ROOT,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def type(self, *arguments: str) -> tuple[int, str, str]:
        process = await self.start(*arguments)
        async with asyncio.timeout(LIMIT_S):
            out, err = await process.communicate()
        assert process.returncode is not None
        assert b"Traceback" not in out + err
        return process.returncode, out.decode(), err.decode()

    async def json(self, *arguments: str) -> Any:
        code, out, err = await self.type(*arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)


async def _running(make_branch: BranchMaker, **words: Any) -> Branch:
    branch: Branch = await make_branch(**words)
    await branch.start_agent()
    await branch.born()
    return branch


async def test_an_order_is_submitted_followed_and_shown(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch)
    terminal = Terminal(shared_broker.port, branch.name)
    branch.submitted.append("o1")
    submit = ("order", "submit", "collect_card", "--id", "o1", "--param", "take_s=20", "--wait")
    code, out, _ = await terminal.type(*submit)
    assert code == 0
    assert out.splitlines()[0] == "accepted: order o1"
    assert "o1 draw: acting (draw a card, card-1)" in out
    assert out.splitlines()[-1] == "o1: completed"
    assert out.splitlines().count("o1: completed") == 1

    code, out, _ = await terminal.type(*submit)  # typed again: no second order, and its end is known already
    assert code == 0
    assert "accepted before, no new effect" in out
    assert out.splitlines().count("o1: completed") == 1

    story = await terminal.json("order", "show", "o1")
    assert (story["order"], story["state"]) == ("o1", "completed")
    assert [step["state"] for step in story["steps"]] == ["done", "done", "done"]
    code, out, _ = await terminal.type("order", "show", "o1")
    assert code == 0
    assert "o1/draw/1" in out
    assert "taken by the customer" in out

    assert (await terminal.json("order", "list"))["orders"] == []
    assert [order["order"] for order in (await terminal.json("order", "list", "--all"))["orders"]] == ["o1"]
    assert (await branch.verdict()).ok


async def test_rejections_have_code_sentence_and_the_branchs_word(
    make_branch: BranchMaker, shared_broker: Broker
) -> None:
    branch = await _running(make_branch)
    terminal = Terminal(shared_broker.port, branch.name)
    for arguments, code, word in (
        (("order", "cancel", "nobody"), 3, "unknown_order"),
        (("order", "show", "nobody"), 3, "unknown_order"),
        (("order", "submit", "no_such_scene"), 3, "unknown_scene"),
        (("order", "submit", "collect_card", "--param", "take_s=0"), 1, "invalid"),
        (("order", "submit", "collect_card", "--param", "colour=red"), 1, "invalid"),
        (
            ("order", "resolve", "nobody", "--step", "draw", "--choice", "failed", "--by", "li", "--yes"),
            3,
            "unknown_order",
        ),
    ):
        got, out, err = await terminal.type(*arguments)
        assert (got, out) == (code, "")
        sentence, says, remedy = err.splitlines()
        assert f"({word})" in sentence
        assert says.startswith("The branch says: ")
        assert ("new id" in remedy) == (arguments[1] == "submit"), "only an order can be sent again"
        got, _, err = await terminal.type(*arguments, "--json")
        told = json.loads(err)
        assert (got, told["error"], told["exit_code"]) == (code, "rejected", code)
        assert told["branch"]


async def test_a_number_where_the_branch_wants_text_is_told_as_it_must_be_typed(
    make_branch: BranchMaker, shared_broker: Broker
) -> None:
    branch = await _running(make_branch)
    terminal = Terminal(shared_broker.port, branch.name)
    submit = ("order", "submit", "show_idle", "--param")
    code, _, err = await terminal.type(*submit, "window=3")
    assert (code, err.count("""--param 'window="3"'""")) == (1, 1)
    code, _, err = await terminal.type(*submit, 'window="3"')
    assert "must be a string" not in err


async def test_hold_release_and_cancel(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch)
    terminal = Terminal(shared_broker.port, branch.name)
    branch.submitted.append("o1")
    reply = await terminal.json("order", "submit", "collect_card", "--id", "o1", "--not-before", "1h")
    assert (reply["status"], reply["order"]) == ("accepted", "o1")
    assert (await terminal.json("order", "hold", "o1", "--reason", "asked by phone"))["result"]["state"] == "held"
    code, out, _ = await terminal.type("order", "list")
    assert code == 0
    assert "held" in out
    assert (await terminal.json("order", "release", "o1"))["result"]["state"] == "scheduled"
    assert (await terminal.json("order", "cancel", "o1"))["result"]["state"] == "cancelled"
    code, _, err = await terminal.type("order", "cancel", "o1")
    assert code == 1
    assert "(terminal)" in err
    assert branch.acts() == []


@pytest.mark.rule("ORD-6")
async def test_people_decide_what_the_machine_cannot_know(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch)
    terminal = Terminal(shared_broker.port, branch.name, "zh")
    await branch.fault("power_loss", off_s=0.5, at_fraction=0.2)
    assert await branch.serve("o1") == "needs_attention"
    resolve = ("order", "resolve", "o1", "--step", "draw", "--choice", "no_effect", "--by", "li.na")

    code, _, err = await terminal.type(*resolve, "--yes")
    assert code == 2
    assert "2 名不同的人" in err
    code, _, err = await terminal.type(*resolve, "--by", "wang.wei")
    assert code == 2
    assert "--yes" in err
    code, _, err = await terminal.type(
        "order", "resolve", "o1", "--step", "nope", *resolve[5:], "--by", "wang.wei", "--yes"
    )
    assert code == 3
    assert "draw" in err
    code, _, err = await terminal.type(
        "order", "resolve", "o1", "--step", "take", *resolve[5:], "--by", "wang.wei", "--yes"
    )
    assert code == 1
    assert "take" in err
    code, out, _ = await terminal.type(*resolve, "--by", "wang.wei", "--yes")
    assert code == 0
    assert "自报姓名，未经认证：li.na, wang.wei" in out
    assert await branch.settled("o1") == "completed"
    assert branch.acts() == ["card_drawn", "card_presented"]
    story = await terminal.json("order", "show", "o1")
    deciding = [entry for entry in story["history"] if entry.get("by")]
    assert deciding
    assert all(entry["authenticated"] is False for entry in deciding)
    assert deciding[0]["by"] == ["/people/li.na", "/people/wang.wei"]


async def test_a_failed_order_is_exit_code_one(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch, customer=LEAVES)
    terminal = Terminal(shared_broker.port, branch.name)
    code, out, _ = await terminal.type("order", "submit", "collect_card", "--param", "take_s=1", "--wait", "--json")
    told = json.loads(out)
    assert (code, told["state"]) == (1, "failed")
    assert told["events"][-1]["data"]["to"] == "failed"


async def test_devices_come_from_their_twins(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch)
    terminal = Terminal(shared_broker.port, branch.name)
    assert await branch.serve("o1") == "completed"
    (device,) = (await terminal.json("device", "list"))["devices"]
    assert (device["device"], device["state"], device["lane"]) == ("card-1", "online", "open")
    assert (await terminal.json("device", "show", "card-1"))["identity"]["model"] == "CRT-591-M001"
    code, out, _ = await terminal.type("device", "list")
    assert code == 0
    assert "stacker" in out
    code, out, _ = await Terminal(shared_broker.port, branch.name, "zh").type("device", "show", "card-1")
    assert code == 0
    assert "发卡箱" in out
    assert re.search(r"^时间 +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", out, re.MULTILINE), "counters are of then"
    code, _, err = await terminal.type("device", "show", "toaster")
    assert code == 3
    assert "toaster" in err
    assert (await terminal.json("device", "list"))["away"] is None
    await branch.stop_agent()
    code, out, err = await terminal.type("device", "list")
    assert (code, "online" in out) == (0, True)
    assert "is away (stopped as planned)" in err, "what is old must not look like now"
    assert (await terminal.json("device", "list"))["away"] == "planned_stop"


async def _lines(process: asyncio.subprocess.Process, wanted: str) -> list[str]:
    assert process.stdout is not None
    seen: list[str] = []
    async with asyncio.timeout(LIMIT_S):
        while wanted not in (seen[-1] if seen else ""):
            line = await process.stdout.readline()
            assert line, f"it ended without saying {wanted!r}: {seen}"
            seen.append(line.decode())
    return seen


@pytest.mark.parametrize("as_json", [False, True])
async def test_watch_shows_everything_until_ctrl_c(
    make_branch: BranchMaker, shared_broker: Broker, *, as_json: bool
) -> None:
    branch = await _running(make_branch)
    process = await Terminal(shared_broker.port, branch.name).start("watch", *(["--json"] if as_json else []))
    born = "branchgate.session.born.v1" if as_json else f"branch {branch.name} is up"
    await _lines(process, born)
    assert await branch.serve("o1") == "completed"
    lines = await _lines(process, '"to": "completed"' if as_json else "o1: completed")
    if as_json:
        types = {json.loads(line)["type"] for line in lines}
        assert {"branchgate.step.changed.v1", "branchgate.instruction.answered.v1"} <= types
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in err


async def test_ctrl_c_leaves_the_order_alone(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch)
    branch.submitted.append("o1")
    process = await Terminal(shared_broker.port, branch.name).start(
        "order", "submit", "collect_card", "--id", "o1", "--wait"
    )
    await _lines(process, "acting")
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == 130
    assert b"the order goes on" in out
    assert b"Traceback" not in err
    assert await branch.settled("o1") == "completed"


@pytest.mark.rule("ORD-12")
async def test_a_new_journal_is_adopted_from_the_console(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch, adoption="instruction")
    terminal = Terminal(shared_broker.port, branch.name)
    code, _, err = await terminal.type("order", "submit", "collect_card")
    assert code == 1
    assert "(journal_new)" in err
    reply = await terminal.json("journal", "adopt", "--order", "held-1")
    assert reply["status"] == "accepted"
    code, _, _ = await terminal.type("order", "submit", "collect_card", "--id", "o1", "--wait")
    assert code == 0


@pytest.mark.rule("INS-5")
async def test_two_people_confirm_the_time_from_the_console(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch)
    terminal = Terminal(shared_broker.port, branch.name)
    code, _, err = await terminal.type("clock", "attest", "--by", "zhang", "--by", "li")
    assert (code, "--yes" in err) == (2, True), err
    reply = await terminal.json("clock", "attest", "--by", "zhang", "--by", "li", "--yes", "--note", "radio clock")
    assert (reply["status"], reply["by"]) == ("accepted", ["/people/zhang", "/people/li"])


async def test_one_folder_has_one_agent_and_ctrl_c_ends_it(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch: Branch = await make_branch()
    terminal = Terminal(shared_broker.port, branch.name)
    process = await terminal.start("agent", "--config", str(branch.config))
    await branch.born()
    code, _, err = await terminal.type("agent", "--config", str(branch.config))
    assert code == 75
    assert "is in use: process" in err
    assert str(branch.folder / "data") in err
    assert "[journal] folder" in err
    process.send_signal(signal.SIGINT)
    _, err_bytes = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in err_bytes


async def test_a_reader_that_went_away_ends_the_watching(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch = await _running(make_branch)
    process = await Terminal(shared_broker.port, branch.name).start("watch")
    await _lines(process, "is up")
    process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined] # what `| head -1` does
    assert await branch.serve("o1") == "completed"
    async with asyncio.timeout(LIMIT_S):
        _, err = await process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in err


async def test_no_answer_says_what_to_do(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        code, _, err = await Terminal(broker.port, None).type("order", "list")
        assert code == 3
        assert "--branch" in err
        submit = ("order", "submit", "collect_card", "--id", "o1", "--timeout", "0.3")
        code, _, err = await Terminal(broker.port, "B9").type(*submit)
        assert code == 5
        assert "--id o1" in err
        assert "not shown itself" in err
        code, _, err = await Terminal(broker.port, "B9").type("device", "list")
        assert code == 3
        assert "not shown itself" in err
        code, _, err = await Terminal(broker.port, "B9").type("journal", "adopt")
        assert code == 3
    code, _, err = await Terminal(broker.port, "B9").type("order", "list")
    assert code == 4


async def test_the_only_branch_is_taken_and_of_several_one_must_be_named(
    tmp_path: Path, make_branch: BranchMaker
) -> None:
    from cloud_bridge.link import Connect
    from cloud_bridge.mqtt_link import MqttLink
    from cloud_bridge.topics import Topics
    from tests.central_scheduler.paper import born

    with Broker(tmp_path) as broker:
        async with await MqttLink.connect(Connect("127.0.0.1", broker.port, "paper", clean_start=True)) as link:
            await link.publish(Topics("B1").session, born("B1"), retain=True)
            code, out, _ = await Terminal(broker.port, None).type("device", "list", "--json")
            assert (code, json.loads(out)["branch"]) == (0, "B1")
            await link.publish(Topics("B2").session, born("B2"), retain=True)
            code, _, err = await Terminal(broker.port, None).type("device", "list")
            assert code == 2
            assert "B1, B2" in err
