"""Barcodes as the printer's own firmware makes them of `1D 6B`'s bytes: which symbology, its text, its modules.

Knows the escapes of the command and the modules of each symbology that it draws; pure functions.
"""

from __future__ import annotations

from device_drivers.pictures.barcodes import code128_modules, ean13_modules

UPC_A, EAN_13, EAN_8, CODE_39, ITF, CODE_128 = 65, 67, 68, 69, 70, 73

# Nine elements of each character, bars and spaces in turn (ISO/IEC 16388), in the order of _LETTERS_39.
_LETTERS_39 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. *$/+%"
_PATTERNS_39 = (
    "nnnwwnwnn wnnwnnnnw nnwwnnnnw wnwwnnnnn nnnwwnnnw wnnwwnnnn nnwwwnnnn nnnwnnwnw wnnwnnwnn nnwwnnwnn "
    "wnnnnwnnw nnwnnwnnw wnwnnwnnn nnnnwwnnw wnnnwwnnn nnwnwwnnn nnnnnwwnw wnnnnwwnn nnwnnwwnn nnnnwwwnn "
    "wnnnnnnww nnwnnnnww wnwnnnnwn nnnnwnnww wnnnwnnwn nnwnwnnwn nnnnnnwww wnnnnnwwn nnwnnnwwn nnnnwnwwn "
    "wwnnnnnnw nwwnnnnnw wwwnnnnnn nwnnwnnnw wwnnwnnnn nwwnwnnnn nwnnnnwnw wwnnnnwnn nwwnnnwnn nwnnwnwnn "
    "nwnwnwnnn nwnwnnnwn nwnnnwnwn nnnwnwnwn"
)
_CODE_39 = dict(zip(_LETTERS_39, _PATTERNS_39.split(" "), strict=True))
# Five elements of each digit (ISO/IEC 16390).
_DIGITS_ITF = "nnwwn wnnnw nwnnw wwnnn nnwnw wnwnn nwwnn nnnww wnnwn nwnwn"
_ITF = tuple(_DIGITS_ITF.split(" "))


class BadCodeError(ValueError):
    """A code that the printer does not draw."""


def decoded(m: int, body: bytes) -> tuple[str, str, str]:
    """Name, text and modules ('1' is black). Raises BadCodeError."""
    try:
        text = body.decode("ascii")
        if m == UPC_A:
            whole = ean13_modules("0" + text)
            return "UPC-A", text, whole
        if m == EAN_13:
            return "EAN-13", text, ean13_modules(text)
        if m == CODE_39:
            return "CODE39", text.strip("*"), _code39(text.strip("*"))
        if m == ITF:
            return "ITF", text, _itf(text)
        if m == CODE_128:
            plain = _code128_text(text)
            return "CODE128", plain, code128_modules(plain)
    except (ValueError, KeyError, IndexError) as error:
        raise BadCodeError(str(error)) from error
    raise BadCodeError(f"symbology {m} is not drawn")


def _code128_text(text: str) -> str:
    """Takes the code set's escapes away: `{A`, `{B`, `{C` (a byte is two digits) and `{{`."""
    if not text.startswith(("{A", "{B", "{C")):
        raise ValueError("CODE128 begins with its code set")
    plain, code_set, at = "", "", 0
    while at < len(text):
        if text[at] == "{":
            mark = text[at + 1]
            code_set = mark if mark in "ABC" else code_set
            plain += "{" if mark == "{" else ""
            at += 2
            continue
        plain += f"{ord(text[at]):02d}" if code_set == "C" else text[at]
        at += 1
    return plain


def _code39(text: str) -> str:
    return "0".join(_striped(_CODE_39[char]) for char in f"*{text}*")


def _itf(text: str) -> str:
    if not text or len(text) % 2 or not text.isdecimal():
        raise ValueError("ITF is pairs of digits")
    pairs = zip(text[::2], text[1::2], strict=True)
    inner = "".join(
        _striped("".join(a + b for a, b in zip(_ITF[int(one)], _ITF[int(two)], strict=True))) for one, two in pairs
    )
    return f"1010{inner}11101"


def _striped(widths: str) -> str:
    return "".join("10"[place % 2] * (3 if width == "w" else 1) for place, width in enumerate(widths))
