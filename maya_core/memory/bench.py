"""The query bench: what recall does with a sentence, leg by leg, and where the sentence lies among a person's vectors.

It asks recall itself, so that what is seen here is what a reply would get. Nothing is stored.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import numpy as np

from maya_core.accounts.access import Action, User, require
from maya_core.domain.conversation import Excerpt, MessageId, RecalledFact, TierUse, UserId
from maya_core.domain.memory import MemoryRef
from maya_core.embeddings.port import Embedder
from maya_core.errors import InvalidInput
from maya_core.memory.fact_search import FactHit, recalled_fact
from maya_core.memory.ranking import Candidate, ScoreParts
from maya_core.memory.recall import Recall
from maya_core.stores.transcripts.port import Passages
from maya_core.stores.vectors.port import Vectors

if TYPE_CHECKING:
    from maya_core.embeddings.port import Matrix, Vector

SENTENCE_CHARACTERS = 1_000
_OF_A_LEG = 10
_FUSED = 20
_POINTS_AT_MOST = 1_200
_REFS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the model would be given: the facts and the first passages, as far as they fit, and how it would read."""

    facts: tuple[str, ...]
    passages: int
    text: str
    tokens: int


class Give(Protocol):
    """Makes what a reply would be asked with, within its budget."""

    def __call__(
        self,
        text: str,
        *,
        recalled: Sequence[Excerpt],
        facts: Sequence[RecalledFact],
        overtaken: Mapping[MessageId, str],
    ) -> Given: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LegHit:
    """A message as one leg found it. `score` is the leg's own: words matched, cosine, how well its fact fits.

    `place` is where it ended in the joint order, from 1; None where it was not among the first.
    """

    excerpt: Excerpt
    score: float
    place: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedHit:
    """A message in the joint order, with what its score is made of. `given` tells that the model would read it.

    `overtaken` says what is known by now where it does not hold any more; "" otherwise.
    """

    excerpt: Excerpt
    parts: ScoreParts
    given: bool
    overtaken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One sentence on the bench. `tiers` tells how each leg fared; one that did not answer brought nothing."""

    sentence: str
    words: tuple[LegHit, ...]
    meaning: tuple[LegHit, ...]
    evidence: tuple[LegHit, ...]
    facts: tuple[FactHit, ...]
    together: tuple[FusedHit, ...]
    given: Given
    tiers: tuple[TierUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A vector on the map. `text` is what was said there, "" where it cannot be recalled any more."""

    ref: MemoryRef
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorMap:
    """A person's vectors in two dimensions. `cut` tells that this is a sample; `kept` the share of their spread."""

    points: tuple[Point, ...]
    query: tuple[float, float] | None
    kept: float
    cut: bool


class Bench:
    """Tries sentences. Without an embedder or vectors there is no map."""

    def __init__(
        self,
        *,
        recall: Recall,
        transcripts: Passages,
        embedder: Embedder | None,
        vectors: Vectors | None,
        give: Give,
        recalled_at_most: int,
    ) -> None:
        """`recalled_at_most` is how many messages a reply asks recall for."""
        self._recall = recall
        self._transcripts = transcripts
        self._embedder = embedder
        self._vectors = vectors
        self._give = give
        self._recalled_at_most = recalled_at_most

    async def run(self, user: User, sentence: str, *, at: datetime | None = None) -> Trial:
        """Recall for a sentence as a reply would, with the facts of another moment on demand.

        Raises InvalidInput, and StoreUnavailable for the transcripts.
        """
        require(user, Action.READ_OWN_CHATS)
        text = _sentence(sentence)
        brought: list[Candidate] = []
        found = await self._recall.search(user.id, text, limit=_FUSED, watch=brought.extend, at=at)
        places = {hit.excerpt.message_id: place for place, hit in enumerate(found.hits, start=1)}
        given = self._give(
            text,
            recalled=[hit.excerpt for hit in found.hits[: self._recalled_at_most]],
            facts=[recalled_fact(hit) for hit in found.facts],
            overtaken={hit.excerpt.message_id: hit.overtaken for hit in found.hits if hit.overtaken},
        )
        legs = (
            _best((c.message_id, c.keyword) for c in brought if c.keyword > 0),
            _best((c.message_id, c.dense) for c in brought if not math.isnan(c.dense)),
            _best((c.message_id, c.graph) for c in brought if c.graph > 0),
        )
        excerpts = await self._read(user.id, {message_id for leg in legs for message_id, _ in leg})
        words, meaning, evidence = (
            tuple(
                LegHit(excerpt=excerpts[message_id], score=score, place=places.get(message_id))
                for message_id, score in leg
                if message_id in excerpts
            )
            for leg in legs
        )
        return Trial(
            sentence=text,
            words=words,
            meaning=meaning,
            evidence=evidence,
            facts=found.facts,
            together=tuple(
                FusedHit(excerpt=hit.excerpt, parts=hit.parts, given=place < given.passages, overtaken=hit.overtaken)
                for place, hit in enumerate(found.hits)
            ),
            given=given,
            tiers=found.tiers,
        )

    async def map(self, user: User, sentence: str = "") -> VectorMap | None:
        """The person's vectors from above, with the sentence among them; None where nothing is found by meaning.

        At most 1,200 of them are read. Ids are digests, so those that come first by id are a fair sample of all.
        Raises StoreUnavailable and ProviderError.
        """
        require(user, Action.READ_OWN_CHATS)
        if self._embedder is None or self._vectors is None:
            return None
        refs = await self._sample(user.id, self._vectors)
        wanted = [ref.id for ref in refs[:_POINTS_AT_MOST]]
        items = [i for i in await self._vectors.fetch(user.id, wanted) if i.ref.model == self._vectors.model]
        query = await self._embedder.embed_query(_sentence(sentence)) if sentence.strip() else None
        excerpts = await self._read(user.id, {item.ref.message_ids[0] for item in items if item.ref.message_ids})
        places, star, kept = await asyncio.to_thread(_flat, [item.vector for item in items], query)
        points = tuple(
            Point(ref=item.ref, x=x, y=y, text=_text_of(item.ref, excerpts))
            for item, (x, y) in zip(items, places, strict=True)
        )
        return VectorMap(points=points, query=star, kept=kept, cut=len(refs) > _POINTS_AT_MOST)

    async def _sample(self, user_id: UserId, vectors: Vectors) -> list[MemoryRef]:
        refs: list[MemoryRef] = []
        while len(refs) <= _POINTS_AT_MOST:
            page = await vectors.list_refs(user_id, after=refs[-1].id if refs else "", limit=_REFS_AT_ONCE)
            refs += page
            if len(page) < _REFS_AT_ONCE:
                break
        return refs

    async def _read(self, user_id: UserId, message_ids: Iterable[MessageId]) -> dict[MessageId, Excerpt]:
        wanted = sorted(message_ids)
        found: dict[MessageId, Excerpt] = {}
        for start in range(0, len(wanted), _REFS_AT_ONCE):
            passages = await self._transcripts.list_passages(user_id, wanted[start : start + _REFS_AT_ONCE])
            found |= {passage.excerpt.message_id: passage.excerpt for passage in passages}
        return found


def _sentence(text: str) -> str:
    clean = " ".join(text.split())
    if not clean:
        raise InvalidInput("Type a sentence to see what it finds.")
    return clean[:SENTENCE_CHARACTERS]


def _best(scored: Iterable[tuple[MessageId, float]]) -> list[tuple[MessageId, float]]:
    return sorted(scored, key=lambda pair: pair[1], reverse=True)[:_OF_A_LEG]


def _text_of(ref: MemoryRef, excerpts: dict[MessageId, Excerpt]) -> str:
    excerpt = excerpts.get(ref.message_ids[0]) if ref.message_ids else None
    return "" if excerpt is None else excerpt.text


def _flat(
    vectors: Sequence["Vector"], query: "Vector | None"
) -> tuple[list[tuple[float, float]], tuple[float, float] | None, float]:
    """Principal components: places of the vectors and of the query, and the share of the spread that they show.

    The sign of each component is fixed by its largest weight, so that the same vectors give the same picture.
    """
    if not vectors:
        return [], (0.0, 0.0) if query is not None else None, 0.0
    rows: Matrix = np.asarray(vectors, dtype=np.float32)
    centre = rows.mean(axis=0)
    _, spread, axes = np.linalg.svd(rows - centre, full_matrices=False)
    two = np.zeros((2, rows.shape[1]), dtype=np.float32)
    for number, axis in enumerate(axes[:2]):
        two[number] = axis * np.sign(axis[np.abs(axis).argmax()])
    places = [(float(x), float(y)) for x, y in (rows - centre) @ two.T]
    squares = spread**2
    kept = float(squares[:2].sum() / squares.sum()) if squares.sum() else 0.0
    if query is None:
        return places, None, kept
    x, y = (query - centre) @ two.T
    return places, (float(x), float(y)), kept
