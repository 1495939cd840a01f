"""Parts of a person's message that are not their own words: quotations, pasted mail, code, logs, tagged text. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from maya_core.memory.lexicon import PERSON_NOUNS
from maya_core.memory.wording import plain


class Foreign(StrEnum):
    """What sort of other text it is."""

    QUOTE = "quote"
    FENCED = "fenced"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSpan:
    """Characters `start` to `end` (exclusive) of a message are somebody else's, or a machine's."""

    kind: Foreign
    start: int
    end: int


_CODE_FENCE = re.compile(r"(```|~~~).*?(?:\1|\Z)", re.DOTALL)
_VOICES = re.compile(r"[^\n]*\n(?:[A-Z][\w .'-]{0,20}:[ \t]\S[^\n]*(?:\n|\Z)){2,}")
_VOICES_HERE = re.compile(r"(?:[A-Z][\w .'-]{0,20}:[ \t]\S[^\n]*(?:\n|\Z)){2,}")
"""Lines of two and more voices, right below what introduces them; below them the person goes on."""
_FENCE_NEXT = re.compile(r"\s*(```|~~~).*?(?:\1|\Z)", re.DOTALL)
_TAGGED = re.compile(r"<!--.*?(?:-->|\Z)|<([a-zA-Z][\w-]*)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.DOTALL)
_BRACKETED = re.compile(r"\[+[^\[\]\n]{0,40}:[^\[\]]*\]+|\{[^{}]*[:=][^{}]*\}|\[/?[A-Z]{3,}\][^\n]*")
_MARKED = re.compile(
    r"\[(\w+)\].*?\[/\1\]|\[(?:system|inst|assistant|tool|context|memory|admin)\w*\][^\n]*", re.I | re.DOTALL
)
_ASSIGNED = re.compile(r"(?<!\S)\w+(?:[._]\w+)+\s*(?:[:=]+|->)\s*\S+")
"""A key with its value, as in a file of settings: "user.role = admin"."""
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_VERSE = re.compile(r"[^\n/.!?:]{12,} / (?!\S*\d)[^\n/]{12,}(?: / [^\n/]+)*")
"""Lines of a song or a poem, written in one."""
_QUOTED_LINE = re.compile(r"^[ \t]*(?:>|\|).*$", re.MULTILINE)
_QUOTED = re.compile(
    r"[\"“„«»]([^\"“”„«»]{1,2000}?)[\"”“»«]|(?<![\w'])'((?:[^'\n]|(?<=\w)'(?=\w)){2,600}?)'(?!\w)", re.DOTALL
)
_OPEN_QUOTE = re.compile(r"[“\"]([^\"”]*)\Z")
_NAMING = re.compile(
    r"\b(?:called|named|titled|entitled|nicknamed|nickname|codenamed|codename|dubbed|name|by|as|is|are|was|book|"
    r"novel|"
    r"song|album|film|movie|show|series|game|podcast|band|project|team|playlist|watch|watching|reading|read|"
    r"love|like|"
    r"prefer|favou?rite|the|my|our|to|on|at|in|for|of|use|using|speak|and|or)(?:\s+(?:the|a|an|is|was|are|book|movie|"
    r"film|song|game))*[\s,:]*$",
    re.IGNORECASE,
)
_SAYING = re.compile(
    r"\b(?:say|says|said|saying|tell|tells|told|ask|asks|asked|reply|replies|replied|write|writes|wrote|written|"
    r"reads|"
    r"text|texted|shout\w*|answer\w*|announce\w*|quote|quoted|translate\w*|yell\w*|claim\w*|goes|went|phrase|"
    r"sentence|"
    r"line|lyrics?|slogan|sign|motto|mean|means|caption|message|email|mail|was like|were like|"
    r"is like)\b[^.!?]{0,40}$",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\b(?:i|i'm|i've|i'll|i'd|my|me|we|our|you|your|he|she|they|is|are|was|"
    r"will)\b",
    re.IGNORECASE,
)
_INTRODUCTION = re.compile(
    r"(?:\b(?:e-?mails?|mail|messages?|texts?|letter|notes|article|posts?|tweet|reviews?|quotes?|logs?|transcript|"
    r"output|code|snippet|paragraph|bio|biography|cv|resume|résumé|draft|lyrics|poem|story|ads?|listing|description|"
    r"caption|comments?|repl(?:y|ies)|responses?|statement|sentences?|excerpt|passage|chapter|script|dialogue|"
    r"template|prompt|memo|ticket|report|minutes|chat|conversation|slack|whatsapp|newsletter|thread|readme|page|"
    r"website|docs?|document|file|invoice|contract|abstract|essay|summary|profile|persona|speech|blurb|intro|"
    r"introduction|posting|forum|content|contents|example|input|clipboard|config|json|csv|data|table|error|"
    r"stack trace|traceback|signature)|\b(?:wrote|writes|says|said|sent|reads|replied|asked|told|goes|went|like this|"
    r"(?:put|added|left|stuck|scribbled) (?:this|that|the following|a note)|posted|texted|emailed|translate|"
    r"proofread|rewrite|dictated|dictates|summari[sz]e|correct(?! (?:that|myself|this|me)\b)|check|"
    r"paraphrase|edit|improve|shorten|(?<!let me )rephrase|explain|reword|polish|analy[sz]e|extract|parse|"
    r"classify|grammar|(?<!you )say|saying|quoting|quote)|\b(?:the following|following|below|pasted|pasting|forwarded|"
    r"forwarding|copied|copying))\b(?:(?!\bI (?:was|am|did|had) (?:right|wrong|mistaken|confused|so|"
    r"not)\b)[^.!?:\n]){0,60}:(?=\s|$)",
    re.IGNORECASE,
)
_ORDERED_TEXT = re.compile(
    r"(?:^|(?<=[.!?\n]))[ \t]*(?:(?:please|now|can you|could you|would you|will you|maya|and|then|hey|hi|ok)[\s,]+)*(?:"
    r"(?:turn|make|convert|transform|change|put|rework|recast) (?:this|these|the following)(?: \w+){0,2} (?:in)?to\b|"
    r"count the (?:words|letters|characters|syllables|sentences|vowels) (?:in|of) (?:this|the following|these)\b|"
    r"repeat (?:after me|this|the following)\b|use (?:this|the following) as\b|"
    r"(?:add|insert) (?:(?:an?|the|some|any) )?(?:commas?|punctuation|full stops?|accents|emojis?|capitals)\b|"
    r"(?:finish|complete|continue) (?:this|the|my) (?:sentence|line|verse)\b|subtitles?\b|"
    r"(?:true or false|right or wrong|correct or incorrect|fact or fiction|real or fake)\b|"
    r"(?:i'm|i am|i'll be) (?:writing|speaking|posting|typing|talking|replying) as (?-i:[A-Z]))[^.:?!\n]{0,40}[.:?!]\s",
    re.IGNORECASE | re.MULTILINE,
)
"""Asks for work on words that follow in the same paragraph: "Turn this into a haiku: …", "True or false: …"."""
_STAMPED_LINE = re.compile(r"^[ \t]*[\[(]\d{1,2}:\d\d(?::\d\d)?[\])][ \t]+\S.*$", re.MULTILINE)
_SIGNED = re.compile(
    r"^\S[^\n]*?[.!?\"”]\s*(?:--|—|–)[ \t]*[A-Z][\w.'-]+(?:[ \t][A-Z][\w.'-]+){0,2}[ \t]*$", re.MULTILINE
)
"""A paragraph with the name of whose words it is behind it: "I have lived in Ghent all my life. — Bea"."""
_IN_MARKS = re.compile(r"\s*(?:\"[^\"\n]+\"|“[^“”\n]+”)(?P<after>\s[^\"“”„«»`\n]*)")
"""One quotation, and the person's own words after it on the same line."""
_TO_REPORT = re.compile(
    r"\b(?:to (?:report|post|comment|message|say)|(?:must|i'd|i'll|let's) say)\b[^:]{0,12}:\s*$", re.IGNORECASE
)
"""Not the noun, nor somebody else's words: "small upgrade to report: …", "sorry to say: …"."""
_ABOUT_ONESELF = re.compile(
    r"\b(?:(?:should(?:'ve| have)?|meant to|wanted to|let me|to) (?:say|said|write|written)|"
    r"(?:because|since|when|what) (?:i|we) (?:just )?(?:said|wrote|told)|(?:since|because|as) you (?:just )?asked|"
    r"as (?:i|"
    r"we)(?: (?:already|just|once))? (?:said|told|wrote|mentioned|say|explained)|(?:quick|short|brief) (?:intro|"
    r"introduction|summary|note|context|recap)|about me|my details|(?:to|for|in) my profile|"
    r"told you (?:the )?wrong(?: \w+)?|story of (?:my|our)|new (?:chapter|job|role)|let me (?:\w+ )?(?:state|put|"
    r"explain|be)|"
    r"to mention my [a-z]+|my situation|"
    r"summary of me|(?:so|that) (?:we|you|i)(?:'re| are|'m| am| know)?|same page|for (?:context|reference|the record|"
    r"your info\w*))\b",
    re.IGNORECASE,
)
_ATTRIBUTED = re.compile(
    r"(?:^|(?<=[.!?]\s)|(?<=\n))[ \t]*(?P<mark>[-–—•*][ \t]+)?"
    r"(?P<who>[^\W\d_][^.!?:\n]{0,60}):[ \t]+(?=[^.!?\n]*?(?<![\w'])(?:I|i|my|we|our|"
    r"I'm|i'm|im)(?!\w))",
    re.IGNORECASE | re.MULTILINE,
)
_BY_THE_WAY = re.compile(r"(?:on|in|at|from|via|by|over|to|speaking|writing|yesterday|today)\b", re.IGNORECASE)
"""Says where or how somebody spoke: "Bea, on the phone: …"."""
_OWN_HEADING = re.compile(
    r"(?<![\w'])(?:i|me|my|mine|we|us|our|you|your|yours|context|notes?|fyi|info|intro|introduction|background|"
    r"details?|facts?|basics|update|news|status|correction|edit|ps|p\.s|btw|addendum|reminder|heads[- ]up|profile|"
    r"constraints?|requirements?|preferences?|important|caveat|short|quick|truth|thing|problem|point|issue|situation|"
    r"reason|plan|planning|diet|dietary|allerg\w+|health|food|work|home|family|job|travel|budget|contact|location|"
    r"hobbies|pets?|question|request|answer|first|second|third|also|again|actually|seriously|anyway|finally|"
    r"confession|disclaimer|clarification|remember|summary|recap|ok|okay|yes|no|so|well|hi|hello|hey|listen|look|"
    r"sorry|oops|typo|wait|today|yesterday|tomorrow|now|this week|next week|\w+day|this|here|fun|true|story|"
    r"example for you|maya)(?!\w)",
    re.IGNORECASE,
)
"""What people put before a colon when they go on to speak of themselves; any other name there speaks itself."""
_NOT_OWN_HEADING = re.compile(
    r"\b(?:songs?|lyrics|verse|chorus|movie|film|book|novel|poem|line|slogan|sign|horoscope|post|tweet|meme|proverb|"
    r"story|overheard|pangram|crossword|clue|(?:wrong|right|sample|model) answer|(?:a|the) lie|alibi|by heart|begins?|"
    r"starts? (?:like|with)|opens?|ends? with|blurted|summed|answered|recite[ds]?|motto|says?|said|wrote|writes|"
    r"according|example|e\.g|diary|memoirs?|journal|autobiography|letters? of|"
    r"words of)\b|^\W*(?:(?:my|our|the|an?)\s+[a-z-]+|"
    r"(?!here|there|that|it|what|who|where|let|he|she|this)(?-i:[A-Z])[\w-]+)'s\s+"
    r"(?!(?:plan|update|status|problem|situation|context)\b)[a-z]",
    re.IGNORECASE,
)
_MATERIAL = re.compile(
    r"\b(?:(?:in|into|to) (?:[A-Z][a-z]+(?:ish|ese|ian|ch|an|k|c)\b|plain|simple)|(?:piece|part|bit|half|chunk|line|"
    r"item|sample|option|version) (?:\w+|\d)|(?:next|this|last|another|second|third) (?:one|piece|part|bit|line))\b",
    re.IGNORECASE,
)
"""Headings of material that is handed over: "and into Italian", "piece two"."""
_FORWARDED = re.compile(
    r"^[ \t]*(?:-{2,}\s*(?:original|forwarded)|begin forwarded message|fwd?:|on .{4,60} wrote:|(?:from|to|subject|"
    r"sent|cc|reply-to):\s*\S)",
    re.IGNORECASE | re.MULTILINE,
)
_RULE = re.compile(r"^[ \t]*(?:-{3,}|={3,}|\*{3,}|_{3,}|~{3,}|—{2,}|#{3,})[ \t]*$", re.MULTILINE)
_ABOUT_A_TEXT = re.compile(
    r"\b(?:this|below|following|repl(?:y|ied)|answer|draft|e-?mail|mail|message|text|letter|post|article|wrote|"
    r"sent|says?|translate|"
    r"summari[sz]e|proofread|shorten|rewrite|check|correct|fix|improve)\b|[?:]",
    re.IGNORECASE,
)
_HANDED_OVER = re.compile(
    r"\b(?:(?<!\bi )(?<!\bwe )(?:sent|wrote|texted|emailed|messaged|forwarded|posted|left) (?:(?:to )?(?:me|"
    r"us) )?(?:this|"
    r"the following)|"
    r"(?:got|received|found|saw|have) (?:this|the following)(?: \w+)? (?:from|in|on)|this (?:is|was) (?:what|from)|"
    r"(?:below|what follows) (?:is|are|comes?)\b(?! (?:my|our|some|what i|what we|what you)\b)|"
    r"what (?:[\w'-]+ ){1,3}(?:sent|wrote|"
    r"posted)(?: to)? (?:me|us)|"
    r"here(?:'s| is) (?:what (?!i\b|we\b|you\b)|his|her|their))\b",
    re.IGNORECASE,
)
"""Says of what follows, paragraphs on, that it is somebody's text: "my cousin sent me this, can you reply?"."""
_HERE_IT_IS = re.compile(
    r"\bhere(?:'s| is| are| comes) (?:(?:the|an?|his|her|their|this|some|one) |(?:my |our |"
    r"the )?[\w-]+'s )(?:[\w'-]+ ){0,2}?(?:bio|biography|texts?|drafts?|paragraphs?|"
    r"e-?mail|mail|letter|posts?|blurb|intro|introduction|script|abstract|caption|reviews?|comment|reply|"
    r"message|essay|"
    r"article|excerpt|passage|transcript|quote|ad|advert|listing|profile|lyrics|sentences?|statement|speech|"
    r"description)\b[^.!?:\n]*[.!:](?=\s)",
    re.IGNORECASE,
)
_SALUTATION = re.compile(
    r"^[ \t]*(?:dear\s+[^\n,]{1,40}|(?:hi|hello|hey)\s+(?!maya\b)[^\n,.!?]{1,25})[,:]?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_TEXT_WORK = re.compile(
    r"\W*(?:(?:please|pls|can you|could you|now|and|maya|hey|hi|then|just)[\s,]+)*(?:shorten|translate|proof-?read|"
    r"re-?write|rephrase|reword|summari[sz]e|paraphrase|polish|improve|edit|correct|tidy up|clean up|simplify|"
    r"condense|(?:fix|check) (?:the |my |any )?(?:grammar|spelling|style|typos|wording|text|commas?|tone)|make (?:it|"
    r"this|that|the text) \w+|what does (?:it|this|that) mean|reply to|answer)\b(?! (?:me|my question)\b)",
    re.IGNORECASE,
)
_TO_MAYA = re.compile(r"\s*(?:dear|hi|hello|hey|good (?:morning|evening|afternoon)),? maya\b", re.IGNORECASE)
_SIGN_OFF = re.compile(
    r"^[ \t]*(?:best|kind|warm|many|with best)?[ \t]*(?:regards|wishes|sincerely|cheers|thanks|thank you|best|"
    r"yours(?:"
    r"[ \t]\w+)?|love|greetings|xoxo)[ \t]*[,.!]?[ \t]*\n+[ \t]*[-–—]?[ \t]*\S[^\n]{0,60}$",
    re.IGNORECASE | re.MULTILINE,
)
_DIALOGUE_LINE = re.compile(
    r"^[ \t]*(?:\[?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?\]?[ \t]*[-–]?[ \t]*)?(?:user|human|assistant|system|maya|ai|"
    r"bot|tool|developer|admin|interviewer|narrator)[ \t]*:.*$",
    re.IGNORECASE | re.MULTILINE,
)
_SPEAKER_LINE = re.compile(
    r"^[ \t]*(?:\[[^\]\n]{3,20}\][ \t]*)?([A-Z][\w.'-]{1,20}(?: [A-Z][\w.'-]{1,20})?)[ \t]*:[ \t]+\S.*$", re.MULTILINE
)
_LOG_LINE = re.compile(
    r"^[ \t]*(?:traceback \(most recent.*|file \".*\", line \d+.*|at [\w$.<>]+\(.*\)|caused by:.*|exception in .*|"
    r"[\w.]*(?:error|exception|warning|fatal|panic|failure)\b[\w ]{0,20}:.*|.*\b(?:error|exception)\b:\s.*|"
    r".*\b(?:ERROR|WARN|WARNING|INFO|DEBUG|FATAL|TRACE|CRITICAL)\b[\s:\]].*|"
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*|\w{3} +\d{1,2} \d\d:\d\d:\d\d .*|exit (?:code|status) \d+.*|npm ERR!.*|"
    r"\d{3} (?:bad request|unauthorized|forbidden|not found|internal server error|service unavailable).*)$",
    re.IGNORECASE | re.MULTILINE,
)
_LEVELS = re.compile(r"\b(?:ERROR|WARN|WARNING|INFO|DEBUG|FATAL|TRACE|CRITICAL)\b")
_CODE_LINE = re.compile(
    r"^(?:[ \t]*(?:def \w+\(|class \w+[(:]|import \w+|from \w[\w.]* import |return\b.*[;)]|const \w+|let \w+ ?=|"
    r"var \w+|function\b.*\(|#include|public \w+|private \w+|SELECT\b|INSERT INTO\b|UPDATE \w+ SET|CREATE TABLE|"
    r"DELETE FROM|echo |sudo |curl |git \w+|pip install|npm \w+|export \w+=|print\(|console\.log|System\.out|fmt\.|"
    r"[#%] \w+ = ).*|[ \t]*(?:\$|>>>|\.\.\.|C:\\>) .*|.*[;{}][ \t]*|[ \t]*[\w.\[\]\"']+ ?(?:=|:=|==|\+=) ?\S.*|"
    r"[ \t]*//.*|[ \t]*/\*.*|[ \t]*\"[\w-]+\": .*|[ \t]*[A-Z][A-Z0-9_]{3,}=.*)$",
    re.MULTILINE,
)


def foreign_spans(text: str) -> list[ForeignSpan]:
    """Every foreign part of a message, in no particular order; they may overlap."""
    flat = plain(text)
    machine = [
        *_spans(_CODE_FENCE, flat, Foreign.FENCED),
        *_spans(_TAGGED, flat, Foreign.FENCED),
        *_spans(_BRACKETED, flat, Foreign.FENCED),
        *_spans(_MARKED, flat, Foreign.FENCED),
        *_spans(_ASSIGNED, flat, Foreign.FENCED),
        *_log_lines(flat),
        *_spans(_CODE_LINE, flat, Foreign.FENCED),
        *_inline_code(flat),
    ]
    quoted = [
        *_spans(_QUOTED_LINE, flat, Foreign.QUOTE),
        *_spans(_VERSE, flat, Foreign.QUOTE),
        *_spans(_DIALOGUE_LINE, flat, Foreign.QUOTE),
        *_spans(_STAMPED_LINE, flat, Foreign.QUOTE),
        *_spans(_SIGNED, flat, Foreign.QUOTE),
        *_chat_lines(flat),
        *_pasted(flat),
        *_ruled(flat),
        *_handed_over(flat),
        *_attributed(flat),
        *_quotations(flat),
    ]
    return [*machine, *quoted, *(() if machine else _worked_on(flat))]


def _spans(pattern: re.Pattern[str], text: str, kind: Foreign) -> list[ForeignSpan]:
    return [ForeignSpan(kind=kind, start=m.start(), end=m.end()) for m in pattern.finditer(text) if m.group().strip()]


def _log_lines(text: str) -> list[ForeignSpan]:
    """Lines of a log or an error. A level counts only in capitals: "more info: …" is prose."""
    found = []
    for match in _LOG_LINE.finditer(text):
        line = match.group()
        levelled = re.search(r"\b(?:error|warn|warning|info|debug|fatal|trace|critical)\b", line, re.IGNORECASE)
        prose = levelled and not _LEVELS.search(line) and ":" not in line
        if not prose:
            found.append(ForeignSpan(kind=Foreign.ERROR, start=match.start(), end=match.end()))
    return found


def _inline_code(text: str) -> list[ForeignSpan]:
    """Code in a line; a single word in backticks is a name ("I use `ruff`")."""
    return [
        ForeignSpan(kind=Foreign.FENCED, start=m.start(), end=m.end())
        for m in _INLINE_CODE.finditer(text)
        if re.search(r"[\s=(){};]", m.group(1))
    ]


def _chat_lines(text: str) -> list[ForeignSpan]:
    """Lines of a pasted conversation: two or more that begin with a name and a colon, by at least two voices."""
    lines = list(_SPEAKER_LINE.finditer(text))
    voices = [line.group(1) for line in lines]
    talk = len(lines) >= 3 and len(set(voices)) < len(voices)
    stamped = len(lines) >= 2 and all("[" in line.group() for line in lines)
    if not (talk or stamped):
        return []
    return [ForeignSpan(kind=Foreign.QUOTE, start=lines[0].start(), end=lines[-1].end())]


def _pasted(text: str) -> list[ForeignSpan]:
    """What follows an introduction ("the mail says:"), a forwarded head, or stands between greeting and sign-off."""
    found = []
    for match in _INTRODUCTION.finditer(text):
        if _TO_REPORT.search(text[max(0, match.start() - 12) : match.end()]):
            continue
        if not _ABOUT_ONESELF.search(text[max(0, match.start() - 24) : match.end()]):
            whole = _IN_MARKS.fullmatch(text, match.end())
            end = whole.start("after") if whole else _handed_until(text, match.end())
            found.append(ForeignSpan(kind=Foreign.QUOTE, start=match.end(), end=end))
    for match in _ORDERED_TEXT.finditer(text):
        found.append(ForeignSpan(kind=Foreign.QUOTE, start=match.end(), end=_handed_until(text, match.end())))
    for match in _FORWARDED.finditer(text):
        found.append(ForeignSpan(kind=Foreign.QUOTE, start=match.start(), end=len(text)))
    sign_off = _SIGN_OFF.search(text)
    salutation = next((m for m in _SALUTATION.finditer(text) if not _TO_MAYA.search(m.group())), None)
    if _TO_MAYA.match(text):
        return found
    if sign_off:
        start = salutation.start() if salutation and salutation.start() < sign_off.start() else 0
        found.append(ForeignSpan(kind=Foreign.QUOTE, start=start, end=sign_off.end()))
    elif salutation:
        found.append(ForeignSpan(kind=Foreign.QUOTE, start=salutation.start(), end=len(text)))
    return found


def _ruled(text: str) -> list[ForeignSpan]:
    """What stands between two rules, or after the only one below words about a text: how people set off what they
    paste."""
    rules = [*_RULE.finditer(text)]
    if not rules or (len(rules) == 1 and not _ABOUT_A_TEXT.search(text, 0, rules[0].start())):
        return []
    return [ForeignSpan(kind=Foreign.QUOTE, start=rules[0].end(), end=rules[1].start() if rules[1:] else len(text))]


def _handed_over(text: str) -> list[ForeignSpan]:
    """What follows a sentence that hands over a text, without a colon: the paragraphs after "Sara wrote me this, what
    do I answer?", and the rest after "Here's the bio I need to cut."."""
    if shown := _HERE_IT_IS.search(text):
        return [ForeignSpan(kind=Foreign.QUOTE, start=shown.end(), end=_handed_until(text, shown.end()))]
    parted = re.search(r"\n\s*\n", text)
    handed = parted and _HANDED_OVER.search(text, 0, parted.start())
    return [ForeignSpan(kind=Foreign.QUOTE, start=parted.end(), end=len(text))] if parted and handed else []


def _handed_until(text: str, start: int) -> int:
    """Where what begins there ends, by its own form: a fence, or lines of several voices; else with the message."""
    formed = _FENCE_NEXT.match(text, start) or _VOICES.match(text, start)
    return formed.end() if formed else len(text)


def _worked_on(text: str) -> list[ForeignSpan]:
    """The other paragraphs of a message that asks for work on a text: "Shorten it to one line."."""
    paragraphs = [*re.finditer(r"[^\n]+", text)]
    asked = [p for p in paragraphs if _TEXT_WORK.match(p.group())]
    if not asked or len(paragraphs) < 2:
        return []
    return [ForeignSpan(kind=Foreign.QUOTE, start=p.start(), end=p.end()) for p in paragraphs if p not in asked]


def _attributed(text: str) -> list[ForeignSpan]:
    """First-person words after a heading that is not the person's own: "Descartes: I think …"."""
    found = []
    for match in _ATTRIBUTED.finditer(text):
        if _TO_REPORT.search(text[match.start() : match.end("who") + 1]):
            continue
        first, _, last = match.group("who").rpartition(", ")
        spoken_so = first and _BY_THE_WAY.match(last)
        if match.group("mark") and not spoken_so:
            continue
        who = first if spoken_so else last
        own = (_OWN_HEADING.search(who) is not None or not _is_a_speaker(who)) and not _MATERIAL.search(who)
        if (_NOT_OWN_HEADING.search(who) and not _ABOUT_ONESELF.search(who)) or not own:
            talk = _VOICES_HERE.match(text, match.start("who"))
            found.append(ForeignSpan(kind=Foreign.QUOTE, start=match.end(), end=talk.end() if talk else len(text)))
    return found


def _is_a_speaker(heading: str) -> bool:
    """A name, or somebody by their role: "Pessoa", "The Duke of York", "my boss". "Proud moment" is neither."""
    words = re.findall(r"[^\W\d_][\w'-]*", heading)
    big = [word for word in words if word[0].isupper()]
    small = [
        word for word in words if word[0].islower() and word not in ("of", "the", "de", "van", "von", "der", "and")
    ]
    return bool(set(map(str.lower, words)) & PERSON_NOUNS) or (bool(big) and not small)


def _quotations(text: str) -> list[ForeignSpan]:
    """Speech and text in quotation marks; a short name in them ("a dog called “Rex”") is not a quotation."""
    found = []
    matches = [*_QUOTED.finditer(text)]
    for match in matches:
        inside = match.group(1) or match.group(2) or ""
        before = text[max(0, match.start() - 80) : match.start()]
        short = len(inside.split()) <= 4 and not _PERSONAL.search(inside)
        if not (short and _NAMING.search(before) and not _SAYING.search(before)):
            found.append(ForeignSpan(kind=Foreign.QUOTE, start=match.start(), end=match.end()))
    last = max((m.end() for m in matches), default=0)
    if unclosed := _OPEN_QUOTE.search(text, last):
        found.append(ForeignSpan(kind=Foreign.QUOTE, start=unclosed.start(), end=len(text)))
    return found
