"""Seals: a whole ring, a star in the middle, and letters that stay between them."""

from __future__ import annotations

from math import cos, pi, sin

import pytest

from device_drivers.pictures.seal import seal


def dots(name: str, below: str, width: int) -> set[tuple[int, int]]:
    rows = seal(name, below, width)
    assert len(rows) == width
    numbers = [int.from_bytes(row) >> (len(row) * 8 - width) for row in rows]
    return {(x, y) for y, row in enumerate(numbers) for x in range(width) if row >> (width - 1 - x) & 1}


@pytest.mark.parametrize("width", [160, 200, 241, 400])
def test_the_ring_is_whole_and_nothing_stands_outside_of_it(width: int) -> None:
    black = dots("示例银行股份有限公司海淀支行", "业务专用章", width)
    middle = width / 2
    for degree in range(360):
        angle = degree * pi / 180
        assert (int(middle + (middle - 2) * sin(angle)), int(middle + (middle - 2) * cos(angle))) in black
    assert all((x + 0.5 - middle) ** 2 + (y + 0.5 - middle) ** 2 <= middle**2 + 1 for x, y in black)


def test_a_star_stands_in_the_middle() -> None:
    empty = dots("", "", 240)
    star = {(x, y) for x, y in empty if (x - 120) ** 2 + (y - 120) ** 2 < 40**2}
    assert (120, 120) in star
    assert (120, 92) in star, "a point of it shows upwards"
    assert (120, 148) not in star
    assert 700 < len(star) < 1700


def test_the_name_goes_round_evenly_and_the_line_stands_below() -> None:
    named = dots("示例银行", "", 240) - dots("", "", 240)
    left, right = sum(x < 120 for x, _ in named), sum(x >= 120 for x, _ in named)
    assert named
    assert 0.6 < left / right < 1.6
    assert max(y for _, y in named) < 190
    below = dots("", "自助业务章", 240) - dots("", "", 240)
    assert below
    assert min(y for _, y in below) > 150


def test_a_line_too_long_is_squeezed_into_the_ring() -> None:
    below = dots("", "一条很长很长很长很长的专用章文字", 200) - dots("", "", 200)
    assert min(x for x, _ in below) >= 24
    assert max(x for x, _ in below) < 176
