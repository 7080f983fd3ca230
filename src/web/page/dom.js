// Elements from values. Text becomes text nodes here and nowhere markup: what comes from AWS may say anything.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Attributes that are null, undefined or false are left out; children may be texts, elements, lists, or nothing. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(parent, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child instanceof Node) parent.append(child);
    else if (child !== null && child !== undefined && child !== false) parent.append(document.createTextNode(String(child)));
  }
}

/** One of the drawings in index.html. It never says anything that words beside it do not. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A table: titles, then rows that are `tr` elements. */
export function table(name, titles, rows, caption) {
  return h("div", { class: "scroll" },
    h("table", { class: name },
      h("caption", { class: "hidden" }, caption),
      h("thead", null, h("tr", null, titles.map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", null, rows)));
}

/**
 * Makes what is shown the same as `fresh`, touching only what differs, so that focus, selection, scrolling and opened details stay.
 * Children with a `data-key` are matched by it, the others by their order.
 */
export function patch(shown, fresh) {
  const keyed = new Map();
  for (const child of shown.children) if (child.dataset?.key) keyed.set(child.dataset.key, child);
  let place = shown.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = next.dataset?.key;
    const match = key ? keyed.get(key) : place;
    if (match && isAlike(match, next)) {
      if (match === place) place = place.nextSibling;
      else shown.insertBefore(match, place);
      update(match, next);
    } else {
      shown.insertBefore(next, place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

function isAlike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.dataset?.key === other.dataset?.key;
}

function update(shown, fresh) {
  if (shown.nodeType !== Node.ELEMENT_NODE) {
    if (shown.data !== fresh.data) shown.data = fresh.data;
    return;
  }
  for (const { name, value } of [...fresh.attributes]) {
    // Whether details are open, and what was typed, is the reader's to say.
    if (name === "open" || name === "value" && shown.nodeName === "INPUT") continue;
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
  for (const { name } of [...shown.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) shown.removeAttribute(name);
  }
  patch(shown, fresh);
}
