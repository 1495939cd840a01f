/* Loaded once with the frame of every page. Draws the trees of `markup.py` and knows the keyboard.
   Elements are made one by one from a list of allowed tags and attributes; no HTML text is ever parsed. */

const TAGS = new Set(("a article bdi blockquote br button code dd del details div dl dt em figcaption figure footer " +
  "h1 h2 h3 h4 h5 h6 header hr i li mark meter nav ol p pre section small span strong summary table tbody td th " +
  "thead time tr ul").split(" "));
const PLAIN = new Set(["class", "dir", "title", "datetime", "start", "role"]);
const RENAMED = { label: "aria-label", pressed: "aria-pressed", current: "aria-current", hidden: "aria-hidden", menu: "data-menu",
  act: "data-act", to: "data-to", copy: "data-copy", align: "data-align" };
const SAFE_ADDRESS = /^(https?:\/\/|mailto:|\?chat=[\w-]*$|\/[a-z]+$)/i;
const components = new WeakMap();

function setAttributes(element, wanted) {
  const had = element.mayaAttributes || {};
  for (const name in had) if (!(name in wanted)) setAttribute(element, name, null);
  for (const name in wanted) if (had[name] !== wanted[name]) setAttribute(element, name, wanted[name]);
  element.mayaAttributes = wanted;
}

function setAttribute(element, name, value) {
  if (name === "source" || name === "key") return;
  if (name === "open") { if (value !== null) element.open = true; return; }
  if (name === "width") { element.style.setProperty("--share", (Number(value) || 0) + "%"); return; }
  if (name === "href") {
    if (value === null || !SAFE_ADDRESS.test(value)) { element.removeAttribute("href"); return; }
    element.setAttribute("href", value);
    if (!/^[?/]/.test(value)) { element.target = "_blank"; element.rel = "noopener noreferrer"; }
    return;
  }
  const real = PLAIN.has(name) ? name : RENAMED[name];
  if (!real) return;
  if (value === null) element.removeAttribute(real); else element.setAttribute(real, value);
}

function build(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const [tag, attributes, ...children] = node;
  const element = document.createElement(TAGS.has(tag) ? tag : "span");
  if (tag === "button") element.type = "button";
  element.mayaTag = tag;
  setAttributes(element, attributes);
  for (const child of children) element.append(build(child));
  return element;
}

/* Make the children of an element be `nodes`, touching only what differs, so that nothing that was read moves. */
function patch(parent, nodes) {
  const keyed = new Map();
  for (const child of parent.childNodes) if (child.mayaAttributes?.key) keyed.set(child.mayaAttributes.key, child);
  let place = parent.firstChild;
  for (const node of nodes) {
    const key = typeof node === "string" ? null : node[1].key;
    let found = key ? keyed.get(key) : place;
    if (!key && found?.mayaAttributes?.key) found = null;
    if (found && fits(found, node)) {
      if (found !== place) parent.insertBefore(found, place);
      update(found, node);
      place = found.nextSibling;
    } else {
      const made = build(node);
      if (found && !key) { place = found.nextSibling; found.replaceWith(made); }
      else parent.insertBefore(made, place);
    }
  }
  while (place) { const next = place.nextSibling; place.remove(); place = next; }
}

function fits(element, node) {
  return typeof node === "string" ? element.nodeType === 3 : element.nodeType === 1 && element.mayaTag === node[0];
}

function update(element, node) {
  if (typeof node === "string") { if (element.data !== node) element.data = node; return; }
  setAttributes(element, node[1]);
  patch(element, node.slice(2));
}

function scroller(element) {
  for (let up = element.parentElement; up; up = up.parentElement) {
    if (up.scrollHeight > up.clientHeight && /auto|scroll/.test(getComputedStyle(up).overflowY)) return up;
  }
  return document.scrollingElement;
}

function distanceToEnd(element) {
  const scrolled = scroller(element);
  return scrolled.scrollHeight - scrolled.clientHeight - scrolled.scrollTop;
}

/* The newest message is in view when a chat opens and while it grows, unless somebody scrolled away to read. */
function toEnd(element) {
  let frames = 0;
  (function settle() {
    const scrolled = scroller(element);
    scrolled.scrollTop = scrolled.scrollHeight;
    if (++frames < 4) requestAnimationFrame(settle);
  })();
}

function draw(component) {
  const root = component.parentElement;
  components.set(root, component);
  if (!root.mayaReady) {
    root.mayaReady = true;
    root.classList.add("maya");
    root.addEventListener("click", event => press(root, event));
  }
  const drawn = JSON.parse(new TextDecoder().decode(component.data));
  const atEnd = distanceToEnd(root) < 120;
  const first = root.querySelector(":scope > article");
  const before = first?.getBoundingClientRect().top;
  patch(root, drawn.nodes);
  if (first?.isConnected && root.querySelector(":scope > article") !== first && drawn.keep_place) {
    scroller(root).scrollTop += first.getBoundingClientRect().top - before;
  }
  const led = root.mayaFocus || "", changed = led !== drawn.focus;
  if (drawn.follow && !drawn.focus && (atEnd || changed || root.mayaFollow !== drawn.follow)) toEnd(root);
  root.mayaFollow = drawn.follow;
  root.mayaFocus = drawn.focus;
  if (changed) root.querySelector(".found")?.classList.remove("found");
  if (changed && drawn.focus) {
    const wanted = [...root.children].find(child => child.mayaAttributes?.key === drawn.focus);
    requestAnimationFrame(() => { wanted?.scrollIntoView({ block: "center" }); wanted?.classList.add("found"); });
  }
}

function send(root, name, to) {
  components.get(root).setTriggerValue("act", { name, to });
}

function press(root, event) {
  const copier = event.target.closest("[data-copy]");
  if (copier) { copy(copier); return; }
  const opener = event.target.closest("[data-menu]");
  if (opener) { openMenu(root, opener); return; }
  const actor = event.target.closest("[data-act]");
  if (!actor || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  send(root, actor.dataset.act, actor.dataset.to || "");
}

/* Copying */

function copy(button) {
  const article = button.closest("article");
  const text = button.dataset.copy === "code"
    ? button.closest("figure").querySelector("code").textContent
    : article?.mayaAttributes.source ?? "";
  toClipboard(text).then(() => say("Copied."), () => say("The browser did not allow copying."));
}

async function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("refused");
}

function say(sentence) {
  let line = document.getElementById("maya-said");
  if (!line) {
    line = document.createElement("div");
    line.id = "maya-said";
    line.setAttribute("role", "status");
    document.body.append(line);
  }
  line.textContent = sentence;
  line.classList.add("shown");
  clearTimeout(line.mayaTimer);
  line.mayaTimer = setTimeout(() => line.classList.remove("shown"), Math.max(2000, sentence.length * 70));
}

/* The one menu of a picked message */

function openMenu(root, opener) {
  closeMenu();
  const menu = document.createElement("div");
  menu.id = "maya-menu";
  menu.setAttribute("role", "menu");
  for (const entry of opener.dataset.menu.split("|")) {
    const [name, label] = entry.split("=");
    const item = document.createElement("button");
    item.type = "button";
    item.setAttribute("role", "menuitem");
    item.textContent = label;
    item.onclick = () => {
      closeMenu();
      if (name === "copy") {
        toClipboard(opener.closest("article").mayaAttributes.source || "").then(() => say("Copied."));
      } else send(root, name, opener.dataset.to);
    };
    menu.append(item);
  }
  document.body.append(menu);
  const at = opener.getBoundingClientRect();
  menu.style.left = Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8)) + "px";
  menu.style.top = (at.bottom + menu.offsetHeight + 8 < innerHeight ? at.bottom + 4 : at.top - menu.offsetHeight - 4) + "px";
  menu.mayaOpener = opener;
  menu.mayaTop = at.top;
  opener.setAttribute("aria-expanded", "true");
  menu.firstChild.focus();
}

function closeMenu() {
  const menu = document.getElementById("maya-menu");
  menu?.mayaOpener.removeAttribute("aria-expanded");
  menu?.remove();
}

/* A menu goes when its button scrolls away from it; a scroll that ends at the press is told only after it. */
function scrolled() {
  const menu = document.getElementById("maya-menu");
  if (menu && Math.abs(menu.mayaOpener.getBoundingClientRect().top - menu.mayaTop) > 8) closeMenu();
}

function menuKeys(event, menu) {
  const items = [...menu.children], at = items.indexOf(document.activeElement);
  if (event.key === "Escape") { const back = menu.mayaOpener; closeMenu(); back.focus(); }
  else if (event.key === "ArrowDown") items[(at + 1) % items.length].focus();
  else if (event.key === "ArrowUp") items[(at - 1 + items.length) % items.length].focus();
  else if (event.key === "Tab") { closeMenu(); return; }
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/* Keyboard and paste, for the whole page */

const PASTE_AT_MOST = 200000;

function keys(event) {
  const menu = document.getElementById("maya-menu");
  if (menu) { menuKeys(event, menu); return; }
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    event.stopPropagation();
    focusSearch();
  }
}

/* A closed sidebar is opened first; its field counts once it is on the screen. */
function focusSearch(tries = 0) {
  const input = document.querySelector(".st-key-search input");
  const at = input?.getBoundingClientRect();
  if (at && at.width > 0 && at.left >= 0) { input.focus(); input.select(); return; }
  if (tries === 0) document.querySelector('[data-testid="stExpandSidebarButton"]')?.click();
  if (tries < 40) setTimeout(focusSearch, 25, tries + 1);
}

function pasted(event) {
  const area = event.target.closest?.("textarea");
  const text = area && event.clipboardData?.getData("text/plain");
  if (!text || text.length <= PASTE_AT_MOST) return;
  event.preventDefault();
  event.stopPropagation();
  say(`This text has ${text.length.toLocaleString("en")} characters; 32,000 are possible. It was not put in, ` +
    "and is still in your clipboard. Paste it in parts.");
}

/* The theme's colours reach components only; the rest of the page gets them from here. Runs again on a new theme. */

const SHARED = ["background-color", "text-color", "primary-color", "link-color", "secondary-background-color"];

function shareTheme(element) {
  const theme = getComputedStyle(element), page = document.documentElement;
  for (const name of SHARED) page.style.setProperty("--st-" + name, theme.getPropertyValue("--st-" + name));
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = theme.getPropertyValue("--st-background-color").trim() || "#fff";
  const light = parseInt(probe.fillStyle.slice(1, 3), 16) > 127;
  page.dataset.maya = light ? "light" : "dark";
}

export default function (component) {
  shareTheme(component.parentElement);
  if (!globalThis.maya) {
    globalThis.maya = { draw };
    document.addEventListener("keydown", keys, true);
    document.addEventListener("paste", pasted, true);
    document.addEventListener("pointerdown", event => {
      if (!event.target.closest?.("#maya-menu")) closeMenu();
    }, true);
    document.addEventListener("scroll", scrolled, true);
  }
  for (const waiting of (globalThis.mayaWaiting || []).splice(0)) globalThis.maya.draw(waiting);
}
