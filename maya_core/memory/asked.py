"""Which facts a question asks for, by the words in which people ask. Pure, English.

`relations` has the words in which people state something; a question uses others: "where is my home?" is about where
somebody lives.
"""

import re

from maya_core.domain.memory import Relation

_FOOD = r"eat(?:ing|s)?|food|meals?|dinner|lunch|breakfast|recipes?|cook(?:ing)?|restaurants?|cater\w*|snacks?|menu"
_KIN = (
    r"famil(?:y|ies)|relatives?|sisters?|brothers?|siblings?|mother|father|mum|mom|dad|parents?|sons?|daughters?|kids?|"
    r"child|children|cousins?|aunts?|uncles?|grand\w+|nephews?|nieces?"
)
_ASKED: dict[Relation, str] = {
    Relation.LIVES_IN: r"liv(?:e|es|ing) (?:in|at|now)|do (?:i|we) live|home(?:town)?|address|based|resid\w+|"
    r"(?:which|what) (?:city|town|country)|mov(?:e|ed) to|near me|nearby|around here",
    Relation.COMES_FROM: r"(?:come|am i|i am|originally) from|gr[eo]w up|originally|nationality|hometown|native|born",
    Relation.BORN_ON: r"born|birthdays?|birth ?date|how old|my age",
    Relation.WORKS_AT: r"works?(?! out)|working|job|employers?|company|workplace|employed",
    Relation.WORKS_AS: r"job|profession|occupation|my role|title|for a living|for work|do i do|career",
    Relation.WORKS_WITH: r"(?:work|working|works) with|colleagues?|co-?workers?|team(?:mates?)?|boss|managers?",
    Relation.WORKS_ON: r"(?:work|working|works) on|projects?|busy with",
    Relation.ALLERGIC_TO: rf"allerg\w*|intoleran\w*|avoid|{_FOOD}",
    Relation.DISLIKES: rf"dislike|hate|can(?:'t|not) (?:i )?stand|don't (?:i )?like|avoid|{_FOOD}",
    Relation.HAS_PREFERENCE_FOR: rf"like|love|prefer\w*|favou?rites?|enjoy|hobb(?:y|ies)|interests?|taste|{_FOOD}",
    Relation.HAS_CONDITION: rf"{_FOOD}|conditions?|diagnos\w*|illness\w*|diseases?|health\w*|medical\w*|doctor",
    Relation.IS_A: rf"am i an?|vegetarian|vegan|diet|religio\w+|{_FOOD}",
    Relation.IS_NAMED: r"my (?:\w+ )?name|am i called|call me",
    Relation.PARTNER_OF: r"partner|wife|husband|spouse|girlfriend|boyfriend|fianc[eé]+|married|dating|engaged",
    Relation.FAMILY_OF: _KIN,
    Relation.KNOWS: r"friends?|know|neighbou?rs?|roommates?|flatmates?|met",
    Relation.HAS_PET: r"pets?|dogs?|cats?|pupp(?:y|ies)|kittens?|animals?|vet",
    Relation.OWNS: r"own|drive|cars?|bikes?|possess",
    Relation.USES: r"use|using|editors?|tools?|software|stack|phone|laptop|computer",
    Relation.SPEAKS: r"speak|languages?|fluent|tongue",
    Relation.STUDIES: r"study|studying|learn\w*|degree|university|school|course\w*",
    Relation.MEMBER_OF: r"member|clubs?|groups?|teams?|belong|volunteer\w*|bands?|choir",
    Relation.VISITED: r"visit\w*|been to|been in|travel\w*|countries|trips?",
    Relation.PLANS: r"plan(?:s|ning|ned)?|going to|training|trips?|upcoming|travel\w*|holidays?|vacation|goals?",
    Relation.DECIDED: r"decid\w*|decision\w*|choose|chose|chosen|pick\w*|settle\w*",
    Relation.HAS_BUDGET: r"budget|spend|afford",
    Relation.HAS_DEADLINE: r"deadlines?|due",
    Relation.ASSIGNED_TO: r"assign\w*|responsib\w+|tasks?",
}
_PATTERNS = {
    relation: re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE) for relation, words in _ASKED.items()
}
_EVERYTHING = re.compile(r"\babout (?:me|myself|us)\b|\bwho am i\W*$|\bintroduce me\b|\bknow me\b", re.IGNORECASE)


def relations_asked(text: str) -> frozenset[Relation]:
    """The relations that a text may ask for; () where it names none."""
    return frozenset(relation for relation, pattern in _PATTERNS.items() if pattern.search(text))


def asks_for_everything(text: str) -> bool:
    """Whether it asks what is known of the person, whatever that is."""
    return _EVERYTHING.search(text) is not None
