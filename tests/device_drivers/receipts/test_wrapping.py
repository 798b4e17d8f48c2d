"""Lines: nothing is lost, nothing is wider than its place, words stay whole, and marks stand where they may."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device_drivers.receipts.cells import GAP, NARROWEST, widths_of
from device_drivers.receipts.letters import width_of
from device_drivers.receipts.wrapping import NOT_FIRST, NOT_LAST, wrapped

TEXT = st.text(st.sampled_from("ab1 -领卡回单，。、（《》）"), max_size=120)


@given(TEXT, st.integers(2, 48))
def test_every_line_fits_and_only_blanks_get_lost(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert all(width_of(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("", 10, [""]),
        ("一\n\n二", 10, ["一", "", "二"]),
        ("keep your receipt", 10, ["keep your", "receipt"]),
        ("keep your  receipt", 9, ["keep your", "receipt"]),
        ("0123456789", 4, ["0123", "4567", "89"]),
        ("领卡回单", 5, ["领卡", "回单"]),
        ("领卡a回单", 5, ["领卡a", "回单"]),
        ("请保管银行卡。谢谢", 12, ["请保管银行", "卡。谢谢"]),
        ("见背面（说明）", 8, ["见背面", "（说明）"]),
        ("  两格在前", 20, ["  两格在前"]),
        ("a b c ", 20, ["a b c"]),
    ],
)
def test_lines_break_where_a_person_would(text: str, columns: int, lines: list[str]) -> None:
    assert wrapped(text, columns) == lines


@example("《单。。。。。。。", 16)
@given(st.text(st.sampled_from("领卡回单，。（）《》"), min_size=1, max_size=60), st.integers(16, 48))
def test_no_line_begins_with_a_comma_or_ends_with_a_bracket(text: str, columns: int) -> None:
    """Unless the line has no place at all where it may break."""
    for line, following in pairwise(wrapped(text, columns)):
        whole = all(after in NOT_FIRST or before in NOT_LAST for before, after in pairwise(line))
        assert following[0] not in NOT_FIRST or whole
        assert line[-1] not in NOT_LAST or whole


@given(st.lists(st.integers(1, 48), min_size=1, max_size=8), st.integers(24, 48))
def test_cells_fill_the_line_and_each_holds_a_letter(shares: list[int], columns: int) -> None:
    widths = widths_of(shares, columns)
    assert sum(widths) + GAP * (len(widths) - 1) == columns
    assert min(widths) >= NARROWEST
