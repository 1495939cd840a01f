"""Naming chats beside the turns: the first words at once, a model's title after the first reply."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

from maya_core.accounts.access import User
from maya_core.chat import titles
from maya_core.domain.conversation import ConversationChanges, Message, TitleSource
from maya_core.domain.generation import Caller, ChainFailed, Chunk, Done, Prompt, Purpose
from maya_core.providers.port import Chain
from maya_core.stores.transcripts.port import Transcripts

_MODEL_TITLE_WITHIN_S = 30.0


class Naming:
    """Follows turns (see `chat.turn.Follower`). Never touches a title that a person chose, nor the order of the list.

    `offline` is the name of the provider that is no model: its words make no title.
    """

    def __init__(self, *, transcripts: Transcripts, chain: Chain, ask_a_model: bool, offline: str) -> None:
        self._transcripts = transcripts
        self._chain = chain
        self._ask_a_model = ask_a_model
        self._offline = offline

    async def turn_started(self, user: User, message: Message) -> None:
        """Name a chat by the first words of its first message."""
        conversation = await self._transcripts.get(user.id, message.conversation_id)
        if conversation.title_source is not TitleSource.NONE:
            return
        changes = ConversationChanges(title=titles.from_first_words(message.text), title_source=TitleSource.FIRST_WORDS)
        await self._transcripts.update(user.id, message.conversation_id, changes)

    async def turn_completed(self, user: User, message: Message, reply: Message) -> None:
        """After the first turn, ask a model for a better title; keep the first words when it has none."""
        if not self._ask_a_model or message.seq != 1 or reply.seq != 2:
            return
        caller = Caller(user_id=user.id, purpose=Purpose.TITLE)
        title = await self._from_model(replace(titles.prompt_for_title(message.text, reply.text), caller=caller))
        if title is None:
            return
        conversation = await self._transcripts.get(user.id, message.conversation_id)
        if conversation.title_source is TitleSource.FIRST_WORDS:
            changes = ConversationChanges(title=title, title_source=TitleSource.MODEL)
            await self._transcripts.update(user.id, message.conversation_id, changes)

    async def _from_model(self, prompt: Prompt) -> str | None:
        parts: list[str] = []
        try:
            async with asyncio.timeout(_MODEL_TITLE_WITHIN_S), aclosing(self._chain.stream(prompt)) as events:
                async for event in events:
                    if isinstance(event, Chunk):
                        if event.provider == self._offline:
                            return None
                        parts.append(event.text)
                    elif isinstance(event, Done):
                        return titles.from_model("".join(parts))
        except (ChainFailed, TimeoutError):
            return None
        return None
