"""Any bytes on the instruction topic while an order runs: refused or answered, and nothing else is disturbed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import Branch

pytestmark = pytest.mark.process

SEED = 20260913
RANDOM_PAYLOADS = 200


def wrong_messages(branch: Branch) -> Iterator[tuple[str, Any]]:
    """(name, payload): a dict gets an id of its own and must be answered; bytes need not be."""
    good = branch.scheduler.envelope(branch.name, "order.submit", {"scene": "collect_card"}, subject="never")
    text = json.dumps(good).encode()
    yield "nothing", b""
    yield "no JSON", b"{"
    yield "no object", b"[]"
    yield "not UTF-8", b"\xff\xfe" + text
    yield "UTF-16", json.dumps(good).encode("utf-16")
    yield "cut short", text[:-7]
    yield "not a number", b'{"id": "nan", "data": NaN}'
    yield "a huge number", b'{"id": "huge", "data": {"x": ' + b"9" * 5000 + b"}}"
    yield "too deep", b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    yield "too long", text + b" " * (300 * 1024)
    yield "a member twice", b'{"id": "x1", "id": "x2"}'
    yield "half a character as id", b'{"id": "\\ud800"}'
    yield "a zero in the id", b'{"id": "a\\u0000b"}'
    yield "half a character within", json.dumps(good | {"id": "half", "note": "\ud800"}).encode()
    yield (
        "half a character in a reason",
        json.dumps(
            branch.scheduler.envelope(branch.name, "order.cancel", {"reason": "\ud800", "more": "\ud800"}, subject="a")
        ).encode(),
    )
    yield "no envelope", {"hello": "world"}
    yield "no type", {key: value for key, value in good.items() if key != "type"}
    yield "unknown type", good | {"type": "branchgate.vault.open.v1"}
    yield "planned type", good | {"type": "branchgate.ticket.issue.v1"}
    yield "other branch", good | {"branch": "somebody-else"}
    yield "no deadline", {key: value for key, value in good.items() if key != "deadline"}
    yield "deadline in 1970", good | {"deadline": "1970-01-01T00:00:00Z"}
    yield "deadline in 9999", good | {"deadline": "9999-12-31T23:59:59Z"}
    yield "time without zone", good | {"time": "2026-01-01T00:00:00"}
    yield "data is a list", good | {"data": []}
    yield "unknown scene", good | {"data": {"scene": "rob_the_bank"}}
    yield "scene is a number", good | {"data": {"scene": 7}}
    yield "parameters of nonsense", good | {"data": {"scene": "collect_card", "parameters": {"take_s": "soon"}}}
    yield "parameter out of bounds", good | {"data": {"scene": "collect_card", "parameters": {"take_s": 1e308}}}
    yield "unknown parameter", good | {"data": {"scene": "collect_card", "parameters": {"loud": True}}}
    yield "a path as order", good | {"subject": "../../etc/passwd"}
    yield "SQL as order", good | {"subject": "a'; DROP TABLE orders; --"}
    yield "priority of nonsense", good | {"data": {"scene": "collect_card", "priority": 10**30}}
    yield "resolve of nothing", good | {"type": "branchgate.order.resolve.v1", "data": {}}
    yield (
        "events of another journal",
        good
        | {
            "type": "branchgate.events.request.v1",
            "data": {"journal": "x", "from": 1, "to": 10**18},
        },
    )


def noise(seed: int) -> Iterator[bytes]:
    dice = random.Random(seed)
    for _ in range(RANDOM_PAYLOADS):
        yield dice.randbytes(dice.randrange(0, 400))


@pytest.mark.rule("ENV-5")
@pytest.mark.rule("INS-4")
async def test_bad_input_while_an_order_runs(make_branch: BranchMaker) -> None:
    branch: Branch = await make_branch()
    agent = await branch.start_agent()
    await branch.born()
    await branch.submit("a")
    expected: dict[str, str] = {}
    for number, (name, payload) in enumerate(wrong_messages(branch)):
        message = payload | {"id": f"bad-{number}"} if isinstance(payload, dict) else payload
        if isinstance(message, dict):
            expected[message["id"]] = name
        branch.scheduler.push(branch.name, message)
    for payload in noise(SEED):
        branch.scheduler.push(branch.name, payload)
    await branch.heard.until(lambda: all(branch.heard.reply(i) for i in expected), "each readable one is answered")
    answers = {name: branch.heard.reply(i) for i, name in expected.items()}
    assert {name for name, answer in answers.items() if answer and answer["status"] != "rejected"} == set()
    assert all(answer and answer["message"] for answer in answers.values()), "each says what to do"
    assert await branch.settled("a") == "completed"
    assert await branch.serve("b") == "completed"
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 2, "card_presented": 2}
    assert agent.running
    births = [birth["session"] for birth in branch.births()]
    assert births == [1], "bad input never stops the link"
    told = [e["data"] for e in branch.heard.events if e["data"].get("what") == "unreadable_instruction"]
    assert len(told) == 1, "told once"
