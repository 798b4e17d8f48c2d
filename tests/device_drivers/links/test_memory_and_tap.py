"""The memory line and the tap: bytes pass unchanged, silence is no byte, and a loss is told to both ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.links.link import LinkError
from device_drivers.links.memory import BUFFER_BYTES, joined_ends
from device_drivers.links.tap import Passing, Recorder, TapLink, read_recording
from tests.virtual_time import run, virtual_time


@virtual_time
async def test_what_one_end_writes_the_other_reads_in_bounded_pieces() -> None:
    near, far = joined_ends()
    await near.write(b"abcdef")
    assert await far.read(4, 1) == b"abcd"
    assert await far.read(4, 1) == b"ef"


@virtual_time
async def test_silence_lasts_as_long_as_asked_and_then_is_no_byte() -> None:
    near, _far = joined_ends()
    began = asyncio.get_running_loop().time()
    assert await near.read(10, 2.5) == b""
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.5)


@virtual_time
async def test_a_cut_wakes_a_reader_and_fails_both_ends_until_opened_again() -> None:
    near, far = joined_ends("x")
    reading = asyncio.create_task(near.read(1, 60))
    await asyncio.sleep(0)
    far.cut("unplugged")
    with pytest.raises(LinkError, match="memory://x: unplugged"):
        await reading
    with pytest.raises(LinkError):
        await far.write(b"x")
    await near.open()
    await far.write(b"y")
    assert await near.read(1, 1) == b"y"


@virtual_time
async def test_bytes_that_passed_before_a_close_can_still_be_read() -> None:
    near, far = joined_ends()
    await far.write(b"last words")
    await far.close()
    assert await near.read(100, 1) == b"last words"
    with pytest.raises(LinkError, match="closed"):
        await near.read(100, 1)


@virtual_time
async def test_a_flooding_writer_waits_for_its_reader() -> None:
    near, far = joined_ends()
    await far.write(bytes(BUFFER_BYTES))
    flood = asyncio.create_task(far.write(b"more"))
    await asyncio.sleep(5)
    assert not flood.done()
    assert len(await near.read(1000, 1)) == 1000
    await flood


@virtual_time
async def test_the_tap_shows_everything_and_changes_nothing() -> None:
    near, far = joined_ends()
    shown: list[Passing] = []
    times = iter(range(100))
    tap = TapLink(near, shown.append, clock=lambda: float(next(times)))
    assert tap.describe() == near.describe()
    await tap.open()
    await tap.write(b"\x05")
    await far.write(b"\x06\x04")
    assert await tap.read(10, 1) == b"\x06\x04"
    assert await tap.read(10, 1) == b""
    far.cut("unplugged")
    for lost in (tap.read(1, 1), tap.write(b"z")):
        with pytest.raises(LinkError):
            await lost
    await tap.close()
    assert [(one.direction, one.data, one.why) for one in shown] == [
        ("open", b"", ""),
        ("write", b"\x05", ""),
        ("read", b"\x06\x04", ""),
        ("lost", b"", "unplugged"),
        ("write", b"z", ""),
        ("lost", b"", "unplugged"),
        ("close", b"", ""),
    ]
    assert [one.t_s for one in shown] == sorted(one.t_s for one in shown)


@virtual_time
async def test_a_write_is_shown_before_it_is_tried() -> None:
    near, far = joined_ends()
    shown: list[Passing] = []
    await far.close()
    with pytest.raises(LinkError):
        await TapLink(near, shown.append).write(b"\xf2")
    assert shown[0].direction == "write"


def record(path: Path, data: list[bytes]) -> list[Passing]:
    recorder = Recorder(path)

    async def work() -> list[Passing]:
        near, far = joined_ends()
        shown: list[Passing] = []

        def show(one: Passing) -> None:
            shown.append(one)
            recorder(one)

        tap = TapLink(near, show)
        for piece in data:
            await tap.write(piece)
            assert await far.read(4096, 1) == piece
        return shown

    shown = run(work())
    recorder.close()
    return shown


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=10))
def test_a_recording_is_read_back_as_it_passed(tmp_path_factory: pytest.TempPathFactory, data: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("recording") / "line.jsonl"
    shown = record(path, data)
    read = list(read_recording(path))
    assert [(one.direction, one.data) for one in read] == [(one.direction, one.data) for one in shown]
    assert [one.t_s for one in read] == pytest.approx([one.t_s for one in shown], abs=1e-6)


def test_a_torn_last_line_is_left_out_and_any_other_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "line.jsonl"
    path.write_text('{"t": 1.0, "dir": "read", "hex": "06"}\n{"t": 1.1, "di')
    assert list(read_recording(path)) == [Passing(1.0, "read", b"\x06")]
    for bad in ("[]", '{"t": 1}', '{"t": 1, "dir": "sideways"}', '{"t": 1, "dir": "read", "hex": "0g"}', "nonsense"):
        path.write_text(f'{{"t": 1.0, "dir": "open"}}\n{bad}\n')
        with pytest.raises(ValueError, match=r"line.jsonl, line 2: not a line of a recording"):
            list(read_recording(path))


def test_a_full_recording_drops_and_counts_and_grows_no_more(tmp_path: Path) -> None:
    path = tmp_path / "line.jsonl"
    recorder = Recorder(path, max_bytes=200)
    for number in range(50):
        recorder(Passing(float(number), "read", b"\x06"))
    recorder.close()
    kept = len(list(read_recording(path)))
    assert path.stat().st_size <= 200
    assert kept + recorder.dropped == 50
