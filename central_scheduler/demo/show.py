"""The demo from curtain to curtain: house, recorder, scheduler, stage, day, verdict; and an orderly end of all of them.

Knows who is started in which order and how Ctrl-C ends it; each part's work is its own file's.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

from rich.text import Text

from central_scheduler.console import lines
from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import Screen, painted
from central_scheduler.demo.day import Day
from central_scheduler.demo.house import BRANCH, House
from central_scheduler.demo.recorder import recorded
from central_scheduler.demo.stage import Row, Stage
from central_scheduler.demo.verdict import judge, tell
from central_scheduler.orderbook import OrderView
from central_scheduler.words import Words
from cloud_bridge.client import Scheduler
from cloud_bridge.topics import Topics

TICK_S = 0.25


async def show(screen: Screen, *, once: bool, seed: int, keep: bool) -> int:
    """The exit code: 0 when every order had its planned end and the checker found nothing."""
    words = screen.words
    playing = asyncio.current_task()
    assert playing is not None, "a coroutine runs in a task"
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal must not leave a branch behind
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    house = House(words, keep=keep)
    try:
        async with house:
            return await _in_house(screen, house, once=once, seed=seed)
    except asyncio.CancelledError:
        if house.ended:  # a second Ctrl-C may have cut that short
            screen.warn(words("demo.all_ended"))
        if keep:
            screen.warn(words("demo.kept", folder=house.folder))
        raise


async def _in_house(screen: Screen, house: House, *, once: bool, seed: int) -> int:
    words = screen.words
    screen.say(words("demo.starting", what=words("demo.broker")))
    await house.start_broker()
    screen.say(words("demo.starting", what=words("demo.simulators")))
    await house.start_simulators()
    code = await _play(screen, house, once=once, seed=seed)
    if house.kept:
        screen.say(words("demo.sheets_kept", folder=house.sheets))
    screen.say(words("demo.kept", folder=house.folder) if house.kept else words("demo.cleaning"))
    return code


async def _play(screen: Screen, house: House, *, once: bool, seed: int) -> int:
    words = screen.words
    watched = Scheduler(
        "127.0.0.1", house.port, name="demo", branch=BRANCH, watch={"events", "session"}, from_start=True
    )
    day = Day(house, watched, words, seed)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(recorded("127.0.0.1", house.port, Topics(BRANCH), house.folder))
        await stack.enter_async_context(watched)
        stage = stack.enter_context(Stage(screen, words("demo.relaxed"), lambda: _rows(day, words)))
        day.shown_on(stage)
        await stack.enter_async_context(_beside(day, stage))
        stage.say(words("demo.starting", what=words("demo.agent")))
        agent = await house.start_agent()
        if not await day.ready():
            raise agent.failed()
        ready_s = f"{time.monotonic() - stage.began_s:.1f}"
        stage.say(words("demo.ready", seconds=ready_s, branch=BRANCH, broker=house.broker, folder=house.folder))
        if not once:
            stage.pin(commands(house.broker)[:1])
        await day.follow_plan()
        if not once:
            await _stay(day, stage, house, words)
        await day.settle()
        verdict = await judge(day, house.folder, house.ledgers, screen)
    tell(day, verdict, screen, time.monotonic() - stage.began_s)
    return Exit.OK if verdict.good else Exit.FAILED


@contextlib.asynccontextmanager
async def _beside(day: Day, stage: Stage) -> AsyncIterator[None]:
    """Hearing and redrawing go on beside the day; when one of them breaks, so does the day."""
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(day.listen(), name="demo hearing"),
            group.create_task(_redraw(stage), name="demo redrawing"),
        ]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()


async def _redraw(stage: Stage) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        stage.refresh()


async def _stay(day: Day, stage: Stage, house: House, words: Words) -> None:
    """More orders, slowly, until Ctrl-C; meanwhile anybody may try the contract. A second Ctrl-C waits for nothing."""
    stage.pin(
        [
            words("demo.try_title"),
            *(f"  {line}" for line in commands(house.broker)),
            *panel_of(house, words),
            words("demo.try_stay"),
        ]
    )
    stop = asyncio.Event()
    playing = asyncio.current_task()
    assert playing is not None, "a coroutine runs in a task"

    def on_ctrl_c() -> None:
        if stop.is_set():
            playing.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, on_ctrl_c)
    await day.go_on(stop)
    stage.say(words("demo.settling"))


def commands(broker: str) -> list[str]:
    """What a person may type in another terminal."""
    called = program(sys.argv[0])
    return [
        f"export BRANCHGATE_BROKER={broker}",
        f"{called} order submit collect_card --param take_s=10 --wait",
        f"{called} order list --all",
        f"{called} device list",
        f"{called} watch",
    ]


def panel_of(house: House, words: Words) -> list[str]:
    """Where the panel is, and how somebody comes in there."""
    first = f"{program(sys.argv[0])} people set-up chief --config {house.folder / 'branch.toml'}"
    return [words("demo.try_panel", site=house.site), f"  {first}"]


def program(started: str) -> str:
    """How another terminal in this folder calls the command that was `started`.

    That of a checkout by its path, whatever our PATH says: `scripts/demo` made it, and other terminals have another.
    """
    path = Path(started).absolute()
    if path.name != "branchgate":
        return "branchgate"
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return "branchgate" if shutil.which("branchgate") is not None else str(path)


def _rows(day: Day, words: Words) -> list[Row]:
    return [_row(order, day, words) for order in day.book.orders.values()]


def _row(order: OrderView, day: Day, words: Words) -> Row:
    errand = day.errands.get(order.id)
    state = words.word("order_state", order.state)
    if order.waiting_for:
        state += f" ({words.word('waiting', order.waiting_for)})"
    what = words(f"demo.{errand.what if errand else 'plan_yours'}")
    last = lines.short(order.told[-1], words) if order.told else Text("")
    return Row(order.id, what, painted(state, order.state), order.device or "", last)
