"""Whether what was said bears out the relation of a claim, and which relation it really states. Pure."""

import re
from dataclasses import replace

from maya_core.domain.memory import Relation
from maya_core.memory import reversal, stance
from maya_core.memory.claims import Claim, Reason
from maya_core.memory.clauses import Who
from maya_core.memory.entities import is_user
from maya_core.memory.grounding import Place
from maya_core.memory.lasting import Lasting, governing, lasting
from maya_core.memory.lexicon import ADVERBS, BE, DETERMINERS, DO, HAVE, MODALS, NEGATIONS, PREPOSITIONS, VERBS
from maya_core.memory.moments import begins, moments
from maya_core.memory.own_subject import apposed
from maya_core.memory.relations import LINKS, SAYS_NOTHING, SLOT, STATES, expressed, expressions, own_slot, slot_of
from maya_core.memory.stated import said_in
from maya_core.memory.tokens import tokens_of
from maya_core.memory.told import Clause, Told
from maya_core.memory.values import same_unit
from maya_core.memory.verb_kinds import PUTS_RIGHT
from maya_core.memory.wording import LIGHT, content_stems, stems

_DEICTIC = stems(
    "upside it this that these those one ones thing things stuff something anything everything nothing here "
    "there them him "
    "her first second "
    "third last option version latter former same other others all some more most idea way so too either neither "
    "both answer "
    "reply response suggestion explanation help work works"
)
_NAMES_TOO = ("Sam", "Otto", "Val")
"""Names whose stem is that of a word that points ("same")."""
_SMALL = stems(" ".join((ADVERBS - PREPOSITIONS) | NEGATIONS)) - stems(
    "today tomorrow yesterday tonight daily weekly monthly yearly"
)
_MOOD = stems(
    "tired hungry bored fine good great ok okay sure sorry happy glad back here busy stuck confused done ready "
    "curious late excited thirsty "
    "sleepy cold hot wondering freezing stressed exhausted annoyed frustrated lost sick well better worse nervous "
    "sad angry upset "
    "starving full awake home away online offline kidding serious right wrong impressed thankful grateful today "
    "tonight tomorrow yesterday "
    "now morning afternoon evening moment minute second day rough long bad nice lazy a bit little so very just "
    "feeling mood yawning "
    "drained overwhelmed grumpy cranky relieved new question problem issue idea headache hurry rush break quick "
    "lunch dinner breakfast coffee tea "
    "snack nap shower walk call meeting rain raining weather sunny snow snowing cloudy windy traffic monday mondays "
    "weekend thanks thank thx cheers"
)
_TASTED = frozenset("drink switch prefer like love hate dislike avoid sell grow import roast".split())
"""Verbs that say of tea and coffee more than that one has some just now."""
_MAYA_ALONE = re.compile(r"\W*(?:dear |hi |hey |ok |okay |thanks |oh )?maya\W*", re.IGNORECASE)
"""The assistant is addressed; nobody is named."""
_COMMON_VERBS = frozenset(
    {Relation.IS_A, Relation.OWNS, Relation.HAS_CONDITION, Relation.HAS_STATUS, Relation.USES, Relation.WORKS_AS}
)
_QUALIFIER = re.compile(
    r"\b(?:a|an|the|my|our|very|really|quite|also|still|now|both|some|just|only|currently)\b|[^\w\s]"
)
_GOVERNORS = {
    Relation.LIVES_IN: re.compile(
        r"\b(?:in|near|at|to|from|of|outside|around|by|on|off|leave|left|leaving|is|was|'s)\s+(?:(?:the|a|an|my|our|"
        r"south|"
        r"north|east|west|central|downtown|old|new|small|little|rural|lovely|sunny|rainy|beautiful|called|now|"
        r"village|town|"
        r"city|suburb|part|centre|center|outskirts|middle|of|side)\s+)*$",
        re.IGNORECASE,
    ),
    Relation.WORKS_AT: re.compile(
        r"\b(?:at|for|with|from|by|to|join|joins|joined|joining|left|leave|leaving|quit|founded|run|runs|is|was|'s|"
        r"called|"
        r"in)\s+(?:(?:the|a|an|my|our|own|small|big|large|local|called|company|startup|start-up|firm|new|old|"
        r"former)\s+)*"
        r"(?:[\w-]+\s+)?[\"']?$",
        re.IGNORECASE,
    ),
}
"""What must stand right before the object of a relation whose words alone say too little."""
_ASIDE = re.compile(
    r"\b(?:in|on|at|to|from|about|because|when|before|after|by|near|over|during|like|nothing|no|but|everything)\b",
    re.IGNORECASE,
)
_OF_ANY_MOMENT = frozenset(
    {
        Relation.TAKES_PLACE_ON,
        Relation.HAS_DEADLINE,
        Relation.HAS_PREFERENCE_FOR,
        Relation.ALLERGIC_TO,
        Relation.DISLIKES,
    }
)
_SLOT_LIKE = frozenset(
    {
        Relation.HAS_BUDGET,
        Relation.HAS_DEADLINE,
        Relation.IS_NAMED,
        Relation.BORN_ON,
        Relation.TAKES_PLACE_ON,
        Relation.PARTNER_OF,
        Relation.FAMILY_OF,
        Relation.KNOWS,
        Relation.HAS_PET,
        Relation.ASSIGNED_TO,
        Relation.DEPENDS_ON,
        Relation.ALLERGIC_TO,
    }
)
"""Relations that people state as "my … is …"; for all others such a sentence names a slot."""
_ABODES = stems("home house flat apartment place room residence address base hometown city town village country studio")
"""Where these are, their owner lives; "my suitcase is in Frankfurt" says nothing of the kind."""
_OF_HEADS = frozenset({Relation.IS_A, Relation.HAS_CONDITION, Relation.WORKS_AS, Relation.OWNS, Relation.HAS_STATUS})
_VISITED = re.compile(r"\b(?:visited|(?:been|went|gone|travelled|traveled|flew) to)\s+(?:the\s+)?$", re.IGNORECASE)
_THING_DONE = re.compile(
    r"\W*(?:the (?:(?:only|one|first|last) )?thing|what|all|one thing)\s+(?:that\s+)?(?:i|we|he|she|"
    r"they)\b",
    re.IGNORECASE,
)
"""Opens "the only thing I rule is …": what follows is not what anybody is."""
_BEFORE_THAT = re.compile(r"\bbefore (?:i|we|he|she|they)\b", re.IGNORECASE)
"""After it stands what is so since: "I was a chef before I became a programmer"."""
_OF_PERSONS = frozenset(
    {
        Relation.WORKS_AT,
        Relation.WORKS_AS,
        Relation.LIVES_IN,
        Relation.HAS_CONDITION,
        Relation.HAS_PREFERENCE_FOR,
        Relation.OWNS,
    }
)
_STAYS_PAST = frozenset(
    {
        Relation.COMES_FROM,
        Relation.BORN_ON,
        Relation.VISITED,
        Relation.DECIDED,
        Relation.FAMILY_OF,
        Relation.IS_DESTINATION_OF,
    }
)
_NEVER_DATED = frozenset(Relation) - {
    Relation.BORN_ON,
    Relation.HAS_DEADLINE,
    Relation.TAKES_PLACE_ON,
    Relation.HAS_STATUS,
    Relation.RELATED_TO,
}
_COUNTED = frozenset({Relation.BORN_ON, Relation.HAS_DEADLINE, Relation.TAKES_PLACE_ON, Relation.HAS_BUDGET})
_BARE_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_TIMES = (Relation.BORN_ON, Relation.HAS_DEADLINE, Relation.TAKES_PLACE_ON)
_BIRTH = re.compile(r"\b(?:born|b-?day|birthday)\b", re.IGNORECASE)
_DUE = re.compile(r"\b(?:due|deadlines?|submit|hand in|deliver)\b", re.IGNORECASE)
_ADVERB_OF_ENDING = re.compile(
    r"\b(?:no longer|no more|formerly|previously|originally|until recently|used)\b", re.IGNORECASE
)
"""Stands between somebody and the verb, and says that it is over: "Maria no longer works"."""
_CANNOT_EAT = re.compile(r"\b(?:can't|cannot|can not) (?:eat|have|drink|tolerate)\b", re.IGNORECASE)
_ABSENCE = re.compile(
    r"\b(?:not|no|never|avoid\w*|without|doesn't|don't|can't|cannot|dislikes?|hates?)\b", re.IGNORECASE
)
_NOT_LIKED = re.compile(
    r"(?:n't|\b(?:not|never|no longer|dont|doesnt|cannot))\s+(?:really |even |actually )?(?:likes?|loves?|"
    r"enjoys?|eats?|"
    r"drinks?|wants?|stand|into|uses?)\b|\b(?:no longer|stopped|quit|gave up|given up)\s+(?:lik|eat|drink)\w*",
    re.IGNORECASE,
)
_DATED_PLANS = frozenset({Relation.RELATED_TO, Relation.HAS_BUDGET, Relation.HAS_DEADLINE, Relation.HAS_STATUS})
_SAID_BEFORE = 1
_MOST_BETWEEN = 3
_TO_LISTENER = re.compile(r"(?<![\w'])(?:your|you|this (?:answer|version|draft|reply))\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:for|at|in|on|with|from|to|by|near)\b", re.IGNORECASE)
_AT_SOMETHING = re.compile(rf"{_ELSEWHERE.pattern}|\bthe\b", re.IGNORECASE)
_LONGEST_LIST = 8
_LONGEST_LEAD = 4
"""Words before the object of a clause that goes on with a list: "and a bit of"."""
_TURNS = re.compile(r"\b(?:but|nothing|nobody|except|instead|because|so|if|when|while)\b", re.IGNORECASE)
"""After these words a sentence does not go on with its list."""
_INTRODUCED = re.compile(
    r"\b(?:my|our)\s+(?!(?:former|old|previous|ex)\b)(?:(?!was\b|were\b|is\b|used\b)[a-z-]+\s+){1,3}$", re.IGNORECASE
)
"""Before a name: who somebody is ("my mentor Adaora used to …"); the verb after it is theirs."""
"""Where somebody is, not what they do: "I'm on the settings page"."""


def points_only(text: str) -> bool:
    """Words that point ("it", "the second one") and name nothing."""
    if text[:1].isupper() and text in _NAMES_TOO:
        return False
    carried = content_stems(text)
    return not carried or carried <= _DEICTIC | _SMALL


def relation_reason(claim: Claim, told: Told, place: Place) -> Reason | None:
    """Whether what the clause says of the object lasts, and can be the claimed relation."""
    clause = place.clause
    if reason := _contrary(claim, clause, place.start) or _momentary(claim, told, place):
        return reason
    named = claim.relation is Relation.IS_NAMED and _phrased(claim, place) is not None
    visited = claim.relation is Relation.VISITED and _VISITED.search(clause.text[: place.start]) is not None
    if named or visited or introduces(claim, told, place):
        return None
    lasts = lasting(told, clause, place.start) is not Lasting.NO
    if lasts or _stands_beside(claim, place):
        return None if lasts and not _answers_a_suggestion(claim, told, clause) else Reason.PASSING
    said = strength(claim, told, place)
    if _puts_a_value_right(claim, told, clause) or (not clause.owners and stance.stands_alone(clause.text)):
        return None
    if governing(clause, place.start) is None and clause.leads is None:
        borne = said == _SAID_BEFORE or (said and clause.corrects) or _phrased(claim, place)
        return None if borne else Reason.RELATION
    leans = all(verb.lemma in PUTS_RIGHT for verb in clause.verbs) and all(
        owner.pronoun or owner.who is Who.USER for owner in clause.owners
    )
    return None if said and clause.corrects and leans else Reason.PASSING


def _stands_beside(claim: Claim, place: Place) -> bool:
    """What stands in an answer without a verb behind a preposition or an article is not what somebody is or has: "with
    the soup on the stove"."""
    clause = place.clause
    if clause.owners or clause.verbs or clause.leads or claim.relation not in _OF_HEADS:
        return False
    return _AT_SOMETHING.search(clause.text[: place.start]) is not None


def _puts_a_value_right(claim: Claim, told: Told, clause: Clause) -> bool:
    """Another number of the same things as before, and nothing else: "68 square metres, it turns out"."""
    if clause.verbs or not clause.corrects:
        return False
    before = " ".join([told.earlier, *(c.text for c in told.clauses if c.start < clause.start)])
    return same_unit(claim.object, before, told.said_at)


def introduces(claim: Claim, told: Told, place: Place) -> bool:
    """Says in passing who somebody is to the user: "my aunt Yetunde", "Rashid, my husband, …"."""
    wanted = content_stems(claim.object)
    if is_user(claim.subject) and apposed(told, place.clause):
        return True
    return is_user(claim.subject) and any(
        said.role and wanted <= content_stems(said.stated.object) | stems(said.role) for said in said_in(place.clause)
    )


def _answers_a_suggestion(claim: Claim, told: Told, clause: Clause) -> bool:
    """Liking what was offered just before is a choice of the moment."""
    thing = content_stems(claim.object)
    offered = thing <= stems(told.asked) and not thing <= stems(told.earlier) and "?" not in told.asked
    return offered and reversal.likes(clause.text)


def strength(claim: Claim, told: Told, place: Place) -> int:
    """2: the relation itself was said in the clause. 1: just before it (an answer, a correction). 0: not at all."""
    clause = place.clause
    leaning = _context(told, place) if _leans_back(clause) else ""
    if claim.relation is Relation.RELATED_TO:
        label = content_stems(claim.label)
        if not label:
            return 0
        return 2 if label <= clause.stems else 1 if label <= stems(leaning) else 0
    if (claim.relation, claim.label) == _phrased(claim, place):
        return 2
    if claim.relation in (Relation.IS_A, Relation.WORKS_AS) and _THING_DONE.match(clause.text):
        return 0
    if expressed(claim.relation, clause.text):
        return 2 if _joined(claim.relation, clause, place) else 0
    return 1 if expressed(claim.relation, leaning) else 0


def _joined(relation: Relation, clause: Clause, place: Place) -> bool:
    """Whether the object stands beside the words of the relation: "have a dog", not "had a day in Rome"."""
    spots = expressions(relation, clause.text)
    gaps = [clause.text[end : place.start] for _, end in spots if end <= place.start]
    if (governors := _GOVERNORS.get(relation)) is not None:
        return bool(gaps) and governors.search(clause.text[: place.start]) is not None
    if relation in _COMMON_VERBS:
        return bool(gaps) and _beside(gaps[-1]) and (relation is Relation.USES or not _ASIDE.search(gaps[-1]))
    gaps += [clause.text[place.end : start] for start, _ in spots if start >= place.end]
    return any(_beside(gap) for gap in gaps)


def _beside(gap: str) -> bool:
    return len(_QUALIFIER.sub(" ", gap).split()) <= _MOST_BETWEEN


def shaped(claim: Claim, told: Told, place: Place, firmness: int) -> Claim | None:
    """The claim with the relation that the words state; None when they state none.

    A plain phrase decides over what was claimed; a future state becomes a plan; what fits no type is
    RELATED_TO with the words that were said.
    """
    clause = place.clause
    relation, label = claim.relation, claim.label
    if phrased := _phrased(claim, place):
        relation, label = phrased
    elif is_user(claim.subject) and (role := apposed(told, clause)):
        relation, label = _link_of(role, relation) if relation in LINKS else (Relation.RELATED_TO, SLOT + role)
    elif (slot := _slot(claim, clause, place)) and (not firmness or relation not in _SLOT_LIKE):
        if relation is Relation.LIVES_IN and not content_stems(slot.removeprefix(SLOT)) & _ABODES:
            return None
        relation, label = Relation.RELATED_TO, slot
    elif relation in LINKS and is_user(claim.subject) and _stands_before_its_verb(clause, place):
        pass
    elif not firmness or _only_of_persons(claim, clause, place):
        relation, label = Relation.RELATED_TO, _words_between(clause, place)
    if relation is Relation.RELATED_TO and not label and _stands_before_its_verb(clause, place):
        label = "" if claim.label in SAYS_NOTHING else claim.label
        label = label or ("does" if is_user(claim.subject) and clause.owner_at(place.start).who is Who.USER else "")
    if relation is Relation.RELATED_TO and not label and _puts_a_value_right(claim, told, clause):
        label = claim.label
    if relation is Relation.RELATED_TO and not label:
        return None
    relation = _dated(claim, relation, told, clause)
    if relation in _NEVER_DATED and _is_date(claim, told):
        return None
    if relation not in _COUNTED and not label.startswith((SLOT, "turn")) and _is_loose_number(claim, place):
        return None
    if clause.future and relation in STATES and relation not in _DATED_PLANS:
        relation, label = Relation.PLANS, ""
    return replace(claim, relation=relation, label=label if relation is Relation.RELATED_TO else "")


def _link_of(role: str, claimed: Relation) -> tuple[Relation, str]:
    """The relation that a role means: of a father-in-law it is no marriage."""
    fitting = [relation for relation in (claimed, *sorted(LINKS)) if expressed(relation, role)]
    return next(iter(fitting), claimed), ""


def _is_loose_number(claim: Claim, place: Place) -> bool:
    """A number by itself, that is not the value of a thing ("rent is 520")."""
    owner = place.clause.owner_at(place.start)
    of_a_thing = owner.who is Who.OTHER and not owner.person and not is_user(claim.subject)
    return _BARE_NUMBER.fullmatch(claim.object.strip()) is not None and not of_a_thing


def _stands_before_its_verb(clause: Clause, place: Place) -> bool:
    verb = governing(clause, place.start)
    return verb is not None and place.start <= verb.start


def is_over(claim: Claim, told: Told, place: Place) -> bool:
    """Whether the clause says that it was so and is no more."""
    clause = place.clause
    if claim.relation in _STAYS_PAST or _tells_of_the_past(claim, clause) or _disliked_by_now(claim, clause):
        return False
    since_then = _BEFORE_THAT.search(clause.text[: place.start])
    if reversal.ends_around(clause.text, place.start, place.end):
        return True
    if is_user(claim.subject) and _INTRODUCED.search(clause.text[: place.start]):
        return False
    if not since_then and reversal.no_longer(_predicate(claim, clause, place.start)):
        return True
    if claim.relation not in STATES or clause.future:
        return False
    return lasting(told, clause, place.start) is Lasting.OVER and begins(clause.text, told.said_at) is None


def _predicate(claim: Claim, clause: Clause, place: int) -> str:
    """What a clause says of somebody else, without how they are called: "my former student Ifeoma speaks …"."""
    owner = clause.owner_at(place)
    if owner.who is not Who.OTHER or owner not in clause.owners or owner.start <= place < owner.until:
        return clause.text
    called = _ADVERB_OF_ENDING.split(clause.text[owner.start : owner.until], maxsplit=1)[0]
    return clause.text[: owner.start] + clause.text[owner.start + len(called) :]


def _tells_of_the_past(claim: Claim, clause: Clause) -> bool:
    """The claim itself is in the past tense ("taught", "was a"), which stays true of what was."""
    if claim.relation is not Relation.RELATED_TO:
        return False
    first = next((t.word for t in tokens_of(claim.label)), "")
    kinds = VERBS.get(first, {})
    past = first in ("was", "were", "had", "former", "formerly") or ("past" in kinds and "base" not in kinds)
    return past and first in (t.word for t in tokens_of(clause.text))


def _disliked_by_now(claim: Claim, clause: Clause) -> bool:
    """ "I don't like oat milk anymore": what is over is the liking."""
    absent = claim.relation is Relation.DISLIKES or _ABSENCE.search(claim.label) is not None
    return absent and _NOT_LIKED.search(clause.text) is not None


def speaks_of_absence(claim: Claim, text: str) -> bool:
    """A denial bears it out: a dislike, an allergy ("I can't eat nuts"), a relation that says "not" itself."""
    if claim.relation is Relation.ALLERGIC_TO:
        return _CANNOT_EAT.search(text) is not None
    if claim.relation is Relation.DEPENDS_ON:
        return re.search(r"\b(?:until|before|without|unless)\b", text, re.IGNORECASE) is not None
    return claim.relation is Relation.DISLIKES or _ABSENCE.search(claim.label) is not None


def _contrary(claim: Claim, clause: Clause, start: int) -> Reason | None:
    dislike = reversal.dislikes(clause.text)
    if claim.relation is Relation.DISLIKES:
        return None if dislike or clause.corrects else Reason.CONTRARY
    if claim.relation is Relation.HAS_PREFERENCE_FOR and dislike and not reversal.no_longer(clause.text):
        return Reason.CONTRARY
    return Reason.CONTRARY if reversal.passes_over(clause.text, start) else None


def _momentary(claim: Claim, told: Told, place: Place) -> Reason | None:
    """Requests, moods, remarks to the listener."""
    clause = place.clause
    if _MAYA_ALONE.fullmatch(clause.text):
        return Reason.VAGUE
    nameless = not clause.owners and clause.inherited.who is Who.NOBODY
    introduced = claim.relation is Relation.IS_NAMED and _phrased(claim, place) is not None
    if nameless and stance.requests(clause.text) and not introduced:
        return Reason.PASSING
    if _TO_LISTENER.search(clause.text) and not expressed(claim.relation, clause.text):
        return Reason.PASSING
    verb = governing(clause, place.start)
    habit = verb is not None and verb.lemma in _TASTED and not verb.ongoing
    somebody = claim.relation in LINKS and claim.object[:1].isupper()  # "Sade" has the stem of a mood
    lasting = habit or somebody or (claim.relation in _OF_ANY_MOMENT and strength(claim, told, place))
    return Reason.PASSING if stems(claim.object) - LIGHT <= _MOOD and not lasting else None


def _leans_back(clause: Clause) -> bool:
    """A clause without a subject of its own, or one that sets something right, means what stands before it."""
    return not clause.owners or clause.corrects or all(owner.pronoun for owner in clause.owners)


def _context(told: Told, place: Place) -> str:
    """What a clause leans on: what it sets right, the question it answers, or the list that it goes on with."""
    clause = place.clause
    if clause.corrects:
        before = [c.text for c in told.clauses if c.start < clause.start][-3:]
        return " ".join([told.earlier, told.asked, *before, clause.text])
    if told.clauses[:1] == (clause,) or _goes_on_answering(told, clause):
        asked = told.asked.rstrip().endswith("?") and not stance.wishes(told.asked)
        return f"{told.asked} {clause.text}" if asked else ""
    lead = clause.text[: place.start]
    if len(lead.split()) > _LONGEST_LEAD or _ELSEWHERE.search(lead):
        return ""
    begin = min(c.start for c in told.clauses if c.sentence == clause.sentence)
    led = " ".join(told.text[begin : clause.start + place.start].split()[-_LONGEST_LIST:])
    if _TURNS.search(led):
        return ""
    return f"{led} " + told.text[clause.start + place.start : clause.start + len(clause.text)]


def _goes_on_answering(told: Told, clause: Clause) -> bool:
    """One more of what was asked for: "Tagalog and Ilocano. Spanish as well." """
    if clause.verbs or clause.owners:
        return False
    before = [c for c in told.clauses if c.start < clause.start]
    more = re.search(r"\b(?:as well|too|also)\W*$", clause.text, re.IGNORECASE)
    return (
        bool(before)
        and all(not c.verbs and not c.owners for c in before if c.sentence in (0, clause.sentence))
        and (more is not None or before[0].sentence == clause.sentence)
    )


def _phrased(claim: Claim, place: Place) -> tuple[Relation, str] | None:
    """The relation that a plain phrase of the clause states of the object: the claimed one if it is among them."""
    wanted = content_stems(claim.object)
    found: list[tuple[Relation, str]] = []
    for said in said_in(place.clause):
        shared = content_stems(said.stated.object)
        near = said.stated.start < place.end and place.start < said.stated.end
        if near and (wanted <= shared or shared <= wanted) and (said.subject == "user") == is_user(claim.subject):
            found.append((said.stated.relation, said.stated.label))
    same = [item for item in found if item[0] is claim.relation]
    return next(iter(same or found), None)


def _dated(claim: Claim, relation: Relation, told: Told, clause: Clause) -> Relation:
    """A date can only be the object of a relation to a time."""
    if not _is_date(claim, told) or relation in _TIMES:
        return relation
    if _BIRTH.search(clause.text):
        return Relation.BORN_ON
    if _DUE.search(clause.text):
        return Relation.HAS_DEADLINE
    return relation if is_user(claim.subject) else Relation.TAKES_PLACE_ON


def _is_date(claim: Claim, told: Told) -> bool:
    """The object is a date and nothing else."""
    dates = moments(claim.object, told.said_at)
    return len(dates) == 1 and not content_stems(claim.object[: dates[0].start] + claim.object[dates[0].end :])


def _only_of_persons(claim: Claim, clause: Clause, place: Place) -> bool:
    """A relation that only people have, claimed of something that is none."""
    owner = clause.owner_at(place.start)
    return claim.relation in _OF_PERSONS and not is_user(claim.subject) and owner.who is Who.OTHER and not owner.person


def _slot(claim: Claim, clause: Clause, place: Place) -> str:
    """ "has as gym", for "my gym is …"."""
    if is_user(claim.subject):
        return own_slot(clause.text, place.start)
    return slot_of(claim.subject, clause.text, place.start)


def _words_between(clause: Clause, place: Place) -> str:
    """The words by which the subject is joined to the object: "play" of "I play the cello"; "" when there are none."""
    if clause.leads:
        lead = clause.text[: place.start]
        if len(lead.split()) >= _LONGEST_LEAD and _ELSEWHERE.search(lead):
            return ""
        return _words_between(clause.leads, Place(clauses=(clause.leads,), start=len(clause.leads.text), end=0))
    verb = governing(clause, place.start)
    if verb is None or verb.start >= place.start:
        return ""
    words = [t for t in tokens_of(clause.text[verb.start : place.start]) if t.text[:1].isalnum()]
    kept = [t.word for t in words if not (_is_small(t.word) and t.end + verb.start > verb.end)]
    main = [word for word in kept if word not in _AUXILIARIES] or kept
    if len(main) > _MOST_BETWEEN:
        main = [main[0], *([main[-1]] if main[-1] in PREPOSITIONS else [])]
    return " ".join(main) or ("is" if verb.lemma == "be" else "")


def _is_small(word: str) -> bool:
    return word in DETERMINERS or word in ADVERBS


_AUXILIARIES = (BE | HAVE | DO | MODALS | NEGATIONS) - {"is", "are", "am", "has", "have", "was", "were"}
