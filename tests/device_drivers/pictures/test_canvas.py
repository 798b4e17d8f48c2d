"""The canvas: where dots go, letters of every size, and a file that others read as the same dots."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from device_drivers.pictures.canvas import Canvas
from device_drivers.pictures.font import glyph
from device_drivers.pictures.png import png


def shown(canvas: Canvas) -> list[str]:
    """The dots as text."""
    return [
        f"{int.from_bytes(row):0{len(row) * 8}b}"[: canvas.width].replace("0", ".").replace("1", "#")
        for row in canvas.rows()
    ]


def test_dots_go_where_they_are_put() -> None:
    canvas = Canvas(10)
    canvas.put(0, 0)
    canvas.put(9, 2)
    canvas.fill(3, 1, 4, 2)
    assert shown(canvas) == ["#.........", "...####...", "...####..#"]


def test_what_lies_outside_is_cut_off() -> None:
    canvas = Canvas(4)
    canvas.fill(-2, -1, 4, 2)
    canvas.put(4, 0)
    canvas.put(-1, 0)
    canvas.blit([b"\xff"], 2, 1)
    assert shown(canvas) == ["##..", "..##"]


def test_packed_rows_land_with_their_own_width() -> None:
    canvas = Canvas(8)
    canvas.blit([b"\xe0", b"\xa0"], 2, 0, 3)
    assert shown(canvas) == ["..###...", "..#.#..."]


def test_a_crop_is_a_copy() -> None:
    canvas = Canvas(4)
    canvas.fill(0, 0, 4, 3)
    piece = canvas.crop(1, 2)
    canvas.fill(0, 3, 4, 1)
    assert (piece.height, canvas.height) == (1, 4)
    assert shown(piece) == ["####"]


def test_letters_stand_side_by_side() -> None:
    canvas = Canvas(60)
    assert canvas.text(0, 0, "A中") == 36
    rows = shown(canvas)
    assert [row[:12] for row in rows] == [f"{row:012b}".replace("0", ".").replace("1", "#") for row in glyph("A")]
    assert [row[12:36] for row in rows] == [f"{row:024b}".replace("0", ".").replace("1", "#") for row in glyph("中")]
    assert {row[36:] for row in rows} == {"." * 24}


@given(st.sampled_from("A9中章"), st.integers(1, 4), st.integers(1, 4))
def test_a_larger_letter_is_the_same_letter(character: str, width: int, height: int) -> None:
    small, large = Canvas(24), Canvas(24 * width)
    small.text(0, 0, character)
    assert large.text(0, 0, character, width, height) == width * (12 if character.isascii() else 24)
    assert shown(large)[::height] == ["".join(dot * width for dot in row) for row in shown(small)]
    assert len(shown(large)) == 24 * height


def test_bold_is_struck_twice_and_an_underline_stands_below() -> None:
    plain, bold, under = Canvas(24), Canvas(24), Canvas(24)
    plain.text(0, 0, "中")
    bold.text(0, 0, "中", bold=True)
    under.text(0, 0, "中", underline=True)
    for thin, thick in zip(shown(plain), shown(bold), strict=True):
        assert thick == "".join("#" if "#" in thin[max(0, at - 1) : at + 1] else "." for at in range(24))
    assert shown(under)[:22] == shown(plain)[:22]
    assert shown(under)[22:] == ["#" * 24] * 2


@given(st.integers(1, 40), st.lists(st.sets(st.integers(0, 39)), min_size=1, max_size=30))
def test_another_reader_sees_the_same_dots(width: int, dots: list[set[int]]) -> None:
    canvas = Canvas(width)
    canvas.extend(len(dots))
    for y, row in enumerate(dots):
        for x in row:
            canvas.put(x, y)
    picture = Image.open(io.BytesIO(png(canvas.rows(), width)))
    assert (picture.mode, picture.size) == ("1", (width, len(dots)))
    black = {(x, y) for y in range(len(dots)) for x in range(width) if not picture.getpixel((x, y))}
    assert black == {(x, y) for y, row in enumerate(dots) for x in row if x < width}
    assert [round(one) for one in picture.info["dpi"]] == [203, 203]
