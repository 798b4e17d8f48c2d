"""What a board looks like within the limits of a screen: shortened by wordings, paged, scrolled, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.receipts.letters import width_of
from device_drivers.screens.faces import Face, Unshowable, face_of
from device_drivers.screens.notices import BadNotice, Board, Call, Words, board_of, call_of, words_of
from device_drivers.screens.panels import Panel
from device_drivers.screens.preview import as_text, preview

A001 = Call("A001", "3")
STRIP = Panel(columns=16, scroll_columns=100)
HALL = Panel(columns=20, rows=4, calls=4, letters="gb2312", pages=3)
DIGITS = Panel(columns=6, letters="segments")


def calling(call: Call, panel: Panel) -> Face:
    return face_of(Board((call,)), panel)


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (17, "请A001号到3号窗口"),
        (16, "A001号到3号窗口"),
        (14, "A001号 3号窗"),
        (11, "A001 3号窗"),
        (9, "A001 3"),
        (5, "A001"),
    ],
)
def test_a_call_is_said_in_the_fullest_wording_that_fits(columns: int, shown: str) -> None:
    face = calling(A001, Panel(columns))
    assert face.texts == [[shown]]
    assert face.shortened is (columns < 17)


def test_a_call_is_never_cut_and_a_hall_screen_always_names_the_window() -> None:
    with pytest.raises(Unshowable, match="call_too_wide"):
        calling(A001, Panel(3))
    with pytest.raises(Unshowable, match="call_too_wide"):
        calling(A001, Panel(5, rows=2, calls=2))


def test_english_and_both_languages() -> None:
    english = Call("A001", "3", "en")
    assert calling(english, Panel(30)).texts == [["Ticket A001 to window 3"]]
    assert calling(english, Panel(16)).texts == [["A001 to window 3"]]
    both = Call("A001", "3", "zh+en")
    assert calling(both, Panel(24, rows=2)).texts == [["请A001号到3号窗口", "Ticket A001 to window 3"]]
    assert calling(both, Panel(24, pages=2)).texts == [["请A001号到3号窗口"], ["Ticket A001 to window 3"]]
    alone = calling(both, Panel(24))
    assert (alone.texts, alone.shortened) == ([["请A001号到3号窗口"]], True)


def test_a_hall_screen_lists_the_newest_first_and_one_call_for_each_window() -> None:
    board = Board()
    for number, window in (("A001", "3"), ("B010", "1"), ("A002", "3"), ("V001", "9")):
        board = board.with_call(Call(number, window), HALL.calls)
    assert face_of(board, HALL).texts == [["请V001号到9号窗口", "请A002号到3号窗口", "请B010号到1号窗口", ""]]
    assert board.with_call(Call("V001", "9"), HALL.calls) == board
    for window in "45678":
        board = board.with_call(Call(f"C00{window}", window), HALL.calls)
    assert [call.number for call in board.calls] == ["C008", "C007", "C006", "C005"]


def test_both_languages_in_a_hall_take_turns_by_pages() -> None:
    board = Board((Call("A001", "3", "zh+en"), Call("B010", "1")))
    assert face_of(board, HALL).texts == [
        ["请A001号到3号窗口", "请B010号到1号窗口", "", ""],
        ["A001 to window 3", "请B010号到1号窗口", "", ""],
    ]


def test_digits_show_the_number_and_the_window_where_there_is_room() -> None:
    assert calling(Call("a001", "3", "zh+en"), DIGITS).texts == [["A001 3"]]
    assert calling(A001, Panel(4, letters="segments")).texts == [["A001"]]
    with pytest.raises(Unshowable, match="letter_not_on_screen") as no:
        face_of(Board(words=Words("暂停")), DIGITS)
    assert no.value.facts == {"character": "暂", "code_point": "U+6682", "position": "1"}


def test_a_text_wraps_takes_pages_runs_through_or_is_refused_whole() -> None:
    notice = Words("今日业务办理至十七点，请合理安排时间")
    assert face_of(Board(words=notice), Panel(12, rows=2, pages=2)).texts == [
        ["今日业务办理", "至十七点，请"],
        ["合理安排时间", ""],
    ]
    running = face_of(Board(words=Words("今日业务办理至\n十七点")), STRIP)
    assert (running.texts, running.scrolls) == ([["今日业务办理至 十七点"]], True)
    with pytest.raises(Unshowable, match="text_too_long_for_screen") as no:
        face_of(Board(words=notice), Panel(12, rows=2))
    assert no.value.facts == {"columns": 36, "most": 24}


def test_letters_that_the_screen_lacks_are_refused_with_their_place() -> None:
    with pytest.raises(Unshowable, match="letter_not_on_screen"):
        face_of(Board(words=Words("😀")), STRIP)
    with pytest.raises(Unshowable, match="letter_not_on_screen"):
        face_of(Board(words=Words("tab\there")), STRIP)
    assert face_of(Board(words=Words("镕")), STRIP).texts == [["镕"]]
    with pytest.raises(Unshowable, match="letter_not_on_screen"):
        face_of(Board(words=Words("镕")), HALL)  # in GBK, not in GB2312
    with pytest.raises(Unshowable, match="letter_not_on_screen"):
        face_of(Board(words=Words("A\\C1")), Panel(16, without="\\"))


def test_a_text_stands_until_the_next_call_and_nothing_is_the_idle_text() -> None:
    board = Board((A001,)).with_words(Words("暂停服务"))
    assert face_of(board, STRIP, "欢迎光临").texts == [["暂停服务"]]
    assert face_of(board.with_call(Call("A002", "3"), 1), STRIP, "欢迎光临").texts == [["A002号到3号窗口"]]
    assert face_of(Board(), STRIP, "欢迎光临").texts == [["欢迎光临"]]
    assert face_of(Board(), DIGITS).texts == [[""]]


@pytest.mark.parametrize(
    ("given_", "what"),
    [
        ({"window": "3"}, "number"),
        ({"number": "", "window": "3"}, "number"),
        ({"number": "A" * 13, "window": "3"}, "number"),
        ({"number": "A\n1", "window": "3"}, "number"),
        ({"number": "A001", "window": True}, "window"),
        ({"number": "A001", "window": "3", "language": "de"}, "language"),
        ({"number": "A001", "window": "3", "urgent": "yes"}, "urgent"),
    ],
)
def test_an_order_that_no_screen_could_show_is_told_by_the_value(given_: dict[str, object], what: str) -> None:
    with pytest.raises(BadNotice) as bad:
        call_of(given_)
    assert bad.value.what == what


def test_a_window_may_be_a_number_and_a_text_must_be_one() -> None:
    assert call_of({"number": " A001 ", "window": 3.0}) == A001
    assert words_of({"text": "暂停服务", "urgent": True}) == Words("暂停服务", urgent=True)
    for text in ("", "  ", 5, "x" * 401):
        with pytest.raises(BadNotice):
            words_of({"text": text})


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=5), st.sampled_from("123")), max_size=4),
    st.text(max_size=20),
    st.integers(2, 40),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["gbk", "gb2312", "segments"]),
)
def test_whatever_is_shown_stays_within_the_screen(
    calls: list[tuple[str, str]], text: str, columns: int, rows: int, pages: int, letters: str
) -> None:
    panel = Panel(columns, rows, letters, pages, calls=rows)  # type: ignore[arg-type]  # one of the three
    boards = [Board(tuple(Call(number, window, "zh+en") for number, window in calls)), Board(words=Words(text))]
    for board in boards:
        try:
            face = face_of(board, panel)
        except Unshowable:
            continue
        assert 1 <= len(face.pages) <= pages
        assert {len(page) for page in face.pages} == {rows}
        assert all(width_of(line.text) <= columns for page in face.pages for line in page)


PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
ANYTHING = st.recursive(PLAIN, lambda v: st.lists(v) | st.dictionaries(st.sampled_from(["calls", "words", "x"]), v))


@given(ANYTHING)
def test_a_memory_that_nobody_wrote_is_as_if_nothing_was_shown(memory: object) -> None:
    assert isinstance(board_of(memory), Board)


def test_the_memory_keeps_what_is_shown() -> None:
    board = Board((A001, Call("B1", "2", "zh+en", urgent=True))).with_words(Words("暂停", urgent=True))
    assert board_of(board.as_json()) == board


def test_the_preview_is_a_picture_and_a_text_of_every_page() -> None:
    face = face_of(Board(words=Words("今日业务办理至十七点")), Panel(12, rows=1, pages=2))
    assert as_text(face, Panel(12)) == (
        "+------------+\n|今日业务办理|\n+------------+\n|至十七点    |\n+------------+"
    )
    picture = preview(face, Panel(12))
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
    assert (width, height) == ((12 * 12 + 24) * 2, 2 * (30 + 24) * 2 + 12)
    assert preview(face, Panel(12)) == picture
