"""What Maya might remember of somebody in a small team, for the pictures and the journeys."""

from __future__ import annotations

import random
from datetime import timedelta

from maya_core.domain.memory import EntityKind, Relation
from tests.support.memories import World
from tests.support.seeding import Chat, Turn

ABOUT_ME = "01a1ff00-0000-7000-8000-0000000about"
_DAY = timedelta(days=1)
_SAYINGS = {
    "seats": ("When I travel I like window seats, always.", 40 * _DAY),
    "nuts": ("Please remember that I am allergic to peanuts.", 25 * _DAY),
    "berlin": ("I live in Berlin.", 60 * _DAY),
    "leipzig": ("We have moved: I live in Leipzig now.", 7 * _DAY),
    "work": ("I work at Example Works, with Jana and Noor.", 30 * _DAY),
    "party": ("The summer party is at the Kulturhaus. Jana looks after the food, she lives in Leipzig too.", 20 * _DAY),
    "noor": ("Noor would rather have the Old Mill.", 20 * _DAY),
}


def about_me() -> Chat:
    """The chat in which the small world was told."""
    turns = [Turn(question=text, reply="I will keep that in mind.", ago=ago) for text, ago in _SAYINGS.values()]
    return Chat(id=ABOUT_ME, title="About me and the team", turns=turns)


def _said(name: str) -> tuple[str, ...]:
    return (f"{ABOUT_ME}-{list(_SAYINGS).index(name)}-user",)


def small_world() -> World:
    """Some ten entities, one of them known otherwise until a week ago."""
    world = World()
    you = world.you()
    jana = world.entity("Jana", aliases=("my colleague",))
    noor = world.entity("Noor")
    house = world.entity("Kulturhaus", EntityKind.PLACE)
    mill = world.entity("Old Mill", EntityKind.PLACE)
    party = world.entity("summer party", EntityKind.EVENT)
    leipzig = world.entity("Leipzig", EntityKind.PLACE)
    berlin = world.entity("Berlin", EntityKind.PLACE)
    firm = world.entity("Example Works", EntityKind.ORGANISATION)
    seats = world.entity("window seats", EntityKind.TOPIC)
    nuts = world.entity("peanuts", EntityKind.THING)
    world.fact(you, Relation.HAS_PREFERENCE_FOR, seats, ago=40 * _DAY, evidence=_said("seats"))
    world.fact(you, Relation.ALLERGIC_TO, nuts, ago=25 * _DAY, confidence=0.97, evidence=_said("nuts"))
    now = world.fact(you, Relation.LIVES_IN, leipzig, ago=7 * _DAY, evidence=_said("leipzig"))
    end = now.recorded_at
    world.fact(
        you, Relation.LIVES_IN, berlin, ago=60 * _DAY, retracted_at=end, superseded_by=now.id, evidence=_said("berlin")
    )
    world.fact(you, Relation.WORKS_AT, firm, ago=50 * _DAY, evidence=_said("work"))
    world.fact(you, Relation.WORKS_WITH, jana, ago=30 * _DAY, evidence=_said("work"))
    world.fact(you, Relation.WORKS_WITH, noor, ago=28 * _DAY, evidence=_said("work"))
    world.fact(you, Relation.PLANS, party, ago=21 * _DAY, evidence=_said("party"))
    world.fact(party, Relation.LOCATED_IN, house, ago=20 * _DAY, evidence=_said("party"))
    world.fact(jana, Relation.WORKS_AT, firm, ago=30 * _DAY, evidence=_said("work"))
    world.fact(
        jana, Relation.RELATED_TO, party, label="looks after the food for", ago=20 * _DAY, evidence=_said("party")
    )
    world.fact(jana, Relation.LIVES_IN, leipzig, ago=18 * _DAY, evidence=_said("party"))
    world.fact(noor, Relation.RELATED_TO, mill, label="would rather have", ago=20 * _DAY, evidence=_said("noor"))
    return world


def crowded_world(entities: int = 400, facts: int = 1200) -> World:
    """More than a picture holds, around a user with many links."""
    chance = random.Random(5)
    first = (
        "Ada Ben Cleo Dara Eli Fay Gus Hana Ines Jon Kim Lea Milo Nia Omar Pia Quin Rosa Sam Tara Uma Vito Wes".split()
    )
    places = "Harbour Mill Garden Tower Square Bridge Market Hall Quay Yard Station Library".split()
    world = World()
    you = world.you()
    kinds = [kind for kind in EntityKind if kind is not EntityKind.USER]
    for number in range(entities - 1):
        name = f"{chance.choice(first)} {chance.choice(places)} {number}"
        world.entity(name, kinds[number % len(kinds)])
    linked = [relation for relation in Relation if relation is not Relation.RELATED_TO]
    for number in range(facts):
        subject = you if number % 5 == 0 else chance.choice(world.entities)
        thing = chance.choice(world.entities[1:])
        if subject is not thing:
            world.fact(subject, chance.choice(linked), thing, ago=_DAY * (number % 90), evidence=_said("work"))
    return world
