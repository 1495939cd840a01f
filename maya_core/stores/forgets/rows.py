"""How a request is stored, the same in every backend."""

import json
from collections.abc import Sequence
from functools import cache

from pydantic import TypeAdapter

from maya_core.domain.forgetting import Account, Plan, Scope
from maya_core.errors import InvalidInput

MAX_PLAN_BYTES = 15_000_000
"""What a document of MongoDB holds, with room for the rest."""


def scope_to_json(scope: Scope) -> str:
    return _scope().dump_json(scope).decode()


def scope_from_json(stored: str) -> Scope:
    return _scope().validate_json(stored)


def plan_to_json(plan: Plan) -> str:
    """Raises InvalidInput for one that is too large to be stored."""
    stored = json.dumps(_plan().dump_python(plan, mode="json"), separators=(",", ":"))
    if len(stored) > MAX_PLAN_BYTES:
        raise InvalidInput("This is too much to forget at once. Choose a shorter time, or everything.")
    return stored


def plan_from_json(stored: str | None) -> Plan | None:
    return None if stored is None else _plan().validate_json(stored)


def accounts_to_json(accounts: Sequence[Account]) -> str:
    return _accounts().dump_json(tuple(accounts)).decode()


def accounts_from_json(stored: str) -> tuple[Account, ...]:
    return _accounts().validate_json(stored)


@cache
def _scope() -> TypeAdapter[Scope]:
    return TypeAdapter(Scope)


@cache
def _plan() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


@cache
def _accounts() -> TypeAdapter[tuple[Account, ...]]:
    return TypeAdapter(tuple[Account, ...])
