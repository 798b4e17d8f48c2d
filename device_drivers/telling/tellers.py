"""What a teller is: bytes of a line in, in any slices and both directions, sentences of the catalogue out.

Knows which kind speaks which protocol; must not know any. Words are codes of the family `frame` with their places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal, Protocol

from device_drivers.catalog import UnknownKindError, kind_of

Direction = Literal["write", "read"]  # to the device, from it
_OURS = {  # loaded when a recording is looked at: an agent never is
    "banknote_counter": "banknotes",
    "bx6": "bx6",
    "cells": "boards",
    "crt591": "crt591",
    "escpos": "escpos",
    "ipp": "http",
    "led485": "digits",
    "people_counter": "modbus",
    "sealed_printer": "http",
    "site_inputs": "modbus",
    "strip_screen": "strip",
}
_PLAIN = frozenset({"bx6", "cells", "crt591", "led485", "people_counter", "site_inputs", "strip_screen"})


@dataclass(frozen=True, slots=True)
class Word:
    """A place of a sentence that is itself a word of the catalogue."""

    family: str
    code: str


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that passed: `code` of the family `frame`, and the places of its sentence."""

    code: str
    places: Mapping[str, object] = field(default_factory=dict)


class Teller(Protocol):
    """One line's. Holds at most a frame each way; what is none is skipped: it is shown as bytes anyway."""

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        """What became whole by these bytes."""
        ...


class Silent:
    """Tells nothing: of a kind whose protocol nobody wrote down here the bytes alone are shown."""

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        return []


def teller(kind: str) -> Teller:
    """That of a kind, also a third party's."""
    if kind in _OURS:
        made: Callable[[], Teller] = import_module(f"device_drivers.telling.{_OURS[kind]}").Telling
        return made()
    try:
        theirs = kind_of(kind).telling
    except UnknownKindError:
        theirs = None
    return theirs() if theirs is not None else Silent()


def is_plain(kind: str, direction: Direction, said: Sequence[Said]) -> bool:
    """Whether a piece's bytes hold nothing of a customer that does not hang in the hall anyway.

    What is printed, scanned or counted may; so may all of a kind that is not known here. The words never do.
    """
    if kind == "escpos":
        return direction == "read" or (bool(said) and all(one.code != "escpos_data" for one in said))
    return kind in _PLAIN
