"""How a sentence is meant: said as true, asked, wished, made up, somebody else's, or a joke. Pure, English.

Only wording is judged here, one sentence or clause at a time; what crosses messages stands in `statements`.
"""

import re

_I = re.IGNORECASE
_OPENING = (
    r"^(?:(?:and|so|but|or|ok|okay|hey|hi|hello|well|also|please|btw|wait|um|hmm|maya|then|because|quick question|"
    r"question|sorry|no|yes|oh|just)[\s,:]+)*"
)
_PERSON = (
    r"(?:i|you|we|he|she|they|it|there|this|that|these|those|my|our|your|his|her|their|the|a|an|any|anyone|someone|"
    r"anybody|somebody|people|[A-Z]\w+)"
)
_INVERTED = re.compile(
    _OPENING + r"(?!(?:don't|do not) (?:forget|worry|mind|get|let|be|bother|think|you)\b)"
    r"(?:do|does|did|is|are|am|was|were|can|could|would|will|should|shall|may|might|have|has|had|don't|doesn't|"
    r"didn't|isn't|"
    rf"aren't|wasn't|weren't|won't|wouldn't|couldn't|can't|shouldn't|haven't|hasn't)\s+{_PERSON}\b",
    _I,
)
_ASKING = re.compile(
    _OPENING
    + r"(?:what|whats|where|who|whom|whose|which|why|how|when)(?:'s|'re|'d)?\s*(?:\b(?:is|are|am|was|were|do|does|"
    r"did|can|could|should|would|will|"
    r"shall|have|has|had|to|if|about|kind|type|sort|time|day|year|color|colour|many|much|long|old|often|far|big|"
    r"else|come|exactly|name|city|"
    r"country|one|of|the|my|your|i|a|any|should)\b|$)",
    _I,
)
_ASKING_BARE = re.compile(
    _OPENING
    + r"(?:what|where|who|whose|which|why|how|when|any|anything|anyone|thoughts|suggestions|ideas|recommendations|"
    r"tips|got any|mind|care to)\b",
    _I,
)
_INDIRECT = re.compile(
    r"\b(?:wonder(?:ing|ed)?|curious|not sure|unsure|(?:don't|do not|didn't|can't) (?:know|remember|recall|tell)|no "
    r"idea|tell me|remind me|let me know|"
    r"(?:can|could|do|would|will) you (?:know|tell|remember|recall|remind|say|check)|check|figure out|find out|"
    r"guess)\s+(?:if|whether|what|where|who|when|which|why|how|about)\b"
    r"|\bwhether\b",
    _I,
)
_TAG = re.compile(
    r"^(?:(?:and|or|but)\s+)?(?:right|ok|okay|yes|no|yeah|huh|correct|eh|remember|you know|see|true|remember that|"
    r"is that right|am i right|or (?:not|what|am i|is it|do i|did i)|"
    r"(?:is|are|was|were|do|does|did|have|has|can|will|would|should)(?:n't)?\s+(?:it|i|he|she|they|we|you|that|"
    r"there))\s*[?!.]*$",
    _I,
)
_REQUEST = re.compile(
    r"^\W*(?:(?:please|pls|ok|okay|and|then|also|so|but|just|now|maybe|hey|hi|maya|can you|could you|"
    r"instead)[\s,]+)*(?:make|use|write|add|remove|give|show|tell|find|help|create|change|fix|explain|list|keep|put|"
    r"send|set|try|"
    r"do|don't|let|let's|lets|translate|summari[sz]e|rewrite|draft|check|look|suggest|recommend|book|plan|schedule|"
    r"remind|compare|convert|generate|call|turn|format|shorten|include|exclude|avoid|focus|consider|ignore|assume|"
    r"read|open|close|run|test|build|design|describe|define|calculate|count|sort|replace|update|delete|insert|"
    r"search|google|continue|stop|start|go|take|get|come|pick|choose|name|call me back|review|proofread|edit|"
    r"improve|"
    r"simplify|expand|elaborate|brainstorm|outline|organi[sz]e|prepare|order|buy|note|save|store|remember|forget|"
    r"print|play|sing|draw|imagine|pretend|act|be|speak|talk|reply|answer|respond|say|repeat|ask|quote|cite|mention|"
    r"wait|hold|skip|move|copy|paste|refactor|debug|implement|return|switch|treat|prioriti[sz]e|estimate|predict|"
    r"guess|solve|prove|spell|pronounce|limit|see|watch|listen|bring|pack|invite|email|text|message|ping|"
    r"notify)\b(?!\s+(?:is|are|was|were|has|in|at)\b)",
    _I,
)
_WISH = re.compile(
    r"\b(?:would(?:n't)?|could(?:n't)? (?!stand|believe|care|live)|maybe|perhaps|possibly|presumably|hopefully|"
    r"wish(?:es|ed|ing)?|hop(?:e|es|ing)\b(?! street)|"
    r"my (?:plan b|backup plan|fallback|dream|fantasy|wish|ambition|aspiration)|plan b|"
    r"dream(?:s|ing|t|ed)?\b(?: of| about| that| i| job| home| house)?|want(?:s|ed|ing)?|wanna|think(?:ing|s)? "
    r"(?:of|about)|thought (?:of|about)|"
    r"consider(?:ing|ed|s)?|contemplat\w+|toy(?:ing|ed)? with|tempted|debating|deciding|deliberating|fantasi\w+|"
    r"imagin\w+|suppos(?:e|ing)|pretend\w*|assum(?:e|ing)\b|"
    r"hypothetical(?:ly)?|theoretical(?:ly)?|in theory|as if|as though|if only|someday|some day|one day(?! (?:a|per|"
    r"each|every)\b)|ideally|in case|should(?!(?:'ve| have) (?:said|written|put|been|typed)\b)|ought to|"
    r"unless|not sure|unsure|let's say|lets say|say (?:i|my|we|that)|what if|were to|eventually|at some point|might|"
    r"looking to|hard to decide|"
    r"(?:it'd|that'd|there'd)|undecided|torn between|on the fence|either way|tentatively|potential(?:ly)?|if i'm "
    r"lucky|fingers crossed|"
    r"in an ideal world|bucket list|some(?:times)? (?:think|wish|dream)|applied (?:to|for)|applying (?:to|for)|"
    r"interview(?:ing|ed)? (?:at|with|for)|looking (?:at|into|for)|"
    r"tried to|trying to decide|almost|nearly (?!\d)|came close|pictur(?:e|ing)\b|envision\w*|fancy (?:a|living|"
    r"moving)|conceivabl[ey]|probab(?:ly|le))\b",
    _I,
)
_SHORT_WOULD = re.compile(
    r"\b\w+'d\b(?!\s+(?:been|already|just|always|had|gone|done|seen|never\s+\w+(?:ed|en)\b|\w+ed\b))", _I
)
_MAY = re.compile(r"(?<![\w'])may\b(?!\s+(?:\d|the\s+\d))")
_AFTER_IN = re.compile(
    r"\b(?:in|since|of|by|until|till|next|last|this|early|late|mid|on|from|before|after|\d|th|st|nd|rd|and|or)[\s-]+$",
    _I,
)
_IF = re.compile(
    r"(?<![\w'])(?:worst case|best case|in the (?:worst|best) case|if|unless|suppose|supposing|assuming|provided|"
    r"providing|imagine|were i|had i|should i|even if|as "
    r"long as|in the event)\b",
    _I,
)
_POLITE_IF = re.compile(
    r"\bif\s+(?:you|anyone|anybody|that|it|this|they|possible|needed|necessary|so|not|only that)\b", _I
)
_LATER = re.compile(r"^(?:\w+\s+)?(?:when|once|as soon as|after|by the time)\s+(?:i|we|my|our)\b", _I)
_FUTURE = re.compile(
    r"\b(?:will|won't|shall|\w+'ll|(?:am|are|is|\w+'m|\w+'re|\w+'s|be) (?:about|going|planning|moving|relocating|"
    r"due|set|starting|joining|switching|flying|travell?ing|heading|getting|buying|taking|leaving|having)|gonna|"
    r"plan(?:s|ning)? (?:to|on|a)|intend(?:s|ing)? to|about to)\b",
    _I,
)
_FRAME = re.compile(
    r"\b(?:imagine|pretend|suppose|supposing|hypothetically|let's say|lets say|let's pretend|let's imagine|what if|"
    r"role[\s-]?play\w*|in this (?:story|scenario|game)|scenario|"
    r"thought experiment|brainstorm\w*|spitballing|thinking out loud|daydream\w*|play devil's advocate|"
    r"for the sake of argument|make[\s-]believe|picture this|play the role|act as|you are (?:a|"
    r"an)\b|assume (?:that|i|you|we|the)|say that i|fictional|made[\s-]up|"
    r"(?:write|draft|compose|generate|create|make|invent|give|tell|come up with|craft|produce|"
    r"continue)\b[^.!?]{0,40}\b(?:story|poem|song|bio|biography|dialogue|persona|ad|letter|script|scene|"
    r"character|example|examples|test data|sample|samples|blog|joke|novel|chapter|sketch|monologue|fairy tale|"
    r"limerick|haiku|profile|cover letter|speech|fanfic|backstory|"
    r"paragraph|essay|email|post|tweet|caption|plot|dummy|mock|tagline|riddle|fable|tale|user story)"
    r"|(?:novel|story|screenplay|script|play|book|game|campaign|comic|fanfic|short story) (?:that )?(?:i'm|i am|"
    r"i've been|we're) (?:writing|playing|working on|drafting|running)|protagonist|antagonist|main character|my "
    r"character|my (?:villain|hero|heroine))\b",
    _I,
)
_FICTION = re.compile(
    r"\b(?:my (?:character|avatar|alter ego|persona|d&d\w*|sim)|in (?:the|my|a|this|our) (?:game|novel|story|dream|"
    r"play|film|movie|campaign|script|book i'm writing|nightmare|roleplay)|i dream(?:t|ed)|role[\s-]?play\w*|d&d|"
    r"in (?:a past|another|my next|a previous|my former|an alternate) (?:life|universe|reality|timeline)|persona|"
    r"(?:test|sample|dummy|fake|placeholder|demo|mock) (?:user|account|data|name|profile|person|customer|value|"
    r"address)|"
    r"for example|for instance|e\.g\.|the (?:character|protagonist|narrator|hero|heroine|villain)|fictional|work of "
    r"fiction|novel i'm|sims)\b",
    _I,
)
_BACK_TO_EARTH = re.compile(
    r"^\W*(?:(?:but|ok|okay|so|and)\s+)?(?:in reality|actually|for real|in real life|irl|really though|seriously|"
    r"anyway|the truth is|truth is|in truth|back to reality|as for me)\b",
    _I,
)
_SPEECH = (
    r"(?:says?|said|saying|told|tells?|telling|claims?|claimed|claiming|thinks?|thought|believes?|believed|"
    r"mentioned|mentions|insists?|insisted|insisting|swears?|swore|"
    r"wrote|writes|asked|asks|suggests?|suggested|reckons?|reckoned|argues?|argued|announced|announces|texted|"
    r"emailed|messaged|replied|explained|explains|assumes?|assumed|"
    r"heard|reported|guess(?:es|ed)?|warned|warns|promised|joked|jokes|joking|recommends?|recommended|keeps? "
    r"(?:saying|telling|insisting)|predicts?|predicted|"
    r"estimates?|estimated|states?|stated|accused|accuses|noted|suspects?|suspected|declared|admitted|complained|"
    r"posted|tweeted|was like|is like|were like|goes like|"
    r"concluded|decided that i|describes?|described|shows that|imagines?|imagined|wonders|wondered|figured|felt "
    r"that|convinced)"
)
_HEARSAY = re.compile(
    r"(?:\b(?i:he|she|they|you|it|who|which|one|some(?:one|body)?|every(?:one|body)|people|somebody else|another|"
    r"other people|this|that|others|maya)"
    r"|(?<![\w'])[A-Z][\w-]+|\b(?i:my|our|the|a|an|his|her|their|your|this|that|some|one of|both)\s+[\w' -]{1,45}?)"
    rf"(?:'s|'d|'ve)?\s+(?:(?:also|just|once|always|recently|still|even|never|had|has|have|really|jokingly|wrongly|"
    rf"then|later|keeps?|apparently|yesterday|today)\s+)*{_SPEECH}\b",
)
_HEARSAY_WORDS = re.compile(
    r"\b(?:according to|apparently|allegedly|supposedly|reportedly|rumou?r(?:s|ed)?|rumou?r has it|i (?:(?:just|"
    r"once|recently|also) )?(?:heard|read|saw|overheard|learned|was told|got told|am told)\b(?! (?:a|the|my) (?:lot|"
    r"book|band|concert|movie|film|show|doctor|dentist|therapist|specialist))"
    r"|word (?:is|has it)|they say|it says|legend has it|as they say|as the saying goes|the saying|quote|quoting|"
    r"quoted|in the words of|as (?:[A-Z]\w+ )*[A-Z]\w+ (?:once )?(?:put|has|had|would have) it|horoscope|"
    r"fortune cookie|"
    r"(?<!have )(?<!'ve )(?:said|says|wrote|claimed|claims) (?:he|she|they|[A-Z]\w+|my|the|a)\b|i'?m told|"
    r"i've been told|been told|"
    r"lyrics?|line from|song goes|per (?:the|my|his|her) (?:article|doc|email|mail|report|wiki))\b",
    _I,
)
_OWN_REPORT = re.compile(
    r"\b(?:i|we)(?:'ve)?\s+(?:(?:once|just|already|always|jokingly|also|had|have)\s+)*(?:told|said to|lied|lie|"
    r"pretended|joked|claimed|texted|emailed|assured|wrote to|convinced|replied to|answered|put on|"
    r"fibbed)\b(?!\s+you\b)",
    _I,
)
_RHETORICAL = re.compile(
    r"^\W*(?:what am i (?:saying|talking about)|what was i thinking|who am i kidding)[\s,.!?–—-]+", _I
)
_SERIOUS_NOW = re.compile(
    r"^\W*(?:(?:no|ok|okay|haha|lol|but)\W+)+(?:but\s+)?(?:seriously|for real|honestly|in all seriousness)\b|"
    r"^\W*(?:(?:ok|"
    r"okay|all|but|no)\W+)*(?:jokes?|joking|kidding) (?:aside|apart)\b|^\W*in all seriousness\b",
    _I,
)
_DENIED_AFTER = re.compile(
    r"^\W*which\s+(?:(?:i|we|he|she|they|it)\s*)?(?:'m|'s|'re|am|is|are|was|were|do|does|did|have|has)?\s*(?:not|n't|"
    r"of course|obviously|absolutely|really|simply|totally|completely|just|so|\s)*(?:(?<=not)|(?<=n't)|wrong|false|"
    r"nonsense|untrue|a lie|rubbish|made up|a joke|ridiculous|absurd|never (?:happened|did|was|have))\b",
    _I,
)
_NO_JOKE = re.compile(
    r"\b(?:no joke|not (?:a )?(?:joke|joking|kidding)|no kidding|i kid you not|(?:tell|told|hear|know|write|want|"
    r"make|another|good|bad|inside|dad) (?:me |you |us )?(?:a |some |any |another |more )?jokes?)\b",
    _I,
)
_JOKE = re.compile(
    r"\b(?:just kidding|only kidding|kidding|jk|j/k|joking|jokes?|jokingly|sarcasm|sarcastic(?:ally)?|pulling your "
    r"leg|messing with you|just messing|teasing|only teasing|in jest|tongue in cheek|"
    r"made (?:that|it) up|fooled you|got you|gotcha|april fools?|not seriously|yeah right|as if!|in your dreams|i "
    r"wish!?$|nah just|not!$|psych|(?:yeah|oh|ya|suuure|sure|right)\W+(?:(?:sure|right)\W+)?and (?:i'm|i am|"
    r"my)\b)\b(?!')|(?:^|\s)/s\b|🤪|😜|😝|🙃|🙄|^\W*(?:lol+|lmao|ha+ha\w*)[\s,]+(?:yeah|sure|right)[\s,]+(?:i|i'm|im|my|"
    r"we)(?!\w)|^\W*(?:oh|yeah|yes|sure|right|wow)[\s,]+(?:totally|sure|right|absolutely|"
    r"of course|yeah|clearly|"
    r"obviously|definitely)\b[\s,]+(?:because |cause |and )?(?:i|i'm|my|we|im)(?!\w)|\*wink\*|\(not really\)|(?:^|"
    r"[.!?]\s+)not "
    r"really\b[.!\s]*$"
    r"|\band i'm (?:the |a )?(?:queen|king|pope|president|santa|batman|spider-?man|superman|emperor|tooth fairy|"
    r"easter bunny)\b",
    _I,
)
_LAUGH = re.compile(
    r"(?<![\w'])(?:lol+|lmao+|rofl|haha[ha]*|hehe[he]*|hah|ha ha(?: ha)*|hee hee|xd|:-?[pPD]|;-?\)|;-?[pP])(?!\w)|"
    r"[😂🤣😉😆😅😏]",
    _I,
)
_WINK = re.compile(r"[😉😏😜🤪]|(?<!\w);-?[)pP](?!\w)")
_LAUGH_FIRST = re.compile(r"^\W*(?:lol+|lmao+|haha[ha]*|hehe[he]*|hah|ha|ha ha)[\s,!.]+", _I)
_AFTER_JOKE = re.compile(
    r"\b(?:kidding|jk|joking(?: aside| apart)?|jokes?(?: aside| apart)?|not really)\b[\s,.;:!—–)-]*(?:but\s+|no,?\s+|"
    r"actually,?\s+|in reality,?\s+|i'm "
    r"actually|really,?\s+|it's actually|the truth)",
    _I,
)


def asks(sentence: str) -> int | None:
    """From which character on a sentence asks; None when it does not.

    With a question mark and no asking clause all of it is a question.
    """
    sentence = _RHETORICAL.sub(lambda m: " " * len(m.group()), sentence)
    stripped = sentence.rstrip(" \"')*_")
    marked = stripped.endswith(("?", "?!", "??", "!?")) or "?" in stripped[-3:]
    if _INVERTED.match(sentence) or (_ASKING.match(sentence) and (marked or not stripped.endswith("!"))):
        return 0
    if indirect := _INDIRECT.search(sentence):
        return 0 if marked else indirect.start()
    if not marked:
        return None
    breaks = [*re.finditer(r"[,;:—–(]\s*|\s-\s|\s(?=(?:so|and|but|or)\s)", sentence)]
    for place in breaks:
        rest = sentence[place.end() :]
        if _TAG.match(rest):
            return 0
        if _INVERTED.match(rest) or _ASKING.match(rest) or _ASKING_BARE.match(rest):
            return place.end()
    return 0


def asks_bare(sentence: str) -> bool:
    """A tag that turns what was said before it into a question: "right?"."""
    return _TAG.match(sentence.strip()) is not None and "?" in sentence


def requests(clause: str) -> bool:
    """Tells the listener to do something."""
    return _REQUEST.match(clause) is not None


def wishes(clause: str) -> bool:
    """A wish, a guess, a possibility; "may" as a month is none."""
    if _WISH.search(clause) or _SHORT_WOULD.search(clause):
        return True
    return any(not _AFTER_IN.search(clause[: m.start()]) for m in _MAY.finditer(clause))


def condition(clause: str) -> bool:
    """Opens a condition. "if you need it" does not make the rest conditional."""
    return _IF.search(clause) is not None


def polite_condition(clause: str) -> bool:
    """A condition about the listener: what stands before it holds anyway."""
    return _POLITE_IF.search(clause) is not None


def lies_ahead(clause: str) -> bool:
    """Speaks of the future: planned, not yet so."""
    return _FUTURE.search(clause) is not None


def sometime(clause: str) -> bool:
    """ "When I retire …", "once we move …": together with a future it is not a fact yet."""
    return _LATER.match(clause) is not None


def opens_fiction(sentence: str) -> bool:
    """What follows in the message is made up, or asked to be."""
    return _FRAME.search(sentence) is not None


def is_fiction(sentence: str) -> bool:
    """This sentence speaks of a made-up or sample world."""
    return _FICTION.search(sentence) is not None


def returns_to_earth(sentence: str) -> bool:
    """Ends a fiction: "In reality …"."""
    return _BACK_TO_EARTH.match(sentence) is not None


def hearsay(sentence: str) -> int | None:
    """From which character on somebody else's words are reported; None when they are not."""
    starts = [m.start() for pattern in (_HEARSAY, _HEARSAY_WORDS, _OWN_REPORT) for m in pattern.finditer(sentence)]
    return min(starts) if starts else None


def withdraws_what_stands_before(clause: str) -> bool:
    """A relative clause that denies the one before it: "which I'm not", "which is not true"."""
    return _DENIED_AFTER.match(clause) is not None


def jokes(sentence: str) -> bool:
    """Marked as a joke in so many words."""
    return _JOKE.search(_NO_JOKE.sub(" ", sentence)) is not None


def laughs(sentence: str) -> bool:
    """Ends or goes along with laughter; laughter that opens a sentence answers what came before."""
    return _LAUGH.search(_LAUGH_FIRST.sub("", sentence)) is not None


def winks(sentence: str) -> bool:
    """A wink: what was said just before was not meant."""
    return _WINK.search(sentence) is not None


def turns_serious(sentence: str) -> bool:
    """What stands before was a joke: "No but seriously, …"."""
    return _SERIOUS_NOW.match(sentence) is not None


def only_laughs(sentence: str) -> bool:
    """Laughter and nothing else."""
    return _LAUGH.search(sentence) is not None and not re.search(r"\w", _LAUGH.sub("", sentence))


def serious_from(sentence: str) -> int | None:
    """Where the truth begins after a joke was taken back in the same sentence; None when it does not."""
    after = _AFTER_JOKE.search(sentence)
    if after:
        return after.end()
    head = re.match(
        r"^\W*(?:(?:haha|lol|no|ok),?\s+)?(?:i'm |i am |i was )?(?:just |only )?(?:kidding|joking|"
        r"jk)\b[\s,.;:!—–-]+(?=\w)",
        sentence,
        _I,
    )
    return head.end() if head else None
