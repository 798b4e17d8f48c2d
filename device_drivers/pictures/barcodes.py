"""Barcodes as modules: code 128 and EAN-13, with their check digits, as a string of black and white.

Knows the two symbologies (ISO/IEC 15417 and 15420); must not know how wide a module is printed, nor where.
"""

from __future__ import annotations

# Code 128: widths of three bars and three spaces for each of the values 0..105, then the stop (ISO/IEC 15417, table 1).
_TABLE = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222"
    "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321"
    "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121"
    "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224"
    "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111"
    "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113"
    "114311411113411311113141114131311141411131211412211214211232"
)
_WIDTHS = (*(_TABLE[place : place + 6] for place in range(0, len(_TABLE), 6)), "2331112")
# Code set B only: it holds all of ASCII, and what is measured here is then as wide on every printer.
_START_B, _STOP = 104, 106

# EAN-13: the digits with odd parity; even parity and the right half are made of them (ISO/IEC 15420).
_ODD = (
    *("0001101", "0011001", "0010011", "0111101", "0100011"),
    *("0110001", "0101111", "0111011", "0110111", "0001011"),
)
_PARITIES = ("OOOOOO", "OOEOEE", "OOEEOE", "OOEEEO", "OEOOEE", "OEEOOE", "OEEEOO", "OEOEOE", "OEOEEO", "OEEOEO")


class BadBars(ValueError):
    """A text that cannot stand in such bars; its code says why, and never what the text was."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def code128_modules(data: str) -> str:
    """Modules from the first bar to the last, '1' is black, no quiet zones; all in code set B. Raises BadBars."""
    if not data:
        raise BadBars("print_code_empty")
    if any(not " " <= character <= "~" for character in data):
        raise BadBars("print_bars")
    values = [_START_B, *(ord(character) - 32 for character in data)]
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    return "".join(_bars(_WIDTHS[value]) for value in (*values, check, _STOP))


def _bars(widths: str) -> str:
    return "".join(("1", "0")[place % 2] * int(width) for place, width in enumerate(widths))


def code128_width(data: str) -> int:
    """Modules of the bars. Raises BadBars."""
    return len(code128_modules(data))


def checked_ean13(data: str) -> str:
    """All 13 digits: the check digit is added to 12, and verified on 13. Raises BadBars."""
    if not (data.isascii() and data.isdecimal() and len(data) in {12, 13}):
        raise BadBars("print_ean")
    digit = str(-sum(int(one) * (1, 3)[place % 2] for place, one in enumerate(data[:12])) % 10)
    if data[12:] not in {"", digit}:
        raise BadBars("print_check_digit")
    return data[:12] + digit


def ean13_modules(data: str) -> str:
    """Modules from guard to guard, '1' is black, no quiet zones. Raises BadBars."""
    data = checked_ean13(data)
    left = "".join(
        _ODD[int(digit)] if parity == "O" else _inverted(_ODD[int(digit)])[::-1]
        for digit, parity in zip(data[1:7], _PARITIES[int(data[0])], strict=True)
    )
    right = "".join(_inverted(_ODD[int(digit)]) for digit in data[7:])
    return f"101{left}01010{right}101"


def _inverted(modules: str) -> str:
    return modules.translate({48: 49, 49: 48})


def ean13_width() -> int:
    """Modules of the bars."""
    return 95
