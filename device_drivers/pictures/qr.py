"""QR codes as modules: what a scanner reads, before any printer's dots.

Knows texts and modules; must not know how large a module is printed, nor where.
"""

from __future__ import annotations

from functools import lru_cache


class BadQr(ValueError):
    """A text that no QR code can hold; its code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@lru_cache(maxsize=16)
def qr_modules(data: str, level: str) -> tuple[bytes, ...]:
    """One `bytes` a row, 1 is black; the text is in UTF-8, without the quiet zone around it. Raises BadQr."""
    if not data:
        raise BadQr("print_code_empty")
    import segno  # with it come XML, gzip and more: half a megabyte and a tenth of a start, for who prints such codes

    try:
        code = segno.make_qr(data.encode("utf-8"), error=level, boost_error=False)
    except segno.DataOverflowError as error:
        raise BadQr("print_qr") from error
    return tuple(bytes(row) for row in code.matrix)


def qr_width(data: str, level: str) -> int:
    """Modules from edge to edge. Raises BadQr."""
    return len(qr_modules(data, level))
