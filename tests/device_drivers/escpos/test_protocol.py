"""The stream of answers: literal bytes of the manuals, any slices, noise, and letters that look like status."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.escpos.protocol import (
    MAX_BLOCK,
    Asb,
    Event,
    FlowControl,
    Info,
    Presenter,
    ProcessId,
    QueuedByte,
    RealTimeStatus,
    ReplyReader,
)

ID_17 = bytes.fromhex("37 22 30 30 31 37 00")


def read(data: bytes | str, *, presenter: bool = False) -> list[Event]:
    return ReplyReader(presenter=presenter).feed(bytes.fromhex(data) if isinstance(data, str) else data)


@pytest.mark.parametrize("status", ["12", "16", "1A", "32", "52", "1E", "7E", "72"])
def test_real_time_status(status: str) -> None:
    assert read(status) == [RealTimeStatus(int(status, 16))]


@pytest.mark.parametrize(
    "block", ["14 00 00 00", "1C 00 00 00", "14 00 03 00", "3C 00 00 00", "1C 00 0F 00", "1C 08 00 00"]
)
def test_automatic_status(block: str) -> None:
    assert read(block) == [Asb(bytes.fromhex(block))]


@pytest.mark.parametrize("text", ["    ", "0001", "9999"])
def test_process_ids(text: str) -> None:
    assert read(b"\x37\x22" + text.encode() + b"\x00") == [ProcessId(text)]


@pytest.mark.parametrize("answer", ["00", "03", "0F", "02", "60"])
def test_single_bytes_from_the_queue(answer: str) -> None:
    assert read(answer) == [QueuedByte(int(answer, 16))]


def test_texts_and_counters() -> None:
    assert read(b"\x5fTM-T88V\x00\x5f0001234\x00") == [Info(b"TM-T88V"), Info(b"0001234")]


def test_letters_of_a_text_are_no_status() -> None:
    """Every letter of it is a pattern of something else."""
    assert read(b"\x5f26:>BFJNRVZ^bfjn0048\x00\x12") == [Info(b"26:>BFJNRVZ^bfjn0048"), RealTimeStatus(0x12)]


@pytest.mark.parametrize("flow", [FlowControl.XON, FlowControl.XOFF])
def test_flow_control_may_stand_anywhere(flow: FlowControl) -> None:
    for whole in (ID_17, bytes.fromhex("14 00 03 00"), b"\x5fA\x00"):
        for at in range(len(whole) + 1):
            events = read(whole[:at] + bytes([flow.value]) + whole[at:])
            assert sorted(map(str, events)) == sorted(map(str, [flow, *read(whole)]))


@pytest.mark.parametrize("block", ["10 0F 00 00 00 00", "10 0F 20 00 00 00", "10 0F 01 00 00 00"])
def test_presenter_status(block: str) -> None:
    assert read(block, presenter=True) == [Presenter(bytes.fromhex(block)[2:])]


def test_a_presenter_still_tells_automatic_status() -> None:
    """`10` begins both; only errors while online, which no printer tells, are the presenter's."""
    assert read("10 00 03 00 10 0F 20 00 00 00 12", presenter=True) == [
        Asb(bytes.fromhex("10 00 03 00")),
        Presenter(bytes.fromhex("20 00 00 00")),
        RealTimeStatus(0x12),
    ]


def test_without_a_presenter_the_same_bytes_are_automatic_status() -> None:
    assert read("10 0F 00 00") == [Asb(bytes.fromhex("10 0F 00 00"))]


def test_an_open_automatic_status_has_priority_over_a_queued_byte() -> None:
    assert read("14 00 03 00 03") == [Asb(bytes.fromhex("14 00 03 00")), QueuedByte(0x03)]


def test_a_real_time_answer_inside_of_automatic_status_costs_neither() -> None:
    assert read("14 00 12 03 00") == [RealTimeStatus(0x12), Asb(bytes.fromhex("14 00 03 00"))]


def test_an_automatic_status_that_began_anew_is_the_newer_one() -> None:
    reader = ReplyReader()
    assert reader.feed(bytes.fromhex("14 00 1C 00 0F 00")) == [Asb(bytes.fromhex("1C 00 0F 00"))]
    assert (reader.garbage_bytes, reader.broken) == (2, 1)


@pytest.mark.parametrize("block", ["37 22 30 30 31 00", "37 22 30 30 31 37 37 00", "37 23 30 30 31 37 00", "37 00"])
def test_a_block_that_is_no_process_id_proves_nothing(block: str) -> None:
    reader = ReplyReader()
    assert reader.feed(bytes.fromhex(block) + b"\x12") == [RealTimeStatus(0x12)]
    assert (reader.garbage_bytes, reader.broken) == (len(bytes.fromhex(block)), 1)


def test_a_block_that_lost_its_end_is_dropped_whole() -> None:
    reader = ReplyReader()
    assert reader.feed(b"\x37\x22\x30\x30\x12" + ID_17) == [RealTimeStatus(0x12), ProcessId("0017")]
    assert reader.garbage_bytes == 4


def test_a_block_without_an_end_is_bounded() -> None:
    reader = ReplyReader()
    assert reader.feed(b"\x5f" + b"A" * (MAX_BLOCK - 1)) == []
    reader.feed(b"A")
    assert reader.garbage_bytes >= MAX_BLOCK
    assert not reader.pending


def test_silence_lets_go_of_half_an_answer() -> None:
    reader = ReplyReader()
    reader.feed(b"\x14\x00")
    reader.resync()
    assert reader.feed(b"\x03") == [QueuedByte(0x03)]
    assert (reader.garbage_bytes, reader.broken) == (2, 1)


def test_garbage_is_counted() -> None:
    reader = ReplyReader()
    assert reader.feed(b"\xff\x80\x15\x19" + ID_17) == [ProcessId("0017")]
    assert reader.garbage_bytes == 4


SLICES = st.lists(st.binary(max_size=12) | st.sampled_from([ID_17, b"\x14\x00\x03\x00", b"\x10\x0f\x20\x00\x00\x00"]))


@given(SLICES, st.booleans())
def test_any_bytes_in_any_slices(slices: list[bytes], presenter: bool) -> None:
    whole = b"".join(slices)
    one, other, third = (ReplyReader(presenter=presenter) for _ in range(3))
    at_once = one.feed(whole)
    assert at_once == [event for part in slices for event in other.feed(part)]
    assert at_once == [event for byte in whole for event in third.feed(bytes([byte]))]
    assert one.garbage_bytes == other.garbage_bytes == third.garbage_bytes <= len(whole)
    assert len(one._open) <= MAX_BLOCK
    one.resync()
    assert not one.pending


@given(st.binary(max_size=300))
def test_after_silence_an_answer_is_always_understood(noise: bytes) -> None:
    reader = ReplyReader()
    reader.feed(noise)
    reader.resync()
    assert reader.feed(ID_17) == [ProcessId("0017")]
