"""Who is who: names compared without case, articles and punctuation; aliases. Pure.

After a merge the names of the entity that went are aliases of the one that stayed, after a split the new one has those
that were given to it: so a name leads to one entity, and new words about it do too.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind

_USER_NAMES = frozenset({"user", "i", "me", "myself", "self", "speaker", "we", "us", "human"})
_POSSESSOR = re.compile(r"^(?:(?:the\s+)?users?'?s?'?s?|my|our|his|her|their|your)\s+(?=\S)")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+(?=\S)")
_KEPT_SIGNS = re.compile(r"[^\w+#\s]")
_PREFIXES = ("", "the ", "a ", "an ", "my ", "our ")


def normal_name(name: str) -> str:
    """The form in which names are compared: no case, accents, articles, possessives or punctuation."""
    text = name.lower() if name.isascii() else _folded(name)
    text = " ".join(text.split())
    text = _POSSESSOR.sub("", _ARTICLE.sub("", text)) or text
    text = re.sub(r"'s?\b", "", text)
    text = " ".join(_KEPT_SIGNS.sub(" ", text).split())
    return _ARTICLE.sub("", text) or text


def spellings(name: str) -> list[str]:
    """A name as it may be stored: entities keep it as it was said, with what `normal_name` takes away."""
    return [prefix + spelt for spelt in dict.fromkeys((name, normal_name(name))) for prefix in _PREFIXES]


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).replace("’", "'").casefold())
    return "".join(c for c in folded if not unicodedata.combining(c))


def is_user(name: str) -> bool:
    """Whether a name means the person whose memory this is."""
    return normal_name(name) in _USER_NAMES


def user_entity_id(user_id: UserId) -> EntityId:
    """The id of the entity that stands for the user themselves; the same for ever."""
    return EntityId("e_" + _digest(user_id, "user"))


def minted_id(user_id: UserId, name: str, first_evidence: MessageId) -> EntityId:
    """The id of an entity first named in a message. Minted once: later names reach it through the table of names."""
    return EntityId("e_" + _digest(user_id, "entity", normal_name(name), first_evidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An entity found or made for a name. `changed`: it is new, or got an alias."""

    entity: Entity
    changed: bool


@dataclass(slots=True, kw_only=True)
class Register:
    """The entities known so far and the names they answer to; grows while one batch is decided."""

    user_id: UserId
    entities: dict[EntityId, Entity]
    names: dict[str, EntityId]

    @classmethod
    def of(cls, user_id: UserId, entities: Iterable[Entity]) -> "Register":
        """A register of known entities. A name leads to the first entity that bears it."""
        known = {entity.id: entity for entity in entities}
        table: dict[str, EntityId] = {}
        for entity in known.values():
            for name in (entity.name, *entity.aliases):
                table.setdefault(normal_name(name), entity.id)
        own = user_entity_id(user_id)
        known.setdefault(own, Entity(id=own, name="user", kind=EntityKind.USER))
        return cls(user_id=user_id, entities=known, names=table)

    def find(self, name: str) -> Entity | None:
        """The entity that a name stands for, by its normalised name or an alias."""
        if is_user(name):
            return self.entities[user_entity_id(self.user_id)]
        found = self.names.get(normal_name(name))
        return self.entities.get(found) if found else None

    def name(self, name: str, *, kind: EntityKind, aliases: Sequence[str], evidence: MessageId) -> Named:
        """The entity for a name, made when it is not known."""
        found = self.find(name) or next((e for alias in aliases if (e := self._alias(alias, kind))), None)
        if found is None:
            return self._mint(name, kind=kind, aliases=aliases, evidence=evidence)
        if found.kind is EntityKind.USER:
            return Named(entity=found, changed=False)
        known = {normal_name(n) for n in (found.name, *found.aliases)}
        fresh = [n for n in dict.fromkeys((name, *aliases)) if normal_name(n) not in known]
        fresh = [n for n in fresh if self.names.get(normal_name(n), found.id) == found.id]
        if not fresh:
            return Named(entity=found, changed=False)
        grown = replace(found, aliases=(*found.aliases, *fresh))
        self._keep(grown)
        return Named(entity=grown, changed=True)

    def _alias(self, alias: str, kind: EntityKind) -> Entity | None:
        """An alias that is a name finds an entity of the same kind. A role ("sister") does not: there may be two."""
        found = self.find(alias) if alias[:1].isupper() else None
        return found if found and found.kind is kind else None

    def _mint(self, name: str, *, kind: EntityKind, aliases: Sequence[str], evidence: MessageId) -> Named:
        own = normal_name(name)
        free = tuple(a for a in dict.fromkeys(aliases) if normal_name(a) != own and normal_name(a) not in self.names)
        entity = Entity(
            id=minted_id(self.user_id, name, evidence), name=" ".join(name.split()), kind=kind, aliases=free
        )
        self._keep(entity)
        return Named(entity=entity, changed=True)

    def _keep(self, entity: Entity) -> None:
        self.entities[entity.id] = entity
        for name in (entity.name, *entity.aliases):
            self.names.setdefault(normal_name(name), entity.id)


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
