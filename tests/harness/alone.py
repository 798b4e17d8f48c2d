"""One agent as its own program, for strace: `python -m tests.harness.alone '{"config": ..., "bug": ...}'`."""

from __future__ import annotations

import json
import sys

from tests.harness.roles import agent

if __name__ == "__main__":
    sys.exit(agent(json.loads(sys.argv[1])))
