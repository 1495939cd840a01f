"""How a sentence is meant: said as true, asked, wished, made up, somebody else's, or a joke. Pure, English.

Only wording is judged here, one sentence or clause at a time; what crosses messages stands in `statements`.
"""

import re

_I = re.IGNORECASE
_MARK_WORDS = 3
_OPENING = (
    r"^(?:(?:and|so|but|or|ok|okay|hey|hi|hello|well|also|please|btw|wait|um|hmm|maya|then|because|quick question|"
    r"question|sorry|no|yes|oh|just)[\s,:]+)*"
)
_PERSON = (
    r"(?:i|you|we|he|she|they|it|there|this|that|these|those|my|our|your|his|her|their|the|a|an|any|anyone|someone|"
    r"anybody|somebody|people|(?-i:[A-Z]\w+))"
)
_INVERTED = re.compile(
    _OPENING + r"(?!(?:don't|do not) (?:forget|worry|mind|get|let|be|bother|think|you)\b)"
    r"(?:do|does|did|is|are|am|was|were|can|could|would|will|should|shall|may|might|have|has|had|don't|doesn't|"
    r"didn't|isn't|"
    rf"aren't|wasn't|weren't|won't|wouldn't|couldn't|can't|shouldn't|haven't|hasn't)\s+{_PERSON}\b"
    rf"|{_OPENING}(?:does|did|doesn't|didn't|has|is|was|are|were|isn't|wasn't|aren't|weren't)\s+(?!(?:based|from|"
    rf"allergic|"
    r"called|named|due|born|in|at|on|located|married|now|not|also|still|just|very|so|too|to|for|by|with|of|as|and|"
    r"or)\b)[\w'-]+\s+\S",
    _I,
)
_ASKING = re.compile(
    _OPENING
    + r"(?:what|whats|where|who|whom|whose|which|why|how|when)(?:'s|'re|'d)?\s*(?:\b(?:is|are|am|was|were|do|does|"
    r"did|can|could|should|would|will|shall|have|has|had|to|if|about|kind|type|sort|time|day|year|color|colour|many|"
    r"much|long|old|often|far|big|else|come|exactly|name|city|country|one|of|the|my|your|i|a|any|should)\b|$)",
    _I,
)
_ASKING_BARE = re.compile(
    _OPENING
    + r"(?:what|where|who|whose|which|why|how|when|any|anything|anyone|thoughts|suggestions|ideas|recommendations|"
    r"tips|got any|mind|care to)\b",
    _I,
)
_INDIRECT = re.compile(
    r"\b(?:wonder(?:ing|ed)?|curious|not sure|unsure|(?:don't|do not|didn't|can't) (?:know|remember|recall|tell)|"
    r"no idea|tell me|remind me|let me know|(?:can|could|do|would|will) you (?:know|tell|remember|recall|remind|say|"
    r"check)|check|figure out|find out|guess)\s+(?:if|whether|what|where|who|when|which|why|how|about)\b|\bwhether\b",
    _I,
)
_TAG = re.compile(
    r"^(?:(?:and|or|but)\s+)?(?:right|ok|okay|yes|no|yeah|huh|correct|eh|remember|you know|see|true|remember that|"
    r"is that right|am i right|or (?:not|what|am i|is it|do i|did i)|"
    r"(?!(?:can|will|would|could) you\b)"
    r"(?:is|are|was|were|do|does|did|have|has|can|will|would|should)(?:n't)?\s+(?:it|i|he|she|they|we|you|that|"
    r"there))\s*[?!.]*$",
    _I,
)
_REQUEST = re.compile(
    r"^\W*(?:(?:please|pls|ok|okay|and|then|also|so|but|just|now|maybe|hey|hi|maya|can you|could you|"
    r"instead)[\s,]+)*(?:make|use|write|add|remove|give|show|tell|find|help|create|change|fix|explain|list|keep|put|"
    r"send|set|try|do|don't|let|let's|lets|translate|summari[sz]e|rewrite|draft|check|look|suggest|recommend|book|"
    r"plan|schedule|remind|compare|convert|generate|call|turn|format|shorten|include|exclude|avoid|focus|consider|"
    r"ignore|assume|read|open|close|run|test|build|design|describe|define|calculate|count|sort|replace|update|delete|"
    r"insert|search|google|continue|stop|start|go|take|get|come|pick|choose|name|call me back|review|proofread|edit|"
    r"improve|simplify|expand|elaborate|brainstorm|outline|organi[sz]e|prepare|order|buy|note|save|store|remember|"
    r"forget|print|play|sing|draw|imagine|pretend|act|be|speak|talk|reply|answer|respond|say|repeat|ask|quote|cite|"
    r"mention|wait|hold|skip|move|copy|paste|refactor|debug|implement|return|switch|treat|prioriti[sz]e|estimate|"
    r"predict|guess|solve|prove|spell|pronounce|limit|see|watch|listen|bring|pack|invite|email|text|message|ping|"
    r"notify)\b(?!\s+(?:is|are|was|were|has|in|at)\b)",
    _I,
)
_WISH = re.compile(
    r"\b(?:would(?:n't)?(?! (?:also )?like to (?:add|mention|say|note|point out|tell you|let you know|stress|"
    r"repeat|clarify|confirm)\b)|could(?:n't)? (?!stand|believe|care|live)|maybe|perhaps(?! (?:explain|mention|"
    r"add|say|note)\b)|possibly|presumably|hopefully|"
    r"wish(?:es|ed|ing)?|hop(?:e|es|ing)\b(?! street)|my (?:plan b|backup plan|fallback|dream|fantasy|wish|ambition|"
    r"aspiration)|plan b|dream(?:s|ing|t|ed)?\b(?: of| about| that| i| job| home| house)?|want(?:s|ed|ing)?|wanna|"
    r"think(?:ing|s)? (?:of|about)|thought (?:of|about)|consider(?:ing|ed|s)?|contemplat\w+|toy(?:ing|ed)? with|"
    r"tempted|debating|deciding|deliberating|fantasi\w+|imagin\w+|suppos(?:e|ing)|pretend\w*|assum(?:e|ing)\b|"
    r"hypothetical(?:ly)?|theoretical(?:ly)?|in theory|as if|as though|if only|someday|some day|one day(?! (?:a|per|"
    r"each|every)\b)|ideally|in case|should(?!(?:'ve| have) (?:said|written|put|been|typed|mentioned|"
    r"told you)\b| (?:(?:probably|also|maybe|perhaps|really) )?"
    r"(?:read|say|know|mention|add|note|tell you|point out|warn you|let you know|clarify|explain)\b|"
    r" be (?:on |at |in |the )*(?-i:[A-Z\d]))|"
    r"ought to|unless|not sure|unsure|myth that|(?:not|n't) true that|"
    r"n't (?:think|believe)(?= that\b)|"
    r"let's say|lets say|say (?:i|my|we|that)|what if|were to|eventually|"
    r"at some point|might|looking to|hard to decide|(?:it'd|that'd|there'd)|undecided|torn between|on the fence|"
    r"either way|tentatively|potential(?:ly)?|if i'm lucky|fingers crossed|in an ideal world|bucket list|"
    r"some(?:times)? (?:think|wish|dream)|applied (?:to|for)|applying (?:to|for)|interview(?:ing|ed)? (?:at|"
    r"with|for)|"
    r"looking (?:at|into|for)|tried to|trying to decide|almost|nearly (?!\d)|came close|pictur(?:e|ing)\b|"
    r"envision\w*|"
    r"fancy (?:a|living|moving)|conceivabl[ey]|"
    r"probab(?:ly|le)(?! (?:relevant|worth|useful|important|good|helpful|fair|wise)\b))\b",
    _I,
)
_MAKES_UP = re.compile(
    r"\b(?:imagin\w+|suppos\w+|pretend\w*|assum\w+|hypothe\w+|theor\w+|as (?:if|though)|if only|let's|lets|let us|"
    r"say (?:that|i|my|we)|what if|wish\w*|dream\w*|fantas\w+|pictur\w+|envision\w*|perhaps|maybe|possibly|"
    r"might|could|unless|in case)\b",
    _I,
)
"""Guessed, wished for against what is so, or made up."""
_NAMED_SO = re.compile(r"(?<=[a-z] )(?:Hope|Will|May|Dream)\b")
"""Names that are words for a wish in small letters."""
_SHORT_WOULD = re.compile(
    r"\b\w+'d\b(?!\s+(?:been|already|just|always|had|gone|done|seen|never\s+\w+(?:ed|en)\b|\w+ed\b))", _I
)
_MAY = re.compile(r"(?<![\w'])may\b(?!\s+(?:\d|the\s+\d))")
_AFTER_IN = re.compile(
    r"\b(?:in|since|of|by|until|till|next|last|this|early|late|mid|on|from|before|after|\d|th|st|nd|rd|and|"
    r"or)[\s-]+$",
    _I,
)
_IF = re.compile(
    r"(?<![\w'])(?:worst case|best case|in the (?:worst|best) case|if|unless|suppose|supposing|assuming|provided|"
    r"(?<!\w )(?:had|were|should) (?:he|she|they|we|it|my|our)|"
    r"providing|imagine|were i|had i|should i|even if|(?:i|he|she|it) were|(?<!\w )(?<!, )say (?=(?:i|my|we|our|you|"
    r"he|she|they)\b)|as long as|in the event)\b",
    _I,
)
_POLITE_IF = re.compile(
    r"\bif\s+(?:you|anyone|anybody|that|it|this|they|possible|needed|necessary|so|not|only that)\b", _I
)
_HEDGE = re.compile(
    r"\bif\s+(?:(?:i'm|i am) not (?:mistaken|wrong)|(?:i|we)(?:'ve| have)? (?:already |ever )?(?:(?:mentioned|"
    r"said|noted) (?:it|this|"
    r"that)|told you (?:this|that|already|before))\b|i (?:remember|recall) (?:it )?(?:correctly|right|rightly|"
    r"well)|memory "
    r"serves)\b",
    _I,
)
"""Hangs nothing on a condition: "if I am not mistaken"."""
_LATER = re.compile(r"^(?:\w+\s+)?(?:when|once|as soon as|after|by the time)\s+(?:i|we|my|our)\b", _I)
_FUTURE = re.compile(
    r"\b(?:will|won't|shall|\w+'ll|(?:am|are|is|\w+'m|\w+'re|\w+'s|be) (?:about|going|planning|moving|relocating|"
    r"due|set|starting|joining|switching|flying|travell?ing|heading|getting|buying|taking|leaving|having)|gonna|"
    r"plan(?:s|ning)? (?:to|on|a)|intend(?:s|ing)? to|about to)\b",
    _I,
)
_FRAME = re.compile(
    r"^\W*(?:(?:chapter|act|scene|prologue|epilogue|canto|stanza)\s+(?:\d+|one|two|three|four|five|[ivx]+)|"
    r"lorem ipsum)\b|"
    r"\b(?:once upon a time|imagine|pretend|suppose|supposing|hypothetically|let's say|lets say|let's pretend|"
    r"let's imagine|what if|"
    r"role[\s-]?play\w*|in this (?:story|scenario|game)|scenario|thought experiment|brainstorm\w*|spitballing|"
    r"thinking out loud|daydream\w*|play devil's advocate|for the sake of argument|make[\s-]believe|picture this|"
    r"play the role|act as|you are (?:a|an)\b|(?<!people )(?<!who )(?<!it )(?<!they )assume (?:that|i|you|we|"
    r"the)|say that i|fictional|made[\s-]up|(?:write|"
    r"draft|compose|generate|create|make|invent|give|tell|come up with|craft|produce|"
    r"continue)\b[^.!?]{0,40}\b(?:story|poem|song|dialogue|persona|ad|script|scene|character|"
    r"example|examples|test data|sample|samples|joke|novel|chapter|sketch|monologue|fairy tale|limerick|haiku|"
    r"fanfic|backstory|plot|dummy|mock|tagline|"
    r"riddle|fable|tale|user story)|(?:novel|story|screenplay|script|play|book|game|campaign|comic|fanfic|"
    r"short story) (?:that )?(?:i'm|i am|i've been|we're) (?:writing|playing|working on|drafting|running)|"
    r"protagonist|(?:villain|hero|heroine|narrator|detective|wizard) (?:introduces|speaks|enters|begins|tells|says)|"
    r"antagonist|main character|my character|my (?:villain|hero|heroine))\b",
    _I,
)
_TEXT = re.compile(
    r"\b(?:write|draft|compose|generate|create|make|invent|give|come up with|craft|produce|"
    r"continue)\b[^.!?]{0,40}\b(?:bio|"
    r"biography|letter|blog|profile|cover letter|speech|paragraph|essay|e-?mail|post|tweet|caption)\b",
    _I,
)
_OF_ANOTHER = re.compile(
    r"\b(?:as (?:if|though|an?|the|(?-i:[A-Z])\w+)|from (?:an?|the) (?:\w+ )?(?:perspective|viewpoint|point "
    r"of view|view|"
    r"\w+er|\w+or)|in the (?:voice|style|person|name) of|in character|by an?|about an?|of an?|for an? (?:\w+ )?(?:"
    r"character|person|man|woman|user|customer))\b",
    _I,
)
_PLAY = re.compile(
    r"\b(?:role[\s-]?play\w*|(?:let's|let us) (?:play|pretend|practi[sc]e|act out)|in character|(?:do|try|run|"
    r"improvise|"
    r"rehearse|practi[sc]e|start|play|act|act out|set up) (?:a|an|the|our|this|another) (?:little |short |"
    r"quick )?(?:scene|"
    r"skit|sketch|improv\w*|role|campaign|play)|for the next (?:few|couple of|\w+) (?:messages|turns|replies|lines)|"
    r"you(?:'re| are|'ll be| will be| play) (?:the|my) (?!best\b|greatest\b|man\b|one\b|boss\b|expert\b|only\b|"
    r"first\b|"
    r"most\b|favou?rite\b|ai\b|assistant\b|real\b)[\w-]+(?= (?:and|who|in|of|at)\b|[,.;:])(?=.{0,80}\b(?:you|"
    r"i)\b)|(?:you're|you are|"
    r"you be|you play|act as) (?:a|an|the|my)\b[^.!?]{2,60}\band (?:i|i'm|i am|i'll)\b|(?:act|acting|pose|"
    r"posing) as (?:a|an|the|my)|play the (?:role|part) of|pretend to be|be my (?:interviewer|opponent|examiner|"
    r"patient|customer|landlord|boss|date)|mock interview|(?:i'm|i am|i'll be|i play) (?:a|an|"
    r"the) [^.!?]{2,40}\band you(?:'re| are)?\b|text adventure|dungeon master)",
    _I,
)
_PLAY_OVER = re.compile(
    r"\b(?:end (?:of )?(?:the )?(?:role[\s-]?play|scene|game|play)|(?:stop|pause|leave|enough of|drop|"
    r"out of) (?:the )?(?:role[\s-]?play\w*|game|scene|character|act)|out of character|ooc|back to (?:reality|normal|"
    r"real life)|in reality|in real life|for real|seriously|that's it for the role)\b|(?:^|"
    r"[.!?]\s*)(?:ok(?:ay)?\W+)?(?:stop|cut)\b",
    _I,
)
_WAS = re.compile(r"\b(?:that|this|it|which) (?:was|were)(?: (?:just|only|all|purely|merely))*(?: an?)?\s+$", _I)
"""Before the word for a frame: it is over ("that was a thought experiment")."""
_FICTION = re.compile(
    r"\b(?:my (?:character|avatar|alter ego|persona|d&d\w*|sim)|in (?:the|my|a|this|our|that) (?:song|poem|"
    r"lyrics|advert|game|novel|story|dream|"
    r"play|film|movie|campaign|script|book i'm writing|nightmare|roleplay|exercise|worksheet|(?:exercise |"
    r"example |sample |"
    r"dummy )(?:sentence|text|dialogue)|textbook|passage)|i dream(?:t|ed)|role[\s-]?play\w*|d&d|"
    r"in (?:a past|another|my next|a previous|my former|an alternate|an? (?:parallel|alternate|different|"
    r"imaginary)) (?:life|universe|reality|timeline|world)|persona|(?:test|sample|dummy|fake|placeholder|demo|"
    r"mock) (?:user|account|data|name|profile|person|customer|value|address)|for example|for instance|e\.g\.|"
    r"the (?:character|protagonist|narrator|hero|heroine|villain)|fictional|work of fiction|novel i'm|sims|"
    r"lorem ipsum|i (?:just |once )?had (?:an?|this|the) (?:\w+ )?(?:dream|nightmare|vision)(?! (?:job|house|home|"
    r"car|team)))\b|"
    r"^\W*(?:(?:now|ok|okay|so|and|please|just|but)\W+)*(?:i (?:really )?doubt that|claim that|let (?:them|him|her|"
    r"everyone|people) (?:think|believe) that|(?:let's|lets|let us) (?:just )?(?:assume|suppose|pretend|"
    r"imagine|say (?:that|i|my|we|our))|(?:assume|suppose|presume|pretend)(?= (?:that|i|i'm|my|we|our|you|the|an?|"
    r"(?-i:[A-Z]))\b))\b",
    _I,
)
_BACK_TO_EARTH = re.compile(
    r"^\W*(?:(?:but|ok|okay|so|and)\s+)?(?:in reality|actually|for real|in real life|irl|really though|seriously|"
    r"anyway|the truth is|truth is|in truth|back to reality|as for me)\b",
    _I,
)
_BY_THE_WAY = re.compile(r"\b(?:by the way|btw|fyi)\b", _I)
_SPEECH = (
    r"(?:says?|said|saying|told|tells?|telling|claims?|claimed|claiming|thinks?|thought(?! (?:experiment|process|"
    r"leader)\b)|believes?|believed|mentioned|"
    r"mentions|insists?|insisted|insisting|swears?|swore|"
    r"(?:wrote|writes?)(?! (?:like (?:that|this)|such|the|an?|our|my|his|her|their|all|most|code|books|songs|for|"
    r"in|with|about)\b)|"
    r"asked(?! (?:me|us) to "
    r"(?!say|write|put|claim|tell|pretend|state|note|confirm|repeat|pass|type|enter)\w)|asks|suggests?|"
    r"suggested|reckons?|"
    r"reckoned|argues?|argued|announced|announces|texted|emailed|messaged|replied|explained|explains|assumes?|"
    r"assumed|"
    r"heard|reported(?! to\b)|guess(?:es|ed)?|warned|warns|promised|joked|jokes|joking|recommends?|recommended|"
    r"keeps? (?:saying|telling|insisting)|predicts?|predicted|estimates?|estimated|states?|stated|accused|accuses|"
    r"noted|suspects?|suspected|declared|admitted|complained|posted|tweeted|was like|is like|were like|goes like|"
    r"concluded|decided that i|describes?|described|shows that|imagines?|imagined|wonders|wondered|figured|felt that|"
    r"convinced|testif(?:y|ies|ied)|alleges?|alleged|attests?|attested|maintains? that|maintained that|asserts?|"
    r"asserted|"
    r"dictated|bragged|brags|boasts?|boasted|whispered|shouted|yelled|muttered)"
)
_HEARSAY = re.compile(
    r"(?:\b(?i:he|she|they|you(?! (?:asked|ask|suggest|recommend|estimate|describe|imagine|guess|state|explain|"
    r"predict|assume|"
    r"think)\b)|it|who|which|one|some(?:one|body)?|every(?:one|body)|people|somebody else|another|other people|this|"
    r"that|others|maya)|(?<![\w'])(?!Never|Always|Also|Just|Still|Only|Once|Even|Then|Now|Not\b|As\b|Since\b|"
    r"When\b|Because\b)[A-Z][\w-]+|\b(?i:my|"
    r"our|the|a|an|his|her|their|your|this|that|some|one of|both)\s+(?:(?!\b(?:I|we)\b)[\w' -]){1,45}?)"
    rf"(?:'s|'d|'ve)?\s+(?:(?:also|just|once|always|recently|still|even|never|had|has|have|really|jokingly|wrongly|"
    rf"then|later|keeps?|apparently|yesterday|today)\s+)*{_SPEECH}\b",
)
_HEARSAY_WORDS = re.compile(
    r"\b(?:according to|apparently|allegedly|supposedly|reportedly|rumou?r(?:s|ed)?|rumou?r has it|i (?:(?:just|once|"
    r"recently|also) )?(?:heard|read|saw|overheard|learned|was told(?! to\b)|got told(?! to\b)|am told(?! to\b))\b"
    r"(?! (?:your|it|this)\b)(?! (?:a|the|my) (?:lot|book|"
    r"band|concert|movie|film|show|doctor|dentist|therapist|specialist))|word (?:is|has it)|they say|it says|"
    r"legend has it|as they say|(?:he|she|they|(?-i:[A-Z])\w+)(?:'s|'re| is| are| was| were)(?: always| all|"
    r" just| totally| basically)? "
    r"like,? (?=(?:i|i'm|i've|my|we)\b)|as the saying goes|the saying|quote|quoting|quoted|in the words of|"
    r"as (?:[A-Z]\w+ )*[A-Z]\w+ (?:once )?(?:put|has|had|would have) it|horoscope|fortune cookie|"
    r"(?<!have )(?<!'ve )(?<!\bi )(?:said|says|wrote|claimed|claims) (?:he|she|they|[A-Z]\w+|my|the|a)\b|i'?m told|"
    r"(?:he|she|they|(?-i:[A-Z])\w+|my \w+) (?:goes|went),\s+(?=(?:i|i'm|i've|my|we|our)\b)|"
    r"i've been told|been told|(?:never|didn't|did not|haven't|have not|don't) (?:say|said|tell|told|mention|"
    r"mentioned|claim|"
    r"claimed|write|wrote) (?:you |that |anything |so |i )(?!(?:this|that|it|before)\b[^.!?]{0,12}, but\b)|"
    r"lyrics?|line from|song goes|per (?:the|my|his|her) "
    r"(?:article|doc|email|mail|report|"
    r"wiki))\b",
    _I,
)
_CONTRARY_TO = re.compile(r"\b(?:contrary to|despite|whatever|no matter) (?:what |how )?[^,;:]{3,50}[,:]", _I)
_SAID_LAST = re.compile(
    r",\s*(?:apparently|allegedly|supposedly|reportedly|or so (?:i'm told|they say|i hear|i've heard|\w+ "
    r"(?:says?|claims?))|"
    r"(?:at least )?according to [^,.]+|(?:so )?(?:says?|said|claims?) (?:my|the|our|his|her|some|"
    r"(?-i:[A-Z]))[^,.]*|they say|"
    r"i'm told|i hear)(?:,\s*(?:so )?(?:says?|said) [^,.]+)?\W*$",
    _I,
)
"""Names its source at the end: "born in a barn, according to my mum"."""
_OWN_REPORT = re.compile(
    r"\b(?<!as )(?:i|we)(?:'ve)?\s+(?:(?:once|just|already|always|jokingly|also|had|have)\s+)*(?:told|said to|"
    r"lied|lie|"
    r"pretended|joked|claimed|texted|emailed|assured|wrote to|convinced|replied to|answered|put on|"
    r"fibbed)\b(?!\s+you\b)|\bwhen (?:i|we) (?:said|wrote|claimed)\b",
    _I,
)
_PARTED = re.compile(r"[;:—–]\s+|\s-+\s|,\s+(?=(?:any idea|do you know|can you tell|could you tell)\b)", _I)
_TOLD_SHORT = re.compile(r"^\W*(?:had (?:an?|my|our|the|some)|(?:have|was) an?)\b", _I)
"""Statements without their "I": "Had my first steak", "was a nurse for years"."""
_REQUEST_TO_YOU = re.compile(
    _OPENING + r"(?:can|could|would|will) you\b[^?]*?(?:[,;:]|\s[–—-])\s*(?=(?:i|i'm|i've|my|we|we're|"
    r"we've)\b(?!'d))",
    _I,
)
_BUT_I = re.compile(
    r"(?:[\"”],?|^\W*you (?:wrote|said|put|have)\b[^.!?]{2,60},) but (?P<own>(?:i|i'm|i've|my|we|"
    r"we're|our)\b)",
    _I,
)
_RHETORICAL = re.compile(
    r"^\W*(?:i'm |i am |i )?(?:not sure|unsure|don't know|can't remember|don't remember|forgot) (?:if|whether) "
    r"(?:i|we)(?:'ve| have)? (?:already |ever )?(?:mentioned|told|said|noted)[^,.;:]*[,;:]\s*(?:but\s+)?|"
    r"^\W*(?:who (?:would|could|'d) have (?:thought|guessed|believed)(?: it| that)?|who knew|what am i "
    r"(?:saying|talking about)|what was i thinking|who am i kidding|guess what)[\s,.!?:–—-]+",
    _I,
)
_CLEFT = re.compile(
    r"^\W*(?:what|where|who) (?:i|we|the|my|our|he|she|they)\b.{3,80}\b(?:is|was|are)\b.*\b\w+[.;!]|"
    r"^\W*what(?:'s| is) [\w ]{3,30} is (?:that|the)\b.*\b\w+[.;!]",
    _I,
)
"""A statement that begins like a question: "What it waits for is the drill."."""
_SERIOUS_NOW = re.compile(
    r"^\W*(?:(?:no|ok|okay|haha|lol|but)\W+)+(?:but\s+)?(?:seriously|for real|honestly|in all seriousness)\b|"
    r"^\W*(?:(?:right|ok|okay|ha|haha)\W+)*seriously(?: though| now|,)|^\W*on a (?:more )?serious note\b|"
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
    r"\(not!?\)|\b(?:just kidding|only kidding|kidding|jk|j/k|joking|jokes?|jokingly|sarcasm|sarcastic(?:ally)?|"
    r"pulling your leg|messing with you|just messing|teasing|only teasing|in jest|tongue in cheek|made (?:that|"
    r"it) up|"
    r"fooled you|april fools?|not seriously|not serious|notserious|yeah right|as if!|in your dreams|i wish!?$|"
    r"not!$|(?<=[,.…] )(?-i:NOT)\W*$|"
    r"psych|testing (?:you|whether|if) you|just testing (?:you|whether|if)|ba-?dum-?tss|(?:yeah|ya|suuure|sure|"
    r"right|oh\W+(?:sure|right|yeah))\W+(?:(?:sure|right)\W+)?and (?:i'm|i am|my)\b)\b(?!')|\bfor (?:a laugh|"
    r"laughs|giggles|the lols)\b|\b(?:at least )?that's what (?:i|we|they|he|she|(?:my|the|our|some|"
    r"a) [\w' ]{2,30}?|(?-i:[A-Z])\w+) (?:put|wrote|told|tell|says?|said|claims?|"
    r"claimed|thinks?|believes?)\b|"
    r"(?:^|\s)/s\b|🤪|😜|😝|🙃|🙄|^\W*(?:lol+|lmao|"
    r"ha+ha\w*)[\s,]+(?:yeah|sure|right)[\s,]+(?:i|i'm|im|my|we)(?!\w)|^\W*(?:oh|yeah|yes|sure|right|"
    r"wow)[\s,]+(?:totally|sure|right|absolutely|of course|yeah|clearly|obviously|definitely)\b[\s,]+(?:because |"
    r"cause |and )?(?:i|i'm|my|we|im)(?!\w)|\*wink\*|\(not really\)|(?:^|[.!?]\s+)\W*(?:(?:lol|haha|hah|no|nah|"
    r"well|ok|okay)\W+)*not really\b|\band i'm (?:the |"
    r"a )?(?:queen|king|pope|president|santa|batman|spider-?man|superman|emperor|tooth fairy|easter bunny)\b",
    _I,
)
_DISOWNED = re.compile(
    r"\b(?:(?:all|every (?:single )?(?:word|bit|line)|none|not (?:a|one) (?:single )?word|most|the (?:whole|"
    r"rest)|half) of "
    r"(?:that|this|it|the above|which|what i (?:just )?(?:said|wrote))|(?:all|everything|anything|the (?:lot|story|"
    r"paragraph|lines?|bit|part|stuff|words?)) (?:i (?:just )?(?:said|wrote|told you)|above|so far|before (?:this|"
    r"that))|all (?:this|that)|the above|the (?:whole|entire) (?:thing|story|lot|paragraph)|what i (?:just "
    r")?(?:said|wrote|"
    r"told you))\s+(?:(?:is|was|were|are|has been|never|actually|really|happened|just|all|only|of course|"
    r"obviously|pure|"
    r"complete|utter|total|an?|not|clearly|naturally|in fact|,)\s*)*(?:nonsense|rubbish|jokes?|joking|made[ "
    r"-]up|invented|"
    r"fiction\w*|false|untrue|true|real|lies?|baloney|bull\w*|tosh|rot|codswallop|fibs?|fantasy|"
    r"tongue[ -]in[ -]cheek|"
    r"wind-?up|satire|iron(?:y|ic)|sarcas\w+|in jest|pranks?|serious|happened|poppycock|hogwash|balderdash|silliness|"
    r"meant seriously|piffle|make-believe|gibberish|exaggerat\w+)\b"
    r"|\b(?:i'm|i am|i was|we're|we were|i've been) (?:(?:of course|only|just|obviously|clearly|merely|naturally|all|"
    r"totally)\s+)*(?:larking|messing|fooling|mucking|clowning|goofing|horsing|playing) (?:about|around)\b"
    r"|\b(?:i'm|i am|i was) (?:(?:of course|only|just|obviously|clearly|merely|naturally)\s+)*(?:having you "
    r"on|winding you "
    r"up|taking the (?:mick\w*|piss)|being (?:silly|facetious|daft|ironic|sarcastic|flippant|cheeky|dramatic))\b"
    r"|^\W*(?:i jest|i kid|had you there|got you there|you (?:fell for|bought|believed) (?:it|that))\b"
    r"|\bi (?:just )?(?:made|invented) (?:all (?:of )?|every word of )?(?:that|this|it)(?: all)? ?(?:up)?\b",
    _I,
)
"""Says of one's own words that they are not so: "every word of the above is nonsense"."""
_IN_SHORT = re.compile(
    r"\W*(?:an? )?(?!not\b|no\b)(?:[\w-]+ ){1,3}(?:by (?:trade|profession|training)|since (?:\d{4}|birth|"
    r"childhood|i was|"
    r"\w+ \d{4})|for (?:\w+ )?(?:years|decades))\b",
    _I,
)
"""Says without a verb what one is: "nurse by trade", "coeliac since 2019"."""
_ELSEWHERE = re.compile(
    r"^\W*(?:(?:well|at least|but|only|ok)\W+)*(?:in|on) (?:my |the |a |an )?(?:wildest )?(?:(?-i:[A-Z])[\w "
    r"]{2,20}, (?:that is|"
    r"i mean|of course)|dreams?|(?:video )?games?|theory|paper|spirit|head|imagination|another life|minecraft|"
    r"monopoly|"
    r"(?:the )?sims|fantasy \w+)\b[^.!?]{0,16}\W*$",
    _I,
)
_LAUGH = re.compile(
    r"(?<![\w'])(?:lol+|lmao+|rofl|haha[ha]*|hehe[he]*|hah|ha ha(?: ha)*|hee hee|xd|:-?[pPD]|;-?\)|;-?[pP])(?!\w)|"
    r"[😂🤣😉😆😅😏]",
    _I,
)
_WINK = re.compile(r"[😉😏😜🤪]|(?<!\w);-?[)pP](?!\w)")
_LAUGH_FIRST = re.compile(r"^\W*(?:lol+|lmao+|haha[ha]*|hehe[he]*|hah|ha|ha ha)[\s,!.]+", _I)
_TAKEN_BACK = re.compile(
    r"^\W*(?:(?:haha|lol|ok|okay|yes|yeah|yep|no|nah|but|sorry|ha|oh|and|all|nope|of course not|obviously not|"
    r"not really|relax|easy(?: there)?|calm down|don't worry|no worries|chill|come on|gotcha|hey|well|anyway|fine|"
    r"alright)\W+)*(?:(?:i'm|i was|i am|that was|that's|it was|it's|we're|all of that was|none of (?:that|"
    r"it) (?:is|was))\s+)?(?:(?:just|only|obviously|clearly|totally|all|of course|a|still)\s+)*(?:kidding|joking|"
    r"jokes?|jk|j/k|true|pulling your leg|messing (?:with|around)|teasing|april fools?|sarcas\w+|testing|fooled you|"
    r"made (?:that|it) up|not seriously|not serious)\b(?! about\b| (?:aside|apart)\b)",
    _I,
)
_JOKES_ABOUT = re.compile(r"\b(?:joking|kidding|joke|lying|made up) about\s+([^,.;!?]+)", _I)
_ALL_OF_IT = re.compile(
    r"(?:all|both|everything|every|that|this|it|them|these|those|the (?:whole|lot|above|rest|last))\b", _I
)
_AFTER_JOKE = re.compile(
    r"\b(?:kidding|jk|joking(?: aside| apart)?|jokes?(?: aside| apart)?|not "
    r"really)\b[\s,.;:!—–)-]*(?P<then>but\s+|no,?\s+|"
    r"actually,?\s+|in (?:reality|truth|fact),?\s+|i'm actually|really,?\s+|it's actually|the truth)",
    _I,
)


def asks(sentence: str) -> int | None:
    """From which character on a sentence asks; None when it does not.

    With a question mark and no asking clause all of it is a question.
    """
    sentence = _RHETORICAL.sub(lambda m: " " * len(m.group()), sentence)
    if _CLEFT.match(sentence) and "?" not in sentence:
        return None
    stripped = sentence.rstrip(" \"')*_")
    marked = stripped.endswith(("?", "?!", "??", "!?")) or "?" in stripped[-3:]
    told_short = not marked and _TOLD_SHORT.match(sentence) is not None
    if (_INVERTED.match(sentence) and not told_short) or (
        _ASKING.match(sentence) and (marked or not stripped.endswith("!"))
    ):
        return 0
    if indirect := _INDIRECT.search(sentence):
        parted = [place.end() for place in _PARTED.finditer(sentence, 0, indirect.start())]
        return (parted[-1] if parted else 0) if marked else indirect.start()
    return _asks_from(sentence) if marked else None


def tells_from(sentence: str) -> int | None:
    """Where a request without a question mark goes on to tell: "can you keep it nut free please, I'm allergic …"."""
    if "?" in sentence or not (asked := _REQUEST_TO_YOU.match(sentence)):
        return None
    return asked.end()


def _asks_from(sentence: str) -> int:
    """Where the asking clause of a question begins; 0 where all of it asks."""
    breaks = [*re.finditer(r"[;:—–]\s+", sentence)]
    if breaks and (_INVERTED.match(rest := sentence[breaks[-1].end() :]) or _ASKING.match(rest)):
        return breaks[-1].end()
    for place in re.finditer(r"[,;:—–(]\s*|\s-\s|\s(?=(?:so|and|but|or)\s)", sentence):
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
    if _WISH.search(_NAMED_SO.sub("", clause)) or _SHORT_WOULD.search(clause):
        return True
    return any(not _AFTER_IN.search(clause[: m.start()]) for m in _MAY.finditer(clause))


def only_wants(sentence: str) -> bool:
    """Wants, hopes or thinks of something in the real world: no condition, nothing made up."""
    return wishes(sentence) and not condition(sentence) and not is_fiction(sentence) and not _MAKES_UP.search(sentence)


def condition(clause: str) -> bool:
    """Opens a condition. "if you need it" does not make the rest conditional."""
    return _IF.search(_HEDGE.sub(" ", clause)) is not None


def polite_condition(clause: str) -> bool:
    """A condition about the listener: what stands before it holds anyway."""
    return _POLITE_IF.search(clause) is not None


def lies_ahead(clause: str) -> bool:
    """Speaks of the future: planned, not yet so."""
    return _FUTURE.search(clause) is not None


def sometime(clause: str) -> bool:
    """ "When I retire …", "once we move …": together with a future it is not a fact yet."""
    return _LATER.match(clause) is not None


def opens_fiction(sentence: str) -> int | None:
    """From which character on what follows in the message is made up, or asked to be; None where nothing is."""
    text = _TEXT.search(sentence)
    found = next((m for m in _FRAME.finditer(sentence) if not _WAS.search(sentence[: m.start()])), None)
    if text is not None and _OF_ANOTHER.search(sentence, text.start()) is not None:
        return text.start()
    return found.start() if found else None


def asks_for_a_text(sentence: str) -> int | None:
    """From which character on a sentence asks for a letter, a speech, a post; what goes into it may be made up."""
    found = _TEXT.search(sentence)
    return found.start() if found else None


def opens_a_play(sentence: str) -> bool:
    """Begins a role-play, which goes on in the messages after it."""
    return _PLAY.search(sentence) is not None


def ends_a_play(text: str) -> int | None:
    """From which character on a message ends it ("end of role-play", "seriously now"); None when it does not."""
    found = _PLAY_OVER.search(text)
    return found.start() if found else None


def is_fiction(sentence: str) -> bool:
    """This sentence speaks of a made-up or sample world."""
    return _FICTION.search(sentence) is not None


def returns_to_earth(sentence: str) -> bool:
    """Ends a fiction: "In reality …"."""
    return _BACK_TO_EARTH.match(sentence) is not None or _BY_THE_WAY.search(sentence) is not None


def hearsay(sentence: str) -> int | None:
    """From which character on somebody else's words are reported; None when they are not."""
    if last := _SAID_LAST.search(sentence):
        return sentence.rfind(";", 0, last.start()) + 1
    sentence = _CONTRARY_TO.sub(lambda m: " " * len(m.group()), sentence)
    starts = [m.start() for pattern in (_HEARSAY, _HEARSAY_WORDS, _OWN_REPORT) for m in pattern.finditer(sentence)]
    return min(starts) if starts else None


def own_again(sentence: str) -> int | None:
    """From which character on the person speaks for themselves after a report: "you wrote …, but my office is …"."""
    found = _BUT_I.search(sentence)
    return found.start("own") if found else None


def withdraws_what_stands_before(clause: str) -> bool:
    """A relative clause that denies the one before it: "which I'm not", "which is not true"."""
    return _DENIED_AFTER.match(clause) is not None


def jokes(sentence: str) -> bool:
    """Marked as a joke in so many words."""
    said = _NO_JOKE.sub(" ", sentence)
    return _JOKE.search(said) is not None or _DISOWNED.search(said) is not None


def takes_joke_back(sentence: str) -> bool:
    """Opens with the word that what stands before was a joke: "just kidding", "April fool!"."""
    said = _NO_JOKE.sub(" ", sentence)
    return _TAKEN_BACK.match(said) is not None or _DISOWNED.search(said) is not None


def only_jokes(sentence: str) -> bool:
    """A mark of a joke and nothing else: "(joke, obviously)"."""
    return takes_joke_back(sentence) and len(re.findall(r"\w+", sentence)) <= _MARK_WORDS


def joked_part(sentence: str) -> str | None:
    """Of which part of what was said a sentence says that it was a joke: "the time" of "joking about the time"."""
    found = _JOKES_ABOUT.search(sentence)
    return found.group(1) if found and not _ALL_OF_IT.match(found.group(1)) else None


def laughs(sentence: str) -> bool:
    """Ends or goes along with laughter; laughter that opens a sentence answers what came before."""
    return _LAUGH.search(_LAUGH_FIRST.sub("", sentence)) is not None


def winks(sentence: str) -> bool:
    """A wink: what was said just before was not meant."""
    return _WINK.search(sentence) is not None


def is_elsewhere(sentence: str) -> bool:
    """Says that what stood just before holds in no real place: "In Monopoly, that is."."""
    return _ELSEWHERE.match(sentence) is not None


def stands_alone(clause: str) -> bool:
    """Says without a verb what one is, whatever was said before: "coeliac since 2019"."""
    return _IN_SHORT.match(clause) is not None


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
        return None if _LAUGH.search(sentence, after.end()) else after.start("then")
    head = re.match(
        r"^\W*(?:(?:haha|lol|no|ok),?\s+)?(?:i'm |i am |i was )?(?:just |only )?(?:kidding|joking|"
        r"jk)\b[\s,.;:!—–-]+(?=\w)(?!(?:around|about|with|here)\b)",
        sentence,
        _I,
    )
    return head.end() if head and not _LAUGH.search(sentence, head.end()) else None
