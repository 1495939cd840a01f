"""One search of recall: what its legs bring to a question, put together in a pool.

`early` needs the question's words, `near` its vector, `complete` both. What is late or down costs its own leg only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from maya_core.beside import all_of
from maya_core.domain.conversation import ConversationId, MessageId, UserId, WordMatch
from maya_core.domain.memory import MemoryKind
from maya_core.embeddings.port import Embedder
from maya_core.memory.episodes import episode_id
from maya_core.memory.fact_search import CLOSE_AT_MOST, FactHit, FactSearch, best, evidence
from maya_core.memory.legs import Legs
from maya_core.memory.pool import Pool
from maya_core.memory.question import Question
from maya_core.memory.ranking import Candidate
from maya_core.stores.transcripts.port import Passages
from maya_core.stores.vectors.port import NOTHING_BESIDE, VectorHit, Vectors

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector

WORDS = "words"
MEANING = "meaning"
FACTS = "facts"

# The share of the time left that a leg may take: what the others find has to be read in the rest.
EARLY_SHARE = 0.7  # what is asked first
NEAR_SHARE = 0.6  # what needs the question's vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """Search by meaning: an embedder and the vectors that it made."""

    embedder: Embedder
    vectors: Vectors

    def ids(self, message_ids: Sequence[MessageId]) -> list[str]:
        """Of the vectors of these messages."""
        return [episode_id(message_id, model=self.embedder.model) for message_id in message_ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What is searched; a leg without its store has None. `by_words`, `by_meaning`: the most that a leg may bring."""

    transcripts: Passages
    dense: Dense | None
    facts: FactSearch | None
    by_words: int
    by_meaning: int

    @property
    def missing(self) -> list[str]:
        """Legs without a store."""
        return [tier for tier, source in ((MEANING, self.dense), (FACTS, self.facts)) if source is None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """What the words of a question bring."""

    matches: Sequence[WordMatch] = ()
    facts: Sequence[FactHit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """What lies near to a question's vector."""

    messages: Sequence[VectorHit] = ()
    facts: Sequence[VectorHit] = ()


class Gathering:
    """The search for one question of one person. `pool` and `facts` are there after `complete`."""

    def __init__(
        self,
        sources: Sources,
        user_id: UserId,
        question: Question,
        *,
        exclude: ConversationId | None,
        at: datetime,
        legs: Legs,
    ) -> None:
        self._sources = sources
        self._user_id = user_id
        self._question = question
        self._exclude = exclude
        self._at = at
        self._legs = legs
        self.pool = Pool()
        self.facts: Sequence[FactHit] = ()

    async def early(self) -> Early:
        """Ask by words and for the facts that the question names."""
        matches, facts = await all_of(self._by_words(), self._by_facts())
        return Early(matches=matches, facts=facts)

    async def near(self, vector: "Vector", also: Sequence[MessageId] = ()) -> Near:
        """The closest messages, and these others however far they are; and the closest facts."""
        dense = self._sources.dense
        if dense is None:
            return Near()
        beside = NOTHING_BESIDE if self._sources.facts is None else {MemoryKind.FACT: CLOSE_AT_MOST}
        found: Sequence[VectorHit] = await self._legs.ask(
            MEANING,
            lambda: dense.vectors.search(
                self._user_id,
                vector,
                kinds=(MemoryKind.EPISODE,),
                limit=self._sources.by_meaning,
                exclude=self._exclude,
                also=dense.ids(also),
                beside=beside,
            ),
            [],
            share=NEAR_SHARE,
        )
        messages = [hit for hit in found if hit.ref.kind is not MemoryKind.FACT]
        self._legs.found(MEANING, len(messages))
        return Near(messages=messages, facts=found[len(messages) :])

    async def complete(self, early: Early, vector: "Vector | None", near: Near | None) -> None:
        """Put everything together. What lies near is asked for here where it is not known yet."""
        self.pool.add_matches(early.matches)
        if near is None:
            near = Near() if vector is None else await self.near(vector, self.pool.unmeasured)
        self.pool.add_vectors(near.messages)
        self.facts = await self._with_close(early.facts, near.facts)
        self.pool.add_evidence(evidence(self.facts))
        dense = self._sources.dense
        if dense is not None and vector is not None and self.pool.unmeasured:
            known, unmeasured = vector, dense.ids(self.pool.unmeasured)
            measured: Sequence[VectorHit] = await self._legs.ask(
                MEANING, lambda: dense.vectors.compare(self._user_id, known, unmeasured), [], share=NEAR_SHARE
            )
            self.pool.add_vectors(measured)
        await self.read(self.pool.unplaced)

    async def read(self, message_ids: Sequence[MessageId]) -> None:
        """Get the words of messages. What may not be recalled any more has none, and is left out later."""
        unread = [message_id for message_id in message_ids if message_id not in self.pool.passages]
        if unread:
            transcripts, user = self._sources.transcripts, self._user_id
            self.pool.add_passages(await self._legs.ask(WORDS, lambda: transcripts.list_passages(user, unread), []))

    async def overtaken(self, candidates: Sequence[Candidate]) -> Mapping[MessageId, str]:
        """What is known by now beside messages that do not hold any more."""
        none: Mapping[MessageId, str] = {}
        facts = self._sources.facts
        if facts is None or not candidates:
            return none
        said = {each.message_id: each.ref.said_at for each in candidates}
        return await self._legs.ask(FACTS, lambda: facts.overtaken(self._user_id, said, at=self._at), none)

    async def _by_words(self) -> Sequence[WordMatch]:
        sources = self._sources
        found: Sequence[WordMatch] = await self._legs.ask(
            WORDS,
            lambda: sources.transcripts.match_words(
                self._user_id, self._question.text, limit=sources.by_words, exclude=self._exclude
            ),
            [],
            share=EARLY_SHARE,
        )
        self._legs.found(WORDS, len(found))
        return found

    async def _by_facts(self) -> Sequence[FactHit]:
        facts = self._sources.facts
        if facts is None:
            return []
        return await self._legs.ask(
            FACTS, lambda: facts.about(self._user_id, self._question, at=self._at), [], share=EARLY_SHARE
        )

    async def _with_close(self, known: Sequence[FactHit], close: Sequence[VectorHit]) -> Sequence[FactHit]:
        """The best of the facts that are known and of those close in meaning."""
        facts = self._sources.facts
        if facts is None:
            return []
        if close:
            known = await self._legs.ask(
                FACTS,
                lambda: facts.with_close(self._user_id, self._question, known, close, at=self._at),
                known,
                share=NEAR_SHARE,
            )
        found = best(known)
        self._legs.found(FACTS, len(found))
        return found
