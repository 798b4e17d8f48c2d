"""Sheets as bytes: literal vectors, explicit state, bands, and nothing that a printer executes on reception."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from device_drivers.errors import DeviceRefused
from device_drivers.escpos import commands
from device_drivers.escpos.encoder import checked, chunks, encode, guarded, resync
from device_drivers.escpos.profile import BAND_ROWS, EscPosProfile
from device_drivers.escpos.sheets import printout
from device_drivers.receipts.compose import Marks, Paper, Unprintable, compose, void_slip
from device_drivers.receipts.sheet import Align, Code, Cut, Feed, Picture, Rule, Sheet, TextLine
from device_drivers.receipts.template import Template

P = EscPosProfile()
ACTS_AT_ONCE = re.compile(rb"\x10[\x04\x05\x14]")


def hexed(*parts: str) -> bytes:
    return b"".join(bytes.fromhex(part) for part in parts)


def bytes_of(*blocks: Any, profile: EscPosProfile = P) -> bytes:
    return b"".join(encode(Sheet(blocks, 48), profile).commands)


# --- vectors -------------------------------------------------------------------------------------------------------


def test_a_qr_code() -> None:
    assert hexed(
        "1D 28 6B 04 00 31 41 32 00",
        "1D 28 6B 03 00 31 43 03",
        "1D 28 6B 03 00 31 45 30",
        "1D 28 6B 07 00 31 50 30 31 32 33 34",
        "1D 28 6B 03 00 31 51 30",
    ) in bytes_of(Code("1234", "qr", 3, "L"), Cut())


def test_one_black_dot_and_two_rows() -> None:
    assert hexed("1D 76 30 00 01 00 01 00 80") in bytes_of(Picture(1, (b"\x80",)), Cut())
    assert hexed("1D 76 30 00 01 00 02 00 C0 00") in bytes_of(Picture(2, (b"\xc0", b"\x00")), Cut())


def test_chinese_is_turned_on_right_before_it_comes() -> None:
    assert hexed("1C 26 BB D8 B5 A5") in bytes_of(TextLine("回单"), Cut())
    assert hexed("1C 26 C4 FA BA C3") in bytes_of(TextLine("您好"), Cut())


def test_every_line_with_chinese_turns_it_on_itself() -> None:
    data = bytes_of(TextLine("回单"), TextLine("plain"), TextLine("您好"), Rule("-" * 48), TextLine("余额 5"), Cut())
    assert data.count(b"\x1c\x26") == 3


def test_a_model_may_need_something_else_for_chinese() -> None:
    data = bytes_of(TextLine("回单"), Cut(), profile=EscPosProfile(chinese_on_hex="1C 26 1C 43 00"))
    assert hexed("1C 26 1C 43 00 BB D8 B5 A5") in data


def test_an_ean13_and_a_code128() -> None:
    assert hexed("1D 68 40 1D 77 03 1D 66 00 1D 48 02 1D 6B 43 0D") + b"4006381333931" in bytes_of(
        Code("4006381333931", "ean13", 3, height=0x40), Cut()
    )
    assert hexed("1D 6B 49 07") + b"{BO{{17" in bytes_of(Code("O{17", "code128", 2), Cut())


@pytest.mark.parametrize(("side", "n"), [("left", 0), ("centre", 1), ("right", 2)])
def test_alignment(side: Align, n: int) -> None:
    assert bytes([0x1B, 0x61, n]) in bytes_of(TextLine("x", align=side), Cut())


def test_state_is_set_for_both_kinds_of_letters() -> None:
    big = bytes_of(TextLine("余额", bold=True, width=2, height=2, underline=True), Cut())
    assert all(hexed(one) in big for one in ("1B 45 01", "1B 2D 01", "1D 21 11", "1C 21 8C"))
    plain = bytes_of(TextLine("余额"), Cut())
    assert all(hexed(one) in plain for one in ("1B 45 00", "1B 2D 00", "1D 21 00", "1C 21 00"))


@pytest.mark.parametrize(("can", "wants", "n"), [("full", True, 0), ("full", False, 1), ("partial", True, 1)])
def test_the_cut_is_one_that_the_printer_can_do(can: Any, wants: bool, n: int) -> None:
    profile = EscPosProfile(cut=can, feed_before_cut_lines=3)
    assert bytes_of(Cut(full=wants), profile=profile).endswith(bytes([0x1B, 0x64, 3, 0x1D, 0x56, n]))


def test_a_sheet_begins_with_a_reset_and_a_code_page_only_where_told() -> None:
    assert bytes_of(Feed(2), Cut()).startswith(hexed("1B 40 1B 64 02"))
    assert bytes_of(Feed(2), Cut(), profile=EscPosProfile(code_page=16)).startswith(hexed("1B 40 1B 74 10"))


def test_process_ids_and_status_commands() -> None:
    assert commands.process_id("    ") == hexed("1D 28 48 06 00 30 30 20 20 20 20")
    assert commands.process_id("0001") == hexed("1D 28 48 06 00 30 30 30 30 30 31")
    assert commands.process_id("9999") == hexed("1D 28 48 06 00 30 30 39 39 39 39")
    assert hexed("1D 72 01") == commands.FENCE
    assert hexed("1D 67 32 00 B2 00") == commands.CUTTER_COUNTER
    assert commands.info(0x43) == hexed("1D 49 43")
    assert commands.automatic_status(14) == hexed("1D 61 0E")
    assert [commands.real_time(n) for n in (1, 2, 3, 4)] == [bytes([0x10, 4, n]) for n in (1, 2, 3, 4)]
    with pytest.raises(ValueError, match="DLE EOT"):
        commands.real_time(5)
    with pytest.raises(ValueError, match="process id"):
        commands.process_id("17")


# --- images in bands -----------------------------------------------------------------------------------------------


def bands(data: bytes) -> list[tuple[int, int]]:
    """(bytes wide, rows) of each band, by walking through them."""
    found, at = [], data.find(b"\x1d\x76\x30\x00")
    while at >= 0:
        wide, rows = (int.from_bytes(data[at + 4 + 2 * n : at + 6 + 2 * n], "little") for n in (0, 1))
        found.append((wide, rows))
        at = data.find(b"\x1d\x76\x30\x00", at + 8 + wide * rows)
    return found


@given(st.integers(1, 72), st.integers(1, 100))
def test_an_image_goes_as_whole_bands_of_at_most_24_rows(wide: int, height: int) -> None:
    data = bytes_of(Picture(wide * 8, (bytes(wide),) * height), Cut())
    assert sum(rows for _, rows in bands(data)) == height
    assert {width for width, _ in bands(data)} == {wide}
    assert max(rows for _, rows in bands(data)) <= 24


@given(st.integers(1, 72), st.binary(min_size=1, max_size=4000))
def test_no_command_is_longer_than_the_zeros_of_a_resync(wide: int, dots: bytes) -> None:
    rows = tuple(dots[at : at + wide].ljust(wide, b"\x00") for at in range(0, len(dots), wide))
    made = encode(Sheet((Picture(wide * 8, rows), Cut()), 48), P).commands
    assert max(map(len, made)) <= P.band_bytes <= len(resync(P)[0])


def test_the_resync_is_zeros_and_a_reset() -> None:
    assert resync(P) == (bytes(3072), b"\x1b\x40")


def test_a_command_that_a_resync_could_not_end_is_refused() -> None:
    with pytest.raises(Unprintable, match="resync_bytes"):
        checked((bytes(3073),), P)


def test_chunks_are_whole_commands() -> None:
    made = [b"a" * 900, b"b" * 900, b"c" * 900, b"d" * 5000, b"e"]
    assert list(chunks(made, 2048)) == [b"a" * 900 + b"b" * 900, b"c" * 900, b"d" * 5000, b"e"]


# --- what acts on reception ----------------------------------------------------------------------------------------


@given(st.binary(max_size=400) | st.lists(st.sampled_from([4, 5, 0x10, 0x14, 0, 8])).map(bytes))
def test_no_raster_acts_on_reception(dots: bytes) -> None:
    safe = guarded(dots)
    assert not ACTS_AT_ONCE.search(safe)
    assert len(safe) == len(dots)
    changed = [(old, new) for old, new in zip(dots, safe, strict=True) if old != new]
    assert all(new == old | 8 for old, new in changed)  # one dot blacker, nothing lost
    assert len(changed) == len(ACTS_AT_ONCE.findall(dots))


def test_a_sequence_across_two_rows_is_seen() -> None:
    data = bytes_of(Picture(8, (b"\x10", b"\x05", b"\x10", b"\x14")), Cut())
    assert hexed("10 0D 10 1C") in data


def test_what_could_not_be_made_harmless_is_refused() -> None:
    """1037 letters in a QR code make its length `10 04`."""
    with pytest.raises(Unprintable, match="10 04"):
        bytes_of(Code("7" * 1037, "qr", 2, "L"), Cut())
    with pytest.raises(DeviceRefused) as refused:
        printout(Sheet((Code("7" * 1037, "qr", 2, "L"), Cut()), 48), P, left=[])
    assert refused.value.waits_for == "never"


@pytest.mark.parametrize("key", ["retract_hex", "eject_hex", "chinese_on_hex"])
@pytest.mark.parametrize("text", ["10 05 01", "1D 10 14 08", "1B 10", "05 01", "10 04 01", "xx", "1D6"])
@pytest.mark.rule("PHY-3")
def test_a_profile_cannot_make_it_emit_what_acts_on_reception(key: str, text: str) -> None:
    with pytest.raises(ValidationError):
        EscPosProfile.model_validate({key: text})


def test_a_resync_shorter_than_a_band_is_refused() -> None:
    with pytest.raises(ValidationError, match="1736"):
        EscPosProfile(resync_bytes=1735)
    assert EscPosProfile(resync_bytes=1736).band_bytes == 8 + BAND_ROWS * 72


VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x9FFF), max_size=60)
HEX = st.binary(max_size=6).map(bytes.hex)


@settings(max_examples=100, deadline=None)
@given(VALUES, VALUES, HEX, HEX, st.integers(16, 96), st.booleans(), st.lists(st.integers(1, 9), max_size=3))
def test_no_scene_value_or_profile_makes_it_emit_what_acts_on_reception(
    text: str, code: str, retract: str, eject: str, columns: int, presenter: bool, left: list[int]
) -> None:
    try:
        profile = EscPosProfile(retract_hex=retract, eject_hex=eject, columns=columns, presenter=presenter)
    except ValidationError:
        return
    template = Template.model_validate(
        {"block": [{"text": "{text}", "size": 2}, {"qr": "{code}"}, {"rule": "="}, {"seal": "{text}"}, {"cut": "full"}]}
    )
    try:
        sheet = compose(template, {"text": text, "code": code}, Paper(columns, 576), Marks("O-1/receipt/1", 2))
        made = printout(sheet, profile, left=[f"O-{n}/receipt/1" for n in left])
    except (Unprintable, DeviceRefused):
        return
    assert not ACTS_AT_ONCE.search(b"".join(made.pieces))


# --- what comes before a sheet -------------------------------------------------------------------------------------


def test_nothing_comes_before_a_sheet_when_nothing_may_lie_there() -> None:
    made = printout(Sheet((TextLine("x"), Cut()), 48), P, left=[])
    assert b"".join(made.pieces).startswith(hexed("1B 40 1D 61 0E"))
    assert (made.cuts, made.sheets) == (1, 1)


def test_the_resync_and_a_void_slip_come_first_when_bytes_may_lie_there() -> None:
    profile = EscPosProfile(retract_hex="1D 65 02", eject_hex="1D 65 03")
    made = printout(Sheet((TextLine("new"), Cut()), 48), profile, left=["O-1/receipt/1", "O-2/receipt/1"])
    data = b"".join(made.pieces)
    order = [bytes(3072) + b"\x1b\x40", "作废".encode("gbk"), b"O-1/receipt/1", b"O-2/receipt/1"]
    order += [hexed("1D 56 01 1D 65 02"), b"\x1b\x40", b"new", hexed("1D 56 01 1D 65 03")]
    places = [data.find(part, 3073 if n else 0) for n, part in enumerate(order)]
    assert places[0] == 0
    assert -1 not in places
    assert places[1:5] == sorted(places[1:5])
    assert places[4] < places[6] < places[7]
    assert (made.cuts, made.sheets) == (2, 2)


def test_a_void_slip_spares_what_it_names_the_slip_but_not_the_resync() -> None:
    made = printout(void_slip(["O-1/receipt/1"], P.paper), P, left=["O-1/receipt/1"], named=["O-1/receipt/1"])
    data = b"".join(made.pieces)
    assert data.startswith(bytes(3072))
    assert data.count(b"O-1/receipt/1") == 1
    assert made.cuts == 1


def test_a_sheet_that_takes_too_long_is_refused() -> None:
    with pytest.raises(DeviceRefused, match="sheet_too_long"):
        printout(Sheet((Picture(8, (b"\x00",) * 8001), Cut()), 48), P, left=[])
