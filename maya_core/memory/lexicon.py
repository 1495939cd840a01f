"""Words by what they do in an English sentence: the closed classes whole, the common verbs with their forms. Pure."""

from collections.abc import Iterator

PERSON_NOUNS = frozenset(
    """
    sister brother mother father mom mum mommy dad daddy wife husband spouse partner girlfriend boyfriend fiance fiancee
    fiancé fiancée
    friend colleague coworker workmate boss manager supervisor neighbour neighbor roommate flatmate housemate physio
    teacher
    professor doctor dentist therapist client customer cousin aunt uncle grandmother grandfather grandma grandpa granny
    nan kid kids child children son daughter baby toddler teammate lead landlord landlady ex nephew niece buddy mate pal
    mentor intern assistant recruiter accountant lawyer sibling siblings parents parent grandparents grandparent in-laws
    stepparents
    grandson granddaughter stepson
    stepdaughter stepmother stepfather stepbrother stepsister godson goddaughter godmother godfather twin twins bestie
    guy man woman lady someone somebody everyone everybody anyone nobody people person friends colleagues students
    student bro sis ceo cto cfo vp director trainer coach tenant nanny babysitter in-law mother-in-law father-in-law
    sister-in-law brother-in-law contractor hire newcomer newbie candidate applicant guest patient gf bf
    missus godparent aunty auntie hubby wifey kiddo crush folks family team-mate
    """.split()
)
"""Who somebody is to others: kin, work, acquaintance."""
ANIMALS = frozenset(
    """
    dog cat puppy kitten rabbit bunny hamster parrot budgie horse pony tortoise turtle gecko ferret guinea-pig labrador
    poodle beagle terrier corgi greyhound whippet dachshund pug bulldog husky spaniel chihuahua goldfish canary snake
    hedgehog rat mouse gerbil chinchilla lizard donkey goat hen chicken duck pet dogs cats pets shepherd retriever
    collie doberman rottweiler dalmatian schnauzer pomeranian setter malamute lurcher siamese ragdoll tabby mare
    gelding parakeet cockatiel cockatoo axolotl iguana fish bird
    """.split()
)
"""Who lives with people and has a name."""
_NO_SURE_PETS = frozenset("pet pets dogs cats mouse chicken duck fish bird setter".split())
PET = "(?:" + "|".join(sorted(ANIMALS - _NO_SURE_PETS, key=len, reverse=True)).replace("-", "[ -]") + ")"
"""One of them, as a pattern: what is neither on a plate nor on a desk."""
PRONOUNS = frozenset("i we he she they it you who there everyone everybody someone somebody nobody".split())
"""Words that can be the whole subject of a verb."""
NOMINATIVE = frozenset("i we he she they who".split())
"""Those that cannot be an object as well: what follows them is a verb, known or not."""
OBJECTS = frozenset("me us him them her you it myself ourselves himself herself themselves each".split())
POINTING = frozenset("this that these those one".split())
INTERJECTIONS = frozenset(
    """
    please ok okay oh well right haha lol hi hey hello yes yeah yep no nope nah thanks btw fyi sorry ah um uh hmm hm
    argh
    ugh oops wow anyway maya guess sure fine cool good great nice phew aw ha morning actually
    """.split()
)
"""What people say before they begin."""
DETERMINERS = frozenset(
    """
    a an the this that these those my our your his her its their some any no every each all both another either neither
    much many few several half most whose which what
    """.split()
)
PREPOSITIONS = frozenset(
    """
    in on at to for of from with by about into over under during without within near as like via per since until till
    after before around between behind through across against along among outside inside above below beside besides
    off out up down onto towards toward upon past despite except beyond than unlike plus versus minus
    """.split()
)
COORDINATORS = frozenset("and or but nor yet so plus".split())
SUBORDINATORS = frozenset(
    """
    if unless because since although though while whereas when whenever once until till before after as than that
    whether who which whose where why how what wherever cause cos
    """.split()
)
BE = frozenset("be am is are was were been being 'm 're".split())
HAVE = frozenset("have has had having 've".split())
DO = frozenset("do does did doing done".split())
MODALS = frozenset("will would can could shall should may might must 'll 'd ca wo sha".split())
NEGATIONS = frozenset("not n't never".split())
ADVERBS = frozenset(
    """
    now also still just only already really actually currently finally usually always mostly mainly often sometimes
    myself personally
    rarely too very so quite rather even ever never recently lately originally again soon here there then today tonight
    tomorrow yesterday nowadays anymore almost nearly probably maybe perhaps both together alone instead otherwise
    basically officially generally normally simply honestly luckily sadly unfortunately apparently totally completely
    definitely absolutely at-least kind-of sort-of since well long longer back away once twice daily weekly monthly
    yearly first second hardly barely seldom largely partly purely formally technically essentially temporarily
    permanently happily regularly solely exclusively primarily previously formerly
    """.split()
)
OPINIONS = frozenset(
    """
    good great nice bad terrible awful lovely horrible huge weird strange wonderful brilliant excellent perfect ideal
    fine fantastic amazing calm clever stupid silly real true total complete absolute proper big wrong right funny
    interesting boring tiny rough tough hard long quick short smart beautiful ugly better best worse worst
    """.split()
)
"""What one thinks of something."""
TRAITS = frozenset(
    """
    vegan vegetarian pescatarian pescetarian flexitarian coeliac celiac diabetic teetotal lactose gluten left-handed
    right-handed colour-blind color-blind colourblind colorblind dyslexic deaf blind hard-of-hearing autistic asthmatic
    epileptic muslim jewish buddhist hindu christian catholic protestant atheist agnostic halal kosher single married
    engaged divorced widowed separated retired unemployed self-employed freelance pregnant bilingual trilingual fluent
    native allergic intolerant afraid scared terrified frightened anxious fond keen responsible based born originally
    half part-time full-time left-footed shortsighted short-sighted nearsighted bald tall gay lesbian bisexual trans
    queer straight non-binary monolingual sober smoke-free anaemic anemic hypertensive insulin-dependent
    immunocompromised
    wheelchair-bound partially disabled neurodivergent
    """.split()
)
"""What one can be for years without an article."""
OFFICES = frozenset(
    """
    head deputy vice chief senior junior lead ceo cto cfo coo co-founder cofounder founder president treasurer secretary
    chair captain
    """.split()
)
"""What one is for an organisation, without an article: "head of sales"."""
STATUSES = frozenset(
    """
    due done finished ready live cancelled canceled delayed blocked pending approved rejected closed open overdue
    postponed complete completed scheduled booked sold vacant free fixed worth available unavailable mandatory optional
    broken dead gone off over up operational offline online red green blue yellow orange purple black white grey gray
    brown pink teal ochre turquoise beige navy crimson electric diesel hybrid petrol metric remote weekly monthly daily
    yearly quarterly annual biweekly fortnightly vegan vegetarian halal kosher gluten-free wheelchair-accessible
    """.split()
)
"""How a thing stands, and what sort of thing it is."""
MOODS = frozenset(
    """
    tired hungry bored fine sure sorry happy glad busy stuck confused curious late early excited thirsty sleepy cold hot
    wet dry freezing stressed exhausted annoyed frustrated lost sick well nervous sad angry upset starving full empty
    awake
    sticky loud slow fast wiped drained overwhelmed grumpy cranky relieved impressed thankful grateful worried anxious
    okay ok hilarious helpful useful useless embarrassing annoying exciting confusing crazy mad insane ridiculous
    unreal adorable delicious tasty gross dirty messy clean cute sweet salty sour bitter spicy fresh stale heavy light
    expensive cheap easy difficult simple complicated important necessary possible impossible likely unlikely ready
    frozen cracked warm cool sunny rainy windy cloudy dark bright noisy quiet sore swollen itchy numb running
    """.split()
)
"""How somebody or something is just now."""
CONTRACTED = {"cannot": ("can", "not"), "gonna": ("going", "to")}
"""Two words in one."""

_IRREGULAR = """
arise arose arisen; awake awoke awoken; bear bore born; beat beat beaten; become became become; begin began begun;
bend bent bent; bet bet bet; bind bound bound; bite bit bitten; bleed bled bled; blow blew blown; break broke broken;
bring brought brought; build built built; burn burnt burnt; buy bought bought; catch caught caught; choose chose chosen;
come came come; cost cost cost; creep crept crept; cut cut cut; deal dealt dealt; dig dug dug; draw drew drawn;
dream dreamt dreamt; drink drank drunk; drive drove driven; eat ate eaten; fall fell fallen; feed fed fed;
feel felt felt; fight fought fought; find found found; fit fit fit; flee fled fled; fly flew flown;
forget forgot forgotten; forgive forgave forgiven; freeze froze frozen; get got got; give gave given; go went gone;
grind ground ground; grow grew grown; hang hung hung; hear heard heard; hide hid hidden; hit hit hit; hold held held;
hurt hurt hurt; keep kept kept; kneel knelt knelt; know knew known; lay laid laid; lead led led; lean leant leant;
learn learnt learnt; leave left left; lend lent lent; let let let; lie lay lain; light lit lit; lose lost lost;
make made made; mean meant meant; meet met met; pay paid paid; prove proved proven; put put put; quit quit quit;
read read read; ride rode ridden; ring rang rung; rise rose risen; run ran run; say said said; see saw seen;
seek sought sought; sell sold sold; send sent sent; set set set; sew sewed sewn; shake shook shaken; shine shone shone;
shoot shot shot; show showed shown; shrink shrank shrunk; shut shut shut; sing sang sung; sink sank sunk; sit sat sat;
sleep slept slept; slide slid slid; smell smelt smelt; speak spoke spoken; spell spelt spelt; spend spent spent;
spill spilt spilt; spin spun spun; split split split; spread spread spread; spring sprang sprung; stand stood stood;
steal stole stolen; stick stuck stuck; sting stung stung; strike struck struck; swear swore sworn; sweep swept swept;
swim swam swum; swing swung swung; take took taken; teach taught taught; tear tore torn; tell told told;
think thought thought; throw threw thrown; understand understood understood; undertake undertook undertaken;
wake woke woken; wear wore worn; weave wove woven; weep wept wept; win won won; wind wound wound; write wrote written;
oversee oversaw overseen; overcome overcame overcome; outgrow outgrew outgrown; misread misread misread;
misspeak misspoke misspoken; mistake mistook mistaken; rebuild rebuilt rebuilt; redo redid redone;
rewrite rewrote rewritten; resell resold resold; withdraw withdrew withdrawn; foresee foresaw foreseen;
babysit babysat babysat; mishear misheard misheard; forgo forwent forgone; broadcast broadcast broadcast
"""
_REGULAR = """
abandon accept accompany achieve act adapt add adjust admire admit adopt adore advance advise afford agree aim allow
announce annoy answer anticipate apologise apologize appear apply appoint appreciate approve argue arrange arrest
arrive ask assemble assign assist assume assure attach attack attempt attend attract audit avoid award babble bake
balance ban bank base bathe battle behave believe belong benefit bike blame blend bless block blog board boast boil bolt
book borrow bother bounce bowl brag brake branch breathe breed brew brush bump bunk bury cable calculate call calm camp
cancel captain care carry cash cause celebrate centre chair challenge change charge chase chat check cheer chew chop
claim clap classify clean clear click climb close coach code coincide collaborate collect colour comb combine command
comment commission commit communicate commute compare compete compile complain complete compose compost concentrate
concern conclude conduct confess confirm confuse connect consider consist consult consume contact contain continue
contract contribute control convert convince cook cool coordinate cope copy correct cough count cover crack crash crave
crawl create cross cruise crush cry cuddle cultivate cure curl curse customise cycle damage dance dare date deadlift
debate debug decide declare decline decorate dedicate deduct defend define deflate delay delegate delete deliver demand
demo deny depart depend deploy describe deserve design desire despise destroy detest develop devote diagnose die differ
digest dine direct disagree disappear discover discuss dislike display dispose distribute ditch dive divide divorce
donate double doubt download draft drag dread dress drill drop drown drum dry dump dust earn ease edit educate email
embrace embroider emigrate employ empty enable encounter encourage end endure engage enjoy enlist enrol enroll ensure
enter entertain entertain equip escape establish estimate evaluate exchange excite excuse exercise exhibit exist expand
expect experience expire explain explore export expose express extend face fail faint fancy farm fascinate fast fasten
favour fear feature fence ferment file fill film finance find finish fire fish fix flip flirt float flood flow focus
foil fold follow forage force forecast form format forward foster found frame freelance frequent frighten fry fund
gain gamble garden gather generate gift glue golf govern grab grade graduate grant greet grill groan grumble guarantee
guard guess guide hammer hand handle happen harvest hate haul head heal heat help hesitate highlight hike hire hoard hop
hope host hug hunt hurry identify ignore illustrate imagine immigrate implement import impress improve include increase
incubate induce infect inflate inform inherit inject injure inspect inspire install instruct insulate insure intend
interest interfere intern interpret interview introduce invent invest investigate invite invoice iron irritate issue
itch jam jog join joke judge juggle jump justify kayak kick kid kill kiss knit knock label lack land last laugh launch
lead lease lecture lengthen level lick like limit link list listen live load loan loathe locate lock log look love lower
maintain major manage manufacture map march mark market marry master match matter measure meditate melt memorise mend
mention mentor merge mess migrate milk mine miss mix moderate modify monitor moonlight mop motivate mould mount mourn
move mow multiply murmur narrate narrow need negotiate nest nod note notice number nurse obey object observe obtain
occupy occur offend offer open operate oppose opt order organise organize originate overlap overlook owe own pack
package paddle paint park part participate partner pass paste pause peel perform permit persuade phase phone photograph
pick pilot place plan plant play plead please plug point poke polish pop possess post postpone pour practice practise
praise pray preach prefer prepare prescribe present preserve press pretend prevent print process produce program
programme progress promise promote proofread propose protect provide publish pull pump punch punish purchase push
qualify quarrel query question queue quote race rain raise range rank rate reach react rebrand recall receive reckon
recognise recommend record recover recruit recycle reduce refer refill reflect refrain refuse regard register regret
rehearse reject relate relax release relocate rely remain remember remind remove rename renew renovate rent reopen
repair repeat replace reply report represent request require rescue research resemble reserve reside resign resolve
respect respond rest restart restore restrict retire retrain return reveal review revise reward rework rhyme rinse risk
roast rock roll rotate row rub ruin rule rush sail satisfy save saw scale scan scare scatter schedule score scrap
scratch scream screen scroll scrub sculpt seal search season seat separate serve settle shape share shave shelter shift
ship shop shorten shout shovel shower sign signal sip skate sketch ski skip slice slip slow smile smoke snack sneeze
snore snow snowboard soak solve sort sound source spare spark specialise specialize sponsor spot spray squash squat
stain stamp star stare start starve state stay steer step stir stitch stock stop store strain strengthen stretch stroll
struggle study subscribe substitute succeed suck suffer suggest suit supervise supply support suppose surf surprise
surround survey suspect suspend sweat switch tag talk tango target taste tax tease tempt tend terrify test text thank
threaten tick tidy tie time tip tire title touch tour track trade train transfer transform translate transpose travel
treat tremble trim trip trouble trust try tune turn tutor tweak type undergo uninstall unite unpack update upgrade
upload urge use vacuum value vape verify video view visit voice volunteer vote wait walk wander want warm warn wash
waste watch
water wave weigh weld welcome whisper whistle winter wish wonder work worry worship wrap wreck wrestle yawn yell
coauthor cosplay crochet declutter defrost downsize freelance fundraise homeschool housesit intermit jet job-share
job-hunt lifeguard line-manage multitask outlive outsource overheat pet-sit phase podcast quilt relearn rent-share
resit reunite self-publish shadow sublet-let telework tattoo unfollow upcycle weightlift whittle woodwork
"""
_DOUBLING = frozenset(
    """
    admit babysit ban bet chat chop clap commit control cut dig drop equip fit flip format get grab hit hop hug jam jog
    jot knit lap let log mop nod occur pin pat pet plan plug pop prefer program put quit refer regret rub run scan scrap
    set ship shop shut sit skip slip snap spin split spot star step stir stop sublet swap swim tap tip top transfer
    travel tag trap trim trip wed win wrap cancel label level model rebel drum drag fit rob scrub slim squat permit
    counsel fuel dial total strum kid mob beg hem rip unplug enrol
    """.split()
)
_MORE = "swap sublet wed top model counsel cofound co-found co-own pet pin snap total dial strum tap".split()


def _forms_of(base: str) -> tuple[str, str, str, str]:
    """The regular forms: third person, past, participle, -ing."""
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        return base[:-1] + "ies", base[:-1] + "ied", base[:-1] + "ied", base + "ing"
    third = base + ("es" if base.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")
    if base in _DOUBLING:
        return third, base + base[-1] + "ed", base + base[-1] + "ed", base + base[-1] + "ing"
    if base.endswith("ie"):
        return third, base + "d", base + "d", base[:-2] + "ying"
    if base.endswith("e") and not base.endswith("ee"):
        return third, base + "d", base + "d", base[:-1] + "ing"
    return (
        third,
        base + ("d" if base.endswith("e") else "ed"),
        base + ("d" if base.endswith("e") else "ed"),
        base + "ing",
    )


def _table() -> Iterator[tuple[str, str, str]]:
    for base in (*_REGULAR.split(), *_MORE):
        third, past, part, ing = _forms_of(base)
        yield from ((base, base, "base"), (third, base, "third"), (past, base, "past"), (part, base, "part"))
        yield ing, base, "ing"
    for entry in _IRREGULAR.replace("\n", " ").split(";"):
        base, past, part = entry.split()
        third, regular, _, ing = _forms_of(base)
        yield from ((base, base, "base"), (third, base, "third"), (past, base, "past"), (part, base, "part"))
        yield ing, base, "ing"
        if base in ("learn", "dream", "burn", "lean", "spell", "spill", "smell", "light", "fit", "prove"):
            yield from ((regular, base, "past"), (regular, base, "part"))


def _verbs() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for form, base, kind in _table():
        found.setdefault(form, {}).setdefault(kind, base)
    for form in ("have", "has", "had", "having"):
        found[form] = {}
    return {form: kinds for form, kinds in found.items() if kinds}


VERBS = _verbs()
"""Every form of the known verbs, with what it can be ("base", "third", "past", "part", "ing") and of which verb."""
NOT_NAMES = frozenset(
    "i monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december italian french german spanish english british american indian chinese "
    "japanese korean polish dutch swedish brazilian mexican irish scottish welsh portuguese greek turkish russian "
    "canadian australian swiss thanks please christmas easter english hello sorry yes no oh ok "
    "okay hi hey well so".split()
)
"""Words with a capital that name nobody."""
