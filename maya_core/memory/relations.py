"""The words by which people express each relation, and relations named in free words. Pure, English."""

import re

from maya_core.domain.memory import RELATION_RULES, Relation
from maya_core.memory.lexicon import PERSON_NOUNS, PET

SAYS_NOTHING = ("is connected with", "related to")
"""Labels without a word for how."""
SLOT = "has as "
"""Begins the label of a relation of which a subject has one at a time: "has as favourite colour"."""

STATES = frozenset(
    {
        Relation.LIVES_IN,
        Relation.WORKS_AT,
        Relation.WORKS_AS,
        Relation.WORKS_ON,
        Relation.WORKS_WITH,
        Relation.IS_A,
        Relation.IS_NAMED,
        Relation.HAS_PREFERENCE_FOR,
        Relation.DISLIKES,
        Relation.HAS_PET,
        Relation.OWNS,
        Relation.USES,
        Relation.HAS_CONDITION,
        Relation.PARTNER_OF,
        Relation.MEMBER_OF,
        Relation.HAS_BUDGET,
        Relation.HAS_DEADLINE,
        Relation.STUDIES,
        Relation.LOCATED_IN,
        Relation.HAS_STATUS,
        Relation.RELATED_TO,
    }
)
"""Relations that last a while: in the past tense they are over, in the future they are a plan."""

LINKS = frozenset({Relation.FAMILY_OF, Relation.PARTNER_OF, Relation.KNOWS, Relation.WORKS_WITH, Relation.HAS_PET})
"""Relations that say who somebody is to the subject."""

SINGLE_ROLES = frozenset(
    "boss manager supervisor landlord landlady dentist doctor gp therapist accountant mentor tutor trainer lead ceo "
    "cto cfo".split()
)
"""Of these people one has one at a time, so they are slots: "has as boss"."""

_KIN = (
    r"sisters?|brothers?|mothers?|fathers?|mom|mum|mommy|dad|daddy|son|sons|daughters?|child|children|kids?|"
    r"cousins?|aunts?|uncles?|grand\w+|nan|nephews?|nieces?|"
    r"twins?|siblings?|parents?|step\w+|[a-z]+-in-law|baby|god(?:son|daughter|mother|father)"
)
_PEOPLE = "|".join(sorted((re.escape(noun) for noun in PERSON_NOUNS), key=len, reverse=True))

_CUES: dict[Relation, str] = {
    Relation.HAS_PREFERENCE_FOR: r"lik(?:e|es|ed|ing)|lov(?:e|es|ed|ing)|prefer\w*|favou?rites?|enjoy\w*|fan|"
    r"into|fond|ador\w+|crazy about|"
    r"obsess\w+|passion\w*|keen|partial to|hobb(?:y|ies)|interest\w*|go-to|usual|"
    r"can't (?:get enough|live without)|couldn't live without|always (?:order|choose|pick|go|take|drink|sit)|best|"
    r"works? (?:best|better) for me|nothing beats|drinks?|eats?|only (?:eat|drink|wear|read|use|fly)\w*|hooked",
    Relation.DISLIKES: r"dislik\w*|hat(?:e|es|ed)|can't stand|cannot stand|can't bear|detest\w*|"
    r"loath\w*|despis\w*|not|n't|never|"
    r"avoid\w*|annoy\w*|sick of|fed up|gross|disgust\w*|terrible|awful|worst|dont|doesnt",
    Relation.IS_A: r"am|'m|im|is|'s|are|'re|was|were|been|became|become|as an?|turned|went|"
    r"identify|of us|being|name|eat",
    Relation.IS_NAMED: r"names?|named|called|calls?|i'm|i am|im|goes by|go by|nickname\w*|known as|this is|signed",
    Relation.LIVES_IN: r"liv(?:e|es|ed|ing)|mov(?:e|ed|ing)|relocat\w+|based|resid\w+|settled|home|"
    r"hous(?:e|es) in|apartment|flat|"
    r"staying in|address|hometown|neighbou?rhood",
    Relation.COMES_FROM: r"from|born|grew up|grown up|raised|native|originally|roots|hometown|"
    r"nationality|citizen\w*|comes?|came",
    Relation.WORKS_AT: r"(?:since|now|currently|as of|these days)\b[^.!?]{0,30}?(?:'m|\bam|\bis|'s|\bare|'re)"
    r"(?: now| currently)? (?:at|with|in)|(?:'m|am|is|'s|are|'re) (?:now|currently) (?:at|with)|work\w*|jobs?|shifts?|"
    r"employ\w*|hired|joined|join|"
    r"joining|start\w*|position|role|"
    r"intern\w*|contract\w*|consult\w*|"
    r"founded|runs?|promoted|left|quit|resigned|laid off|company|switched|moved to|offer",
    Relation.WORKS_AS: r"work\w*|jobs?|am an?|'m an?|im an?|is an?|is the|am the|'m the|'s an?|as "
    r"an?|was an?|as the|profession|"
    r"occupation|role|title|promoted|became|position|by trade|for a living|hired|freelanc\w+|train\w*|i'm|i am",
    Relation.WORKS_ON: r"work\w*|build\w*|built|develop\w*|lead\w*|led|projects?|writ\w+|design\w*|"
    r"maintain\w*|responsible|in "
    r"charge|manag\w+|own|research\w*|thesis|run|running|assigned|start\w*|ship\w*|migrat\w+|refactor\w*|joined|"
    r"on",
    Relation.WORKS_WITH: rf"work\w*|team\w*|report\w*|together|pair\w*|collab\w*|{_PEOPLE}",
    Relation.STUDIES: r"stud(?:y|ies|ied|ying)|learn\w*|degree|major\w*|phd|master\w*|bachelor\w*|"
    r"course|class\w*|enrol\w*|"
    r"university|college|school|thesis|graduat\w*|taking|reading",
    Relation.KNOWS: rf"know\w*|met|meet\w*|friends?|{_PEOPLE}",
    Relation.FAMILY_OF: rf"{_KIN}|family|married|related|wife|husband|gave birth|born",
    Relation.PARTNER_OF: r"wife|husband|spouse|partner|girlfriend|boyfriend|fianc[eé]+|marri\w+|marry|"
    r"engaged|dating|going out|"
    r"together with|wedding|divorced|separated|broke up|split|gf|bf",
    Relation.HAS_PET: rf"{PET}s?|birds?|fish|puppies|ponies|lab|adopted|pets?|paws|breed|vet",
    Relation.OWNS: r"have|has|had|own\w*|got|'ve|bought|drives?|drove|purchased|ride|rides|sold",
    Relation.USES: r"us(?:e|es|ed|ing)|switch\w*|runs?|running|work(?:s|ing)? (?:with|in)|"
    r"rel(?:y|ies)|wrote|writ\w+|cod(?:e|"
    r"es|ing)|prefer\w*|tools?|set ?up|migrat\w*|develop\w*|stack|moved|drives?|wears?|built|built with|"
    r"program\w*|deploy\w*|host\w*",
    Relation.SPEAKS: r"speak\w*|spoke|fluent\w*|languages?|native|bilingual|trilingual|tongue|"
    r"talk\w*|learn\w*|conversational",
    Relation.ALLERGIC_TO: r"allerg\w*|intoleran\w*|react\w*|anaphyla\w*|sensitiv\w*|coeliac|celiac|"
    r"can't (?:eat|have)|cannot (?:eat|"
    r"have)",
    Relation.HAS_CONDITION: r"have|has|had|diagnos\w*|suffer\w*|am|'m|im|is|'s|living with|live with|"
    r"lives with|condition|broke|"
    r"sprain\w*|pregnan\w*|dealing with|got|recovering|surgery",
    Relation.BORN_ON: r"born|birthdays?|b-?day|birth|turn\w*",
    Relation.LOCATED_IN: r"in|at|located|based|near|on|situated|office|where|to",
    Relation.PART_OF: r"part|belong\w*|in|within|under|module|component|section|of",
    Relation.MEMBER_OF: r"member\w*|team|join\w*|part of|belong\w*|play\w*|clubs?|groups?|board|"
    r"committee|sing\w*|in the|on the|"
    r"volunteer\w*|band|squad|choir|league|union",
    Relation.IS_DESTINATION_OF: r"trips?|travel\w*|going|go|fly\w*|visit\w*|heading|destination|holiday|vacation|to",
    Relation.VISITED: r"visit\w*|went|been|trips?|travel\w*|vacation|holidays?|saw|stayed|flew|back "
    r"from|toured|hiked|spent|"
    r"honeymoon\w*|was in|were in|conference|drove",
    Relation.PLANS: r"plan\w*|going to|will|\w+'ll|intend\w*|book\w*|schedul\w*|moving|flying|"
    r"sign(?:ed|ing) up|regist\w+|"
    r"trips?|travel\w*|organi[sz]\w*|training for|prepar\w*|visiting|launch\w*|"
    r"holiday|vacation|goal|aim\w*|hosting|throwing|saving (?:up )?for|adopting|switching|joining|marrying|starting|"
    r"on (?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"(?:in|next|this) (?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"spring|summer|autumn|fall|winter|month|year)|next week|tomorrow",
    Relation.DECIDED: r"decid\w*|chose|choos\w*|chosen|went with|go with|going with|book\w*|"
    r"agree\w*|settled on|pick\w*|opted|"
    r"sign\w*|bought|order\w*|confirm\w*|reserv\w*|select\w*|final\w*|approv\w*|made up|it's|will be|conclu\w*|"
    r"went for|landed on",
    Relation.HAS_DEADLINE: r"due|deadline\w*|by|until|before|submit\w*|submission|deliver\w*|finish\w*|"
    r"hand(?:ed|ing)? in|no later|"
    r"ends?|cut-?off|ships?|expires?|moved|extended|pushed|postponed|closes?",
    Relation.HAS_BUDGET: r"budget\w*|spend\w*|costs?|afford|caps?|capped|limit\w*|up to|max\w*|at most|"
    r"price|allocat\w*|fund\w*|"
    r"approved|raised|increased|cut",
    Relation.ASSIGNED_TO: r"assign\w*|owners?|owns?|responsible|takes?|taking|took|handl\w*|in charge|"
    r"leads?|leading|doing|given to|"
    r"gave|review\w*|on it|handed|picked up|does|driving",
    Relation.DEPENDS_ON: r"depend\w*|block\w*|needs?|requir\w*|wait\w*|after|before|until|rel(?:y|ies)|"
    r"hinges?|prerequisite|first|"
    r"once|without|can't start",
    Relation.HAS_STATUS: r"is|'s|are|was|status|done|finish\w*|complet\w*|progress|block\w*|cancel\w*|"
    r"approved|pending|delay\w*|"
    r"ready|started|live|shipped|postponed|on hold|merged|deployed|closed|open|signed",
    Relation.TAKES_PLACE_ON: r"on|at|is|starts?|takes place|schedul\w*|moved|dates?|in|held|happens?|set "
    r"for|'s|from|will be|booked|"
    r"appointment|postponed|rescheduled|shifted",
}
_PATTERNS = {
    relation: re.compile(rf"(?:(?<![\w-])|(?='|n't))(?:{words})(?!\w)", re.IGNORECASE)
    for relation, words in _CUES.items()
}

_NAMED_FREELY: tuple[tuple[str, Relation], ...] = (
    (r"dislik|hate|averse|avoid|not like|no longer likes|can t stand", Relation.DISLIKES),
    (r"allerg|intoleran", Relation.ALLERGIC_TO),
    (r"deadline|due|submission date", Relation.HAS_DEADLINE),
    (r"budget|spending limit", Relation.HAS_BUDGET),
    (r"birth ?day|birth ?date|date of birth|born on|dob", Relation.BORN_ON),
    (r"born in|hometown|origin|from|nationality|grew up|native of", Relation.COMES_FROM),
    (r"partner|spouse|wife|husband|married|girlfriend|boyfriend|fianc|engaged|dating", Relation.PARTNER_OF),
    (r"\bpet|\bdog\b|\bcat\b", Relation.HAS_PET),
    (rf"\b(?:{_KIN})\b|family|relative", Relation.FAMILY_OF),
    (r"occupation|profession|job title|works? as|\brole\b|\bjob\b|position|career", Relation.WORKS_AS),
    (r"works? on|project|working on", Relation.WORKS_ON),
    (r"works? with|colleague|coworker|manager|boss|reports to", Relation.WORKS_WITH),
    (r"employ|works? (?:at|for|in)|workplace|company", Relation.WORKS_AT),
    (r"studi|study|learning|major|degree|school|university", Relation.STUDIES),
    (r"speak|language", Relation.SPEAKS),
    (r"depend|blocked|requires|waits", Relation.DEPENDS_ON),
    (r"assign|owner\b|owned by|responsible", Relation.ASSIGNED_TO),
    (r"live|resid|\bhome\b|city|based in|moved|address|location of user", Relation.LIVES_IN),
    (r"decid|chose|choice|booked", Relation.DECIDED),
    (r"visited|been to|travel(?:l)?ed", Relation.VISITED),
    (r"takes? place|scheduled|\bdate\b|happens|held on|meeting (?:day|date|time)", Relation.TAKES_PLACE_ON),
    (r"plan|going to|intend|goal|travel", Relation.PLANS),
    (r"\bname|called|nickname", Relation.IS_NAMED),
    (r"condition|diagnos|illness|disease|health", Relation.HAS_CONDITION),
    (r"member|belongs to team|plays for", Relation.MEMBER_OF),
    (r"located|location|\bplace\b", Relation.LOCATED_IN),
    (r"status|state", Relation.HAS_STATUS),
    (r"\bpart of\b", Relation.PART_OF),
    (r"\buses?\b|using|tool|editor", Relation.USES),
    (r"\bowns?\b|\bhas\b|\bhave\b|possess|drives|\bcar\b", Relation.OWNS),
    (r"friend|knows|neighbou?r|roommate|flatmate", Relation.KNOWS),
    (r"like|love|prefer|enjoy|interest|hobby|fan of", Relation.HAS_PREFERENCE_FOR),
    (r"^is$|^is an?$|^is a\b|identity|\bdiet", Relation.IS_A),
)
_PAST_LABEL = re.compile(
    r"(?:studied|worked|lived|taught|owned|played|ran|led|managed|served|was|were|had|former|formerly|previous|previously|"
    r"ex)\b"
)
"""Tells of the past, which stays true: "studied at", "was a"."""
OF_THE_MOMENT = frozenset(
    "battery wifi internet connection signal screen fan printer mic microphone camera keyboard mouse browser page tab "
    "question problem issue point guess bad mistake fault apologies head hands feet back stomach throat nose "
    "turn".split()
)
"""Things of which "my … is …" says how they are just now."""
_FAVOURITE = re.compile(
    r"\bfavou?rite[\s_-]+(?P<what>[\w-]+(?:\s+(?!is\b|are\b|was\b|has\b|right\b|now\b|these\b|would\b|of\b|in\b|"
    r"to\b|at\b)[\w-]+)?)",
    re.IGNORECASE,
)
_SLOT_IN_CLAUSE = re.compile(
    r"\b(?<!half )(?<! of )(?:my|our)\s+(?P<what>(?:[\w-]+\s+){0,2}?[\w-]+?)(?:\s+(?:now|currently|still))?\s*"
    r"(?:is|are|was|'s|:)\s+",
    re.IGNORECASE,
)


def expressed(relation: Relation, text: str) -> bool:
    """Whether a text has a word by which people say this relation. RELATED_TO has none of its own."""
    pattern = _PATTERNS.get(relation)
    return pattern is not None and pattern.search(text) is not None


def expressions(relation: Relation, text: str) -> list[tuple[int, int]]:
    """Where the words of a relation begin and end in a text, in order."""
    pattern = _PATTERNS.get(relation)
    return [match.span() for match in pattern.finditer(text)] if pattern else []


def relation_named(words: str) -> tuple[Relation, str]:
    """The relation, and the label, that free words mean: "lives in" is LIVES_IN, "plays" is RELATED_TO "plays"."""
    name = re.sub(r"[\s-]+", "_", words.strip()).upper()
    if name in Relation.__members__ and name != Relation.RELATED_TO:
        return Relation[name], ""
    spoken = " ".join(re.sub(r"([a-z])([A-Z])", r"\1 \2", words).replace("_", " ").replace("-", " ").lower().split())
    if favourite := favourite_slot(spoken):
        return Relation.RELATED_TO, favourite
    if _PAST_LABEL.match(spoken):
        return Relation.RELATED_TO, spoken
    held = re.sub(r"^(?:has|have)(?: as| an?)? (?=\w)", "", spoken)
    for pattern, relation in _NAMED_FREELY:
        if spoken and re.search(pattern, held):
            return relation, ""
    if held != spoken:
        return Relation.RELATED_TO, SLOT + held
    return Relation.RELATED_TO, spoken if spoken and spoken != "related to" else "is connected with"


def favourite_slot(text: str) -> str:
    """The label for "favourite colour" in a text; "" when it names no favourite."""
    found = _FAVOURITE.search(text)
    return f"{SLOT}favourite {found.group('what').lower()}" if found else ""


def own_slot(clause: str, place: int) -> str:
    """The label for "my gym is …" when the words at `place` are what it is; "" otherwise. People are no slots."""
    for found in _SLOT_IN_CLAUSE.finditer(clause):
        what = found.group("what").lower().split()
        person = bool({*what, what[-1].removesuffix("s")} & PERSON_NOUNS) and what[-1] not in SINGLE_ROLES
        if what[-1] in OF_THE_MOMENT:
            continue
        if found.end() <= place and not person:
            return SLOT + " ".join(what)
    return ""


def slot_of(subject: str, clause: str, place: int) -> str:
    """The label for "the venue for the retreat is …", said of the retreat, when the words at `place` are what it is."""
    words = r"\s+".join(re.escape(word) for word in subject.split()) or r"\w+"
    pattern = (
        rf"\b(?:the|our|my)\s+(?P<what>[\w-]+(?:\s[\w-]+)?)\s+(?:for|of|at)\s+(?:the\s+|our\s+|"
        rf"my\s+)?{words}\s*(?:is|was|will be|'s|:)\s"
    )
    found = re.search(pattern, clause, re.IGNORECASE)
    possessed = found or re.search(
        rf"\b{words}'s\s+(?P<what>[\w-]+(?:\s[\w-]+)?)\s+(?:is|was|will be)\s", clause, re.IGNORECASE
    )
    if possessed and possessed.end() <= place and not set(possessed.group("what").lower().split()) & PERSON_NOUNS:
        return SLOT + possessed.group("what").lower()
    return ""


def single_valued(relation: Relation, label: str) -> bool:
    """Whether a subject has one object at a time in this relation."""
    return RELATION_RULES[relation].single or (relation is Relation.RELATED_TO and label.startswith(SLOT))


def names_a_person(label: str) -> bool:
    """Whether a label says who somebody is: "sister", "has colleague"."""
    return bool(set(re.findall(r"[\w-]+", label.lower())) & PERSON_NOUNS) or "know" in label
