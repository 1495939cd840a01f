"""The plain phrases by which people state facts: "lives in …", "is allergic to …". Narrow on purpose. Pure, English.

A phrase is looked for in what follows the subject of a clause. It yields a relation and the words of its object;
whether the clause may be believed is the gate's business.
"""

import re
from dataclasses import dataclass

from maya_core.domain.memory import EntityKind, Relation
from maya_core.memory.lexicon import PET
from maya_core.memory.relations import SLOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A relation with its object, from `start` to `end` (exclusive) of the text. `listed`: more objects may follow."""

    relation: Relation
    label: str
    object: str
    kind: EntityKind
    start: int
    end: int
    listed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phrase:
    relation: Relation
    pattern: re.Pattern[str]
    kind: EntityKind = EntityKind.THING
    label: str = ""
    listed: bool = False


_NAME = (
    r"[A-Z0-9][\w'&.+-]*(?:\s(?:[A-Z0-9][\w'&.+-]*|(?:of|the|de|del|la|le|am|an der|upon)\b(?=\s[A-Z])|"
    r"and(?=\s[A-Z]\w+\s(?:Inc|Ltd|Co|Partners|Sons))))*"
)
_CAPITAL = "[A-Z]" + _NAME.removeprefix("[A-Z0-9]")
_PLACE = rf"(?P<o>(?:the\s)?{_NAME}|[a-z]{{3,}}(?=\s*(?:$|[.!]|now\b|since\b|for\b|last\b|in\b|with\b|these\b|and\b)))"
_ORGANISATION = rf"(?P<o>(?:the\s)?{_NAME}|[a-z]{{3,}}(?=\s*(?:$|[.!]|now\b|since\b|for\b|last\b|in\b|as\b)))"
_FREE = r"(?P<o>[^.!?]+?)"
TRADES = (
    r"(?:engineer|developer|programmer|designer|teacher|nurse|doctor|physician|surgeon|lawyer|attorney|accountant|"
    r"architect|analyst|manager|consultant|scientist|researcher|"
    r"writer|journalist|editor|translator|chef|cook|baker|barista|waiter|waitress|pilot|electrician|plumber|"
    r"carpenter|mechanic|pharmacist|dentist|vet|veterinarian|"
    r"therapist|psychologist|social worker|librarian|photographer|musician|artist|actor|actress|painter|professor|"
    r"lecturer|student|phd student|administrator|sysadmin|"
    r"director|founder|freelancer|marketer|recruiter|salesperson|sales rep|paramedic|firefighter|police officer|"
    r"officer|farmer|gardener|tailor|hairdresser|driver|"
    r"technician|biologist|chemist|physicist|economist|statistician|mathematician|producer|copywriter|strategist|"
    r"planner|coordinator|assistant|secretary|tester|"
    r"product owner|scrum master|team lead|tech lead|ceo|cto|cfo|intern|apprentice|midwife|physiotherapist|optician|"
    r"radiologist|cardiologist|paediatrician|pediatrician|geologist|postdoc|trainee|resident|research fellow|"
    r"historian|archivist|curator|bookkeeper|cashier|"
    r"receptionist|estate agent|realtor|broker|banker|auditor|actuary|judge|soldier|sailor|captain|welder|builder|"
    r"roofer|beekeeper|florist|butcher|brewer|potter|composer|dancer|singer|coach|trainer|tutor|principal|dev|sre|"
    r"pm|specialist|counsel|solicitor|barrister|paralegal|clerk|buyer|advis[eo]r|carer|caretaker|inspector|instructor|"
    r"supervisor|surveyor|controller|dispatcher|underwriter|trader|nanny|childminder|president|treasurer|dietitian|"
    r"nutritionist|osteopath|neurologist|oncologist|an(?:a)?esthetist|optometrist|merchandiser|anthropologist|linguist|"
    r"zoologist|botanist|ecologist|astronomer|bricklayer|joiner|plasterer|glazier|blacksmith|jeweller|barber|"
    r"beautician|"
    r"conductor|cellist|violinist|pianist|drummer|guitarist|novelist|poet|publisher|illustrator|animator|sculptor|"
    r"ranger|lifeguard|bartender|sommelier|housekeeper|cleaner|courier|representative|ombudsman|magistrate|chaplain|"
    r"stonemason|locksmith|seamstress|upholsterer|radiographer|phlebotomist|hygienist|neuroscientist|geneticist)"
)
_DIETS = (
    r"(?:vegan|vegetarian|pescatarian|pescetarian|flexitarian|coeliac|celiac|diabetic|teetotal|teetotaller|"
    r"left-handed|right-handed|colou?r-?blind|dyslexic|deaf|"
    r"halal|kosher|muslim|jewish|buddhist|hindu|christian|catholic|atheist|night owl|early bird|morning person|"
    r"single parent|single mum|single mom|single dad|only child|widow|widower|lactose[- ]intolerant|gluten[- ]free)"
)
_ILLNESSES = (
    r"(?:asthma|diabetes|type [12] diabetes|epilepsy|migraines?|adhd|add|dyslexia|anemia|anaemia|arthritis|"
    r"hypertension|high blood pressure|coeliac disease|celiac disease|crohn's(?: disease)?|ibs|eczema|hay fever|"
    r"tinnitus|insomnia|sleep apnea|lupus|psoriasis|vertigo|scoliosis)"
)
_MONEY = (
    r"(?P<o>(?:(?:about|around|roughly|up to|at most|max|under|only|now|still)\s+)*(?:[€$£]\s?\d[\d.,]*\s?(?:k|m|"
    r"million)?|\d[\d.,]*\s?(?:k|m|million)?\s?(?:€|\$|£|euros?|eur|dollars?|usd|pounds?|gbp|chf|francs?|"
    r"yen)?)(?:\s(?:a|per)\s\w+)?)"
)
DEMONYM = (
    r"[A-Z]\w*(?:ish|ese|ian|ean|ch|ic|tch|eek|wiss|slim|wish|ani|aqi|aeli|elsh|inn|pole|urk|zech|lovak|ane|erman|"
    r"orean|"
    r"exican|merican|frican)\b"
)
"""A capital after "I'm" that names no person: "I'm Danish"."""
_DEPARTMENT = (
    r"(?:finance|marketing|sales|hr|legal|accounting|engineering|product|operations|support|design|research|it|the|an?|"
    r"another|my|his|her|our|their|work|part|full|next|this)"
)
_SAID = (
    r"(?:'m|'s|'ve|'re|\bam|\bis|\bare|\bhave|\bhas|\bbeen|\bwas|\bwere|\bhad|\bjust|\brecently|\bcurrently|\bnow|"
    r"\bstill|\balso|\bactually|\breally|\balready|\busually|\balways|\bmostly|\bmainly|\bonly|\bboth|\bused to|"
    r"\bno longer|\bfinally|\boriginally|\btoo|\bdo|\bdoes|\bmyself|\btotally|\babsolutely|\bhonestly|\bsimply|"
    r"\bvery|\bso|\bdefinitely|\bgenerally|\bofficially|\bfirst|\bsince (?:19|20)\d\d|\bin (?:19|20)\d\d|,|\s)*"
)


def _phrase(
    relation: Relation, words: str, kind: EntityKind = EntityKind.THING, *, label: str = "", listed: bool = False
) -> _Phrase:
    pattern = re.compile(rf"^{_SAID}\b(?:{words})")
    return _Phrase(relation=relation, pattern=pattern, kind=kind, label=label, listed=listed)


_PHRASES = (
    _phrase(
        Relation.LIVES_IN,
        rf"(?:live|lives|living|lived|reside|resides|based|settled(?: down)?)\s+(?:alone |together |now )?(?:in|"
        rf"near|just outside)\s+{_PLACE}",
        EntityKind.PLACE,
    ),
    _phrase(
        Relation.LIVES_IN,
        rf"(?:moved|relocated)\s+(?:back\s+|over\s+|away\s+)?(?:from\s+{_CAPITAL}\s+)?to\s+(?!{_DEPARTMENT}\b){_PLACE}",
        EntityKind.PLACE,
    ),
    _phrase(Relation.LIVES_IN, rf"(?:moved|relocated)\s+(?:away\s+|out\s+)?(?:from|of)\s+{_PLACE}", EntityKind.PLACE),
    _phrase(
        Relation.COMES_FROM,
        rf"(?:from|come from|comes from|born in|grew up in|raised in|born and raised in)\s+(?P<o>(?:the\s)?{_CAPITAL})",
        EntityKind.PLACE,
    ),
    _phrase(
        Relation.WORKS_AT,
        rf"(?:work|works|working|worked|employed)\s+(?:as an?\s[\w\s-]{{3,40}}?\s)?(?:at|for|by)\s+{_ORGANISATION}",
        EntityKind.ORGANISATION,
    ),
    _phrase(
        Relation.WORKS_AT,
        rf"(?:joined|joining)\s+(?P<o>{_CAPITAL})(?!\s+(?:team|club|group|choir))",
        EntityKind.ORGANISATION,
    ),
    _phrase(
        Relation.WORKS_AT,
        rf"(?:got|took|started|accepted|landed|have|has)\s+(?:an?|my|his|her|the|their)?\s*(?:new\s)?(?:job|"
        rf"position|role)\s+(?:at|with)\s+{_ORGANISATION}",
        EntityKind.ORGANISATION,
    ),
    _phrase(
        Relation.WORKS_AT,
        rf"(?:started|start|switched|moved)\s+(?:working\s+)?at\s+{_ORGANISATION}",
        EntityKind.ORGANISATION,
    ),
    _phrase(
        Relation.WORKS_AT,
        rf"(?:(?:an?|the)\s+)?(?:[\w-]+\s+){{0,3}}{TRADES}\s+(?:at|for|with)\s+(?P<o>(?:the\s)?{_NAME})",
        EntityKind.ORGANISATION,
    ),
    _phrase(
        Relation.WORKS_AT,
        rf"(?:left|quit|resigned from|got laid off from|laid off (?:from|by)|got fired from|stopped working (?:at|"
        rf"for))\s+(?:my job at\s+)?(?P<o>{_CAPITAL})",
        EntityKind.ORGANISATION,
    ),
    _phrase(
        Relation.WORKS_AS,
        r"(?:work|works|working|worked)\s+as\s+(?:an?|the)\s+(?P<o>[\w\s/-]{3,50}?)(?=\s+(?:at|for|in|with|on|and|"
        r"since|these)\b|\s*[.!,;]|\s*$)",
    ),
    _phrase(
        Relation.WORKS_AS,
        rf"(?:became\s+|promoted to\s+|got promoted to\s+|retired as\s+)?(?:an?\s+|"
        rf"the\s+)(?P<o>(?:[\w-]+\s+){{0,3}}?{TRADES})\b(?!'s)(?=\s+(?:at|for|in|with|by|and|who|since|now|from|"
        rf"there|here|on|again)\b|\s*[.!,;()]|\s*$)",
    ),
    _phrase(Relation.WORKS_AS, rf"(?:promoted|got promoted)\s+to\s+(?P<o>(?:[\w-]+\s+){{0,3}}?{TRADES})\b"),
    _phrase(
        Relation.WORKS_AT,
        rf"(?:an?|the)\s+(?!fan\b|member\b|customer\b|guest\b|regular\b|big\b|huge\b|few\b|"
        rf"lot\b)[A-Za-z][\w-]+(?:\s[\w-]+){{0,3}}\s+"
        rf"at\s+(?:the\s)?(?P<o>{_CAPITAL})",
        EntityKind.ORGANISATION,
    ),
    _phrase(
        Relation.WORKS_AS,
        r"(?:an?|the)\s+(?P<o>(?!fan\b|member\b|customer\b|guest\b|regular\b|big\b|"
        r"huge\b)[A-Za-z][\w-]+(?:\s[\w-]+){0,3})\s+(?:at|for)\s+(?:the\s)?[A-Z]",
    ),
    _phrase(
        Relation.STUDIES,
        r"(?:study|studies|studying|studied|majored in|majoring in|doing a (?:phd|master'?s|degree) in|learning|"
        r"taking (?:lessons|classes) in)\s+(?!for\b|at\b|in\b|how\b|to\b|it\b|this\b|that\b|a lot\b|"
        r"the\b)(?P<o>[\w\s-]{3,40}?)(?=\s+(?:at|in|with|on|for|since|this|these|now)\b|\s*[.!,;]|\s*$)",
        EntityKind.TOPIC,
    ),
    _phrase(
        Relation.ALLERGIC_TO,
        rf"(?:severely |very |badly |deathly |mildly |highly |terribly |slightly |a bit |quite |extremely |"
        rf"allergic, )*allergic to\s+{_FREE}(?=\s+(?:so|since|but)\b|\s*[.!;]|\s*$)",
        EntityKind.THING,
        listed=True,
    ),
    _phrase(
        Relation.ALLERGIC_TO,
        r"(?:an?\s+)?(?:severe |bad |mild |serious |strong |nasty )?(?P<o>[\w-]+(?: nut| milk)?) allergy",
    ),
    _phrase(Relation.ALLERGIC_TO, r"(?P<o>lactose|gluten|histamine|fructose)[- ]intolerant"),
    _phrase(
        Relation.IS_A,
        rf"(?:became\s+|turned\s+|went\s+|gone\s+)?(?:an?\s+)?(?:strict |lifelong |devout |practi[sc]ing |committed "
        rf")?(?P<o>{_DIETS})(?=\s+(?:and|now|since|for|so|but|again|too)\b|\s*[.!,;()]|\s*$)",
        EntityKind.TOPIC,
    ),
    _phrase(
        Relation.HAS_CONDITION,
        r"(?:diagnosed with\s+(?:an?\s+)?(?P<o>[\w' -]{3,40}?)(?=\s+(?:last|in|when|two|three|a|and|so|this|"
        r"years?|\d)\b|\s*[.!,;]|\s*$))",
        EntityKind.TOPIC,
    ),
    _phrase(
        Relation.HAS_CONDITION,
        rf"(?:suffer from|suffers from|suffering from|living with)?\s*(?:chronic |mild |severe |bad "
        rf")?(?P<o>{_ILLNESSES})\b",
        EntityKind.TOPIC,
    ),
    _phrase(
        Relation.PARTNER_OF,
        r"(?:married to|engaged to|dating|in a relationship with|married)\s+(?:my "
        r"\w+\s+)?(?P<o>[A-Z]\w+(?:\s[A-Z]\w+)?)",
        EntityKind.PERSON,
    ),
    _phrase(
        Relation.HAS_PET,
        rf"(?:have|has|had|got|adopted|own|owns)?\s*(?:an?|two|three|one)\s+(?:\w+\s+){{0,3}}?{PET}s?\s+(?:called|"
        rf"named)\s+[\"“]?(?P<o>[A-Z][\w-]+)",
        listed=True,
    ),
    _phrase(
        Relation.HAS_PET,
        rf"(?:adopted|got|have got|'ve got)?\s*(?P<o>(?:an?|two|three)\s+(?:(?!for\b|of\b|with\b|to\b|in\b|"
        rf"like\b)\w+\s+){{0,2}}?{PET}s?)(?=\s*[.!,;()]|"
        rf"\s*$|\s+(?:and|who|from|last|at home)\b)",
    ),
    _phrase(
        Relation.SPEAKS,
        r"(?:fluent in|speak|speaks|spoke|can speak|native in)\s+(?:fluent |some |good |a little |a bit of |native |"
        r"conversational |decent |basic |passable )*(?P<o>[A-Z][a-z]+(?:\s[A-Z][a-z]+)?)",
        EntityKind.TOPIC,
        listed=True,
    ),
    _phrase(
        Relation.BORN_ON,
        r"born\s+(?:on|in)\s+(?P<o>(?:the\s)?(?:\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?)?(?:January|February|March|April|"
        r"May|June|July|August|September|October|November|December)(?:\s\d{1,2}(?:st|nd|rd|th)?(?!\d))?(?:,?\s"
        r"(?:19|20)\d\d)?|(?:19|20)\d\d)",
        EntityKind.VALUE,
    ),
    _phrase(
        Relation.DISLIKES,
        r"(?:hate|hates|dislike|dislikes|detest|detests|loathe|loathes|despise|can't stand|cannot stand|can't bear|"
        r"don't like|doesn't like|do not like|does not like|don't really like|really don't like|don't enjoy|not a "
        r"(?:big |huge |great )?fan of|never liked)\s+(?P<o>[^.!?]+?)(?=\s*[.!?;]|\s*$)",
        EntityKind.TOPIC,
        listed=True,
    ),
    _phrase(
        Relation.HAS_PREFERENCE_FOR,
        r"(?:like|likes|love|loves|enjoy|enjoys|prefer|prefers|adore|adores|always (?:liked|loved|enjoyed|preferred)|"
        r"(?:an?\s)?(?:big |huge |great |massive )?fan of|into|fond of|keen on|passionate about|crazy about|"
        r"obsessed with)\s+(?P<o>[^.!?]+?)(?=\s*[.!?;]|\s*$)",
        EntityKind.TOPIC,
        listed=True,
    ),
    _phrase(
        Relation.USES,
        r"(?:use|uses|using|switched to|moved to using|migrated to|rely on|relies on|swear by)\s+(?P<o>(?:(?:the|"
        r"an?)\s)?[A-Z][\w+#.-]*(?:\s[A-Z0-9][\w+#.-]*)*|[a-z]+[\w+#.-]*(?=\s+(?:for|as|on|at|every|to|daily|with|"
        r"now|these|instead)\b|\s*[.!,;]|\s*$))",
    ),
    _phrase(
        Relation.USES, r"(?:switched|moved away|migrated)\s+from\s+(?P<o>[A-Za-z][\w+#.-]*(?:\s[A-Z0-9][\w+#.-]*)*)"
    ),
    _phrase(
        Relation.OWNS,
        r"(?:drive|drives|own|owns|bought|ride|rides)\s+(?P<o>(?:an?|my|his|her|"
        r"our)\s+[\w'-]+(?:\s[\w'-]+){0,4}?)(?=\s+(?:and|in|from|which|that|since|now|last|at|to|for|with|because)\b|"
        r"\s*[.!,;]|\s*$)",
    ),
    _phrase(
        Relation.WORKS_ON,
        r"(?:work|works|working|worked)\s+on\s+(?P<o>(?:the|our|an?|my)\s+[\w'-]+(?:\s[\w'-]+){0,4}?|"
        r"[A-Z][\w-]+(?:\s[A-Z][\w-]+)*(?:\s(?:project|app|platform|migration|team))?)(?=\s+(?:at|with|and|for|"
        r"since|right|these|now|this|until|in)\b|\s*[.!,;]|\s*$)",
    ),
    _phrase(
        Relation.HAS_BUDGET,
        rf"(?:budget\s+(?:of|for\s[\w\s]{{2,40}}\s+(?:is|of))\s+|(?:can|will|could) spend\s+){_MONEY}",
        EntityKind.VALUE,
    ),
    _phrase(
        Relation.DECIDED,
        r"(?:decided(?:\s+(?:to|on|for|against|that we'll|that we|that i'll))?|settled on|went with|opted for|agreed "
        r"(?:on|to)|chose(?=\s+[A-Z])|made up my mind to|'ve chosen|chosen)\s+(?!if\b|whether\b|not sure\b|"
        r"yet\b)(?P<o>[^.!?]{3,80}?)(?=\s*[.!?;]|\s*$)",
        EntityKind.TOPIC,
    ),
    _phrase(Relation.DECIDED, r"(?:booked|reserved)\s+(?P<o>[^.!?]{3,80}?)(?=\s*[.!?;]|\s*$)", EntityKind.TOPIC),
    _phrase(
        Relation.DEPENDS_ON,
        r"(?:depends on|depend on|blocked by|blocked on|waiting (?:for|on)|relies on|hinges on|can't (?:start|begin|"
        r"ship|launch|happen|go (?:live|out|ahead)) (?:until|before|without))\s+(?P<o>[^.!?]{3,60}?)(?=\s+(?:is|are|"
        r"gets|has|have)\s+(?:done|finished|ready|complete\w*|live|merged|fixed|approved|signed|shipped|been)\b|"
        r"\s*[.!?;]|\s*$)",
        EntityKind.TASK,
    ),
    _phrase(
        Relation.HAS_DEADLINE,
        r"due\s+(?P<o>(?:on |by |in |at |before |next |this )*[^.!?]{3,40}?)(?=\s*[.!?;(]|\s*$)",
        EntityKind.VALUE,
    ),
    _phrase(Relation.ASSIGNED_TO, r"assigned to\s+(?P<o>[A-Z]\w+(?:\s[A-Z]\w+)?)", EntityKind.PERSON),
    _phrase(
        Relation.MEMBER_OF,
        r"(?:an?\s)?(?:member of|part of|on the board of)\s+(?P<o>(?:the|our|an?)\s+(?:[\w'-]+\s){1,4}?(?:team|"
        r"club|group|choir|band|board|committee|council|league|society|union|squad|orchestra|association|"
        r"party)|(?:the\s)?[A-Z][\w-]+(?:\s[A-Z][\w-]+)*)",
        EntityKind.ORGANISATION,
    ),
    _phrase(
        Relation.RELATED_TO,
        r"(?:turned |turning |almost |about |only )?(?P<o>\d{1,3})(?: years? old)?(?=\s*[.,!;)]|\s*$|"
        r"\s+(?:and|now|today|this|next)\b)",
        EntityKind.VALUE,
        label=SLOT + "age",
    ),
    _phrase(
        Relation.PLANS,
        r"(?:flying|travelling|traveling|going|heading|moving|"
        r"relocating)\s+to\s+(?P<o>(?:the\s)?[A-Z][\w'-]*(?:\s[A-Z][\w'-]*)*)",
        EntityKind.PLACE,
    ),
    _phrase(
        Relation.PLANS,
        r"(?:planning to|plan to|plans to|planning on|intend to|signed up for|registered for|"
        r"planning)\s+(?P<o>[^.!?]{3,70}?)(?=\s*[.!?;]|\s*$)",
        EntityKind.EVENT,
    ),
)
_FREE_PHRASES = (
    _phrase(
        Relation.RELATED_TO,
        r"(?:play|plays)\s+(?P<o>(?:the\s)?(?!with\b|around\b|along\b|music\b|a\b|an\b|it\b|this\b|that\b|"
        r"some\b|on\b|in\b|for\b)[a-z-]+(?:\s(?:guitar|sax|saxophone|clarinet|drums|bass|flute|hockey|football|tennis|"
        r"ball))?)(?=\s+(?:in|at|on|with|for|and|every|twice|since|professionally|semi)\b|\s*[.!,;]|\s*$)",
        label="plays",
    ),
    _phrase(
        Relation.RELATED_TO,
        r"(?:take|takes)\s+(?P<o>[a-z-]{5,}(?:\s\d+\s?mg)?)(?=\s+(?:(?:once|twice|three times|\d times) a|daily|every|"
        r"each|for (?:my|his|her))\b)",
        label="takes",
    ),
    _phrase(
        Relation.RELATED_TO,
        r"(?:run|runs)\s+(?P<o>(?:an?|the|my own|our own|his own|her own)\s+(?:[\w'-]+\s){0,3}?(?:studio|shop|store|"
        r"caf[eé]|bakery|restaurant|company|business|start-?up|agency|podcast|blog|newsletter|farm|bookshop|bar|hotel|"
        r"hostel|practice|clinic|channel|school|workshop|brewery|gallery|nursery))\b",
        label="runs",
    ),
    _phrase(
        Relation.RELATED_TO,
        rf"(?:volunteer|volunteers)\s+(?:at|for|with)\s+(?P<o>(?:the|an?|our)\s+[\w'-]+(?:\s[\w'-]+){{0,2}}|{_CAPITAL})"
        r"(?=\s+(?:on|every|once|in|since|and)\b|\s*[.!,;]|\s*$)",
        label="volunteers at",
    ),
    _phrase(
        Relation.RELATED_TO,
        r"(?:don't|do not|doesn't|does not|never|dont)\s+eat\s+(?P<o>(?!a lot\b|much\b|any|too\b|at\b|in\b|out\b|"
        r"after\b|before\b|breakfast\b|lunch\b|dinner\b|that\b|this\b|it\b)[a-z-]+(?:\s(?:meat|products?|food))?)"
        r"(?=\s*[.!,;]|\s*$|\s+(?:and|or|because|for)\b)",
        label="doesn't eat",
        listed=True,
    ),
)
_SLOT_WORDS = (
    r"favou?rite [\w-]+(?: [\w-]+)?|(?:wedding )?anniversary|home airport|rent|age|address|car|bike|phone|"
    r"laptop|gym|hometown|shoe size|t-shirt size|shirt size|blood type|"
    r"time ?zone|star sign|hobby|employee number|job title|"
    r"native language|mother tongue|first language|middle name|last name|surname|nickname|dentist|doctor|go-to "
    r"[\w-]+|usual [\w-]+|team|stack|editor|pronouns|coffee order|seat|desk|start date|flight number|major|commute"
)
_SLOT = re.compile(
    rf"\b(?<!half )(?<! of )(?:my|our)\s+(?P<what>{_SLOT_WORDS})(?:\s+(?:now|currently|still|these days))?\s*(?:is|are|"
    r"was|'s|"
    rf":)\s+(?:(?:now|still|actually|definitely|probably|always|currently|called|on|a|an|"
    rf"the)\s+)*(?P<o>[^.!?,;]+?)(?=\s*[.!?,;(]|\s*$)",
    re.IGNORECASE,
)
_TAKES_PLACE = re.compile(
    r"\b(?:my|our|the)\s+(?P<what>(?:[\w'-]+\s+){0,3}?(?:meeting|flight|wedding|interview|appointment|exam|party|"
    r"demo|launch|presentation|conference|offsite|workshop|trip|race|marathon|"
    r"concert|surgery|operation|kickoff|review|release|retreat|defen[cs]e|graduation|check-?up|ceremony|"
    r"dinner|standup|retro|audit|move|training))\s+(?:is|'s|has been|was|got)\s+"
    r"(?:(?:now|still|actually|moved|set|scheduled|rescheduled|postponed|pushed|booked|back|to|for)\s+)*(?:on\s+|"
    r"at\s+|in\s+)?(?P<o>(?:the\s+)?(?:(?:next|this|coming)\s+\w+|(?:mon|tues|wednes|thurs|fri|satur|"
    r"sun)day\b[^.!?,;]{0,25}|tomorrow|\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?[A-Z][a-z]+(?:\s\d{4})?|"
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)\s?\d{0,2}(?:st|nd|"
    r"rd|th)?(?:\s\d{4})?|\d{4}-\d\d-\d\d))",
    re.IGNORECASE,
)
_DATE_MOVED = re.compile(
    r"\b(?:(?:had|have|decided|agreed|need|needed) to (?:move|push|postpone|reschedule|shift|delay|change)|moved|"
    r"pushed|"
    r"postponed|rescheduled|shifted|delayed|changed|brought|put)\s+(?:back\s+|forward\s+)?"
    r"(?:the|our|my)\s+(?P<what>(?:[\w'-]+\s+){0,3}?[\w'-]+)\s+(?:back\s+|forward\s+)?(?:from\s+[^.!?,;]{3,25}?\s+)?"
    r"(?:to|until)\s+(?P<o>(?:the\s+)?(?:(?:next|this|coming)\s+\w+|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|"
    r"\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:\s\d{4})?|"
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)\s?\d{0,2}(?:st|nd|rd|"
    r"th)?(?:\s\d{4})?|\d{4}-\d\d-\d\d))",
    re.IGNORECASE,
)
_BUDGET_CHANGED = re.compile(
    r"\b(?:cut|raised|increased|reduced|lowered|set|changed|bumped|doubled|halved|upped|trimmed)\s+(?:the|our|my)\s+"
    r"(?P<what>(?:[\w'-]+\s+){0,3}?)budget(?:\s+for\s+(?:the\s+|our\s+|my\s+)?(?P<purpose>[\w\s'-]{2,40}?))?\s+"
    rf"(?:up\s+|down\s+)?(?:from\s+[^.!?]{{2,25}}?\s+)?to\s+{_MONEY}",
    re.IGNORECASE,
)
_LOCATED = re.compile(
    r"\b(?:[Mm]y|[Oo]ur|[Tt]he)\s+(?P<what>(?:[\w'-]+\s+){0,2}?(?:office|studio|shop|workshop|meeting|class|school|gym|"
    r"headquarters|hq|warehouse|conference|wedding|party|apartment|flat|house|cabin|garage|restaurant|retreat|offsite|"
    r"lab|venue))\s+(?:is|'s|will be)\s+(?:now\s+|located\s+|based\s+|held\s+)*(?:in|at)\s+"
    rf"(?P<o>room\s\w+|(?:the\s)?{_CAPITAL})"
)
_BIRTHDAY = re.compile(
    r"\b(?P<whose>my|[\w' ]{2,40}?'s|his|her)\s+(?:birthday|b-?day)\s+(?:is|'s|"
    r"falls)\s+(?:on\s+)?(?:the\s+)?(?P<o>[^.!?,;]+?)(?=\s*[.!?,;(]|\s*$)",
    re.IGNORECASE,
)
_BUDGET = re.compile(
    rf"\b(?:my|our|"
    rf"the)\s+(?P<what>(?:[\w'-]+\s+){{0,3}}?)budget(?:\s+for\s+(?P<purpose>[\w\s'-]{{2,40}}?))?(?:\s+(?:now|still|"
    rf"currently))?\s*(?:is|'s|was|:|has been|got)\s+(?:(?:now|still|actually|raised|cut|increased|set|changed|"
    rf"reduced|to|at)\s+)*{_MONEY}",
    re.IGNORECASE,
)
_DEADLINE = re.compile(
    r"\b(?:my|our|the)\s+(?P<before>(?:[\w'-]+\s+){0,3}?)deadline(?:\s+(?:for|of|to submit|to finish)\s+(?:the\s+|"
    r"my\s+|our\s+)?(?P<after>[\w\s'-]{2,40}?))?\s*(?:is|'s|was|:|has been|got)\s+(?:(?:now|still|actually|moved|"
    r"set|extended|pushed|changed|back|to|for|at)\s+)*(?:on\s+)?(?P<o>[^.!?,;]{3,40}?)(?=\s*[.!?,;(]|\s*$)",
    re.IGNORECASE,
)
_HAVE_TO_BY = re.compile(
    r"\b(?:have to|has to|need to|needs to|must)\s+(?:submit|finish|deliver|hand in|complete|send|file|ship|turn "
    r"in)\s+(?:the|my|our|an?)\s+(?P<what>[\w\s'-]{2,40}?)\s+by\s+(?P<o>[^.!?,;]{3,30}?)(?=\s*[.!?,;(]|\s*$)",
    re.IGNORECASE,
)
_MY_NAME = re.compile(
    r"\b(?i:my (?:full |first |real |legal )?name is|my (?:full |first )?names|my (?:full |first )?name's|call me|"
    r"i go by|my name)\s+(?:actually |now )?[\"“]?(?P<o>[A-Z][\w'-]+(?:\s[A-Z][\w'-]+){0,2})"
    r"|^\W*(?:(?i:hi|hello|hey|good morning|it's|it is)\b\W*)?(?P<here>[A-Z][a-z'-]+"
    r"(?:\s[A-Z][\w'-]+)?)(?:\s(?:from|in|of) [\w ]{2,20})? (?i:here)\b(?=\s*(?:$|[,.!;–—-]|from\b|in\b))"
    rf"|^\W*(?:(?i:hi|hello|hey)\b[\w\s]{{0,12}}\W+)?(?:I'm|I am|i'm|i am|im)\s+(?P<own>(?!{DEMONYM})"
    rf"[A-Z][a-z'-]+(?:\s[A-Z][\w'-]+)?)(?=\s*(?:,\s|\.|!|;|$|\sfrom\b|\sand\s+(?i:i|i'm|we|my)\b))"
)
_TAIL = re.compile(
    r"(?:[\s,]+(?:at (?:home|work|school)|"
    r"a lot|very much|so much|too|as well|though|anyway|by the way|btw|right now|now|again|instead|"
    r"lately|recently|these days|nowadays|most of all|the most|best|more than anything|"
    r"at the moment|currently|any ?more|any longer|to be honest|tbh|honestly|really|please|in general|as you know|"
    r"actually|in the mornings?|for (?:years|ages|work|now|good|a while|sure)|"
    r"every (?:day|morning|week|weekend)|since (?:\w+\s?){1,3}|for (?:\w+) (?:years?|months?|weeks?)(?: now)?|last "
    r"(?:year|month|week|summer|winter|spring|\w+day)|next (?:year|month|week|summer|\w+day)|this (?:year|month|"
    r"week|summer)|yesterday|today|already|with (?:my|his|her|our) [\w ]+|in (?:19|20)\d\d|"
    r"(?:two|three|four|five|a few|a couple of|\d+) (?:years?|months?|weeks?|days?) ago))+\s*$",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"\s+(?:than|over|rather than|instead of|when|whenever|while|because|since|as (?:my|a|an|the)|more than|if|"
    r"unless|except|but|so|which|that|compared|especially|whereas|until|till)\b.*$|\s+to\s+(?=tea\b|coffee\b).*$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:my|our|his|her|their) own\s+|to\s+(?=[a-z])|(?:about|roughly|only|now|still|around|just|both|mostly|"
    r"really|on|by|some|a little|a bit "
    r"of|fluent)\s+)+",
    re.IGNORECASE,
)
_TASTES = (Relation.HAS_PREFERENCE_FOR, Relation.DISLIKES)
_HAVE_NAMES = (Relation.OWNS, Relation.RELATED_TO)
_CALLED = re.compile(rf"\s+(?:called|named)\s+[\"“']?(?P<name>{_CAPITAL})")
"""What has a name is called by it: "a tabletop shop called Meeple Harbour"."""
_MOST_WORDS = 9
_MOST_WORDS_OF_TASTE = 4
_NO_TASTE = re.compile(
    r"(?:all|my|your|our|his|her|their|every|each|some|any|so|such|seeing|being|knowing|getting|having|"
    r"hearing|feeling)\b"
    r"|the\s+\S+\s+\S+|\w+ing\s+(?:a|an|the|my|our|your|it|this|that|out|up)\b|'|.*[\"“”]|.*\b(?:is|are|was|were)$",
    re.IGNORECASE,
)
"""After "I love" this is a remark of the moment, not a taste."""
_EMPTY = re.compile(
    r"^(?:(?:fyi|btw|tbh|imo|lol|pls|please|thanks|thx)\b.*|(?:them|him|me|us|it|is|are|was|were)\b.*|this|that|"
    r"these|those|her|you|one|here|there|how|what|when|"
    r"where|your|"
    r"the (?:idea|way|first|second|other|sound|look|fact|answer|new version|one)|your\b.*|it\b.*|this\b.*|"
    r"that\b.*|these\b.*|those\b.*|being able.*|seeing.*|something.*|anything.*|everything.*|nothing.*|"
    r"to know.*|know.*|the same|same|each other|a lot.*|both.*|working.*|how\b.*|what\b.*|where\b.*|when\b.*|"
    r"the (?:first|second|third|last|other|new) (?:one|version|option|draft|answer).*|you.*|an? (?:bit|lot|few|"
    r"couple|little|ton|bunch|load|great deal|while)\b.*|(?:tons|loads|plenty|so much|new things)\b.*|to (?:see|"
    r"be|hear|get|have|do|say|ask|think|know)\b.*|i\b.*|my\b(?! ).*)$",
    re.IGNORECASE,
)


def stated(predicate: str, *, offset: int = 0) -> list[Stated]:
    """What is stated of a subject by the words that follow it. `offset` is added to the places."""
    found: list[Stated] = []
    for phrase in (*_PHRASES, *_FREE_PHRASES):
        match = phrase.pattern.match(predicate)
        if match and (made := _stated(phrase.relation, phrase.label, phrase.kind, match, offset, listed=phrase.listed)):
            found.append(made)
    return found


def stated_of_me(clause: str) -> list[tuple[str, Stated]]:
    """What a clause states in a form of its own ("my birthday is …", "the deadline for … is …"), and of whom."""
    found: list[tuple[str, Stated]] = []
    if (m := _MY_NAME.search(clause)) and (made := _stated(Relation.IS_NAMED, "", EntityKind.VALUE, m, 0)):
        found.append(("user", made))
    if m := _SLOT.search(clause):
        made = _stated(
            Relation.RELATED_TO, SLOT + m.group("what").lower().replace("favorite", "favourite"), EntityKind.THING, m, 0
        )
        found += [("user", made)] if made else []
    if m := _BIRTHDAY.search(clause):
        made = _stated(Relation.BORN_ON, "", EntityKind.VALUE, m, 0)
        whose = m.group("whose").removesuffix("'s")
        found += (
            [("user" if whose.lower() == "my" else whose, made)]
            if made
            and re.search(
                r"\d|january|february|march|april|may|june|july|august|september|october|november|december|tomorrow|"
                r"today",
                m.group("o"),
                re.IGNORECASE,
            )
            else []
        )
    for pattern, relation in (
        (_BUDGET, Relation.HAS_BUDGET),
        (_BUDGET_CHANGED, Relation.HAS_BUDGET),
        (_DEADLINE, Relation.HAS_DEADLINE),
        (_HAVE_TO_BY, Relation.HAS_DEADLINE),
        (_TAKES_PLACE, Relation.TAKES_PLACE_ON),
        (_DATE_MOVED, Relation.TAKES_PLACE_ON),
        (_LOCATED, Relation.LOCATED_IN),
    ):
        if m := pattern.search(clause):
            parts = m.groupdict()
            subject = next(
                (
                    part.strip()
                    for name in ("purpose", "after", "what", "before")
                    if (part := parts.get(name)) and part.strip()
                ),
                "",
            )
            made = _stated(relation, "", EntityKind.VALUE, m, 0)
            found += [(subject or "user", made)] if made else []
    return found


def clean(text: str) -> str:
    """The words of an object without what trails after it ("a lot", "since May") or leads into it."""
    text = _CUT.sub("", text.strip())
    while (shorter := _TAIL.sub("", text)) != text:
        text = shorter
    return _LEAD.sub("", text).strip(" \t\"'“”.,;:!()")


def is_empty(text: str) -> bool:
    """Whether the words name nothing that could be remembered."""
    return not text or _EMPTY.match(text) is not None


def _stated(
    relation: Relation, label: str, kind: EntityKind, match: re.Match[str], offset: int, *, listed: bool = False
) -> Stated | None:
    field = next((name for name in ("o", "own", "here") if match.groupdict().get(name) is not None), "o")
    said = clean(match.group(field))
    if is_empty(said) or len(said.split()) > _MOST_WORDS:
        return None
    end = match.end(field)
    if relation in _HAVE_NAMES and (called := _CALLED.match(match.string, end)):
        said, end = called.group("name"), called.end("name")
    if relation in _TASTES and (len(said.split()) > _MOST_WORDS_OF_TASTE or _NO_TASTE.match(said)):
        return None
    return Stated(
        relation=relation,
        label=label,
        object=said,
        kind=kind,
        start=offset + match.start(field),
        end=offset + end,
        listed=listed,
    )
