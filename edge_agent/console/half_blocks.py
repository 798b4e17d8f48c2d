"""Dots in a terminal: two of them one above the other in each letter's place, made smaller until they fit.

Knows dots and the four block characters; must not know what the dots show, nor the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_BLACK_FROM = 0.28  # of a field's dots: thin strokes of letters survive, their counters stay open


def half_blocks(rows: Sequence[bytes], width: int, columns: int) -> list[str]:
    """Lines of at most `columns` characters; packed rows of `width` dots, the leftmost in the highest bit."""
    numbers = [int.from_bytes(row) >> (len(row) * 8 - width) for row in rows]
    across = min(columns, width)
    step = width / across
    down = round(len(rows) / step)
    fields = [_fields(numbers[int(y * step) : int((y + 1) * step)] or [0], width, across) for y in range(down)]
    if down % 2:
        fields.append([False] * across)
    return [
        "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True)).rstrip()
        for upper, lower in zip(fields[::2], fields[1::2], strict=True)
    ]


def _fields(numbers: Sequence[int], width: int, across: int) -> list[bool]:
    """One row of fields: whether each is black enough."""
    ends = [width * place // across for place in range(across + 1)]
    return [_is_black(numbers, width - end, end - start) for start, end in pairwise(ends)]


def _is_black(numbers: Sequence[int], shift: int, wide: int) -> bool:
    """A rule is thin, but black from edge to edge."""
    mask = (1 << wide) - 1
    rows = [number >> shift & mask for number in numbers]
    return mask in rows or sum(row.bit_count() for row in rows) >= _BLACK_FROM * len(rows) * wide
