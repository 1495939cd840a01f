"""What a person does with a fact: look where it was said."""

from maya_core.accounts.access import User
from maya_core.ui import navigation
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act


def act(maya: Runtime, user: User, act: Act) -> None:
    """A press in a fact. Comes from a browser: the stores check every id against the user."""
    match act.name:
        case "source":
            chat_id, _, message_id = act.to.partition(" ")
            navigation.open_chat(chat_id, message_id=message_id)
