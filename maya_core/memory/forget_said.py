"""The keeper of what was said: messages and chats, receipts that quote them, titles made from them."""

from collections.abc import Callable

from maya_core.domain.conversation import ConversationId, Role, TitleSource, UserId
from maya_core.domain.forgetting import Plan
from maya_core.failpoint import failpoint
from maya_core.memory.forget_rules import Rules
from maya_core.memory.holding import Hold
from maya_core.memory.parts import parts
from maya_core.stores.forgets.port import Forgets

_AT_ONCE = 1000
_FIRST_MESSAGES = 50


class Said:
    """Erases transcripts. `title_of` makes a title from the words of a message."""

    def __init__(self, *, forgets: Forgets, title_of: Callable[[str], str]) -> None:
        self._forgets = forgets
        self._title_of = title_of

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Rows of messages and chats go, receipts of other replies lose what they quote, chats get another title."""
        removed = 0
        for chat in plan.conversations:
            hold.check()
            removed += await self._forgets.erase_conversation(user_id, chat)
            failpoint("F6")
        for part in parts(plan.messages, _AT_ONCE):
            hold.check()
            removed += await self._forgets.erase_messages(user_id, part)
        removed += await self._clean_receipts(user_id, plan)
        for chat in plan.retitled:
            await self._retitle(user_id, chat)
        there = set(await self._forgets.list_conversations(user_id)) & set(plan.conversations)
        left = len(there) + sum(
            [len(await self._forgets.list_messages(user_id, part)) for part in parts(plan.messages, _AT_ONCE)]
        )
        return removed, left + await self._quoting(user_id, plan)

    async def _clean_receipts(self, user_id: UserId, plan: Plan) -> int:
        """Receipts of other replies quote what was recalled for them."""
        rules, cleaned, after = Rules.of(user_id, plan), 0, None
        while page := await self._forgets.receipts(user_id, after=after):
            for each in page:
                left = rules.receipt(each.receipt)
                if left != each.receipt:
                    await self._forgets.replace_receipt(user_id, each.message_id, left)
                    cleaned += 1
            after = page[-1].message_id
        return cleaned

    async def _quoting(self, user_id: UserId, plan: Plan) -> int:
        rules, found, after = Rules.of(user_id, plan), 0, None
        while page := await self._forgets.receipts(user_id, after=after):
            found += sum(rules.receipt(each.receipt) != each.receipt for each in page)
            after = page[-1].message_id
        return found

    async def _retitle(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """A title that came from the first words of a chat comes from what is first now; a person's own stays."""
        ids = (await self._forgets.list_ids(user_id, [conversation_id]))[:_FIRST_MESSAGES]
        said = sorted(await self._forgets.list_messages(user_id, ids), key=lambda message: message.seq)
        first = next((message.text for message in said if message.active and message.role is Role.USER), None)
        if first is None:
            await self._forgets.retitle(user_id, conversation_id, "New chat", TitleSource.NONE)
            return
        await self._forgets.retitle(user_id, conversation_id, self._title_of(first), TitleSource.FIRST_WORDS)
