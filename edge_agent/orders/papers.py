"""The documents that an order brings (ORD-1): whether they are the ones that its steps print, and their rows.

Knows what may be asked for; fetching, keeping and deleting them is `custody.documents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from cloud_bridge.messages.instructions import Document
from cloud_bridge.messages.words import Code
from edge_agent.custody.paper_rows import ANY_OPEN
from edge_agent.journal.journal import Tx
from edge_agent.orders.desk import Rejected
from edge_agent.orders.recipe import Scene, SceneStep


def check_documents(scene: Scene, steps: Iterable[SceneStep], given: Sequence[Document]) -> list[Document]:
    """Those that the order's steps print. Raises Rejected."""
    by_name: dict[str, Document] = {}
    printed = {step.document for step in scene.step if step.document}
    for document in given:
        if document.jwe is not None:
            raise Rejected(Code.UNSUPPORTED, "document_jwe", document=document.name)
        if document.address is None:
            raise Rejected(Code.INVALID, "document_no_address", document=document.name)
        if not _has_port(document.address):
            raise Rejected(Code.INVALID, "document_bad_address", document=document.name)
        if document.name in by_name:
            raise Rejected(Code.INVALID, "document_twice", document=document.name)
        if document.name not in printed:
            facts = {"scene": scene.name, "document": document.name, "known": sorted(printed)}
            raise Rejected(Code.INVALID, "document_not_printed", **facts)
        by_name[document.name] = document
    needed = {step.document for step in steps if step.document}
    if missing := sorted(needed - set(by_name)):
        raise Rejected(Code.INVALID, "document_missing", document=missing[0], scene=scene.name)
    return [by_name[name] for name in sorted(needed)]


def _has_port(address: str) -> bool:
    try:
        return urlsplit(address).port != 0
    except ValueError:  # brackets of an IPv6 address, too
        return False


def add_documents(tx: Tx, order_id: str, documents: Iterable[Document]) -> None:
    """They are wanted from now on."""
    sql = "INSERT INTO documents (order_id, name, media_type, sha256, address, state) VALUES (?, ?, ?, ?, ?, 'wanted')"
    for one in documents:
        tx.do(sql, order_id, one.name, one.media_type, one.sha256, one.address)
        tx.rows[ANY_OPEN] = True
