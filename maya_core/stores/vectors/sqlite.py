"""Vectors in SQLite: BLOBs in the one file, searched exactly in a matrix that each process keeps per user.

The file is the truth. Before every search a process reads the rows that were written since its last look (by version),
and everything again when the user's epoch has changed: some row was removed.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Self, TypeVar

from maya_core.domain.conversation import ConversationId, MessageId, Role, UserId
from maya_core.domain.memory import FactId, MemoryKind, MemoryRef
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, clean_text, from_ms, known_id, new_id, to_ms
from maya_core.stores.vectors.matrices import Change, Matrices, UserMatrix
from maya_core.stores.vectors.port import NOTHING_BESIDE, StoredModel, VectorHit, VectorItem
from maya_core.stores.vectors.unit import unit

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector

T = TypeVar("T")

_OF_A_REF = (
    "id model dimension kind conversation_id message_ids first_seq last_seq speaker role said_at statement_words asks"
    " dated fact_id"
).split()
_NAMES = [*_OF_A_REF, "vector"]
_REF_COLUMNS = ", ".join(_OF_A_REF)
_COLUMNS = ", ".join(_NAMES)
_STORE = (
    f"INSERT INTO vectors (user_id, version, {_COLUMNS}) VALUES ({','.join('?' * (len(_NAMES) + 2))})"  # noqa: S608
    " ON CONFLICT (user_id, id) DO UPDATE SET version = excluded.version, "
    + ", ".join(f"{name} = excluded.{name}" for name in _NAMES)
)
_IDS_AT_ONCE = 500
_ROWS_READ_AT_ONCE = 2_000
MATRIX_BYTES = 256 * 1024 * 1024


class SqliteVectors:
    """Vectors of one model; what other models left in the file is never searched.

    Args:
        matrix_bytes: how much memory the matrices of all users may take; the least recently used go first.
    """

    def __init__(self, database: Database, *, model: str, dimension: int, matrix_bytes: int = MATRIX_BYTES) -> None:
        self._database = database
        self._model = model
        self._dimension = dimension
        self._matrices = Matrices(dimension=dimension, most_bytes=matrix_bytes)

    @classmethod
    async def open(cls, database: Database, *, model: str, dimension: int, matrix_bytes: int = MATRIX_BYTES) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=300.0)
        return cls(database, model=model, dimension=dimension, matrix_bytes=matrix_bytes)

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimension(self) -> int:
        return self._dimension

    async def put(self, user_id: UserId, items: Sequence[VectorItem]) -> None:
        user = new_id(user_id)
        rows = list({item.ref.id: self._to_row(item) for item in items}.values())

        def store(connection: sqlite3.Connection) -> None:
            changed = list(_changed(connection, user, rows))
            if changed:
                version = _next_version(connection, user)
                connection.executemany(_STORE, [(user, version, *row) for row in changed])

        if rows:
            await self._database.write(store)

    async def search(
        self,
        user_id: UserId,
        vector: "Vector",
        *,
        kinds: Sequence[MemoryKind],
        limit: int = 50,
        exclude: ConversationId | None = None,
        also: Sequence[str] = (),
        beside: Mapping[MemoryKind, int] = NOTHING_BESIDE,
    ) -> list[VectorHit]:
        user, most = known_id(user_id), bounded(limit, most=1000)

        def closest(connection: sqlite3.Connection) -> list[VectorHit]:
            wanted = unit(vector, self._dimension)
            with self._matrices.of(user) as matrix:
                self._refresh(connection, user, matrix)
                found = matrix.closest(wanted, kinds=kinds, limit=most, exclude=exclude)
                known = {id for id, _ in found}
                others = [id for id in dict.fromkeys(also) if id not in known]
                found += matrix.compare(wanted, others)
                for kind, number in beside.items():
                    found += matrix.closest(wanted, kinds=(kind,), limit=bounded(number, most=1000), exclude=None)
                return _hits(connection, user, matrix, found)

        return await self._database.read(closest)

    async def compare(self, user_id: UserId, vector: "Vector", ids: Sequence[str]) -> list[VectorHit]:
        user, asked = known_id(user_id), list(dict.fromkeys(ids))

        def compare(connection: sqlite3.Connection) -> list[VectorHit]:
            wanted = unit(vector, self._dimension)
            with self._matrices.of(user) as matrix:
                self._refresh(connection, user, matrix)
                return _hits(connection, user, matrix, matrix.compare(wanted, asked))

        return await self._database.read(compare)

    async def fetch(self, user_id: UserId, ids: Sequence[str]) -> list[VectorItem]:
        user, wanted = known_id(user_id), list(dict.fromkeys(ids))

        def read(connection: sqlite3.Connection) -> list[VectorItem]:
            found: dict[str, sqlite3.Row] = {}
            for part in _parts(wanted):
                found |= _rows_by_id(connection, user, part, columns=_COLUMNS)
            return [_to_item(found[id]) for id in wanted if id in found]

        return await self._database.read(read)

    async def delete(self, user_id: UserId, ids: Sequence[str]) -> None:
        user, unwanted = known_id(user_id), list(dict.fromkeys(ids))

        def remove(connection: sqlite3.Connection) -> None:
            removed = 0
            for part in _parts(unwanted):
                removed += connection.execute(
                    f"DELETE FROM vectors WHERE user_id = ? AND id IN ({_marks(part)})",  # noqa: S608
                    (user, *part),
                ).rowcount
            if removed:
                _begin_epoch(connection, user)

        if unwanted:
            await self._database.write(remove)

    async def delete_model(self, model: str) -> None:
        def remove(connection: sqlite3.Connection) -> None:
            users = connection.execute("SELECT DISTINCT user_id FROM vectors WHERE model = ?", (model,)).fetchall()
            connection.execute("DELETE FROM vectors WHERE model = ?", (model,))
            for (user,) in users:
                _begin_epoch(connection, user)

        await self._database.write(remove)

    async def delete_user(self, user_id: UserId) -> None:
        user = known_id(user_id)

        def remove(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM vectors WHERE user_id = ?", (user,))
            _begin_epoch(connection, user)

        await self._database.write(remove)
        self._matrices.forget(user)

    async def list_refs(self, user_id: UserId, *, after: str = "", limit: int = 1000) -> list[MemoryRef]:
        user = known_id(user_id)
        values = (user, after, bounded(limit, most=1000))

        def read(connection: sqlite3.Connection) -> list[MemoryRef]:
            found = connection.execute(
                f"SELECT {_REF_COLUMNS} FROM vectors WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?",  # noqa: S608
                values,
            )
            return [_to_ref(row) for row in found]

        return await self._database.read(read)

    async def models(self) -> list[StoredModel]:
        def read(connection: sqlite3.Connection) -> list[StoredModel]:
            found = connection.execute("SELECT DISTINCT model, dimension FROM vectors ORDER BY model, dimension")
            return [StoredModel(model=model, dimension=dimension) for model, dimension in found]

        return await self._database.read(read)

    @property
    def held_bytes(self) -> int:
        """About how much memory the matrices take."""
        return self._matrices.size_bytes

    async def ping(self) -> None:
        await self._database.read(lambda connection: connection.execute("SELECT 1 FROM vector_users").fetchone())

    async def close(self) -> None:
        """Close the file, for every store in it."""
        self._matrices.clear()
        await self._database.close()

    def _to_row(self, item: VectorItem) -> "_Row":
        ref = item.ref
        vector = unit(item.vector, self._dimension)
        return (
            new_id(ref.id),
            ref.model,
            self._dimension,
            ref.kind.value,
            ref.conversation_id,
            json.dumps(ref.message_ids),
            ref.first_seq,
            ref.last_seq,
            clean_text(ref.speaker),
            "" if ref.role is None else ref.role.value,
            to_ms(ref.said_at),
            ref.statement_words,
            ref.asks,
            ref.dated,
            "" if ref.fact_id is None else new_id(ref.fact_id),
            vector.tobytes(),
        )

    def _refresh(self, connection: sqlite3.Connection, user: str, matrix: UserMatrix) -> None:
        """Take in what the file has and the matrix has not. The matrix is locked, so looks follow one another."""
        state = connection.execute("SELECT version, epoch FROM vector_users WHERE user_id = ?", (user,)).fetchone()
        if state is None:
            return
        if (state["epoch"], state["version"]) <= (matrix.epoch, matrix.version):
            return  # an older view of the file than another search has had is not gone back to
        if state["epoch"] != matrix.epoch:
            matrix.begin_again(state["epoch"])
        changes = connection.execute(
            "SELECT id, kind, conversation_id, vector FROM vectors"
            " WHERE user_id = ? AND model = ? AND dimension = ? AND version > ? ORDER BY row",
            (user, self._model, self._dimension, matrix.version),
        )
        with self._database.unhurried(connection):
            while part := changes.fetchmany(_ROWS_READ_AT_ONCE):
                matrix.apply([Change(*row) for row in part])
        matrix.version = state["version"]


_Row = tuple[str, str, int, str, str, str, int, int, str, str, int, int, bool, bool, str, bytes]
"""A row as `_NAMES` has it."""


def _rows_by_id(
    connection: sqlite3.Connection, user: str, ids: Sequence[str], *, columns: str
) -> dict[str, sqlite3.Row]:
    found = connection.execute(
        f"SELECT {columns} FROM vectors WHERE user_id = ? AND id IN ({_marks(ids)})",  # noqa: S608
        (user, *ids),
    )
    return {row["id"]: row for row in found}


def _changed(connection: sqlite3.Connection, user: str, rows: Sequence[_Row]) -> Iterator[_Row]:
    """The rows that are not stored exactly so."""
    for part in _parts(rows):
        known = _rows_by_id(connection, user, [row[0] for row in part], columns=_COLUMNS)
        yield from (row for row in part if row[0] not in known or tuple(known[row[0]]) != row)


def _next_version(connection: sqlite3.Connection, user: str) -> int:
    connection.execute(
        "INSERT INTO vector_users (user_id, version, epoch) VALUES (?, 1, 0)"
        " ON CONFLICT (user_id) DO UPDATE SET version = version + 1",
        (user,),
    )
    found = connection.execute("SELECT version FROM vector_users WHERE user_id = ?", (user,)).fetchone()
    return int(found["version"])


def _begin_epoch(connection: sqlite3.Connection, user: str) -> None:
    connection.execute("UPDATE vector_users SET epoch = epoch + 1, version = version + 1 WHERE user_id = ?", (user,))


def _hits(
    connection: sqlite3.Connection, user: str, matrix: UserMatrix, found: Sequence[tuple[str, float]]
) -> list[VectorHit]:
    # What a vector stands for is read once a process, then kept beside the matrix.
    for part in _parts([id for id, _ in found if id not in matrix.refs]):
        matrix.refs.update(
            (id, _to_ref(row)) for id, row in _rows_by_id(connection, user, part, columns=_REF_COLUMNS).items()
        )
    # One that is newer than this view of the file has none here yet.
    refs = matrix.refs
    return [VectorHit(refs[id], score) for id, score in found if id in refs]


def _to_ref(row: sqlite3.Row) -> MemoryRef:
    return MemoryRef(
        id=row["id"],
        kind=MemoryKind(row["kind"]),
        conversation_id=ConversationId(row["conversation_id"]),
        message_ids=tuple(MessageId(id) for id in json.loads(row["message_ids"])),
        first_seq=row["first_seq"],
        last_seq=row["last_seq"],
        speaker=row["speaker"],
        said_at=from_ms(row["said_at"]),
        model=row["model"],
        role=Role(row["role"]) if row["role"] else None,
        statement_words=row["statement_words"],
        asks=bool(row["asks"]),
        dated=bool(row["dated"]),
        fact_id=FactId(row["fact_id"]) if row["fact_id"] else None,
    )


def _to_item(row: sqlite3.Row) -> VectorItem:
    import numpy as np

    return VectorItem(ref=_to_ref(row), vector=np.frombuffer(row["vector"], dtype=np.float32))


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _parts(values: Sequence[T]) -> Iterable[Sequence[T]]:
    return (values[start : start + _IDS_AT_ONCE] for start in range(0, len(values), _IDS_AT_ONCE))
