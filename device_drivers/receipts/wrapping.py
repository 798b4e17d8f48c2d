"""Text into lines that fit: words stay whole where they can, and no line begins or ends with the wrong mark.

Knows columns and a simple form of the rules for Chinese line breaks; must not know sizes, sheets nor printers.
"""

from __future__ import annotations

from collections.abc import Iterator

from device_drivers.receipts.letters import width_of

NOT_FIRST = frozenset("，。、；：？！）》」』】〕〉”’％…·～,.;:?!)]}%")
NOT_LAST = frozenset("（《「『【〔〈“‘￥＄([{$")

_BACK = 24  # characters that a line may stay short for the sake of a whole word


def wrapped(text: str, columns: int) -> list[str]:
    """The lines of a text, none wider than `columns` (at least 2); an empty text is one empty line."""
    return [line for paragraph in text.split("\n") for line in _lines(paragraph.rstrip(), columns)]


def _lines(text: str, columns: int) -> Iterator[str]:
    if width_of(text) <= columns:  # nearly every line of a receipt
        yield text
        return
    start = 0
    while (most := _most(text, start, columns)) < len(text):
        end = _end_of_line(text, start, most)
        yield text[start:end].rstrip()
        start = end
        while start < len(text) and text[start] == " ":
            start += 1
    yield text[start:]


def _most(text: str, start: int, columns: int) -> int:
    """The end of what fits, at least one character."""
    width = 0
    for place in range(start, len(text)):
        width += width_of(text[place])
        if width > columns:
            return max(place, start + 1)
    return len(text)


def _end_of_line(text: str, start: int, most: int) -> int:
    """The last place before `most` where a line may end; in the middle of a word that has none."""
    for end in range(most, max(most - _BACK, start), -1):
        if _may_break(text, end) and text[start:end].strip():
            return end
    return most


def _may_break(text: str, end: int) -> bool:
    before, after = text[end - 1], text[end]
    if after in NOT_FIRST or before in NOT_LAST:
        return False
    return after == " " or before == " " or not (before.isascii() and after.isascii())
