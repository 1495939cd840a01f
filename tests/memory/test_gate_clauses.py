"""Classes of clauses that the gate reads: what each says, of whom, and whether it holds. One or more words for each."""

import pytest

from maya_core.domain.memory import Relation
from maya_core.memory.claims import Claim, Reason
from maya_core.memory.offline_extractor import extract
from maya_core.memory.statements import read
from maya_core.memory.told import Meant
from tests.memory.talk import admitted, claim, reason, talk

R = Relation


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Bergen", R.LIVES_IN), "Bergen, where I've been living since 2019."),
        (claim("Ghent", R.LIVES_IN), "In Ghent, where I live, the trams are full; is that so in Bruges?"),
        (claim("Harbour Trust", R.WORKS_AT), "It is the Harbour Trust by which I am employed."),
        (claim("penicillin", R.ALLERGIC_TO), "It's penicillin I'm allergic to."),
        (claim("Helix", R.USES), "Helix is what I use."),
        (claim("rooibos", R.HAS_PREFERENCE_FOR), "What I prefer is rooibos."),
        (claim("Delft", R.LIVES_IN), "The town where I live is Delft."),
        (claim("nurse", R.WORKS_AS), "As a nurse, I get up at five."),
        (claim("seed bank", R.RELATED_TO, subject="Marit", label="manages"), "The seed bank is managed by Marit."),
        (claim("barn", R.OWNS, subject="Piotr"), "The barn is owned not by me but by Piotr."),
        (claim("Finnish", R.SPEAKS, subject="Aino"), "The only person in our office who speaks Finnish is Aino."),
    ],
)
def test_relative_clauses_clefts_and_passives_say_what_a_plain_clause_would(made: Claim, line: str) -> None:
    assert reason(made, line) is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("chess", R.HAS_PREFERENCE_FOR), "the guy I share my office with is obsessed with chess"),
        (claim("technician", R.WORKS_AS), "My brother works at Acme, as a technician."),
        (claim("Szeged", R.COMES_FROM), "Ottilie, with whom I share the workshop, was born in Szeged."),
        (claim("stamps", R.HAS_PREFERENCE_FOR), "Dieter, whom I share an office with, collects stamps."),
        (claim("wasp", R.OWNS), "There's a wasp in here, back in a second."),
        (claim("dog", R.HAS_PET), "The dog is my neighbour's, I only walk her."),
        (claim("five min", R.USES), "running five min late, start without me"),
        (claim("all for now", R.IS_A), "No, that's all for now."),
    ],
)  # fmt: skip
def test_what_others_do_and_what_is_of_the_moment_is_not_the_users(made: Claim, line: str) -> None:
    assert reason(made, line) is not None


def test_an_answer_may_be_pointed_at_by_what_follows_it() -> None:
    asked = "Maya: What should I avoid when I order?"
    assert (
        reason(claim("sesame", R.ALLERGIC_TO, cites=(2,)), asked, "Sesame, please. I'm badly allergic to it.") is None
    )
    assert reason(claim("brutal", R.HAS_PREFERENCE_FOR), "Brutal. I love it.") is not None


@pytest.mark.parametrize(
    ("subject", "thing", "held"),
    [("Little Jonas", "boat", True), ("Big Jonas", "boat", False)],
)
def test_two_with_a_name_in_common_are_two(subject: str, thing: str, held: bool) -> None:
    lines = ("My cousins are Big Jonas and Little Jonas.", "Little Jonas has a boat.")
    assert (reason(claim(thing, R.OWNS, subject=subject, cites=(2,)), *lines) is None) is held


@pytest.mark.parametrize(
    ("subject", "thing", "relation", "line"),
    [
        ("Leopold", "Marguerite", R.PARTNER_OF, "My son is Leopold. Leopold's wife is called Marguerite."),
        ("user", "Philippa", R.FAMILY_OF, "Great-aunt Philippa lives in Ely."),
        ("user", "Beatrix", R.KNOWS, "Casimir is my godson. His mother, Beatrix, is my oldest friend."),
    ],
)
def test_who_somebody_is_may_be_said_by_the_way(subject: str, thing: str, relation: Relation, line: str) -> None:
    assert reason(claim(thing, relation, subject=subject), line) is None


def test_a_father_in_law_is_no_husband() -> None:
    made = admitted(claim("Ambrose", R.PARTNER_OF), "My father-in-law, Ambrose, chairs the club.")
    assert made.claim.relation is R.FAMILY_OF


@pytest.mark.parametrize(
    ("expected", "thing", "line"),
    [
        (Reason.JOKE, "moon", "I have bought the moon. Every word of the above is nonsense, of course."),
        (Reason.JOKE, "moon", "I have bought the moon. I'm only larking about."),
        (Reason.JOKE, "ninja", "I'm a certified ninja, at least that's what I put in the survey for a laugh."),
        (Reason.JOKE, "Norwegians", "I proposed by radio. Two Norwegians accepted. I'm joking about the radio."),
        (Reason.HYPOTHETICAL, "millionaire", "I'm a millionaire. In Monopoly, that is."),
        (Reason.HYPOTHETICAL, "smuggler", "Let's do a scene. I'm a smuggler."),
        (Reason.HYPOTHETICAL, "castle", "Once upon a time I lived in a castle."),
        (Reason.QUOTED, "barn", "I was born in a barn, according to my mum."),
        (Reason.QUOTED, "Kiel", "I never told you that I live in Kiel."),
        (Reason.WITHDRAWN, "karaoke", "That last line wasn't me. I love karaoke."),
    ],
)  # fmt: skip
def test_what_was_not_meant_is_refused_in_other_words_too(expected: Reason, thing: str, line: str) -> None:
    if expected is Reason.WITHDRAWN:
        assert reason(claim(thing, R.HAS_PREFERENCE_FOR), f"I love {thing}", line.partition(". ")[0]) is expected
    else:
        assert reason(claim(thing, R.IS_A), line) is expected


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Neovim", R.USES), "whatever 🙄 I use Neovim"),
        (claim("Erfurt", R.LIVES_IN), "oh and I'm based in Erfurt"),
        (claim("accordions", R.RELATED_TO, label="restores"), "I restore accordions; my tuba is just a standing joke."),
        (claim("goldsmith", R.WORKS_AS), "I'm a goldsmith; a shop in Rome is a daydream."),
        (claim("Annika", R.WORKS_WITH), "Draft an email for me. I report to Annika."),
        (claim("porter", R.WORKS_AS), "Since the hotel was sold I have been working as a porter."),
        (claim("seaside", R.RELATED_TO, label="rents at"), "If I am not mistaken, we rent a flat at the seaside."),
        (claim("goalies", R.RELATED_TO, label="coaches"), "I coach the goalies – any idea whether it rains?"),
        (claim("steak", R.RELATED_TO, label="had"), "Had a steak every day for years."),
        (claim("Filipa", R.FAMILY_OF), "Sorry to say: it is over. I've moved in with my cousin Filipa."),
    ],
)  # fmt: skip
def test_a_mark_counts_only_where_it_stands(made: Claim, line: str) -> None:
    assert all(c.meant is Meant.ASSERTED for t in read(talk(line)).told for c in t.clauses if made.object in c.text)


@pytest.mark.parametrize(
    ("made", "first", "later"),
    [
        (claim("border terrier", R.RELATED_TO, subject="Barley", label="is"), "Our dog Barley is a border terrier.",
         "The shelter had it wrong: Barley is a lakeland terrier."),
        (claim("wood pellets", R.RELATED_TO, subject="palm house", label="heated with"),
         "Our palm house is heated with wood pellets.", "The palm house is heated with district heat."),
        (claim("Priya", R.PARTNER_OF), "I'm engaged to Priya.", "The ring went back to Priya, we aren't marrying."),
        (claim("7:15 train", R.RELATED_TO, label="takes"), "I take the 7:15 train.", "New plan: it's the 7:40 now."),
        (claim("Elif", R.WORKS_WITH), "My mentor is Elif.", "Elif stepped down as my mentor."),
        (claim("treasurer", R.WORKS_AS), "I'm the treasurer of the club.", "So someone else is treasurer now."),
        (claim("Berlin marathon", R.PLANS), "I'm training for the Berlin marathon.", "Pulled out of Berlin, sadly."),
        (claim("oat milk", R.RELATED_TO, label="takes porridge with"), "I take porridge with oat milk.",
         "Did I say oat milk? I take almond milk."),
        (claim("post office", R.WORKS_AT), "I work for the post office.", "First week at the brewery done!"),
        (claim("rice", R.DISLIKES), "I hate rice.", "Who would have thought it: I love rice."),
        (claim("two kids", R.OWNS), "I've got two kids.", "Number three was born on Tuesday!"),
    ],
)  # fmt: skip
def test_later_words_end_a_statement_without_a_word_of_change(made: Claim, first: str, later: str) -> None:
    assert not admitted(made, first).ended
    assert admitted(made, first, "Maya: Noted.", later).ended


@pytest.mark.parametrize(
    ("made", "first", "later"),
    [
        (claim("Ilya", R.FAMILY_OF), "My nephew Ilya collects pens.", "Ilya is left-handed."),
        (claim("Latin", R.RELATED_TO, label="taught"), "I taught her Latin.", "Hm, I'd rather leave the list out."),
        (claim("Barley", R.HAS_PET), "Our dog is called Barley.", "Is the contract's typo a problem? Bullets please."),
        (claim("Katarzyna", R.PARTNER_OF), "My wife is Katarzyna.", "We have booked a house near Split."),
    ],
)
def test_words_that_only_look_like_an_end_end_nothing(made: Claim, first: str, later: str) -> None:
    assert not admitted(made, first, "Maya: Noted.", later).ended


@pytest.mark.parametrize(
    ("made", "first", "later"),
    [
        (claim("second floor", R.RELATED_TO, label="sits on"), "I sit on the second floor, we moved up in May.",
         "Sorry, I meant the fifth floor. I always confuse the two."),
        (claim("east wing", R.RELATED_TO, label="has as office"), "My office is in the east wing.",
         "West wing! I can never tell them apart."),
        (claim("Lyon office", R.RELATED_TO, label="manages"), "I manage the Lyon office.", "I mean the Lille office."),
        (claim("4 July", R.HAS_DEADLINE, subject="Larkin review"), "The Larkin review is due on 4 July.",
         "Oh, I misread the plan. The Larkin review is due on 14 July, not the 4th."),
        (claim("2 September", R.HAS_DEADLINE, subject="thesis"), "The thesis is due on 2 September.",
         "Ah no, 12 September, not the second."),
        (claim("1 April", R.HAS_DEADLINE, subject="invoice"), "The invoice is due on 1 April.",
         "That should be 11 April."),
        (claim("Polish", R.STUDIES), "I study Polish on Mondays.",
         "Actually it's Czech I study, I typed Polish by mistake."),
        (claim("Siemens", R.WORKS_AT), "I work at Siemens.",
         "Bosch, of course, I don't know why I said Siemens."),
        (claim("night shift", R.RELATED_TO, label="manages"), "I manage the night shift.",
         "It's the day shift I manage, no idea why I put night shift."),
        (claim("Czech", R.SPEAKS), "I speak Czech.", "Slovak, I mean."),
        (claim("soy", R.ALLERGIC_TO), "I'm allergic to soy.", "Ugh, sesame. I keep writing soy."),
        (claim("physics", R.STUDIES), "I study physics.", "Haha no, chemistry. I study chemistry."),
        (claim("archive", R.RELATED_TO, subject="Iris", label="manages"), "Iris manages the archive.",
         "I told you wrong, Iris manages the library."),
        (claim("Jonas", R.RELATED_TO, label="has as manager"), "My manager is Jonas.",
         "I meant Jannes. Jonas is my neighbour."),
        (claim("Portuguese", R.RELATED_TO, label="has as first language"), "My first language is Portuguese.",
         "No no, Spanish. Portuguese is my second."),
    ],
)  # fmt: skip
def test_what_is_put_right_in_ordinary_words_holds_no_more(made: Claim, first: str, later: str) -> None:
    assert not admitted(made, first).ended
    assert admitted(made, first, "Maya: Noted.", later).ended


@pytest.mark.parametrize(
    ("made", "first", "later"),
    [
        (claim("French", R.SPEAKS), "I speak French.", "Spanish too, of course: I speak Spanish with my kids."),
        (claim("Ines", R.FAMILY_OF), "My sister is Ines.", "Ole. My brother is Ole."),
        (claim("Pia", R.WORKS_WITH), "My colleague Pia does the books.", "Tim, of course, does nothing."),
        (claim("Nokia", R.WORKS_AT), "I work at Nokia.", "I should say thanks to Elisa. She helped me."),
        (claim("Saab", R.OWNS), "I own a Saab.", "No problem. My neighbour owns a Volvo."),
        (claim("Welsh", R.SPEAKS), "I speak Welsh.", "English, of course. I speak English at work."),
        (claim("third floor", R.RELATED_TO, label="sits on"), "I sit on the third floor.",
         "Sorry, the printer is on the fourth floor, I always confuse the two."),
        (claim("Danish", R.STUDIES), "I study Danish.", "Sorry for the late reply. My brother Mats studies law."),
        (claim("Welsh", R.STUDIES), "I study Welsh.", "I deleted my notes by mistake. Piano lessons start Monday."),
        (claim("3 May", R.HAS_DEADLINE, subject="report"), "The report is due on 3 May.",
         "The slides are due on 9 May, not the report."),
    ],
)  # fmt: skip
def test_what_is_said_besides_puts_nothing_right(made: Claim, first: str, later: str) -> None:
    assert not admitted(made, first, "Maya: Noted.", later).ended


def test_what_was_only_typed_is_no_statement_and_what_a_no_goes_on_with_takes_nothing_back() -> None:
    assert reason(claim("Danish", R.IS_A), "Actually it's Norwegian I study, I wrote Danish by mistake.") is not None
    assert reason(claim("lead", R.WORKS_AS), "I'm a lead now, no second signature needed any more.") is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("bakery", R.WORKS_AT), 'The posting reads: "You speak Finnish." I work in a bakery.'),
        (claim("facilities budget", R.RELATED_TO, label="manages"),
         "I manage the facilities budget and they've asked me to sign something."),
        (claim("Quarry Hall", R.RELATED_TO, label="runs at"),
         "What is settled is that I'm running the party at Quarry Hall."),
        (claim("Serbian", R.SPEAKS), "Let me rephrase: I speak Serbian."),
    ],
)  # fmt: skip
def test_own_words_stay_own_beside_a_quotation_a_request_or_a_cleft(made: Claim, line: str) -> None:
    assert reason(made, line) is None


def test_own_words_before_a_request_to_say_something_are_still_told_for_others() -> None:
    assert reason(claim("Oslo", R.LIVES_IN), "My boss asked me to write that I live in Oslo.") is not None
    assert reason(claim("Oslo", R.LIVES_IN), 'The mail reads: "Hello. I live in Oslo." What now?') is not None


def test_a_claim_in_the_past_tense_stays_true_of_what_was() -> None:
    assert not admitted(claim("Latin", R.RELATED_TO, label="taught"), "I taught Latin.").ended
    assert admitted(claim("Latin", R.RELATED_TO, label="teaches"), "I taught Latin.").ended


def test_who_dislikes_by_now_dislikes() -> None:
    line = "I don't like oat milk anymore."
    assert not admitted(claim("oat milk", R.DISLIKES), line).ended
    assert admitted(claim("oat milk", R.HAS_PREFERENCE_FOR), "I like oat milk.", line).ended


@pytest.mark.parametrize(
    ("first", "second"),
    [("twelfth of June", "twentieth of June"), ("third of May", "thirty-first of May")],
)
def test_ordinals_in_words_are_different_days(first: str, second: str) -> None:
    said = (f"The report is due on the {first}.", f"Mistaken I was: the report is due on the {second}.")
    assert admitted(claim(first, R.HAS_DEADLINE, subject="report"), *said).ended
    assert not admitted(claim(second, R.HAS_DEADLINE, subject="report", cites=(2,)), *said).ended


def test_words_of_very_many_letters_are_read_like_others() -> None:
    """What matches word by word cannot take them apart; otherwise it goes on for minutes here."""
    place = "D" + "d" * 180
    line = f"the {'b' * 190} {'c' * 190} where we live is {place}"
    assert reason(claim(place, R.LIVES_IN), f"I live in {place}. {line}") is None
    assert read(talk(line)).told[0].clauses[0].text.startswith("the b")


def test_what_runs_on_without_a_stop_is_read_once() -> None:
    """Put into plain order for each of its verbs, it would be read as often as it has verbs."""
    assert len(read(talk("all of that was just " * 200)).told[0].clauses) == 1


@pytest.mark.parametrize(
    ("made", "first", "second"),
    [
        (claim("Acme", R.WORKS_AT, subject="Maria"), "Maria works at Acme.", "Maria no longer works at Acme."),
        (claim("bakery", R.RELATED_TO, subject="Ines", label="manages"),
         "Ines manages the bakery.", "She no longer manages the bakery."),
        (claim("Acme", R.WORKS_AT, subject="sister"), "My sister works at Acme.", "My sister no longer works at Acme."),
        (claim("Delft", R.LIVES_IN, subject="Piotr"), "Piotr lives in Delft.", "Piotr formerly lived in Delft."),
    ],
)  # fmt: skip
def test_what_stands_between_somebody_and_the_verb_may_end_it(made: Claim, first: str, second: str) -> None:
    assert admitted(made, first, second).ended
    assert not admitted(made, first).ended


@pytest.mark.parametrize("line", ["Relax, I was only joking.", "Calm down, just a joke.", "Easy, that was a joke."])
def test_a_joke_is_taken_back_after_a_word_that_calms(line: str) -> None:
    assert reason(claim("Moon", R.PLANS), "I've decided to move to the Moon next Tuesday.", line) is not None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("hiking", R.HAS_PREFERENCE_FOR), "Love hiking, hate camping."),
        (claim("camping", R.DISLIKES), "Love hiking, hate camping."),
        (claim("cilantro", R.DISLIKES), "Not a fan of cilantro tbh."),
        (claim("Galway", subject="dad"), "my mum lives in Cork, my dad in Galway"),
        (claim("bees", R.ALLERGIC_TO, subject="son"), "My daughter's allergic to strawberries, my son to bees."),
        (claim("Split"), "I'm writing from Split where I've lived since 2018."),
        (claim("backend developer", R.WORKS_AS), "About me:\n- based in Cork\n- backend developer at Fernhill"),
        (claim("bullet points", R.HAS_PREFERENCE_FOR), "About me:\n- based in Cork\n- prefer bullet points"),
        (claim("Lena", R.IS_NAMED), "Quick intro: Lena, 41, paediatric nurse in Graz."),
        (claim("Lille"), "My details: name Omar Haddad, born 3 May 1990, living in Lille."),
        (claim("hay fever", R.HAS_CONDITION), "I've got hay fever, so spring is tough."),
        (claim("budget part", R.RELATED_TO, subject="Ravi", label="writes"), "Ravi writes the budget part."),
        (claim("Sam", R.IS_NAMED), "I go by Sam."),
        (claim("Lukas", R.IS_NAMED), "Hi, Lukas here from accounting."),
        (claim("tea", R.RELATED_TO, label="drinks"), "I switched to tea."),
    ],
)
def test_what_people_leave_out_is_put_back(made: Claim, line: str) -> None:
    assert reason(made, line) is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("PostgreSQL", R.USES, subject="Redis"), "We use PostgreSQL for data and Redis for caching."),
        (claim("answer", R.HAS_PREFERENCE_FOR), "Love the answer, thanks."),
        (claim("Galway"), "my mum lives in Cork, my dad in Galway"),
        (claim("Tom", R.IS_NAMED), "Quick intro to the text please, Tom needs it."),
        (claim("post office", R.RELATED_TO, label="has to"), "I have to run to the post office before six"),
        (claim("delayed", R.HAS_STATUS, subject="train"), "My train is delayed, typical"),
    ],
)
def test_what_is_left_out_is_not_made_up(made: Claim, line: str) -> None:
    assert reason(made, line) is not None


def test_a_part_of_several_is_nobody() -> None:
    assert not extract(talk("Half my team is vegan, most of my friends like opera."))


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Dr. Lindqvist", R.WORKS_WITH), "Here is what applies to me:\n- Supervisor: Dr. Lindqvist\n- Car: none"),
        (claim("Tetum", R.SPEAKS), "Here is what applies to me:\n- Languages: Portuguese, English and Tetum"),
        (claim("Nkechi Obi", R.WORKS_WITH), "My onboarding notes, could you tidy them up?\n* Manager: Nkechi Obi"),
        (claim("crane operator", R.WORKS_AS, subject="Lenka"), "Who is who on the dock team:\n- Lenka: crane operator"),
        (claim("Miro", R.USES), "The transcript of the call:\nVENDOR: We use Jira.\nUS: Fine.\nI use Miro."),
        (claim("junior tester", R.WORKS_AS), "Thanks, that was a thought experiment; I am a junior tester."),
        (claim("bar exam", R.RELATED_TO, label="goal"), "My goal is to pass the bar exam."),
        (claim("Malmö", R.LIVES_IN), "What would you say: is Blender better? I live in Malmö."),
    ],
)
def test_lists_and_what_follows_a_transcript_are_read(made: Claim, line: str) -> None:
    assert reason(made, line) is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Nkechi Obi", R.WORKS_WITH), "The form of our customer:\n* Manager: Nkechi Obi"),
        (claim("Oldham", R.LIVES_IN), "I'm filling in a form for my dad: born in 1950, lives in Oldham."),
        (claim("Jira", R.USES), "The transcript of the call:\nVENDOR: We use Jira.\nUS: Fine.\nI use Miro."),
        (claim("Klingon", R.SPEAKS), "I speak fluent Klingon and Elvish. (I am joking about both.)"),
    ],
)
def test_what_a_list_says_of_others_is_not_the_users(made: Claim, line: str) -> None:
    assert reason(made, line) is not None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("city of Turku", R.WORKS_AT), "So let me state it plainly: I work for the city of Turku."),
        (claim("Dr Kos", R.WORKS_WITH), "As mentioned above, my supervisor is Dr Kos."),
        (claim("Ms Achebe", R.WORKS_WITH), "Since the merger I have reported to Ms Achebe."),
        (claim("horses", R.ALLERGIC_TO), "I would like to add that I am allergic to horses."),
        (claim("Linz", R.LOCATED_IN, subject="office"), 'You wrote "your office in Graz", but my office is in Linz.'),
        (claim("build scripts", R.RELATED_TO, label="maintain"), "I'm the one who maintains the build scripts."),
        (claim("fire brigade", R.MEMBER_OF), "It was in 2012 that I joined the fire brigade."),
        (claim("Mr Petersen", R.KNOWS), "I wrote to my landlord yesterday. He is called Mr Petersen."),
    ],
)  # fmt: skip
def test_words_of_saying_do_not_make_it_somebody_elses(made: Claim, line: str) -> None:
    assert reason(made, line) is None


@pytest.mark.parametrize(
    "line",
    [
        "According to the article, I am from Tartu but I have lived in Utrecht since 2019.",
        "My profile on the site says:\n- Name: Zed\n- City: Utrecht",
        "Ms Achebe reported that I live in Utrecht.",
    ],
)
def test_what_others_say_of_the_user_stays_theirs(line: str) -> None:
    assert reason(claim("Utrecht"), line) is not None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Malmö", R.LIVES_IN), "I live in Malmö. That was wrong, it's Lund."),
        (claim("Malmö", R.LIVES_IN), "I told you I live in Malmö. That's not right."),
        (claim("Malmö", R.LIVES_IN), "I told you we live in Malmö but that's wrong, we live in Lund."),
        (claim("Acme", R.WORKS_AT), "I said I work at Acme. Wrong, it's Bolt."),
        (claim("Kiel", R.LIVES_IN, subject="sister"), "I told you my sister lives in Kiel. She doesn't."),
    ],
)
def test_what_is_called_wrong_in_the_next_breath_was_never_so(made: Claim, line: str) -> None:
    assert reason(made, line) is Reason.WITHDRAWN


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Malmö", R.LIVES_IN), "I live in Malmö. It was a mistake to leave Lund."),
        (claim("opera", R.HAS_PREFERENCE_FOR, subject="husband"), "My husband likes opera. I don't."),
        (claim("Malmö", R.LIVES_IN), "I live in Malmö. That's not right for everybody."),
        (claim("head of procurement", R.WORKS_AS), "I've taken over as head of procurement in January."),
        (claim("in-house counsel", R.WORKS_AS), "Since March I've been in-house counsel at Brightwater."),
        (claim("Elbtrans", R.WORKS_AT), "I'm with a logistics company in Hamburg called Elbtrans."),
        (claim("Freya", R.HAS_PET), "I've had a German shepherd since 2019, her name is Freya."),
        (claim("sesame", R.ALLERGIC_TO), "Since you asked about food: I'm allergic to sesame."),
    ],
)
def test_what_only_looks_taken_back_passing_or_reported_is_kept(made: Claim, line: str) -> None:
    assert reason(made, line) is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("wine buyer", R.WORKS_AS), "I'm three weeks into a new position as a wine buyer."),
        (claim("Hobart", R.LIVES_IN), "I hail from Dunedin but Hobart is home these days."),
        (claim("Anki", R.USES), "I swear by Anki for vocabulary."),
        (claim("Comet", R.HAS_PET), "We adopted a greyhound; she answers to Comet."),
        (claim("fire brigade", R.WORKS_AT), "I'm with the fire brigade in Trento."),
        (
            claim("Port Authority", R.WORKS_AT),
            "My employer, the Port Authority, closes between Christmas and New Year.",
        ),
        (claim("tram depot", R.WORKS_ON), "I'm still on the tram depot project."),
        (claim("Tbilisi", R.VISITED), "Last October I visited Tbilisi with a friend."),
    ],
)
def test_what_one_is_and_has_in_the_words_of_a_story_is_kept(made: Claim, line: str) -> None:
    assert reason(made, line) is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("translator", R.WORKS_AS), "freelance translator here. i speak Polish"),
        (claim("Annemiek", R.WORKS_WITH), "My manager is Annemiek and she'd never write like that."),
        (
            claim("Quarrystone", R.WORKS_AT),
            "login is devadmin / Plum-Hunter-8842! write the curl? also i'm at Quarrystone",
        ),
    ],
)
def test_short_and_careless_messages_are_read(made: Claim, line: str) -> None:
    assert reason(made, line) is None


def test_what_goes_on_as_it_was_is_not_over_and_yes_may_open_a_joke() -> None:
    assert not admitted(
        claim("Ferrovia", R.WORKS_AT), "i work at Ferrovia.", "cool, not actually leaving the CV be"
    ).ended
    assert (
        reason(claim("children", R.OWNS), "I have fourteen children.", "haha yes, just kidding, they're plants")
        is Reason.JOKE
    )
    assert [found.object for found in extract(talk("I'm allergic to latex, fyi, for the kit list"))] == ["latex"]
