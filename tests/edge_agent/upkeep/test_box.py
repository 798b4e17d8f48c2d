"""What the running agent tells of itself at the door, and to whom how much."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from cloud_bridge.envelope import read_envelope
from edge_agent.console.door import instruction
from edge_agent.upkeep.box import Box, BoxParts
from tests.edge_agent.parts import Book

SERIAL = "ZPK0001234567"


class Shown:
    shown: dict[str, Any] = {  # noqa: RUF012 - of one test
        "device": "cells-1",
        "state": "online",
        "lane": "open",
        "storage": {"01": {"count": 1, "article": "cheque_book", "serial": SERIAL, "serialNumbers": [SERIAL]}},
    }

    def wake(self) -> None: ...


async def test_serial_numbers_of_what_lies_in_machines_are_not_the_groups_to_see(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        recordings = cast("Any", type("None_", (), {"running": {}}))
        link = {"connected": False, "last_error": "", "sent_events": 0}
        parts = BoxParts(
            "B1", book.journal, book.wall.clock(), {"agent": "1"}, lambda: link, {"cells-1": Shown()}, recordings
        )
        look = read_envelope(instruction("B1", "box.look", {}, "/people/li"))
        whole, seen = [await Box(parts).answer(look, whole=whole) for whole in (True, False)]
        assert SERIAL in json.dumps(whole)
        assert SERIAL not in json.dumps(seen)
        assert seen["devices"]["cells-1"]["storage"]["01"] == {"count": 1, "article": "cheque_book"}
        assert (seen["devices"]["cells-1"]["state"], seen["pid"]) == ("online", whole["pid"])
