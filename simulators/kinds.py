"""The kinds of simulated machines by name: how each builds its line from plain options, and which faults it knows.

Knows where kinds are found, and loads each when it is first asked for; must not know what any of them does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from simulators.faults import FaultTable
from simulators.machine import ControlError, Machine
from simulators.plan import Plan

if TYPE_CHECKING:
    from simulators.runtime import Port, Runtime

# Each module offers KIND: a simulator pays only for the kind that it is.
KINDS = {
    "banknotes": "simulators.banknotes.kind",
    "bx6": "simulators.screens.bx6_kind",
    "cells": "simulators.cells.kind",
    "crt591": "simulators.crt591.kind",
    "escpos": "simulators.escpos.kind",
    "ipp": "simulators.ipp.kind",
    "led485": "simulators.screens.led485_kind",
    "modbus": "simulators.modbus.kind",
    "relay": "simulators.relay.kind",
    "replay": "simulators.replay.kind",
    "scanner": "simulators.scanner.kind",
    "strip_screen": "simulators.screens.strip_kind",
}


@dataclass(frozen=True)
class Line:
    """One machine that speaks on one line.

    `tcp` are settings of the TCP serial server in front of it. A machine behind neither tty nor serial server opens
    its own port: `open_port(listen, runtime)`.
    """

    machine: Machine
    tcp: Mapping[str, Any] = field(default_factory=dict)
    open_port: Callable[[str, Runtime], Awaitable[Port]] | None = None


@dataclass(frozen=True)
class MachineKind:
    """`build(devices, options, plan)` raises `ControlError`; `occasions` are the words of a plan's "2nd motion"."""

    build: Callable[[Mapping[str, int], Mapping[str, Any], Plan | None], Line]
    faults: FaultTable
    occasions: Sequence[str]


@cache
def kind_of(name: str) -> MachineKind:
    """The kind of that name, or `ControlError` naming the known ones."""
    if name not in KINDS:
        raise ControlError(f"kind {name!r} is not known; known are {', '.join(KINDS)}")
    kind = import_module(KINDS[name]).KIND
    assert isinstance(kind, MachineKind)
    return kind


def only_device(devices: Mapping[str, int]) -> str:
    """The name of the one machine on a line that has no addresses, or `ControlError`."""
    if len(devices) != 1:
        raise ControlError(f"this kind has one machine on its line, not {len(devices)}: give each a line of its own")
    return next(iter(devices))
