"""Whether later words say the same with another value, so that it replaces what was said before. Pure."""

import re
from dataclasses import replace

from maya_core.domain.memory import Relation
from maya_core.memory import reversal
from maya_core.memory.bearing import is_over
from maya_core.memory.clauses import Who
from maya_core.memory.grounding import Place
from maya_core.memory.held import Held, first_owner, states
from maya_core.memory.lasting import Lasting, lasting
from maya_core.memory.lexicon import PREPOSITIONS
from maya_core.memory.relations import LINKS, SLOT, single_valued
from maya_core.memory.stated import Said, said_in
from maya_core.memory.told import Clause, Told
from maya_core.memory.values import Sort, sorts_of
from maya_core.memory.verbs import Tense, Verb
from maya_core.memory.wording import LIGHT, content_stems, stem, stems, words

_IT = re.compile(r"\bit\b", re.IGNORECASE)
AFTER_CORE = re.compile(r"\s(?:on|at|in|for|with|every|near|from|by|of)\s")
"""What follows the core of an object: "the pottery course on Monday evenings"."""
_EXCLUSIVE = frozenset("report live sleep sit commute bank study teach work belong park reside base lead".split())
"""Verbs that say of somebody what there is one of at a time."""
_LIGHT_VERBS = frozenset("be have get do make go take put".split())
_FAVOURITE = stems("favourite")
_FOR_LIFE = LINKS | {
    Relation.ALLERGIC_TO,
    Relation.HAS_CONDITION,
    Relation.BORN_ON,
    Relation.COMES_FROM,
    Relation.SPEAKS,
}
"""What stays so when something else about somebody changes."""
_FEW_WORDS = 2


def replaced(held: Held, later: Told, after: Clause, sentence: str) -> bool:
    """The same is said with another value: in the same words, or of the same thing with a word of change."""
    verb = held.verb
    named_first = held.of_user and verb is not None and verb.subject is not None and held.place.start < verb.start
    changed = reversal.changes(sentence)
    if named_first or (after.future and not changed):
        return False
    conflict = held.conflicts(sentence, later) or held.conflicts(after.text, later)
    if after.negated and not (changed and conflict):
        return False
    return _said_anew(held, later, after, conflict=conflict, changed=changed) or (
        conflict and _at_odds(held, later, after, sentence, changed=changed)
    )


def _said_anew(held: Held, later: Told, after: Clause, *, conflict: bool, changed: bool) -> bool:
    """In the same words, or in other words about the same thing, with or without a value of the same sort."""
    if changed and later.place > held.told.place and states(after) and _names_topic(held, after):
        return True
    if (
        later.place > held.told.place
        and not held.of_user
        and held.verb
        and held.verb.passive
        and _same_slot(held, later, after)
    ):
        return True
    if same_head(held, after) and (changed or _is_now_another(held, later, after)):
        return True
    single = single_valued(held.claim.relation, held.claim.label)
    enough = changed or (single and (conflict or not _only_is(held)))
    return enough and _same_slot(held, later, after)


def _at_odds(held: Held, later: Told, after: Clause, sentence: str, *, changed: bool) -> bool:
    """Two values that do not both hold: of one number, in one place, after a change."""
    clocked = Sort.CLOCK in sorts_of(held.claim.object, held.told.said_at)
    if changed and held.of_user and clocked and all(o.pronoun and not o.person for o in after.owners):
        return True
    if changed and (held.counts_the_same(sentence) or (not held.of_user and _named_or_it(held, after))):
        return True
    if later.place > held.told.place and _exclusive(held, after):
        return True
    if held.is_counted and not held.of_user and _same_kind(held, after) and _named_or_it(held, after):
        return True
    return held.is_counted and _same_slot(held, later, after)


def same_head(held: Held, after: Clause) -> bool:
    """The same noun with other words before it: "third floor" and "ground floor"."""
    phrase = [word.stem for word in words(AFTER_CORE.split(held.claim.object)[0]) if word.stem not in LIGHT]
    if len(phrase) < _FEW_WORDS or held.claim.object.split()[-1][:1].isupper():
        return False
    return phrase[-1] in after.stems and not set(phrase[:-1]) & after.stems


def _is_now_another(held: Held, later: Told, after: Clause) -> bool:
    """Somebody or something else than the user is said to be another of that kind: "Barley is a lakeland terrier"."""
    verb = held.verb
    if held.of_user or verb is None or verb.lemma != "be" or later.place <= held.told.place:
        return False
    return any(v.lemma == "be" for v in after.verbs) and bool(
        held.clause.owner_at(verb.start).names & first_owner(after).names
    )


def _exclusive(held: Held, after: Clause) -> bool:
    """The word that says it is there again, with the same preposition: "I report to", "my reports go to"."""
    verb = held.verb
    if verb is None or verb.lemma not in _EXCLUSIVE or any(v.tense is Tense.PAST for v in after.verbs):
        return False
    lead = _lead(held.clause, held.place.start)
    return stem(verb.lemma) in after.stems and lead in after.stems


def _only_is(held: Held) -> bool:
    """The statement has no verb but "is": that says the same only of another value."""
    return held.verb is not None and held.verb.lemma == "be"


def _names_topic(held: Held, after: Clause) -> bool:
    """A later clause names what the statement is about: its subject, or the thing of the user's that it tells of."""
    claim = held.claim
    if not held.of_user:
        return content_stems(claim.subject) <= after.stems and claim.relation not in _FOR_LIFE
    topic = content_stems(claim.label.removeprefix(SLOT)) if claim.label.startswith(SLOT) else frozenset()
    return bool(topic) and (topic <= after.stems or bool(topic & after.stems & _FAVOURITE))


def _named_or_it(held: Held, after: Clause) -> bool:
    """A later clause names the claim's subject, or points at it."""
    names = content_stems(held.claim.subject)
    pointed = any(o.pronoun and not o.person for o in after.owners) or _IT.search(after.text) is not None
    return bool(names & after.stems) or pointed or not after.owners


def _same_slot(held: Held, later: Told, after: Clause) -> bool:
    """The later clause says the same of the same subject: by a plain phrase, or by the same verb and preposition."""
    if any(_rivals(held, said) and not _past(held, said, later, after) for said in said_in(after)):
        return True
    verb = held.verb
    if verb is None:
        return False
    lead = _lead(held.clause, held.place.start)
    for other in after.verbs:
        past = other.tense is Tense.PAST and lasting(later, after, other.end) is Lasting.OVER
        if not past and _same_verb(verb, other) and (not lead or lead in stems(after.text[other.end :])):
            return verb.lemma != "be" or _same_subject(held, verb, after, lead)
    return False


def _same_kind(held: Held, after: Clause) -> bool:
    """The statement and the later clause have the same verb, be it "has" or "is": "It has three"."""
    return held.verb is not None and any(verb.lemma == held.verb.lemma for verb in after.verbs)


def _same_verb(one: Verb, other: Verb) -> bool:
    if one.lemma in _LIGHT_VERBS:
        return one.lemma == "be" and other.lemma in ("be", "turn")
    return one.lemma == other.lemma


def _same_subject(held: Held, verb: Verb, after: Clause, lead: str) -> bool:
    """ "Is" says the same only of the same subject: another thing of the user's is another slot."""
    mine, theirs = held.clause.owner_at(verb.start), first_owner(after)
    if mine.who is Who.USER or theirs.who is Who.USER:
        return bool(lead) and mine.who is theirs.who
    return bool(mine.names & theirs.names) or theirs.who is Who.NOBODY


def _lead(clause: Clause, place: int) -> str:
    """The preposition right before the words at a place."""
    before = [stem(word) for word in re.findall(r"[\w']+", clause.text[:place])[-3:]]
    return next((word for word in reversed(before) if word in PREPOSITIONS), "")


def _rivals(held: Held, said: Said) -> bool:
    claim = held.claim
    same = (said.stated.relation, said.stated.label) == (claim.relation, claim.label)
    one, other = content_stems(said.stated.object), held.thing
    names = content_stems(said.subject) | (frozenset() if said.own_form else said.owner.names)
    about = said.subject == "user" if held.of_user else bool(content_stems(claim.subject) & names)
    return same and about and not (one <= other or other <= one)


def _past(held: Held, said: Said, later: Told, after: Clause) -> bool:
    place = Place(clauses=(after,), start=said.stated.start, end=said.stated.end)
    return is_over(replace(held.claim, object=said.stated.object), later, place)
