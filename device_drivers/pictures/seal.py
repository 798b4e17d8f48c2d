"""A round seal in dots: a ring, a star in it, a name along the ring, and a line below the star.

Knows the shape of a Chinese business seal; must not know whose seal it is, nor colours (the paper knows one).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import atan2, ceil, cos, hypot, pi, sin, sqrt

from device_drivers.pictures import font
from device_drivers.pictures.canvas import Canvas

_SWEEP = 1.5 * pi  # the name takes at most three quarters of the ring, open at the bottom
_STAR = [(sin(n * pi / 5) * (1, 0.382)[n % 2], -cos(n * pi / 5) * (1, 0.382)[n % 2]) for n in (*range(10), 0)]

Span = tuple[float, float]  # from and to, in dots right of the middle


@lru_cache(maxsize=16)  # a branch has few seals, and drawing one takes long enough to be felt beside a wire
def seal(name: str, below: str, width: int) -> tuple[bytes, ...]:
    """Packed rows of a square of `width` dots. Raises font.UnknownLetterError."""
    canvas = Canvas(width)
    radius = width / 2
    ring = max(3, width // 48)
    name_ring = _NameRing(name, radius - ring * 1.8, radius * 0.3)
    for y in range(width):
        dy = y + 0.5 - radius
        for begin, end in (*_ring(dy, radius, ring), *_star(dy, radius * 0.26)):
            first = ceil(radius + begin - 0.5)
            canvas.fill(first, y, max(0, ceil(radius + end - 0.5) - first), 1)
        for x in name_ring.black(dy, radius):
            canvas.put(x, y)
    canvas.extend(width)
    _line_below(canvas, below, radius)
    return canvas.rows()


def _ring(dy: float, radius: float, ring: float) -> tuple[Span, ...]:
    outer, inner = _half(radius, dy), _half(radius - ring, dy)
    return ((-outer, -inner), (inner, outer)) if inner else ((-outer, outer),)


def _half(radius: float, dy: float) -> float:
    """Half of a circle's width at that height."""
    return sqrt(max(0.0, radius * radius - dy * dy))


def _star(dy: float, size: float) -> Iterator[Span]:
    crossings = sorted(
        ((x2 - x1) * (dy - y1 * size) / (y2 - y1) + x1 * size)
        for (x1, y1), (x2, y2) in pairwise(_STAR)
        if (y1 * size > dy) != (y2 * size > dy)
    )
    return zip(crossings[::2], crossings[1::2], strict=True)


class _NameRing:
    """Letters whose feet stand towards the middle: which dots of a row they make black."""

    def __init__(self, name: str, outer: float, size: float) -> None:
        self._outer, self._size = outer, size
        # Each column of dots along the ring: its letter, and how far its dot lies from the letter's right edge.
        self._columns = [
            (font.glyph(letter), font.width_of(letter) - 1 - column)
            for letter in name
            for column in range(font.width_of(letter))
        ]
        total = len(self._columns)
        self._step = min(_SWEEP / max(total, 1), 1.25 * size / outer / font.WIDE)  # radians per column
        self._begin = -self._step * total / 2

    def black(self, dy: float, radius: float) -> Iterator[int]:
        """The black dots of the row `dy` below the middle, counted from the square's left edge."""
        outer, inner = _half(self._outer, dy), _half(self._outer - self._size, dy)
        for begin, end in ((-outer, -inner), (inner, outer)):
            for x in range(ceil(radius + begin - 0.5), ceil(radius + end - 0.5)):
                if self._is_black(x + 0.5 - radius, dy):
                    yield x

    def _is_black(self, dx: float, dy: float) -> bool:
        along = (atan2(dx, -dy) - self._begin) / self._step
        down = (self._outer - hypot(dx, dy)) / self._size * font.HEIGHT
        if not (0 <= along < len(self._columns) and 0 <= down < font.HEIGHT):
            return False
        rows, shift = self._columns[int(along)]
        return bool(rows[int(down)] >> shift & 1)


def _line_below(canvas: Canvas, text: str, radius: float) -> None:
    """Squeezed where it is wider than the ring is there."""
    line = Canvas(max(1, sum(font.width_of(character) for character in text)))
    line.text(0, 0, text)
    room = min(line.width, int(radius * 1.4))
    left, top = int(radius - room / 2), int(radius * 1.36)
    for y, row in enumerate(line.rows()):
        bits = int.from_bytes(row) >> (len(row) * 8 - line.width)
        for x in range(room):
            if bits >> (line.width - 1 - x * line.width // room) & 1:
                canvas.put(left + x, top + y)
