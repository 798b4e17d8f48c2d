"""One role, many windows: the device of a step is chosen by the place that the order names, and no other will do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import ActKind, ActSpec
from edge_agent.orders.desk import Place
from edge_agent.orders.reading import steps_of
from edge_agent.orders.scenes import BadScene, load_scenes, parse_scene
from tests.edge_agent.parts import Book

SHOWS = {name: ActSpec(name, ActKind.IDEMPOTENT, name, 5.0) for name in ("show_call", "show_text", "show_idle")}
WINDOWS = tuple(Place(f"screen-{at}", "window-screen", SHOWS, at) for at in ("1", "2", "VIP"))
HALL = Place("hall", "hall-screen", SHOWS)
SCENE = """[scene]\nname = "call"\nversion = 1\nclass = "service"\ntitle = { zh = "叫", en = "Call" }
[parameters.window]\ntype = "TYPE"
[[step]]\nname = "show"\nrole = "window-screen"\nact = "show_call"\nplace = "window"\n"""


async def bound(book: Book, order: str, **parameters: Any) -> list[tuple[str, str]]:
    await book.submit(order, scene="call_ticket", parameters={"number": "A001", **parameters})
    return [(step.name, step.device) for step in await book.journal.read(lambda tx: steps_of(tx, order))]


async def test_the_screen_of_the_window_that_is_called_to_and_no_other(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(*WINDOWS, HALL)) as book:
        assert await bound(book, "o1", window="2") == [("window", "screen-2"), ("hall", "hall")]
        assert await bound(book, "o2", window="VIP") == [("window", "screen-VIP"), ("hall", "hall")]
        assert await bound(book, "o3", window="1") == [("window", "screen-1"), ("hall", "hall")]


async def test_a_window_without_a_screen_is_called_in_the_hall_and_the_order_says_so(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(*WINDOWS, HALL)) as book:
        assert await bound(book, "o1", window="7") == [("hall", "hall")]
        (accepted,) = [event["data"] for event in book.events("order", order="o1") if event["data"]["to"] == "accepted"]
        left_out = accepted["facts"]["left_out"]
        assert left_out == [{"step": "window", "reason": "no_device_for_role"}]


async def test_a_window_that_a_scene_cannot_do_without_is_refused_with_its_name(tmp_path: Path) -> None:
    async with Book(tmp_path, places=WINDOWS) as book:
        data = {"scene": "show_text", "parameters": {"window": "7", "text": "暂停服务"}}
        reply = await book.ask("order.submit", data, subject="o1")
        assert (reply["status"], reply["code"]) == ("rejected", "no_device_for_role")
        assert "'7'" in reply["message"]
        nothing = {"scene": "call_ticket", "parameters": {"number": "A001", "window": "7"}}
        reply = await book.ask("order.submit", nothing, subject="o2")
        assert (reply["status"], reply["code"]) == ("rejected", "invalid")


async def test_a_number_names_a_place_as_it_is_written(tmp_path: Path) -> None:
    scenes = {**load_scenes(), "call": parse_scene(SCENE.replace("TYPE", "number"), "call.toml")}
    async with Book(tmp_path, places=WINDOWS, scenes=scenes) as book:
        await book.submit("o1", scene="call", parameters={"window": 2})
        assert book.order("o1").device == "screen-2"


@pytest.mark.parametrize("place", ["desk", "flag"])
def test_a_place_that_no_parameter_can_name_is_refused_when_the_scene_is_read(place: str) -> None:
    text = SCENE.replace("TYPE", "flag" if place == "flag" else "text").replace(
        'place = "window"', 'place = "window"' if place == "flag" else 'place = "desk"'
    )
    with pytest.raises(BadScene, match="can name a place"):
        parse_scene(text, "call.toml")
