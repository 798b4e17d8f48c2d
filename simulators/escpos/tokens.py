"""The queued lane's bytes as commands: text, parameters, raster rows; takes any slice of bytes and is bounded.

Knows how long each command is (Epson's ESC/POS reference and the makers' manuals); must not know what it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.escpos.lengths import ENDLESS, UNKNOWN, needed

GS_V_ZERO = b"\x1dv0"
MAX_KEPT = 65552  # bytes of one command; what is longer is passed over and told
KEPT_ROW = 104  # bytes of one raster row: 832 dots, the widest head; the rest falls beside the paper
BAND_ROWS = 24  # an image is printed while it comes, in bands as high as a line
DLE = 0x10
_LEADS = frozenset((DLE, 0x1B, 0x1C, 0x1D))
_SHORT = {0x09: "09", 0x0A: "0A", 0x0C: "0C"}


@dataclass(frozen=True, slots=True)
class Token:
    """`name` is text, raster, unknown, too_long, vendor, or a command's own bytes in hex; `data` its parameters."""

    name: str
    data: bytes = b""

    @property
    def size(self) -> int:
        """What it takes of the receive buffer."""
        return len(self.data) + (0 if self.name in {"text", "raster"} else 2)


_TEXT = tuple(Token("text", bytes((byte,))) for byte in range(0x100))


@dataclass
class _Raster:
    """A `GS v 0` whose rows still come."""

    mode: int
    row_bytes: int
    rows_left: int
    column: int = 0
    band: bytes = b""
    band_rows: int = 0

    def take(self, byte: int) -> Token | None:
        if self.column < KEPT_ROW:
            self.band += bytes((byte,))
        self.column += 1
        if self.column < self.row_bytes:
            return None
        self.column, self.rows_left, self.band_rows = 0, self.rows_left - 1, self.band_rows + 1
        if self.rows_left and self.band_rows < BAND_ROWS:
            return None
        token = Token("raster", bytes((self.mode, min(self.row_bytes, KEPT_ROW))) + self.band)
        self.band, self.band_rows = b"", 0
        return token


class Tokenizer:
    """`vendor` are a maker's own commands: their bytes and the name that the token gets as its data."""

    def __init__(self, vendor: Mapping[bytes, str]) -> None:
        self._vendor = dict(vendor)
        self._longest = max(map(len, self._vendor), default=0)
        self._partial = bytearray()
        self._wanted = 0  # bytes that the command has at least
        self._skip = 0
        self._raster: _Raster | None = None

    @property
    def waits(self) -> bool:
        """Whether it is in the middle of a command: whatever comes next is eaten as its parameters or dots."""
        return bool(self._partial or self._skip or self._raster)

    @property
    def held(self) -> int:
        """Bytes of a command that is not whole yet."""
        return len(self._partial) + (len(self._raster.band) if self._raster else 0)

    def clear(self) -> None:
        """Forget a half command."""
        self._begin()
        self._skip, self._raster = 0, None

    def _begin(self) -> None:
        self._partial, self._wanted = bytearray(), 0

    def feed(self, byte: int) -> list[Token]:
        """One byte, and the commands that it completes."""
        if self._raster is not None:
            token = self._raster.take(byte)
            if self._raster.rows_left == 0:
                self._raster = None
            return [] if token is None else [token]
        if self._skip:
            self._skip -= 1
            return []
        if not self._partial and byte not in _LEADS:
            return self._plain(byte)
        self._partial.append(byte)
        return [] if self._longest < len(self._partial) < self._wanted else self._command()

    @staticmethod
    def _plain(byte: int) -> list[Token]:
        if byte >= 0x20:
            return [_TEXT[byte]]
        return [Token(_SHORT[byte])] if byte in _SHORT else []

    def _command(self) -> list[Token]:
        command = bytes(self._partial)
        if command in self._vendor:
            self._begin()
            return [Token("vendor", self._vendor[command].encode())]
        if any(one.startswith(command) for one in self._vendor):
            return []
        length = needed(command)
        if length == UNKNOWN:
            return self._unknown(command)
        if length > MAX_KEPT and length != ENDLESS:
            self._begin()
            self._skip = length - len(command)
            return [Token("too_long", command[:2])]
        if length > len(command):
            self._wanted = 0 if length == ENDLESS else length
            return []
        self._begin()
        return self._whole(command)

    def _unknown(self, command: bytes) -> list[Token]:
        """A real printer drops what it does not know and prints what follows as text."""
        self._begin()
        if command[0] == DLE:
            return [token for byte in command[1:] for token in self.feed(byte)]
        rest = [token for byte in command[2:] for token in self.feed(byte)]
        return [Token("unknown", command[:2]), *rest]

    def _whole(self, command: bytes) -> list[Token]:
        if command[0] == DLE:
            return []  # the real-time lane has done it on reception
        if command[:3] == GS_V_ZERO:
            row_bytes, rows = int.from_bytes(command[4:6], "little"), int.from_bytes(command[6:8], "little")
            if row_bytes and rows:
                self._raster = _Raster(command[3] & 3, row_bytes, rows)
            return []
        return [Token(command[:2].hex().upper(), command[2:])]

    def snapshot(self) -> dict[str, Any]:
        raster = self._raster
        return {
            "partial": self._partial.hex(),
            "skip": self._skip,
            "raster": None
            if raster is None
            else [raster.mode, raster.row_bytes, raster.rows_left, raster.column, raster.band.hex(), raster.band_rows],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        self._begin()
        self._partial, self._skip = bytearray.fromhex(saved["partial"]), int(saved["skip"])
        self._raster = None
        if saved["raster"] is not None:
            mode, row_bytes, rows_left, column, band, band_rows = saved["raster"]
            self._raster = _Raster(mode, row_bytes, rows_left, column, bytes.fromhex(band), band_rows)


def pack(tokens: list[Token]) -> list[list[str]]:
    """Tokens as plain JSON values, neighbouring text in one piece."""
    packed: list[list[str]] = []
    for token in tokens:
        if token.name == "text" and packed and packed[-1][0] == "text":
            packed[-1][1] += token.data.hex()
        else:
            packed.append([token.name, token.data.hex()])
    return packed


def unpack(packed: list[list[str]]) -> list[Token]:
    """What `pack` made, as tokens again."""
    tokens: list[Token] = []
    for name, text in packed:
        data = bytes.fromhex(text)
        tokens += [Token(name, bytes((byte,))) for byte in data] if name == "text" else [Token(name, data)]
    return tokens
