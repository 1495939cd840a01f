"""The candidates of one recall while they are put together: what each leg knows of a message, under its id."""

from collections.abc import Mapping, Sequence
from math import nan

from maya_core.domain.conversation import ConversationId, MessageId, Passage, WordMatch
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.memory.ranking import Candidate
from maya_core.memory.substance import substance
from maya_core.stores.vectors.port import VectorHit


class Pool:
    """Messages found by words, by meaning, or as the evidence of facts. `passages` holds the words of some of them."""

    def __init__(self) -> None:
        self.passages: dict[MessageId, Passage] = {}
        self._keyword: dict[MessageId, float] = {}
        self._graph: dict[MessageId, float] = {}
        self._refs: dict[MessageId, MemoryRef] = {}
        self._cosine: dict[MessageId, float] = {}

    @property
    def unmeasured(self) -> list[MessageId]:
        """Those whose closeness in meaning nobody has told."""
        return [id for id in self._keyword | self._graph if id not in self._cosine]

    @property
    def unplaced(self) -> list[MessageId]:
        """Those of which nothing but the id is known."""
        return [id for id in self._keyword | self._graph if id not in self._refs and id not in self.passages]

    def add_matches(self, matches: Sequence[WordMatch]) -> None:
        """Take in what was found by words."""
        self._keyword.update(matches)

    def add_vectors(self, hits: Sequence[VectorHit]) -> None:
        """Take in what was found by meaning; of a message in several pieces the closest counts."""
        for hit in hits:
            message_id = hit.ref.message_ids[0]
            self._refs[message_id] = hit.ref
            self._cosine[message_id] = max(self._cosine.get(message_id, -1.0), hit.score)

    def add_evidence(self, scores: Mapping[MessageId, float]) -> None:
        """Take in the evidence of facts."""
        self._graph.update(scores)

    def add_passages(self, passages: Sequence[Passage]) -> None:
        """Take in the words of messages."""
        self.passages.update((passage.excerpt.message_id, passage) for passage in passages)

    def candidates(self, *, exclude: ConversationId | None) -> list[Candidate]:
        """Everything of which more than the id is known, outside of the conversation that is left out."""
        out = []
        for message_id in self._keyword | self._cosine | self._graph:
            ref = self._refs.get(message_id) or self._ref_of_passage(message_id)
            if ref is not None and ref.conversation_id != exclude:
                out.append(
                    Candidate(
                        ref,
                        self._cosine.get(message_id, nan),
                        self._keyword.get(message_id, 0.0),
                        self._graph.get(message_id, 0.0),
                    )
                )
        return out

    def _ref_of_passage(self, message_id: MessageId) -> MemoryRef | None:
        """What a vector would say of a message that has none yet."""
        passage = self.passages.get(message_id)
        if passage is None:
            return None
        said, found = passage.excerpt, substance(passage.excerpt.text)
        return MemoryRef(
            id="",
            kind=MemoryKind.EPISODE,
            conversation_id=said.conversation_id,
            message_ids=(message_id,),
            first_seq=passage.seq,
            last_seq=passage.seq,
            speaker=said.speaker,
            said_at=said.said_at,
            model="",
            role=said.role,
            statement_words=found.statement_words,
            asks=found.asks,
            dated=found.dated,
        )
