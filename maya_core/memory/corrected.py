"""Whether a later message says that a statement was wrong. Pure."""

import re
from collections.abc import Sequence

from maya_core.memory import reversal
from maya_core.memory.claims import Claim
from maya_core.memory.clauses import Who
from maya_core.memory.grounding import window
from maya_core.memory.held import Held, counted, counts, first_owner, names_again, refuses_subject, states, text_of
from maya_core.memory.people import ROLES
from maya_core.memory.relations import LINKS, SINGLE_ROLES, SLOT, names_a_person
from maya_core.memory.replaced import same_head
from maya_core.memory.stated import said_in
from maya_core.memory.subjects import subject_reason
from maya_core.memory.told import Clause, Reading, Told
from maya_core.memory.values import Sort, respelt, values_in
from maya_core.memory.wording import LIGHT, content_stems, stems

_FEW_WORDS = 2
_VALUE_WORDS = 4
_NAME = re.compile(r"(?<=\s)[^\W\d_a-z][\w-]+")
_NO = stems("no nope nah sorry haha ha oh ah um uh hm ehm erm argh oops wait actually well")
_ANSWER = re.compile(r"^\W*(?:no|nope|nah|not really)\b\W*", re.IGNORECASE)
_STAYS = re.compile(
    r"(?:\bnot|n't) (?:actually |really |going to |planning to )*(?:leav|quit|mov|chang|switch|sell)\w*", re.IGNORECASE
)
"""Says that all is as it was: "not actually leaving"."""
_SO = re.compile(r"so\b(?! (?:is|was|are)\b)", re.IGNORECASE)
"""Opens what follows from a correction: "It's 3 June, so the party is on Tuesday"."""
_OF_COURSE = re.compile(r"\bof course\b", re.IGNORECASE)
_OF_DATES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december".split()
)
_NAMING = re.compile(
    r"\b(?:called|named?|names|spel\w+|spelt|meant|written|it's|it is|with (?:an?|one|two|no|double)|without (?:an?|"
    r"the)|not|no)\b|^\W*\S+\W*$",
    re.IGNORECASE,
)


def put_right_by(held: Held, reading: Reading) -> Told | None:
    """The later message of the user that corrects this statement: the next one, or one that names what it is about."""
    near = True
    for later in reading.told:
        if later.place <= held.told.place:
            continue
        said = [clause for clause in later.clauses if counts(later, clause)]
        if said and _corrects(held, later, said, reading, near=near):
            return later
        near = near and not any(states(clause) for clause in said)
    return None


def _corrects(held: Held, later: Told, said: Sequence[Clause], reading: Reading, *, near: bool) -> bool:
    """Whether a message means that this statement was wrong.

    It does when it refuses the object's words, or names another value of the same sort in place of it, with a word that
    sets right, or with nothing else. Another word, where the statement stood alone.
    """
    spoken = text_of(said)
    mistaken = any(clause.mistaken for clause in said)
    if mistaken and (refused := content_stems(reversal.refused_words(later.text))):
        return refused <= held.thing
    doubted = content_stems(reversal.doubted_words(later.text))
    others = mistaken and near and _is_of_another(held, said, reading)
    if others or (doubted and doubted <= held.thing) or (near and respelt(held.claim.object, spoken, later.said_at)):
        return True
    goes_on = not mistaken and (reversal.adds(spoken) or _STAYS.search(spoken) is not None)
    if goes_on or not (near or _is_related(held, spoken)):
        return False
    if _said_again(held, later, said, reading) or _is_still_there(held, said) or refuses_subject(held, spoken):
        return False
    if near and _says_it_anew(held, said):
        return True
    return not _means_another(held, said, spoken) and _names_another(held, later, said, near=near)


def _names_another(held: Held, later: Told, said: Sequence[Clause], *, near: bool) -> bool:
    """A value of the same sort, with a word that sets right or alone; or any word in place of the only statement."""
    spoken = text_of(said)
    mistaken = any(clause.mistaken for clause in said)
    own = [clause for clause in said if clause.mistaken or not _about_somebody_else(held, clause)]
    if any(held.conflicts(text, later) for text in (text_of(own), *(clause.text for clause in own))):
        only = near and held.is_counted and _only_a_value(held, later, said)
        return mistaken or reversal.amends(_without_answer(held, later, spoken)) or only
    vague = held.is_counted or counted(spoken, later) or _is_for_life(held)
    alone = not vague and (_is_related(held, spoken) or _replaces_it_alone(held, later, near=near))
    return mistaken and (alone or any(same_head(held, c) and not _of_a_thing(c) for c in said))


def _without_answer(held: Held, later: Told, spoken: str) -> str:
    """What is said besides the "no" to a question about something else."""
    elsewhere = later.asked.rstrip().endswith("?") and not held.thing & stems(later.asked)
    return _ANSWER.sub("", spoken) if elsewhere else spoken


def _about_somebody_else(held: Held, clause: Clause) -> bool:
    """It tells of a person by name or role what the statement tells of the user."""
    owner = first_owner(clause)
    return held.of_user and owner.who is Who.OTHER and owner.person and not owner.pronoun and not _says_who(held.claim)


def _is_related(held: Held, spoken: str) -> bool:
    """It shares a word with the statement, or counts the same things."""
    topic = (content_stems(held.clause.text) - held.thing) | content_stems(held.claim.subject)
    return bool(content_stems(spoken) & topic) or held.counts_the_same(spoken)


def _said_again(held: Held, later: Told, said: Sequence[Clause], reading: Reading) -> bool:
    """The object is said again, of the same subject, and not as what was wrong."""
    for clause in said:
        if not names_again(held, clause.text) or reversal.gets_wrong(clause.text, held.claim.object):
            continue
        if _as_something_else(held, clause):
            continue
        start, _ = window(clause, held.thing)
        if subject_reason(held.claim, later, clause, start, reading) is None:
            return True
    return False


def _is_of_another(held: Held, said: Sequence[Clause], reading: Reading) -> bool:
    """The same is said of another: "I wrote that wrong, my husband is the one who's allergic to it"."""
    verb = held.verb
    group = held.group(reading)
    return verb is not None and any(
        names_again(held, c.text)
        and any(other.lemma == verb.lemma for other in c.verbs)
        and any(o.who is Who.OTHER and o.person and not o.names & (group | held.thing) for o in c.owners)
        and not any(o.who is Who.USER for o in c.owners)
        for c in said
    )


def _is_still_there(held: Held, said: Sequence[Clause]) -> bool:
    """Somebody of the user's is spoken of by name, as nobody else: after "my daughter Defne is allergic", "it's my son
    Emre. Defne isn't" leaves the daughter be."""
    claim = held.claim
    if claim.relation not in LINKS or not held.of_user:
        return False
    spoken = [c for c in said if any(held.thing <= o.names for o in c.owners) and not c.stems & ROLES]
    roles = {s.role for s in said_in(held.clause) if content_stems(s.stated.object) & held.thing}
    others = [s for c in said for s in said_in(c) if s.stated.relation is claim.relation]
    return bool(spoken) and not any(other.role in roles for other in others)


def _says_it_anew(held: Held, said: Sequence[Clause]) -> bool:
    """A word alone, and then once more with the verb of the statement: "Haha no, chemistry. I study chemistry."."""
    verb = held.verb
    alone = next((c for c in said if not c.owners and c.stems - LIGHT - _NO), None)
    if verb is None or alone is None or reversal.adds(text_of(said)) or len(alone.text.split()) > _VALUE_WORDS:
        return False
    if _OF_COURSE.search(text_of(said)) and not alone.mistaken:
        return False
    word = content_stems(alone.text) - _NO
    subject = held.clause.owner_at(verb.start)
    return any(
        c.start > alone.start
        and word <= c.stems
        and any(v.lemma == verb.lemma for v in c.verbs)
        and (first_owner(c).who is subject.who is Who.USER or bool(first_owner(c).names & subject.names))
        for c in said
    )


def _of_a_thing(clause: Clause) -> bool:
    """It tells of something by name: "the printer is on the fourth floor"."""
    owner = first_owner(clause)
    return owner.who is Who.OTHER and not owner.pronoun and not owner.mine


def _as_something_else(held: Held, clause: Clause) -> bool:
    """The object is said to be another to the user than the one there is: "Jonas is my neighbour"."""
    label = held.claim.label
    thing = re.escape(held.claim.object)
    if held.of_user and re.match(rf"\W*{thing}(?:'s| is| was) (?:my|our|the) [\w-]+'s\b", clause.text):
        return True
    if not label.startswith(SLOT):
        return False
    about = [said.stated for said in said_in(clause) if held.thing <= content_stems(said.stated.object)]
    if about:
        return all((found.relation, found.label) != (held.claim.relation, label) for found in about)
    what = re.match(rf"\W*{thing}(?:'s| is| was) (?:my|our) ([^,.;!?]+)", clause.text)
    return what is not None and not content_stems(label.removeprefix(SLOT)) <= stems(what.group(1))


def _means_another(held: Held, said: Sequence[Clause], spoken: str) -> bool:
    """It states something else in plain words, names another thing of the same statement, or leaves a person be."""
    claim = held.claim
    told = [c for c in said if c.verbs and not _as_something_else(held, c) and not _SO.match(c.text)]
    spoken_of = [s for c in told for s in said_in(c)]
    stated = {(s.stated.relation, s.stated.label) for s in spoken_of}
    named = not held.of_user and content_stems(claim.subject) <= stems(spoken)
    if stated and (claim.relation, claim.label) not in stated and not named:
        return True
    return (_is_for_life(held) and not _NAMING.search(spoken)) or _names_beside(held, spoken)


def _names_beside(held: Held, spoken: str) -> bool:
    """The correction names another thing of the same statement: then it is about that one."""
    beside = {name.lower() for name in _NAME.findall(held.clause.text)} - {held.claim.subject.lower()}
    beside -= set(held.claim.object.lower().split()) | _OF_DATES
    return any(re.search(rf"\b{re.escape(name)}\b", spoken, re.IGNORECASE) for name in beside)


def _is_for_life(held: Held) -> bool:
    """Who somebody is to the user; of bosses and doctors there is another one day."""
    return held.of_user and not held.is_counted and _says_who(held.claim)


def _says_who(claim: Claim) -> bool:
    single = set(claim.label.split()) & SINGLE_ROLES
    return claim.relation in LINKS or (names_a_person(claim.label) and not single)


def _replaces_it_alone(held: Held, later: Told, *, near: bool) -> bool:
    """A word in place of the only thing that was said just before."""
    alone = len([c for c in held.told.clauses if len(c.text.split()) > _FEW_WORDS]) <= 1
    return near and alone and reversal.replaces(later.text)


def _is_exact(held: Held) -> bool:
    """The value has a form that nothing else has: a clock time, a number of something."""
    return any(
        v.sort is Sort.CLOCK or (v.sort is Sort.NUMBER and v.unit)
        for v in values_in(held.claim.object, held.told.said_at)
    )


def _only_a_value(held: Held, later: Told, said: Sequence[Clause]) -> bool:
    """A clause that is nothing but another value ("it's Thursday"; "16", where the answer had repeated 14)."""
    if later.asked.rstrip().endswith("?"):
        return False
    echoed = held.thing <= stems(later.asked) or _is_exact(held)
    return any(
        len(c.text.split()) <= _VALUE_WORDS
        and all(o.pronoun and not o.person for o in c.owners)
        and (c.owners or echoed)
        and held.conflicts(c.text, later)
        for c in said
    )
