"""How the effect of a change is stored, the same in every backend."""

from functools import cache

from pydantic import TypeAdapter

from maya_core.domain.changes import Effect
from maya_core.errors import InvalidInput

MAX_EFFECT_BYTES = 8_000_000
"""Half of what a document of MongoDB holds."""


def effect_to_json(effect: Effect) -> str:
    """Raises InvalidInput for one that is too large."""
    stored = _adapter().dump_json(effect)
    if len(stored) > MAX_EFFECT_BYTES:
        raise InvalidInput("This change touches too much at once.")
    return stored.decode()


def effect_from_json(stored: str) -> Effect:
    return _adapter().validate_json(stored)


@cache
def _adapter() -> TypeAdapter[Effect]:
    return TypeAdapter(Effect)
