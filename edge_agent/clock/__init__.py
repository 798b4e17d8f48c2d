"""The wall clock of the branch: what it says, and how far that can be trusted (INS-5)."""

from __future__ import annotations

from edge_agent.clock.wall import Attested, Clock, Grade

__all__ = ["Attested", "Clock", "Grade"]
