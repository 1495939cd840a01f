"""Verbs and nouns by how long what is said with them lasts. Pure, English."""

FLEETING = frozenset(
    """
    think guess hope want need mean wonder see hear feel remember agree bet suppose promise thank ask wish appreciate
    understand doubt say tell look sound seem appear notice realise realize forget try wait let help find laugh cry
    reckon imagine assume believe consider expect admit suggest swear apologise apologize mention check click paste
    scroll matter happen miss worry wait shall can ache hurt itch crash freeze jam fail break stop hang flicker lag
    rain snow crave fancy owe mind care regret recall recognise know bother annoy confuse surprise amaze scare
    interest concern explain show stare gaze queue yawn shiver sneeze cough
    """.split()
)
"""What one thinks, feels, sees or says just now, and what breaks."""
STAYS = frozenset(
    """
    move relocate marry engage divorce get buy adopt join start begin become switch change quit leave sell retire
    graduate bear
    grow raise promote hire diagnose sign enrol enroll register decide choose pick settle opt book reserve schedule name
    found establish inherit rename swap replace upgrade migrate convert trade drop ditch cancel postpone push extend
    reduce increase cut appoint elect accept defend turn agree enlist emigrate immigrate merge split separate transfer
    license qualify certify train base assign approve set give stop go shift reschedule bring bump lower put take
    confirm select order finalise finalize launch close end downsize slip
    """.split()
)
"""Past acts after which something is so."""
STATES = frozenset(
    """
    live work have own like love hate prefer enjoy use study teach belong drive play keep speak reside rent lead manage
    be run serve suffer smoke drink eat collect volunteer commute attend cycle sing date know share learn wear ride
    support train freelance lodge stay
    """.split()
)
"""What one was or did for a while: in the past tense it is over."""
ONGOING = frozenset(
    """
    live work study learn train teach renovate save plan expect move fly travel relocate start join leave retire marry
    lead manage switch migrate launch host volunteer freelance commute date rent share stay recover research prepare
    organise organize open close cover sell buy adopt visit attend turn intern run build handle reside avoid head
    """.split()
)
"""What goes on for long enough to be remembered, or is planned, when one is doing it."""
AHEAD = frozenset(
    """
    move marry start join retire graduate travel fly visit turn host attend relocate switch leave launch adopt cover
    present speak defend lead take open close have be run go end ship return come teach study stay train play
    spend
    """.split()
)
"""What is a plan when it is said with a date, or of somebody else."""
TRANSIENT = frozenset(
    """
    question questions problem problems issue issues error errors bug idea ideas doubt meeting call headache cold minute
    minutes moment second seconds request favour favor look go try chance feeling time break rush hurry hunch point
    trouble deadline day night morning evening afternoon weekend nap snack lunch dinner breakfast coffee tea sandwich
    drink laugh cry blast hangover choice clue thought suggestion answer message email mail error typo draft version
    list table page file screenshot link sentence paragraph word words riddle joke fun luck sense plan plans guess
    hard stuff things thing hand hands bit lot couple few one ones mess wreck pity shame disaster nightmare treat relief
    joy pleasure pain nuisance delight bummer surprise dream start shout nonsense way kind sort reminder wave while
    fever
    flu sneeze hiccups rest peek glance shower walk
    """.split()
)
"""Nouns for what one has, or is, only just now."""
ABLE = frozenset(
    "speak play cook swim drive eat drink have stand tolerate bear live do read write sing ski start go".split()
)
"""What one can or cannot do for good."""
BY_OTHERS = frozenset("call know employ pay insure engage involve vaccinate colour scare terrify frighten".split())
"""What is done to people for a long time: "is called", "is employed"."""
MADE = frozenset("publish write make design build".split())
PUTS_RIGHT = frozenset("be mean say write call name spell type read make".split())
"""Verbs by which a correction names what was meant: "I meant Bristol", "it's Bristol"."""
