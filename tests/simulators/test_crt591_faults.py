"""Each fault on request: what it does to metal and to bytes, and that it is over when it is over."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.faults import FAULTS, parse_fault
from simulators.machine import ControlError, Plug, Unplug
from simulators.plan import parse_plan
from tests.simulators.bench import ACK, CAPTURE, DRAW, NAK, PRESENT, RESET_KEEP, STATUS, Bench, frame, reply

READY = reply("50 31 30 30 32 30")
DRAWN = reply("50 32 31 32 32 30")
CARD_1 = "card-1-0001"


def struck(name: str, **args: Any) -> Bench:
    bench = Bench().ready()
    bench.control(do="fault", name=name, args=args)
    return bench


@pytest.mark.parametrize(
    ("name", "code"), [("jam", "10"), ("sensor_error", "12"), ("cannot_reach_ic", "43"), ("motor_error", "51")]
)
def test_a_failed_draw_leaves_the_card_between_and_counts_it(name: str, code: str) -> None:
    bench = struck(name)
    assert bench.ask(DRAW) == f"{ACK} {reply('4E 32 31' + code.encode().hex())}"
    assert bench.acts == [("card_drawn", CARD_1)]
    assert bench.control(do="state")["place"] == "path"
    assert bench.ask(STATUS) == f"{ACK} {reply('50 31 30 32 32 30')}"


def test_a_motor_that_fails_early_moves_nothing_and_late_has_moved_it() -> None:
    early, late = struck("motor_error", at_fraction=0.1), struck("motor_error", at_fraction=0.95)
    early.ask(DRAW)
    late.ask(DRAW)
    assert early.acts == []
    assert late.control(do="state")["place"] == "ic"


def test_a_jam_strikes_as_often_as_asked_for_and_resets_without_a_card_do_not_use_it_up() -> None:
    bench = struck("jam", count=2)
    bench.ask(RESET_KEEP)
    bench.ask(DRAW)
    bench.ask(RESET_KEEP)
    assert bench.ask(CAPTURE).endswith(reply("4E 32 33 31 30"))
    bench.ask(RESET_KEEP)
    bench.ask(CAPTURE)
    assert bench.acts[-1] == ("card_captured", CARD_1)


def test_an_empty_stacker_and_a_full_bin_by_their_sensors() -> None:
    bench = struck("empty")
    assert bench.ask(DRAW) == f"{ACK} {reply('4E 32 31 41 30')}"
    bench.control(do="clear")
    bench.control(do="fault", name="bin_full")
    bench.ask(DRAW)
    assert bench.ask(CAPTURE) == f"{ACK} {reply('4E 32 33 41 31')}"
    bench.control(do="empty_bin")
    assert bench.ask(CAPTURE) == f"{ACK} {reply('50 32 33 30 32 30')}"


@pytest.mark.parametrize(("fraction", "place", "acts"), [(0.1, None, 0), (0.6, "path", 1), (0.95, "ic", 1)])
def test_power_lost_in_mid_draw_leaves_the_card_where_it_was(fraction: float, place: str | None, acts: int) -> None:
    bench = struck("power_loss", at_fraction=fraction, off_s=2.0)
    assert bench.ask(DRAW, 0.6) == ACK
    assert bench.ask(STATUS, 0.6) == ""
    assert bench.control(do="state")["place"] == place
    assert len(bench.acts) == acts
    bench.run(2.0)
    assert bench.ask(STATUS) == f"{ACK} {reply('4E 31 30 42 30')}"
    bench.ask(RESET_KEEP)
    assert bench.control(do="state")["place"] == place
    assert [show for show in bench.shows if show != "card_stuck"] == ["power_lost", "power_restored", "reset"]


def test_power_lost_in_mid_present_leaves_the_card_short_of_the_gate() -> None:
    bench = Bench().ready()
    bench.ask(DRAW)
    bench.control(do="fault", name="power_loss", args={"at_fraction": 0.5, "off_s": 1.0})
    bench.ask(PRESENT)
    bench.ask(RESET_KEEP)
    assert bench.ask(STATUS) == f"{ACK} {reply('50 31 30 32 32 30')}"
    bench.ask(PRESENT)
    assert bench.acts == [("card_drawn", CARD_1), ("card_presented", CARD_1)]


def test_power_lost_at_once_takes_the_answers_with_it_until_it_is_switched_on() -> None:
    bench = struck("power_loss", off_s=None)
    bench.run(1e5)
    assert bench.ask(STATUS) == ""
    bench.control(do="power", on=True)
    assert bench.ask(STATUS) == f"{ACK} {reply('4E 31 30 42 30')}"


def test_an_answer_under_way_dies_with_the_power() -> None:
    bench = Bench(query_s=0.5).ready()
    bench.send(STATUS)
    bench.run(0.1)
    bench.control(do="power", on=False)
    bench.control(do="power", on=True)
    assert bench.ask("", 5) == ""


def test_a_late_answer_dies_with_the_power_too() -> None:
    bench = struck("late_answer", delay_s=5.0)
    bench.ask(STATUS, 1.0)
    bench.control(do="power", on=False)
    bench.control(do="power", on=True)
    assert bench.ask("", 10) == ""


def test_a_power_cut_by_hand_is_not_ended_by_an_older_timer() -> None:
    bench = struck("power_loss", off_s=5.0)
    bench.control(do="power", on=True)
    bench.control(do="power", on=False)
    bench.run(10)
    assert bench.ask(STATUS) == ""


def test_silence_executes_all_the_same_unless_told_otherwise() -> None:
    bench = struck("silence")
    assert bench.ask(DRAW) == ""
    assert bench.acts == [("card_drawn", CARD_1)]
    assert bench.ask(STATUS).startswith(ACK)
    deaf = struck("silence", executes=False)
    assert deaf.ask(DRAW) == ""
    assert deaf.acts == []


def test_silence_for_a_time_swallows_naks_and_answers_too() -> None:
    bench = struck("silence", for_s=3.0)
    assert bench.ask("F2 00 00 03 43 30 33 03 B0", 1) == ""
    assert bench.ask(STATUS, 1) == ""
    bench.run(1.1)
    assert bench.ask(STATUS) == f"{ACK} {READY}"


def test_a_late_answer_comes_late_and_whole() -> None:
    bench = struck("late_answer", delay_s=7.0)
    assert bench.ask(STATUS, 6.0) == ACK
    assert bench.ask("", 2.0) == READY


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("before", f"{ACK} FF EE {READY}"),
        ("after", f"{ACK} {READY} FF EE"),
        ("inside", f"{ACK} F2 00 00 06 50 31 FF EE 30 30 32 30 03 94"),
    ],
)
def test_garbage_around_or_inside_one_answer(where: str, expected: str) -> None:
    bench = struck("garbage", where=where, hex="FF EE")
    assert bench.ask(STATUS) == expected
    assert bench.ask(NAK) == READY


def test_garbage_unasked() -> None:
    bench = Bench().ready()
    bench.control(do="fault", name="garbage", args={"where": "now", "hex": "01 02"})
    bench.run(0.1)
    assert bench.sent == b"\x01\x02"


def test_half_a_frame_is_made_whole_by_a_nak() -> None:
    bench = struck("half_frame")
    assert bench.ask(STATUS) == f"{ACK} F2 00 00 06 50 31"
    assert bench.ask(NAK) == READY


def test_a_wrong_check_byte_is_made_good_by_a_nak() -> None:
    bench = struck("wrong_bcc")
    assert bench.ask(STATUS) == f"{ACK} {READY[:-2]}CE"
    assert bench.ask(NAK) == READY


def test_a_nak_storm_executes_nothing() -> None:
    bench = struck("nak_storm", count=2)
    assert [bench.ask(DRAW) for _ in range(2)] == ["15", "15"]
    assert bench.acts == []
    assert bench.ask(DRAW) == f"{ACK} {DRAWN}"


def test_no_ack_but_the_answer() -> None:
    bench = struck("no_ack")
    assert bench.ask(DRAW) == DRAWN
    assert bench.acts == [("card_drawn", CARD_1)]


def test_a_flood_lasts_its_time_and_answers_swim_in_it() -> None:
    bench = struck("flood", for_s=1.0, bytes_per_s=10_000)
    said = bytes.fromhex(bench.ask(STATUS, 5.0))
    assert 9_000 < len(said) < 11_000
    assert bytes.fromhex(READY) in said
    assert bench.ask(STATUS) == f"{ACK} {READY}"


def test_unplug_and_plug_are_handed_to_whoever_holds_the_line() -> None:
    bench = struck("unplug", for_s=3.0)
    bench.control(do="plug")
    assert [action for _, action in bench.actions] == [Unplug(3.0), Plug()]


def test_a_card_moved_by_hand_is_gone_and_a_motion_with_it_says_45() -> None:
    bench = Bench().ready()
    bench.ask(DRAW)
    bench.send(PRESENT)
    bench.run(0.2)
    bench.control(do="fault", name="card_moved_by_hand")
    assert bench.ask("", 1) == reply("4E 32 39 34 35")
    assert bench.acts == [("card_drawn", CARD_1)]
    assert bench.shows == ["card_removed"]
    assert bench.ask(STATUS) == f"{ACK} {READY}"


def test_an_opened_cabinet_is_in_the_ledger_and_may_lose_a_card() -> None:
    bench = struck("cabinet_opened")
    bench.ask(DRAW)
    bench.control(do="fault", name="cabinet_opened", args={"takes_card": True})
    assert bench.shows == ["cabinet_opened", "cabinet_opened", "card_removed"]


def test_clear_disarms_everything() -> None:
    bench = struck("jam", count=9)
    assert bench.control(do="state")["armed"] == ["jam"]
    bench.control(do="clear")
    assert bench.ask(DRAW) == f"{ACK} {DRAWN}"


def test_a_plan_strikes_at_the_nth_motion_frame_and_second() -> None:
    plan = parse_plan(
        [
            {"at": "2nd motion", "fault": "jam"},
            {"at": "3rd frame", "fault": "no_ack"},
            {"at": 50, "fault": "empty", "device": "card-1"},
            {"at": 50, "fault": "bin_full", "device": "card-2"},
        ]
    )
    bench = Bench(plan)
    assert bench.ask(RESET_KEEP).startswith(ACK)
    assert bench.ask(DRAW) == f"{ACK} {DRAWN}"
    assert bench.ask(PRESENT) == reply("4E 32 39 31 30"), "third frame and second motion at once"
    bench.run(60)
    assert bench.ask(STATUS) == f"{ACK} {reply('50 31 30 32 30 30')}"


@pytest.mark.parametrize("at", ["3rd frame", "2nd motion"])
def test_a_plan_can_cut_the_power_at_the_very_frame(at: str) -> None:
    bench = Bench(parse_plan([{"at": at, "fault": "power_loss", "args": {"off_s": None}}]))
    bench.ask(RESET_KEEP)
    bench.ask(DRAW)
    assert bench.ask(PRESENT) in {"", ACK}
    assert bench.acts == [("card_drawn", CARD_1)]
    assert bench.ask(STATUS) == ""


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("earthquake", {}),
        (None, {}),
        ("jam", {"often": 1}),
        ("jam", {"count": 0}),
        ("jam", {"count": None}),
        ("jam", {"at_fraction": 1.5}),
        ("jam", []),
        ("garbage", {"hex": "xyz"}),
        ("garbage", {"where": "everywhere"}),
        ("silence", {"executes": "no"}),
    ],
)
def test_a_wrong_fault_is_refused_with_a_sentence(name: Any, args: Any) -> None:
    with pytest.raises(ControlError):
        parse_fault(name, args)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_can_be_asked_for_by_name_alone_and_ends(name: str) -> None:
    bench = struck(name)
    bench.run(5)
    for _ in range(5):
        bench.ask(STATUS)
    bench.control(do="clear")
    bench.control(do="power", on=True)
    bench.ask(RESET_KEEP, 5)
    assert bench.ask(frame("31 30"), 5) == f"{ACK} {READY}"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        "jam",
        [{"at": "2nd motion"}],
        [{"fault": "jam"}],
        [{"at": "0th motion", "fault": "jam"}],
        [{"at": "soon", "fault": "jam"}],
        [{"at": True, "fault": "jam"}],
        [{"at": -1, "fault": "jam"}],
        [{"at": 1, "fault": "jam", "why": 1}],
        [{"at": 1, "fault": "jam", "args": {"why": 1}}],
    ],
)
def test_a_wrong_plan_names_its_entry(wrong: Any) -> None:
    with pytest.raises(ControlError, match="plan"):
        parse_plan(wrong)
