"""The graph port. Everything in it can be rebuilt from the transcripts' database.

Every record has an owner, and every query names it. A dead backend raises StoreUnavailable within the adapter's
timeout. All writes upsert by id: repeating one changes nothing.

Fencing: `put` and `delete` may name a `fence`, a number that rises with whoever is entitled to write to a user's graph.
The graph keeps the highest that it has seen of each user, and refuses a lower one with Conflict: what a worker writes
that slept through the end of its lease cannot undo what was written since. 0 is no fence, and is never refused.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    Fact,
    FactId,
    FactPage,
    FactQuery,
    GraphCounts,
    Neighbourhood,
    Relation,
)


class Browsing(Protocol):
    """Looking around in one user's graph, a screenful at a time. Nothing here gives a whole graph."""

    async def list_entities(self, user_id: UserId, entity_ids: Sequence[EntityId]) -> list[Entity]:
        """Those of these entities (at most 1,000) that exist, in the order asked, each once."""
        ...

    async def list_facts(self, user_id: UserId, query: FactQuery, *, offset: int = 0, limit: int = 50) -> FactPage:
        """At most `limit` (1 to 1,000) of the facts that a query means, from the `offset`-th on; ties go by id."""
        ...

    async def get_facts(self, user_id: UserId, fact_ids: Sequence[FactId]) -> list[Fact]:
        """Those of these facts (at most 1,000) that exist, current or not, newest recorded first."""
        ...

    async def count(self, user_id: UserId) -> GraphCounts:
        """What there is; the facts of now. Nothing but the figures leaves the store."""
        ...


class Graph(Browsing, Protocol):
    """Entities and facts of one user at a time."""

    async def put(self, user_id: UserId, *, entities: Sequence[Entity], facts: Sequence[Fact], fence: int = 0) -> None:
        """Store entities and facts, all or nothing. A fact's ends must be among them or stored already (NotFound).

        A record that is stored already is replaced as a whole, evidence and sources included: whoever confirms or
        supersedes a fact reads it first, and writers who do so for one user take turns. Raises ValueError for a
        relation that is not on the list.
        """
        ...

    async def get_entity(self, user_id: UserId, entity_id: EntityId) -> Entity:
        """Raises NotFound."""
        ...

    async def find_entities(
        self, user_id: UserId, names: Sequence[str], *, kinds: Sequence[EntityKind] = (), limit: int = 20
    ) -> list[Entity]:
        """Entities that bear one of these names (case and spacing aside) or have it as an alias, ordered by name.

        All kinds for ().
        """
        ...

    async def search_entities(self, user_id: UserId, text: str, *, limit: int = 20) -> list[Entity]:
        """Entities with a name or alias in which a word starts with `text`; most connected first."""
        ...

    async def facts(
        self,
        user_id: UserId,
        *,
        about: Sequence[EntityId] = (),
        relations: Sequence[Relation] = (),
        at: datetime | None = None,
        current: bool = True,
        limit: int = 100,
    ) -> list[Fact]:
        """Facts, newest recorded first, at most `limit` (1 to 1,000).

        `about` keeps those with one of these as subject or object. `current` keeps those held true at `at` (now when
        None); False gives superseded and retracted ones as well.
        """
        ...

    async def facts_from(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Fact]:
        """All facts, current or not, that have one of these messages among their evidence."""
        ...

    async def neighbourhood(
        self,
        user_id: UserId,
        centre: EntityId,
        *,
        hops: int = 1,
        kinds: Sequence[EntityKind] = (),
        relations: Sequence[Relation] = (),
        at: datetime | None = None,
        limit: int = 150,
    ) -> Neighbourhood:
        """What is within 1 or 2 hops of an entity at a moment, at most `limit` entities, newest facts first.

        `relations` follows facts of these only; `kinds` goes only to entities of these, whatever the centre is; ()
        for all. Never reads the whole graph: the fan-out of each entity is bounded. Raises NotFound.
        """
        ...

    async def delete(
        self,
        user_id: UserId,
        *,
        facts: Sequence[FactId] = (),
        entities: Sequence[EntityId] = (),
        fence: int = 0,
    ) -> None:
        """Remove facts, and entities with every fact that touches them; absent ids are fine."""
        ...

    async def delete_user(self, user_id: UserId) -> None:
        """Remove everything of a user."""
        ...

    async def list_ids(self, user_id: UserId) -> tuple[list[EntityId], list[FactId]]:
        """Every id of a user's entities and facts, for comparing with what should be there."""
        ...

    async def ping(self) -> None:
        """Raises StoreUnavailable when the store does not answer in time."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
