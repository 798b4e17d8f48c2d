"""Many simulated printers in one process, described by a JSON file of `simulators.branch`'s form."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from simulators.branch import serve

if __name__ == "__main__":
    path = Path(sys.argv[1])
    asyncio.run(serve(json.loads(path.read_text(encoding="utf-8")), path.parent))
