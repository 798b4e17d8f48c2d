"""The dangerous behaviour of the real machine, piece by piece: a test against a kinder machine proves nothing."""

from __future__ import annotations

import pytest

from tests.simulators.bench import (
    ACK,
    CAPTURE,
    COUNTER,
    DRAW,
    EOT,
    NAK,
    PRESENT,
    RESET_KEEP,
    STATUS,
    Bench,
    frame,
    reply,
)

pytestmark = pytest.mark.rule("SIM-3")

CARD_1, CARD_2 = "card-1-0001", "card-1-0002"
TAKES_AT_ONCE = {"policy": "take", "after_s": 0.0}


def st0(bench: Bench) -> str:
    """The transport byte of a status answer, as its character."""
    return chr(bytes.fromhex(bench.ask(STATUS))[8])


def test_a_repeated_draw_is_executed_again_there_is_no_sequence_number() -> None:
    bench = Bench(customer=TAKES_AT_ONCE).ready()
    for _ in range(2):
        bench.ask(DRAW)
        bench.ask(PRESENT)
    assert bench.acts == [
        ("card_drawn", CARD_1),
        ("card_presented", CARD_1),
        ("card_drawn", CARD_2),
        ("card_presented", CARD_2),
    ]


@pytest.mark.parametrize(("pm", "place"), [("30", "gate"), ("31", "ic"), ("32", "rf"), ("39", "gate")])
def test_any_forward_move_with_an_empty_transport_draws_from_the_stacker(pm: str, place: str) -> None:
    bench = Bench().ready()
    bench.ask(frame(f"32 {pm}"))
    assert bench.acts[0] == ("card_drawn", CARD_1)
    assert bench.control(do="state")["place"] == place


def test_present_again_after_the_card_was_taken_throws_out_the_next_card() -> None:
    bench = Bench(customer=TAKES_AT_ONCE).ready()
    bench.ask(PRESENT)
    bench.ask(PRESENT)
    assert bench.acts[2:] == [("card_drawn", CARD_2), ("card_presented", CARD_2)]


def test_present_while_a_card_stands_in_the_gate_draws_nothing() -> None:
    bench = Bench().ready()
    bench.ask(PRESENT)
    bench.ask(PRESENT)
    assert bench.acts == [("card_drawn", CARD_1), ("card_presented", CARD_1)]


@pytest.mark.parametrize(
    ("after_s", "error", "place", "drawn"),
    [(0.1, "02", None, 0), (0.3, "10", "path", 1), (0.49, "02", "ic", 1)],
)
def test_a_question_during_a_draw_spoils_it(after_s: float, error: str, place: str | None, drawn: int) -> None:
    bench = Bench().ready()
    bench.send(DRAW)
    bench.run(after_s)
    said = bench.ask(STATUS)
    assert said.count("F2") == 1, "the question itself gets no answer"
    assert said.endswith(reply("4E 32 31" + error.encode().hex()))
    assert bench.control(do="state")["place"] == place
    assert len(bench.acts) == drawn
    shown = next(effect for effect in bench.effects if effect.act == "disturbed")
    assert shown.detail["during"] == "32 31"
    assert shown.detail["by"] == "31 30"


def test_a_card_stuck_by_a_question_is_not_moved_again_before_a_reset() -> None:
    bench = Bench().ready()
    bench.send(DRAW)
    bench.run(0.3)
    bench.ask(STATUS)
    assert bench.ask(CAPTURE).endswith(reply("4E 32 33 31 30"))
    bench.ask(RESET_KEEP)
    bench.ask(CAPTURE)
    assert bench.acts == [("card_drawn", CARD_1), ("card_captured", CARD_1)]


def test_a_spoilt_reset_of_a_unit_that_was_ready_makes_it_not_reset() -> None:
    bench = Bench().ready()
    bench.send(RESET_KEEP)
    bench.run(0.2)
    bench.ask(STATUS)
    assert bench.ask(STATUS) == f"{ACK} {reply('4E 31 30 42 30')}"


def test_a_question_during_a_reset_leaves_the_unit_not_reset() -> None:
    bench = Bench()
    bench.send(RESET_KEEP)
    bench.run(0.2)
    bench.ask(STATUS)
    assert bench.ask(STATUS) == f"{ACK} {reply('4E 31 30 42 30')}"
    assert "disturbed" in bench.shows


def test_a_resend_after_300_ms_of_silence_hits_the_running_motion() -> None:
    bench = Bench().ready()
    bench.control(do="fault", name="no_ack")
    bench.send(DRAW)
    bench.run(0.3)
    bench.ask(DRAW)
    assert "disturbed" in bench.shows
    assert bench.control(do="state")["place"] == "path"


def test_an_act_takes_its_time_and_goes_on_without_a_host() -> None:
    bench = Bench(act_s=0.5).ready()
    bench.send(PRESENT)
    bench.run(0.4)
    assert bench.acts == []
    bench.run(0.1)
    assert bench.acts == [("card_drawn", CARD_1)]
    bench.run(0.5)
    assert bench.acts == [("card_drawn", CARD_1), ("card_presented", CARD_1)]


def test_each_act_has_its_own_time() -> None:
    bench = Bench(draw_s=2.0, present_s=0.1, capture_s=1.0, reset_s=0.2, query_s=0.0, ack_s=0.0, effect_at=1.0).ready()
    for command in (DRAW, PRESENT, CAPTURE):
        bench.ask(command, 5.0)
    times = [effect.at_s for effect in bench.effects if effect.kind == "act"]
    assert [round(after - before, 6) for before, after in zip([102.0, *times], times, strict=False)] == [2.0, 3.1, 5.9]


def test_the_effect_comes_before_the_answer_and_its_share_can_be_set() -> None:
    bench = Bench(act_s=1.0, effect_at=0.5, ack_s=0.0).ready()
    begun_s = bench.now
    bench.ask(DRAW)
    effect = bench.effects[0]
    assert effect.at_s == pytest.approx(begun_s + 0.5)
    answered = [at_s for at_s, action in bench.actions if action is not effect][-1]
    assert answered == pytest.approx(begun_s + 1.0)


@pytest.mark.parametrize(("pm", "counts"), [("30", 0), ("31", 0), ("33", 0), ("34", 1), ("35", 1), ("37", 1)])
def test_the_retract_counter_counts_only_after_34_35_37(pm: str, counts: int) -> None:
    bench = Bench()
    bench.ask(frame(f"30 {pm}"))
    bench.ask(DRAW)
    bench.ask(CAPTURE)
    assert bench.acts[-1] == ("card_captured", CARD_1)
    assert bench.ask(COUNTER) == f"{ACK} {reply(f'50 A5 30 30 32 30 30 30 {30 + counts}')}"


def test_the_host_can_set_the_counter_and_it_wraps_with_error_50() -> None:
    bench = Bench().ready()
    bench.ask(frame("A5 31 39 39 39"))
    bench.ask(DRAW)
    assert bench.ask(CAPTURE) == f"{ACK} {reply('4E 32 33 35 30')}"
    assert bench.acts[-1] == ("card_captured", CARD_1)
    assert bench.ask(COUNTER).endswith(reply("50 A5 30 30 32 30 30 30 30"))


def test_the_counter_survives_a_power_loss_but_counts_only_after_a_counting_reset() -> None:
    bench = Bench().ready()
    bench.ask(frame("A5 31 30 34 31"))
    bench.control(do="fault", name="power_loss", args={"off_s": 0.5})
    bench.run(1.0)
    bench.ask(frame("30 33"))
    bench.ask(DRAW)
    bench.ask(CAPTURE)
    assert bench.ask(COUNTER).endswith(reply("50 A5 30 30 32 30 30 34 31"))


@pytest.mark.parametrize(
    ("pm", "act"),
    [("30", "card_presented"), ("34", "card_presented"), ("31", "card_captured"), ("35", "card_captured")],
)
def test_a_reset_that_is_not_33_or_37_moves_the_card(pm: str, act: str) -> None:
    bench = Bench().ready()
    bench.ask(DRAW)
    bench.ask(frame(f"30 {pm}"))
    assert bench.acts[-1] == (act, CARD_1)


@pytest.mark.rule("PHY-4")
@pytest.mark.parametrize("pm", ["33", "37"])
def test_a_reset_33_or_37_leaves_the_card_and_no_reset_draws_one(pm: str) -> None:
    bench = Bench()
    bench.ask(frame(f"30 {pm}"))
    assert bench.acts == []
    bench.ask(DRAW)
    bench.ask(frame(f"30 {pm}"))
    assert bench.acts == [("card_drawn", CARD_1)]
    assert st0(bench) == "2"


def test_a_nak_from_the_host_repeats_the_answer_and_moves_nothing() -> None:
    bench = Bench().ready()
    answer = bench.ask(DRAW).removeprefix(f"{ACK} ")
    assert bench.ask(NAK) == answer
    assert bench.ask(NAK) == answer
    assert bench.acts == [("card_drawn", CARD_1)]


def test_an_ack_or_none_at_all_makes_no_difference() -> None:
    with_ack, without = Bench().ready(), Bench().ready()
    with_ack.ask(DRAW)
    assert with_ack.ask(ACK) == ""
    without.ask(DRAW)
    assert with_ack.ask(PRESENT) == without.ask(PRESENT)


@pytest.mark.parametrize(
    ("after_s", "place", "acts"),
    [(0.1, None, 0), (0.3, "path", 1), (0.49, "ic", 1)],
)
def test_eot_stops_where_it_is_and_answers_eot_alone(after_s: float, place: str | None, acts: int) -> None:
    bench = Bench().ready()
    bench.send(DRAW)
    bench.run(after_s)
    assert bench.ask(EOT) == "04"
    assert bench.control(do="state")["place"] == place
    assert len(bench.acts) == acts
    assert "stopped" in bench.shows
    assert bench.ask(STATUS).startswith(f"{ACK} F2 00 00 06 50")


def test_eot_to_an_idle_unit_is_not_answered() -> None:
    bench = Bench().ready()
    bench.ask(DRAW)
    assert bench.ask(EOT) == ""


def test_eot_takes_back_a_question_that_is_not_yet_answered() -> None:
    bench = Bench(query_s=0.5).ready()
    bench.send(STATUS)
    bench.run(0.1)
    assert bench.ask(EOT) == "04"


def test_a_new_question_takes_the_place_of_one_still_open() -> None:
    bench = Bench().ready()
    said = bench.ask(STATUS + COUNTER)
    assert said == f"{ACK} {ACK} {reply('50 A5 30 30 32 30 30 30 30')}"


def test_a_motion_takes_the_place_of_a_question_still_open() -> None:
    bench = Bench().ready()
    assert bench.ask(STATUS + DRAW) == f"{ACK} {ACK} {reply('50 32 31 32 32 30')}"


def test_a_nak_before_the_answer_does_not_bring_an_older_one() -> None:
    bench = Bench(query_s=0.5).ready()
    bench.ask(STATUS)
    bench.send(COUNTER)
    bench.run(0.1)
    assert bench.ask(NAK) == reply("50 A5 30 30 32 30 30 30 30")


def test_an_error_of_the_motor_refuses_every_move_until_a_reset() -> None:
    bench = Bench().ready()
    bench.ask(DRAW)
    bench.control(do="fault", name="motor_error")
    assert bench.ask(PRESENT).endswith(reply("4E 32 39 35 31"))
    assert bench.ask(CAPTURE).endswith(reply("4E 32 33 35 31"))
    assert st0(bench) == "2"
    bench.ask(RESET_KEEP)
    bench.ask(CAPTURE)
    assert bench.acts[-1] == ("card_captured", CARD_1)


def test_capture_of_nothing_succeeds_and_counts_nothing() -> None:
    bench = Bench().ready()
    assert bench.ask(CAPTURE) == f"{ACK} {reply('50 32 33 30 32 30')}"
    assert bench.acts == []
    assert bench.ask(COUNTER).endswith(reply("50 A5 30 30 32 30 30 30 30"))


def test_a_card_in_the_gate_can_be_drawn_back_inside_without_counting() -> None:
    bench = Bench().ready()
    bench.ask(PRESENT)
    bench.ask(frame("32 31"))
    assert st0(bench) == "2"
    assert bench.shows == ["card_moved"]


def test_the_entry_takes_a_strange_card_only_while_it_is_enabled_and_a_reset_disables_it() -> None:
    bench = Bench().ready()
    bench.ask(frame("33 30"))
    bench.control(do="insert", serial="strange")
    assert bench.control(do="state")["place"] == "rf"
    assert st0(bench) == "2"
    bench.ask(CAPTURE)
    bench.ask(RESET_KEEP)
    assert bench.control(do="state")["entry"] is False


def test_units_on_one_line_answer_by_address_and_others_are_silent() -> None:
    bench = Bench(units={0: "card-1", 5: "card-2"})
    assert bench.ask(frame("30 37", unit=5)).startswith("06 F2 05 00 12 50")
    assert bench.ask(frame("31 30", unit=3)) == ""
    bench.ask(frame("32 31", unit=5))
    assert bench.acts == [("card_drawn", "card-2-0001")]
    assert bench.ask(STATUS) == f"{ACK} {reply('4E 31 30 42 30')}"
    assert bench.ask(NAK) == reply("4E 31 30 42 30"), "control bytes are for the unit addressed last"


def test_a_frame_for_one_unit_does_not_disturb_another() -> None:
    bench = Bench(units={0: "card-1", 1: "card-2"})
    bench.ask(RESET_KEEP)
    bench.ask(frame("30 37", unit=1))
    bench.send(DRAW)
    bench.run(0.2)
    assert bench.ask(frame("31 30", unit=1)).count("F2") == 2
    assert "disturbed" not in bench.shows
