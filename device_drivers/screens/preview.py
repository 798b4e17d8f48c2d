"""A face to be looked at: as a picture, and as text for a terminal.

Knows faces; letters and dots are `pictures`.
"""

from __future__ import annotations

from device_drivers.pictures.glass import lit
from device_drivers.receipts.letters import width_of
from device_drivers.screens.faces import Face
from device_drivers.screens.panels import Panel


def preview(face: Face, panel: Panel) -> bytes:
    """A PNG file, page under page."""
    return lit(face.texts, panel.columns)


def as_text(face: Face, panel: Panel) -> str:
    """Each page in a frame, rows as wide as the screen."""
    rule = f"+{'-' * panel.columns}+"
    parts = (part for page in face.texts for part in (*(_framed(line, panel) for line in page), rule))
    return "\n".join([rule, *parts])


def _framed(text: str, panel: Panel) -> str:
    return f"|{text}{' ' * (panel.columns - width_of(text))}|"
