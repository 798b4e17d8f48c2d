"""What a call says, in each language from the fullest wording to the barest.

Knows words (devices.md 7.2: 请 A001 号到 3 号窗口); must not know how wide a screen is.
"""

from __future__ import annotations

from collections.abc import Iterator

from device_drivers.screens.notices import Call

_WORDINGS = {
    "zh": (
        "请{number}号到{window}号窗口",
        "{number}号到{window}号窗口",
        "{number}号 {window}号窗",
        "{number} {window}号窗",
    ),
    "en": ("Ticket {number} to window {window}", "{number} to window {window}", "{number} window {window}"),
    "": ("{number} {window}",),  # digits speak every language
}
_NUMBER_ALONE = "{number}"  # enough where the screen hangs above its window


def wordings(call: Call, language: str, *, one_window: bool) -> Iterator[str]:
    """Best first. `language` is zh, en, or empty for a screen that has no words."""
    places = {"number": call.number, "window": call.window}
    forms = dict.fromkeys((*_WORDINGS[language], *_WORDINGS[""], *([_NUMBER_ALONE] if one_window else [])))
    return (form.format_map(places) for form in forms)
