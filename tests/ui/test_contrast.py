"""Text can be read in both themes: WCAG AA contrast, computed from the colours in the configuration and style sheet."""

from __future__ import annotations

import re
import tomllib

import pytest

from maya_core.settings import ROOT

STYLE = (ROOT / "maya_core" / "ui" / "assets" / "frame.css").read_text("utf-8")
THEMES = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
TEXT_AT_LEAST = 4.5
SHAPE_AT_LEAST = 3.0
_MIX = re.compile(r"color-mix\(in srgb, (.+) (\d+)%, (.+)\)")
_PLACES = ("page", "sidebar")

Colour = tuple[float, float, float]


def _variables(theme: str) -> dict[str, str]:
    """The style sheet's own colours; the dark theme replaces some of the light one's."""
    first, second = re.findall(r"\{([^{}]*--well:[^{}]*)\}", STYLE)
    found: dict[str, str] = {}
    for block in [first, second] if theme == "dark" else [first]:
        found |= dict(re.findall(r"--([a-z]+): ([^;]+);", block))
    return found


class _Palette:
    """Resolves what the style sheet says a colour is, in one theme, on the page or in the sidebar."""

    def __init__(self, theme: str, place: str) -> None:
        chosen = THEMES[theme] | (THEMES[theme]["sidebar"] if place == "sidebar" else {})
        self._streamlit = {
            re.sub(r"[A-Z]", lambda m: "-" + m[0].lower(), name): value for name, value in chosen.items()
        }
        self._own = _variables(theme)

    def __call__(self, said: str, *, on: Colour | None = None) -> Colour:
        if mixed := _MIX.fullmatch(said):
            front, share = self(mixed[1]), int(mixed[2]) / 100
            back = on if mixed[3] == "transparent" and on is not None else self(mixed[3])
            return tuple(share * f + (1 - share) * b for f, b in zip(front, back, strict=True))  # type: ignore[return-value]
        if said.startswith("var(--st-"):
            said = self._streamlit[said[9:-1]]
        elif said.startswith("var(--"):
            return self(self._own[said[6:-1]], on=on)
        red, green, blue = (int(said[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return red, green, blue


def _contrast(one: Colour, other: Colour) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PAGE = "var(--st-background-color)"
TINT = "var(--tint)"
HOVER = "var(--hair)"
CODE = "var(--st-code-background-color)"
CURRENT = "color-mix(in srgb, var(--st-primary-color) 14%, transparent)"
MARK = "color-mix(in srgb, var(--st-primary-color) 22%, transparent)"
WARNING = "color-mix(in srgb, var(--less) 9%, var(--st-background-color))"
TEXT, QUIET = "var(--st-text-color)", "var(--quiet)"
LINK, ACCENT = "var(--st-link-color)", "var(--st-primary-color)"

TEXTS = [
    *[(colour, ground) for colour in (TEXT, QUIET, LINK) for ground in (PAGE, TINT, HOVER, CODE)],
    *[(colour, MARK) for colour in (TEXT, QUIET)],
    (TEXT, CURRENT),
    (TEXT, WARNING),
    (ACCENT, PAGE),
    (ACCENT, TINT),
    ("var(--less)", PAGE),
    (PAGE, ACCENT),
    (PAGE, TEXT),
    (TEXT, "var(--st-secondary-background-color)"),
    (QUIET, "var(--st-secondary-background-color)"),
]


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("colour", "ground"), TEXTS)
def test_text_stands_out_from_its_ground(theme: str, place: str, colour: str, ground: str) -> None:
    palette = _Palette(theme, place)
    behind = palette(ground, on=palette(PAGE))
    assert _contrast(palette(colour), behind) >= TEXT_AT_LEAST


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", ["var(--well)", "var(--less)", "var(--down)", ACCENT])
def test_lights_marks_and_the_focus_stand_out(theme: str, place: str, colour: str) -> None:
    palette = _Palette(theme, place)
    assert _contrast(palette(colour), palette(PAGE)) >= SHAPE_AT_LEAST


def test_the_grounds_that_are_measured_are_those_of_the_style_sheet() -> None:
    for ground in (CURRENT, MARK, WARNING, *re.findall(r"var\(--(?!st-)[a-z]+\)", " ".join((TINT, HOVER, QUIET)))):
        assert ground in STYLE


def test_the_ratio_is_that_of_the_standard() -> None:
    assert round(_contrast((0, 0, 0), (1, 1, 1)), 2) == 21.0
    assert round(_contrast((119 / 255,) * 3, (1, 1, 1)), 2) == 4.48
