"""Secrets in a text: keys, passwords, card and account numbers, codes. They never become memories. Pure."""

import re
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpan:
    """Characters `start` to `end` (exclusive) are a secret."""

    start: int
    end: int


_LABEL = (
    r"(?:pass\s?words?|pass\s?phrases?|pass\s?codes?|pwd|passwd|pins?(?:\s+(?:code|number))?|cvv|cvc|"
    r"security\s+(?:code|answer|question)|"
    r"api[\s_-]?keys?|access[\s_-]?(?:keys?|codes?|tokens?)|secrets?(?:[\s_-]?keys?)?|client[\s_-]?secret|"
    r"auth(?:entication)?[\s_-]?"
    r"(?:tokens?|codes?)|tokens?|private[\s_-]?keys?|ssh[\s_-]?keys?|encryption[\s_-]?keys?|licen[cs]e[\s_-]?keys?|"
    r"recovery\s+(?:codes?|phrase|key)|seed\s+(?:phrase|words)|otp|2fa\s+codes?|one[\s-]?time\s+(?:codes?|password)|"
    r"verification\s+codes?|(?:door|alarm|gate|entry|unlock|safe|lock|garage|building|key\s?pad|lockbox|vault|"
    r"keyless)\s+codes?|(?:back-?up|emergency|scratch)\s+codes?|combination|password\s+hint|maiden\s+name|"
    r"log\s?-?ins?|credentials?|account\s+(?:number|no\.?)|sort\s+code|routing\s+number|iban|bic|card\s+(?:number|"
    r"no\.?)|"
    r"(?:credit|debit|bank|visa|amex|master\s?card|company|corporate)[\s-]+card|passport(?:\s+(?:number|no\.?))?|"
    r"ssn|social(?:\s+security)?(?:\s+(?:number|no\.?))?|"
    r"national\s+insurance(?:\s+number)?|tax\s+id|driver'?s?\s+licen[cs]e(?:\s+number)?|wi-?fi\s+(?:key|code|"
    r"pass\w*))"
)
_LABELLED = re.compile(
    rf"\b{_LABEL}\b"
    r"(?P<link>[^.!?,;\n:=]{0,40}?(?:\s+(?:is|was|are|to|as|would\s+be|has\s+been)(?:\s+(?:now|still|currently|"
    r"set\s+to|changed\s+to|always|just))*|'s|\s*[:=]|\s*[-–—])\s*)"
    r"(?P<value>\"[^\"\n]+\"|'[^'\n]+'|`[^`\n]+`|“[^”\n]+”|[^\n]{1,120})",
    re.IGNORECASE,
)
_LABEL_ALONE = re.compile(rf"\b{_LABEL}\b", re.IGNORECASE)
_REVERSED = re.compile(
    rf"(?P<value>\S+)\s+(?:is|was)\s+(?:my|our|the|her|his|their)\s+(?:\w+\s+){{0,3}}{_LABEL}\b", re.IGNORECASE
)
_NUMBERED = re.compile(
    r"\b(?:cvv|cvc|pin|otp|pass\s?code|security code|door code|alarm code|access code|sort code|"
    r"combination)\s*(?:number|code)?\s*(?:is|:|=|#)?\s*#?(?P<value>\d[\d\s-]{1,}\d)",
    re.IGNORECASE,
)
_LOCKED = re.compile(
    r"\b(?:pad|bike |luggage |suitcase )?(?:lock|locker|safe|vault|alarm|keypad)\b"
    r"[^.!?\n]{0,25}?(?P<value>\d[\d\s-]+\d)",
    re.IGNORECASE,
)
_OPENS_NOTHING = "".join(
    rf"(?<!{word} )"
    for word in (
        "post postal zip area dial dialling country dress error status exit product discount promo source project "
        "booking colour color airport"
    ).split()
)
_CODE_FOR = re.compile(
    rf"\b{_OPENS_NOTHING}"
    r"(?:codes?|combination|combo)\s+(?:for|of|to|on|at)\s+(?:the|my|our|his|her|"
    r"their)\s+[^.!?\n\d]{2,30}?(?:\s+is|\s+are|'s|:|=)\s+"
    r"(?:now\s+|still\s+)?#?(?P<value>\d[\d\s*#-]{1,}[\d#*])",
    re.IGNORECASE,
)
_OPENS_WITH = re.compile(
    r"\b(?:opens?|unlocks?|unlocked|logs? in|log in|sign in|get in)\s+(?:only )?with\s+(?:the\s+)?(?:(?:word|"
    r"words|code|phrase|number|"
    r"pin|combination|sequence)\s+)(?P<value>[^\s,.;!?]+(?:[-\s]\d+)*)",
    re.IGNORECASE,
)
_ONE_FOR_ALL = re.compile(
    r"\buse\s+(?P<value>(?=(?:\S*?\d){3})(?=\S*[A-Za-z])\S{8,})\s+(?:for|on|as)\s+(?:everything|all (?:of )?(?:my|our|"
    r"the) |every (?:site|account|login|"
    r"app)|my (?:accounts|logins|mail|bank))",
    re.IGNORECASE,
)
"""Codes by what they open, and one word for all accounts."""
_SHAPES = (
    re.compile(
        r"\b(?:sk|pk|rk|api|key|tok|pat|ghp|gho|ghs|ghu|glpat|xox[abprs]|hf|gsk|npm|pypi|shpat|whsec|dop|"
        r"SG)[-_.][\w.-]{6,}"
    ),
    re.compile(r"\b(?:AKIA|ASIA|AIza|ya29\.|eyJ|github_pat_)[\w.-]{8,}"),
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(r"\b[a-z][a-z0-9+]*://[^\s:/@]+:[^\s@]+@\S+", re.IGNORECASE),
    re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    re.compile(r"\b\d{3}[- ]\d{2}[- ]\d{4}\b"),
    re.compile(r"\b[Bb]earer\s+[\w.~+/=-]{8,}"),
)
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])")
_DENSE = re.compile(r"(?<![\w/])[\w+=-]{16,}(?![\w/])")
_VALUE_END = re.compile(
    r"(?:[,;]|\.(?=\s|$)|!(?=\s|$)|\s+(?:and|but|so|in case|if|for|please|because|by the way|btw)\b)"
)
_NOT_A_VALUE = re.compile(
    r"^(?:not|never|too|very|so|really|weak|strong|long|short|expired?|expiring|wrong|invalid|broken|lost|missing|"
    r"required|needed|"
    r"rotated?|stored|kept|handled|hashed|encrypted|secure|safe|the same|a\b|an\b|in\b|on\b|at\b|with\b|due\b|"
    r"managed|manager|"
    r"reset|changed\.?$|working|about|something|different|unique|forgotten|up\b|out\b|used|being|going|been|gone|"
    r"blocked|declined|"
    r"accepted|maxed|company|full|empty|valid|ready|fine|ok\b)",
    re.IGNORECASE,
)


def secret_spans(text: str, *, asked: str = "") -> list[SecretSpan]:
    """Every secret in a text. `asked` is the message before it: an answer to "what is your PIN?" is one as a whole."""
    found = [SecretSpan(start=m.start(), end=m.end()) for shape in _SHAPES for m in shape.finditer(text)]
    found += [SecretSpan(start=m.start(), end=m.end()) for m in _CARD.finditer(text) if _luhn(m.group())]
    found += [SecretSpan(start=m.start(), end=m.end()) for m in _DENSE.finditer(text) if _looks_random(m.group())]
    found += _labelled(text)
    if _is_question_for_secret(asked) and len(text) <= 80:
        found.append(SecretSpan(start=0, end=len(text)))
    return found


def is_secret(text: str) -> bool:
    """Whether the text by itself holds a secret."""
    return bool(secret_spans(text))


def without_secrets(text: str) -> str:
    """The text with every secret replaced by three dots in brackets."""
    kept, at = [], 0
    for span in sorted(secret_spans(text), key=lambda span: span.start):
        if span.start >= at:
            kept += [text[at : span.start], "[…]"]
        at = max(at, span.end)
    return "".join([*kept, text[at:]])


def _labelled(text: str) -> list[SecretSpan]:
    found, at = [], 0
    while (match := _LABELLED.search(text, at)) is not None:
        value, start = match.group("value"), match.start("value")
        quoted = value[0] in "\"'`“"
        end = len(value) if quoted else (cut.start() if (cut := _VALUE_END.search(value)) else len(value))
        said = value[:end].strip(" \"'`“”")
        if said and (quoted or not _NOT_A_VALUE.match(said)):
            found.append(SecretSpan(start=start, end=start + max(end, 1)))
        at = start + max(end, 1)  # what follows may have a label of its own
    for match in _REVERSED.finditer(text):
        if re.search(r"[\d!@#$%^&*_]", match.group("value")):
            found.append(SecretSpan(start=match.start("value"), end=match.end("value")))
    for pattern in (_NUMBERED, _LOCKED, _CODE_FOR, _OPENS_WITH, _ONE_FOR_ALL):
        found += [SecretSpan(start=m.start("value"), end=m.end("value")) for m in pattern.finditer(text)]
    if _LABEL_ALONE.search(text):
        for match in re.finditer(r"(?<!\S)\S*[^\s.,;:!?()\"']", text):
            if _looks_chosen(match.group().strip("()\"'")):
                found.append(SecretSpan(start=match.start(), end=match.end()))
    return found


def _is_question_for_secret(asked: str) -> bool:
    last = asked.strip()[-200:]
    return last.endswith("?") and _LABEL_ALONE.search(last) is not None


def _luhn(digits: str) -> bool:
    numbers = [int(c) for c in digits if c.isdigit()]
    doubled = [sum(divmod(2 * n, 10)) if place % 2 else n for place, n in enumerate(reversed(numbers))]
    return len(set(numbers)) > 1 and sum(doubled) % 10 == 0


def _looks_random(word: str) -> bool:
    """Long, and letters and digits through each other."""
    digits = sum(c.isdigit() for c in word)
    letters = sum(c.isalpha() for c in word)
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(word) if a.isalnum() and b.isalnum())
    return digits >= 3 and letters >= 3 and changes >= 4


def _looks_chosen(word: str) -> bool:
    """As people choose passwords, near a word that names one: letters with digits or signs, or four digits and more."""
    if re.fullmatch(r"\d{4,}", word):
        return not re.fullmatch(r"(?:19|20)\d\d", word)
    mixed = (
        re.search(r"[A-Za-z]", word)
        and re.search(r"\d", word)
        and not re.fullmatch(r"\d+(?:st|nd|rd|th|am|pm|k|h|s|%)|[A-Z]?\d[A-Z]{1,2}|v\d.*", word, re.IGNORECASE)
    )
    return bool(mixed and len(word) >= 6) or bool(
        re.search(r"\w[!@#$%^&*]+\w", word) and len(word) >= 6 and "@" not in word
    )
