"""What no wire reaches: faults strike, cards are loaded, customers come, power goes, state is asked for and kept.

Knows plain JSON requests and the unit's parts; it sends nothing to the host itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulators.crt591.mechanics import Place
from simulators.crt591.options import serials
from simulators.customer import parse_customer
from simulators.faults import Fault, parse_fault
from simulators.machine import ControlError, verb_of

if TYPE_CHECKING:
    from simulators.crt591.unit import Unit

Request = Mapping[str, Any]


def strike(unit: Unit, fault: Fault, now: float) -> None:
    """Let a fault happen: at once, or armed for its next occasion."""
    at_once = _AT_ONCE.get(fault.name)
    waits = fault.name == "power_loss" and fault.args["at_fraction"] is not None
    waits = waits or (fault.name == "garbage" and fault.args["where"] != "now")
    if at_once is None or waits:
        unit.armed.add(fault, now)
    else:
        at_once(unit, fault, now)


def _cabinet(unit: Unit, fault: Fault, now: float) -> None:
    unit.tell("show", "cabinet_opened", {}, now)
    if fault.args["takes_card"]:
        unit.drive.lose_card(now)


def _empty(unit: Unit, fault: Fault, now: float) -> None:
    unit.metal.looks_empty = True


def _bin_full(unit: Unit, fault: Fault, now: float) -> None:
    unit.metal.looks_full = True


_AT_ONCE: dict[str, Callable[[Unit, Fault, float], object]] = {
    "empty": _empty,
    "bin_full": _bin_full,
    "power_loss": lambda unit, fault, now: unit.power_off(fault.args["off_s"], now),
    "garbage": lambda unit, fault, now: unit.wire.send(fault.args["hex"], now),
    "flood": lambda unit, fault, now: unit.wire.flood(fault.args["for_s"], fault.args["bytes_per_s"], now),
    "unplug": lambda unit, fault, now: unit.wire.unplug(fault.args["for_s"]),
    "card_moved_by_hand": lambda unit, fault, now: unit.drive.lose_card(now),
    "cabinet_opened": _cabinet,
}


def do(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    """One request; the answer's content, or `ControlError` with what to send instead."""
    verb = verb_of(request, _KEYS)
    return _VERBS[verb][0](unit, request, now)


def _fault(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    strike(unit, parse_fault(request.get("name"), request.get("args")), now)
    return {"armed": unit.armed.names()}


def _clear(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    unit.armed.clear()
    unit.metal.looks_empty = unit.metal.looks_full = False
    return {"armed": []}


def _customer(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    """`take` now; or a customer for one `serial`, for the `next` card presented, or from now on for all."""
    if request.get("take"):
        if not unit.drive.gate.take(now):
            raise ControlError("no card stands in the gate: present one first")
        return {}
    chosen = {key: value for key, value in request.items() if key not in {"do", "device", "take", "next", "serial"}}
    customer = parse_customer(chosen)
    if request.get("next"):
        unit.drive.gate.coming.append(customer)
    elif request.get("serial") is not None:
        unit.drive.gate.of_serial[str(request["serial"])] = customer
    else:
        unit.drive.gate.everyone = customer
    if not request.get("next") and unit.metal.place is Place.GATE:
        unit.drive.gate.decide(now)
    return {}


def _load(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    added = serials(request.get("cards"))
    known = {*unit.metal.stacker, *unit.metal.bin, unit.metal.serial}
    twice = [serial for serial in added if serial in known]
    if twice:
        raise ControlError(f"card {twice[0]!r} is in the machine already: serial numbers must be new")
    unit.metal.stacker.extend(added)
    unit.metal.looks_empty = False
    unit.tell("show", "cards_loaded", {"serials": list(added)}, now)
    return {"stacker": len(unit.metal.stacker)}


def _empty_bin(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    removed, unit.metal.bin = unit.metal.bin, []
    unit.metal.looks_full = False
    unit.tell("show", "bin_emptied", {"serials": removed}, now)
    return {"removed": removed}


def _power(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    wanted = request.get("on")
    if not isinstance(wanted, bool):
        raise ControlError(f"'on' must be true or false, not {wanted!r}")
    if wanted:
        unit.power_on(now)
    else:
        unit.power_off(None, now)
    return {"powered": unit.powered}


def _insert(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    """The customer pushes a card into the gate; the unit carries it to the RF position (manual 3.1.4)."""
    (serial,) = serials([request.get("serial")])
    if not (unit.powered and unit.entry and unit.metal.place is None and unit.drive.job is None):
        raise ControlError("the gate takes no card: it needs power, entry enabled (33 30), an empty transport and rest")
    unit.metal.serial, unit.metal.place = serial, Place.RF
    unit.tell("show", "card_inserted", {"serial": serial}, now)
    return {}


def _plug(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    unit.wire.plug()
    return {}


def _state(unit: Unit, request: Request, now: float) -> dict[str, Any]:
    job = unit.drive.job
    return {
        **snapshot(unit),
        "moving": None if job is None else job.command.name,
        "frames": unit.frames,
        "motions": unit.motions,
        "armed": unit.armed.names(),
        "now_s": now,
    }


_VERBS: dict[Any, tuple[Callable[[Unit, Request, float], dict[str, Any]], tuple[str, ...]]] = {
    "fault": (_fault, ("name", "args")),
    "clear": (_clear, ()),
    "customer": (_customer, ("take", "next", "serial", "policy", "after_s", "chance", "seed")),
    "load": (_load, ("cards",)),
    "empty_bin": (_empty_bin, ()),
    "insert": (_insert, ("serial",)),
    "power": (_power, ("on",)),
    "plug": (_plug, ()),
    "state": (_state, ()),
}
_KEYS = {verb: keys for verb, (_, keys) in _VERBS.items()}


def snapshot(unit: Unit) -> dict[str, Any]:
    """What the unit keeps while the simulator's process is away."""
    return {
        **unit.metal.snapshot(),
        "powered": unit.powered,
        "comes_back": unit.comes_back,
        "initialised": unit.drive.initialised,
        "entry": unit.entry,
        "latched": unit.drive.latched,
    }


def restore(unit: Unit, saved: Mapping[str, Any], now: float) -> None:
    """Go on from a snapshot. A unit whose power was to come back by itself has it back, and asks for a reset."""
    unit.metal.restore(saved)
    unit.powered, unit.drive.initialised = bool(saved["powered"]), bool(saved["initialised"])
    unit.entry, unit.drive.latched = bool(saved["entry"]), saved["latched"]
    if saved["comes_back"]:
        unit.power_on(now)
    if unit.metal.place is Place.GATE:
        unit.drive.gate.decide(now)
