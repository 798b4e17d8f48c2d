"""One example message of each type, as the documents show them; they tell one order's story.

Knows the catalogue only; the schemas are checked against these and these against the schemas.
"""

from __future__ import annotations

from typing import Any

from cloud_bridge.messages.catalogue import BEAT, BORN, CATALOGUE, DIED, INSTRUCTIONS, READING, REPLY, TWIN

BRANCH = "bj-0042"
JOURNAL = "5f0d7c1e-9a54-4c39-8f43-1f2f6f1f7a10"
TIME = "2026-03-02T01:15:30.250Z"
DEADLINE = "2026-03-02T01:16:00.000Z"
ORDER = "o-20260302-17"
ATTEMPT = f"{ORDER}/present/1"
CODE_SHA256 = "1f0c5e2d8a9b4c7e6f30112233445566778899aabbccddeeff00112233445566"
INSTRUCTION = "b7c1a6e0-54d3-4a10-9a52-0d5f5d2b9e11"


def _session(**more: Any) -> dict[str, Any]:
    data = {"journal": JOURNAL, "epoch": 3, "session": 12, "after": 481, "acknowledged": 481, "clock": "synced"}
    wear = {"bytes": 26_214_400, "commits": 450, "transactions": 610, "orders": 50, "bytes_per_order": 524_288}
    return {**data, "adopted": True, "counts": {"running": 1}, "wear": wear, **more}


def _event(seq: int, **more: Any) -> dict[str, Any]:
    return {"journal": JOURNAL, "seq": seq, **more}


_ARMING = {"st0": 2, "bin": 7}
_DATA: dict[str, dict[str, Any]] = {
    "order.submit": {
        "scene": "collect_card",
        "parameters": {"take_s": 60},
        "customer": "c-88213",
        "priority": 0,
        "deadline": "2026-03-02T01:45:00.000Z",
    },
    "order.cancel": {"reason": "the customer changed their mind"},
    "order.hold": {"reason": "identity check pending"},
    "order.release": {"reason": "identity confirmed"},
    "order.resolve": {
        "step": "present",
        "attempt": ATTEMPT,
        "choice": "done",
        "people": ["/people/8841", "/people/1203"],
        "note": "the gate camera shows the customer taking the card",
    },
    "stock.replenish": {
        "cells": [{"cell": "07", "article": "u_shield", "serial": "US-2603-000417"}, {"cell": "08"}],
        "people": ["/people/8841", "/people/1203"],
    },
    "code.resolve": {"scan": f"{JOURNAL}-c7", "order": ORDER},
    "orders.request": {"states": ["needs_attention", "waiting"], "limit": 50},
    "events.request": {"journal": JOURNAL, "from": 470, "to": 481},
    "clock.attest": {
        "journal": JOURNAL,
        "epoch": 3,
        "time": TIME,
        "people": ["/people/8841", "/people/1203"],
        "note": "the hall's radio clock",
    },
    "journal.adopt": {"journal": JOURNAL, "orders": [ORDER]},
    "instruction.answered": {
        "instruction": INSTRUCTION,
        "status": "accepted",
        "order": ORDER,
        "journal": JOURNAL,
        "after": 471,
        "repeat": False,
    },
    "session.born": _session(
        versions={"agent": "0.1.0", "contract": "1"},
        devices={"card-1": "online"},
        oldest=[{"order": ORDER, "scene": "collect_card", "state": "running", "step": "present"}],
        config="9d3f0a51",
        audit={"seq": 118, "hash": "5f0c7a52c5b1f3c0a8f4f4c1d2f6d5be5b0c7f1d9f6f9f5f0c3a1e2d4b6a8c90"},
    ),
    "session.beat": _session(),
    "session.died": {"journal": JOURNAL, "session": 12, "reason": "planned_stop"},
    "device.reported": {
        "device": "card-1",
        "kind": "crt591",
        "role": "card-dispenser",
        "state": "online",
        "lane": "open",
        "media": "present",
        "storage": {
            "stacker": {"type": "dispense", "status": "ok", "replenishmentStatus": "ok"},
            "errorBin": {"type": "retain", "status": "ok", "replenishmentStatus": "ok", "count": 7},
        },
        "identity": {"serial": "0000004217", "firmware": "CRT591MR01"},
        "counters": {"garbageBytes": 0, "badFrames": 0},
        "order": ORDER,
        "journal": JOURNAL,
        "after": 476,
    },
    "order.changed": _event(477, order=ORDER, scene="collect_card")
    | {"from": "running", "to": "waiting", "waiting_for": "customer", "step": "take"},
    "step.changed": _event(474, order=ORDER, step="present", attempt=ATTEMPT, act="present_card", device="card-1")
    | {"from": "pending", "to": "armed", "facts": _ARMING},
    "order.corrected": _event(
        495, order=ORDER, step="present", attempt=ATTEMPT, state="failed", truth="done", reason="found_later"
    )
    | {"by": ["/people/8841"]},
    "device.changed": _event(480, device="card-1", state="offline", reason="no answer"),
    "device.counted": _event(481, device="door-1", hour="2026-03-02T00:00:00.000Z", clock="synced")
    | {"sums": {"in": {"sum": 12, "unit": "people", "readings": 60, "flags": {"wrapped": 1}}}},
    "code.scanned": _event(482, device="scanner-1", sha256=CODE_SHA256, shown="4417", result="unknown")
    | {"scan": f"{JOURNAL}-c7"},
    "device.observed": {
        "device": "door-1",
        "kind": "people_counter",
        "role": "people-counter",
        "time": TIME,
        "readings": [{"name": "in", "raw": 4711, "unit": "people", "delta": 2}],
        "journal": JOURNAL,
        "after": 481,
    },
    "stock.changed": _event(482, device="token-1", cell="07", article="u_shield", serial="US-2603-000417")
    | {"from": "sealed", "to": "reserved", "reason": "reserved", "order": ORDER},
    "journal.changed": _event(1, what="created", reason="", facts={"epoch": 1, "clock": "synced"}),
}
_OF_AN_ORDER = ("order.", "step.")


def example(kind: str) -> dict[str, Any]:
    """The example of a type, as a JSON object."""
    noun_verb = kind.removeprefix("branchgate.").removesuffix(".v1")
    down = kind in INSTRUCTIONS
    data = _DATA[noun_verb]
    message: dict[str, Any] = {
        "specversion": "1.0",
        "id": INSTRUCTION if down else f"{JOURNAL}-{_tail(kind, data)}",
        "source": "/schedulers/centre-1" if down else f"/branches/{BRANCH}",
        "type": kind,
        "time": TIME,
        "datacontenttype": "application/json",
        "branch": BRANCH,
    }
    if noun_verb.startswith(_OF_AN_ORDER):
        message["subject"] = ORDER
    elif kind in {REPLY.type, TWIN.type, READING.type}:
        message["subject"] = data.get("instruction") or data["device"]
    if down:
        message["deadline"] = DEADLINE
    return {**message, "data": data}


def _tail(kind: str, data: dict[str, Any]) -> str:
    heads = {BORN.type: "s12", BEAT.type: "b12-481", DIED.type: "d12", REPLY.type: "r33", TWIN.type: "tcard-1-476"}
    heads[READING.type] = "mdoor-1-3-62"
    return heads.get(kind) or str(data["seq"])


EXAMPLES = {kind: example(kind) for kind in CATALOGUE}
