"""Births of branches that exist on paper only."""

from __future__ import annotations

from datetime import UTC, datetime

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.catalogue import BORN


def born(branch: str) -> bytes:
    data = {"journal": f"journal-of-{branch}", "epoch": 1, "session": 1, "after": 0, "acknowledged": 0}
    words = {"id": "1", "source": f"/branches/{branch}", "type": BORN.type, "time": datetime.now(UTC), "branch": branch}
    return Envelope.model_validate({**words, "data": data}).to_bytes()
