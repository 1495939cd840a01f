"""What a request to forget would come to, as a person is shown it before they agree."""

from collections.abc import Iterator
from dataclasses import dataclass

from maya_core.domain.forgetting import Keeper, Scope, ScopeKind
from maya_core.memory.forget_draft import Draft

_SAMPLES = 5
_SAMPLE_CHARACTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPart:
    """What would go from one place: how many, and the first of them as a person knows them."""

    keeper: Keeper
    what: str
    count: int
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a request would come to, exactly; `notes` are sentences about what stays."""

    scope: Scope
    parts: tuple[PreviewPart, ...]
    notes: tuple[str, ...]


def preview_of(scope: Scope, draft: Draft, *, vectors: int | None) -> Preview:
    """The preview of a draft; `vectors` is None where nobody can tell how many there are."""
    plan = draft.plan
    said = [_shortened(message.text) for message in draft.messages[:_SAMPLES]]
    parts = [
        PreviewPart(keeper=Keeper.TRANSCRIPTS, what="chats", count=len(plan.conversations)),
        PreviewPart(keeper=Keeper.TRANSCRIPTS, what="messages", count=draft.message_count, samples=tuple(said)),
        PreviewPart(keeper=Keeper.LEARNED, what="notes of what was learnt", count=draft.rows),
        PreviewPart(keeper=Keeper.GRAPH, what="facts", count=len(plan.facts), samples=draft.facts[:_SAMPLES]),
        PreviewPart(
            keeper=Keeper.GRAPH, what="people and things", count=len(plan.entities), samples=draft.entities[:_SAMPLES]
        ),
        PreviewPart(keeper=Keeper.GRAPH, what="facts that change", count=len(plan.changed_facts)),
    ]
    if vectors is not None:
        parts.append(PreviewPart(keeper=Keeper.VECTORS, what="vectors", count=vectors))
    return Preview(scope=scope, parts=tuple(part for part in parts if part.count), notes=tuple(_notes(scope, draft)))


def _notes(scope: Scope, draft: Draft) -> Iterator[str]:
    if draft.kept:
        some = "The message" if draft.kept == 1 else f"The {draft.kept} messages"
        yield f"{some} in your chats that it was learnt from will stay. It will not be learnt from them again."
    if scope.kind in {ScopeKind.FACT, ScopeKind.ENTITY}:
        yield "Maya will not learn it again by itself. You can still add it by hand."
    if scope.kind is ScopeKind.ENTITY:
        yield "Messages that only mention the name stay in your chats. Forget them one by one if you want to."
    if scope.kind is ScopeKind.SPAN:
        yield "Off-the-record chats are not touched. Delete them one by one, or choose everything."
    if scope.kind is ScopeKind.EVERYTHING:
        yield "Off-the-record chats go too. Your account and its figures of use stay."
    yield "This cannot be undone. Copies that an administrator has made of the databases are not reached."


def _shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SAMPLE_CHARACTERS else plain[: _SAMPLE_CHARACTERS - 1] + "…"
