"""A unit that is nothing but memory: coils, inputs and words that can be read and written. For peers and loads.

Knows numbers only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simulators.machine import ControlError
from simulators.modbus.unit import Refusal, Unit

TABLES = ("coils", "inputs", "holding", "input")


class Registers(Unit):
    """`size` of each table. Writing tells nothing: memory is no metal.

    Any of them is set by control: `{"do": "set", "table": "input", "at": 3, "values": [7]}`.
    """

    OPTIONS: ClassVar[Mapping[str, Any]] = {"size": 64}
    VERBS: ClassVar[Mapping[str, set[str]]] = {"set": {"table", "at", "values"}}

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._tables: dict[str, list[int]] = {name: [0] * self.options["size"] for name in TABLES}

    def read_bits(self, table: str, address: int, count: int, now: float) -> Sequence[bool]:
        return [bool(value) for value in self._read(table, address, count)]

    def read_words(self, table: str, address: int, count: int, now: float) -> Sequence[int]:
        return self._read(table, address, count)

    def write_bits(self, address: int, values: Sequence[bool], now: float) -> None:
        self._write("coils", address, list(map(int, values)))

    def write_words(self, address: int, values: Sequence[int], now: float) -> None:
        self._write("holding", address, values)

    def do(self, verb: str, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        table, at, values = (request.get(key) for key in ("table", "at", "values"))
        if table not in TABLES or not isinstance(at, int) or not isinstance(values, list):
            raise ControlError(f"'set' needs a 'table' of {', '.join(TABLES)}, 'at' and 'values', not {request!r}")
        if not all(isinstance(value, int) and 0 <= value <= 0xFFFF for value in values):
            raise ControlError(f"'values' are numbers from 0 to 65535, not {values!r}")
        try:
            self._write(str(table), at, values)
        except Refusal as refusal:
            raise ControlError(f"{self.device} has {self.options['size']} of each table") from refusal
        return {}

    def snapshot(self) -> dict[str, Any]:
        return {name: list(values) for name, values in self._tables.items()}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        self._tables = {name: [int(value) for value in saved[name]] for name in TABLES}

    def _read(self, table: str, address: int, count: int) -> list[int]:
        if address + count > self.options["size"]:
            raise Refusal
        return self._tables[table][address : address + count]

    def _write(self, table: str, address: int, values: Sequence[int]) -> None:
        if not 0 <= address <= self.options["size"] - len(values):
            raise Refusal
        self._tables[table][address : address + len(values)] = values


UNIT = Registers
