"""One fixed colour for each kind of entity and each kind of memory, the same on every screen."""

from dataclasses import dataclass

from maya_core.domain.memory import EntityKind, MemoryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """A colour on a light and on a dark background."""

    light: str
    dark: str


KINDS: dict[EntityKind, Shade] = {
    EntityKind.USER: Shade(light="#5B5BD6", dark="#8B8BF5"),
    EntityKind.PERSON: Shade(light="#C2410C", dark="#FB923C"),
    EntityKind.PLACE: Shade(light="#0F766E", dark="#2DD4BF"),
    EntityKind.ORGANISATION: Shade(light="#1D4ED8", dark="#60A5FA"),
    EntityKind.THING: Shade(light="#A16207", dark="#FACC15"),
    EntityKind.EVENT: Shade(light="#BE185D", dark="#F472B6"),
    EntityKind.TASK: Shade(light="#7E22CE", dark="#C084FC"),
    EntityKind.TRIP: Shade(light="#0369A1", dark="#38BDF8"),
    EntityKind.TOPIC: Shade(light="#4D7C0F", dark="#A3E635"),
    EntityKind.VALUE: Shade(light="#6B7280", dark="#9CA3AF"),
}

MEMORIES: dict[MemoryKind, Shade] = {
    MemoryKind.EPISODE: Shade(light="#0369A1", dark="#38BDF8"),
    MemoryKind.SUMMARY: Shade(light="#4D7C0F", dark="#A3E635"),
    MemoryKind.FACT: Shade(light="#C2410C", dark="#FB923C"),
}

KIND_NAMES: dict[EntityKind, str] = {
    EntityKind.USER: "You",
    EntityKind.PERSON: "People",
    EntityKind.PLACE: "Places",
    EntityKind.ORGANISATION: "Organisations",
    EntityKind.THING: "Things",
    EntityKind.EVENT: "Events",
    EntityKind.TASK: "Tasks",
    EntityKind.TRIP: "Trips",
    EntityKind.TOPIC: "Topics",
    EntityKind.VALUE: "Values",
}
"""What a legend calls them."""


def style_sheet() -> str:
    """The colours for the style sheet of every page: `--kind` of an element of class `kind-…` or `memory-…`."""
    shades = {f"kind-{kind.value}": shade for kind, shade in KINDS.items()}
    shades |= {f"memory-{kind.value}": shade for kind, shade in MEMORIES.items()}
    light = [f".maya .{name} {{ --kind: {shade.light}; }}" for name, shade in shades.items()]
    dark = [f'[data-maya="dark"] .maya .{name} {{ --kind: {shade.dark}; }}' for name, shade in shades.items()]
    return "\n".join((*light, *dark, ""))
