"""What a person does with the graph and the facts of their memory, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from maya_core.domain.memory import Entity, EntityKind, Relation
from maya_core.ui.palette import KINDS
from tests.e2e.memories import ABOUT_ME, about_me, small_world
from tests.e2e.samples import PARTY
from tests.e2e.stage import App, Screen, running_app, screen_in, window
from tests.support.memories import World, remember
from tests.support.seeding import Chat, Turn, seed
from tests.ui.payloads import TEMPLATES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def memory_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app that remembers a small world."""
    folder = tmp_path_factory.mktemp("memory")
    seed(folder, [about_me()])
    remember(folder, small_world())
    with running_app(folder, MAYA_WORKER="off", MAYA_EMBEDDINGS="off") as app:
        yield app


@pytest.fixture(scope="module")
def memory_window(browser: Browser) -> Iterator[BrowserContext]:
    opened = window(browser, height=1000)
    yield opened
    opened.close()


@pytest.fixture
def memory(memory_window: BrowserContext, memory_app: App) -> Iterator[Screen]:
    with screen_in(memory_window, memory_app) as shown:
        yield shown
        assert shown.outside == []


def open_graph(shown: Screen) -> Page:
    shown.page.goto(shown.app.url + "/memory")
    expect(shown.page.locator(".maya-graph[data-drawn]")).to_be_visible()
    return shown.page


def place_of(page: Page, label: str) -> tuple[float, float]:
    """Where on the screen a node is."""
    found = page.evaluate(
        """label => { const root = document.querySelector('.maya-graph'), drawing = root.mayaGraph;
        const node = drawing.wanted.nodes.find(one => one.label === label);
        const at = drawing.network.canvasToDOM(drawing.network.getPositions([node.id])[node.id]);
        const canvas = root.querySelector('canvas').getBoundingClientRect();
        return [canvas.left + at.x, canvas.top + at.y]; }""",
        label,
    )
    return found[0], found[1]


def drawn(page: Page) -> set[str]:
    return set(page.evaluate("document.querySelector('.maya-graph').mayaGraph.wanted.nodes.map(node => node.label)"))


def centre(page: Page) -> dict[str, object]:
    """The name of the node in the middle, and where in the picture it is."""
    found: dict[str, object] = page.evaluate(
        """() => { const drawing = document.querySelector('.maya-graph').mayaGraph, id = drawing.wanted.centre;
        return { label: drawing.nodes.get(id).label, ...drawing.network.getPositions([id])[id] }; }"""
    )
    return found


def eventually(holds: Callable[[], bool], page: Page) -> None:
    """Waits for something that only a script can see. The page's own rules forbid Playwright's way of waiting."""
    for _ in range(1500):
        if holds():
            return
        page.wait_for_timeout(30)
    raise AssertionError("it did not come to that")


def test_a_press_on_a_node_shows_its_facts_and_leaves_the_picture_as_it_is(memory: Screen) -> None:
    """How long that takes is what `benchmarks.memory_page` measures."""
    page = open_graph(memory)
    before = centre(page), drawn(page)
    facts = page.locator(".st-key-graph_facts")
    for label in ("Jana", "Noor", "Jana"):
        x, y = place_of(page, label)
        page.mouse.click(x, y)
        expect(facts.locator(".selected bdi")).to_have_text(label)
        expect(facts.locator(".sentence").first).to_contain_text(label)
    assert (centre(page), drawn(page)) == before


def test_a_screen_finds_its_server_without_looking_for_it(memory: Screen) -> None:
    """Streamlit looks under the page's own address first and waits when nothing is there."""
    asked: list[str] = []
    memory.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    memory.page.on("websocket", lambda socket: asked.append(urlsplit(socket.url).path))
    open_graph(memory)
    assert asked.count("/_stcore/stream") == 1
    assert [path for path in asked if path.startswith("/memory/")] == []


def test_a_double_press_unfolds_and_the_middle_stays(memory: Screen) -> None:
    page = open_graph(memory)
    assert "Old Mill" not in drawn(page)
    page.mouse.dblclick(*place_of(page, "Noor"))
    eventually(lambda: "Old Mill" in drawn(page), page)
    assert {"You", "Jana", "Noor", "Old Mill"} <= drawn(page)
    assert (centre(page)["x"], centre(page)["y"]) == (0, 0)
    page.get_by_role("button", name="Fold again").click()
    eventually(lambda: "Old Mill" not in drawn(page), page)


def test_the_past_is_shown_as_maya_knew_it(memory: Screen) -> None:
    page = open_graph(memory)
    assert "Leipzig" in drawn(page)
    page.get_by_role("slider", name="As Maya knew it on").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".graph-line")).to_contain_text("as Maya knew it on")
    eventually(lambda: "Berlin" in drawn(page), page)
    assert "Leipzig" not in drawn(page)
    expect(page.locator(".st-key-graph_facts")).to_contain_text("You live in Berlin")


def test_search_legend_and_the_table_twin(memory: Screen) -> None:
    page = open_graph(memory)
    page.get_by_role("button", name=re.compile("^People")).click()
    eventually(lambda: "Jana" not in drawn(page), page)
    page.get_by_role("button", name=re.compile("^People")).click()
    page.get_by_label("Find a person, place or thing").fill("kult")
    page.locator(".found-entities button").get_by_text("Kulturhaus").click()
    eventually(lambda: centre(page)["label"] == "Kulturhaus", page)
    page.get_by_text("The picture as a table").click()
    expect(page.locator(".twin")).to_contain_text("Summer party is in Kulturhaus")


def test_the_picture_follows_the_theme_without_being_drawn_anew(memory: Screen) -> None:
    page = open_graph(memory)
    assert colour_of_the_centre(page) == KINDS[EntityKind.USER].light
    place = place_at_rest(page, "Jana")
    try:
        page.emulate_media(color_scheme="dark")
        eventually(lambda: colour_of_the_centre(page) == KINDS[EntityKind.USER].dark, page)
        assert place_of(page, "Jana") == pytest.approx(place, abs=2)
    finally:
        page.emulate_media(color_scheme="light")


def place_at_rest(page: Page, name: str) -> tuple[float, float]:
    """Where a node is once the page around the picture moves no more."""
    seen = [place_of(page, name)]

    def rests() -> bool:
        page.wait_for_timeout(500)
        seen.append(place_of(page, name))
        return seen[-1] == seen[-2]

    eventually(rests, page)
    return seen[-1]


def colour_of_the_centre(page: Page) -> str:
    found: str = page.evaluate(
        """() => { const drawing = document.querySelector('.maya-graph').mayaGraph;
        return drawing.nodes.get(drawing.wanted.centre).color.background; }"""
    )
    return found


def test_a_fact_is_corrected_and_the_correction_taken_back(memory: Screen) -> None:
    page = memory.page
    page.goto(memory.app.url + "/memory?tab=facts")
    page.get_by_label("Change: You live in Leipzig").click()
    page.get_by_role("menuitem", name="Edit").click()
    page.get_by_label("What", exact=True).fill("Dresden")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".done")).to_contain_text("Corrected by you.")
    row = page.locator(".facts-table tr").filter(has_text="Dresden")
    expect(row).to_contain_text("corrected by you")
    expect(page.get_by_label("Change: You live in Leipzig")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Change: You live in Leipzig")).to_be_visible()
    expect(page.get_by_label("Change: You live in Dresden")).to_have_count(0)


def test_evidence_is_one_press_from_the_message_in_its_chat(memory: Screen) -> None:
    page = memory.page
    page.goto(memory.app.url + "/memory?tab=facts")
    page.locator(".facts-table tr").filter(has_text="peanuts").get_by_role("link").click()
    page.wait_for_url(re.compile(f"chat={ABOUT_ME}"))
    expect(page.locator(".message.found")).to_contain_text("I am allergic to peanuts.")


def test_two_are_merged_after_a_look_and_parted_again(memory: Screen) -> None:
    page = open_graph(memory)
    page.mouse.click(*place_of(page, "Jana"))
    page.get_by_label("Change Jana").click()
    page.get_by_role("menuitem", name="Merge with another").click()
    page.get_by_label("Find the other one").fill("Noor")
    expect(page.get_by_text("What will change")).to_be_visible()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".done")).to_contain_text("Merged into one.")
    expect(page.locator(".st-key-graph_facts").first).to_contain_text("Jana would rather have Old Mill")
    page.get_by_label("Change Jana", exact=True).click()
    page.get_by_role("menuitem", name="Split in two").click()
    page.get_by_label("Name of the new one").fill("Nils")
    page.get_by_label("Name of the new one").press("Enter")
    chooser = page.get_by_role("combobox", name=re.compile("Facts of the new one"))
    chooser.click()
    page.get_by_role("option", name="Jana would rather have Old Mill").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("What will change")).to_be_visible()
    page.get_by_role("button", name="Split", exact=True).click()
    expect(page.locator(".done")).to_contain_text("Split in two.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("it is as it was before")).to_be_visible()
    expect(page.locator(".st-key-graph_facts").first).to_contain_text("Jana would rather have Old Mill")


# Names that attack


def hostile_world(address: str) -> World:
    """Every payload is a name, an alias, a relation and a speaker of somebody's."""
    world = World()
    you = world.you()
    texts = [one.replace("{{", "{").replace("}}", "}").replace("{}", address) for one in TEMPLATES]
    texts += ["\u202egnp.exe", "x" * 10_000, "</script><script>document.title='run'</script>", "a\u0000b\u2066c"]
    for number, text in enumerate(texts):
        kinds: list[EntityKind] = [kind for kind in EntityKind if kind is not EntityKind.USER]
        other: Entity = world.entity(text, kinds[number % len(kinds)], aliases=(text[:200],))
        world.fact(you, Relation.RELATED_TO, other, label=text[:200], speaker=text[:200], evidence=(f"{PARTY}-0-user",))
    return world


def test_no_name_comes_alive_in_graph_or_facts(browser: Browser, memory_window: BrowserContext, tmp_path: Path) -> None:
    address = "http://192.0.2.1/never"
    world = hostile_world(address)
    assert len(world.facts) >= 44
    turn = Turn(question=world.entities[6].name, reply="r")
    seed(tmp_path, [Chat(id=PARTY, title=world.entities[5].name, turns=[turn])])
    remember(tmp_path, world)
    with (
        running_app(tmp_path, MAYA_WORKER="off", MAYA_EMBEDDINGS="off", MAYA_EMBEDDED_REDIS="off") as app,
        screen_in(memory_window, app) as shown,
    ):
        page = open_graph(shown)
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        title = page.title()
        page.get_by_text("The picture as a table").click()
        expect(page.locator(".twin tbody tr")).to_have_count(len(world.facts))
        x, y = place_of(page, "x" * 13 + "…")
        page.mouse.move(x, y)
        page.mouse.click(x, y)
        expect(page.locator(".selected")).to_contain_text("x" * 100)
        nothing_loaded(page)
        with page.expect_download() as saved:
            page.get_by_role("button", name="Download the picture").click()
        saved.value.save_as(tmp_path / "picture.html")
        page.goto(app.url + "/memory?tab=facts")
        expect(page.locator(".facts-table tbody tr")).to_have_count(len(world.facts))
        nothing_loaded(page)
        page.get_by_role("radio", name="Cards").click()
        expect(page.locator(".cards .fact").first).to_be_visible()
        nothing_loaded(page)
        assert page.title() == title
        assert shown.outside == []
        assert [error for error in shown.errors if "Content Security Policy" in error] == []
        stands_alone(browser, tmp_path / "picture.html")


def nothing_loaded(page: Page) -> None:
    assert page.locator(".maya :is(img, script, iframe, object, embed, link, form, svg, video)").count() == 0


def stands_alone(browser: Browser, file: Path) -> None:
    """The file draws itself without a network, and nothing in it comes alive."""
    context = browser.new_context(offline=True)
    asked: list[str] = []
    try:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        page.goto(file.as_uri())
        eventually(lambda: page.evaluate("document.documentElement.dataset.ready") == "yes", page)
        assert page.locator("canvas").count() == 1
        assert page.locator("script").count() == 3
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert "run" not in page.title()
    finally:
        context.close()
