/* Draws a graph with vis-network, which comes from Maya's own address. Names are drawn on a canvas or set as text. */

const drawings = new WeakMap();
let loading = null;

function load(address) {
  if (globalThis.vis?.Network) return Promise.resolve(globalThis.vis);
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => done(globalThis.vis);
    script.onerror = () => { loading = null; script.remove(); failed(new Error("vis-network")); };
    document.head.append(script);
  });
  return loading;
}

/* The theme as it is now: which colours the kinds have, and those of text and lines. */
function themeOf(element, palettes) {
  const style = getComputedStyle(element);
  const colour = name => style.getPropertyValue("--st-" + name).trim();
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colour("background-color") || "#fff";
  const dark = parseInt(probe.fillStyle.slice(1, 3), 16) < 128;
  return {
    kinds: palettes[dark ? "dark" : "light"], background: probe.fillStyle, text: colour("text-color") || "#222",
    accent: colour("primary-color") || "#55c", line: dark ? "#5d5d75" : "#b3b3c2", quiet: dark ? "#b8b8c8" : "#55556a",
    face: style.fontFamily,
  };
}

function painted(node, theme, size) {
  const fill = theme.kinds[node.kind] || theme.quiet;
  return {
    ...node,
    color: { background: fill, border: theme.background, highlight: { background: fill, border: theme.text },
      hover: { background: fill, border: theme.text } },
    font: { color: theme.text, face: theme.face, strokeColor: theme.background, strokeWidth: 4, vadjust: -3, size },
    borderWidth: node.fixed ? 3 : 1, borderWidthSelected: 3,
  };
}

function lined(edge, theme, size) {
  return {
    ...edge,
    id: edge.from + " " + edge.to,
    color: { color: theme.line, highlight: theme.accent, hover: theme.accent },
    font: { color: theme.quiet, face: theme.face, strokeColor: theme.background, strokeWidth: 3, size: size * 0.8 },
  };
}

/* Names keep about the same size on the screen however far the picture is zoomed out. */
const ON_SCREEN = 13, ON_SCREEN_IN_A_CROWD = 11, SMALLEST = 9, LARGEST = 60;

function sizeAt(scale, wanted) {
  const size = (stands(wanted) ? ON_SCREEN_IN_A_CROWD : ON_SCREEN) / scale;
  return Math.round(Math.max(SMALLEST, Math.min(LARGEST, size)));
}

function paint(drawing) {
  const theme = themeOf(drawing.root, drawing.wanted.palettes);
  drawing.nodes.update(drawing.wanted.nodes.map(node => {
    const { x, y, ...rest } = painted(node, theme, drawing.size);
    return drawing.placed.has(node.id) ? rest : { ...rest, x, y };
  }));
  drawing.edges.update(drawing.wanted.edges.map(edge => lined(edge, theme, drawing.size)));
  drawing.look = JSON.stringify(theme);
}

/* Painting a crowd is the larger part of drawing it: it is done for another size of the names only. */
function resize(drawing, scale) {
  const size = sizeAt(scale, drawing.wanted);
  if (size === drawing.size) return false;
  drawing.size = size;
  paint(drawing);
  return true;
}

function begin(vis, root, component, wanted) {
  const canvas = document.createElement("div");
  canvas.className = "canvas";
  root.replaceChildren(canvas);
  const drawing = { root, wanted, component, placed: new Set(), nodes: new vis.DataSet(), edges: new vis.DataSet() };
  resize(drawing, stands(wanted) ? scaleOf(root, wanted.nodes) : 1);
  const network = new vis.Network(canvas, { nodes: drawing.nodes, edges: drawing.edges }, wanted.options);
  drawing.network = network;
  drawings.set(root, drawing);
  root.mayaGraph = drawing;
  network.on("click", event => event.nodes.length && drawing.component.setTriggerValue("select", String(event.nodes[0])));
  network.on("doubleClick", event => event.nodes.length && drawing.component.setTriggerValue("expand", String(event.nodes[0])));
  network.on("zoom", () => resize(drawing, network.getScale()));
  network.on("stabilizationIterationsDone", () => settle(drawing));
  network.on("stabilized", () => settle(drawing));
  if (stands(wanted)) settle(drawing);
  drawing.watch = new ResizeObserver(() => {
    if (drawing.filled !== roomOf(root)) fill(drawing);
  });
  drawing.watch.observe(canvas);
  mark(drawing);
}

/* Crowded pictures come with places for everything; nothing has to be found. */
function stands(wanted) {
  return wanted.options.physics.enabled === false;
}

/* The picture stands still once it has found its shape, with everything in view. */
function settle(drawing) {
  drawing.network.setOptions({ physics: { enabled: false } });
  fill(drawing);
  for (const node of drawing.wanted.nodes) drawing.placed.add(node.id);
  drawing.root.dataset.drawn = String(drawing.wanted.nodes.length);
}

/* Everything in view, names included, and as large as there is room; names change their size with the scale.
   A crowd on a small screen shows its middle, which can be dragged, rather than names upon names. */
const LARGEST_SCALE = 1.4, SMALLEST_SCALE_IN_A_CROWD = 0.68, MARGIN = 16;

function fitting(room, wide, high) {
  return Math.min((room.width - MARGIN) / wide, (room.height - MARGIN) / high, LARGEST_SCALE);
}

/* About what the scale of a picture with places for everything will be. */
function scaleOf(root, nodes) {
  const across = name => Math.max(...nodes.map(node => node[name])) - Math.min(...nodes.map(node => node[name]));
  return Math.max(fitting(root.getBoundingClientRect(), across("x") || 1, across("y") || 1), SMALLEST_SCALE_IN_A_CROWD);
}

function roomOf(root) {
  const { width, height } = root.getBoundingClientRect();
  return `${Math.round(width)} ${Math.round(height)}`;
}

function fill(drawing) {
  const { network, nodes } = drawing, room = drawing.root.getBoundingClientRect();
  if (!room.width) return;
  drawing.filled = roomOf(drawing.root);
  for (let step = 0; step < 3; step++) {
    network.redraw(); // only what was drawn has a box
    const boxes = nodes.getIds().map(id => network.getBoundingBox(id)).filter(Boolean);
    const left = Math.min(...boxes.map(box => box.left)), right = Math.max(...boxes.map(box => box.right));
    const top = Math.min(...boxes.map(box => box.top)), bottom = Math.max(...boxes.map(box => box.bottom));
    const fits = fitting(room, right - left, bottom - top);
    const crowd = stands(drawing.wanted) && fits < SMALLEST_SCALE_IN_A_CROWD;
    const scale = crowd ? SMALLEST_SCALE_IN_A_CROWD : fits;
    const position = crowd ? { x: 0, y: 0 } : { x: (left + right) / 2, y: (top + bottom) / 2 };
    network.moveTo({ position, scale, animation: false });
    if (!resize(drawing, scale)) return;
  }
}

/* What was there stays where it is; what is new begins beside what it was unfolded from, and finds its place. */
function change(drawing, wanted) {
  const same = (before, now) => JSON.stringify(before) === JSON.stringify(now);
  const drawn = same([drawing.wanted.nodes, drawing.wanted.edges], [wanted.nodes, wanted.edges]);
  const recentred = drawing.wanted.centre !== wanted.centre;
  drawing.wanted = wanted;
  if (!drawn) {
    delete drawing.root.dataset.drawn;
    const kept = new Set(wanted.nodes.map(node => node.id));
    const lines = new Set(wanted.edges.map(edge => edge.from + " " + edge.to));
    drawing.edges.remove(drawing.edges.getIds().filter(id => !lines.has(id)));
    drawing.nodes.remove(drawing.nodes.getIds().filter(id => !kept.has(id)));
    if (recentred || stands(wanted)) drawing.placed.clear();
    else for (const id of [...drawing.placed]) if (!kept.has(id)) drawing.placed.delete(id);
    if (!stands(wanted)) besideTheirNeighbours(drawing);
    paint(drawing);
    if (stands(wanted)) settle(drawing);
    else {
      drawing.network.setOptions({ physics: { ...wanted.options.physics, enabled: true } });
      drawing.network.stabilize(160);
    }
  } else if (JSON.stringify(themeOf(drawing.root, wanted.palettes)) !== drawing.look) paint(drawing);
  mark(drawing);
}

function besideTheirNeighbours(drawing) {
  const places = drawing.network.getPositions([...drawing.placed]);
  drawing.wanted.nodes.forEach((node, number) => {
    if (drawing.placed.has(node.id)) return;
    const edge = drawing.wanted.edges.find(line =>
      (line.from === node.id && places[line.to]) || (line.to === node.id && places[line.from]));
    const near = edge && places[edge.from === node.id ? edge.to : edge.from];
    if (near) { node.x = near.x + 60 * Math.cos(number); node.y = near.y + 60 * Math.sin(number); }
  });
}

function mark(drawing) {
  const chosen = drawing.wanted.selected;
  if (chosen && drawing.nodes.get(chosen)) drawing.network.selectNodes([chosen], chosen !== drawing.wanted.centre);
  else drawing.network.unselectAll();
}

export default function (component) {
  const root = component.parentElement;
  const wanted = JSON.parse(new TextDecoder().decode(component.data));
  let gone = false;
  root.classList.add("maya-graph");
  root.setAttribute("role", "img");
  root.setAttribute("aria-label", wanted.name);
  load(wanted.library).then(vis => {
    if (gone) return;
    const drawing = drawings.get(root);
    if (!drawing) begin(vis, root, component, wanted);
    else { drawing.component = component; change(drawing, wanted); }
  }, () => { root.textContent = "The picture cannot be drawn now. The table below holds the same."; });
  return () => {
    gone = true;
    const drawing = drawings.get(root);
    if (drawing && !root.isConnected) { drawing.watch.disconnect(); drawing.network.destroy(); drawings.delete(root); }
  };
}
