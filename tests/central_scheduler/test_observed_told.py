"""How the console tells of what devices observe: readings, the sums of an hour, inputs that change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from central_scheduler.console import lines
from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.reports import AuditHead, CodeScanned, DeviceChanged, DeviceCounted, DeviceObserved, Session
from edge_agent.audit.chain import Head
from edge_agent.audit.proof import head_of
from edge_agent.orders.codes import Came
from edge_agent.texts import Texts
from tests.central_scheduler.paper import born

NOON = "2026-03-02T12:00:00Z"


@pytest.mark.rule("DEV-3")
def test_a_reading_shows_value_unit_delta_and_what_is_doubtful_in_it() -> None:
    readings: list[dict[str, Any]] = [
        {"name": "in", "raw": 20, "unit": "people", "delta": 30, "flag": "wrapped"},
        {"name": "temperature", "raw": 21.5, "unit": "celsius"},
    ]
    members = {"device": "door-1", "kind": "k", "role": "r", "time": NOON, "journal": "j", "after": 1}
    observed = DeviceObserved.model_validate({**members, "readings": readings, "shed": 3})
    told = lines.readings(observed, Texts("en")).plain
    assert told == (
        "device door-1: in 20 people (+30) [the counter wrapped], temperature 21.5 °C; 3 before it were left out"
    )
    assert "人次" in lines.readings(observed, Texts("zh")).plain


@pytest.mark.rule("DEV-3")
def test_an_hour_shows_its_sums_by_the_readers_clock() -> None:
    sums = {"in": {"sum": 12, "unit": "people", "readings": 60, "flags": {"went_back": 2}}}
    counted = DeviceCounted.model_validate({"journal": "j", "seq": 1, "device": "door-1", "hour": NOON, "sums": sums})
    hour = datetime.fromisoformat(NOON).astimezone().strftime("%H:%M")
    told = lines.event(counted, Texts("en")).plain
    assert told == f"device door-1 counted in the hour from {hour}: in 12 people (the counter went back x2)"


def test_what_a_device_said_unasked_is_told_in_words() -> None:
    members = {"journal": "j", "seq": 1, "device": "notes-1", "state": "notes_counted", "reason": "notes_counted"}
    said = DeviceChanged.model_validate(members)
    assert lines.event(said, Texts("en")).plain == "device notes-1: banknotes counted"


def test_an_input_is_told_by_its_name_and_word() -> None:
    facts = {"input": "cabinetDoor", "from": "closed", "to": "open", "bounces": 4}
    members = {"journal": "j", "seq": 1, "device": "site-1", "state": "input_changed", "reason": "bouncing"}
    changed = DeviceChanged.model_validate({**members, "facts": facts})
    assert lines.event(changed, Texts("en")).plain == "device site-1: cabinet door open – it bounces"
    assert lines.event(changed, Texts("zh")).plain == "设备 site-1：柜门 已打开 – 频繁抖动"
    vault = DeviceChanged.model_validate({**members, "reason": "", "facts": {"input": "safeDoor_vault", "to": "open"}})
    assert lines.event(vault, Texts("en")).plain == "device site-1: safe door vault open"
    strange = DeviceChanged.model_validate({**members, "reason": "", "facts": {"input": "lamp 3", "to": "lit"}})
    assert lines.event(strange, Texts("en")).plain == "device site-1: lamp 3 lit"


@pytest.mark.rule("ORD-14")
@pytest.mark.parametrize(
    ("members", "line"),
    [
        ({"result": "released", "order": "o1"}, "scanner scanner-1: a code ending in 4417: the order goes on (o1)"),
        (
            {"result": "unknown", "shown": "", "scan": "j-c7"},
            "scanner scanner-1: a code: no order here has it; answer with code.resolve j-c7",
        ),
    ],
)
def test_a_scan_says_what_it_came_to(members: dict[str, Any], line: str) -> None:
    told = {"journal": "j", "seq": 1, "device": "scanner-1", "sha256": "0" * 64, "shown": "4417", **members}
    assert lines.event(CodeScanned.model_validate(told), Texts("en")).plain == line
    assert lines.event(CodeScanned.model_validate(told), Texts("zh")).plain.startswith("扫码器 scanner-1")


def test_every_result_of_a_scan_has_words() -> None:
    for lang in ("en", "zh"):
        assert [came for came in Came if Texts(lang).word("scan", came) == came] == []


def test_the_cells_of_a_cabinet_are_counted_by_how_they_are() -> None:
    cell: dict[str, Any] = {"type": "dispense", "capacity": 1, "status": "ok", "door": "closed", "shelf": "stock"}
    full, empty = {**cell, "count": 1, "replenishmentStatus": "full"}, {**cell, "replenishmentStatus": "empty"}
    paper = {"type": "paper", "status": "ok"}
    units = {"01": full, "02": empty, "roll": paper, "03": full}
    assert lines.storage(units, Texts("en")) == "paper ok; cells 2 full, 1 empty"
    assert lines.storage(units, Texts("zh")) == "纸张 正常; 格口 2 满, 1 空"


def test_a_birth_tells_the_head_of_the_audit_chain_as_audit_verify_takes_it() -> None:
    envelope = Envelope.model_validate_json(born("B1"))
    told = Session.model_validate(envelope.data)
    assert "audit" not in lines.session(envelope, told, Texts("en")).plain
    told = told.model_copy(update={"audit": AuditHead(seq=118, hash="5f" * 32)})
    said = lines.session(envelope, told, Texts("en")).plain
    assert head_of(said.split()[-1]) == Head(118, "5f" * 32)
