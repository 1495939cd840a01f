"""Questions that can be asked of one's own graph without writing any query, and the one door for those who can.

The ready-made questions only read, are bounded, and see nothing of anybody else's. A query in Cypher sees the whole
database, so it is for an administrator, with a login that can do nothing but read; otherwise it is refused, and told
why. That one was asked is a row of the audit table, written before it is run; what was asked is not in it.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from maya_core.accounts.access import Action, User, may, require
from maya_core.clock import Clock
from maya_core.domain.conversation import UserId
from maya_core.domain.ids import new_id
from maya_core.domain.memory import EntityId, FactOrder, FactQuery, Relation
from maya_core.errors import InvalidInput, NotAllowed
from maya_core.memory.explorer import Explorer, KnownFact
from maya_core.stores.audit.port import Audit, AuditEntry, Deed
from maya_core.stores.graph.query_port import CypherReader, Table

CYPHER_CHARACTERS = 4_000
ROWS = 200
_ANSWERS = 200
_ENTITIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A ready-made question: what it is called in the address, how it reads, and the relations that answer it."""

    name: str
    text: str
    relations: tuple[Relation, ...]


ABOUT = "about"
"""The question about one person or thing; it is answered by every relation."""

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="works_with",
        text="Who works with whom?",
        relations=(Relation.WORKS_WITH, Relation.WORKS_ON, Relation.WORKS_AT, Relation.MEMBER_OF),
    ),
    Question(name="depends_on", text="What depends on what?", relations=(Relation.DEPENDS_ON, Relation.PART_OF)),
    Question(
        name="responsible",
        text="Who is responsible for what, and until when?",
        relations=(Relation.ASSIGNED_TO, Relation.HAS_DEADLINE, Relation.HAS_STATUS),
    ),
    Question(name="decided", text="What was decided and planned?", relations=(Relation.DECIDED, Relation.PLANS)),
    Question(
        name="when",
        text="What happens when?",
        relations=(Relation.TAKES_PLACE_ON, Relation.HAS_DEADLINE, Relation.BORN_ON),
    ),
    Question(
        name="family",
        text="Who belongs to whom?",
        relations=(Relation.FAMILY_OF, Relation.PARTNER_OF, Relation.KNOWS, Relation.HAS_PET),
    ),
    Question(name="where", text="Who and what is where?", relations=(Relation.LIVES_IN, Relation.LOCATED_IN)),
)
"""In the order in which they are offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Facts that answer a question, newest first; `total` is how many there are, of which these are the first."""

    facts: tuple[KnownFact, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Somebody or something that "what do we know about …" can mean, with what is known now and what is over."""

    id: EntityId
    name: str
    kind: str
    facts: tuple[KnownFact, ...]


class Refusal(StrEnum):
    """Why a query in Cypher is not run, as it is told."""

    NOT_ADMIN = "Queries in Cypher see everybody's memory, so they are for administrators."
    NO_NEO4J = "The knowledge graph is in the SQLite file, which does not speak Cypher. It takes a Neo4j server."
    NO_READER = (
        "No reader is set up. Make a user on the Neo4j server whose only role is “reader”, and name it in "
        "MAYA_NEO4J_READER_USERNAME and MAYA_NEO4J_READER_PASSWORD."
    )
    NO_ROLES = (
        "This Neo4j server has no roles (the Community Edition has none), so nothing keeps a query from writing. "
        "Queries in Cypher take the Enterprise Edition or Aura."
    )
    TOO_MUCH = "The user in MAYA_NEO4J_READER_USERNAME may do more than read. Give it the role “reader” and no other."


class Questions:
    """Asks a person's own graph. `reader` is None where no login for reading is set up."""

    def __init__(
        self, *, explorer: Explorer, neo4j: bool, reader: CypherReader | None, audit: Audit, clock: Clock
    ) -> None:
        self._explorer = explorer
        self._neo4j = neo4j
        self._reader = reader
        self._audit = audit
        self._clock = clock

    async def ask(self, user: User, name: str) -> Answer:
        """The facts that answer a ready-made question. Raises InvalidInput for an unknown one."""
        require(user, Action.READ_OWN_CHATS)
        question = next((each for each in QUESTIONS if each.name == name), None)
        if question is None:
            raise InvalidInput("There is no such question.")
        query = FactQuery(relations=question.relations, order=FactOrder.RECORDED)
        page = await self._explorer.list_facts(user.id, query, limit=_ANSWERS)
        return Answer(facts=page.facts, total=page.total)

    async def about(self, user: User, name: str) -> list[Subject]:
        """What is known about whoever or whatever a name can mean, at most five of them, most connected first."""
        require(user, Action.READ_OWN_CHATS)
        wanted = " ".join(name.split())[:200]
        if not wanted:
            raise InvalidInput("Type a name to see what is known about it.")
        found = await self._explorer.search(user.id, wanted, limit=_ENTITIES)
        return [await self._subject(user.id, entity.id, entity.name, entity.kind.value) for entity in found]

    async def _subject(self, user_id: UserId, id: EntityId, name: str, kind: str) -> Subject:
        return Subject(id=id, name=name, kind=kind, facts=tuple(await self._explorer.about(user_id, id)))

    async def why_no_cypher(self, user: User) -> Refusal | None:
        """Why this person cannot ask in Cypher here; None when they can. Raises StoreUnavailable."""
        if not may(user, Action.QUERY_GRAPH):
            return Refusal.NOT_ADMIN
        if not self._neo4j:
            return Refusal.NO_NEO4J
        if self._reader is None:
            return Refusal.NO_READER
        roles = await self._reader.roles()
        if roles is None:
            return Refusal.NO_ROLES
        return None if roles == ("reader",) else Refusal.TOO_MUCH

    async def cypher(self, user: User, query: str) -> Table:
        """What a query gives, at most 200 rows. Raises NotAllowed with the reason, InvalidInput, StoreUnavailable."""
        refusal = await self.why_no_cypher(user)
        if refusal is not None or self._reader is None:
            raise NotAllowed(f"user {user.id!r} may not query the graph: {refusal}")
        wanted = query.strip()
        if not wanted or len(wanted) > CYPHER_CHARACTERS:
            raise InvalidInput(f"A query has 1 to {CYPHER_CHARACTERS:,} characters.")
        if reaching := _REACHING_OUT.search(_bare(wanted)):
            raise InvalidInput(f"{reaching.group().upper()} is not for reading this graph.")
        await self._write_down(user, wanted)
        return await self._reader.read(wanted, limit=ROWS)

    async def _write_down(self, user: User, query: str) -> None:
        """What cannot be written down is not asked. A query is known again by its digest, and by nothing else."""
        digest = hashlib.sha256(query.encode("utf-8", "replace")).hexdigest()[:12]
        entry = AuditEntry(
            id=new_id(),
            at=self._clock.now(),
            user_id=user.id,
            deed=Deed.CYPHER,
            target="knowledge graph",
            detail=f"{len(query):,} characters, digest {digest}",
        )
        await self._audit.append(user.id, entry)

    async def close(self) -> None:
        """Release the login for reading."""
        if self._reader is not None:
            await self._reader.close()


_REACHING_OUT = re.compile(r"\bload\s+csv\b|\bapoc\s*\.|\bdbms\s*\.|\busing\s+periodic\b", re.IGNORECASE)
"""Reading files and addresses of the server's machine, and what runs other queries: a reader may, but not through here.
"""

_ESCAPED = re.compile(r"\\u+([0-9a-fA-F]{4})")
_TEXT_OR_COMMENT = re.compile(
    r"(?P<name>`(?:``|[^`])*`)|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|/\*.*?\*/|//[^\n]*", re.DOTALL
)


def _bare(query: str) -> str:
    """The words of a query as the server reads them: escapes resolved, names unquoted, texts and comments left out.

    Neo4j resolves `\\uXXXX` anywhere in a query before it looks at anything else (Cypher manual, "Parsing").
    """
    resolved = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), query)
    return _TEXT_OR_COMMENT.sub(lambda found: (found["name"] or " ").strip("`"), resolved)
