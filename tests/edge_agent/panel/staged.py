"""A branch in the middle of its day, for pages to be looked at: orders in many states, machines of every look.

Knows the book and the members of twins; whoever looks is a browser, or a test's own reader.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from device_drivers.device import ActKind, ActSpec, Outcome, Verdict, Whereabouts
from edge_agent.custody import stock
from edge_agent.custody.stock import Lot, Shelf, Why
from edge_agent.observed import LastReading
from edge_agent.orders import course
from edge_agent.orders.desk import Place
from edge_agent.people.roles import Role
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.parts import ACTS, DEVICE, Book, Json, Wall

ORDER = "D20260302-0107"
QUIET: Json = {"parameters": {"receipt": False}}


def wall() -> Wall:
    """Time goes on by itself: a server's limits and a browser's patience count in it."""
    began = time.monotonic()
    return Wall(follow=lambda: time.monotonic() - began)


def _unit(kind: str, level: str, **more: Any) -> Json:
    return {"type": kind, "status": "ok", "replenishmentStatus": level, **more}


def _twin(device: str, kind: str, role: str, state: str = "online", **more: Any) -> Json:
    return {"device": device, "kind": kind, "role": role, "state": state, "reason": "", "lane": "open", **more}


def twins(shut: str = "open") -> dict[str, Json]:
    cabinet = {f"A{n:02}": _cell("sealed", "token", f"UK-77{n:02}") for n in range(1, 10)}
    cabinet |= {"A04": _cell("reserved", "token", "UK-7704", order="D20260302-0110"), "A06": _cell("empty")}
    cabinet["A08"] = _cell("manipulated", "token", "UK-7708")
    made = (
        _twin(
            DEVICE,
            "crt591",
            "card-dispenser",
            "userError" if shut == "shut" else "online",
            reason="card_jam" if shut == "shut" else "",
            lane=shut,
            media="jammed" if shut == "shut" else "notPresent",
            order=ORDER if shut == "shut" else None,
            storage={
                "stacker": _unit("dispense", "ok", count=182, capacity=250),
                "errorBin": _unit("retain", "ok", count=3),
            },
            identity={"model": "CRT-591-M001", "firmware": "V2.31", "serialNumber": "591-20418"},
            counters={"garbageBytes": 0, "badFrames": 1, "naks": 0, "resends": 2, "lateReplies": 0},
            auxiliaries={"cabinetDoor": "closed"},
        ),
        _twin("receipt-1", "escpos", "receipt-printer", storage={"paper": _unit("paper", "low")}),
        _twin(
            "printer-1",
            "ipp",
            "document-printer",
            "deviceBusy",
            storage={"paper": _unit("paper", "ok"), "toner": _unit("toner", "ok")},
        ),
        _twin("cabinet-1", "cells", "cabinet", storage=cabinet),
        _twin("screen-1", "led485", "window-screen"),
        _twin("door-1", "people_counter", "people-counter"),
        _twin("scanner-1", "scanner", "code-scanner", "offline", reason="line_lost"),
    )
    return {twin["device"]: twin for twin in made}


def readings(device: str) -> tuple[LastReading, ...]:
    """What the counter at the door showed last."""
    if device != "door-1":
        return ()
    at = "2026-03-02T09:15:30Z"
    shown = ({"name": "in", "raw": 4211, "unit": "people", "delta": 3}, {"name": "out", "raw": 4198, "unit": "people"})
    return tuple(LastReading(dict(one), at, 12.0) for one in shown)


def _cell(shelf: str, article: str = "", serial: str = "", order: str = "") -> Json:
    holds = shelf in ("sealed", "reserved")
    unit: Json = {"type": "dispense", "count": int(holds), "capacity": 1, "door": "closed", "shelf": shelf}
    named = {"cardID": article, "serialNumber": serial, "order": order}
    return unit | {name: value for name, value in named.items() if value}


async def served(book: Book, order: str) -> None:
    """From its beginning to the customer's hand."""
    await book.submit(order, customer="KH-5521-0098", **QUIET)
    for item in ("transport", "mouth", "customer"):
        await book.act(order)
        await book.settle("done", item, order=order)
        book.wall.seconds += 2


async def doubt(book: Book, order: str = ORDER) -> None:
    """The machine lost its line in the middle of an act, and cannot say what became of it."""
    await book.act(order)
    book.wall.seconds += 1
    await book.doubt(order)
    book.wall.seconds += 3
    name = book.order(order).step or ""
    facts = {"st0": 0, "st1": 2, "bin": 3, "verdict": "no_answer"}
    verdict = Verdict(Outcome.UNKNOWN, "no_answer", Whereabouts.UNKNOWN, facts, lane_shut=True)
    await book.do(lambda tx: course.settle(tx, order, name, verdict))


async def day(book: Book, panel: Panel) -> None:
    """Some orders behind it, one in doubt, others waiting; people who came and went."""
    staff, chief = panel.people.staff, panel.people.actor("supervisor")
    await staff.add(chief, "zhang.wei", Role.TELLER, "correct horse", "张伟")
    for n in range(101, 105):
        await served(book, f"D20260302-0{n}")
    await book.submit("D20260302-0105", customer="KH-8812-3345", **QUIET)
    await book.ask("order.cancel", {"reason": ""}, subject="D20260302-0105")
    await book.submit(ORDER, customer="KH-3310-7742", **QUIET)
    await doubt(book)
    for n in (108, 109):
        await book.submit(f"D20260302-0{n}", customer=f"KH-44{n}-1200", **QUIET)
    await book.ask("order.hold", {"reason": ""}, subject="D20260302-0109")
    await book.do(lambda tx: tx.emit("branchgate.journal.changed.v1", None, {"what": "clock_changed", "reason": ""}))
    await book.do(_cells)
    for _ in range(2):
        await panel.people.enters("teller", "wrong password")


def _cells(tx: Any) -> None:
    for n in range(1, 4):
        stock.change(
            tx, Lot("cabinet-1", f"A0{n}", article="token", serial=f"UK-770{n}"), Shelf.SEALED, Why("confirmed")
        )


def book_of(folder: Path) -> Book:
    cells = {f"A{n:02}": True for n in range(1, 10)}
    shows = {act: ActSpec(act, ActKind.IDEMPOTENT, "Shows it.", 1.0) for act in ("show_text", "show_idle")}
    screen = Place("screen-1", "window-screen", shows, at="3")
    places = (Place(DEVICE, "card-dispenser", ACTS), Place("cabinet-1", "cabinet", {}, cells=cells), screen)
    return Book(folder, wall=wall(), places=places)
