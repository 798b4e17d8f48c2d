"""`branchgate top`: lanes, devices and the link of this box, live in the terminal, as the running agent tells them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from central_scheduler.console import lines
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen, harmless, painted
from commands.at_box import BOX, ThisBox
from commands.kit import Json, Speak, T, door_problem, refused, said

if TYPE_CHECKING:
    from edge_agent.settings import Settings

EVERY_S = 1.0
HEADS = ("device", "state", "reason", "lane", "order", "media", "storage")


def top(
    config: ThisBox = BOX,
    once: Annotated[bool, typer.Option("--once", help=T("help.o_once_top"))] = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    screen, settings = Screen(T, as_json=as_json), _settings(config)
    told = _look(settings)
    if as_json:
        screen.json(told)
        return Exit.OK
    if once or not screen.out.is_terminal:
        screen.out.print(shown(told))
        return Exit.OK
    with Live(shown(told), console=screen.out, screen=True, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(EVERY_S)
                live.update(shown(_look(settings)), refresh=True)
        except KeyboardInterrupt:  # Ctrl-C is how watching ends
            return Exit.OK


def _settings(config: Path) -> Settings:
    from edge_agent import settings

    try:
        return settings.load(config)
    except settings.BadConfig as bad:
        raise refused(config, bad) from bad


def _look(settings: Settings) -> dict[str, Any]:
    from edge_agent.console.door import NoDoor, hand_in, instruction

    try:
        told = hand_in(settings.door_folder(), instruction(settings.branch.id, "box.look", {}, "/people/top"))
    except NoDoor as none:
        raise Problem(Exit.NO_ANSWER, "no_door", folder=settings.door_folder(), why=said(none)) from none
    if "problem" in told:
        raise door_problem(told)
    return told


def shown(told: Mapping[str, Any]) -> Group:
    """One picture of it."""
    from edge_agent.findings import shown as why
    from edge_agent.upkeep.doctor.running import lost

    link, clock = told["link"], T.word("clock", told["clock"])
    state = painted(T.word("device_state", "online" if link["connected"] else "offline"), _state(link))
    head = Text(f"{told['branch']}  {told['versions']['agent']}  {time.strftime('%H:%M:%S')}  ").append_text(state)
    head.append(harmless(f"  {why(lost(link), T)}" if not link["connected"] else ""))
    orders = ", ".join(f"{T.word('order_state', name)} {count}" for name, count in told["orders"].items()) or "-"
    more = T(
        "console.top_line",
        clock=clock,
        store=T.word("store_state", told["journal"]["store"]),
        orders=orders,
        sent=link["sent_events"],
    )
    grid = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for name in HEADS:
        grid.add_column(T(f"label.{name}"), overflow="fold")
    for device, twin in sorted(told["devices"].items()):
        grid.add_row(*_row(device, twin))
    return Group(head, Text(harmless(more)), Text(""), grid)


def _state(link: Mapping[str, Any]) -> str:
    return "online" if link["connected"] else "offline"


def _row(device: str, twin: Mapping[str, Any]) -> list[Text]:
    state, lane = str(twin.get("state", "starting")), str(twin.get("lane", ""))
    return [
        Text(harmless(device)),
        painted(T.word("device_state", state), state),
        Text(harmless(T.word("reason", str(twin.get("reason", ""))))),
        painted(T.word("lane", lane), lane),
        Text(harmless(str(twin.get("order") or ""))),
        Text(harmless(lines.media(str(twin.get("media", "")), T))),
        Text(harmless(lines.storage(dict(twin.get("storage") or {}), T))),
    ]
