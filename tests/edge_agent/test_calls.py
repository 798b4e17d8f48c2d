"""Calls through the whole engine onto simulated screens: shown, in doubt and shown again, and kept over every loss."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from edge_agent.orders.recipe import Scene
from edge_agent.orders.scenes import parse_scene
from tests.edge_agent.calls import Hall
from tests.virtual_time import virtual_time

A001 = "请A001号到1号窗口"


async def all_shown(hall: Hall) -> None:
    """The agent has looked at every screen once."""
    await hall.when(lambda: all(hall.lit(device) == ["欢迎光临"] for device in hall.lines))


def asked(hall: Hall) -> list[str]:
    """Orders that ever asked for people."""
    return [e["data"]["order"] for e in hall.events("order") if e["data"]["to"] == "needs_attention"]


@virtual_time
async def test_a_call_is_shown_above_its_window_and_in_the_hall(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await all_shown(hall)
        await hall.call("o1", "A001", "1")
        await hall.until("completed")
        await hall.call("o2", "B010", "2", language="en", urgent=True)
        await hall.until("completed", order="o2")
        assert hall.lit("screen-1") == [A001]
        assert hall.lit("screen-2") == ["B010 to window 2"]
        assert hall.lit("hall") == ["Ticket B010 to window 2", A001]
        facts = hall.told("step", "facts", order="o2")[-1]
        assert facts["evidence"] == "sent"
        assert hall.verdict().ok


@virtual_time
async def test_what_cannot_be_shown_fails_the_order_and_asks_nobody(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await hall.submit("o1", scene="show_text", parameters={"window": "1", "text": "今日业务办理至十七点，请谅解"})
        order = await hall.until("failed")
        assert order.goal_reason == "text_too_long_for_screen"
        assert hall.lit("screen-1") == ["欢迎光临"]
        assert asked(hall) == []
        await hall.submit("o2", scene="show_text", parameters={"window": "1", "text": "暂停服务"})
        await hall.until("completed", order="o2")
        assert hall.lit("screen-1") == ["暂停服务"]
        await hall.submit("o3", scene="show_idle", parameters={"window": "1"})
        await hall.until("completed", order="o3")
        assert hall.lit("screen-1") == ["欢迎光临"]


@virtual_time
async def test_a_screen_that_lost_its_power_shows_the_call_again_by_itself(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await hall.call("o1", "A001", "1")
        await hall.until("completed")
        for device in ("screen-1", "hall"):
            await hall.power(device, on=False)
            await hall.power(device, on=True)
            assert hall.lit(device) == ["READY"]
        await hall.when(lambda: hall.lit("screen-1") == hall.lit("hall") == [A001], patience_s=25)


def patient() -> dict[str, Scene]:
    """`call_ticket` as a bank may write it that wants each call on every screen, however late."""
    shipped = (resources.files("edge_agent") / "scenes" / "call_ticket.toml").read_text("utf-8")
    return {"call_ticket": parse_scene(shipped.replace("may_lack = true", ""), "call_ticket.toml")}


@virtual_time
async def test_a_call_that_waits_for_the_hall_keeps_no_window(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}, scenes=patient()) as hall:
        await all_shown(hall)
        await hall.power("hall", on=False)
        await hall.while_s(30)  # found silent meanwhile, and told
        await hall.call("o1", "A001", "1")
        await hall.when(lambda: hall.lit("screen-1") == [A001], patience_s=5)
        await hall.call("o2", "A002", "1")
        await hall.when(lambda: hall.lit("screen-1") == ["请A002号到1号窗口"], patience_s=5)
        assert hall.order("o1").step == "hall"
        await hall.power("hall", on=True)
        for order in ("o1", "o2"):
            await hall.until("completed", order=order)
        assert hall.lit("hall") == ["请A002号到1号窗口"]
        assert asked(hall) == []


@pytest.mark.rule("ORD-2")
@pytest.mark.parametrize(
    ("dead", "step", "lit"), [("hall", "hall", "screen-1"), ("screen-1", "window", "hall")], ids=["hall", "window"]
)
@virtual_time
async def test_a_call_goes_on_without_a_screen_that_is_away_and_says_so(
    tmp_path: Path, dead: str, step: str, lit: str
) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await all_shown(hall)
        await kill(hall, dead)
        await hall.while_s(30)
        await hall.call("o1", "A001", "1")
        await hall.until("partly_completed", patience_s=25)
        assert hall.lit(lit) == [A001]
        (ended,) = [e["data"] for e in hall.events("order", order="o1") if e["data"]["to"] == "partly_completed"]
        assert ended["facts"]["left_out"] == [{"step": step, "instead": "away"}]
        assert asked(hall) == []
        assert hall.verdict().ok


@virtual_time
async def test_many_calls_behind_a_dead_screen_go_on_together(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await all_shown(hall)
        await kill(hall, "screen-1")
        await hall.while_s(30)
        for n in range(8):
            await hall.call(f"o{n}", f"A00{n}", "1")
        for n in range(8):
            await hall.until("partly_completed", order=f"o{n}", patience_s=25)
        assert hall.lit("hall") == ["请A007号到1号窗口"]


@virtual_time
async def test_a_call_that_no_screen_showed_has_failed(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await all_shown(hall)
        await kill(hall, "screen-1")
        await kill(hall, "hall")
        await hall.while_s(30)
        await hall.call("o1", "A001", "1")
        order = await hall.until("failed", patience_s=45)
        assert order.goal_reason in {"screen_silent", "line_unavailable", "line_lost"}
        assert asked(hall) == []


@virtual_time
async def test_a_screen_lost_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await all_shown(hall)
        await kill(hall, "screen-1")
        await hall.call("o1", "A001", "1")
        await hall.call("o2", "A002", "1")  # not begun when the loss is noticed
        await hall.when(lambda: ("screen-1", "offline") in hall.told("device", "device", "state"))
        hall.lines["screen-1"].dead = False
        for order in ("o1", "o2"):
            await hall.until("completed", order=order)
        assert hall.lit("screen-1") == ["请A002号到1号窗口"]


async def kill(hall: Hall, device: str) -> None:
    """A strip screen never answers, so only its line can be lost; both hang on the same one."""
    if device == "hall":
        await hall.power("hall", on=False)
    else:
        hall.lines[device].dead = True


@pytest.mark.rule("ORD-5")
@virtual_time
async def test_a_call_in_doubt_is_shown_again_and_leaves_neither_a_shut_lane_nor_a_question(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await all_shown(hall)
        hall.lines["hall"].fault("hall", "silence", count=1, executes=False)
        await hall.call("o1", "A001", "1")
        await hall.until("completed")
        assert hall.lit("hall") == [A001]
        states = [to for step, to in hall.told("step", "step", "to", order="o1") if step == "hall"]
        assert states == ["armed", "acting", "in_doubt", "done"]
        attempts = {a for step, a in hall.told("step", "step", "attempt", order="o1") if step == "hall"}
        assert attempts == {"o1/hall/1"}  # no machine armed a second attempt after a doubt (ORD-3)
        assert not hall.look_lane("hall").shut
        assert asked(hall) == []


@pytest.mark.rule("ORD-5")
@pytest.mark.parametrize("back", [True, False])
@virtual_time
async def test_the_agent_dies_in_the_middle_of_a_call(tmp_path: Path, back: bool) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await all_shown(hall)
        hall.lines["hall"].fault("hall", "silence", count=1, executes=back)
        await hall.call("o1", "A001", "1")
        await hall.when(lambda: hall.told("step", "step", "to", order="o1")[-1:] == [("hall", "acting")])
        await hall.restart()
        await hall.until("completed")
        assert (hall.lit("screen-1"), hall.lit("hall")) == ([A001], [A001])
        assert not hall.look_lane("hall").shut
        assert asked(hall) == []


@virtual_time
async def test_what_is_shown_survives_the_agent_and_a_night_without_power(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await hall.call("o1", "A001", "1")
        await hall.until("completed")
        for device in hall.lines:
            await hall.power(device, on=False)
        await hall.restart()
        for device in hall.lines:
            await hall.power(device, on=True)
        await hall.when(lambda: hall.lit("screen-1") == hall.lit("hall") == [A001], patience_s=60)
        await hall.when(lambda: hall.lit("screen-2") == ["欢迎光临"], patience_s=60)


@virtual_time
async def test_a_dead_screen_is_told_once_and_once_when_it_is_back(tmp_path: Path) -> None:
    async with Hall(tmp_path, machines={}) as hall:
        await all_shown(hall)
        await hall.power("hall", on=False)
        await hall.while_s(120)
        await hall.power("hall", on=True)
        await hall.while_s(60)
        assert hall.told("device", "device", "state") == [("hall", "offline"), ("hall", "online")]
