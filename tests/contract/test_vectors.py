"""The contract of the vectors port: the SQLite file, and Pinecone's client against Pinecone's wire."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.memory import FactId, MemoryKind
from maya_core.errors import ConfigurationError, StoreUnavailable
from maya_core.stores.sqlite import Database
from maya_core.stores.vectors.check import check_index
from maya_core.stores.vectors.pinecone import PineconeVectors
from maya_core.stores.vectors.port import Vectors
from maya_core.stores.vectors.sqlite import SqliteVectors
from tests.support.embedders import HashingEmbedder
from tests.support.vectors_writer import MODEL, item
from tests.support.vendors.pinecone import FakePinecone, Trouble
from tests.support.vendors.server import unused_url

DIMENSION = 16
EPISODES = (MemoryKind.EPISODE,)
PATIENT_S = 20.0
KEY = "sample-pinecone-key"

Open = Callable[..., Awaitable[Vectors]]


@pytest.fixture(scope="module")
def pinecone() -> Iterator[FakePinecone]:
    with FakePinecone() as fake:
        yield fake


def service_url() -> str:
    """Pinecone's wire as a process of its own. Absent, the test is skipped."""
    url = os.environ.get("MAYA_TEST_PINECONE_URL", "")
    if not url:
        pytest.skip("MAYA_TEST_PINECONE_URL names no server (`make services` starts one)")
    return url


@pytest.fixture(params=["sqlite", "pinecone", "pinecone service"])
async def open_vectors(request: pytest.FixtureRequest, tmp_path: Path, pinecone: FakePinecone) -> AsyncIterator[Open]:
    """Opens stores over one empty place; each has connections of its own."""
    opened: list[Vectors] = []
    index = f"maya-{uuid4().hex[:12]}"
    url = service_url() if request.param == "pinecone service" else pinecone.url

    async def open_one(*, model: str = MODEL, dimension: int = DIMENSION) -> Vectors:
        if request.param == "sqlite":
            database = Database(tmp_path / "maya.db", timeout_s=PATIENT_S)
            store: Vectors = await SqliteVectors.open(database, model=model, dimension=dimension)
        else:
            store = await PineconeVectors.connect(
                api_key=KEY,
                index=index,
                model=model,
                dimension=dimension,
                timeout_s=PATIENT_S,
                control_url=url,
            )
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()
    pinecone.reset()


@pytest.fixture
async def vectors(open_vectors: Open) -> Vectors:
    return await open_vectors()


@pytest.fixture
def user() -> UserId:
    return UserId(f"user-{uuid4().hex}")


def along(*axes: tuple[int, float]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    vector = np.zeros(DIMENSION, dtype=np.float32)
    for axis, weight in axes:
        vector[axis] = weight
    return vector


async def ids_of(vectors: Vectors, user: UserId, axis: int = 0, limit: int = 1000) -> list[str]:
    found = await vectors.search(user, along((axis, 1.0)), kinds=EPISODES, limit=limit)
    return [hit.ref.id for hit in found]


async def test_a_reference_comes_back_as_it_was_put_with_a_vector_of_length_one(vectors: Vectors, user: UserId) -> None:
    put = item(3, DIMENSION)
    await vectors.put(user, [put])
    (hit,) = await vectors.search(user, along((3, 0.2)), kinds=EPISODES)
    assert hit.ref == put.ref
    assert hit.score == pytest.approx(1.0, abs=1e-5)
    (fetched,) = await vectors.fetch(user, [put.ref.id])
    assert fetched.ref == put.ref
    assert fetched.vector == pytest.approx(put.vector / 3.0)


async def test_the_vector_of_a_fact_leads_to_the_fact(vectors: Vectors, user: UserId) -> None:
    told = item(3, DIMENSION)
    by_hand = replace(told, ref=replace(told.ref, kind=MemoryKind.FACT, message_ids=(), fact_id=FactId("f_1")))
    await vectors.put(user, [by_hand])
    (hit,) = await vectors.search(user, along((3, 1.0)), kinds=[MemoryKind.FACT])
    assert hit.ref == by_hand.ref
    assert await vectors.list_refs(user) == [by_hand.ref]


async def test_hits_are_ordered_by_cosine_whatever_the_length_of_the_vectors(vectors: Vectors, user: UserId) -> None:
    long_and_far = replace(item(0, DIMENSION, id="far"), vector=along((0, 10.0), (1, 10.0)))
    short_and_near = replace(item(1, DIMENSION, id="near"), vector=along((0, 0.01), (1, 0.001)))
    opposite = replace(item(2, DIMENSION, id="opposite"), vector=along((0, -1.0)))
    await vectors.put(user, [long_and_far, short_and_near, opposite])
    found = await vectors.search(user, along((0, 1.0)), kinds=EPISODES)
    assert [hit.ref.id for hit in found] == ["near", "far", "opposite"]
    assert found[1].score == pytest.approx(0.7071, abs=1e-3)
    assert found[2].score == pytest.approx(-1.0, abs=1e-5)


async def test_without_anything_there_are_no_hits(vectors: Vectors, user: UserId) -> None:
    assert await vectors.search(user, along((0, 1.0)), kinds=EPISODES) == []
    assert await vectors.fetch(user, ["v0001"]) == []
    assert await vectors.list_refs(user) == []
    await vectors.delete(user, ["v0001"])
    await vectors.delete_user(user)


async def test_a_thousand_vectors_are_found_listed_and_limited(vectors: Vectors, user: UserId) -> None:
    await vectors.put(user, [item(number, DIMENSION) for number in range(1000)])
    assert len(await ids_of(vectors, user)) == 1000
    nearest = await ids_of(vectors, user, axis=5, limit=7)
    assert len(nearest) == 7
    assert all(int(id[1:]) % DIMENSION == 5 for id in nearest)
    first = await vectors.list_refs(user, limit=400)
    second = await vectors.list_refs(user, after=first[-1].id, limit=1000)
    assert [ref.id for ref in (*first, *second)] == [f"v{number:04d}" for number in range(1000)]


async def test_putting_again_changes_nothing_and_replacing_leaves_one(vectors: Vectors, user: UserId) -> None:
    put = item(1, DIMENSION)
    await vectors.put(user, [put])
    await vectors.put(user, [put, put])
    assert await ids_of(vectors, user) == ["v0001"]
    other = replace(item(2, DIMENSION, id="v0001"), ref=replace(put.ref, speaker="Ann", last_seq=99))
    await vectors.put(user, [other])
    (hit,) = await vectors.search(user, along((2, 1.0)), kinds=EPISODES)
    assert (hit.ref.speaker, hit.ref.last_seq, round(hit.score, 4)) == ("Ann", 99, 1.0)
    assert len(await vectors.list_refs(user)) == 1


async def test_only_the_kinds_that_were_asked_for_come_back(vectors: Vectors, user: UserId) -> None:
    kinds = {kind.value: kind for kind in MemoryKind}
    await vectors.put(
        user,
        [
            replace(item(0, DIMENSION, id=name), ref=replace(item(0, DIMENSION, id=name).ref, kind=kind))
            for name, kind in kinds.items()
        ],
    )
    for name, kind in kinds.items():
        found = await vectors.search(user, along((0, 1.0)), kinds=[kind])
        assert [hit.ref.id for hit in found] == [name]
    assert await vectors.search(user, along((0, 1.0)), kinds=[]) == []


async def test_a_few_of_one_kind_are_found_among_many_of_another(vectors: Vectors, user: UserId) -> None:
    many = [item(number, DIMENSION) for number in range(60)]
    facts = [replace(each, ref=replace(each.ref, kind=MemoryKind.FACT)) for each in many[50:53]]
    await vectors.put(user, [*many[:50], *facts, *many[53:]])
    found = await vectors.search(user, facts[1].vector, kinds=[MemoryKind.FACT])
    assert found[0].ref == facts[1].ref
    assert found[0].score == pytest.approx(1.0, abs=1e-5)
    assert {hit.ref.id for hit in found} == {fact.ref.id for fact in facts}


async def test_an_excluded_conversation_does_not_take_places_in_the_limit(vectors: Vectors, user: UserId) -> None:
    running = [item(number * DIMENSION, DIMENSION, conversation="running") for number in range(20)]
    earlier = [replace(item(1000 + n, DIMENSION, conversation="earlier"), vector=along((0, 1), (n, 1))) for n in (1, 2)]
    await vectors.put(user, [*running, *earlier])
    found = await vectors.search(user, along((0, 1.0)), kinds=EPISODES, limit=2, exclude=ConversationId("running"))
    assert {hit.ref.id for hit in found} == {"v1001", "v1002"}
    unknown = await vectors.search(user, along((0, 1.0)), kinds=EPISODES, limit=3, exclude=ConversationId("none"))
    assert len(unknown) == 3


async def test_other_ids_are_compared_on_the_way_however_far_they_are(vectors: Vectors, user: UserId) -> None:
    await vectors.put(user, [item(number, DIMENSION) for number in range(6)])
    asked = ["v0000", "v0004", "v0005", "v0005", "unknown"]
    found = await vectors.search(user, along((0, 1.0)), kinds=EPISODES, limit=1, also=asked)
    assert found[0].ref.id == "v0000"
    assert sorted(hit.ref.id for hit in found) == ["v0000", "v0004", "v0005"]
    assert found[1].score == pytest.approx(0.0, abs=1e-6)
    compared = await vectors.compare(user, along((0, 1.0), (4, 1.0)), asked)
    assert {hit.ref.id: round(hit.score, 3) for hit in compared} == {"v0000": 0.707, "v0004": 0.707, "v0005": 0.0}
    assert await vectors.compare(user, along((0, 1.0)), []) == []


async def test_the_closest_of_another_kind_follow_whatever_their_conversation(vectors: Vectors, user: UserId) -> None:
    said = [item(100 + n, DIMENSION, conversation="running") for n in range(8)]
    facts = [
        replace(each, ref=replace(each.ref, kind=MemoryKind.FACT), vector=along((0, 1), (1, n)))
        for n, each in enumerate(said)
    ]
    await vectors.put(user, [*(item(n, DIMENSION, conversation="earlier") for n in range(6)), *facts])
    found = await vectors.search(
        user,
        along((0, 1.0)),
        kinds=EPISODES,
        limit=1,
        exclude=ConversationId("running"),
        also=["v0005"],
        beside={MemoryKind.FACT: 3},
    )
    assert [hit.ref.id for hit in found] == ["v0000", "v0005", "v0100", "v0101", "v0102"]
    assert await vectors.search(user, along((0, 1.0)), kinds=EPISODES, beside={MemoryKind.SUMMARY: 3}, limit=1) != []


async def test_deleted_vectors_are_gone_and_the_rest_stays(vectors: Vectors, user: UserId) -> None:
    await vectors.put(user, [item(number, DIMENSION) for number in range(5)])
    await vectors.search(user, along((0, 1.0)), kinds=EPISODES)
    await vectors.delete(user, ["v0001", "v0003", "never there"])
    assert sorted(await ids_of(vectors, user)) == ["v0000", "v0002", "v0004"]
    assert [found.ref.id for found in await vectors.fetch(user, ["v0003", "v0004"])] == ["v0004"]
    await vectors.delete_user(user)
    assert await ids_of(vectors, user) == []
    await vectors.put(user, [item(1, DIMENSION)])
    assert await ids_of(vectors, user) == ["v0001"]


async def test_another_users_vectors_are_never_seen_or_touched(vectors: Vectors, user: UserId) -> None:
    other = UserId(f"other-{uuid4().hex}")
    await vectors.put(user, [item(1, DIMENSION)])
    await vectors.put(other, [item(1, DIMENSION, id="theirs"), item(1, DIMENSION)])
    assert await ids_of(vectors, user) == ["v0001"]
    assert await vectors.fetch(user, ["theirs"]) == []
    await vectors.delete(user, ["theirs"])
    await vectors.delete_user(user)
    assert sorted(await ids_of(vectors, other)) == ["theirs", "v0001"]


async def test_fetch_keeps_the_order_that_was_asked_for(vectors: Vectors, user: UserId) -> None:
    await vectors.put(user, [item(number, DIMENSION) for number in range(300)])
    wanted = [f"v{number:04d}" for number in range(299, -1, -1)]
    assert [found.ref.id for found in await vectors.fetch(user, [*wanted, "unknown", "v0001"])] == wanted


async def test_a_second_store_sees_what_the_first_has_written_replaced_and_deleted(
    open_vectors: Open, user: UserId
) -> None:
    writer, reader = await open_vectors(), await open_vectors()
    await writer.put(user, [item(1, DIMENSION), item(2, DIMENSION)])
    assert sorted(await ids_of(reader, user)) == ["v0001", "v0002"]
    await writer.put(user, [item(3, DIMENSION)])
    assert len(await ids_of(reader, user)) == 3
    await writer.put(user, [item(7, DIMENSION, id="v0003")])
    (closest, *_) = await reader.search(user, along((7, 1.0)), kinds=EPISODES)
    assert (closest.ref.id, closest.ref.first_seq) == ("v0003", 7)
    await writer.delete(user, ["v0001"])
    assert sorted(await ids_of(reader, user)) == ["v0002", "v0003"]


async def test_vectors_of_another_model_are_listed_and_never_searched(open_vectors: Open, user: UserId) -> None:
    old, new = await open_vectors(model="model-old:1"), await open_vectors()
    await old.put(user, [item(1, DIMENSION, id="old", model="model-old:1")])
    await new.put(user, [item(1, DIMENSION)])
    assert await ids_of(new, user) == ["v0001"]
    assert await ids_of(old, user) == ["old"]
    assert [stored.model for stored in await new.models()] == [MODEL, "model-old:1"]
    assert [ref.id for ref in await new.list_refs(user)] == ["old", "v0001"]
    await new.delete_model("model-old:1")
    assert [stored.model for stored in await new.models()] == [MODEL]
    assert await ids_of(old, user) == []
    assert await ids_of(new, user) == ["v0001"]


@pytest.mark.parametrize(
    "wrong",
    [np.ones(DIMENSION + 1), np.ones(DIMENSION - 1), np.zeros(DIMENSION), np.full(DIMENSION, np.nan)],
    ids=["longer", "shorter", "without direction", "not numbers"],
)
async def test_a_vector_that_cannot_be_one_is_refused_and_nothing_is_stored(
    vectors: Vectors, user: UserId, wrong: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"
) -> None:
    with pytest.raises(ValueError, match="vector"):
        await vectors.put(user, [item(1, DIMENSION), replace(item(2, DIMENSION), vector=wrong)])
    with pytest.raises(ValueError, match="vector"):
        await vectors.search(user, wrong, kinds=EPISODES)
    assert await vectors.list_refs(user) == []


async def test_many_writers_and_readers_at_once_lose_nothing(vectors: Vectors, user: UserId) -> None:
    async def write(start: int) -> None:
        for number in range(start, start + 10):
            await vectors.put(user, [item(number, DIMENSION)])
            await ids_of(vectors, user)

    await asyncio.gather(*(write(start) for start in range(0, 50, 10)))
    assert len(await ids_of(vectors, user)) == 50


async def test_check_index_passes_for_the_model_in_use_and_stops_for_another(open_vectors: Open, user: UserId) -> None:
    vectors = await open_vectors()
    embedder = HashingEmbedder(model=MODEL, dimension=DIMENSION)
    await check_index(embedder, vectors)
    await vectors.put(user, [item(1, DIMENSION)])
    await check_index(embedder, vectors)
    changed = await open_vectors(model="model-new:1")
    with pytest.raises(ConfigurationError, match=f"{DIMENSION} numbers.*rebuild-memory") as caught:
        await check_index(HashingEmbedder(model="model-new:1", dimension=DIMENSION), changed)
    assert "model-a:1" in str(caught.value)


async def test_reopened_after_close_everything_is_there(open_vectors: Open, user: UserId) -> None:
    first = await open_vectors()
    await first.put(user, [item(1, DIMENSION)])
    await first.close()
    again = await open_vectors()
    assert await ids_of(again, user) == ["v0001"]
    await again.ping()


# SQLite alone


async def test_sqlite_sees_what_another_process_writes_between_two_searches(tmp_path: Path, user: UserId) -> None:
    file = tmp_path / "maya.db"
    vectors = await SqliteVectors.open(Database(file), model=MODEL, dimension=DIMENSION)
    await vectors.put(user, [item(0, DIMENSION)])
    assert await ids_of(vectors, user) == ["v0000"]
    writers = [await _writer(file, user, first) for first in (100, 200)]
    seen = 1
    while any(writer.returncode is None for writer in writers):
        found = len(await ids_of(vectors, user))
        assert found >= seen
        seen = found
        await asyncio.sleep(0.01)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(await ids_of(vectors, user)) == 41
    await vectors.close()


async def _writer(file: Path, user: UserId, first: int) -> asyncio.subprocess.Process:
    arguments = ["-m", "tests.support.vectors_writer", str(file), user, str(first), "20", str(DIMENSION)]
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, env={**os.environ, "PYTHONPATH": "."})


async def test_sqlite_drops_the_least_recently_used_matrix_and_still_answers(tmp_path: Path) -> None:
    vectors = await SqliteVectors.open(
        Database(tmp_path / "maya.db"), model=MODEL, dimension=DIMENSION, matrix_bytes=100_000
    )
    users = [UserId(f"user-{number}") for number in range(10)]
    for number, user in enumerate(users):
        await vectors.put(user, [item(n, DIMENSION, id=f"{number}-{n}") for n in range(30)])
    for _ in range(2):
        for number, user in enumerate(users):
            assert {id.split("-")[0] for id in await ids_of(vectors, user)} == {str(number)}
    assert 20_000 < vectors.held_bytes <= 100_000
    await vectors.close()


async def test_sqlite_works_from_a_second_thread_with_a_loop_of_its_own(tmp_path: Path, user: UserId) -> None:
    vectors = await SqliteVectors.open(Database(tmp_path / "maya.db"), model=MODEL, dimension=DIMENSION)
    await vectors.put(user, [item(1, DIMENSION)])
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.extend(asyncio.run(ids_of(vectors, user))))
    thread.start()
    await asyncio.to_thread(thread.join)
    assert found == ["v0001"]
    await vectors.close()


async def test_sqlite_tells_vectors_of_another_dimension_by_their_two_numbers(tmp_path: Path, user: UserId) -> None:
    small = await SqliteVectors.open(Database(tmp_path / "maya.db"), model=MODEL, dimension=DIMENSION)
    await small.put(user, [item(1, DIMENSION)])
    await small.close()
    large = await SqliteVectors.open(Database(tmp_path / "maya.db"), model="model-b:1", dimension=24)
    assert await large.search(user, np.ones(24, dtype=np.float32), kinds=EPISODES) == []
    with pytest.raises(ConfigurationError, match=r"16 numbers.*24.*python -m maya_core rebuild-memory"):
        await check_index(HashingEmbedder(model="model-b:1", dimension=24), large)
    await large.close()


CALLS: dict[str, Callable[[Vectors, UserId], Awaitable[object]]] = {
    "put": lambda vectors, user: vectors.put(user, [item(0, DIMENSION)]),
    "search": lambda vectors, user: vectors.search(user, along((0, 1.0)), kinds=EPISODES, also=["v0001"]),
    "compare": lambda vectors, user: vectors.compare(user, along((0, 1.0)), ["v0001"]),
    "fetch": lambda vectors, user: vectors.fetch(user, ["v0001"]),
    "delete": lambda vectors, user: vectors.delete(user, ["v0001"]),
    "delete_user": lambda vectors, user: vectors.delete_user(user),
    "delete_model": lambda vectors, user: vectors.delete_model("model-old:1"),
    "list_refs": lambda vectors, user: vectors.list_refs(user),
    "models": lambda vectors, user: vectors.models(),
    "ping": lambda vectors, user: vectors.ping(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
async def test_sqlite_closed_is_unavailable(
    tmp_path: Path, user: UserId, call: Callable[[Vectors, UserId], Awaitable[object]]
) -> None:
    vectors = await SqliteVectors.open(Database(tmp_path / "maya.db"), model=MODEL, dimension=DIMENSION)
    await vectors.close()
    with pytest.raises(StoreUnavailable):
        await call(vectors, user)


# Pinecone alone


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
@pytest.mark.parametrize("trouble", [Trouble(hang=True), Trouble(status=503)], ids=["silent", "503"])
async def test_pinecone_repeats_by_itself_and_is_cut_off_by_the_deadline(
    pinecone: FakePinecone,
    user: UserId,
    call: Callable[[Vectors, UserId], Awaitable[object]],
    trouble: Trouble,
) -> None:
    pinecone.reset()
    vectors = await _connected(pinecone)
    vectors._timeout_s = 0.5
    pinecone.trouble(trouble, times=50)
    started = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailable):
        await call(vectors, user)
    assert asyncio.get_running_loop().time() - started < 6.0  # undisturbed, the client would try for 6.9 s and more
    pinecone.calm()
    await vectors.close()


async def test_pinecone_that_refuses_the_connection_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        await PineconeVectors.connect(
            api_key=KEY, index="maya", model=MODEL, dimension=DIMENSION, timeout_s=1.0, control_url=unused_url()
        )


async def test_pinecone_that_is_away_at_the_start_is_found_by_a_later_call(user: UserId) -> None:
    url, stored = unused_url(), item(0, DIMENSION)
    vectors = await _connect_later(url, dimension=DIMENSION)
    with pytest.raises(StoreUnavailable):
        await vectors.put(user, [stored])
    with FakePinecone(port=_port(url)):
        await vectors.put(user, [stored])
        assert [hit.ref.id for hit in await vectors.search(user, stored.vector, kinds=EPISODES)] == [stored.ref.id]
        await vectors.close()


async def test_pinecone_index_that_is_found_later_and_is_of_another_dimension_is_unavailable(user: UserId) -> None:
    url = unused_url()
    vectors = await _connect_later(url, dimension=24)
    with FakePinecone(port=_port(url)) as pinecone:
        await (await _connected(pinecone)).close()
        with pytest.raises(StoreUnavailable, match=r"16 numbers.*24"):
            await vectors.list_refs(user)
    await vectors.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 500, 502])
async def test_pinecone_errors_of_every_kind_are_unavailable(pinecone: FakePinecone, user: UserId, status: int) -> None:
    vectors = await _connected(pinecone)
    vectors._timeout_s = 0.5
    pinecone.trouble(Trouble(status=status), times=50)
    with pytest.raises(StoreUnavailable) as caught:
        await vectors.search(user, along((0, 1.0)), kinds=EPISODES)
    assert KEY not in str(caught.value)
    pinecone.calm()
    await vectors.close()


async def test_pinecone_that_stores_a_part_of_a_batch_is_unavailable(pinecone: FakePinecone, user: UserId) -> None:
    vectors = await _connected(pinecone)
    await vectors.put(user, [item(0, DIMENSION)])
    pinecone.trouble(Trouble(stores_at_most=3))
    with pytest.raises(StoreUnavailable, match="3 of 10"):
        await vectors.put(user, [item(number, DIMENSION) for number in range(10)])
    await vectors.put(user, [item(number, DIMENSION) for number in range(10)])
    assert len(await ids_of(vectors, user)) == 10
    await vectors.close()


async def test_pinecone_names_a_namespace_of_the_user_on_every_call(pinecone: FakePinecone, user: UserId) -> None:
    pinecone.reset()
    vectors = await _connected(pinecone)
    await vectors.put(user, [item(0, DIMENSION)])
    pinecone.requests.clear()
    for call in CALLS.values():
        await call(vectors, user)
    spaces = {str(body.get("namespace")) for path, body in pinecone.requests if not path.endswith("index_stats")}
    (own,) = spaces - {"maya-models"}
    assert own.startswith("user-")
    assert user not in own
    await vectors.close()


async def test_pinecone_index_of_another_dimension_stops_the_start_with_both_numbers(pinecone: FakePinecone) -> None:
    first = await _connected(pinecone)
    await first.close()
    with pytest.raises(ConfigurationError, match=r"16 numbers.*24.*PINECONE_INDEX.*rebuild-memory"):
        await PineconeVectors.connect(
            api_key=KEY, index="maya", model="model-b:1", dimension=24, control_url=pinecone.url
        )


async def test_pinecone_sends_large_puts_in_requests_that_the_service_takes(
    pinecone: FakePinecone, user: UserId
) -> None:
    vectors = await PineconeVectors.connect(
        api_key=KEY, index="large", model=MODEL, dimension=1536, timeout_s=PATIENT_S, control_url=pinecone.url
    )
    random = np.random.default_rng(1)
    many = [replace(item(n, 1536), vector=random.standard_normal(1536).astype(np.float32)) for n in range(120)]
    await vectors.put(user, many)
    assert len(await vectors.list_refs(user)) == 120
    await vectors.close()
    pinecone.reset()


async def _connected(pinecone: FakePinecone) -> PineconeVectors:
    return await PineconeVectors.connect(
        api_key=KEY, index="maya", model=MODEL, dimension=DIMENSION, timeout_s=PATIENT_S, control_url=pinecone.url
    )


async def _connect_later(url: str, *, dimension: int) -> PineconeVectors:
    """For an address where nothing answers yet."""
    return await PineconeVectors.connect(
        api_key=KEY, index="maya", model=MODEL, dimension=dimension, control_url=url, at_once=False
    )


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
