"""One silence opens, one answer closes, and the peace between grows to its bound."""

from __future__ import annotations

from device_drivers.links.breaker import Breaker, UnitBreaker
from device_drivers.links.bus import Bus
from device_drivers.links.line import SharedLine
from device_drivers.links.memory import joined_ends


def test_the_peace_grows_twice_each_time_and_one_answer_ends_it() -> None:
    breaker, now = UnitBreaker(0.5, 4.0), 100.0
    pauses: list[float] = []
    for _ in range(6):
        assert breaker.begin(now) is (Breaker.HALF_OPEN if pauses else Breaker.CLOSED)
        breaker.silent(now)
        pauses.append(breaker.due_s(now))
        assert breaker.begin(now + pauses[-1] - 0.01) is Breaker.OPEN
        now += pauses[-1]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert (breaker.opened, breaker.probes, breaker.turned_away) == (6, 5, 6)
    breaker.answered()
    assert breaker.begin(now) is Breaker.CLOSED
    breaker.silent(now)
    assert breaker.due_s(now) == 0.5


def test_all_drivers_of_a_line_meet_on_one_bus_and_each_unit_has_one_breaker() -> None:
    line, other = SharedLine(joined_ends()[0]), SharedLine(joined_ends()[0])
    assert Bus.of(line) is Bus.of(line)
    assert Bus.of(line) is not Bus.of(other)
    assert Bus.of(line).breaker(1) is Bus.of(line).breaker(1, first_s=9)
    assert Bus.of(line).breaker(1) is not Bus.of(line).breaker(2)


def test_silence_owed_only_grows_and_passes_by_itself() -> None:
    bus = Bus()
    bus.owe_quiet(10.0)
    bus.owe_quiet(9.0)
    assert (bus.quiet_owed_s(9.5), bus.quiet_owed_s(11.0)) == (0.5, 0.0)


def test_numbers_of_transactions_begin_anew_after_the_last() -> None:
    bus = Bus()
    numbers = [bus.next_transaction() for _ in range(0x10000)]
    assert (numbers[0], numbers[-2], numbers[-1]) == (1, 0xFFFF, 1)


def test_what_was_read_before_a_new_opening_belongs_to_nothing() -> None:
    bus = Bus()
    bus.opened(1)
    bus.unread += b"half"
    bus.opened(1)
    assert bus.unread == b"half"
    bus.opened(2)
    assert bus.unread == b""
