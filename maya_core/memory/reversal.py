"""Denied, over, or put right: how people take back what was so, or what they said. Pure, English."""

import re

_I = re.IGNORECASE
_MOOD = (
    r"(?:[a-z]+ing|sure|now|yet|really|much|today|again|bad|good|great|fair|cool|fun|funny|nice|ideal|true|"
    r"necessarily|exactly|at all|too bad|a (?:chance|problem|fan|word)|happy|amused)"
)
"""After "not" a remark, which sets nothing right: "not helping", "not fair"."""
_SLIP = re.compile(
    r"^\W*(?:(?:oh|oops|ah|um|uh|hmm+|mm|er+m?|ugh|well|ehm|actually|no)\b[\s,.!—–-]*)*(?:no[\s,]+wait|wait[\s,]+no|"
    r"sorry(?! (?:for|about|to|if|that|but)\b)|scratch that|i mean(?:t)?(?! to\b)|i meant to (?:say|write|type)|"
    r"or rather|make that|oops|correction|strike that|(?<!for the )(?<!about the )(?<!a )typo|i misspoke|i mistyped|"
    r"my mistake|my bad|er+m?|whoops|wait|no(?=\s*[,.:!—–-]|\W*$|\s+(?-i:[A-Z\d])|\s+(?:it's|its|it is|in|"
    r"at|on|wait|sorry|actually|x)\b))\b[\s,:.!—–-]*",
    _I,
)
_EXCUSE = re.compile(
    r"(?:(?:an?|my|the|that was|it was|blame|stupid|silly|damn|bloody|bad|fat|wrong)\s+)*(?:auto-?correct(?:ed|"
    r"ion)?|auto-?complete|"
    r"typos?|mistake|slip|habit|phone|keyboard|fingers?|thumbs?|memory|brain|head|early|late|tired|old habits?|"
    r"force of "
    r"habit|brain fog)(?:\s+(?:again|here|today|me|sorry))*",
    _I,
)
"""After "sorry" this says why, and not what was meant."""
_MEANT = re.compile(
    r"\b(?:renam(?:e|ed)|rebrand(?:ed)?|(?:the|my|our) old (?:one|name|number|address)|out(?:dated| of date)|"
    r"my fingers slipped|(?:swapped|mixed|transposed|flipped|switched) (?:up )?(?:the |those |these |"
    r"two )*(?:digits|numbers|letters|"
    r"dates|days|names|figures))\b|^\s*\*\w|^\W*(?:they\b[^,.]{0,30},\s*)?(?:it's|"
    r"it is) (?:now )?(?-i:[A-Z\d])[^.!?,]{0,30}\bnow\b|^\W*(?:it's |it is )?(?:\d\S*|one|two|three|four|five|six|"
    r"seven|eight|nine|ten|twelve)(?:\s\S+)?,? actually\b|^\W*(?:oh no|ah no|a+rgh|oops|(?:oh |ah )?no wait|(?:oh |"
    r"ah )?wait no|hang on|hold on|(?:oh |ah )?wait)\W+(?:it's|it is|that's)\b|^\W*(?:(?:no|sorry|wait|"
    rf"oops)\W+)*not (?!{_MOOD}\b)"
    r"(?:an? |the )?[\w'-]+(?:\s[\w'-]+)?[.!]*\W*$|^\W*not [^,.!?]{1,30},\s*(?:but )?\S|"
    r"^\W*(?:(?:it|he|she|that)(?:'s| is) )?(?-i:[A-Z\d])\S*(?:\s(?-i:[A-Z\d])\S*){0,2}, not "
    r"(?-i:[A-Z\d])[^\s,.;!]*(?=[,.;!–—-]|\W*$)|\bwhat am i saying\b|\bi (?:got|had|wrote|typed|put|said) (?:that|it|"
    r"them|those) (?:all )?(?:wrong|mixed up|backwards|confused)\b|"
    r"^\W*\S+(?:\s\S+)?, sorry\b|\b(?:to be (?:exact|precise|"
    r"more precise)|more precisely|misread|misheard|miscounted|mistyped)\b|\bwith (?:an?|one|two|"
    r"double) [a-z]s?\b(?!['\w])|\b(?:spelled|spelt|i meant|meant to (?:say|write|type)|typo|misspoke|mistyped|"
    r"misremembered|mix(?:ed|ing)? (?:that|it|them|those) up|mix(?:ed|ing)? up (?:the|my|those|these|them|it|"
    r"that)|got mixed up|"
    r"contrary to what (?:i|was)|misspelt|misspelled|tell (?:them|the two|those two) apart|correct myself|"
    r"forgive the slip|"
    r"my mistake|my bad|scratch that|correction|make that|strike that|should(?:'ve| have) (?:said|been|written)|"
    r"i was wrong|got that wrong|that was wrong|can't (?:type|spell|count|read)|fat fingers?|oops|whoops|"
    r"instead of what i said|to correct (?:myself|that|what)|let me correct|told you (?:it |that )?wrong|slip of the "
    r"(?:tongue|pen)|brain (?:fog|fade)|let me rephrase|to correct something|(?:that|this)(?:'s| is|"
    r" was) (?:not right|"
    r"incorrect|wrong)(?=\W*$|[,.;!])|(?:wrote|put|typed|said|gave) (?:it|that|them) the (?:\w+ )?way (?:round|around)|"
    r"i (?:said|wrote|typed|put) .{1,30}(?:\bbut|"
    r"\bby mistake|\bin error|\bby accident)|(?:mix(?:es|ed|ing)?|confus(?:e|es|ed|ing)|swapp?(?:ed|"
    r"ing)) (?:them|the "
    r"two|those two|these two)(?: \w+)?(?= up|\W*$)|why i (?:said|wrote|typed|put)|"
    r"i should (?:say|have said)(?! (?:thanks?|hello|hi|sorry|that|goodbye)\b)|"
    r"wrong "
    r"(?:day|date|name|number|city|town|street|floor|room|place|month|year|word|one|leg|line|column|row|page|ticket|"
    r"suggestion|option|box|field|button|form|tab|entry|file|list|way round|way around))\b|"
    r"^\W*[^,.!?;]{2,30}, (?:(?:i mean|rather)\b(?!,? (?:that|to|if)\b)|"
    r"of course[,.] (?:i|no|why|silly|what|don't)\b)|"
    r"^\W*(?:(?:no|sorry|well|or)\W+)?i mean (?:the |in |at |on |an? )*(?-i:[A-Z\d])[^,.!?;]{1,30}\W*$|"
    r"^\W*or rather\b|^\W*(?:that|it|this|which) should (?:be|read|say)\W+(?:the |on |at |in |an? )*(?-i:[A-Z\d])",
    _I,
)
_REPLACES = re.compile(
    r"\b(?:i meant|meant to (?:say|write|type)|make that|correction|misspoke|mistyped|misread|misheard|miscounted|"
    r"to be (?:exact|precise|more precise)|more precisely|i was wrong|got that wrong|that was wrong|can't (?:type|"
    r"spell|count|read)|fat fingers?|what am i saying|"
    r"i should (?:say|have said)(?! (?:thanks?|hello|hi|sorry|that|goodbye)\b)|"
    r"why i (?:said|wrote|"
    r"typed|put))\b|^\W*or rather\b|"
    r"^\W*[^,.!?;]{2,30}, (?:(?:i mean|rather)\b(?!,? (?:that|to|if)\b)|"
    r"of course[,.] (?:i|no|why|silly|what|don't)\b)|^\W*(?:they\b[^,.]{0,30},\s*)?(?:it's|"
    r"it is) (?:now )?(?-i:[A-Z\d])[^.!?,]{0,30}\bnow\b|^\W*[A-Z\d]\S*(?:\s[A-Z\d]\S*){0,2}, not [A-Z\d]\S*[.!]*\W*$|"
    r"^\s*\*\w[^\n]{0,40}$|^\W*\S+(?:\s\S+)?, sorry\b|^\W*(?:(?:sorry|oops)\W+)?typo\b|"
    r"\bwith (?:an?|one|two|double) [a-z]s?\b(?!['\w])",
    _I,
)
_BETTER_WORD = re.compile(
    r"^\W*(?i:(?:sorry|apologies|oops|no|nope|wait|correction|er+m?)[\s,.:;!—–-]+)+(?i:it's |it is |on |at |in )?"
    r"(?!(?i:for|about|to|if|that|i|my|we|you|the|thanks|problem|worries|idea|rush)\b)(?!for\b|about\b|to\b|"
    r"if\b|that\b|i\b|my\b|"
    r"we\b|you\b|the\b|thanks\b|problem\b|worries\b|idea\b|rush\b)[^\s,.!?]*[A-Z\d][^\s,.!?]*(?:\s\S+){0,2}\W*$"
)
_SETS_RIGHT = re.compile(
    r"^\W*(?:(?:well|oh|hm+|no|sorry|ugh)\W+)*[^\s,.;!?]+(?:\s[^\s,.;!?]+){0,2},? (?:actually|rather|"
    r"in fact)(?=\W*$|,)|"
    r"^\W*(?:(?:oh|ah|um|hmm|ok),? )*(?:sorry|no|nope|wait|actually|rather)\b(?! (?:for|about|need|problem|"
    r"rush|idea|worries|matter)\b)|\b(?:i mean|turns out|turned out|not "
    r"right)\b",
    _I,
)
_NEGATION_IDIOMS = re.compile(
    r"\b(?:not only|not just|(?:can't|cannot|can not|couldn't|could not) (?:stand|live without|wait|believe|stop|"
    r"get enough|recommend|imagine life without|complain|do without|start (?:my|the) day without)|why not|no doubt|"
    r"no problem|no idea|no worries|no matter|don't mind|not to mention|never ?mind|not bad|"
    r"don't worry|don't forget|do not forget|whether or not|if not|no wonder|not surprisingly|nothing beats|nothing "
    r"but|no kidding|no joke|not far from|not too far|no stranger|never (?:skip|miss)|not least|no longer|not "
    r"(?:any ?more|any longer)|better than nothing|no one (?:else )?knows)\b|^\W*(?:no|nope|nah)(?:[,.!–—-]+|\s+(?="
    r"(?:it|it's|that|that's|i|i'm|my|we|he|she|they|the|wait|sorry|not|his|her|hang|no)\b))|\bno\.\s?\d",
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
    r"no (?:big |great |real )?(?:fan|friend|lover) of|disgust\w*|(?:far |way |much )?too \w+ for (?:me|us|"
    r"my \w+)|makes? me (?:sick|ill|nauseous)|put off by|"
    r"averse|tastes? (?:like|of) (?:soap|cardboard|dirt|feet|nothing|water|chalk)|terrible|awful|worst|rather not)\b",
    _I,
)
_NO_LONGER = re.compile(
    r"\b(?:(?<!am )(?<!'m )(?<!get )(?<!getting )(?<!got )(?<!are )(?<!is )(?<!'s )used to(?! (?:it|the|this|that|"
    r"being)\b)|no longer|no more|any ?more|any longer|former(?:ly)?|(?:my|our|his|her) (?:last|previous|"
    r"old) (?:job|company|employer|"
    r"firm|role|position|team|school|flat|place|boss|landlord)|previously|until recently|back when|in the past|"
    r"years ago|when (?:i|he|she|we|they) (?:was|were)|as a (?:kid|child|teen\w*|student|boy|girl)|growing up|"
    r"at the time|back then|once upon a time|originally|before (?:i|we|he|she|they|that|moving|joining|switching))\b",
    _I,
)
_ENDING = (
    r"(?:quit|quitting|resign(?:ed|ing) from|resigned|retired from|left|leaving|(?:stopped|(?:had|"
    r"have) to (?:stop|quit|leave|sell|give up))(?: \w+ing(?: (?:for|at|with|in|on))?)?|gave up|given up|"
    r"giving up|got rid of|get rid of|sold|broke up with|split (?:up )?(?:with|from)|separated from|divorced|"
    r"moved (?:out of|away from|from|out from)|relocated from|(?:been|'m|am|gone|went|stay\w*) off|"
    r"switched (?:away )?from|switch from|migrated (?:away )?(?:from|off)|moved off|(?:dropped|ditched|abandoned|"
    r"cancell?ed|called off|finished|graduated from|lost|returned|scrapped|deleted|uninstalled|unsubscribed from|"
    r"laid off (?:from|by)|fired (?:from|by)|changed from|went from|ended|traded(?: in)?|swapped|exchanged|replaced|"
    r"gave away|let go of|parted ways with|done with|over with|outgrew|outgrown|converted from))"
)
_ENDING_BEFORE = re.compile(rf"\b{_ENDING}\b(?P<between>(?:\s+[\w'.&-]+){{0,4}}?)\s*$", _I)
_ENDED_AFTER = re.compile(
    r"^\W*(?:\w+\s+){0,2}(?:(?:was|were|used to be) (?:my|our)(?! (?:idea|choice|favou?rite))|died|passed away|"
    r"passed|"
    r"has died|is gone|ended|has ended|expired|was cancell?ed|got cancell?ed|is cancell?ed|is over|was sold|"
    r"got stolen|broke|is no more|fell through|is off(?! (?:sick|work|to|today|this)\b)|shut down|closed(?: down)?|"
    r"went under|(?:broke|(?-i:split)) up|divorced|separated|parted|left (?:us|the (?:company|team|firm|band|"
    r"group|project|"
    r"department|club))|quit|resigned|retired|moved on|(?:was|got) (?:fired|laid off|let go)|was replaced|"
    r"got replaced|didn't work out)\b",
    _I,
)
_REFUSED = re.compile(
    r"(?:^|[.!?]\s+|[,;–—-]\s*(?=not\s+[A-Z\d]))(?:no|nope|nah|wait|sorry|hm+|uh|um|and|it's|is|[,.!\s])*not (?:the |"
    r"an? )?(?P<word>[^\s,.!?;]+(?:\s[^\s,.!?;]+)?)(?=\s*[,.!?;–—]|\s*$)",
    _I,
)
_DID_I_SAY = re.compile(
    r"\bdid i (?:really |just |actually )?(?:say|write|type|put|tell you) (?:that )?(?:the |an? |my |it was "
    r")?(?P<word>[^?.!,]{2,40})\?",
    _I,
)
_PLAIN_DENIAL = re.compile(
    r"^\W*(?:(?:actually|no|well|sorry|but|and|oh)\W+)*(?:(?:it|that|this|they|those)(?:'s|'re|\s+is|\s+was|"
    r"\s+are)?\s*)?(?:not|isn't|wasn't|aren't)\b",
    _I,
)
_REFUSES = re.compile(
    r"^\W*(?:(?:and|but|so|please)\s+)*(?:not|no|no more|never)\s+(?!that\b|only\b|"
    r"just\b)[\w']",
    _I,
)
_PART_BACK = re.compile(
    r"\b(?:scratch|strike|forget|ignore|drop|delete|skip|leave out|take out|cross out) (?:the|that) "
    r"(?P<part>[\w'-]+(?:\s[\w'-]+){0,2}) (?:bit|part|thing)\b",
    _I,
)
_LIKE = re.compile(r"\b(?:likes?|loves?|enjoys?|adores?|into|fond of|fan of|crazy about|grown on me)\b", _I)
_CHANGE = re.compile(
    r"\b(?:now|nowadays|these days|this time|instead|no longer|any ?more|chang\w+|different|since (?:then|\w+)|as of|"
    r"from (?:this|next) \w+(?: on)?|became|become|back (?:at|to|in|on|with)|switch\w*|mov(?:e|es|ed|ing)|new|"
    r"replac\w+|"
    r"renam\w+|rebrand\w*|rais\w+|increas\w+|reduc\w+|cut|lower\w*|bump\w*|push\w*|postpon\w+|reschedul\w+|shift\w*|"
    r"delay\w*|exten[ds]\w*|brought|slip(?:s|ped|ping)?|slid|upgrad\w+|swap\w*|trad(?:e|ed|ing)|gone|over|behind "
    r"(?:us|me)|"
    r"updat\w+|taken? over|took over|hand(?:ed|ing) over|turned into|grown|gone up|went up|go up|up to|down to|"
    r"drop\w*|ris(?:e|en|ing)|rose|left|quit|retired|promoted|finally|by now|meanwhile|in the meantime|ditch\w*|"
    r"gave up|given up|outgrown|outgrew|used to|decided|only one|"
    r"(?<!pick )(?<!choose )(?<!name )just (?:the )?one|earlier|later than|goodbye|"
    r"without)\b",
    _I,
)
_COMPOUND = re.compile(r"(?!brand-new)\b\w+(?:-\w+)+", _I)
"""Who is left-handed tells of no change."""
_ADDS = re.compile(
    r"\b(?:also|too|as well|another|additionally|in addition|besides|on top of (?:that|it)|plus|second (?:job|home|"
    r"language|dog|cat|child|car)|both|as before|still)\b",
    _I,
)
_DEPARTED = (
    r"(?:(?:'s|is|are|was|were|has|have|had|got|been|just|finally|sadly|now|all|already|long|both)\s+)*(?:gone|"
    r"over(?=\W*$|\W*[,.;!]|\s(?:for|now|and|since|between)\b)|dead|history|behind (?:us|me|him|her|them)|no more|"
    r"off the table|nothing for me|out of (?:the picture|business)|died|passed(?: away| on)?|went (?:bust|under|"
    r"bankrupt|bust)|bust|drowned|broke(?: down)?|split(?: up)?|retired|quit|resigned|stepped (?:down|aside)|"
    r"left(?!-| (?:me|him|her|them|you|an?|this|that|my|some|no) )|closed|shut(?: down)?|"
    r"folded|ended|expired|stolen|sold|lost|wrecked|totalled|scrapped|cancell?ed|replaced|disbanded|dissolved|"
    r"(?:let|made|laid|kicked|threw|sacked|fired|dismissed) (?:me|us)\b(?: go| redundant| off| out)?|"
    r"went to (?:recycling|the dump|the tip|charity|a new (?:home|owner)|ebay)|moved (?:on|to|away|out|back)|fired|"
    r"let go|laid off|fell through|came to an end|is over|outgrown|gave up the ghost|packed (?:it )?in|"
    r"is off(?! (?:sick|work|to|today|this)\b)|does nothing|do nothing|doesn't do it|(?:has|have|"
    r"had) nothing to do with)\b"
)
_DEPARTS_AFTER = re.compile(
    rf"^(?:'s)?\s*(?:(?:days|era|times|chapter|thing|account|subscription|membership|team)\s+)?{_DEPARTED}", _I
)
_LEAVES_A_JOB = re.compile(
    r"^(?:(?:'s|is|was|were|has|have|had|got|been|just|finally|now|also|recently)\s+|\s+)*(?:quit|resigned|"
    r"retired|stepped down|"
    r"fired|let go|laid off|replaced|moved (?:to|on|away|out|back)|(?:left|closed|ended|sold|lost|cancelled|"
    r"finished|broke) (?!me\b|us\b|him\b|"
    r"her\b(?! )|with\b|up\b)[\w'])",
    _I,
)
_CALLED_OFF = re.compile(
    r"^\s*and i\b.*\b(?:called (?:it|things|everything) off|broke (?:it |things )?(?:up|off)|split|separated|"
    r"divorced|"
    r"parted|don't (?:talk|speak)|fell out|ended|no longer|are over|aren't together|went our separate ways)\b",
    _I,
)
_LEAVES_BEFORE = re.compile(
    r"\b(?:ditch(?:ed|ing)?|gave up|given up|giving up|gives up|say(?:ing)? goodbye to|said goodbye to|got rid of|"
    r"sold|lost|dropped|cancell?ed|quit|left|stopped|outgrew|outgrown|replaced|swapped|scrapped|retired|returned|"
    r"(?:gone|went|going) (?:\w+ )?off|broke up with|split (?:up )?(?:with|from)|divorced|parted ways with|"
    r"(?:took|taken|take|come|came|weaned|got|been) (?:me |us |him |her |them |myself )?off|"
    r"moved (?:away from|out of|off|on from)|done with|over with|finished with|away from|switch(?:ed|ing)? from|"
    r"(?:banned|forbade|forbidden)(?: me| us)?|(?:ended|cancell?ed|terminated|quit|closed) (?:the|our|"
    r"my) (?:contract|subscription|membership|partnership|account|cooperation) (?:with|at|of)|out of|changed from|"
    r"migrated (?:from|off)|traded(?: in)?|"
    r"gave away|gave back|handed (?:back|in)|(?:handed|"
    r"gave) back the keys (?:to|of|for)|returned|wrote off|crashed|tore up|closed)\s+(?:(?:the|my|our|that|this|an?|"
    r"all|any|old|drinking|eating|using|playing|doing|going to|working at|living in)\s+)*$",
    _I,
)
_AMENDS = re.compile(
    r"\b(?:actually|wrong\w*|(?<!by )mis\w+|sorry(?! (?:for|about|to)\b)|apologies|oops|whoops|"
    r"correct\w*|mix\w* (?:\w+ )?up|mixed|typo|"
    r"autocorrect\w*|turns? out|looked|check(?:ed|ing)|meant|"
    r"should (?:read|be|have|say(?! (?:thanks?|hello|hi|sorry|that|goodbye)\b))|"
    r"scratch|strike|hang on|"
    r"hold on|wait|argh|forgot|forgetting|count(?:ed|ing)|recount\w*|transposed|flipped|(?:swapped|flipped) (?:the|"
    r"two|those|these)|in fact|rather|told you|was thinking|were thinking|read (?:it|that|the|my)|apparently|"
    r"silly me|"
    r"my bad|last year|out of date|outdated|stale|old (?:list|rota|one|page|plan|number|name|version|info)|"
    rf"not (?!{_MOOD}\b)"
    r"(?:an? |the )?\w+|confus\w+|spell\w*|spelt|properly|fact is|truth is|for real|you (?:wrote|put|have|"
    r"said))\b|^\W*(?:no(?! (?:problem|worries|idea|doubt|need|rush|matter|wonder)\b)|nope|ah|oh|hm+|er+m?)\b|^\s*\*",
    _I,
)
_WRONG_BEFORE = re.compile(
    r"\b(?:not|isn't|wasn't|aren't|nor|instead of|rather than|old|got|had|why (?:i|did i) (?:said|say|wrote|write|"
    r"typed|type|put)|(?:mistakenly|accidentally|wrongly) (?:said|wrote|typed|put)|"
    r"keep (?:saying|writing|typing|putting)|read "
    r"[^,.!?;]{2,30} (?:for|instead of))\s+(?:the |an? |in |on |at )?$",
    _I,
)
_WRONG_AFTER = re.compile(
    r"^\W*(?:was|is|were|are)?\s*(?:wrong|a mistake|a slip|incorrect|mixed up|the old|outdated|a typo|my old|by "
    r"mistake|in error|by accident)",
    _I,
)
_WRONG = re.compile(
    r"\W*(?:(?:no|sorry|wait|but|and|oh|ah|actually|well|hm+|only|though|however)\b[\s,.!–—-]+)*"
    r"(?:(?:(?:that|this|it)(?:'s|\s+is|\s+was)\s+)?(?:(?:all|completely|just|simply|actually|plain)\s+)*"
    r"(?:wrong|incorrect|untrue|false|a (?:slip|typo|lie)|not (?:quite |really )?(?:right|true|correct))|"
    r"(?:that|this|it)\s+(?:isn't|wasn't)\s+(?:quite |really )?(?:right|true|correct))(?=\W*$|\s*[,.;!:–—-])",
    _I,
)
_I_REPORTED = re.compile(
    r"\W*(?:(?:earlier|before|yesterday|last (?:time|week)|i think|i know|sorry|and|but)\W+)*"
    r"(?:i|we)(?:'ve|'d| have| had)?(?: \w+ly)? (?:said|told you|wrote|mentioned|claimed|thought)\b",
    _I,
)
_BARE_DENIAL = re.compile(
    r"\W*(?:(?:but|well|no|sorry|actually|turns out)\W+)*(?:he|she|it|they|i|we)(?:'m|'s|'re)?\s+"
    r"(?:(?:do|does|did|is|am|are|was|were|has|have)\s+)?(?:not|\w+n't)(?: \w+ly)?(?=\W*$|\s*[,.;!:–—-])",
    _I,
)
_WROTE = re.compile(
    r"\b(?:i|why i|why did i)\s+(?:(?:just|only|mistakenly|accidentally|wrongly)\s+)*(?:said|say|wrote|write|typed|"
    r"type|put|keep (?:saying|writing|typing|putting))\s+[\"“'‘]?$",
    _I,
)
_NO_MORE_THAN = re.compile(
    r"[\"”'’]?\s*(?:(?:by (?:mistake|accident|habit)|in error|before|earlier|above|instead|there|"
    r"first|when i (?:meant|wanted)\b[^,;.]{0,60})\W*)*(?:$|[,;.!–—-]|but\b)",
    _I,
)
_ORDINAL = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b", _I)
_REFUSED_DATE = re.compile(r"\bnot (?:on |in |at )?(?:(?:the )?\d|the (?:first|second|third|\w+th)\b)[^,.!?;]*", _I)
_WITHOUT = re.compile(r"\b(?:without|no)\b", _I)
_HARMLESS = re.compile(
    r"\s*(?:is|are|'s|was|were) (?:totally |perfectly |all |actually |completely )*(?:fine|ok|okay|safe|no problem|"
    r"not a problem)\b|\s*(?:(?:just|perfectly|totally|absolutely) fine|without (?:any )?(?:problems?|trouble|"
    r"reaction|"
    r"issues?))\b",
    _I,
)
_GIVEN = re.compile(r"\b(?:gave|giving|threw|thrown|throwing|sent|handed|brought|took|traded)\s+(?:\w+\s+){0,2}$", _I)
_BACK = re.compile(r"^\W*(?:back|away|in)\b", _I)
_DONE_WITHOUT = re.compile(r"\b(?:without|no more|no longer)\s+(?:(?:the|my|our|a|an|any)\s+)?$", _I)
_PASSED_OVER = re.compile(
    r"\b(?:instead of|rather than|as opposed to|unlike|in place of|(?<!taken )(?<!took )(?<!take )(?<!taking )"
    r"(?<!takes )(?<!moved )(?<!switched )(?<!went )(?<!came )over)\s+(?:\w+\s+){0,2}$",
    _I,
)
_NEXT_ONE = re.compile(r"\b(?:to|for|with|into|by|in favou?r of|onto)\b", _I)


def harmless(rest: str) -> bool:
    """What follows a thing says that it does no harm: "… are fine"."""
    return _HARMLESS.match(rest) is not None


def only_without(clause: str, end: int) -> bool:
    """Whether the denial is a "without" after the words that end at `end`: "short answers without emojis"."""
    found = _WITHOUT.search(clause, end)
    return found is not None and not negates(clause[: found.start()])


def refuses(clause: str) -> bool:
    """Names what is not meant or wanted, after what is: "not March", "no more long ones"."""
    return _REFUSES.match(clause) is not None


def part_taken_back(clause: str) -> str:
    """Of which part of what was said a clause says that it does not hold: "senior" of "scratch the senior bit"."""
    found = _PART_BACK.search(clause)
    return found.group("part") if found else ""


def denies_plainly(clause: str) -> bool:
    """Denies the very word: "not Berlin", "it isn't Berlin"."""
    return _PLAIN_DENIAL.match(clause) is not None


def likes(clause: str) -> bool:
    """Says that something is liked."""
    return _LIKE.search(clause) is not None


def changes(sentence: str) -> bool:
    """Has a word by which people tell that something is not as it was."""
    return _CHANGE.search(_COMPOUND.sub(" ", sentence)) is not None


def adds(sentence: str) -> bool:
    """Says that something comes on top of what was."""
    return _ADDS.search(sentence) is not None


def amends(text: str) -> bool:
    """Has a word by which people set something right."""
    return _AMENDS.search(text) is not None


def departs(clause: str, start: int, end: int) -> bool:
    """Whether the words at `start` to `end` are told to be gone: "the Pixel drowned", "ditched the gym"."""
    after = clause[end:]
    if _DEPARTS_AFTER.match(after) or _CALLED_OFF.match(after):
        return True
    return _LEAVES_BEFORE.search(clause[:start]) is not None


def dies(predicate: str) -> bool:
    """What is said of somebody is that they are no more."""
    return (
        re.match(
            r"^\W*(?:has |have |just |sadly |had )*(?:died|passed away|passed on|is dead|is no more|retired|"
            r"resigned|stepped "
            r"down|quit(?=\W*$))\b",
            predicate,
            _I,
        )
        is not None
    )


def gets_wrong(text: str, thing: str) -> bool:
    """Names a thing as what was wrong: "not Lumen", "Lumen was a mistake"."""
    for found in re.finditer(re.escape(thing), text, _I):
        if _WRONG_BEFORE.search(text[: found.start()]) or _WRONG_AFTER.match(text[found.end() :]):
            return True
    return False


def only_written(clause: str, start: int, end: int) -> bool:
    """Whether the words at `start` to `end` are told as what was said or typed: "I typed Polish by mistake"."""
    return _WROTE.search(clause[:start]) is not None and _NO_MORE_THAN.match(clause[end:]) is not None


def calls_wrong(text: str) -> bool:
    """Opens with the word that what stands before it was wrong: "That was wrong, it's Lund", "but that's not true"."""
    return _WRONG.match(text) is not None


def denies_report(before: str, sentence: str) -> bool:
    """Denies at once what the sentence before reports of oneself: "I told you she lives here." "She doesn't"."""
    return _I_REPORTED.match(before) is not None and _BARE_DENIAL.match(sentence) is not None


def slips(clause: str) -> str | None:
    """What a clause puts in place of the one before ("sorry, Bristol"); None when it replaces nothing."""
    head = _SLIP.match(clause)
    rest = clause[head.end() :].strip(" .!,") if head else ""
    return rest if rest and not excuses(rest) else None


def excuses(text: str) -> bool:
    """Says why something was wrong, not what is right: "autocorrect", "my mistake"."""
    return _EXCUSE.fullmatch(text.strip(" .!,")) is not None


def sets_right(sentence: str) -> bool:
    """May set right something said before, so that it leans on it, without saying plainly that it was a mistake."""
    return _SETS_RIGHT.search(sentence) is not None


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
    """Denies what it says; "can't stand" and "not only" do not, nor does "no" alone."""
    if re.fullmatch(r"\W*(?:no|nope|nah)\W*", clause, _I):
        return False
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
    return _ENDED_AFTER.match(clause[end:]) is not None or departs(clause, start, end)


def refused_words(text: str) -> str:
    """What a correction names as wrong: "Brightwater" of "Brightwave, not Brightwater"; "" when it names nothing."""
    found = _REFUSED.search(text)
    return _ORDINAL.sub(r"\1", found.group("word")) if found else ""


def refuses_date(text: str) -> bool:
    """Names a number or a date as wrong: "not the 3rd"."""
    return "not " in text.lower() and _REFUSED_DATE.search(text) is not None


def without_refused_date(text: str) -> str:
    """A text without the number or date that it names as wrong: "13 June, not the 3rd"."""
    return _REFUSED_DATE.sub("", text) if refuses_date(text) else text


def doubted_words(text: str) -> str:
    """What somebody asks themselves whether they said: "Did I say oat milk?"; "" when they ask nothing of the kind."""
    found = _DID_I_SAY.search(text)
    return found.group("word") if found else ""


def leaves_a_job(rest: str) -> bool:
    """What follows a name says that somebody left their work, a place, or a group: "quit Ferrola", "moved to Oslo"."""
    return _LEAVES_A_JOB.match(rest) is not None


def is_gone(clause: str, start: int, end: int) -> bool:
    """Whether the words at `start` to `end` are what is no longer there, or was not chosen."""
    without = _DONE_WITHOUT.search(clause[:start]) is not None
    return without or departs(clause, start, end) or passes_over(clause, start)


def passes_over(clause: str, start: int) -> bool:
    """Whether the words at `start` are what was not chosen: "tea instead of coffee"."""
    return _PASSED_OVER.search(clause[:start]) is not None
