"""The turns of life: which later words end which states, whatever words named them. Pure, English."""

import re
from dataclasses import dataclass

from maya_core.domain.memory import Relation

_I = re.IGNORECASE
_ABODE = r"(?:house|flat|apartment|place|home|condo|studio|cottage|cabin|bungalow|houseboat|farm|room)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """States of one field of life, and the words that end them: `of` stands in the statement, `by` in later words."""

    relations: frozenset[Relation]
    of: re.Pattern[str] | None
    by: re.Pattern[str]


def _turn(of: str, by: str, *relations: Relation) -> Turn:
    return Turn(relations=frozenset(relations), of=re.compile(of, _I) if of else None, by=re.compile(by, _I))


_TURNS = (
    _turn(
        rf"\b(?:liv(?:e|es|ing)|rent(?:s|ing)?|resid\w+|staying|lodg\w+|based)\b.*\b(?:in|at|near|with)\b|"
        rf"\bmy {_ABODE}\b",
        rf"\b(?:moved (?:in\b|into|house|out|to|back|away|on)|relocated|settled (?:in|down)|bought (?:an?|our|"
        rf"my) (?:[\w-]+ ){{0,3}}{_ABODE}|closed on|(?:got|found|have) (?:my|our) own {_ABODE}|mortgage|"
        rf"left (?:the )?(?:country|city|town)|left \w+ (?:behind|for)|new (?:address|{_ABODE})|keys to|"
        rf"emigrated|removal (?:van|men|firm|"
        r"company|lorry)|movers|moving (?:van|boxes)|last box(?:es)?|unpack(?:ed|ing)|housewarming|(?:at|my|"
        r"our|back) (?:new )?"
        r"home (?:is )?(?:in (?-i:[A-Z])\w+|since|now)|(?:my|our) (?:new )?(?:place|flat|house|home) in "
        r"(?-i:[A-Z])\w+)\b",
        Relation.LIVES_IN,
    ),
    _turn(
        r"\b(?:work(?:s|ing)?|employed|job|consult\w*|intern\w*)\b.*\b(?:at|for|with|in|out of)\b|\ban? [\w -]+ (?:at|"
        r"for) (?-i:[A-Z])",
        r"\b(?:new (?:job|employer|company|firm)|(?:different|another|other) (?:job|employer|company|firm)|chang(?:ed|"
        r"ing) jobs?|switch(?:ed|ing) jobs?|start(?:ed)? (?:at|with|working|a (?:new )?job)|joined (?-i:[A-Z])|quit|"
        r"resigned|retired|retirement|laid off|fired|made redundant|let go|left (?:my|the) (?:job|company|firm|"
        r"office)|(?:first|last) (?:day|week|month|shift)\w* (?:at|with|in|as)|farewell (?:drinks|lunch|party|"
        r"do)|leaving "
        r"(?:do|drinks|party)|(?:my|his|her) new (?:boss|colleagues|office|desk|team)|freelanc\w+|"
        r"self-employed|unemployed|(?:hired|poached) (?:by|me)|(?:got|took|have|accepted) (?:a|"
        r"the|my) (?:new )?(?:job|position|post|role)|(?:now|since \w+|currently) (?:i'm |i am |we're )?(?:at|with) |"
        r"(?:i'm|i am|he's|she's) (?:now )?(?:at|with) (?-i:[A-Z])|(?:moved|transferred|"
        r"switched) (?:over )?to (?:the )?[\w -]*(?:office|branch|team|department|site|store|desk|school|hospital)|"
        r"own (?:business|company|practice|shop|studio))\b",
        Relation.WORKS_AT,
    ),
    _turn(
        "",
        r"\b(?:promot\w+|(?:new|different) (?:job|role|position|title|employer)|retired|graduated|defended|dropped out|"
        r"chang(?:ed|ing) (?:careers?|jobs?)|(?:qualified|retrained) as|no longer an?|quit|resigned)\b",
        Relation.WORKS_AS,
    ),
    _turn(
        r"\b(?:single|unmarried|divorced|widowed|bachelor)\b",
        r"\b(?:(?:got|am|are|is|'m|'re|'s|getting) (?:engaged|married)|married|my (?:wife|husband|fianc\w+|girlfriend|"
        r"boyfriend|partner)|(?:dating|seeing) (?:someone|somebody|(?-i:[A-Z])\w+)|met someone|said yes|proposed)",
    ),
    _turn(
        r"\b(?:engaged|fianc[eé]+|girlfriend|boyfriend|dating|seeing|together with|partner|married|wife|husband)\b",
        r"\b(?:broke (?:it |things )?(?:up|off)|(?-i:split)(?: up)?|called (?:it|things|the wedding) off|called off|"
        r"(?:getting|got|are|'re|finalised|finalized) (?:divorced|separated)|separated|my ex\b|ex-(?:wife|husband)|"
        r"widowed|(?:not|\w+n't) (?:together|(?:getting|going to be|going to get|be getting) married|marrying|engaged|"
        r"an? couple|a thing)|(?:wedding|engagement|marriage) is off|ring (?:went|is|goes|has gone) back|no longer "
        r"together|ended things|ended it|left (?:me|him|her)|went our separate ways|"
        r"over between)",
        Relation.PARTNER_OF,
    ),
    _turn(
        r"\b(?:girlfriend|boyfriend|dating|engaged|fianc[eé]+)\b",
        r"\b(?:my (?:wife|husband)|(?:got|are|'re|we're) married|(?:is|was|became) (?:now )?my (?:wife|husband|"
        r"fianc\w+)|tied the knot|seeing someone)\b",
    ),
    _turn(
        r"\b(?:unemployed|jobless|out of work|between jobs|looking for (?:a )?(?:work|job))\b",
        r"\b(?:(?:got|found|have|started|landed) (?:a|my|the) (?:new )?job|hired|start(?:ed)? (?:work|working|at|as)|"
        r"(?:i|i've|i'm) (?:now )?(?:work|working|joined|employed))\b",
    ),
    _turn(
        r"\b(?:kids?|child(?:ren)?|sons?|daughters?|grandchildren|nephews?|nieces?)\b",
        r"\b(?:number (?:one|two|three|four|five)|another (?:baby|child|boy|girl|son|daughter)|(?:was|is|"
        r"been) born|gave birth|"
        r"new(?:born)? (?:baby|brother|sister|arrival)|baby (?:boy|girl))\b",
    ),
    _turn(
        "",
        r"\b(?:moved|relocated|new (?:premises|building|office|site|venue|address))\b",
        Relation.LOCATED_IN,
    ),
    _turn(
        r"\b(?:pregnant|expecting)\b",
        r"\b(?:gave birth|(?:was|is|been) born|newborn|arrived|miscarr\w+|had the baby)\b",
    ),
    _turn(
        r"\b(?:student|study(?:ing)?|studies|degree|phd|master'?s|university|school|kindergarten|nursery|year \w+|"
        r"grade \w+)\b",
        r"\b(?:graduated|finished (?:uni\w*|school|my (?:degree|studies|phd|master\w*))|dropped out|defended|"
        r"switched (?:to|majors|courses)|changed (?:majors|courses|schools?)|started (?:primary|secondary|high|middle|"
        r"at|school|uni\w*|college)|moved up|got (?:my|the) (?:degree|diploma))\b",
        Relation.STUDIES,
    ),
    _turn(
        r"\bsmok\w*\b|\bcigarettes?\b",
        r"\b(?:smoke-?\s?free|(?:quit|stopped|gave up|given up) (?:smoking|cigarettes|the fags)|non-?smoker|"
        r"last cigarette|without (?:a|one|any) (?:cigarettes?|smoke|puff)|haven't smoked)\b",
    ),
    _turn(
        r"\b(?:vegan|vegetarian|pescatarian|pescetarian|plant-based|keto|gluten-free|eats? (?:everything|anything))\b",
        r"\b(?:(?:eat|eating|ate|eats) (?:meat|chicken|beef|pork|lamb|everything)|(?:ate|eat|eating|had|"
        r"ordered|having) (?:\w+ "
        r"){1,2}(?:steak|burger|bacon|ribs|schnitzel|sausages?|chicken|lamb|ham)|(?:gone|went|turned|became|'m|am|is|"
        r"'s) (?:now )?(?:an? )?(?:vegan|vegetarian|pescatarian|pescetarian|omnivore|flexitarian|keto|carnivore)|"
        r"back (?:on|to) (?:meat|fish|dairy|eating))\b",
        Relation.IS_A,
    ),
    _turn(r"\bveg(?:an|etarian)\b", r"\b(?:eat|eating|ate|eats) (?:fish|seafood)\b"),
    _turn(r"\bvegan\b", r"\b(?:eat|eating|ate|eats) (?:eggs|cheese|dairy|honey|yoghurt|butter)\b"),
    _turn(
        r"\b(?:renting|rent|tenant|landlord|landlady)\b",
        rf"\b(?:bought (?:our|my|a) (?:own )?(?:\w+ ){{0,2}}{_ABODE}|"
        r"own (?:our|my|a) (?:own )?(?:flat|house|apartment|place|home)|homeowners?|mortgage|closed on)\b",
    ),
    _turn(
        r"\b(?:on|is on|goes on) (?:\w+ )?(?:leave|sabbatical|holiday|vacation)\b|\boff sick\b|\bsick leave\b",
        r"\b(?:(?:is|are|am|'s|'m|came|comes|been) back\b|returned|back (?:at work|from|in the office))",
    ),
    _turn(
        r"\b(?:drink\w*|beers?|wine|pints?|gin|whisky|cocktails?)\b",
        r"\b(?:(?:haven't|have not|hasn't) (?:touched|had) (?:a drop|a drink|alcohol|any alcohol|beer|wine)|sober|"
        r"teetotal\w*|(?:stopped|quit|gave up|given up) (?:drinking|alcohol)|off (?:the )?(?:booze|alcohol|drink)|"
        r"no alcohol)\b",
    ),
    _turn(
        r"\b(?:member|membership|belong\w*)\b",
        r"\b(?:left|quit|resigned|tore up|ripped up|binned|burn(?:ed|t)|cancell?ed|handed in|handed back|gave "
        r"up|given up|returned|expelled|kicked out)\b(?:\W*$|[^.!?;,]{0,30}\b(?:club|party|group|team|choir|union|"
        r"gym|band|"
        r"board|society|association|league|church|committee|membership|member|card|it|them|there)\b|[^.!?;,]{0,20}$)",
        Relation.MEMBER_OF,
    ),
    _turn(
        r"\b(?:commut\w+|(?:go|get|travel|come|take|drive|cycle|walk|bike)\b.* to work)\b",
        r"\b(?:commut\w+|(?:go|get|travel|come|take|drive|cycle|walk|bike|run)\b.{0,30} to work|(?:cycle|bike|walk|"
        r"drive) (?:in|to the office)|work(?:ing)? from home|fully remote|take the (?:bus|train|tram|metro|bike|"
        r"car))\b",
    ),
)


def turned(relation: Relation, statement: str, thing: str, later: str) -> bool:
    """Whether later words of the same person end what a statement says of a thing."""
    return any(
        (relation in turn.relations or _in_field(turn, statement, thing)) and turn.by.search(later) for turn in _TURNS
    )


def _in_field(turn: Turn, statement: str, thing: str) -> bool:
    """The thing itself is the state ("single"), or stands after the words that name one ("rent a flat in Kallio")."""
    if turn.of is None:
        return False
    if turn.of.search(thing):
        return True
    found = turn.of.search(statement)
    return found is not None and statement.lower().find(thing.lower()) >= found.start()
