"""What goes down to a branch: one pydantic model for the `data` of each instruction (contract, INS-8).

Knows what an instruction must look like; must not know whether a branch can follow it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from cloud_bridge.envelope import Moment
from cloud_bridge.messages.words import Choice, Message, Name, OrderId, Sentence


class Document(Message):
    """A document that the order prints (ORD-1): fetched over HTTPS, checked, deleted once its print is settled."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = Field(
        description="what the scene's step calls it"
    )
    media_type: Literal["application/pdf", "image/pwg-raster", "image/urf", "image/jpeg"]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="of the document's bytes, 64 small hexadecimal digits"
    )
    address: Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9._:\[\]-]+(/[!-~]*)?$")] | None = Field(
        default=None, max_length=2000, description="where it is fetched, https:// only"
    )
    jwe: str | None = Field(default=None, description="not served yet: a branch has no keys, so give an address")


class OrderSubmit(Message):
    """One thing a customer asked for (ORD-1). The order's id is the envelope's `subject`, or the instruction's id."""

    scene: Name = Field(description="the recipe of the branch to follow")
    parameters: dict[str, Any] = Field(default_factory=dict, description="what the scene asks for, by name")
    customer: str = Field(default="", max_length=100, description="a reference, never a name, number or card in clear")
    priority: int = Field(default=0, ge=-100, le=100, description="higher goes first")
    not_before: Moment | None = Field(default=None, description="nothing of it is done earlier")
    deadline: Moment | None = Field(default=None, description="last moment at which a step may be armed")
    retry_of: str | None = Field(
        default=None, max_length=200, description="the rejected instruction that this one retries"
    )
    code_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None,
        description="of the pick-up code that its customer will scan: SHA-256 of its UTF-8 bytes, small hexadecimal; "
        "never the code itself",
    )
    documents: list[Document] = Field(
        default_factory=list, max_length=8, description="what its scene prints on paper that it does not lay out itself"
    )


class CodeResolve(Message):
    """The answer to a `code.scanned` that is `unknown`: the order whose customer scanned it, or that it is nobody's."""

    scan: str = Field(max_length=200, description="as the event named it")
    order: OrderId | None = Field(default=None, description="the order here that goes on by it")
    unknown: bool = Field(default=False, description="true: nobody's code; nothing goes on")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.order is None) is not self.unknown:
            raise PydanticCustomError("order_or_unknown", "say either the order or that it is unknown")
        return self


class OrderCancel(Message):
    """Cancel the order in `subject`: decided where the next step would be armed (ORD-7)."""

    reason: Sentence = ""


class OrderHold(Message):
    """Arm no further step of the order in `subject` until `order.release`."""

    reason: Sentence = ""


class OrderRelease(Message):
    """Let the held order in `subject` go on."""

    reason: Sentence = ""


class OrderResolve(Message):
    """A person's decision on a step in doubt or a device that needs hands (ORD-6)."""

    step: Name = Field(description="the step that asks for a decision")
    attempt: str = Field(max_length=200, description="the attempt that was looked at, as told in the event that asked")
    choice: Choice
    device: Name | None = Field(
        default=None, description="with `again`: the device that shall do it, of the same role; absent: the same device"
    )
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        min_length=1,
        max_length=4,
        description="who looked at the machine, /people/{id}; two distinct for done, no_effect, again and release",
    )
    note: Sentence = Field(default="", description="what was seen")


class CellLoad(Message):
    """What lies in one cell now: an article with its serial number, or nothing."""

    cell: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
    article: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="what scenes ask for by this word; absent: the cell was emptied"
    )
    serial: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="of this one article; needed with `article`"
    )


class StockReplenish(Message):
    """Two people loaded or emptied cells of the cabinet in `subject`; each cell's sensor confirms it, or not."""

    cells: list[CellLoad] = Field(min_length=1, max_length=200)
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        min_length=1, max_length=4, description="who loaded, /people/{id}; two distinct"
    )
    note: Sentence = ""


class OrdersRequest(Message):
    """Ask for the list of orders; the page stands in the reply's `result` (SES-2)."""

    states: list[str] = Field(default_factory=list, max_length=16, description="empty = all open ones")
    order: OrderId | None = Field(default=None, description="one order with steps, attempts and history")
    after: str | None = Field(default=None, max_length=200, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=100)


class EventsRequest(Message):
    """Ask for events to be sent again: seq `from` to `to`, both included, of this journal (SES-6)."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    journal: str = Field(description="the journal that the events are of")
    from_: int = Field(alias="from", ge=1, description="first seq")
    to: int = Field(ge=1, description="last seq; at most 10,000 events at once")


class Counted(Message):
    """What people found in one machine when they looked into it (ORD-12)."""

    device: Name
    found: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)] = Field(
        description="what is in it, and in its mouth"
    )
    articles: int | None = Field(default=None, ge=0, le=1_000_000, description="how many of them, where they count")


class JournalAdopt(Message):
    """Adopt a journal without predecessor: the centre by its `orders`, on site two `people` by a count (ORD-12)."""

    journal: str = Field(description="the journal to adopt, as its birth tells")
    orders: list[OrderId] = Field(
        default_factory=list, max_length=10_000, description="orders that the centre holds for this branch"
    )
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=4, description="on site only: who counted, /people/{id}; two distinct"
    )
    counted: list[Counted] = Field(
        default_factory=list, max_length=200, description="on site only: what they found in each machine of the branch"
    )
    note: Sentence = ""


class ClockAttest(Message):
    """Two people confirm that the branch's clock is right; it lapses with the boot and at a jump (INS-5)."""

    journal: str = Field(description="the branch's journal, as its birth tells")
    epoch: int = Field(ge=1, description="its start, as the birth tells: what was said before it does not count")
    time: Moment = Field(description="what their watch says when this is sent; a minute's difference is allowed")
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        min_length=1, max_length=4, description="who looked, /people/{id}; two distinct"
    )
    note: Sentence = Field(default="", description="what they compared it with")
