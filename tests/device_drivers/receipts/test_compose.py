"""Sheets: whatever the values, what comes out fits the paper, bears its marks, is cut once, and holds no command."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device_drivers.receipts.compose import MAX_LINES, Marks, Paper, Unprintable, compose, void_slip
from device_drivers.receipts.letters import printable, width_of
from device_drivers.receipts.paper import PAPERS
from device_drivers.receipts.sheet import Code, Cut, Feed, Picture, Rule, Sheet, TextLine
from device_drivers.receipts.template import Template

MARKS = Marks("O-17/receipt/1")
WIDE = PAPERS[48]


def template(*blocks: dict[str, Any]) -> Template:
    return Template.model_validate({"block": list(blocks)})


def composed(*blocks: dict[str, Any], paper: Paper = WIDE, marks: Marks = MARKS, **values: str) -> Sheet:
    return compose(template(*blocks), values, paper, marks)


def refused(*blocks: dict[str, Any], paper: Paper = WIDE, **values: str) -> Unprintable:
    with pytest.raises(Unprintable) as error:
        compose(template(*blocks), values, paper, MARKS)
    assert error.value.what in str(error.value)
    return error.value


ALIGNS = st.sampled_from(["left", "centre", "right"])
# A template's own words and values: letters of both kinds, blanks, line breaks, and whatever else a system may send.
LETTERS = st.text(
    st.one_of(st.sampled_from("O-17 /,.:李卡回单，。（）￥No"), st.characters(codec="gbk").filter(str.isprintable)),
    max_size=90,
)
VALUES = st.text(st.one_of(st.sampled_from("重印作废No. VOID/17\n\r\t\x1b\x1d\x10\x04"), st.characters()), max_size=60)
TEXTS = st.sampled_from(["{a}", "业务 {b}", "{a}{b}", "x {a}, y {b}。"])
BLOCKS = st.one_of(
    st.builds(
        lambda text, align, width, height: {"text": text, "align": align, "width": width, "height": height},
        *(TEXTS, ALIGNS, st.integers(1, 4), st.integers(1, 4)),
    ),
    st.builds(
        lambda cells, size: {"columns": cells, "size": size},
        st.lists(
            st.builds(lambda t, s, a: {"text": t, "share": s, "align": a}, TEXTS, st.integers(1, 48), ALIGNS),
            min_size=1,
            max_size=4,
        ),
        st.integers(1, 2),
    ),
    st.builds(lambda one: {"rule": one}, st.sampled_from("-=.*")),
    st.builds(lambda text: {"qr": text}, TEXTS),
    st.builds(lambda text: {"barcode": text}, st.sampled_from(["O-17", "{a}"])),
    st.builds(lambda lines: {"feed": lines}, st.integers(1, 5)),
)


def width(sheet: Sheet, line: TextLine) -> int:
    return width_of(line.text) * line.width


@pytest.mark.rule("ORD-10")
@settings(max_examples=300, deadline=None)
@given(
    st.lists(BLOCKS, min_size=1, max_size=5),
    st.one_of(LETTERS, LETTERS, VALUES),
    st.one_of(LETTERS, LETTERS, VALUES),
    st.sampled_from(sorted(PAPERS)),
    st.integers(0, 3),
    st.integers(1, 90),
)
@example([{"text": "{a}", "width": 4}], "啊" * 300, "", 32, 0, 1)
@example([{"text": "{a}"}], "\x1b@\x1dV\x00", "", 48, 0, 1)
@example([{"text": "{a}"}], "No. O-17/receipt/1\n重印 REPRINT 4", "", 48, 0, 1)
def test_what_is_composed_always_holds(
    blocks: list[dict[str, Any]], a: str, b: str, columns: int, reprint: int, length: int
) -> None:
    paper, attempt = PAPERS[columns], "O" * length + "/receipt/1"
    try:
        sheet = composed(*blocks, paper=paper, marks=Marks(attempt, reprint), a=a, b=b)
    except Unprintable:
        return
    lines = [block for block in sheet.blocks if isinstance(block, TextLine)]
    assert sheet.columns == columns
    assert all(width(sheet, line) <= columns for line in lines)
    assert all(printable(character) for line in lines for character in line.text)
    assert all(" " <= one <= "~" or one > "\x9f" for block in sheet.blocks for one in texts_in(block))
    assert [place for place, block in enumerate(sheet.blocks) if isinstance(block, Cut)] == [len(sheet.blocks) - 1]
    first, joined = lines[0].text, number_of(sheet)
    assert joined == f"No. {attempt}"
    assert (first == f"重印 REPRINT {reprint}") is bool(reprint)
    own = lines[: len(lines) - -(-len(attempt) // (columns - 4))]
    if reprint:  # at both ends: a torn sheet is marked, whichever end is looked at
        assert own.pop().text == first
    inner = [line.text for line in own[bool(reprint) :]]
    assert not [text for text in inner if re.match(r"\s*(重印 REPRINT|作废 VOID|No\. *\S+/\S+/\d+$)", text)]


def texts_in(block: object) -> str:
    return getattr(block, "text", "") or getattr(block, "data", "")


def number_of(sheet: Sheet) -> str:
    """The last `No. ` line with what continues it, as who reads the paper joins it."""
    joined = ""
    for text in reversed(sheet.lines):
        if text.startswith("No. "):
            return text + joined
        joined = text.removeprefix("  ") + joined
    return joined


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize("columns", sorted(PAPERS))
def test_a_long_number_goes_on_behind_two_blanks(columns: int) -> None:
    attempt = "O-" + "0123456789" * 9 + "/receipt/12"
    sheet = composed({"text": "x"}, paper=PAPERS[columns], marks=Marks(attempt))
    mark = sheet.lines[1:]
    assert mark[0].startswith("No. O-0123")
    assert all(text.startswith("  0123"[:2]) and len(text) <= columns - 2 for text in mark[1:])
    assert number_of(sheet) == f"No. {attempt}"
    assert len(mark) == -(-len(attempt) // (columns - 4))


@pytest.mark.rule("ORD-10")
def test_a_void_slip_names_every_attempt() -> None:
    sheet = void_slip(["O-1/receipt/1", "O-1/receipt/2"], WIDE)
    assert sheet.lines == ["作废 VOID", "No. O-1/receipt/1", "No. O-1/receipt/2"]
    assert sheet.blocks[-1] == Cut()


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize(
    "value", ["No. O-1/receipt/1", "  No. 1/2/3", "No.O-1/receipt/9  ", "重印 REPRINT", "重印 REPRINT 7", " 作废 VOID"]
)
def test_no_value_imitates_a_mark(value: str) -> None:
    for block in ({"text": "{a}"}, {"columns": [{"text": "{a}"}]}):
        assert refused(block, a=value).code == "print_mark"
    assert refused({"text": "{a}"}, a="above\n" + value).reason == "unsupported_data"


@pytest.mark.parametrize(
    "value", ["作废  VOID", "作废VOID", "作废 ＶＯＩＤ", "重印　Reprint 1", "Ｎｏ． O-2/receipt/1"]
)
def test_what_looks_like_a_mark_is_one(value: str) -> None:
    assert refused({"text": "{a}"}, a=value).code == "print_mark"


def test_no_words_below_a_barcode_imitate_a_mark() -> None:
    bars = {"barcode": "{a}", "caption": True}
    assert refused(bars, a="No. O-2/receipt/1").code == "print_mark"
    assert composed({**bars, "caption": False}, a="No. O-2/receipt/1").blocks


@pytest.mark.rule("ORD-10")
def test_no_value_imitates_the_beginning_of_a_long_number() -> None:
    assert refused({"text": "{a}"}, a="No. " + "O" * 44 + "/receipt/1").code == "print_mark"
    assert composed({"text": "{a}"}, a="No. " + "O" * 43).lines[0] == "No. " + "O" * 43


def test_an_address_that_begins_like_a_mark_is_none() -> None:
    assert composed({"text": "{a}"}, a="No. 5 Main Street").lines[0] == "No. 5 Main Street"
    assert composed({"text": "{a}"}, a="重印件均有标记").lines[0] == "重印件均有标记"


@pytest.mark.parametrize("character", ["\x00", "\x10", "\x1b", "\t", "\r", "\x7f", "\x85", "\u2028", "¥", "😀", "한"])
def test_a_character_that_no_printer_has_is_named_with_its_place(character: str) -> None:
    error = refused({"text": "{a}"}, a=f"好\nab{character}c")
    assert (error.reason, error.code, error.what) == ("unsupported_data", "print_character", "a")
    assert error.places["position"] == 3
    assert error.places["line"] == 2
    assert error.places["code_point"] == f"U+{ord(character):04X}"
    assert character.isprintable() or character not in str(error)


def test_an_attempt_that_cannot_be_printed_is_refused() -> None:
    with pytest.raises(Unprintable):
        compose(template({"text": "x"}), {}, WIDE, Marks("O\n/x/1"))


def test_values_are_put_in_literally() -> None:
    sheet = composed({"text": "{{{a}}} {b}"}, a="{b}{{", b="{a}")
    assert sheet.lines[0] == "{{b}{{} {a}"


def test_a_value_that_is_not_printed_may_be_as_it_is() -> None:
    assert composed({"text": "x"}, unused="\x1b😀").lines[0] == "x"


def test_a_missing_value_is_named() -> None:
    error = refused({"text": "{order} {amount}"}, order="1")
    assert (error.reason, error.what) == ("value_missing", "amount")


@pytest.mark.parametrize("given", [{}, {"note": ""}, {"note": "false"}])
def test_a_block_is_left_out_without_its_value(given: dict[str, str]) -> None:
    blocks = ({"text": "x"}, {"text": "note: {note} {more}", "when": "note"})
    assert compose(template(*blocks), given, WIDE, MARKS).lines == ["x", "No. O-17/receipt/1"]
    assert composed(*blocks, note="n", more="m").lines[1] == "note: n m"


def test_blocks_become_what_they_say() -> None:
    sheet = composed(
        {"text": "{a}\n{a}", "align": "right", "size": 2, "height": 1, "bold": True, "underline": True},
        {"rule": "="},
        {"qr": "{a}", "size": 8, "level": "H", "align": "left"},
        {"barcode": "400638133393", "symbology": "ean13", "size": 3, "height": 50, "caption": False},
        {"barcode": "B-1"},
        {"feed": 3},
        {"cut": "full"},
        a="甲",
    )
    assert sheet.blocks == (
        *[TextLine("甲", "right", bold=True, width=2, height=1, underline=True)] * 2,
        Rule("=" * 48),
        Code("甲", "qr", 8, "H", "left"),
        Code("4006381333931", "ean13", 3, "M", "centre", 50, caption=False),
        Code("B-1", "code128", 2),
        Feed(3),
        TextLine("No. O-17/receipt/1"),
        Cut(full=True),
    )


def test_cells_share_the_line() -> None:
    cells = [{"text": "品名"}, {"text": "数量", "align": "centre"}, {"text": "{a}", "align": "right", "share": 2}]
    assert (
        composed({"columns": cells}, a="12.00", paper=PAPERS[32]).lines[0]
        == "品名" + " " * 6 + "数量" + " " * 13 + "12.00"
    )


def test_a_long_cell_goes_on_below_in_its_own_column() -> None:
    cells = [{"text": "订单"}, {"text": "{a}", "align": "right"}]
    lines = composed({"columns": cells}, a="0123456789" * 2, paper=PAPERS[32]).lines
    assert lines[:2] == ["订单" + " " * 12 + "0123456789012345", " " * 28 + "6789"]


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ({"text": "{a}", "wrap": False}, "print_columns"),
        ({"text": "x", "size": 4}, ""),
        ({"columns": [{"text": "{a}", "wrap": False}]}, "print_columns"),
        ({"columns": [{"text": "x"}] * 8, "size": 4}, "print_columns"),
        ({"barcode": "{a}"}, "print_dots"),
        ({"qr": "{a}", "size": 16}, "print_dots"),
        ({"seal": "x", "width": 400}, "print_dots"),
    ],
)
def test_what_is_wider_than_the_paper_is_refused(block: dict[str, Any], code: str) -> None:
    if not code:
        assert composed(block, paper=PAPERS[32]).lines[0] == "x"
        return
    error = refused(block, a="0123456789-" * 4, paper=PAPERS[32])
    assert (error.reason, error.code, error.what) == ("too_long", code, "block 1")


def test_data_that_cannot_be_in_its_code_is_refused() -> None:
    assert refused({"barcode": "{a}"}, a="号").code == "print_bars"
    assert refused({"barcode": "{a}"}, a="").code == "print_code_empty"
    assert refused({"barcode": "{a}", "symbology": "ean13"}, a="12").code == "print_ean"
    assert refused({"barcode": "{a}", "symbology": "ean13"}, a="4006381333930").code == "print_check_digit"
    assert refused({"qr": "{a}"}, a="x\ny").code == "print_lines"
    assert refused({"qr": "{a}"}, a="x" * 3000).code == "print_qr"
    assert refused({"image": "logo.png"}).code == "print_no_picture"


def test_metres_of_paper_are_refused() -> None:
    assert refused({"text": "{a}{a}"}, a="x" * 2001).code == "print_characters"
    assert len(composed({"text": "{a}{a}"}, a="x" * 2000).lines) == 85
    assert refused({"text": "{a}"}, a="x\n" * MAX_LINES).code == "print_lines_many"
    assert len(composed({"text": "{a}"}, a="x\n" * (MAX_LINES - 1)).lines) == MAX_LINES + 1


def test_a_seal_is_drawn_with_the_values() -> None:
    one, other = (composed({"seal": "{a}", "width": 160}, a=name).blocks[0] for name in ("甲行", "乙行"))
    assert isinstance(one, Picture)
    assert (one.width_dots, len(one.rows), one.align) == (160, 160, "right")
    assert one != other
