"""A receipt printer on the bench: bytes in, replies, paper and effects out, on a clock of its own.

Knows how to drive a sans-io machine by hand; no loop, no file, no waiting.
"""

from __future__ import annotations

import io
from typing import Any

import zxingcpp
from PIL import Image

from simulators.escpos import EscPosPrinter, parse_options
from simulators.machine import Action, Effect, Paper, Ready, Send
from simulators.plan import Plan

INIT, CHINESE, CUT = "1B 40", "1C 26", "1D 56 42 00"
ASB_ALL = "1D 61 FF"
LONG_S = 60.0


def process_id(number: str) -> str:
    return "1D 28 48 06 00 30 30 " + number.encode("ascii").hex(" ")


def proof(number: str) -> bytes:
    return b"\x37\x22" + number.encode("ascii") + b"\x00"


def text(words: str) -> str:
    """A line in Chinese mode, as hexadecimal."""
    return words.encode("gbk").hex() + "0A"


def band(rows: int, stride: int = 72, byte: str = "AA") -> str:
    """One raster image."""
    head = f"1D 76 30 00 {stride.to_bytes(2, 'little').hex()} {rows.to_bytes(2, 'little').hex()}"
    return head + byte * (stride * rows)


def receipt(attempt: str, number: str, *lines: str) -> str:
    """A whole receipt as a driver prints it: clean start, lines, its number, cut, proof."""
    body = "".join(text(line) for line in lines)
    return f"{INIT} {CHINESE} {body} {text('No. ' + attempt)} {CUT} {process_id(number)}"


class ReceiptBench:
    """`actions` collects what left and what happened, each with its time."""

    def __init__(self, plan: Plan | None = None, **options: Any) -> None:
        self.options = parse_options({"cutter_dots": 0, **options})
        self.printer = EscPosPrinter("receipt-1", self.options, plan)
        self.now = 100.0
        self.actions: list[tuple[float, Action]] = []

    def feed(self, data: bytes) -> None:
        self.printer.receive(data, self.now)
        self._take(self.printer.advance(self.now))

    def send(self, hexadecimal: str) -> None:
        self.feed(bytes.fromhex(hexadecimal))

    def run(self, for_s: float = LONG_S) -> None:
        """Let time pass, waking the machine exactly when it asks for it."""
        end_s = self.now + for_s
        while (due_s := self.printer.next_time()) is not None and due_s <= end_s:
            self.now = max(self.now, due_s)
            self._take(self.printer.advance(self.now))
        self.now = end_s

    def ask(self, hexadecimal: str, for_s: float = LONG_S) -> str:
        """What the printer says within `for_s` after these bytes."""
        before = len(self.sent)
        self.send(hexadecimal)
        self.run(for_s)
        return self.sent[before:].hex(" ").upper()

    def heard(self, for_s: float = LONG_S) -> str:
        """What it says of itself within `for_s`."""
        return self.ask("", for_s)

    def control(self, do: str, **keys: Any) -> dict[str, Any]:
        answer = self.printer.control({"do": do, **keys}, self.now)
        self._take(self.printer.advance(self.now))
        return answer

    def fault(self, name: str, **args: Any) -> None:
        self.control("fault", name=name, args=args)

    def reborn(self, **options: Any) -> ReceiptBench:
        """The same printer in a new process of the simulator, as its state file has it."""
        other = ReceiptBench(**options)
        other.now = self.now
        other.printer.restore(self.printer.snapshot(), self.now)
        other._take(other.printer.advance(other.now))
        return other

    def _take(self, actions: list[Action]) -> None:
        self.actions += [(self.now, action) for action in actions]

    @property
    def sent(self) -> bytes:
        return b"".join(action.data for _, action in self.actions if isinstance(action, Send))

    @property
    def effects(self) -> list[Effect]:
        return [action for _, action in self.actions if isinstance(action, Effect)]

    @property
    def shows(self) -> list[str]:
        return [effect.act for effect in self.effects if effect.kind == "show"]

    @property
    def sheets(self) -> list[dict[str, Any]]:
        """The details of the sheets that came out."""
        return [effect.detail for effect in self.effects if effect.act == "sheet_out"]

    @property
    def lines(self) -> list[str]:
        """Of the last sheet."""
        lines: list[str] = self.sheets[-1]["lines"]
        return lines

    @property
    def papers(self) -> list[Paper]:
        return [action for _, action in self.actions if isinstance(action, Paper)]

    @property
    def ready(self) -> list[bool]:
        return [action.on for _, action in self.actions if isinstance(action, Ready)]

    def picture(self, nth: int = -1) -> Image.Image:
        """A sheet's PNG with white paper around it, as a scanner sees it."""
        strip = Image.open(io.BytesIO(self.papers[nth].png)).convert("L")
        page = Image.new("L", (strip.width + 80, strip.height + 80), 255)
        page.paste(strip, (40, 40))
        return page

    def codes(self, nth: int = -1) -> list[tuple[str, str]]:
        """What an independent reader finds on a sheet: format and text."""
        found = zxingcpp.read_barcodes(self.picture(nth))
        return sorted((one.format.name, one.text) for one in found)

    def black(self, nth: int = -1) -> int:
        """Black dots of a sheet."""
        return self.picture(nth).histogram()[0]
