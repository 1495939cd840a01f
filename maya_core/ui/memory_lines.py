"""One line of what a change does, or did, as a tree."""

from maya_core.memory.effect_lines import Line, LineKind
from maya_core.ui.markup import Node, el

_WORDS = {
    LineKind.NEW: "new",
    LineKind.REPLACED: "replaced",
    LineKind.TAKEN_BACK: "taken back",
    LineKind.OVER: "over",
    LineKind.RESTORED: "holds again",
    LineKind.MOVED: "now about",
    LineKind.CHANGED: "changed",
    LineKind.REMOVED: "removed",
    LineKind.ENTITY_NEW: "new name",
    LineKind.ENTITY_GONE: "joined",
    LineKind.ENTITY_CHANGED: "also called",
}


def line_view(line: Line) -> Node:
    """What happens to one record: its kind, how it read, how it reads then."""
    before: list[Node] = [el("del", el("bdi", line.before)), " → "] if line.before and line.before != line.text else []
    return el(
        "li",
        el("span", _WORDS[line.kind], class_="chip"),
        " ",
        *before,
        el("bdi", line.text),
        class_=f"line {line.kind.value}",
    )
