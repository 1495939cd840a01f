"""A picture of a graph as one HTML file that works without a network: vis-network and the data are inside.

The file is read by a browser away from Maya, so nothing in it may come alive: the data is JSON in which no tag can
begin, names are drawn on a canvas, and the file's own policy allows its two scripts and nothing else.
"""

import base64
import hashlib
import html

import orjson

from maya_core.ui.graph_build import Picture, palette
from maya_core.web import vis

_DRAW = """
const picture = JSON.parse(document.getElementById("picture").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const place = document.getElementById("graph");
const nodes = new vis.DataSet(), edges = new vis.DataSet();
function paint() {
  const kinds = picture.palettes[dark.matches ? "dark" : "light"];
  const text = dark.matches ? "#ECECF4" : "#1C1C28", background = dark.matches ? "#101018" : "#FCFCFD";
  const font = { color: text, strokeColor: background, strokeWidth: 3 };
  const filled = kind => ({ background: kinds[kind], border: background });
  nodes.update(picture.nodes.map(node => ({ ...node, font, color: filled(node.kind) })));
  edges.update(picture.edges.map((edge, id) => ({ ...edge, id, font, color: dark.matches ? "#5d5d75" : "#b3b3c2" })));
}
paint();
dark.addEventListener("change", paint);
const network = new vis.Network(place, { nodes, edges }, picture.options);
network.on("stabilized", () => network.setOptions({ physics: { enabled: false } }));
document.documentElement.dataset.ready = "yes";
"""
_STYLE = """
html, body { height: 100%; margin: 0; font-family: "Source Sans 3", "Source Sans Pro", system-ui, sans-serif;
  background: #FCFCFD; color: #1C1C28; }
h1 { font-size: 1rem; font-weight: 600; margin: 0; padding: 0.8rem 1rem; overflow-wrap: anywhere; }
#graph { height: calc(100% - 3.2rem); }
div.vis-tooltip { position: absolute; visibility: hidden; padding: 0.3rem 0.6rem; border-radius: 0.4rem;
  background: #1C1C28; color: #FCFCFD; font-size: 0.85rem; pointer-events: none; }
@media (prefers-color-scheme: dark) { html, body { background: #101018; color: #ECECF4; } }
"""


def stand_alone(drawn: Picture, *, title: str) -> bytes:
    """The file. `title` is text, whatever it holds."""
    data = orjson.dumps(
        {
            "nodes": drawn.nodes,
            "edges": drawn.edges,
            "options": drawn.options,
            "palettes": {"light": palette(dark=False), "dark": palette(dark=True)},
        }
    )
    library = vis.library().read_text("utf-8").replace("</script", "<\\/script")
    scripts = " ".join(f"'sha256-{_digest(script)}'" for script in (library, _DRAW))
    policy = f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
    pieces = (
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>",
        f'<body><h1><bdi>{html.escape(title)}</bdi></h1><div id="graph" role="img"></div>',
        f'<script type="application/json" id="picture">{_inert(data)}</script>',
        f"<script>{library}</script>",
        f"<script>{_DRAW}</script></body></html>",
    )
    return "\n".join(pieces).encode("utf-8")


def _inert(data: bytes) -> str:
    """JSON in which no tag, comment or entity can begin; it reads as the same values."""
    text = data.decode("utf-8")
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
