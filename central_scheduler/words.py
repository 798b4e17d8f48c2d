"""What this floor needs of a catalogue of texts: sentences by key, words by family and code.

Only a declaration: whoever starts the console hands a catalogue in, so that this floor takes no words from a neighbour.
"""

from __future__ import annotations

from typing import Protocol


class Words(Protocol):
    """One language."""

    @property
    def lang(self) -> str: ...

    def __call__(self, key: str, /, **places: object) -> str:
        """The text of a key, its places filled in."""
        ...

    def word(self, family: str, code: str) -> str:
        """The text of a code that came from a branch; the code itself when there is none."""
        ...
