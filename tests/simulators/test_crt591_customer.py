"""The person in front of the gate: takes, leaves, grabs at the last moment, and is told so from outside at any time."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.customer import parse_customer
from simulators.machine import ControlError
from tests.simulators.bench import ACK, CAPTURE, COUNTER, DRAW, PRESENT, RESET_KEEP, STATUS, Bench, reply

NO_CARD = f"{ACK} {reply('50 31 30 30 32 30')}"
CARD_IN_GATE = f"{ACK} {reply('50 31 30 31 32 30')}"


def presented(**customer: Any) -> Bench:
    bench = Bench(customer=customer).ready()
    bench.ask(DRAW)
    bench.ask(PRESENT, 0.51)
    return bench


def test_who_takes_it_after_a_time_leaves_an_empty_transport() -> None:
    bench = presented(policy="take", after_s=3.0)
    assert bench.ask(STATUS, 0.1) == CARD_IN_GATE
    bench.run(3.0)
    assert bench.ask(STATUS) == NO_CARD
    assert bench.shows == ["card_taken"]


def test_who_leaves_it_leaves_it() -> None:
    bench = presented(policy="leave")
    bench.run(10_000)
    assert bench.ask(STATUS) == CARD_IN_GATE


def test_at_the_last_moment_the_card_is_taken_and_the_counter_stays() -> None:
    bench = presented(policy="last_moment")
    assert bench.ask(CAPTURE) == f"{ACK} {reply('4E 32 33 34 30')}"
    assert bench.shows == ["card_taken"]
    assert ("card_captured", "card-1-0001") not in bench.acts
    assert bench.ask(COUNTER).endswith(reply("50 A5 30 30 32 30 30 30 30"))


def test_a_card_already_pulled_in_is_out_of_reach() -> None:
    bench = presented(policy="leave")
    bench.send(CAPTURE)
    bench.run(0.3)
    with pytest.raises(ControlError, match="no card"):
        bench.control(do="customer", take=True)
    bench.run(1.0)
    assert bench.acts[-1] == ("card_captured", "card-1-0001")


def test_random_customers_are_the_same_for_the_same_seed_and_differ_by_card() -> None:
    customer = parse_customer({"policy": "random", "seed": 7, "chance": 0.5, "after_s": 9})
    minds = [customer.takes_after_s(f"C{number}") for number in range(40)]
    assert minds == [customer.takes_after_s(f"C{number}") for number in range(40)]
    assert None in minds
    assert all(mind is None or 0 <= mind <= 9 for mind in minds)
    assert len({mind for mind in minds if mind is not None}) > 5


def test_the_customer_of_one_card_and_of_the_next_one_can_be_chosen() -> None:
    bench = Bench().ready()
    bench.control(do="customer", serial="card-1-0002", policy="take", after_s=0.1)
    bench.control(do="customer", next=True, policy="last_moment")
    bench.ask(PRESENT)
    assert bench.shows == []
    bench.ask(CAPTURE)
    assert bench.shows == ["card_taken"]
    bench.ask(PRESENT)
    assert bench.shows == ["card_taken", "card_taken"]


def test_minds_change_while_the_card_stands_there() -> None:
    bench = presented(policy="take", after_s=5.0)
    bench.control(do="customer", policy="leave")
    bench.run(20)
    assert bench.shows == []
    bench.control(do="customer", policy="take", after_s=0.5)
    bench.run(1)
    assert bench.shows == ["card_taken"]


def test_a_timer_of_an_old_card_never_takes_the_next_one() -> None:
    bench = presented(policy="take", after_s=5.0)
    bench.control(do="customer", take=True)
    bench.control(do="customer", policy="leave")
    bench.ask(PRESENT, 1.1)
    bench.run(20)
    assert bench.shows == ["card_taken"]


def test_a_card_can_be_taken_while_the_machine_has_no_power() -> None:
    bench = presented(policy="take", after_s=3.0)
    bench.control(do="power", on=False)
    bench.run(5)
    bench.control(do="power", on=True)
    bench.ask(RESET_KEEP)
    assert bench.ask(STATUS) == NO_CARD
    assert bench.shows == ["power_lost", "card_taken", "power_restored", "reset"]


@pytest.mark.parametrize(
    "wrong", [{"policy": "steal"}, {"after_s": -1}, {"after_s": "soon"}, {"chance": 2}, {"colour": 1}, "take", None]
)
def test_a_wrong_customer_is_refused_with_a_sentence(wrong: Any) -> None:
    with pytest.raises(ControlError, match="customer"):
        parse_customer(wrong)
