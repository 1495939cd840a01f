"""Every query text that the Neo4j adapter can send. All are made here, once, from the closed lists of the domain.

Values travel as parameters only. Relation types and labels, which older servers cannot take as parameters, come out of
the enumerations `Relation` and `EntityKind`: one text for each. Every text but those of the schema names the owner
(`user_id`) of every node that it touches.
"""

from maya_core.domain.memory import EntityKind, FactOrder, Relation

_CURRENT = (
    "f.recorded_at <= $at AND (f.retracted_at IS NULL OR $at < f.retracted_at)"
    " AND (f.valid_from IS NULL OR f.valid_from <= $at)"
    " AND (f.valid_to IS NULL OR $at < f.valid_to OR $at < f.end_known_at)"
)
# The bare comparison with $until lets an index that ends with recorded_at serve the query; the order, spelt out as that
# of the index (all of these facts share the first keys), lets it stop after $limit facts of a hub.
_WANTED = f"f.recorded_at <= $until AND ($all OR ({_CURRENT})) AND ($relations IS NULL OR f.relation IN $relations)"
_LATEST = "ORDER BY f.user_id DESC, f.recorded_at DESC, f.id LIMIT $limit"
_LATEST_OUT = "ORDER BY f.user_id DESC, f.subject DESC, f.recorded_at DESC, f.id LIMIT $limit"
_LATEST_IN = "ORDER BY f.user_id DESC, f.object DESC, f.recorded_at DESC, f.id LIMIT $limit"
_ENTITY = "e {.id, .name, .kind, .aliases} AS entity"
_KIND_LABELS = "".join(f":{kind.name.title()}" for kind in EntityKind)

SCHEMA = (
    "CREATE CONSTRAINT maya_owner IF NOT EXISTS FOR (n:Owner) REQUIRE n.user_id IS UNIQUE",
    "CREATE CONSTRAINT maya_entity IF NOT EXISTS FOR (n:Entity) REQUIRE (n.user_id, n.id) IS UNIQUE",
    "CREATE CONSTRAINT maya_fact IF NOT EXISTS FOR (n:Fact) REQUIRE (n.user_id, n.id) IS UNIQUE",
    "CREATE CONSTRAINT maya_message IF NOT EXISTS FOR (n:Message) REQUIRE (n.user_id, n.id) IS UNIQUE",
    "CREATE INDEX maya_name IF NOT EXISTS FOR (n:Name) ON (n.user_id, n.text)",
    "CREATE INDEX maya_fact_out IF NOT EXISTS FOR (n:Fact) ON (n.user_id, n.subject, n.recorded_at)",
    "CREATE INDEX maya_fact_in IF NOT EXISTS FOR (n:Fact) ON (n.user_id, n.object, n.recorded_at)",
    "CREATE INDEX maya_fact_recorded IF NOT EXISTS FOR (n:Fact) ON (n.user_id, n.recorded_at)",
)
PING = "RETURN 1 AS one"

# Writing. LOCK comes first in every transaction: writers of one user then wait for each other instead of deadlocking.
LOCK = "MERGE (n:Owner {user_id: $user}) SET n.writes = coalesce(n.writes, 0) + 1"
PASS_FENCE = """
    MATCH (n:Owner {user_id: $user}) WHERE coalesce(n.fence, 0) <= $fence
    SET n.fence = $fence RETURN n.fence AS fence"""
MISSING = """
    UNWIND $ids AS id OPTIONAL MATCH (e:Entity {user_id: $user, id: id})
    WITH id, e WHERE e IS NULL RETURN id ORDER BY id LIMIT 1"""
STORE_ENTITIES = {
    kind: f"""
    UNWIND $entities AS row MERGE (e:Entity {{user_id: $user, id: row.id}})
    REMOVE e{_KIND_LABELS}
    SET e:{kind.name.title()}, e.name = row.name, e.kind = row.kind, e.aliases = row.aliases"""
    for kind in EntityKind
}
REMOVE_NAMES = """
    UNWIND $ids AS id MATCH (:Entity {user_id: $user, id: id})<-[:NAMES]-(n:Name {user_id: $user}) DETACH DELETE n"""
STORE_NAMES = """
    UNWIND $names AS row MATCH (e:Entity {user_id: $user, id: row.entity})
    CREATE (:Name {user_id: $user, text: row.text, whole: row.whole})-[:NAMES]->(e)"""
STORE_FACTS = "UNWIND $facts AS row MERGE (f:Fact {user_id: $user, id: row.id}) SET f = row, f.user_id = $user"
STORE_EVIDENCE = """
    UNWIND $evidence AS row MATCH (f:Fact {user_id: $user, id: row.fact})
    MERGE (m:Message {user_id: $user, id: row.message}) MERGE (f)-[:SAID_IN]->(m)"""
DRAW = {
    relation: f"""
    UNWIND $facts AS row
    MATCH (s:Entity {{user_id: $user, id: row.subject}}) MATCH (o:Entity {{user_id: $user, id: row.object}})
    CREATE (s)-[:{relation.name} {{fact: row.id, label: row.label, valid_from: row.valid_from,
        valid_to: row.valid_to, recorded_at: row.recorded_at, retracted_at: row.retracted_at,
        end_known_at: row.end_known_at}}]->(o)"""
    for relation in Relation
}

# Removing
UNDRAW = """
    UNWIND $ids AS id MATCH (f:Fact {user_id: $user, id: id})
    MATCH (s:Entity {user_id: $user, id: f.subject}) MATCH (o:Entity {user_id: $user, id: f.object})
    WITH DISTINCT id, s, o MATCH (s)-[r]->(o) WHERE r.fact = id DELETE r"""
REMOVE_EVIDENCE = """
    UNWIND $ids AS id MATCH (:Fact {user_id: $user, id: id})-[said:SAID_IN]->(m:Message {user_id: $user})
    DELETE said WITH DISTINCT m WHERE NOT EXISTS { (m)<-[:SAID_IN]-() } DELETE m"""
REMOVE_FACTS = "UNWIND $ids AS id MATCH (f:Fact {user_id: $user, id: id}) DETACH DELETE f"
TOUCHING = """
    MATCH (f:Fact) WHERE f.user_id = $user AND f.subject IN $ids AND f.recorded_at IS NOT NULL RETURN f.id AS id
    UNION
    MATCH (f:Fact) WHERE f.user_id = $user AND f.object IN $ids AND f.recorded_at IS NOT NULL RETURN f.id AS id"""
REMOVE_ENTITIES = "UNWIND $ids AS id MATCH (e:Entity {user_id: $user, id: id}) DETACH DELETE e"
REMOVE_SOME_OF_USER = tuple(
    f"""
    MATCH (n:{label}) WHERE n.user_id = $user AND n.{key} IS NOT NULL
    WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS removed"""
    for label, key in (("Fact", "id"), ("Message", "id"), ("Name", "text"), ("Entity", "id"), ("Owner", "user_id"))
)

# Reading
ENTITIES = f"UNWIND $ids AS id MATCH (e:Entity {{user_id: $user, id: id}}) RETURN {_ENTITY}"
NAMED = f"""
    MATCH (n:Name)-[:NAMES]->(e:Entity {{user_id: $user}})
    WHERE n.user_id = $user AND n.text IN $keys AND n.whole AND ($kinds IS NULL OR e.kind IN $kinds)
    WITH DISTINCT e LIMIT $limit RETURN {_ENTITY}"""
STARTING = f"""
    MATCH (n:Name)-[:NAMES]->(e:Entity {{user_id: $user}}) WHERE n.user_id = $user AND n.text STARTS WITH $start
    WITH DISTINCT e, COUNT {{ (e)--() }} - COUNT {{ (e)<-[:NAMES]-() }} AS facts
    ORDER BY facts DESC, e.name, e.id LIMIT $limit RETURN {_ENTITY}"""
FACTS = f"MATCH (f:Fact) WHERE f.user_id = $user AND {_WANTED} RETURN f {{.*}} AS fact {_LATEST}"
FACTS_ABOUT = f"""
    UNWIND $about AS entity
    UNWIND COLLECT {{
        MATCH (f:Fact) WHERE f.user_id = $user AND f.subject = entity AND {_WANTED} RETURN f {_LATEST_OUT}
    }} + COLLECT {{
        MATCH (f:Fact) WHERE f.user_id = $user AND f.object = entity AND {_WANTED} RETURN f {_LATEST_IN}
    }} AS f
    WITH DISTINCT f {_LATEST}
    RETURN f {{.*}} AS fact"""
FACTS_BY_ID = "UNWIND $ids AS id MATCH (f:Fact {user_id: $user, id: id}) RETURN f {.*} AS fact"
FACTS_FROM = """
    UNWIND $ids AS id MATCH (:Message {user_id: $user, id: id})<-[:SAID_IN]-(f:Fact {user_id: $user})
    WITH DISTINCT f RETURN f {.*} AS fact"""
_OF_RELATIONS = "($relations IS NULL OR f.relation IN $relations)"
_TO_KINDS = (
    "($kinds IS NULL OR EXISTS {{ MATCH (other:Entity {{user_id: $user, id: f.{end}}}) WHERE other.kind IN $kinds }})"
)
EDGES = f"""
    UNWIND $about AS entity
    RETURN entity, COLLECT {{
        MATCH (f:Fact) WHERE f.user_id = $user AND f.subject = entity AND {_CURRENT}
        AND {_OF_RELATIONS} AND {_TO_KINDS.format(end="object")}
        RETURN [f.id, f.subject, f.object, f.recorded_at] {_LATEST_OUT}
    }} AS outgoing, COLLECT {{
        MATCH (f:Fact) WHERE f.user_id = $user AND f.object = entity AND {_CURRENT}
        AND {_OF_RELATIONS} AND {_TO_KINDS.format(end="subject")}
        RETURN [f.id, f.subject, f.object, f.recorded_at] {_LATEST_IN}
    }} AS incoming"""
_LISTED = f"""
    MATCH (f:Fact) WHERE f.user_id = $user AND f.recorded_at IS NOT NULL AND {_WANTED}
    MATCH (s:Entity {{user_id: $user, id: f.subject}}) MATCH (o:Entity {{user_id: $user, id: f.object}})
    WHERE ($kinds IS NULL OR s.kind IN $kinds OR o.kind IN $kinds)
    AND ($start = '' OR EXISTS {{
        MATCH (n:Name {{user_id: $user}})-[:NAMES]->(s) WHERE n.text STARTS WITH $start
    }} OR EXISTS {{
        MATCH (n:Name {{user_id: $user}})-[:NAMES]->(o) WHERE n.text STARTS WITH $start
    }})"""
_ORDERS = {
    FactOrder.RECORDED: "f.recorded_at",
    FactOrder.SINCE: "f.valid_from",
    FactOrder.CONFIDENCE: "f.confidence",
    FactOrder.SUBJECT: "toLower(s.name)",
    FactOrder.RELATION: "f.relation",
    FactOrder.OBJECT: "toLower(o.name)",
}
COUNT_LISTED = f"{_LISTED} RETURN count(f) AS total"
LIST = {
    (order, descending): f"{_LISTED} WITH f, {key} AS key"
    f" ORDER BY key IS NULL, key {'DESC' if descending else 'ASC'}, f.id SKIP $offset LIMIT $limit"
    " RETURN f {.*} AS fact"
    for order, key in _ORDERS.items()
    for descending in (True, False)
}
KINDS = """
    MATCH (e:Entity) WHERE e.user_id = $user AND e.id IS NOT NULL
    RETURN e.kind AS name, count(e) AS number ORDER BY number DESC, name"""
RELATIONS = f"""
    MATCH (f:Fact) WHERE f.user_id = $user AND f.recorded_at IS NOT NULL AND {_CURRENT}
    RETURN f.relation AS name, count(f) AS number ORDER BY number DESC, name"""
FIRST = "MATCH (f:Fact) WHERE f.user_id = $user AND f.recorded_at IS NOT NULL RETURN min(f.recorded_at) AS first"
ENTITY_IDS = "MATCH (e:Entity) WHERE e.user_id = $user AND e.id IS NOT NULL RETURN e.id AS id"
FACT_IDS = "MATCH (f:Fact) WHERE f.user_id = $user AND f.id IS NOT NULL RETURN f.id AS id"

OF_ONE_USER = frozenset(
    {
        *(LOCK, MISSING, REMOVE_NAMES, STORE_NAMES, STORE_FACTS, STORE_EVIDENCE, UNDRAW, REMOVE_EVIDENCE, REMOVE_FACTS),
        *(TOUCHING, REMOVE_ENTITIES, ENTITIES, NAMED, STARTING, FACTS, FACTS_ABOUT, FACTS_BY_ID, FACTS_FROM, EDGES),
        *(COUNT_LISTED, *LIST.values(), KINDS, RELATIONS, FIRST),
        *(ENTITY_IDS, FACT_IDS, *REMOVE_SOME_OF_USER, *STORE_ENTITIES.values(), *DRAW.values()),
    }
)
"""The texts that read or change what belongs to one user."""
