"""Pictures of sheets: everything stands where it should on the strip."""

from __future__ import annotations

from device_drivers.receipts.compose import Marks, compose
from device_drivers.receipts.paper import PAPERS
from device_drivers.receipts.preview import LINE, MARGIN, drawn
from device_drivers.receipts.sheet import Cut, Feed, Picture, Rule, Sheet, TextLine
from device_drivers.receipts.template import parse_template


def test_blocks_stand_below_each_other_at_their_side() -> None:
    paper = PAPERS[32]
    blocks = (
        TextLine("█" * 2, "right"),
        Picture(8, (b"\xff",) * 4, "left"),
        Picture(8, (b"\xff",) * 4, "centre"),
        Rule("-" * 32),
        Feed(2),
        TextLine("█", "centre", width=2, height=2),
        Cut(full=True),
    )
    canvas = drawn(Sheet(blocks, 32), paper)
    numbers = [int.from_bytes(row) for row in canvas.rows()]
    wide = canvas.width
    assert wide == paper.dots + 2 * MARGIN

    def sides(y: int) -> tuple[int, int]:
        """The leftmost and the rightmost black dot of a row."""
        spare = -wide % 8
        row = numbers[y] >> spare
        return wide - row.bit_length(), wide - 1 - (row & -row).bit_length() + 1

    assert sides(MARGIN + 12) == (wide - MARGIN - 48, wide - MARGIN - 1)
    assert sides(MARGIN + LINE) == (MARGIN, MARGIN + 7)
    assert sides(MARGIN + LINE + 4) == (wide // 2 - 4, wide // 2 + 3)
    rule = MARGIN + LINE + 8
    assert any(numbers[rule : rule + 24])
    assert not any(numbers[rule + LINE : rule + 3 * LINE])
    assert sides(rule + 3 * LINE + 24) == (wide // 2 - 24, wide // 2 + 23)
    assert canvas.height == rule + 3 * LINE + 48 + 6 + 2 * LINE + 2
    assert sides(canvas.height - 1) == (0, wide - 1), "a full cut is a whole line"


def test_a_partial_cut_is_dashed() -> None:
    template = parse_template("[[block]]\ntext = 'x'", "t.toml")
    canvas = drawn(compose(template, {}, PAPERS[48], Marks("O/x/1")), PAPERS[48])
    last = int.from_bytes(canvas.rows()[-1])
    assert 0.4 < last.bit_count() / canvas.width < 0.6
