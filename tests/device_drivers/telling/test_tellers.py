"""Recorded bytes in words: the literal frames of the manuals, in any slices, with garbage around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.catalog import kinds
from device_drivers.telling import Word, teller
from device_drivers.telling.tellers import _OURS, Direction
from edge_agent.texts import Texts, load
from tests.device_drivers.banknotes.bytes_of import live_frame

CASES: list[tuple[str, Direction, str, list[str]]] = [
    ("crt591", "write", "F2 00 00 03 43 32 31 03 B2", ["unit 0: move to IC position (draws a card)"]),
    ("crt591", "write", "F2 00 00 03 43 30 37 03 B6", ["unit 0: initialise, leave card, bin counted"]),
    ("crt591", "read", "06 F2 00 00 06 50 31 30 30 32 30 03 94", ["ACK", "unit 0 did it: status, status 0 2 0"]),
    (
        "crt591",
        "read",
        "F2 00 00 12 50 30 33 30 32 30 43 52 54 2D 35 39 31 2D 4D 30 30 31 03 86",
        ["unit 0 did it: reset, leave card, status 0 2 0 CRT-591-M001"],
    ),
    (
        "crt591",
        "read",
        "F2 00 00 05 4E 32 39 31 30 03 B0",
        ["unit 0 refuses move out of gate: card jam (10)"],
    ),
    ("crt591", "write", "F2 00 00 03 43 30 33 03 B0", ["a broken frame (wrong check byte): F2 00 00 03 43 30 33 …"]),
    ("cells", "write", "8A 01 0C 11 96", ["board 1, lock 12: open"]),
    ("cells", "read", "8A 01 0C 00 87", ["board 1, lock 12: open, state 00"]),
    ("cells", "write", "01 05 02 00 00 07 8D B0", ["unit 1: write a coil, 7 at address 512"]),
    (
        "people_counter",
        "read",
        "01 04 08 00 28 00 5A 00 53 00 55 E4 2C",
        ["unit 1 answers read input registers: 40 90 83 85"],
    ),
    ("site_inputs", "read", "01 81 02 C1 91", ["unit 1 refuses read coils: no such address"]),
    ("led485", "write", "01 02 00 00 00 06 07 01 00 00 00 08", ["unit 7: read coils, 8 from address 0"]),
    ("site_inputs", "read", "00 02 00 00 00 04 07 01 01 05", ["unit 7 answers read coils: 00000101"]),
    (
        "strip_screen",
        "write",
        "AA 01 BB 51 54 72 01 00 00 02 63 41 42 BB B6 D3 AD B9 E2 C1 D9 31 32 FF",
        ["screen 1 shows “AB欢迎光临12”"],
    ),
    ("escpos", "write", "10 04 01", ["asks real-time status 01"]),
    ("escpos", "write", "1B 40 41 42 0A 1D 56 00", ["initialises", "3 bytes to be printed", "cuts (00)"]),
    ("escpos", "write", "1D 28 48 06 00 30 30 30 30 34 32", ["asks proof of print “0042”"]),
    ("escpos", "write", "1D 76 30 00 02 00 02 00 1D 56 00 10", ["12 bytes to be printed"]),  # dots that look like a cut
    ("escpos", "read", "37 22 30 30 34 32 00", ["proof: printed “0042”"]),
    ("escpos", "read", "12 13 11", ["real-time status 12", "XOFF", "XON"]),
    ("ipp", "write", "50 4F 53 54 20 2F 69 70 70 20 48 54 54 50 2F 31 2E 31 0D 0A", ["asks /ipp"]),
    ("ipp", "read", "48 54 54 50 2F 31 2E 31 20 32 30 30 20 4F 4B 0D 0A", ["answers 200"]),
]
WHOLE_ONLY = {"escpos", "ipp"}  # what a driver writes whole


def told(kind: str, direction: Direction, *pieces: bytes) -> list[str]:
    words, texts = teller(kind), Texts("en")
    found = [one for piece in pieces for one in words.feed(direction, piece)]
    return [
        " ".join(
            texts(
                f"frame.{one.code}",
                **{n: texts.word(v.family, v.code) if isinstance(v, Word) else v for n, v in one.places.items()},
            ).split()
        )
        for one in found
    ]


@pytest.mark.parametrize(("kind", "direction", "frame", "words"), CASES)
def test_frames_in_words(kind: str, direction: Direction, frame: str, words: list[str]) -> None:
    data = bytes.fromhex(frame)
    assert told(kind, direction, data) == words
    if kind not in WHOLE_ONLY or (direction == "read" and kind == "escpos"):
        assert told(kind, direction, *(bytes([byte]) for byte in data)) == words, "one byte at a time"
        assert told(kind, direction, data + data) == words * 2, "two frames in one read"


@pytest.mark.parametrize("kind", ["crt591", "cells", "people_counter", "strip_screen"])
def test_garbage_hides_no_frame_behind_it(kind: str) -> None:
    _, direction, frame, words = next(case for case in CASES if case[0] == kind)
    garbage = bytes.fromhex("FF 7F 00 FE")
    found = told(kind, direction, garbage, bytes.fromhex(frame))
    assert found[-len(words) :] == words
    later = told(kind, direction, garbage * 80, bytes.fromhex(frame) * 2)
    assert words[0] in later


@pytest.mark.parametrize("kind", sorted(_OURS))
@given(data=st.binary(max_size=400), cut=st.integers(0, 400))
def test_any_bytes_in_any_slices_end_in_words_of_the_catalogue(kind: str, data: bytes, cut: int) -> None:
    words = teller(kind)
    for direction in ("write", "read"):
        for piece in (data[:cut], data[cut:]):
            for one in words.feed(direction, piece):
                assert f"frame.{one.code}" in load("zh")
                Texts("zh")(f"frame.{one.code}", **one.places)


def test_each_kind_has_a_teller_and_a_stranger_is_silent() -> None:
    assert set(kinds()) - set(_OURS) <= {"scanner"}, "a new kind needs its words, or a reason to have none"
    assert teller("toaster").feed("read", b"abc") == []


def test_serial_numbers_of_notes_are_masked() -> None:
    (words,) = told("banknote_counter", "read", live_frame(1, serial="CD00000017"))
    assert "CD00000017" not in words
    assert "*" in words
