"""The independent judge: joins what a scheduler was told with what the simulated machines did, and finds every lie.

Knows the contract's words and the ledger (SIM-1), each by its own copy; must not import, ask or trust the product. A
folder without dependencies: copied to any machine as `simulators/checker`, `python simulators/checker` runs there.
"""

from __future__ import annotations

from simulators.checker.command import main, read_lines
from simulators.checker.judge import check
from simulators.checker.verdict import Attempt, Order, Report, Violation

__all__ = ["Attempt", "Order", "Report", "Violation", "check", "main", "read_lines"]
