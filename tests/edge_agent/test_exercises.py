"""What an engineer has a machine do on purpose: two people release it, and nothing leaves the branch's books by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.orders.exercising import EXERCISES
from edge_agent.texts import LANGUAGES, load
from tests.edge_agent.bench import Bench
from tests.edge_agent.cabinet import CellBranch, with_cabinet
from tests.virtual_time import run


@pytest.mark.parametrize("kind", ["token", "cheque"])
@pytest.mark.parametrize(("policy", "shelf"), [("leave", "sealed"), ("take", "empty")])
def test_a_cell_is_opened_and_closed_and_the_books_follow_its_sensor(
    tmp_path: Path, kind: str, policy: str, shelf: str
) -> None:
    async def test(b: CellBranch) -> None:
        await b.submit("o1", scene=f"exercise_{kind}_cell", parameters={"article": "u_shield"})
        await b.while_s(5)
        assert b.it.opening_frames == [], "two people release it first"
        assert (await b.resolve("o1", "open", "release", k=0))["status"] == "accepted"
        await b.until("completed")
        assert len(b.it.opening_frames) == 1
        await b.when(lambda: b.shelf()["01"] == shelf, lambda: repr(b.shelf()))
        b.verdict()

    with_cabinet(tmp_path, test, role=f"{kind}-cabinet", options={"customer": {"policy": policy, "after_s": 1.0}})


def test_a_card_is_held_out_and_taken_back(tmp_path: Path) -> None:
    async def test() -> None:
        async with Bench(tmp_path) as b:
            await b.submit("o1", scene="exercise_present")
            await b.while_s(5)
            assert (b.order().reason, b.states()["present"]) == ("release_needed", "pending")
            assert (await b.resolve("o1", "draw", "release", k=0))["status"] == "accepted"
            await b.until("failed")
            assert b.order().reason == "retained", "as after exercise_card: no customer has it"
            assert dict(b.verdict().acts) == {"card_drawn": 1, "card_presented": 1, "card_captured": 1}

    run(test())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_help_of_the_command_names_every_act(lang: str) -> None:
    told = load(lang)["help.a_act"]
    assert [act for _, act in EXERCISES if act not in told] == []
