"""Attempts to put something into memory, or to keep or take something out of it, by saying so. Pure, English."""

import re

from maya_core.memory.lexicon import PERSON_NOUNS

_I = re.IGNORECASE
_TAKEOVER = re.compile(
    r"\b(?:(?:ignore|disregard|forget|discard|erase|wipe) (?:everything|anything|all) (?:that )?(?:i|you|we|"
    r"above|before|"
    r"else|about|prior|from)|(?:ignore|disregard|forget|override|bypass|discard|drop) (?:all |any |every |the "
    r"|your |my |these |those "
    r"|of )*(?:previous|prior|earlier|above|preceding|other|system|safety|former|existing|past|"
    r"instructions?|rules?|guidelines?|guardrails|restrictions?|programming|training|polic(?:y|ies))|system prompt|"
    r"system (?:message|note|override|update|instruction|directive|notice)|new (?:system )?(?:instructions?|"
    r"directives?|polic(?:y|ies))|"
    r"you(?:'re| are) now|you must|you shall|you will (?:always|never|now|from)|you (?:are|were) (?:required|"
    r"instructed|ordered|programmed|authori[sz]ed)|you should (?:always|never)|"
    r"(?:developer|debug|admin|god|sudo|maintenance|unrestricted|dan) mode|jailbreak\w*|do anything now|prompt "
    r"injection|"
    r"from (?:now|here|this point|today|this moment|this day|that point) (?:on|onwards?|forward)[\s,:]*(?:and "
    r"forever[\s,]*)?(?:you|always|never|respond|answer|reply|treat|refer|use|only|please|assume|consider|every|all|"
    r"any|call|the (?:user|assistant|system|ai)|address|speak|write|act|pretend|remember|trust|when|if|obey|stop)|"
    r"(?:note|message|instruction|attention|notice|memo|reminder)s? (?:to|for) (?:the )?(?:assistant|ai|model|maya|"
    r"llm|bot|chatbot)|attention[,:]? (?:assistant|ai|maya|model)|"
    r"(?:ai|assistants?|llms?|chatbots?|language models?|models) (?:reading|processing|that read|must|should|shall|"
    r"summari[sz]ing)|important(?: instruction)?:|begin (?:instructions|system)|end of (?:instructions|prompt|"
    r"document)|"
    r"(?:must|to|shall|will|always|please|now|and) (?:obey|comply with)|obey (?:me|my|this|these|the following|every|"
    r"all)|comply with (?:this|these|the following|my)|hidden instruction|secret instruction|your (?:new|real|"
    r"true|only) (?:instructions?|purpose|"
    r"task|goal|owner|name is|creator|master)|"
    r"this is (?:a|an) (?:order|command|override|authori[sz]ed)|i (?:hereby )?(?:authori[sz]e|command|order|"
    r"instruct) you|as (?:your|the) (?:developer|administrator|admin|creator|owner))\b",
    _I,
)
_STORE_COMMAND = re.compile(
    r"(?:\b(?:store|save|record|log|persist|write|put|commit|add|append|insert|update|inject|plant|register|"
    r"memori[sz]e|note|keep|set|overwrite|replace|file|enter)\b[^.!?:\n]{0,45}"
    r"\b(?:(?:to|in|into|as|from|of) (?:an? |your |my |the |our |long[\s-]term |permanent |persistent |user |core "
    r")*(?:memory|memories|user profile|profile|knowledge(?: base| graph)?|records?|database|fact|facts|preferences|"
    r"notes))\b"
    r"|\b(?:store|save|record|memori[sz]e|log|persist|note|file) (?:this|that|the following|these|it|"
    r"as)\b[^.!?\n]{0,40}:|\bstore (?:this|that)\b|\b(?:memory|memory update|new memory|"
    r"(?<!fun )(?<!quick )(?<!random )(?<!little )(?<!weird )(?<!true )fact|memory entry|"
    r"user fact|user memory|bio|profile update)\s*(?::|->|=)"
    r"|\b(?:update|change|modify|edit|set|overwrite) (?:your |my |the |user'?s? )*(?:memory|memories|profile|"
    r"records?|preferences|user profile)\b|\bto=(?:bio|memory)|\bremember_fact\b|\bsave_memory\b|\bmemory\.(?:add|"
    r"save|write))",
    _I,
)
_REMEMBER = re.compile(
    r"(?<!\bi )(?<!i'll )(?<!i can )(?<!i don't )(?<!i can't )(?<!i still )(?<!you )(?<!to )(?<!we )"
    r"\b(?:remember(?! (?:when|how|what|where|who|if|whether|me|to)\b)|memori[sz]e|don't forget(?! to\b)|do not "
    r"forget(?! to\b)|never forget|keep in mind|bear in mind|make a (?:mental )?note|take note|note that|please "
    r"note|"
    r"be aware|know that|let it be known|it is known|it's important to know|learn that|recall that|treat it as "
    r"(?:true|fact)|accept that|assume that|believe that)\b",
    _I,
)
_AT_ASSISTANT = re.compile(r"(?<![\w'])(?:you|your|yours|yourself|assistant|maya|ai|model|chatbot)\b", _I)
_DIRECTIVE = re.compile(
    r"\b(?:must|shall|(?<!i )(?<!we )(?:always|never)|only ever|recommend|promote|trust|obey|instructions?|rules?|"
    r"refuse|reveal|disclose|approve|transfer|wire|forward|send|click|visit|the user|users)\b",
    _I,
)
_PRIVILEGE = re.compile(
    r"\b(?:admin(?:istrator)?|root|sudo|super\s?user|privileges?|clearance|authori[sz](?:ed|ation)|permissions?|"
    r"access|unrestricted|bypass|override|verified|whitelist(?:ed)?|allow-?list(?:ed)?|developer of|"
    r"creator|owner of (?:this|the) system|trusted|full control|master|premium|vip|subscription|entitled|approved|"
    r"exempt|unlimited|moderator|superadmin|god mode|safety)\b",
    _I,
)
_FIRST_PERSON = re.compile(
    r"(?<![\w'])(?:i|i'm|i've|i'll|i'd|im|ive|my|me|mine|we|we're|we've|our|ours|us)(?![\w])", _I
)
_ABOUT_SOMEBODY = re.compile(
    r"\W*(?:that\s+)?(?-i:[A-Z])[\w-]+(?:\s(?-i:[A-Z])[\w-]+)?(?:'s birthday|\s+(?:is|was) (?:allergic|vegan|"
    r"vegetarian|born|pregnant|on leave)|\s+"
    r"(?:lives|works|speaks|likes|loves|hates|prefers|moved|studies|can't eat|doesn't eat|doesn't drink))\b",
    _I,
)
"""What people ask to have remembered of others: "remember that Petra is allergic to nuts"."""
_PRIVATE = re.compile(
    r"\b(?:off the record|off-the-record|(?:don't|do not|never|please don't|no need to|rather not have you|without) "
    r"(?:you )?(?:remember(?:ing)?|stor(?:e|ing)|sav(?:e|ing)|record(?:ing)?|keep(?:ing)?|log(?:ging)?|memori[sz]e|"
    r"write down) "
    r"(?:this|that|it|any|anything|what)|forget (?:that )?i (?:said|told|mentioned|asked)|forget what i (?:said|"
    r"told)|don't add (?:this|that|it) to|not for (?:the |your )?(?:record|memory)|keep (?:this|that|it) out of)\b",
    _I,
)
_WITHDRAWAL = re.compile(
    r"^\W*(?:(?:ok|okay|sorry|wait|no|oh|actually|hmm|um|please|hey)[\s,]+)*(?:ignore (?:that|my last|what i)|"
    r"disregard (?:that|my last|what i)|forget (?:that|it|i said|what i|my last)|never ?mind(?: that| what)|strike "
    r"that|scrap that|delete that|"
    r"that(?:'s| was| is) (?:not true|a lie|untrue|false|a test|just a test|nonsense|made up|wrong chat|for someone "
    r"else|someone else|my (?:friend|brother|sister|colleague|cat|kid|son|daughter)|the wrong)|i (?:lied|made that "
    r"up|was lying|was testing|didn't mean that|was only testing)|wrong (?:chat|window|thread|tab|conversation)|"
    r"(?:sorry )?(?:that|this) was (?:meant for|for) (?:someone|another|a different|my)|(?:that|this|it)(?: "
    r"last)?(?: (?:line|message|one|bit|part|text|sentence))? (?:wasn't|was not|isn't) (?:me|mine|from me|"
    r"true|"
    r"by me)|(?:my "
    r")?(?:kid|cat|son|daughter|brother|friend|colleague) typed)\b",
    _I,
)
_SCRATCHED = re.compile(
    r"\W*(?:(?:ok|okay|sorry|wait|no|oh|actually|hmm|um|please|well)[\s,]+)*(?:scratch|strike|scrap|delete|"
    r"ignore|disregard|cross out) "
    r"(?:that|this|the last (?:bit|part|sentence|line|one))(?:(?: one| bit| part)?\W*|\W+(?:it|that|this)(?:'s|"
    r" is| was|'s all| isn't| wasn't)? "
    r"(?:not |just |all |completely |no longer )*(?:true|wrong|nonsense|false|untrue|a lie|right|correct|"
    r"rubbish|a mistake|the case)\W*)",
    _I,
)
_SOMEBODY_ELSE = re.compile(
    r"^\W*(?:(?:no|nope|sorry|wait|oops|actually)[\s,.!]+)+(?:that|this|it)(?:'s|'d| is| was| would be) (?:my|our|"
    r"his|her) (?:" + "|".join(re.escape(noun) for noun in sorted(PERSON_NOUNS, key=len, reverse=True)) + r")\b",
    _I,
)
"""What was said is so of somebody else: "No, that's my wife"."""


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
    return not _FIRST_PERSON.search(rest) and not _ABOUT_SOMEBODY.match(rest)


def off_record(text: str) -> bool:
    """The person asks not to keep it."""
    return _PRIVATE.search(text) is not None


def scratches(sentence: str) -> bool:
    """Takes back the sentence before, and puts nothing in its place: "scratch that, it's not true"."""
    return _SCRATCHED.fullmatch(sentence) is not None


def withdraws(text: str) -> bool:
    """Takes back what was said in the message before."""
    return _WITHDRAWAL.match(text) is not None or _SOMEBODY_ELSE.match(text) is not None
