"""Presses that lead from the memory page to where something was said."""

from maya_core.accounts.access import User
from maya_core.domain.conversation import MessageId
from maya_core.ui import navigation
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act

_WITHIN_S = 10.0


def lead(maya: Runtime, user: User, act: Act) -> None:
    """Go to a message: `open_at` knows its chat ("chat message"), `open_source` looks it up. The stores check ids."""
    match act.name:
        case "open_at":
            chat_id, _, message_id = act.to.partition(" ")
            navigation.open_chat(chat_id, message_id=message_id)
        case "open_source":
            found = maya.engine.run(maya.transcripts.get_message(user.id, MessageId(act.to)), timeout_s=_WITHIN_S)
            navigation.open_chat(found.conversation_id, message_id=found.id)
