"""The receipt of a request as a person keeps it: a JSON file without a word of what was forgotten."""

import json
from datetime import datetime

from maya_core.domain.forgetting import ForgetRequest, Keeper, KeeperState, RequestState

PLACES = {
    Keeper.LEARNED: "what was learnt",
    Keeper.TRANSCRIPTS: "chats",
    Keeper.VECTORS: "search by meaning",
    Keeper.GRAPH: "knowledge graph",
    Keeper.WHITEBOARD: "short-term memory",
    Keeper.JOBS: "waiting work",
    Keeper.FILE: "bytes of the database file",
}
"""What people call each keeper."""

_STANDING = {
    RequestState.ASKED: "Waiting to begin. Nothing is deleted yet.",
    RequestState.REMOVING: "Being removed. Not all of it is gone yet.",
    RequestState.VERIFIED: "Deleted: every store was read again, and nothing is left. One more look follows.",
    RequestState.DONE: "Deleted: every store was read again twice, and nothing is left.",
}


def standing(request: ForgetRequest) -> str:
    """How far a request is, in one sentence. It says deleted only once every store was read again."""
    waiting = [PLACES[each.keeper] for each in request.accounts if each.waiting_for]
    if request.state is RequestState.REMOVING and waiting:
        return f"Being removed. Still waiting for: {', '.join(waiting)}."
    return _STANDING[request.state]


def to_json(request: ForgetRequest) -> str:
    """The receipt for downloading."""
    scope = request.scope
    return json.dumps(
        {
            "receipt": request.id,
            "standing": standing(request),
            "state": request.state.value,
            "scope": {
                "kind": scope.kind.value,
                "id": scope.id,
                "since": _time(scope.since),
                "until": _time(scope.until),
                "with_messages": scope.with_messages,
            },
            "asked_at": _time(request.asked_at),
            "changed_at": _time(request.changed_at),
            "second_look_at": _time(request.look_again_at),
            "stores": [
                {
                    "store": each.keeper.value,
                    "name": PLACES[each.keeper],
                    "found": each.found,
                    "removed": each.removed,
                    "left": each.left,
                    "late": each.late,
                    "verified": each.state is KeeperState.VERIFIED,
                    "pending": each.state is not KeeperState.VERIFIED,
                    "checked_at": _time(each.checked_at),
                    "waiting_for": each.waiting_for,
                }
                for each in request.accounts
            ],
        },
        indent=2,
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
