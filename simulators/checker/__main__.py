"""`python -m simulators.checker`, and `python simulators/checker` on a machine that has nothing but this folder."""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:  # started as a folder: its own name has to be found from above
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from simulators.checker.command import main

if __name__ == "__main__":
    sys.exit(main())
