"""Errors of devices, sorted by the only question that matters: did anything happen?

Knows the four answers; must not know any device's codes (drivers map those) nor what an order does with the answer.
"""

from __future__ import annotations


class DeviceError(Exception):
    """Something is wrong with a device.

    `reason` is a stable snake_case code that the text catalogue explains (for example `card_jam`); `detail` is English
    for logs; `item` says where the article is, if known (a `device.Whereabouts` value).
    """

    def __init__(self, reason: str, detail: str = "", *, item: str = "unknown") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.item = item


class DeviceUnavailable(DeviceError):
    """Nothing was sent: the line is closed, the port is held by another, the device does not answer questions."""


class DeviceRefused(DeviceError):
    """The device (or a precondition read from it) said no; nothing happened. `waits_for`: what would change that."""

    def __init__(self, reason: str, detail: str = "", *, item: str = "unknown", waits_for: str = "device") -> None:
        super().__init__(reason, detail, item=item)
        self.waits_for = waits_for  # "device" (hands) or "stock" (replenishment)


class DeviceFault(DeviceError):
    """The act began and went wrong; a person's hands are needed. `item` says where the article is."""


class OutcomeUnknown(DeviceError):
    """A frame that may act was sent and its outcome was not told. Never followed by a resend."""
