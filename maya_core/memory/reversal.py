"""Denied, over, or put right: how people take back what was so, or what they said. Pure, English."""

import re

_I = re.IGNORECASE
_SLIP = re.compile(
    r"^\W*(?:(?:oh|oops|ah|um|uh|hmm+|mm|er+m?|ugh|well|ehm|actually|no)\b[\s,.!—–-]*)*(?:no[\s,]+wait|wait[\s,]+no|"
    r"sorry(?! (?:for|about|to|if|that|but)\b)|scratch that|i mean(?:t)?|i meant to (?:say|write|type)|or rather|"
    r"make that|oops|correction|strike that|(?<!for the )(?<!about the )(?<!a )typo|"
    r"i misspoke|i mistyped|my mistake|my bad|er+m?|whoops|no|wait)\b[\s,:.!—–-]*",
    _I,
)
_MEANT = re.compile(
    r"\b(?:renam(?:e|ed)|rebrand(?:ed)?|(?:the|my|our) old (?:one|name|number|address)|out(?:dated| of date)|"
    r"my fingers slipped)\b|^\s*\*\w|^\W*(?:they\b[^,.]{0,30},\s*)?(?:it's|"
    r"it is) (?:now )?(?-i:[A-Z\d])[^.!?,]{0,30}\bnow\b|"
    r"^\W*(?:it's |it is )?(?:\d\S*|one|two|three|four|five|six|seven|eight|nine|ten|"
    r"twelve)(?:\s\S+)?,? actually\b|"
    r"^\W*(?:oh no|ah no|a+rgh|oops|(?:oh |ah )?no wait|(?:oh |ah )?wait no|hang on|hold on|(?:oh |"
    r"ah )?wait)\W+(?:it's|it is|that's)\b|"
    r"^\W*(?:(?:no|sorry|wait|oops)\W+)*not (?:an? |the )?[\w'-]+(?:\s[\w'-]+)?[.!]*\W*$|"
    r"^\W*not [^,.!?]{1,30},\s*(?:but )?\S|^\W*[A-Z\d]\S*(?:\s[A-Z\d]\S*){0,2}, not [A-Z\d]\S*[.!]*\W*$|\bwhat am i "
    r"saying\b|\bi (?:got|had) (?:that|it|them|those) (?:wrong|mixed up|backwards|confused)\b|"
    r"^\W*\S+(?:\s\S+)?, sorry\b|\b(?:to be (?:exact|precise|more precise)|more precisely|"
    r"misread|misheard|miscounted|mistyped)\b|\bwith (?:an?|one|two|double) "
    r"[a-z]s?\b(?!['\w])|\b(?:spelled|"
    r"spelt|i meant|meant to "
    r"(?:say|write|type)|typo|misspoke|mistyped|"
    r"misremembered|mix(?:ed|ing)? (?:that|it|them|those) up|mix(?:ed|ing)? up (?:the|my|those|these|them|it|that)|"
    r"my mistake|my bad|scratch that|correction|make that|strike that|"
    r"should(?:'ve| have) (?:said|been|written)|i was wrong|got that wrong|"
    r"that was wrong|can't (?:type|spell|count|read)|fat fingers?|oops|whoops|instead of what i said|"
    r"to correct (?:myself|that|what)|let me correct|i said "
    r".{1,30} but|wrong (?:day|date|name|number|city|place|month|year|word|one))\b",
    _I,
)
_REPLACES = re.compile(
    r"\b(?:i meant|meant to (?:say|write|type)|make that|correction|misspoke|mistyped|misread|misheard|miscounted|"
    r"to be (?:exact|precise|more precise)|more precisely|i was wrong|got that wrong|that was wrong|can't (?:type|"
    r"spell|count|read)|fat fingers?|what am i "
    r"saying)\b|^\W*(?:they\b[^,.]{0,30},\s*)?(?:it's|it is) (?:now )?(?-i:[A-Z\d])[^.!?,]{0,30}\bnow\b"
    r"|^\W*[A-Z\d]\S*(?:\s[A-Z\d]\S*){0,2}, not [A-Z\d]\S*[.!]*\W*$"
    r"|^\W*\S+(?:\s\S+)?, sorry\b|^\W*(?:(?:sorry|oops)\W+)?typo\b|\bwith (?:an?|one|two|double) [a-z]s?\b(?!['\w])",
    _I,
)
_BETTER_WORD = re.compile(
    r"^\W*(?i:sorry|oops|no|nope|wait|correction|er+m?)[\s,.:;!—–-]+(?i:it's |it is |on |at |in )?(?!(?i:for|about|"
    r"to|if|that|i|my|we|you|the|thanks|problem|worries|idea|rush)\b)(?!for\b|about\b|to\b|if\b|that\b|i\b|my\b|"
    r"we\b|you\b|the\b|thanks\b|problem\b|worries\b|idea\b|rush\b)[^\s,.!?]*[A-Z\d][^\s,.!?]*(?:\s\S+){0,2}\W*$"
)
_SETS_RIGHT = re.compile(
    r"^\W*(?:(?:oh|ah|um|hmm|ok),? )*(?:sorry|no|nope|wait|actually|rather)\b(?! (?:for|about)\b)|\b(?:i mean|not "
    r"right)\b",
    _I,
)
_NEGATION_IDIOMS = re.compile(
    r"\b(?:not only|not just|(?:can't|cannot|can not|couldn't|could not) (?:stand|live without|wait|believe|stop|"
    r"get enough|recommend|imagine life without|complain|do without|start (?:my|the) day without)|why not|no doubt|"
    r"no problem|no idea|no worries|no matter|don't mind|not to mention|never ?mind|not bad|"
    r"don't worry|don't forget|do not forget|whether or not|if not|no wonder|not surprisingly|nothing beats|nothing "
    r"but|no kidding|no joke|not far from|not too far|no stranger|never (?:skip|miss)|not least|no longer|not "
    r"(?:any ?more|any longer)|better than nothing|no one (?:else )?knows)\b|^\W*(?:no|nope|nah)[\s,.!]+|\bno\.\s?\d",
    _I,
)
_NEGATION = re.compile(
    r"\b(?:not|never|cannot|neither|nor|none|nobody|nothing|without|hardly|barely|no)\b|n't\b|\b(?:dont|doesnt|isnt|"
    r"arent|wasnt|didnt|cant|wont|havent|hasnt|aint)\b",
    _I,
)
_DISLIKE = re.compile(
    r"\b(?:dislik\w*|hat(?:e|es|ed|ing)\b|can't stand|cannot stand|couldn't stand|can't bear|detest\w*|loath\w*|"
    r"despis\w*|(?:don't|do not|doesn't|does not|didn't|never|not|dont|doesnt)(?: \w+){0,2} (?:like|likes|love|"
    r"enjoy\w*|care for|eat|drink|fan|into|keen|fond|liked|prefer|stand)|"
    r"not (?:a |an |much of a )?(?:\w+ )?fan|avoid\w*|allergic|intoleran\w*|annoy\w*|sick of|fed up|gross|"
    r"disgust\w*|makes? me (?:sick|ill|nauseous)|put off by|averse|terrible|awful|worst|rather not)\b",
    _I,
)
_NO_LONGER = re.compile(
    r"\b(?:(?<!am )(?<!'m )(?<!get )(?<!getting )(?<!got )(?<!are )(?<!is )(?<!'s )used to(?! (?:it|the|this|that|"
    r"being)\b)|no longer|no more|any ?more|any longer|former(?:ly)?|previously|until recently|back when|in "
    r"the past|years "
    r"ago|"
    r"when (?:i|he|she|we|they) (?:was|were)|as a (?:kid|child|teen\w*|student|boy|girl)|growing up|at the time|"
    r"back then|once upon a time|originally|before (?:i|we|he|she|they|that|moving|joining|switching))\b",
    _I,
)
_ENDING = (
    r"(?:quit|quitting|resign(?:ed|ing) from|resigned|retired from|left|leaving|stopped(?: \w+ing)?|gave up|given "
    r"up|giving up|got rid of|get rid of|sold|broke up with|split (?:up )?(?:with|from)|separated from|divorced|"
    r"moved (?:out of|away from|from|out from)|"
    r"relocated from|(?:been|'m|am|gone|went|stay\w*) off|switched (?:away )?from|switch from|"
    r"migrated (?:away )?(?:from|off)|moved off|(?:dropped|"
    r"ditched|abandoned|cancell?ed|called off|finished|graduated from|lost|returned|scrapped|deleted|uninstalled|"
    r"unsubscribed from|laid off (?:from|by)|fired (?:from|by)|changed from|went from|"
    r"ended|traded(?: in)?|swapped|exchanged|replaced|gave away|let go of|parted ways with|done with|over with|"
    r"outgrew|outgrown|"
    r"converted from))"
)
_ENDING_BEFORE = re.compile(rf"\b{_ENDING}\b(?P<between>(?:\s+[\w'.&-]+){{0,4}}?)\s*$", _I)
_ENDED_AFTER = re.compile(
    r"^\W*(?:\w+\s+){0,2}(?:(?:was|were|used to be) (?:my|our)(?! (?:idea|choice|favou?rite))|died|passed away|"
    r"passed|has died|is gone|ended|has ended|expired|was cancell?ed|got "
    r"cancell?ed|is cancell?ed|is over|was sold|got stolen|broke|is no more|fell through|is off|"
    r"shut down|closed(?: down)?|went under|(?:broke|split) up|divorced|separated|parted|"
    r"left (?:us|the (?:company|team|firm|band|group|project|department|club))|quit|resigned|retired|moved on|"
    r"(?:was|got) (?:fired|laid off|let go)|was replaced|got replaced|"
    r"didn't work out)\b",
    _I,
)
_REFUSED = re.compile(
    r"(?:^|[.!?]\s+|[,;–—-]\s*(?=not\s+[A-Z\d]))(?:no|nope|nah|wait|sorry|hm+|uh|um|and|it's|is|[,.!\s])*not (?:the |"
    r"an? )?"
    r"(?P<word>[^\s,.!?;]+(?:\s[^\s,.!?;]+)?)(?=\s*[,.!?;–—]|\s*$)",
    _I,
)
_MOVED_DATE = re.compile(
    r"\b(?:slipped|slid|bumped|(?:had|have|decided|agreed|need|needed|forced) to (?:move|push|postpone|reschedule|"
    r"shift|delay|change)|"
    r"moved|pushed|postponed|rescheduled|shifted|delayed|changed|brought (?:it )?forward|put (?:it )?back|"
    r"extended|(?:is|are|it's|it is)\b.{0,30}\bnow)\b",
    _I,
)
_PLAIN_DENIAL = re.compile(
    r"^\W*(?:(?:actually|no|well|sorry|but|and|oh)\W+)*(?:(?:it|that|this|they|those)(?:'s|'re|\s+is|\s+was|"
    r"\s+are)?\s*)?"
    r"(?:not|isn't|wasn't|aren't)\b",
    _I,
)
_LIKE = re.compile(r"\b(?:likes?|loves?|enjoys?|adores?|into|fond of|fan of|crazy about|grown on me)\b", _I)
_OUTDATED = tuple(
    (re.compile(rf"(?:an? |still )?(?:{of})", _I), re.compile(rf"\b(?:{by})\b", _I))
    for of, by in (
        (
            r"single|unmarried|divorced|widowed|a bachelor|bachelor",
            r"(?:got|am|are|'m|'re|we're|is|'s) (?:engaged|married)|married|my (?:wife|husband|fianc\w+|girlfriend|"
            r"boyfriend|"
            r"partner)|(?:dating|seeing) (?:someone|somebody|[A-Z]\w+)",
        ),
        (
            r"unemployed|jobless|out of work|between jobs|looking for work|looking for a job",
            r"(?:got|found|have|started) (?:a|my|the) (?:new )?job|hired|start(?:ed)? (?:work|working) (?:at|for|as)|"
            r"(?:i|i've|i'm) (?:now )?(?:work|working|joined) (?:at|for|as)?",
        ),
        (r"pregnant|expecting", r"gave birth|(?:was|is) born|our (?:newborn|baby) (?:is|was|arrived)|miscarr\w+"),
        (r"engaged|fiancée?", r"(?:got|are|am|'re|'m) married|my (?:wife|husband)|called off|broke (?:it )?(?:off|up)"),
        (r"married", r"(?:got|am|are|'m|getting) (?:divorced|separated)|my ex-(?:wife|husband)|widowed"),
        (
            r"(?:a |an )?(?:\w+ )?student",
            r"graduated|finished (?:uni\w*|school|my (?:degree|studies|phd))|dropped out|"
            r"defended (?:my|the) (?:thesis|phd)",
        ),
        (
            r"(?:heavy |chain |occasional )?smoker|smoking",
            r"smoke-?\s?free|(?:quit|stopped|gave up|given up) (?:smoking|cigarettes)|non-?smoker|last cigarette",
        ),
        (
            r"vegan|vegetarian|pescatarian|plant-based",
            r"(?:eat|eating|ate|started eating) (?:meat|fish|chicken|beef|pork|eggs|cheese|"
            r"everything)(?: and \w+)? (?:again|now)",
        ),
        (r"renting|tenant", r"(?:bought|own) (?:our|my|a) (?:own )?(?:flat|house|apartment|place|home)"),
    )
)
"""States that other words end."""
_WITHOUT = re.compile(r"\b(?:without|no)\b", _I)
_HARMLESS = re.compile(
    r"\s*(?:is|are|'s|was|were) (?:totally |perfectly |all |actually |completely )*(?:fine|ok|okay|safe|no problem|"
    r"not a problem)\b",
    _I,
)
_GIVEN = re.compile(r"\b(?:gave|giving|sent|handed|brought|took|traded)\s+(?:\w+\s+){0,2}$", _I)
_BACK = re.compile(r"^\W*(?:back|away|in)\b", _I)
_PASSED_OVER = re.compile(r"\b(?:instead of|rather than|as opposed to|unlike|in place of|over)\s+(?:\w+\s+){0,2}$", _I)
_NEXT_ONE = re.compile(r"\b(?:to|for|with|into|by|in favou?r of|onto)\b", _I)


def harmless(rest: str) -> bool:
    """What follows a thing says that it does no harm: "… are fine"."""
    return _HARMLESS.match(rest) is not None


def only_without(clause: str, end: int) -> bool:
    """Whether the denial is a "without" after the words that end at `end`: "short answers without emojis"."""
    found = _WITHOUT.search(clause, end)
    return found is not None and not negates(clause[: found.start()])


def denies_plainly(clause: str) -> bool:
    """Denies the very word: "not Berlin", "it isn't Berlin"."""
    return _PLAIN_DENIAL.match(clause) is not None


def likes(clause: str) -> bool:
    """Says that something is liked."""
    return _LIKE.search(clause) is not None


def outdates(state: str, clause: str) -> bool:
    """Whether a clause says what cannot be while somebody is in a state: "got engaged" after "single"."""
    return any(of.fullmatch(state) and by.search(clause) for of, by in _OUTDATED)


def slips(clause: str) -> str | None:
    """What a clause puts in place of the one before ("sorry, Bristol"); None when it replaces nothing."""
    head = _SLIP.match(clause)
    rest = clause[head.end() :].strip(" .!,") if head else ""
    return rest or None


def corrects(sentence: str) -> bool:
    """May set right something said before, so that it leans on it."""
    return _SETS_RIGHT.search(sentence) is not None or meant_otherwise(sentence)


def meant_otherwise(sentence: str) -> bool:
    """Says plainly that what was said before was a mistake, or is nothing but the better word ("Sorry, 8:50")."""
    return _MEANT.search(sentence) is not None or _BETTER_WORD.match(sentence) is not None


def replaces(text: str) -> bool:
    """Puts a word in place of what was said just before, whatever it is: "I meant Brandt & Sons"."""
    return _REPLACES.search(text) is not None or _BETTER_WORD.match(text) is not None


def names_better(text: str) -> bool:
    """Looks like a word put in another's place: a name, a number, "it's …"."""
    return re.search(r"[A-Z]\w|\d|^(?:it's|it is|that's|make that|i mean|rather)\b", text) is not None


def negates(clause: str) -> bool:
    """Denies what it says; "can't stand" and "not only" do not."""
    return _NEGATION.search(_NEGATION_IDIOMS.sub(" ", clause)) is not None


def dislikes(clause: str) -> bool:
    """Says that something is not liked."""
    return _DISLIKE.search(clause) is not None


def no_longer(clause: str) -> bool:
    """Says that all of it was so once."""
    return _NO_LONGER.search(clause) is not None


def ends_around(clause: str, start: int, end: int) -> bool:
    """Whether the words at `start` to `end` are named as over: "left Acme for Globex" ends Acme, not Globex."""
    if _GIVEN.search(clause[:start]) and _BACK.match(clause[end:]):
        return True
    before = _ENDING_BEFORE.search(clause[:start])
    if before and not _NEXT_ONE.search(before.group("between")):
        return True
    return _ENDED_AFTER.match(clause[end:]) is not None


def refused_words(text: str) -> str:
    """What a correction names as wrong: "Brightwater" of "Brightwave, not Brightwater"; "" when it names nothing."""
    found = _REFUSED.search(text)
    return found.group("word") if found else ""


def moves_a_date(clause: str) -> bool:
    """Says that something takes place at another time than before."""
    return _MOVED_DATE.search(clause) is not None


def passes_over(clause: str, start: int) -> bool:
    """Whether the words at `start` are what was not chosen: "tea instead of coffee"."""
    return _PASSED_OVER.search(clause[:start]) is not None
