"""What a scheduler says in one call stands whole in the instruction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_bridge.messages.instructions import CodeResolve, Document, OrderSubmit
from cloud_bridge.messages.reports import Reply
from cloud_bridge.messages.words import Message
from cloud_bridge.verbs import Verbs


class Said(Verbs):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.said: list[Message | Mapping[str, Any]] = []

    async def instruct(self, verb: str, data: Message | Mapping[str, Any], **how: Any) -> Reply:
        self.said.append(data)
        return Reply(instruction="i", status="accepted", journal="j", after=0)


async def test_an_order_brings_its_documents() -> None:
    scheduler = Said()
    statement = Document(name="document", media_type="application/pdf", sha256="0" * 64, address="https://x.test/d.pdf")
    await scheduler.submit("print_document", documents=[statement])
    (order,) = scheduler.said
    assert isinstance(order, OrderSubmit)
    assert order.documents == [statement]


async def test_of_a_customers_code_only_the_hash_is_said() -> None:
    scheduler = Said()
    await scheduler.submit("collect_card_by_code", code="PICKUP-4417")
    (order,) = scheduler.said
    assert isinstance(order, OrderSubmit)
    assert order.code_sha256 == "edbdb788e0a3fecd9a44debd58ece69bee6c40ee21b75075859f8d6bb90bdab6"  # sha256sum's own
    assert "PICKUP" not in order.model_dump_json()


async def test_a_scan_is_of_an_order_or_nobodys() -> None:
    scheduler = Said()
    await scheduler.resolve_code("j-c7", "o1")
    await scheduler.resolve_code("j-c8", None)
    ours, nobodys = scheduler.said
    assert isinstance(ours, CodeResolve)
    assert isinstance(nobodys, CodeResolve)
    assert (ours.scan, ours.order, ours.unknown) == ("j-c7", "o1", False)
    assert (nobodys.scan, nobodys.order, nobodys.unknown) == ("j-c8", None, True)
