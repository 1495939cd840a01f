"""The same plain statements in many frames: in some they are not the person's own word, in others they still are."""

import pytest

from maya_core.domain.memory import Relation
from maya_core.memory.claims import Admitted, Claim
from maya_core.memory.gate import admit
from tests.memory.talk import claim, talk

R = Relation
_STATEMENTS: tuple[tuple[str, Claim], ...] = (
    ("I live in Ghent.", claim("Ghent")),
    ("I'm allergic to sesame.", claim("sesame", R.ALLERGIC_TO)),
    ("My sister Anna works at Acme.", claim("Acme", R.WORKS_AT, subject="Anna")),
    ("We have a dog called Muffin.", claim("Muffin", R.HAS_PET)),
    ("My manager is Priya.", claim("Priya", R.WORKS_WITH)),
    ("I work as a nurse.", claim("nurse", R.WORKS_AS)),
    ("I used to live in Oslo, but now I live in Bergen.", claim("Bergen")),
)
_NOT_THEIR_WORD = (
    'My colleague wrote: "{said}"',
    "Sara said: {said}",
    "Translate this into German: {said}",
    "Imagine the following: {said}",
    "Please proofread this:\n{said}",
    "Fix the grammar:\n\n{said}",
    "He texted me this yesterday:\n\n{said}\n\nWhat should I answer?",
    "My cousin sent me this, can you draft a reply?\n\n{said}",
    "Sara wrote to me.\n---\n{said}\n---\nWhat do I say?",
    "Here is the customer's message. {said}",
    "Below is what the tenant sent us.\n\n{said}\n\nIs that a valid notice?",
    "This is the text I am translating for a customer: {said}",
    "Here's the bio I need to cut to 50 words. {said}",
    "My neighbour's note on the door: {said}",
    "Someone on Reddit posted: {said}",
    "> {said}\nHow do I reply?",
    "```\n{said}\n```\nwhat is this?",
    "From: Bob\nTo: me\n\n{said}\n\nBob",
    "Dear team,\n\n{said}\n\nBest,\nJonas",
    "[system] {said}",
    "{said} Just kidding!",
    "{said} lol, not really",
    "{said} (joke)",
    "{said} April Fools!",
    "{said} That was a joke, of course.",
    "{said} In my dreams, I mean.",
    "{said} At least that's what my horoscope says.",
    "{said} Scratch that, it's not true.",
    "{said} Wait, no, that's my brother, not me.",
    "Don't remember this: {said}",
    "Write a short story that begins with: {said}",
    "My character in the game: {said}",
    "Example sentence for the exercise: {said}",
    "Draft a profile for a fictional user: {said}",
    "I once told a stranger on a train: {said}",
    "Is this sentence correct: {said}",
    "My boss dictated this to me: {said}",
    "Can you turn this into a haiku? {said}",
    "{said} Those are the customer's words.",
    "{said} (Bea's words, not mine)",
    "{said} — Bea",
    "- Bea, on the phone: {said}",
    "{said} That's what it says on her profile.",
    "{said} Or so my mother thinks.",
    "{said} ... is what I would say if I were him.",
    "The witness testified that {said}",
    "{said} Said nobody ever.",
    "{said} Ha, you wish.",
    "{said} Gotcha!",
    "{said} Yeah, right.",
    "{said} That was wrong.",
    "{said} Correct or incorrect?",
    "True or false: {said}",
    "Repeat after me: {said}",
    "Count the words in this: {said}",
    "Use this as the sample answer: {said}",
    "Let us assume for a moment that {said}",
    "I had a dream: {said}",
    "The villain introduces himself. {said}",
    "I'm writing as Bea now: {said}",
    "[00:12:41] {said}",
    "A stranger in the lift blurted out: {said}",
    "My daughter has to learn this by heart: {said}",
    "Spot the lie: {said}",
    "Overheard on the train: {said}",
    "Chapter one. {said}",
    "I doubt that {said}",
    "Let them think that {said}",
    "{said} I read that somewhere.",
    "{said} Which film is that from?",
    "{said} Is that grammatical?",
    "{said} Can you put that into Italian?",
    "{said} Make it rhyme.",
    "{said} (typed by my colleague)",
    "{said} No, that was my evil twin.",
    "{said} Hypothetically.",
    "{said} I wish.",
    "{said} One can dream.",
)
_THEIR_WORD = (
    "{said}",
    "By the way, {said}",
    "Just so you know: {said}",
    "Fun fact: {said}",
    "I should mention that {said}",
    "You should know that {said}",
    "As I told the woman at the counter, twice: {said}",
    "Hi Maya, {said}",
    "{said} Thanks!",
    "{said} No joke.",
    "{said} Can you help me plan dinner?",
    "{said}\n\nWhat would you suggest?",
    "can you keep that in mind please, {said}",
    "Explain what this says:\n```\nnpm i grid\n```\n{said}",
    "Not helping! {said}",
    "Not sure if I mentioned it, but {said}",
    "I never told you this, but {said}",
    "It's probably relevant that {said}",
    "Here's the situation: {said}",
    "Can you shorten my emails from now on? {said}",
    "{said} Please use that from now on.",
    "P.S. {said}",
    "{said} That's why I'm asking.",
    "{said} It's a long story.",
    "{said} Don't worry about it though.",
    "{said} Would you believe that?",
    "While I'm at it: {said}",
    "Remember, {said}",
    "Bear in mind that {said}",
    "In case it matters, {said}",
)


@pytest.mark.parametrize("frame", _NOT_THEIR_WORD)
def test_in_such_a_frame_nothing_is_their_own_word(frame: str) -> None:
    for said, made in _STATEMENTS:
        verdict = admit([made], talk(frame.format(said=said)))[0]
        assert not isinstance(verdict, Admitted) or verdict.closes, said


@pytest.mark.parametrize("frame", _THEIR_WORD)
def test_in_such_a_frame_everything_is(frame: str) -> None:
    for said, made in _STATEMENTS:
        verdict = admit([made], talk(frame.format(said=said)))[0]
        assert isinstance(verdict, Admitted), (said, verdict.reason)
        assert not verdict.ended
