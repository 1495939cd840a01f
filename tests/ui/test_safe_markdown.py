"""Markdown on a screen can do no harm, whatever a model or a person writes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maya_core.ui.markup import ATTRIBUTES, TAGS, Attributes, Node, plain
from maya_core.ui.safe_markdown import render
from tests.ui.payloads import HOSTILE

_SAFE_HREF = re.compile(r"(https?://[a-z0-9.\-\[\]:]+([/?#]\S*)?|mailto:\S+@\S+)", re.IGNORECASE)


def _elements(node: Node) -> Iterator[tuple[str, Attributes]]:
    if isinstance(node, str):
        return
    tag, attributes, *children = node
    assert isinstance(tag, str)
    assert isinstance(attributes, dict)
    yield tag, attributes
    for child in children:
        assert not isinstance(child, dict)
        yield from _elements(child)


def _assert_harmless(text: str) -> None:
    for node in render(text):
        for tag, attributes in _elements(node):
            assert tag in TAGS
            assert attributes.keys() <= ATTRIBUTES
            assert not attributes.keys() & {"act", "to", "menu", "source", "key"}
            if "href" in attributes:
                assert _SAFE_HREF.fullmatch(attributes["href"]), attributes["href"]


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_text_becomes_allowed_elements_with_safe_addresses(payload: str) -> None:
    _assert_harmless(payload)


@given(st.text(max_size=400))
def test_any_text_becomes_allowed_elements_with_safe_addresses(text: str) -> None:
    _assert_harmless(text)


@given(st.text(alphabet="[]()!<>`*_~|#-+1. \n\\\"':/@?&=javscripthtps:%0\u202e", max_size=300))
def test_any_soup_of_syntax_becomes_allowed_elements(text: str) -> None:
    _assert_harmless(text)


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=60))
def test_plain_words_are_shown_as_they_are(words: str) -> None:
    assert plain(*render(words)) == words


def test_raw_html_stays_text() -> None:
    assert plain(*render("<b onclick=x()>hi</b> <script>alert(1)</script>")) == (
        "<b onclick=x()>hi</b> <script>alert(1)</script>"
    )


def test_an_image_becomes_a_link_that_names_its_host() -> None:
    (paragraph,) = render("![chart](https://tracker.test/p.png?who=me)")
    assert [tag for tag, _ in _elements(paragraph)] == ["p", "a", "bdi"]
    assert plain(paragraph) == "Image: chart\u2009↗\u2009tracker.test"


@pytest.mark.parametrize(
    ("markdown", "host"),
    [
        ("[bank](https://bank.test@evil.test/login)", "evil.test"),
        ("[bank](https://bank.test\\@evil.test/login)", "evil.test"),
        ("[bank](https://bank.test\u202e@evil.test/login)", "evil.test"),
        ("[bank](https://xn--bnk-0na.test/)", "xn--bnk-0na.test"),
        ("[bank](https://bänk.test/)", "xn--bnk-qla.test"),
        ("[here](http://[::1]:8080/x)", "[::1]:8080"),
        ("[write](mailto:jana@team.test)", "jana@team.test"),
    ],
)
def test_a_link_shows_where_it_really_leads(markdown: str, host: str) -> None:
    assert plain(*render(markdown)).endswith(f"↗\u2009{host}")
    _assert_harmless(markdown)  # the address itself holds no other name that a reader could take for the host


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.test/x",
        "/session/logout",
        "?chat=other",
        "https://",
        "blob:https://evil.test/1",
    ],
)
def test_an_address_that_must_not_be_followed_leaves_only_its_text(address: str) -> None:
    nodes = render(f"[text](<{address}>)")
    assert not [attributes for node in nodes for tag, attributes in _elements(node) if tag == "a"]
    assert "text" in plain(*nodes)


def test_addresses_in_a_text_become_links_without_the_full_stop() -> None:
    (paragraph,) = render("See https://docs.test/a_b_c. And (https://other.test/x)!")
    links = [attributes["href"] for tag, attributes in _elements(paragraph) if tag == "a"]
    assert links == ["https://docs.test/a_b_c", "https://other.test/x"]


def test_a_link_inside_a_link_is_no_link() -> None:
    (paragraph,) = render("[![x](https://a.test/i.png) https://b.test](https://c.test)")
    assert [a["href"] for tag, a in _elements(paragraph) if tag == "a"] == ["https://c.test"]


def test_streamlit_directives_and_formulas_stay_text() -> None:
    text = ":red[alarm] :material/home: $x^2$ :rainbow-background[x]"
    assert plain(*render(text)) == text


def test_direction_marks_vanish_from_prose_and_show_in_code() -> None:
    assert plain(*render("file\u202etxt.exe")) == "filetxt.exe"
    assert "⟨U+202E⟩" in plain(*render("`if \u202e admin`"))


def test_code_keeps_its_text_and_can_be_copied() -> None:
    (figure,) = render("```python\nprint('<b>')\n```")
    assert plain(figure) == "pythonCopyprint('<b>')"
    assert ("button", "code") in [(tag, a.get("copy")) for tag, a in _elements(figure)]


def test_tables_lists_and_headings_are_drawn() -> None:
    nodes = render("# T\n\n3. a\n4. b\n\n|a|b|\n|-|-:|\n|1|2|\n\n> q\n\n~~old~~")
    tags = [tag for node in nodes for tag, _ in _elements(node)]
    assert {"h3", "ol", "li", "table", "th", "td", "blockquote", "del"} <= set(tags)
    assert [a["start"] for node in nodes for tag, a in _elements(node) if tag == "ol"] == ["3"]
    assert [a.get("align") for node in nodes for tag, a in _elements(node) if tag == "td"] == [None, "right"]


@pytest.mark.parametrize(
    "bomb", ["[" * 32_000, "![" * 16_000, "*[a " * 8_000, "> " * 16_000, "- " * 16_000, "`a" * 16_000]
)
def test_no_text_of_allowed_length_stops_the_page(bomb: str) -> None:
    before = time.process_time()
    nodes = render(bomb)
    assert time.process_time() - before < 5.0  # a guard against square growth, not a measurement
    assert plain(*nodes).strip() or bomb.strip(" >-") == ""


def test_hosts_shown_are_the_hosts_followed() -> None:
    for payload in HOSTILE:
        for node in render(payload):
            for tag, attributes in _elements(node):
                if tag == "a" and attributes["href"].startswith("http"):
                    assert "@" not in urlsplit(attributes["href"]).netloc
