"""The circuit before a store of memory: who is asked while it does not answer, and what closes it again."""

import asyncio

import pytest

from maya_core.clock import ManualClock
from maya_core.errors import NotFound, StoreUnavailable
from maya_core.resilience.stores import with_circuit


class Store:
    """Counts what reaches it. `failure` is raised by every call; `hangs` waits for ever instead."""

    model = "a property"

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.calls: list[str] = []
        self.failure: Exception | None = None
        self.hangs = False

    async def search(self, text: str) -> str:
        return await self._answer("search", f"found {text}")

    async def ping(self) -> None:
        await self._answer("ping", "")

    async def close(self) -> None:
        self.calls.append("close")

    async def _answer(self, name: str, answer: str) -> str:
        self.calls.append(name)
        if self.hangs:
            self.clock.advance(0.4)  # less than recall waits for its facts or its vectors
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return answer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> Store:
    return Store(clock)


async def fail_twice(store: Store, guarded: Store) -> None:
    store.failure = StoreUnavailable("away")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="away"):
            await guarded.search("it")


async def test_after_two_failures_the_store_is_not_asked_and_its_absence_costs_nothing(
    store: Store, clock: ManualClock
) -> None:
    guarded = with_circuit(store, "pinecone", clock)
    assert (await guarded.search("it"), guarded.model) == ("found it", "a property")
    await fail_twice(store, guarded)
    for _ in range(10):
        with pytest.raises(StoreUnavailable, match="rests"):
            await guarded.search("it")
    assert store.calls == ["search"] * 3
    await guarded.close()
    assert store.calls[-1] == "close"


async def test_a_ping_reaches_a_store_that_rests_and_its_answer_closes_the_circuit(
    store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    guarded = with_circuit(store, "neo4j", clock)
    await fail_twice(store, guarded)
    with pytest.raises(StoreUnavailable, match="away"):
        await guarded.ping()
    with pytest.raises(StoreUnavailable, match="rests"):
        await guarded.search("it")
    store.failure = None
    await guarded.ping()
    assert await guarded.search("it") == "found it"
    await guarded.ping()
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("breaker neo4j")]
    assert [line.split(": generation")[0] for line in told] == [
        "breaker neo4j:store opened",
        "breaker neo4j:store closed",
    ]


async def test_without_any_ping_one_call_finds_out_when_the_open_time_is_over(store: Store, clock: ManualClock) -> None:
    guarded = with_circuit(store, "neo4j", clock)
    await fail_twice(store, guarded)
    store.failure = None
    clock.advance(299)
    with pytest.raises(StoreUnavailable, match="rests"):
        await guarded.search("it")
    clock.advance(1)
    assert await guarded.search("it") == "found it"


async def test_a_caller_that_waited_in_vain_counts_and_one_that_was_stopped_does_not(
    store: Store, clock: ManualClock
) -> None:
    guarded = with_circuit(store, "pinecone", clock)
    store.hangs = True

    async def given_up() -> None:
        task = asyncio.create_task(guarded.search("it"))
        while not store.calls:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        store.calls.clear()

    for _ in range(2):
        await given_up()
    with pytest.raises(StoreUnavailable, match="rests"):
        await guarded.search("it")
    assert store.calls == []


async def test_an_answer_that_refuses_is_an_answer(store: Store, clock: ManualClock) -> None:
    guarded = with_circuit(store, "neo4j", clock)
    store.failure = NotFound("no such entity")
    for _ in range(10):
        with pytest.raises(NotFound):
            await guarded.search("it")
    assert len(store.calls) == 10


async def test_a_mistake_of_the_caller_says_nothing_of_the_store_and_lets_the_next_one_ask(
    store: Store, clock: ManualClock
) -> None:
    guarded = with_circuit(store, "graph", clock)
    await fail_twice(store, guarded)
    clock.advance(300)
    store.failure = ValueError("a vector of another length")
    with pytest.raises(ValueError, match="another length"):
        await guarded.search("it")
    store.failure = None
    assert await guarded.search("it") == "found it"
