"""The settings of one cabinet: which lock, which door contact and which item sensor belong to each cell.

Knows what a branch may configure; what would open more than one cell, or ask one contact two things, is refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from device_drivers.cells.protocol import BOARDS, LOCKS
from device_drivers.kinds import BYTE_LINES
from device_drivers.links.address import parse_address
from device_drivers.modbus.settings import ModbusSettings

LINES = BYTE_LINES | {"modbus"}
CELL_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$"
Board = Annotated[int, Field(ge=BOARDS[0], le=BOARDS[-1])]
Lock = Annotated[int, Field(ge=LOCKS[0], le=LOCKS[-1], description="never 0, which is every lock of the board")]
Unit = Annotated[int, Field(ge=1, le=247, description="a Modbus address; never 0, which is everybody")]
Channel = Annotated[int, Field(ge=0, le=7)]


class Part(BaseModel):
    """Base of what is written: a key that is not known is a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Place(Part):
    """One lock or one contact: `board` and `lock` on a lock board, or `unit` and `channel` of a Modbus module."""

    board: Board | None = None
    lock: Lock | None = None
    unit: Unit | None = None
    channel: Channel | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Place:
        on_board = (self.board is not None, self.lock is not None)
        on_module = (self.unit is not None, self.channel is not None)
        if not (all(on_board) and not any(on_module)) and not (all(on_module) and not any(on_board)):
            raise PydanticCustomError("cell_place", "is one lock: give board and lock, or unit and channel")
        return self

    @property
    def where(self) -> tuple[str, int, int]:
        """What tells it from others."""
        if self.board is not None and self.lock is not None:
            return ("board", self.board, self.lock)
        assert self.unit is not None and self.channel is not None  # noqa: PT018 - one pair or the other
        return ("unit", self.unit, self.channel)


class Contact(Place):
    """A contact that is asked: closed means "door closed" or "item there"; `inverted` for the other type."""

    inverted: bool = False


class Cell(Part):
    """One cell: what opens it, what shows its door, and what shows its item."""

    id: str = Field(pattern=CELL_ID)
    lock: Place
    door: Contact | None = Field(default=None, description="absent: the feedback of its own lock on the board")
    item: Contact | None = Field(default=None, description="absent: nobody but a person can tell what became of it")

    @property
    def door_contact(self) -> Contact:
        """Where its door is asked."""
        if self.door is not None:
            return self.door
        return Contact(board=self.lock.board, lock=self.lock.lock)

    @model_validator(mode="after")
    def _has_door(self) -> Cell:
        if self.door is None and self.lock.board is None:
            raise PydanticCustomError("cell_door", "needs a door contact: a relay tells nothing of its door")
        return self


class CellsProfile(Part):
    """A cabinet on lock boards `8A`/`80`, or on a Waveshare Modbus relay with inputs beside it."""

    cell: list[Cell] = Field(min_length=1, max_length=200)
    locked_feedback: Literal["00", "11"] | None = Field(
        default=None,
        description="What a lock board answers while the switch is closed, that is while the door is locked; seen at "
        "commissioning. Needed as soon as a lock board is asked anything.",
    )
    modules: str | None = Field(
        default=None, description="The line of the Modbus modules, where they are not on the device's own line."
    )
    modbus: ModbusSettings = Field(default_factory=ModbusSettings, description="How those modules are spoken to.")
    pulse_ms: int = Field(
        default=500, ge=100, le=5000, multiple_of=100, description="How long a Modbus relay itself keeps a lock on."
    )
    act_max_s: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = Field(
        default=3.0,
        description="The longest from a pulse to a door that stands open. Nothing is asked for so long after a restart "
        "or a lost line, and 'not opened' is believed only from two equal readings this far apart.",
    )
    drain_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = Field(
        default=3.0, description="How long a TCP serial server may still hold bytes of a dead connection."
    )
    answer_s: Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)] = Field(
        default=0.5,
        description="How long a board may take to answer a question; an opening is answered within act_max_s.",
    )
    quiet_s: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        default=0.02, description="Silence that makes the line count as drained before a request."
    )
    steady_s: Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)] = Field(
        default=0.2, description="A contact is believed when it reads the same twice, this far apart."
    )
    poll_s: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = Field(
        default=0.5, description="How often the cells are looked at while a customer is awaited."
    )
    close_s: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = Field(
        default=60.0, description="How long somebody may take to close a door behind which the item was left."
    )

    @field_validator("modules")
    @classmethod
    def _is_byte_line(cls, address: str | None) -> str | None:
        if address is not None:
            parse_address(address)
            if address.partition(":")[0] not in LINES:
                raise PydanticCustomError("cell_line", "is a serial://, tcp://, modbus:// or memory:// address")
        return address

    @model_validator(mode="after")
    def _fits_together(self) -> CellsProfile:
        ids = [cell.id for cell in self.cell]
        if len(set(ids)) != len(ids):
            raise PydanticCustomError("cell_id_twice", "names two cells alike: give each an id of its own")
        locks = [cell.lock.where for cell in self.cell]
        if len(set(locks)) != len(locks):
            raise PydanticCustomError("cell_lock_twice", "gives two cells one lock: one pulse would open both")
        contacts = [place.where for cell in self.cell for place in (cell.door_contact, cell.item) if place is not None]
        if len(set(contacts)) != len(contacts):
            raise PydanticCustomError("cell_contact_twice", "gives one contact two meanings: each is asked one thing")
        if self.has_boards and self.has_modules and self.modules is None:
            raise PydanticCustomError("cell_modules", "has lock boards and Modbus modules: give the modules their line")
        if self.locked_feedback is None and self.has_boards:
            raise PydanticCustomError(
                "cell_feedback", 'has lock boards: say locked_feedback = "00" or "11", as seen at commissioning'
            )
        return self

    @property
    def places(self) -> list[Place]:
        """Every lock and contact."""
        return [place for cell in self.cell for place in (cell.lock, cell.door_contact, cell.item) if place is not None]

    @property
    def blind_cells(self) -> list[str]:
        """The cells that do not show their item."""
        return [cell.id for cell in self.cell if cell.item is None]

    @property
    def has_boards(self) -> bool:
        """Whether anything is on a lock board."""
        return any(place.board is not None for place in self.places)

    @property
    def has_modules(self) -> bool:
        """Whether anything is on a Modbus module."""
        return any(place.unit is not None for place in self.places)

    @property
    def units(self) -> set[int]:
        """The Modbus addresses that it asks or pulses."""
        return {place.unit for place in self.places if place.unit is not None}

    def settle_s(self, *, is_tcp: bool) -> float:
        """The silence owed after a restart, a lost line or a timeout (PHY-1)."""
        return self.act_max_s + (self.drain_s if is_tcp else 0.0)
