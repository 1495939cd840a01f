"""The one function that authorises: `may(user, action)`."""

from dataclasses import dataclass
from enum import StrEnum

from maya_core.domain.conversation import UserId
from maya_core.errors import NotAllowed


class Level(StrEnum):
    """What kind of user this is. Members use Maya; an admin also runs it."""

    MEMBER = "member"
    ADMIN = "admin"


class Action(StrEnum):
    """Everything that is asked of `may`."""

    CHAT = "chat"
    READ_OWN_CHATS = "read_own_chats"
    CHANGE_OWN_CHATS = "change_own_chats"
    EXPORT_OWN_CHATS = "export_own_chats"
    READ_OWN_USAGE = "read_own_usage"
    READ_ALL_USAGE = "read_all_usage"
    SEE_HEALTH = "see_health"
    CONTROL_PROVIDERS = "control_providers"
    QUERY_GRAPH = "query_graph"


_ADMIN_ONLY = frozenset({Action.READ_ALL_USAGE, Action.CONTROL_PROVIDERS, Action.QUERY_GRAPH})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The person behind a request, as the server knows them."""

    id: UserId
    name: str
    level: Level


LOCAL_USER = User(id=UserId("local"), name="You", level=Level.ADMIN)
"""The only user of local mode: whoever sits at this machine. May do everything."""


def may(user: User, action: Action) -> bool:
    """Whether `user` may do `action`. What belongs to whom is not decided here: stores take the user's id."""
    return user.level is Level.ADMIN or action not in _ADMIN_ONLY


def require(user: User, action: Action) -> None:
    """Raise NotAllowed unless `may(user, action)`."""
    if not may(user, action):
        raise NotAllowed(f"user {user.id!r} may not {action.value!r}")
