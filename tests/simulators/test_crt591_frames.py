"""The simulated unit's ear: any bytes in any slices, never a crash, never more held than one frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.crt591.frames import MAX_LEN, BadFrame, Command, Control, Decoder
from tests.simulators.bench import ACK, DRAW, PRESENT, RESET_KEEP, STATUS, Bench, frame, reply

ONE_FRAME = 4 + MAX_LEN + 2
READY = reply("50 31 30 30 32 30")
pieces = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [bytes.fromhex(text) for text in (STATUS, DRAW, PRESENT, RESET_KEEP, "15", "04", "06", "F2", "F2 00")]
    ),
)


def test_one_byte_at_a_time() -> None:
    bench = Bench().ready()
    for byte in bytes.fromhex(STATUS):
        bench.send(f"{byte:02X}")
        bench.run(0.001)
    assert bench.ask("") == f"{ACK} {READY}"


def test_two_frames_in_one_read_are_two_commands() -> None:
    assert Decoder(0.25).feed(bytes.fromhex(STATUS + DRAW), 0.0) == [Command(0, 0x31, 0x30), Command(0, 0x32, 0x31)]


def test_two_motions_in_one_read_the_second_disturbs_the_first() -> None:
    bench = Bench().ready()
    assert bench.ask(DRAW + DRAW) == f"{ACK} {reply('4E 32 31 30 32')}"
    assert bench.acts == []


@pytest.mark.parametrize("garbage", ["00 FF 41", "06 06 06", "03 50 43 31"])
def test_garbage_before_and_after_a_frame_is_skipped(garbage: str) -> None:
    bench = Bench().ready()
    assert bench.ask(garbage + STATUS + "00 AA") == f"{ACK} {READY}"
    assert bench.control(do="state")["noise_bytes"] >= 2


def test_garbage_inside_a_frame_is_refused() -> None:
    assert Bench().ready().ask("F2 00 00 03 43 31 AA 30 03 B0") == "15"


def test_an_impossible_length_is_noise_and_the_next_frame_is_heard() -> None:
    assert Bench().ready().ask("F2 00 FF FF" + STATUS) == f"{ACK} {READY}"


def test_half_a_frame_of_a_dead_host_is_forgotten_after_a_gap() -> None:
    bench = Bench(gap_s=0.25).ready()
    bench.send("F2 00 00 03 43")
    bench.run(0.3)
    assert bench.ask(STATUS) == f"{ACK} {READY}"


def test_half_a_frame_followed_at_once_by_another_is_one_bad_frame() -> None:
    bench = Bench().ready()
    bench.send("F2 00 00 03 43")
    assert bench.ask(STATUS).startswith("15")


@pytest.mark.parametrize(
    "text", ["F2 00 00 03 43 31 30 04 B7", "F2 00 00 03 50 31 30 03 A3", "F2 00 00 02 43 31 03 81", "F2 00 00 00 03 F1"]
)
def test_whole_frames_that_are_no_commands_are_refused(text: str) -> None:
    (item,) = Decoder(0.25).feed(bytes.fromhex(text), 0.0)
    assert isinstance(item, BadFrame)
    assert Bench().ready().ask(text) == "15"


def test_controls_between_frames() -> None:
    items = Decoder(0.25).feed(bytes.fromhex("06 15 04 05"), 0.0)
    assert items == [Control.ACK, Control.NAK, Control.EOT, Control.ENQ]


def test_the_longest_frame_is_understood() -> None:
    long = frame("60 33" + "F2" * 512)
    assert Decoder(0.25).feed(bytes.fromhex(long), 0.0) == [Command(0, 0x60, 0x33, b"\xf2" * 512)]


@given(st.lists(pieces, max_size=30))
def test_any_slicing_means_the_same(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    whole, sliced = Decoder(0.25), Decoder(0.25)
    items = [item for part in parts for item in sliced.feed(part, 0.0)]
    assert items == whole.feed(stream, 0.0)
    assert max(whole.held_bytes, sliced.held_bytes) < ONE_FRAME


@given(st.lists(st.tuples(pieces, st.sampled_from([0.0, 0.01, 0.3, 1.0])), max_size=25))
def test_no_bytes_at_no_time_break_the_unit_and_cards_never_multiply(parts: list[tuple[bytes, float]]) -> None:
    bench = Bench(cards=4, act_s=0.2, customer={"policy": "random", "after_s": 0.5}).ready()
    for part, pause_s in parts:
        bench.line.receive(part, bench.now)
        bench.run(pause_s)
    bench.run(5)
    state = bench.control(do="state")
    taken = [effect.detail["serial"] for effect in bench.effects if effect.act == "card_taken"]
    inside = [state["serial"]] if state["serial"] else []
    assert sorted(state["stacker"] + state["bin"] + inside + taken) == [f"card-1-{n:04d}" for n in range(1, 5)]
    assert bench.line.next_time() is None
    drawn = [effect for effect in bench.effects if effect.act == "card_drawn"]
    assert len(drawn) == 4 - len(state["stacker"])
    assert bench.control(do="power", on=False) == {"powered": False}
    bench.control(do="power", on=True)
    bench.run(1)
    assert bench.ask(RESET_KEEP).startswith(f"{ACK} F2 00 00 12 50"), "whatever came before, the unit can be reset"
