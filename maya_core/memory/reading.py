"""Reading a range of messages: one model call, or the rules that need no model, and what is to be written of it.

The output that is stored is the summary and the claims, as they came. What may be believed of them is decided after it
was stored, by the gate and by `reconcile`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from pydantic import TypeAdapter

from maya_core.domain.conversation import Message, Role, UserId
from maya_core.domain.generation import Caller, ChainFailed, Chunk, Done, Prompt, Purpose
from maya_core.domain.memory import RELATION_RULES, Entity, EntityId, Fact, Relation
from maya_core.errors import ExtractionError
from maya_core.memory import extraction, gate, offline_extractor, reconcile
from maya_core.memory.claims import Admitted, Claim, Reason, Refused
from maya_core.memory.decisions import DecidedFact, Decisions, Stretch, Verdict
from maya_core.memory.entities import Register, spellings
from maya_core.memory.fact_sentences import written_out
from maya_core.memory.mentions import without_tombstones
from maya_core.memory.understanding import Extracted, Known, Sought
from maya_core.providers.port import Chain
from maya_core.stores.batches.port import Batch

log = logging.getLogger(__name__)

VERSION = "1"
_REPLACEABLE = {relation for relation, rule in RELATION_RULES.items() if rule.single} | {Relation.RELATED_TO}
"""Whatever relation an extractor names, the gate may find one of these in the words; then one fact replaces another."""

Summarise = Callable[[Sequence[Message]], str]
"""The summary that needs no model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What an extractor made of a range; `answer` is the model's own text, "" where none was asked."""

    summary: str
    claims: tuple[Claim, ...]
    answer: str = ""


class Reader:
    """The `Understanding` of consolidation.

    Args:
        chain: the models, or None when none is configured.
        offline: the name of the provider in the chain that is no model.
        model_within_s: the longest that one answer may take.
    """

    def __init__(
        self, *, chain: Chain | None, summarise: Summarise, offline: str = "offline", model_within_s: float = 120.0
    ) -> None:
        self._chain = chain
        self._summarise = summarise
        self._offline = offline
        self._model_within_s = model_within_s

    @property
    def version(self) -> str:
        return VERSION

    async def extract(self, user_id: UserId, messages: Sequence[Message], *, offline: bool = True) -> Extracted | None:
        """Ask a model once; without one, read offline. A range without words is read without asking anybody."""
        if not messages:
            return Extracted(output=output_to_bytes(Output(summary="", claims=())), extractor="none", offline=False)
        if self._chain is not None and (asked := await self._ask(self._chain, user_id, messages)) is not None:
            return asked
        if not offline:
            return None
        output = await asyncio.to_thread(self._without_model, messages)
        return Extracted(output=output, extractor=offline_extractor.EXTRACTOR, offline=True)

    def sought(self, user_id: UserId, output: bytes) -> Sought:
        claims = output_from_bytes(output).claims
        named = {
            name
            for claim in claims
            for name in (claim.subject, claim.object, *claim.subject_aliases, *claim.object_aliases)
        }
        spelt = [spelling for name in sorted(named) for spelling in spellings(name)]
        relations = {claim.relation for claim in claims} | _REPLACEABLE if claims else ()
        return Sought(names=["user", *dict.fromkeys(spelt)], relations=sorted(relations))

    def decide(self, batch: Batch, messages: Sequence[Message], known: Known, *, at: datetime) -> Decisions:
        output = output_from_bytes(batch.output or b"")
        verdicts = gate.admit(output.claims, messages)
        register = Register.of(batch.user_id, known.entities)
        reconciled = reconcile.decide(
            [verdict for verdict in verdicts if isinstance(verdict, Admitted)],
            batch=reconcile.Batch(
                id=batch.id,
                user_id=batch.user_id,
                speaker=next((m.speaker for m in messages if m.role is Role.USER), ""),
                extractor=batch.extractor,
                at=at,
            ),
            register=register,
            known=known.facts,
            said_at={**known.said_at, **{message.id: message.said_at for message in messages}},
            tombstones=known.tombstones,
            set_right=known.set_right,
        )
        facts = reconciled.facts()
        return Decisions(
            stretch=stretch_of(batch, messages),
            summary=without_tombstones(batch.user_id, output.summary, known.tombstones),
            entities=_entities(facts, reconciled.entities, register.entities),
            facts=tuple(DecidedFact(fact=f, sentence=_sentence(f, register.entities)) for f in facts),
            verdicts=(
                *(_refusal(verdict) for verdict in verdicts if isinstance(verdict, Refused)),
                *(
                    Verdict(claim=_words(decision.claim), outcome=decision.action.value, reason=decision.reason)
                    for decision in reconciled.decisions
                ),
            ),
        )

    async def _ask(self, chain: Chain, user_id: UserId, messages: Sequence[Message]) -> Extracted | None:
        """None when no model answers, or none gives an answer of the right shape."""
        caller = Caller(user_id=user_id, purpose=Purpose.CONSOLIDATION)
        call = _Call(chain, offline=self._offline, caller=caller)
        try:
            async with asyncio.timeout(self._model_within_s):
                found = await extraction.extract(messages, ask=call)
        except (ChainFailed, TimeoutError, _NoModel) as failure:
            log.info("no model read the range: %s", type(failure).__name__)
            return None
        except ExtractionError:
            log.warning("memory.extraction_unusable model=%s", call.model)
            return None
        output = Output(summary=found.summary, claims=found.claims, answer=found.answer)
        return Extracted(output=output_to_bytes(output), extractor=call.model, offline=False)

    def _without_model(self, messages: Sequence[Message]) -> bytes:
        claims = offline_extractor.extract(messages)
        return output_to_bytes(Output(summary=self._summarise(messages), claims=tuple(claims)))


class _NoModel(Exception):
    """The answer came from the offline provider."""


class _Call:
    """Puts prompts to the chain and remembers which model answered last."""

    def __init__(self, chain: Chain, *, offline: str, caller: Caller) -> None:
        self._chain = chain
        self._caller = caller
        self._offline = offline
        self.model = ""

    async def __call__(self, prompt: Prompt) -> str:
        parts: list[str] = []
        async for event in self._chain.stream(replace(prompt, caller=self._caller)):
            if isinstance(event, Chunk):
                if event.provider == self._offline:
                    raise _NoModel
                parts.append(event.text)
            elif isinstance(event, Done):
                self.model = event.model
        return "".join(parts)


def only_summary(summary: str) -> bytes:
    """The output of a range of which nothing but a summary is to be kept."""
    return output_to_bytes(Output(summary=summary, claims=()))


def stretch_of(batch: Batch, messages: Sequence[Message]) -> Stretch | None:
    """What the vectors of a batch have to name; None for a range without words."""
    if not messages:
        return None
    speakers = {message.speaker for message in messages}
    return Stretch(
        conversation_id=batch.conversation_id,
        message_ids=tuple(message.id for message in messages),
        first_seq=messages[0].seq,
        last_seq=messages[-1].seq,
        speaker=speakers.pop() if len(speakers) == 1 else "",
        said_at=messages[-1].said_at,
    )


def _entities(facts: Sequence[Fact], changed: Sequence[Entity], known: Mapping[EntityId, Entity]) -> tuple[Entity, ...]:
    """New and changed entities, and every end of a fact: a batch's decisions can be written by themselves."""
    ends = dict.fromkeys(end for fact in facts for end in (fact.subject, fact.object))
    found = {entity.id: entity for entity in changed} | {end: known[end] for end in ends}
    return tuple(found.values())


def _sentence(fact: Fact, entities: Mapping[EntityId, Entity]) -> str:
    return written_out(fact.relation, fact.label, entities[fact.subject].name, entities[fact.object].name)


def _refusal(refused: Refused) -> Verdict:
    """Why a claim was refused. A secret is not repeated, not even here."""
    secret = refused.reason is Reason.SECRET
    return Verdict(claim="" if secret else _words(refused.claim), outcome="refuse", reason=refused.reason.value)


def _words(claim: Claim) -> str:
    return written_out(claim.relation, claim.label, claim.subject, claim.object)


def output_to_bytes(output: Output) -> bytes:
    return _adapter().dump_json(output)


def output_from_bytes(stored: bytes) -> Output:
    return _adapter().validate_json(stored)


@cache
def _adapter() -> TypeAdapter[Output]:
    return TypeAdapter(Output)
