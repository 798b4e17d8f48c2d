"""The points at which an order of the card scene can stand, and how it gets to each.

Knows the way through `collect_card` as a lane would walk it; what may be asked of an order there is for the tests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from edge_agent.orders.rows import AttemptRow
from tests.edge_agent.parts import Book

Way = Callable[[Book], Awaitable[object]]


async def accepted(book: Book) -> None:
    await book.submit()


async def draw_armed(book: Book) -> None:
    await accepted(book)
    assert isinstance(await book.arm(), AttemptRow)


async def draw_acting(book: Book) -> None:
    await accepted(book)
    await book.act()


async def draw_in_doubt(book: Book) -> None:
    await draw_acting(book)
    await book.doubt()


async def draw_no_effect(book: Book) -> None:
    await draw_acting(book)
    await book.settle("no_effect", "stock")


async def draw_asks(book: Book) -> None:
    await draw_in_doubt(book)
    await book.settle("unknown", reason="power_lost", lane_shut=True)


async def draw_jammed(book: Book) -> None:
    await draw_acting(book)
    await book.settle("failed", "transport", reason="card_jam", lane_shut=True)


async def drawn(book: Book) -> None:
    await draw_acting(book)
    await book.settle("done", "transport")


async def present_acting(book: Book) -> None:
    await drawn(book)
    await book.act()


async def present_in_doubt(book: Book) -> None:
    await present_acting(book)
    await book.doubt()


async def present_no_effect(book: Book) -> None:
    await present_acting(book)
    await book.settle("no_effect", "transport")


async def present_asks(book: Book) -> None:
    await present_in_doubt(book)
    await book.settle("unknown", reason="moved_by_hand", lane_shut=True)


async def presented(book: Book) -> None:
    await present_acting(book)
    await book.settle("done", "mouth")


async def awaited(book: Book) -> None:
    await presented(book)
    assert isinstance(await book.arm(), AttemptRow)


async def take_asks(book: Book) -> None:
    await awaited(book)
    await book.settle("unknown", reason="moved_by_hand", lane_shut=True)


async def not_taken(book: Book) -> None:
    await awaited(book)
    await book.settle("failed", "mouth", reason="not_taken")


async def capturing(book: Book) -> None:
    await not_taken(book)
    assert await book.act() == "draw.undo"


async def capture_in_doubt(book: Book) -> None:
    await capturing(book)
    await book.doubt()


async def capture_asks(book: Book) -> None:
    await capture_in_doubt(book)
    await book.settle("unknown", reason="power_lost", lane_shut=True)


async def completed(book: Book) -> None:
    await awaited(book)
    await book.settle("done", "customer", facts={"taken": "witnessed"})


BEFORE_RETURN: list[Way] = [accepted, draw_armed, draw_acting, draw_in_doubt, draw_no_effect, drawn, present_no_effect]
PAST_RETURN: list[Way] = [present_acting, present_in_doubt, presented, awaited, not_taken, capturing, capture_in_doubt]
ASKING: list[Way] = [draw_asks, draw_jammed, present_asks, take_asks, capture_asks]
OPEN: list[Way] = BEFORE_RETURN + PAST_RETURN + ASKING


async def play_on(book: Book, order: str = "o1") -> str:
    """Serves the order to its end, or to where it needs a person: a healthy machine, a customer who takes the card."""
    for _ in range(20):
        row = book.order(order)
        if row.ended or row.state in ("needs_attention", "held") or row.step is None:
            return row.state.value
        step = book.step(row.step, order)
        if step.state in ("armed", "acting", "in_doubt", "waiting"):
            outcome, item = GOOD[step.act]
            await book.settle(outcome, item, order=order)
        elif not isinstance(await book.arm(order), AttemptRow):
            continue
    raise AssertionError(f"it goes round in circles: {book.order(order)}")


GOOD = {
    "draw_card": ("done", "transport"),
    "present_card": ("done", "mouth"),
    "await_taken": ("done", "customer"),
    "capture_card": ("done", "bin"),
    "print_receipt": ("done", "customer"),
    "print_ticket": ("done", "customer"),
    "void_receipt": ("done", "customer"),
}
