"""What the panel adds to an agent's memory, in KiB: `python -m tests.edge_agent.panel.weighed`.

Knows the kernel's word on it; an agent's own parts are loaded before it looks the first time, the panel's after it.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import re
import tempfile
from pathlib import Path

import pytest

import edge_agent.app
import edge_agent.console.agent  # noqa: F401  # as an agent has them
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import quick

PAGES = ("/", "/orders", "/orders/o1", "/machines", "/machines/card-1", "/audit?prove=1", "/people", "/sign-in?lang=en")
TIMES = 20


def kib() -> int:
    """Shared pages count by their share. Without what nobody uses any more."""
    gc.collect()
    found = re.search(r"^Pss:\s+(\d+)", Path("/proc/self/smaps_rollup").read_text("ascii"), re.MULTILINE)
    assert found
    return int(found[1])


async def weighed(folder: Path) -> int:
    async with Book(folder) as book:
        await book.submit()
        before = kib()
        asking = importlib.import_module("tests.edge_agent.panel.pages_asking")
        served = importlib.import_module("tests.edge_agent.panel.served")
        panel = await asking.site(book)
        async with served.served(panel):
            browser = await asking.Browser.of(panel, "supervisor")
            for page in PAGES * TIMES:
                answer = await browser.get(page)
                assert answer.status == 200, page
            assert panel.inner.openapi()
            return kib() - before


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as there:
        quick(patch)
        print(asyncio.run(weighed(Path(there))))
