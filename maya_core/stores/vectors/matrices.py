"""The vectors of users as matrices in memory: exact search, growth by half, and a bound on all of them together."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from maya_core.domain.memory import MemoryKind, MemoryRef

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector

_KINDS = tuple(MemoryKind)
_FIRST_CAPACITY = 64
_A_FEW = 8
_LINE = np.dtype([("conversation", np.int32), ("kind", np.uint8)])
_ID_BYTES = 200  # an id, in a list and as the key of a dict
_REF_BYTES = 800  # a MemoryRef with its ids


class Change(NamedTuple):
    """A stored row as the matrix takes it in."""

    id: str
    kind: str
    conversation_id: str
    vector: bytes


class UserMatrix:
    """One user's vectors, one a line.

    `refs` holds what they stand for, by id, as far as somebody asked. Only to be used under `Matrices.of`.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self.begin_again(0)

    def begin_again(self, epoch: int) -> None:
        """Forget everything; what is read next is read at this epoch."""
        self.epoch = epoch
        self.version = 0
        self.refs: dict[str, MemoryRef] = {}
        self._conversations: dict[str, int] = {}
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._lines = np.zeros(_FIRST_CAPACITY, dtype=_LINE)
        self._vectors = np.zeros((_FIRST_CAPACITY, self._dimension), dtype=np.float32)

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        matrix = self._vectors.nbytes + self._lines.nbytes
        return matrix + len(self._ids) * _ID_BYTES + len(self.refs) * _REF_BYTES

    def apply(self, changes: Sequence[Change]) -> None:
        """Take in rows: new ones at the end, known ones in their place. Taking one in again changes nothing."""
        new = [change.id for change in changes if change.id not in self._places]
        self._places.update(zip(new, range(len(self._ids), len(self._ids) + len(new)), strict=True))
        self._ids += new
        self._grow(len(self._ids))
        places = [self._places[change.id] for change in changes]
        code = self._conversations
        self._lines[places] = [
            (code.setdefault(change.conversation_id, len(code)), _KINDS.index(MemoryKind(change.kind)))
            for change in changes
        ]
        packed = b"".join(change.vector for change in changes)
        self._vectors[places] = np.frombuffer(packed, dtype=np.float32).reshape(len(changes), self._dimension)
        for change in changes:
            self.refs.pop(change.id, None)

    def closest(
        self, vector: "Vector", *, kinds: Sequence[MemoryKind], limit: int, exclude: str | None
    ) -> list[tuple[str, float]]:
        """Ids with their cosine, best first; of equals the one that came last first."""
        lines = self._lines[: len(self._ids)]
        asked = np.array([kind in kinds for kind in _KINDS])
        wanted = asked[lines["kind"]]
        if exclude in self._conversations:
            wanted &= lines["conversation"] != self._conversations[exclude]
        places = np.flatnonzero(wanted)
        if len(places) * _A_FEW < len(lines):
            scores = self._vectors[places] @ vector
        else:  # taking most of the lines out would cost more than computing all of them
            scores = (self._vectors[: len(lines)] @ vector)[places]
        if limit < len(places):
            best = np.argpartition(scores, -limit)[-limit:]
            places, scores = places[best], scores[best]
        order = np.lexsort((-places, -scores))
        ids = [self._ids[place] for place in places[order].tolist()]
        return list(zip(ids, _cosines(scores[order]), strict=True))

    def compare(self, vector: "Vector", ids: Sequence[str]) -> list[tuple[str, float]]:
        """Those of these ids that are held, with their cosine."""
        held = [id for id in ids if id in self._places]
        if not held:
            return []
        scores = self._vectors[[self._places[id] for id in held]] @ vector
        return list(zip(held, _cosines(scores), strict=True))

    def _grow(self, needed: int) -> None:
        held = len(self._lines)
        if needed <= held:
            return
        capacity = max(needed, held * 3 // 2)
        lines, vectors = self._lines, self._vectors
        self._lines = np.zeros(capacity, dtype=_LINE)
        self._vectors = np.zeros((capacity, self._dimension), dtype=np.float32)
        self._lines[:held] = lines
        self._vectors[:held] = vectors


class Matrices:
    """The matrices of all users, by how recently they were used. Safe from any thread.

    Beyond `most_bytes` the least recently used are dropped, but never the one in use.
    """

    def __init__(self, *, dimension: int, most_bytes: int) -> None:
        self._dimension = dimension
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[threading.Lock, UserMatrix]] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._taken = 0

    @contextmanager
    def of(self, user: str) -> Iterator[UserMatrix]:
        """The user's matrix, for one thread at a time."""
        with self._lock:
            if user not in self._held:
                self._held[user] = (threading.Lock(), UserMatrix(self._dimension))
            self._held.move_to_end(user)
            lock, matrix = self._held[user]
        with lock:
            yield matrix
            size = matrix.size_bytes
        with self._lock:
            if user in self._held:  # it may have been forgotten meanwhile
                self._account(user, size)
            while self._taken > self._most_bytes and len(self._held) > 1:
                self._drop(next(iter(self._held)))

    @property
    def size_bytes(self) -> int:
        """About what all of them take in memory."""
        with self._lock:
            return self._taken

    def forget(self, user: str) -> None:
        """Drop one user's matrix."""
        with self._lock:
            self._drop(user)

    def clear(self) -> None:
        """Drop all."""
        with self._lock:
            for user in list(self._held):
                self._drop(user)

    def _account(self, user: str, size: int) -> None:
        self._taken += size - self._sizes.get(user, 0)
        self._sizes[user] = size

    def _drop(self, user: str) -> None:
        if self._held.pop(user, None) is not None:
            self._taken -= self._sizes.pop(user, 0)


def _cosines(scores: "Vector") -> list[float]:
    """As numbers from -1 to 1: rounding may go beyond. Faster than `np.clip` on a few."""
    within: list[float] = np.minimum(np.maximum(scores, -1.0), 1.0).tolist()
    return within
