"""What a teller said, in a reader's language.

Knows the families of the texts; must not know any protocol.
"""

from __future__ import annotations

from device_drivers.banknotes.mistakes import Mistake
from device_drivers.telling.tellers import Said, Word
from edge_agent.texts import Texts


def in_words(said: Said, texts: Texts) -> str:
    """One sentence."""
    places = {name: _place(value, texts) for name, value in said.places.items()}
    return " ".join(texts(f"frame.{said.code}", **places).split())


def _place(value: object, texts: Texts) -> object:
    if isinstance(value, Mistake):
        return texts(f"banknotes.{value.code}", **value.places)
    return texts.word(value.family, value.code) if isinstance(value, Word) else value
