"""Planted bugs"""

from collections.abc import Callable

BUGS: dict[str, Callable[[], None]] = {}
