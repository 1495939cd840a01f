"""How a sentence is meant: said as true, asked, wished, quoted, joked, or an attempt to plant something. Pure, English.

Only wording is judged here, one sentence or clause at a time; what crosses messages stands in `statements`.
"""

import re

_I = re.IGNORECASE

# Questions ------------------------------------------------------------------------------------------------------------
_OPENING = r"^(?:(?:and|so|but|or|ok|okay|hey|hi|hello|well|also|please|btw|wait|um|hmm|maya|then|because|quick question|question|sorry|no|yes|oh|just)[\s,:]+)*"
_PERSON = r"(?:i|you|we|he|she|they|it|there|this|that|these|those|my|our|your|his|her|their|the|a|an|any|anyone|someone|anybody|somebody|people|[A-Z]\w+)"
_INVERTED = re.compile(
    _OPENING
    + r"(?:do|does|did|is|are|am|was|were|can|could|would|will|should|shall|may|might|have|has|had|don't|doesn't|didn't|isn't|"
    rf"aren't|wasn't|weren't|won't|wouldn't|couldn't|can't|shouldn't|haven't|hasn't)\s+{_PERSON}\b",
    _I,
)
_ASKING = re.compile(
    _OPENING
    + r"(?:what|whats|where|who|whom|whose|which|why|how|when)(?:'s|'re|'d)?\s*(?:\b(?:is|are|am|was|were|do|does|did|can|could|should|would|will|"
    r"shall|have|has|had|to|if|about|kind|type|sort|time|day|year|color|colour|many|much|long|old|often|far|big|else|come|exactly|name|city|"
    r"country|one|of|the|my|your|i|a|any|should)\b|$)",
    _I,
)
_ASKING_BARE = re.compile(
    _OPENING
    + r"(?:what|where|who|whose|which|why|how|when|any|anything|anyone|thoughts|suggestions|ideas|recommendations|tips|got any|mind|care to)\b",
    _I,
)
_INDIRECT = re.compile(
    r"\b(?:wonder(?:ing|ed)?|curious|not sure|unsure|(?:don't|do not|didn't|can't) (?:know|remember|recall|tell)|no idea|tell me|remind me|let me know|"
    r"(?:can|could|do|would|will) you (?:know|tell|remember|recall|remind|say|check)|check|figure out|find out|guess)\s+(?:if|whether|what|where|who|when|which|why|how|about)\b"
    r"|\bwhether\b",
    _I,
)
_TAG = re.compile(
    r"^(?:(?:and|or|but)\s+)?(?:right|ok|okay|yes|no|yeah|huh|correct|eh|remember|you know|see|true|remember that|is that right|am i right|or (?:not|what|am i|is it|do i|did i)|"
    r"(?:is|are|was|were|do|does|did|have|has|can|will|would|should)(?:n't)?\s+(?:it|i|he|she|they|we|you|that|there))\s*[?!.]*$",
    _I,
)

_REQUEST = re.compile(
    r"^\W*(?:(?:please|pls|ok|okay|and|then|also|so|but|just|now|maybe|hey|hi|maya|can you|could you|instead)[\s,]+)*(?:make|use|write|add|remove|give|show|tell|find|help|create|change|fix|explain|list|keep|put|send|set|try|"
    r"do|don't|let|let's|lets|translate|summari[sz]e|rewrite|draft|check|look|suggest|recommend|book|plan|schedule|remind|compare|convert|generate|call|turn|format|shorten|include|exclude|avoid|focus|consider|ignore|assume|"
    r"read|open|close|run|test|build|design|describe|define|calculate|count|sort|replace|update|delete|insert|search|google|continue|stop|start|go|take|get|come|pick|choose|name|call me back|review|proofread|edit|improve|"
    r"simplify|expand|elaborate|brainstorm|outline|organi[sz]e|prepare|order|buy|note|save|store|remember|forget|print|play|sing|draw|imagine|pretend|act|be|speak|talk|reply|answer|respond|say|repeat|ask|quote|cite|mention|"
    r"wait|hold|skip|move|copy|paste|refactor|debug|implement|return|switch|treat|prioriti[sz]e|estimate|predict|guess|solve|prove|spell|pronounce|limit|see|watch|listen|bring|pack|invite|email|text|message|ping|notify)\b(?!\s+(?:is|are|was|were|has|in|at)\b)",
    _I,
)

# Not (yet) true -------------------------------------------------------------------------------------------------------
_WISH = re.compile(
    r"\b(?:would(?:n't)?|could(?:n't)? (?!stand|believe|care|live)|maybe|perhaps|possibly|presumably|hopefully|wish(?:es|ed|ing)?|hop(?:e|es|ing)\b(?! street)|"
    r"dream(?:s|ing|t|ed)?\b(?: of| about| that| i| job| home| house)?|want(?:s|ed|ing)?|wanna|think(?:ing|s)? (?:of|about)|thought (?:of|about)|"
    r"consider(?:ing|ed|s)?|contemplat\w+|toy(?:ing|ed)? with|tempted|debating|deciding|deliberating|fantasi\w+|imagin\w+|suppos(?:e|ing)|pretend\w*|assum(?:e|ing)\b|"
    r"hypothetical(?:ly)?|theoretical(?:ly)?|in theory|as if|as though|if only|someday|some day|one day(?! (?:a|per|each|every)\b)|ideally|in case|should|ought to|"
    r"unless|not sure|unsure|let's say|lets say|say (?:i|my|we|that)|what if|were to|eventually|at some point|might|looking to|hard to decide|"
    r"(?:it'd|that'd|there'd)|undecided|torn between|on the fence|either way|tentatively|potential(?:ly)?|if i'm lucky|fingers crossed|"
    r"in an ideal world|bucket list|some(?:times)? (?:think|wish|dream)|applied (?:to|for)|applying (?:to|for)|interview(?:ing|ed)? (?:at|with|for)|looking (?:at|into|for)|"
    r"tried to|trying to decide|almost|nearly (?!\d)|came close|pictur(?:e|ing)\b|envision\w*|fancy (?:a|living|moving)|conceivabl[ey]|probab(?:ly|le))\b",
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
    r"(?<![\w'])(?:if|unless|suppose|supposing|assuming|provided|providing|imagine|were i|had i|should i|even if|as long as|in the event)\b",
    _I,
)
_POLITE_IF = re.compile(
    r"\bif\s+(?:you|anyone|anybody|that|it|this|they|possible|needed|necessary|so|not|only that)\b", _I
)
_LATER = re.compile(r"^(?:\w+\s+)?(?:when|once|as soon as|after|by the time)\s+(?:i|we|my|our)\b", _I)
_FUTURE = re.compile(
    r"\b(?:will|won't|shall|\w+'ll|(?:am|are|is|\w+'m|\w+'re|\w+'s|be) (?:about|going|planning|moving|relocating|due|set|starting|joining|switching|flying|travell?ing|heading|getting|buying|taking|leaving|having)|gonna|plan(?:s|ning)? (?:to|on|a)|intend(?:s|ing)? to|about to)\b",
    _I,
)
_FRAME = re.compile(
    r"\b(?:imagine|pretend|suppose|supposing|hypothetically|let's say|lets say|let's pretend|let's imagine|what if|role[\s-]?play\w*|in this (?:story|scenario|game)|scenario|"
    r"thought experiment|for the sake of argument|make[\s-]believe|picture this|play the role|act as|you are (?:a|an)\b|assume (?:that|i|you|we|the)|say that i|fictional|made[\s-]up|"
    r"(?:write|draft|compose|generate|create|make|invent|give|tell|come up with|craft|produce|continue)\b[^.!?]{0,40}\b(?:story|poem|song|bio|biography|dialogue|persona|ad|letter|script|scene|"
    r"character|example|examples|test data|sample|samples|blog|joke|novel|chapter|sketch|monologue|fairy tale|limerick|haiku|profile|cover letter|speech|fanfic|backstory|"
    r"paragraph|essay|email|post|tweet|caption|plot|dummy|mock|tagline|riddle|fable|tale|user story))\b",
    _I,
)
_FICTION = re.compile(
    r"\b(?:my (?:character|avatar|alter ego|persona|d&d\w*|sim)|in (?:the|my|a|this|our) (?:game|novel|story|dream|play|film|movie|campaign|script|book i'm writing|nightmare|roleplay)|i dream(?:t|ed)|role[\s-]?play\w*|d&d|"
    r"in (?:a past|another|my next|a previous|my former|an alternate) (?:life|universe|reality|timeline)|persona|(?:test|sample|dummy|fake|placeholder|demo|mock) (?:user|account|data|name|profile|person|customer|value|address)|"
    r"for example|for instance|e\.g\.|the (?:character|protagonist|narrator|hero|heroine|villain)|fictional|fiction|novel i'm|sims)\b",
    _I,
)
_BACK_TO_EARTH = re.compile(
    r"^\W*(?:(?:but|ok|okay|so|and)\s+)?(?:in reality|actually|for real|in real life|irl|really though|seriously|anyway|the truth is|truth is|in truth|back to reality|as for me)\b",
    _I,
)

# Somebody else's words ------------------------------------------------------------------------------------------------
_SPEECH = (
    r"(?:says?|said|saying|told|tells?|telling|claims?|claimed|claiming|thinks?|thought|believes?|believed|mentioned|mentions|insists?|insisted|insisting|swears?|swore|"
    r"wrote|writes|asked|asks|suggests?|suggested|reckons?|reckoned|argues?|argued|announced|announces|texted|emailed|messaged|replied|explained|explains|assumes?|assumed|"
    r"heard|reported|guess(?:es|ed)?|warned|warns|promised|joked|jokes|joking|recommends?|recommended|keeps? (?:saying|telling|insisting)|predicts?|predicted|"
    r"estimates?|estimated|states?|stated|accused|accuses|noted|suspects?|suspected|declared|admitted|complained|posted|tweeted|was like|is like|were like|goes like|"
    r"concluded|decided that i|describes?|described|shows that|imagines?|imagined|wonders|wondered|figured|felt that|convinced)"
)
_HEARSAY = re.compile(
    r"(?:\b(?:he|she|they|you|it|who|which|one|some(?:one|body)?|every(?:one|body)|people|somebody else|another|other people|this|that|others|maya)"
    r"|(?<![\w'])[A-Z][\w-]+|\b(?:my|our|the|a|an|his|her|their|your|this|that|some|one of|both)\s+[\w' -]{1,45}?)"
    rf"(?:'s|'d|'ve)?\s+(?:(?:also|just|once|always|recently|still|even|never|had|has|have|really|jokingly|wrongly|then|later|keeps?|apparently|yesterday|today)\s+)*{_SPEECH}\b",
)
_HEARSAY_WORDS = re.compile(
    r"\b(?:according to|apparently|allegedly|supposedly|reportedly|rumou?r(?:s|ed)?|rumou?r has it|i (?:(?:just|once|recently|also) )?(?:heard|read|saw|overheard|learned|was told|got told|am told)\b(?! (?:a|the|my) (?:lot|book|band|concert|movie|film|show|doctor|dentist|therapist|specialist))"
    r"|word (?:is|has it)|they say|it says|legend has it|as they say|as the saying goes|the saying|quote|quoting|quoted|in the words of|horoscope|fortune cookie|"
    r"(?:said|says|wrote|claimed|claims) (?:he|she|they|[A-Z]\w+|my|the|a)\b|i'?m told|i've been told|been told|lyrics?|line from|song goes|per (?:the|my|his|her) (?:article|doc|email|mail|report|wiki))\b",
    _I,
)
_OWN_REPORT = re.compile(
    r"\b(?:i|we)(?:'ve)?\s+(?:(?:once|just|already|always|jokingly|also|had|have)\s+)*(?:told|said to|lied|lie|pretended|joked|claimed|texted|emailed|assured|wrote to|convinced|replied to|answered|put on|fibbed)\b(?!\s+you\b)",
    _I,
)
_OWN_WORD = re.compile(
    r"\b(?:i|we)(?:'ve)?\s+(?:(?:once|just|already|also|had|have)\s+)*(?:said|mentioned|told you|think|believe|know|mean|meant|noticed|realized|realised)\b",
    _I,
)

# Jokes ----------------------------------------------------------------------------------------------------------------
_NO_JOKE = re.compile(
    r"\b(?:no joke|not (?:a )?(?:joke|joking|kidding)|no kidding|i kid you not|(?:tell|told|hear|know|write|want|make|another|good|bad|inside|dad) (?:me |you |us )?(?:a |some |any |another |more )?jokes?)\b",
    _I,
)
_JOKE = re.compile(
    r"\b(?:just kidding|only kidding|kidding|jk|j/k|joking|jokes?|jokingly|sarcasm|sarcastic(?:ally)?|pulling your leg|messing with you|just messing|teasing|only teasing|in jest|tongue in cheek|"
    r"made (?:that|it) up|fooled you|got you|gotcha|april fools?|not seriously|yeah right|as if!|in your dreams|i wish!?$|nah just|not!$|psych)\b(?!')|(?:^|\s)/s\b|🤪|😜|😝|🙃|\*wink\*|\(not really\)|(?:^|[.!?]\s+)not really\b[.!\s]*$"
    r"|\band i'm (?:the |a )?(?:queen|king|pope|president|santa|batman|spider-?man|superman|emperor|tooth fairy|easter bunny)\b",
    _I,
)
_LAUGH = re.compile(
    r"(?<![\w'])(?:lol+|lmao+|rofl|haha[ha]*|hehe[he]*|hah|ha ha(?: ha)*|hee hee|xd|:-?[pPD]|;-?\)|;-?[pP])(?!\w)|[😂🤣😉😆😅😏]",
    _I,
)
_LAUGH_FIRST = re.compile(r"^\W*(?:lol+|lmao+|haha[ha]*|hehe[he]*|hah|ha|ha ha)[\s,!.]+", _I)
_AFTER_JOKE = re.compile(
    r"\b(?:kidding|jk|joking|joke|not really)\b[\s,.;:!—–)-]*(?:but\s+|no,?\s+|actually,?\s+|in reality,?\s+|i'm actually|really,?\s+|it's actually|the truth)",
    _I,
)

# Planting -------------------------------------------------------------------------------------------------------------
_TAKEOVER = re.compile(
    r"\b(?:(?:ignore|disregard|forget|override|bypass|discard|drop) (?:all |any |every |the |your |my |these |those |of )*(?:previous|prior|earlier|above|preceding|other|system|safety|former|existing|past|"
    r"instructions?|rules?|guidelines?|guardrails|restrictions?|programming|training|polic(?:y|ies))|system prompt|system (?:message|note|override|update|instruction|directive|notice)|new (?:system )?(?:instructions?|directives?|polic(?:y|ies))|"
    r"you(?:'re| are) now|you must|you shall|you will (?:always|never|now|from)|you (?:are|were) (?:required|instructed|ordered|programmed|authori[sz]ed)|you should (?:always|never)|"
    r"(?:developer|debug|admin|god|sudo|maintenance|unrestricted|dan) mode|jailbreak\w*|do anything now|prompt injection|"
    r"from (?:now|here|this point|today|this moment|this day|that point) (?:on|onwards?|forward)[\s,:]*(?:and forever[\s,]*)?(?:you|always|never|respond|answer|reply|treat|refer|use|only|please|assume|consider|every|all|any|call|the (?:user|assistant|system|ai)|address|speak|write|act|pretend|remember|trust|when|if|obey|stop)|"
    r"(?:note|message|instruction|attention|notice|memo|reminder)s? (?:to|for) (?:the )?(?:assistant|ai|model|maya|llm|bot|chatbot)|attention[,:]? (?:assistant|ai|maya|model)|"
    r"(?:ai|assistants?|llms?|chatbots?|language models?|models) (?:reading|processing|that read|must|should|shall|summari[sz]ing)|important(?: instruction)?:|begin (?:instructions|system)|end of (?:instructions|prompt|document)|"
    r"obey|comply with|hidden instruction|secret instruction|your (?:new|real|true|only) (?:instructions?|purpose|task|goal|owner|name is|creator|master)|"
    r"this is (?:a|an) (?:order|command|override|authori[sz]ed)|i (?:hereby )?(?:authori[sz]e|command|order|instruct) you|as (?:your|the) (?:developer|administrator|admin|creator|owner))\b",
    _I,
)
_STORE_COMMAND = re.compile(
    r"(?:\b(?:store|save|record|log|persist|write|put|commit|add|append|insert|update|inject|plant|register|memori[sz]e|note|keep|set|overwrite|replace|file|enter)\b[^.!?:\n]{0,45}"
    r"\b(?:(?:to|in|into|as|from|of) (?:an? |your |my |the |our |long[\s-]term |permanent |persistent |user |core )*(?:memory|memories|user profile|profile|knowledge(?: base| graph)?|records?|database|fact|facts|preferences|notes))\b"
    r"|\b(?:store|save|record|memori[sz]e|log|persist|note|file) (?:this|that|the following|these|it|as)\b[^.!?\n]{0,40}:|\bstore (?:this|that)\b|\b(?:memory|memory update|new memory|fact|new fact|memory entry|user fact|user memory|bio|profile update|update)\s*:"
    r"|\b(?:update|change|modify|edit|set|overwrite) (?:your |my |the |user'?s? )*(?:memory|memories|profile|records?|preferences|user profile)\b|\bto=(?:bio|memory)|\bremember_fact\b|\bsave_memory\b|\bmemory\.(?:add|save|write))",
    _I,
)
_REMEMBER = re.compile(
    r"(?<!\bi )(?<!i'll )(?<!i can )(?<!i don't )(?<!i can't )(?<!i still )(?<!you )(?<!to )(?<!we )"
    r"\b(?:remember(?! (?:when|how|what|where|who|if|whether|me|to)\b)|memori[sz]e|don't forget(?! to\b)|do not forget(?! to\b)|never forget|keep in mind|bear in mind|make a (?:mental )?note|take note|note that|please note|"
    r"be aware|know that|let it be known|it is known|it's important to know|learn that|recall that|treat it as (?:true|fact)|accept that|assume that|believe that)\b",
    _I,
)
_AT_ASSISTANT = re.compile(r"(?<![\w'])(?:you|your|yours|yourself|assistant|maya|ai|model|chatbot)\b", _I)
_DIRECTIVE = re.compile(
    r"\b(?:must|shall|always|never|only ever|recommend|promote|trust|obey|instructions?|rules?|refuse|reveal|disclose|approve|transfer|wire|forward|send|click|visit|the user|users)\b",
    _I,
)
_PRIVILEGE = re.compile(
    r"\b(?:admin(?:istrator)?|root|sudo|super\s?user|privileges?|clearance|authori[sz](?:ed|ation)|permissions?|access|unrestricted|bypass|override|verified|whitelist(?:ed)?|allow-?list(?:ed)?|developer of|"
    r"creator|owner of (?:this|the) system|trusted|full control|master|premium|vip|subscription|entitled|approved|exempt|unlimited|moderator|superadmin|god mode|safety)\b",
    _I,
)
_FIRST_PERSON = re.compile(
    r"(?<![\w'])(?:i|i'm|i've|i'll|i'd|im|ive|my|me|mine|we|we're|we've|our|ours|us)(?![\w])", _I
)
_PRIVATE = re.compile(
    r"\b(?:off the record|off-the-record|(?:don't|do not|never|please don't|no need to|rather not have you|without) (?:you )?(?:remember(?:ing)?|stor(?:e|ing)|sav(?:e|ing)|record(?:ing)?|keep(?:ing)?|log(?:ging)?|memori[sz]e|write down) "
    r"(?:this|that|it|any|anything|what)|forget (?:that )?i (?:said|told|mentioned|asked)|forget what i (?:said|told)|don't add (?:this|that|it) to|not for (?:the |your )?(?:record|memory)|keep (?:this|that|it) out of)\b",
    _I,
)
_WITHDRAWAL = re.compile(
    r"^\W*(?:(?:ok|okay|sorry|wait|no|oh|actually|hmm|um|please|hey)[\s,]+)*(?:ignore (?:that|my last|what i)|disregard (?:that|my last|what i)|forget (?:that|it|i said|what i|my last)|never ?mind(?: that| what)|strike that|scrap that|delete that|"
    r"that(?:'s| was| is) (?:not true|a lie|untrue|false|a test|just a test|nonsense|made up|wrong chat|for someone else|someone else|my (?:friend|brother|sister|colleague|cat|kid|son|daughter)|the wrong)|i (?:lied|made that up|was lying|was testing|didn't mean that|was only testing)|wrong (?:chat|window|thread|tab|conversation)|"
    r"(?:sorry )?(?:that|this) was (?:meant for|for) (?:someone|another|a different|my)|that wasn't me|(?:my )?(?:kid|cat|son|daughter|brother|friend|colleague) typed)\b",
    _I,
)
_SLIP = re.compile(
    r"^\W*(?:(?:oh|oops|ah|um|uh|hmm+|mm|er+m?|ugh|well|ehm|actually|no)\b[\s,.!—–-]*)*(?:no[\s,]+wait|wait[\s,]+no|sorry(?! (?:for|about|to|if|that|but)\b)|scratch that|i mean(?:t)?|i meant to (?:say|write|type)|or rather|make that|oops|correction|strike that|typo|"
    r"i misspoke|i mistyped|my mistake|my bad|er+m?|whoops|no|wait)\b[\s,:.!—–-]*",
    _I,
)
_MEANT = re.compile(
    r"\b(?:i meant|meant to (?:say|write|type)|typo|misspoke|mistyped|misremembered|mixed (?:that|it|them|those) up|my mistake|my bad|scratch that|correction|make that|strike that|should(?:'ve| have) (?:said|been|written)|i was wrong|got that wrong|"
    r"that was wrong|oops|whoops|instead of what i said|to correct (?:myself|that|what)|let me correct|i said .{1,30} but|wrong (?:day|date|name|number|city|place|month|year|word|one))\b",
    _I,
)
_SETS_RIGHT = re.compile(
    r"^\W*(?:(?:oh|ah|um|hmm|ok),? )*(?:sorry|no|nope|wait|actually|rather)\b(?! (?:for|about)\b)|\b(?:i mean|not right)\b",
    _I,
)

# True no more, or not at all ------------------------------------------------------------------------------------------
_NEGATION_IDIOMS = re.compile(
    r"\b(?:not only|not just|(?:can't|cannot|can not|couldn't|could not) (?:stand|live without|wait|believe|stop|get enough|recommend|imagine life without|complain|do without|start (?:my|the) day without)|why not|no doubt|no problem|no idea|no worries|no matter|don't mind|not to mention|never ?mind|not bad|"
    r"don't worry|don't forget|do not forget|whether or not|if not|no wonder|not surprisingly|nothing beats|nothing but|no kidding|no joke|not far from|not too far|no stranger|never (?:skip|miss)|not least|no longer|not (?:any ?more|any longer)|better than nothing|no one (?:else )?knows)\b|^\W*(?:no|nope|nah)[\s,.!]+|\bno\.\s?\d",
    _I,
)
_NEGATION = re.compile(
    r"\b(?:not|never|cannot|neither|nor|none|nobody|nothing|without|hardly|barely|no)\b|n't\b|\b(?:dont|doesnt|isnt|arent|wasnt|didnt|cant|wont|havent|hasnt|aint)\b",
    _I,
)
_DISLIKE = re.compile(
    r"\b(?:dislik\w*|hat(?:e|es|ed|ing)\b|can't stand|cannot stand|couldn't stand|can't bear|detest\w*|loath\w*|despis\w*|(?:don't|do not|doesn't|does not|didn't|never|not|dont|doesnt)(?: \w+){0,2} (?:like|likes|love|enjoy\w*|care for|eat|drink|fan|into|keen|fond|liked|prefer|stand)|"
    r"not (?:a |an |much of a )?(?:\w+ )?fan|avoid\w*|allergic|intoleran\w*|annoy\w*|sick of|fed up|gross|disgust\w*|makes? me (?:sick|ill|nauseous)|put off by|averse|terrible|awful|worst|rather not)\b",
    _I,
)
_NO_LONGER = re.compile(
    r"\b(?:(?<!am )(?<!'m )(?<!get )(?<!getting )(?<!got )(?<!are )(?<!is )(?<!'s )used to(?! (?:it|the|this|that|being)\b)|no longer|any ?more|any longer|former(?:ly)?|previously|until recently|back when|in the past|years ago|"
    r"when (?:i|he|she|we|they) (?:was|were)|as a (?:kid|child|teen\w*|student|boy|girl)|growing up|at the time|back then|once upon a time|originally|before (?:i|we|he|she|they|that|moving|joining|switching))\b",
    _I,
)
_ENDING = (
    r"(?:quit|quitting|resign(?:ed|ing) from|resigned|retired from|left|leaving|stopped(?: \w+ing)?|gave up|given up|giving up|got rid of|get rid of|sold|broke up with|split (?:up )?(?:with|from)|separated from|divorced|moved (?:out of|away from|from|out from)|"
    r"relocated from|switched (?:away )?from|switch from|migrated (?:away )?(?:from|off)|moved off|(?:dropped|ditched|abandoned|cancell?ed|called off|finished|graduated from|lost|returned|scrapped|deleted|uninstalled|unsubscribed from|laid off (?:from|by)|fired (?:from|by)|changed from|went from|"
    r"ended|traded(?: in)?|replaced|gave away|let go of|parted ways with|done with|over with|outgrew|outgrown|converted from))"
)
_ENDING_BEFORE = re.compile(rf"\b{_ENDING}\b(?P<between>(?:\s+[\w'.&-]+){{0,4}}?)\s*$", _I)
_ENDED_AFTER = re.compile(
    r"^\W*(?:\w+\s+){0,2}(?:died|passed away|passed|has died|is gone|ended|has ended|expired|was cancell?ed|got cancell?ed|is cancell?ed|is over|was sold|got stolen|broke|is no more|fell through|is off|"
    r"shut down|closed(?: down)?|went under|(?:broke|split) up|divorced|separated|parted|was replaced|got replaced|didn't work out)\b",
    _I,
)
_PASSED_OVER = re.compile(r"\b(?:instead of|rather than|as opposed to|unlike|in place of|over)\s+(?:\w+\s+){0,2}$", _I)
_NEXT_ONE = re.compile(r"\b(?:to|for|with|into|by|in favou?r of|onto)\b", _I)


def asks(sentence: str) -> int | None:
    """From which character on a sentence asks; None when it does not. With "?" and no asking clause it is all a question."""
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


def jokes(sentence: str) -> bool:
    """Marked as a joke in so many words."""
    return _JOKE.search(_NO_JOKE.sub(" ", sentence)) is not None


def laughs(sentence: str) -> bool:
    """Ends or goes along with laughter; laughter that opens a sentence answers what came before."""
    return _LAUGH.search(_LAUGH_FIRST.sub("", sentence)) is not None


def only_laughs(sentence: str) -> bool:
    """Laughter and nothing else."""
    return _LAUGH.search(sentence) is not None and not re.search(r"\w", _LAUGH.sub("", sentence))


def serious_from(sentence: str) -> int | None:
    """Where the truth begins after a joke was taken back in the same sentence; None when it does not."""
    after = _AFTER_JOKE.search(sentence)
    if after:
        return after.end()
    head = re.match(
        r"^\W*(?:(?:haha|lol|no|ok),?\s+)?(?:i'm |i am |i was )?(?:just |only )?(?:kidding|joking|jk)\b[\s,.;:!—–-]+(?=\w)",
        sentence,
        _I,
    )
    return head.end() if head else None


def takes_over(text: str) -> bool:
    """Tries to give the assistant orders that last."""
    return _TAKEOVER.search(text) is not None


def stores(sentence: str) -> bool:
    """Orders something to be put into memory as it stands."""
    return _STORE_COMMAND.search(sentence) is not None


def plants(sentence: str) -> bool:
    """ "Remember that …" with something that is not the person's own plain statement."""
    command = _REMEMBER.search(sentence)
    if not command:
        return False
    rest = sentence[command.end() :]
    if _AT_ASSISTANT.search(rest) or _DIRECTIVE.search(rest) or _PRIVILEGE.search(rest):
        return True
    return not _FIRST_PERSON.search(rest)


def off_record(text: str) -> bool:
    """The person asks not to keep it."""
    return _PRIVATE.search(text) is not None


def withdraws(text: str) -> bool:
    """Takes back what was said in the message before."""
    return _WITHDRAWAL.match(text) is not None


def slips(clause: str) -> str | None:
    """What a clause puts in place of the one before ("sorry, Bristol"); None when it replaces nothing."""
    head = _SLIP.match(clause)
    rest = clause[head.end() :].strip(" .!,") if head else ""
    return rest or None


def corrects(sentence: str) -> bool:
    """May set right something said before, so that it leans on it."""
    return _SETS_RIGHT.search(sentence) is not None or meant_otherwise(sentence)


def meant_otherwise(sentence: str) -> bool:
    """Says in so many words that what was said before was a mistake."""
    return _MEANT.search(sentence) is not None


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
    before = _ENDING_BEFORE.search(clause[:start])
    if before and not _NEXT_ONE.search(before.group("between")):
        return True
    return _ENDED_AFTER.match(clause[end:]) is not None


def passes_over(clause: str, start: int) -> bool:
    """Whether the words at `start` are what was not chosen: "tea instead of coffee"."""
    return _PASSED_OVER.search(clause[:start]) is not None
