"""What must be true before each act of the card dispenser: readings in, an error or a needless act out.

Knows only plain readings; must not ask anything. What an act left behind is judged in evidence.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.crt591.evidence import (
    AWAIT_TAKEN,
    BIN_MAX,
    CAPTURE,
    DRAW,
    PRESENT,
    Readings,
    judge,
    other_machine,
)
from device_drivers.device import Json, NothingToDo, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused

SERIAL_NUMBER = "serial_number"  # among the readings of an arming, where the unit told it


def check(act: str, now: Readings, baseline_bin: int | None, was_at: int = 1) -> None:
    """Raises DeviceRefused or NothingToDo unless the act may be armed. `baseline_bin`, `was_at`: see below."""
    if act == AWAIT_TAKEN:
        return
    if now.bin >= BIN_MAX:
        detail = f"the bin counter stands at {now.bin}; empty the error bin and set the counter to 000"
        raise DeviceRefused("bin_counter_overflow", detail)
    if act == CAPTURE and now.st0 == 0:
        raise NothingToDo(_left_before_capture(now, baseline_bin, was_at))
    if now.st2 == 1:
        raise DeviceRefused("error_bin_full", "empty the error bin", item=_item(now))
    if act == DRAW:
        _check_draw(now)
    elif act == PRESENT:
        _check_present(now)


def check_machine(act: str, params: Mapping[str, Json], named: Mapping[str, Json]) -> None:
    """Raises NothingToDo when the card of the step before is in another machine than the one that answers now."""
    earlier = params.get("earlier")
    was, now = serial_number(earlier if isinstance(earlier, Mapping) else {}), serial_number(named)
    if act != DRAW and was and now and was != now:
        raise NothingToDo(other_machine(was, now))


def serial_number(readings: Mapping[str, Json]) -> str:
    """The unit's serial number among the readings of an arming; empty when it was not known."""
    value = readings.get(SERIAL_NUMBER)
    return value if isinstance(value, str) else ""


def baseline(act: str, params: Mapping[str, Json]) -> int | None:
    """`params["bin"]`: the bin counter at the arming of presenting, if the caller knows it. Raises DeviceRefused."""
    value = params.get("bin") if act in (CAPTURE, AWAIT_TAKEN) else None
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= BIN_MAX):
        raise DeviceRefused("invalid_params", f"bin is a number from 0 to {BIN_MAX}, not {value!r}")
    return value


def was_at(params: Mapping[str, Json]) -> int:
    """`params["earlier"]["st0"]`: where the card was when the step before was armed, if known; else 1, the gate."""
    earlier = params.get("earlier")
    st0 = earlier.get("st0") if isinstance(earlier, Mapping) else None
    return st0 if st0 in (0, 1, 2) else 1


def _check_draw(now: Readings) -> None:
    if now.st0 == 1:
        raise DeviceRefused("card_in_gate", "a card is in the gate", item=Whereabouts.MOUTH)
    if now.st0 == 2:
        raise DeviceRefused("card_in_transport", "a card is in the transport", item=Whereabouts.TRANSPORT)
    if now.st1 == 0:
        raise DeviceRefused("stacker_empty", "the stacker is empty", item=Whereabouts.STOCK, waits_for="stock")


def _check_present(now: Readings) -> None:
    # With an empty transport the same frame would draw a card and throw it out.
    if now.st0 == 0:
        raise DeviceRefused("no_card", "there is no card in the transport")
    if now.st0 == 1:
        raise NothingToDo(judge(PRESENT, now, now, ()))


def _left_before_capture(now: Readings, baseline_bin: int | None, was_at: int) -> Verdict:
    if baseline_bin is None:
        facts = {"taken": "unknown", "readings": now.facts()}
        return Verdict(Outcome.DONE, "left_unknown", Whereabouts.UNKNOWN, facts)
    # A card that was never seen in the gate was not taken by a customer: hands were there, or nothing was drawn.
    before = Readings(st0=was_at, st1=now.st1, st2=now.st2, bin=baseline_bin)
    return judge(CAPTURE, before, now, ())


def _item(now: Readings) -> Whereabouts:
    return {0: Whereabouts.STOCK, 1: Whereabouts.MOUTH, 2: Whereabouts.TRANSPORT}[now.st0]
