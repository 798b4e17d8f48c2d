"""Recorded bytes told in words, one module a protocol; `teller` finds a kind's own."""

from __future__ import annotations

from device_drivers.telling.tellers import Said, Teller, Word, is_plain, teller

__all__ = ["Said", "Teller", "Word", "is_plain", "teller"]
