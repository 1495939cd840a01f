"""A whole chat as a file: Markdown to read, JSON to keep."""

import json
from datetime import datetime
from typing import Literal

from maya_core.accounts.access import Action, User, require
from maya_core.domain.conversation import Conversation, ConversationId, Message, MessageStatus, Role
from maya_core.stores.transcripts.port import Messages, Transcripts

Format = Literal["markdown", "json"]
_PAGE = 500
_MESSAGES_AT_MOST = 50_000


async def export(
    transcripts: Transcripts,
    user: User,
    conversation_id: ConversationId,
    form: Format,
    *,
    at_most: int = _MESSAGES_AT_MOST,
) -> str:
    """The chat's newest `at_most` active messages, oldest first, in one text that says when there are older ones.

    Raises NotFound.
    """
    require(user, Action.EXPORT_OWN_CHATS)
    conversation = await transcripts.get(user.id, conversation_id)
    messages = await _newest(transcripts, user, conversation_id, at_most + 1)
    whole = len(messages) <= at_most
    messages = messages[-at_most:]
    if form == "json":
        return as_json(conversation, messages, whole=whole)
    return as_markdown(conversation, messages, whole=whole)


async def _newest(store: Messages, user: User, conversation_id: ConversationId, wanted: int) -> list[Message]:
    pages: list[list[Message]] = []
    before: int | None = None
    while wanted > 0:
        page = await store.list_messages(user.id, conversation_id, before_seq=before, limit=min(wanted, _PAGE))
        if not page:
            break
        pages.append(page)
        before, wanted = page[0].seq, wanted - len(page)
    return [message for page in reversed(pages) for message in page]


def as_markdown(conversation: Conversation, messages: list[Message], *, whole: bool = True) -> str:
    """A document with a heading per message: who, when, and a note where a reply was cut short."""
    lines = [f"# {conversation.title}", ""]
    if not whole:
        lines += [
            f"*(The newest {len(messages):,} messages. The chat has older ones, which are not in this file.)*",
            "",
        ]
    if conversation.tags:
        lines += ["Tags: " + ", ".join(conversation.tags), ""]
    for message in messages:
        lines += [f"## {_author(message)}, {_when(message.said_at)}", "", message.text, ""]
        if message.status is not MessageStatus.COMPLETE:
            lines += [f"*({message.status.value})*", ""]
    return "\n".join(lines)


def as_json(conversation: Conversation, messages: list[Message], *, whole: bool = True) -> str:
    """An object with the chat's own fields and its messages; times are ISO 8601 in UTC.

    Not `whole`: the chat has older messages, which are left out.
    """
    return json.dumps(
        {
            "format": "maya-chat-1",
            "id": conversation.id,
            "title": conversation.title,
            "kind": conversation.kind.value,
            "tags": list(conversation.tags),
            "created_at": conversation.created_at.isoformat(),
            "whole": whole,
            "messages": [
                {
                    "id": message.id,
                    "seq": message.seq,
                    "role": message.role.value,
                    "speaker": message.speaker,
                    "said_at": message.said_at.isoformat(),
                    "status": message.status.value,
                    "text": message.text,
                    "written_by": [
                        {"provider": s.provider, "model": s.model, "start": s.start, "end": s.end}
                        for s in message.spans
                    ],
                    "feedback": None
                    if message.feedback is None
                    else {"good": message.feedback.good, "comment": message.feedback.comment},
                }
                for message in messages
            ],
        },
        ensure_ascii=False,
        indent=2,
    )


def _author(message: Message) -> str:
    models = ", ".join(dict.fromkeys(span.model for span in message.spans))
    return f"{message.speaker} ({models})" if message.role is Role.ASSISTANT and models else message.speaker


def _when(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
