"""Records of a portable file from what is stored, and the other way round. Pure."""

from collections.abc import Mapping, Sequence

from maya_core.domain.conversation import Conversation, ConversationId, Feedback, Message, MessageId, Span, UserId
from maya_core.domain.memory import Fact
from maya_core.memory import portable
from maya_core.memory.portable import PortableChat, PortableFact, PortableMessage
from maya_core.stores.transcripts.rows import clean_text, exact_text, restored_text


def portable_chat(
    chat: Conversation, said: Sequence[Message], summaries: Sequence[tuple[int, int, str, str]]
) -> PortableChat:
    """A chat for the file. Stored values are well-formed already, so they are not checked again."""
    return PortableChat.model_construct(
        id=chat.id,
        title=chat.title,
        title_source=chat.title_source,
        kind=chat.kind,
        tags=chat.tags,
        pinned=chat.pinned,
        archived=chat.archived,
        created_at=chat.created_at,
        last_message_at=chat.last_message_at,
        messages=tuple(portable_message(message) for message in said),
        summaries=tuple(
            portable.PortableSummary(first_seq=first, last_seq=last, text=text, extractor=extractor)
            for first, last, text, extractor in summaries
        ),
    )


def portable_message(message: Message) -> PortableMessage:
    """A message for the file, to the letter."""
    feedback = message.feedback
    return PortableMessage.model_construct(
        id=message.id,
        seq=message.seq,
        turn_id=message.turn_id,
        role=message.role,
        speaker=message.speaker,
        said_at=message.said_at,
        status=message.status,
        text=clean_text(message.text),
        exact=exact_text(message.text),
        written_by=tuple(
            portable.PortableSpan(provider=s.provider, model=s.model, start=s.start, end=s.end) for s in message.spans
        ),
        feedback=None
        if feedback is None
        else portable.PortableFeedback(good=feedback.good, comment=feedback.comment, at=feedback.at),
    )


def portable_fact(fact: Fact, sentence: str) -> PortableFact:
    """A fact for the file, with the sentence that it reads as."""
    return PortableFact.model_construct(
        id=fact.id,
        subject=fact.subject,
        relation=fact.relation,
        label=fact.label,
        object=fact.object,
        sentence=sentence,
        speaker=fact.speaker,
        confidence=fact.confidence,
        origin=fact.origin,
        evidence=fact.evidence,
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
        recorded_at=fact.recorded_at,
        retracted_at=fact.retracted_at,
        end_known_at=fact.end_known_at,
        superseded_by=fact.superseded_by,
    )


def copy_of(
    user_id: UserId, chat: PortableChat, id: ConversationId, ids: Mapping[str, MessageId]
) -> tuple[Conversation, list[Message]]:
    """A chat of the file as it is stored here, under the ids that it was given."""
    conversation = Conversation(
        id=id,
        user_id=user_id,
        title=chat.title,
        title_source=chat.title_source,
        kind=chat.kind,
        tags=chat.tags,
        pinned=chat.pinned,
        archived=chat.archived,
        created_at=chat.created_at,
        last_message_at=chat.last_message_at,
        deleted_at=None,
        message_count=0,
    )
    messages = [
        Message(
            id=ids[said.id],
            conversation_id=id,
            user_id=user_id,
            seq=said.seq,
            turn_id=portable.digest(id, said.turn_id or said.id),
            role=said.role,
            speaker=said.speaker,
            text=_text(said),
            said_at=said.said_at,
            status=said.status,
            spans=tuple(Span(provider=s.provider, model=s.model, start=s.start, end=s.end) for s in said.written_by),
            feedback=None
            if said.feedback is None
            else Feedback(good=said.feedback.good, comment=said.feedback.comment, at=said.feedback.at),
        )
        for said in chat.messages
    ]
    return conversation, messages


def _text(said: PortableMessage) -> str:
    """What was said to the letter; a damaged `exact` is worth no more than the text beside it."""
    try:
        exact = restored_text(said.text, said.exact)
    except ValueError:
        return said.text
    return exact if clean_text(exact) == said.text else said.text


def hash_of(message: Message) -> str:
    """By what a stored message is known."""
    return portable.message_hash(message.role, message.speaker, message.said_at, clean_text(message.text))


def portable_hash(said: PortableMessage) -> str:
    """By what a message of a file is known: the same for the same words."""
    return portable.message_hash(said.role, clean_text(said.speaker), said.said_at, clean_text(said.text))
