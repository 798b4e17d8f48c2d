"""What every test stands under: no task may be left over, the first ring never sleeps; and what the second ring shares.

Knows pytest and the harness; a fixture that serves one file only stands in that file.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import re
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tests.broker import Broker
from tests.harness.branch import Branch
from tests.harness.nursery import Nursery, ZygoteProcess
from tests.harness.scheduler import Scheduler
from tests.harness.stalls import stalling

# The same examples in each run, however slow the box; new ones are drawn by `--hypothesis-profile=default`.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

BranchMaker = Callable[..., Any]  # (**Branch's keywords) -> awaitable Branch


@pytest.fixture(autouse=True)
def _watched(request: pytest.FixtureRequest) -> None:
    """Runs first, so its teardown is last: after every other fixture of the test is gone."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_no_leftover_task")


@pytest_asyncio.fixture
async def _no_leftover_task() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    own = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() - before if task is not own and not task.done()]
    assert not left, f"tasks left over: {', '.join(f'{task.get_name()} {task.get_coro()}' for task in left)}"


@pytest.fixture(autouse=True)
def _first_ring_never_sleeps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test without the mark `process` waits for events, never for time."""
    if request.node.get_closest_marker("process") is None:

        def refuse(seconds: float) -> None:
            raise AssertionError(
                f"a real sleep of {seconds} s in the first ring: wait for the event, or mark it `process`"
            )

        monkeypatch.setattr(time, "sleep", refuse)


@pytest.fixture(autouse=True)
def _first_ring_asks_no_name_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers and localhost are answered, other names are unknown: where no server answers, one may take minutes."""
    if request.node.get_closest_marker("process") is not None:
        return
    ask = socket.getaddrinfo

    def answer(host: str | None, *rest: Any, **more: Any) -> Any:
        name = (host or "").encode("idna").decode()  # what the real one does first, and fails at
        if "\0" in name:
            raise ValueError("embedded null character")
        if not re.fullmatch(r"[0-9.]*|[0-9a-fA-F.:]*:[0-9a-fA-F.:%]*|localhost", name):
            raise socket.gaierror(-2, "Name or service not known")
        return ask(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says something to the person who waits, past pytest's capturing."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n  {text}", end="", flush=True)

    return say


# -- the second ring ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZygoteProcess]:
    process = ZygoteProcess(tmp_path_factory.mktemp("z"))
    yield process
    process.close()


@pytest.fixture(scope="session")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all tests that do it no harm."""
    with Broker(tmp_path_factory.mktemp("b")) as broker:
        yield broker


@pytest_asyncio.fixture
async def nursery(zygote: ZygoteProcess) -> AsyncIterator[Nursery]:
    async with Nursery(zygote.socket) as nursery, stalling(nursery):
        yield nursery


@pytest_asyncio.fixture
async def scheduler(shared_broker: Broker, tmp_path: Path) -> AsyncIterator[Scheduler]:
    async with Scheduler(shared_broker.port, tmp_path, f"t-{uuid.uuid4().hex[:8]}") as scheduler:
        yield scheduler


@pytest_asyncio.fixture
async def make_branch(
    nursery: Nursery, scheduler: Scheduler, shared_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[BranchMaker]:
    """`branch = await make_branch(customer=LEAVES)`: a branch with a running machine; torn down with the test."""
    numbers = itertools.count(1)
    async with AsyncExitStack() as stack:

        async def make(**words: Any) -> Branch:
            name = f"B{next(numbers)}-{uuid.uuid4().hex[:8]}"
            folder = tmp_path_factory.mktemp("n")
            words = {"name": name, "port": shared_broker.port, "scheduler": scheduler, **words}
            return await stack.enter_async_context(Branch(nursery, folder=folder, **words))

        yield make
