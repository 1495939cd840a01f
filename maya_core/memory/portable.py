"""The file that a memory travels in: its shape, its content hashes, and how it reads as Markdown. Pure.

Whatever comes from a file is checked here record by record; what may be done with it is decided in `portability`.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from maya_core.domain.conversation import ConversationKind, MessageStatus, Role, TitleSource
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactOrigin, Relation
from maya_core.errors import InvalidInput
from maya_core.memory.fact_sentences import fact_sentence

FORMAT = "maya-memory"
VERSION = 1
IMPORT = "import-1"
"""What stands as the extractor of whatever came from a file."""

FILE_BYTES_AT_MOST = 64_000_000
CHATS_AT_MOST = 20_000
FACTS_AT_MOST = 50_000

Id = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=1_000)]
M = TypeVar("M", bound=BaseModel)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PortableSpan(_Record):
    """Which model wrote a part of a reply."""

    provider: Annotated[str, Field(max_length=200)]
    model: Annotated[str, Field(max_length=200)]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class PortableFeedback(_Record):
    """A thumb on a reply."""

    good: bool
    comment: Annotated[str, Field(max_length=2_000)] = ""
    at: AwareDatetime


class PortableMessage(_Record):
    """One thing said. `exact` is the text as ASCII JSON where it holds what is no proper character."""

    id: Id
    seq: Annotated[int, Field(ge=1, le=1_000_000)]
    turn_id: Annotated[str, Field(max_length=200)] = ""
    role: Role
    speaker: Annotated[str, Field(max_length=1_000)]
    said_at: AwareDatetime
    status: Literal[MessageStatus.COMPLETE, MessageStatus.INTERRUPTED, MessageStatus.FAILED]
    text: Annotated[str, Field(max_length=1_000_000)]
    exact: Annotated[str, Field(max_length=6_000_002)] | None = None
    written_by: tuple[PortableSpan, ...] = ()
    feedback: PortableFeedback | None = None


class PortableSummary(_Record):
    """What a range of a chat came to."""

    first_seq: Annotated[int, Field(ge=1)]
    last_seq: Annotated[int, Field(ge=1)]
    text: Annotated[str, Field(max_length=100_000)]
    extractor: Annotated[str, Field(max_length=200)] = ""


class PortableChat(_Record):
    """A chat with its messages and summaries, both in order."""

    id: Id
    title: Annotated[str, Field(max_length=1_000)]
    title_source: TitleSource = TitleSource.NONE
    kind: ConversationKind = ConversationKind.NORMAL
    tags: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=50)] = ()
    pinned: bool = False
    archived: bool = False
    created_at: AwareDatetime
    last_message_at: AwareDatetime
    messages: Annotated[tuple[PortableMessage, ...], Field(min_length=1)]
    summaries: tuple[PortableSummary, ...] = ()


class PortableEntity(_Record):
    """Somebody or something that facts speak of."""

    id: Id
    name: Name
    kind: EntityKind
    aliases: Annotated[tuple[Name, ...], Field(max_length=200)] = ()


class PortableFact(_Record):
    """A dated claim with its evidence. `sentence` is for readers of the file."""

    id: Id
    subject: Id
    relation: Relation
    label: Annotated[str, Field(max_length=1_000)] = ""
    object: Id
    sentence: str = ""
    speaker: Annotated[str, Field(max_length=1_000)]
    confidence: Annotated[float, Field(ge=0, le=1)]
    origin: FactOrigin
    evidence: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
    recorded_at: AwareDatetime
    retracted_at: AwareDatetime | None = None
    end_known_at: AwareDatetime | None = None
    superseded_by: Id | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A record that is not taken in: which one, and why, in a sentence."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Portable:
    """Everything in a file that is as it should be, and what is not."""

    exported_at: datetime | None
    chats: tuple[PortableChat, ...]
    entities: Mapping[str, PortableEntity]
    facts: tuple[PortableFact, ...]
    refused: tuple[Refused, ...]


def to_json(
    *,
    exported_at: datetime,
    chats: Sequence[PortableChat],
    entities: Sequence[PortableEntity],
    facts: Sequence[PortableFact],
) -> bytes:
    """The file, indented, in UTF-8."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": exported_at.isoformat(),
        "chats": [chat.model_dump(mode="json", exclude_none=True) for chat in chats],
        "entities": [entity.model_dump(mode="json") for entity in entities],
        "facts": [fact.model_dump(mode="json") for fact in facts],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")


def from_json(data: bytes) -> Portable:
    """What a file holds. Raises InvalidInput, with the sentence for the person, for what is no export at all."""
    if len(data) > FILE_BYTES_AT_MOST:
        raise InvalidInput(f"This file is larger than {FILE_BYTES_AT_MOST // 1_000_000} MB. Nothing was taken in.")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise InvalidInput("This file is no JSON, or it is cut off. Nothing was taken in.") from exc
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InvalidInput("This file is no export of a memory. Nothing was taken in.")
    if content.get("version") != VERSION:
        raise InvalidInput("This export was made by another version of Maya that writes it differently.")
    lists = {name: content.get(name, []) for name in ("chats", "entities", "facts")}
    if not all(isinstance(each, list) for each in lists.values()):
        raise InvalidInput("This export is damaged: its parts are no lists. Nothing was taken in.")
    if len(lists["chats"]) > CHATS_AT_MOST or len(lists["facts"]) > FACTS_AT_MOST:
        raise InvalidInput(f"An import has at most {CHATS_AT_MOST:,} chats and {FACTS_AT_MOST:,} facts.")
    refused: list[Refused] = []
    chats = [chat for chat in _checked(PortableChat, lists["chats"], "Chat", refused) if _in_order(chat, refused)]
    entities = {entity.id: entity for entity in _checked(PortableEntity, lists["entities"], "Name", refused)}
    facts = [
        fact for fact in _checked(PortableFact, lists["facts"], "Fact", refused) if _has_ends(fact, entities, refused)
    ]
    return Portable(
        exported_at=_moment(content.get("exported_at")),
        chats=tuple(chats),
        entities=entities,
        facts=tuple(facts),
        refused=tuple(refused),
    )


def message_hash(role: Role, speaker: str, said_at: datetime, text: str) -> str:
    """What makes a message that message, wherever it is kept."""
    said = f"{role.value}\0{speaker}\0{said_at.timestamp():.3f}\0{text}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def digest(*parts: str) -> str:
    """One id from several parts."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def to_markdown(
    *, exported_at: datetime, chats: Sequence[PortableChat], entities: Sequence[Entity], facts: Sequence[Fact]
) -> str:
    """The same to read: facts by whom they are about, with speaker, dates and evidence, then the chats."""
    known = {entity.id: entity for entity in entities}
    said = {message.id: (chat, message) for chat in chats for message in chat.messages}
    about: dict[EntityId, list[Fact]] = defaultdict(list)
    for fact in facts:
        about[fact.subject].append(fact)
    lines = [
        "# What Maya remembers",
        "",
        f"Exported on {_day(exported_at)}. {len(facts):,} facts, {len(chats):,} chats.",
        "",
        "## Facts",
        "",
    ]
    for subject, of_subject in sorted(about.items(), key=lambda pair: -len(pair[1])):
        entity = known.get(subject)
        named = "Somebody" if entity is None else "You" if entity.kind is EntityKind.USER else _line(entity.name)
        lines += [f"### {named}", ""]
        for fact in of_subject:
            lines.append(f"- {_line(fact_sentence(fact, known))}. {_dates(fact)}")
            lines += [_quoted(*said[id]) for id in fact.evidence if id in said]
        lines.append("")
    lines += ["## Chats", ""]
    for chat in chats:
        lines += [f"### {_line(chat.title)}", ""]
        lines += [f"> {_line(summary.text)}" for summary in chat.summaries] + [""] * bool(chat.summaries)
        for message in chat.messages:
            lines += [f"**{_line(message.speaker)}**, {_when(message.said_at)}", "", message.text, ""]
    return "\n".join(lines)


def _checked(model: type[M], records: Iterable[object], word: str, refused: list[Refused]) -> list[M]:
    """The records that are as they should be, each id once."""
    kept: dict[str, M] = {}
    for number, record in enumerate(records, start=1):
        try:
            found = model.model_validate_json(json.dumps(record))
        except (ValidationError, ValueError, RecursionError) as exc:
            refused.append(Refused(what=f"{word} {number}", why=_reason(exc)))
            continue
        kept.setdefault(str(getattr(found, "id", number)), found)
    return list(kept.values())


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "It is nested too deeply to be read."
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the record"
    return f"{place}: {first['msg']}."


def _in_order(chat: PortableChat, refused: list[Refused]) -> bool:
    places = [message.seq for message in chat.messages]
    ids = {message.id for message in chat.messages}
    if len(ids) == len(places) and all(a < b for a, b in pairwise(places)):
        return True
    refused.append(Refused(what=f"Chat “{chat.title[:60]}”", why="Its messages are not in order, or there twice."))
    return False


def _has_ends(fact: PortableFact, entities: Mapping[str, PortableEntity], refused: list[Refused]) -> bool:
    if fact.subject in entities and fact.object in entities:
        return True
    refused.append(Refused(what=f"Fact {fact.id[:60]}", why="The file does not say whom or what it is about."))
    return False


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else None


def _dates(fact: Fact) -> str:
    parts = [
        f"Said by {_line(fact.speaker)}" if fact.speaker else "Speaker unknown",
        f"known since {_day(fact.recorded_at)}",
    ]
    if fact.valid_from:
        parts.append(f"true from {_day(fact.valid_from)}")
    if fact.valid_to:
        parts.append(f"until {_day(fact.valid_to)}")
    if fact.retracted_at:
        parts.append(f"taken back on {_day(fact.retracted_at)}")
    if fact.superseded_by:
        parts.append("replaced by a later one")
    return "; ".join(parts) + "."


def _quoted(chat: PortableChat, message: PortableMessage) -> str:
    text = _line(message.text)
    shown = text if len(text) <= 200 else text[:199] + "…"
    return f"  - “{shown}” ({_line(message.speaker)}, {_when(message.said_at)}, in “{_line(chat.title)}”)"


def _line(text: str) -> str:
    return " ".join(text.split())


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _when(at: datetime) -> str:
    return f"{_day(at)}, {at:%H:%M} UTC"
