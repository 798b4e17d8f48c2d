"""The command line made to speak a language; its own was chosen at import, from the arguments of pytest."""

from __future__ import annotations

import pytest

from commands import kit
from edge_agent.texts import Texts


def speak(monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    """Until the end of the test."""
    for name, value in vars(Texts(lang)).items():
        monkeypatch.setattr(kit.T, name, value)
