"""Facts as sentences: for the person they belong to ("You live in Porto"), and with every name written out. Pure."""

import re
from collections.abc import Mapping

from maya_core.domain.memory import RELATION_RULES, Entity, EntityId, EntityKind, Fact, Relation
from maya_core.memory.lexicon import PERSON_NOUNS
from maya_core.memory.relations import LINKS, SLOT

_UNKNOWN = "somebody or something"
_YOUR_FORMS = {
    "is": "are",
    "am": "are",
    "was": "were",
    "has": "have",
    "does": "do",
    "goes": "go",
    "isn't": "aren't",
    "wasn't": "weren't",
    "hasn't": "haven't",
    "doesn't": "don't",
}
_ADVERB = re.compile(r"(?:\w+ly|always|never|often|also|still|usually|sometimes|mostly|just|only|now|no longer)\s+")
_TAKES_ARTICLE = re.compile(r"(?!(?:an?|the|my|his|her|their|our|head|chief|vice)\b)[a-z]")


def fact_sentence(fact: Fact, entities: Mapping[EntityId, Entity]) -> str:
    """A fact as the person reads it, without a full stop: "You are allergic to peanuts", "Nora lives in Lisbon".

    This is the one wording for recall, receipts and the memory page. An entity that is not among `entities` stays
    unnamed.
    """
    subject, thing = entities.get(fact.subject), entities.get(fact.object)
    object_name = _name(thing)
    if fact.relation is Relation.WORKS_AS:
        object_name = _with_article(object_name)
    if subject is None or subject.kind is not EntityKind.USER:
        return _upper_first(written_out(fact.relation, fact.label, _name(subject), object_name))
    if role := _role_of(fact.relation, thing):
        return _upper_first(f"{object_name} is your {role}")
    if slot := _slot(fact):
        return f"Your {slot} is {object_name}"
    sentence = RELATION_RULES[fact.relation].of_you
    return _upper_first(sentence.format(label=_in_second_person(fact.label), object=object_name))


def written_out(relation: Relation, label: str, subject: str, thing: str) -> str:
    """A claim with its names as they stand: "user lives in Porto". It is what is embedded, and listed with verdicts."""
    if relation is Relation.RELATED_TO and label.startswith(SLOT):
        return f"{subject}'s {label.removeprefix(SLOT)} is {thing}"
    return RELATION_RULES[relation].sentence.format(subject=subject, object=thing, label=label)


def _name(entity: Entity | None) -> str:
    """How a sentence calls somebody: "you", "your sister" for one known by that word only, else by name."""
    if entity is None:
        return _UNKNOWN
    if entity.kind is EntityKind.USER:
        return "you"
    return f"your {entity.name}" if entity.name.split(" ")[-1] in PERSON_NOUNS else entity.name


def _role_of(relation: Relation, thing: Entity | None) -> str:
    """What somebody is to the user, where their name came with it: "sister" for Nora."""
    if thing is None or relation not in LINKS or relation is Relation.PARTNER_OF:
        return ""
    roles = (alias.removeprefix("my ") for alias in thing.aliases)
    return next((role for role in roles if role.split(" ")[-1] in PERSON_NOUNS and role != thing.name), "")


def _slot(fact: Fact) -> str:
    """What "has as favourite colour" speaks of."""
    held = fact.relation is Relation.RELATED_TO and fact.label.startswith(SLOT)
    return fact.label.removeprefix(SLOT) if held else ""


def _in_second_person(label: str) -> str:
    """The words of a free relation as they follow "You": "plays" becomes "play", "is keen on" "are keen on"."""
    adverb = _ADVERB.match(label)
    before, words = (adverb.group(), label[adverb.end() :]) if adverb else ("", label)
    verb, space, rest = words.partition(" ")
    return f"{before}{_second_person(verb)}{space}{rest}"


def _second_person(verb: str) -> str:
    if verb in _YOUR_FORMS:
        return _YOUR_FORMS[verb]
    if verb.endswith("ing") and len(verb) > len("bring"):
        return f"are {verb}"
    if verb.endswith("ies") and len(verb) > len("ties"):
        return verb.removesuffix("ies") + "y"
    if re.search(r"(?:sh|ch|ss|x|zz)es$", verb):
        return verb.removesuffix("es")
    return verb[:-1] if re.search(r"[^siu']s$", verb) else verb


def _with_article(work: str) -> str:
    """ "a nurse"; a title in capitals stands alone."""
    if not _TAKES_ARTICLE.match(work):
        return work
    return f"{'an' if work[0] in 'aeiou' else 'a'} {work}"


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
