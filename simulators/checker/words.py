"""The contract's words as the checker knows them: states, the ways between them, and what each act leaves in a ledger.

A copy of its own, on purpose; must not be made from the product's tables, which may be what is wrong.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
Names = tuple[str, ...]

CARD_ACTS = {"draw_card": "card_drawn", "present_card": "card_presented", "capture_card": "card_captured"}
CELL_OPENED = "cell_opened"
# Counted and assigned in order; a sheet says itself whose it is.
ACT_OF = CARD_ACTS | {"stamp": "stamped", "open_cell": CELL_OPENED}
PRINTS = frozenset({"print_receipt", "print_ticket", "print_document", "void_receipt"})
SHEET = "sheet_out"  # its detail is SIM-1's of printers
SHOWS = frozenset({"show_call", "show_text", "show_idle"})  # light only: no act of theirs may stand in a ledger
REPEATABLE = SHOWS | {"print_ticket", "void_receipt"}  # may be done once more by the machine itself; a sheet is marked
WATCHES = frozenset({"await_taken", "secure_cell"})  # look only: no act of theirs may stand in a ledger
COUNTS = frozenset({"count_notes"})  # a reading: nothing is moved, and what was told must be what passed
MOVING_RESETS = frozenset({"30", "31", "34", "35"})  # PHY-4: automatic recovery uses PM 37 only

ENDS = frozenset({"completed", "partly_completed", "failed", "cancelled", "expired"})
BROKEN_OFF = frozenset({"failed", "cancelled", "expired"})
_ANY_END_OR_DOUBT = ENDS | {"needs_attention"}
ORDER_MOVES: dict[str | None, frozenset[str]] = {  # ORD-2; an end has no row: nothing leads out of it
    None: frozenset({"accepted", "scheduled", "waiting"}),
    "accepted": frozenset({"scheduled", "running", "waiting", "held", "cancelling", "needs_attention"}) | BROKEN_OFF,
    "scheduled": frozenset({"accepted", "running", "waiting", "held", "cancelling", "needs_attention"}) | BROKEN_OFF,
    "running": frozenset({"waiting", "held", "cancelling"}) | _ANY_END_OR_DOUBT,
    "waiting": frozenset({"accepted", "scheduled", "running", "waiting", "held", "cancelling"}) | _ANY_END_OR_DOUBT,
    "held": frozenset({"accepted", "scheduled", "running", "waiting", "cancelling"}) | _ANY_END_OR_DOUBT,
    "cancelling": frozenset({"waiting"}) | _ANY_END_OR_DOUBT,
    "needs_attention": frozenset({"running", "waiting", "held", "cancelling"}) | ENDS,
}
OUTCOMES = frozenset({"done", "no_effect", "failed"})
STEP_MOVES: dict[str | None, frozenset[str]] = {  # ORD-3
    None: frozenset({"pending"}),
    "pending": frozenset({"armed", "skipped"}),
    "armed": frozenset({"acting", "in_doubt", "no_effect"}),  # the last when nothing could be sent
    "acting": frozenset({"waiting", "in_doubt"}) | OUTCOMES,
    "waiting": frozenset({"in_doubt"}) | OUTCOMES,
    "in_doubt": OUTCOMES,
    "no_effect": frozenset({"armed", "skipped"}),  # the last when the second attempt turned out needless
    "done": frozenset({"compensated"}),
}
# ORD-6
ONE_PERSON = ("failed", "capture", "by_hand", "skip")
DECISIONS = dict.fromkeys(("done", "no_effect", "again", "release"), 2) | dict.fromkeys(ONE_PERSON, 1)
INSTEAD = frozenset({"by_hand", "skip"})  # what people may put for a step that an order was ended without
AWAY = "away"  # what stands for a step that shows, and whose screen was away
UNSETTLED = frozenset({"armed", "acting", "waiting", "in_doubt"})
NOT_SECURED = frozenset({"transport", "mouth", "unknown"})
MAX_ATTEMPTS = 2  # ORD-3: armed once more after an evidenced no_effect


def serial_of(line: Json) -> str | None:
    serial = (line.get("detail") or {}).get("serial")
    return None if serial is None else str(serial)
