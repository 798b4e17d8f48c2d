"""The names that inputs of a site may have, and what each may say: XFS4IoT Auxiliaries (devices.md §6.7), and ours.

Knows words only.
"""

from __future__ import annotations

import re

DOOR = frozenset({"closed", "open", "locked", "bolted", "tampered"})
SWITCH = frozenset({"on", "off"})
PRESENCE = frozenset({"present", "notPresent"})
WORDS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("cabinetDoor", "safeDoor", "vandalShield", "branchDoor"), DOOR),
    **dict.fromkeys(("cabinetFrontDoor", "cabinetRearDoor", "cabinetLeftDoor", "cabinetRightDoor"), DOOR),
    **dict.fromkeys(("tamperSensor", "internalTamperSensor", "seismicSensor", "heatSensor"), SWITCH),
    **dict.fromkeys(("operatorCallButtonSensor", "panicButton", "audibleAlarm"), SWITCH),
    "proximitySensor": PRESENCE,
    "operatorSwitch": frozenset({"run", "maintenance", "supervisor"}),
    # engaged: it gives the current; recovered: the mains are back
    "ups": frozenset({"low", "engaged", "powering", "recovered"}),
}
OURS = frozenset({"branchDoor", "panicButton"})  # XFS4IoT has no word for the branch's own door nor for a silent alarm
_NAME = re.compile(r"([A-Za-z]+)(?:_[A-Za-z0-9]{1,24})?")


def words_of(name: str) -> frozenset[str]:
    """What an input of that name may say: `cabinetDoor`, or `cabinetDoor_vault` where there are several."""
    match = _NAME.fullmatch(name)
    return WORDS.get(match[1], frozenset()) if match else frozenset()
