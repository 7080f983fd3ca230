// What is known, what is looked at, and when it is shown anew.

import { h, icon, patch } from "/page/dom.js";
import { fleet } from "/page/fleet.js";
import { follow } from "/page/live.js";
import { ask, order, tell } from "/page/orders.js";
import { notices } from "/page/parts.js";
import { ted } from "/page/ted.js";
import { holds, serverNow, setServerTime, tick } from "/page/words.js";

const state = {
  teds: new Map(),
  freeze: null,
  sources: [],
  daemon: null,
  /** When the connection was lost; null while there is one. */
  lostAt: null,
  /** Whether the list has come: until then the server's own rendering stays. */
  known: false,
  /** The events of TEDs that were looked at, newest first. */
  events: new Map(),
  /** Tokens of looks that were asked for and are not through. */
  asked: new Map(),
  filter: "all",
  search: "",
};

const view = document.getElementById("view");
const live = document.getElementById("live");
const freezeButton = document.getElementById("freeze");

/** The TED in the address, or null for all of them. */
function route() {
  const name = location.hash.replace(/^#\/?/, "");
  try {
    return name ? decodeURIComponent(name) : null;
  } catch {
    return name;
  }
}

const heard = {
  list({ items, freeze }) {
    state.teds = new Map(items.map((item) => [item.metadata.name, item]));
    state.freeze = freeze;
    state.known = true;
    readEvents();
  },
  ted(item) {
    const name = item.metadata.name;
    const isNew = !state.teds.has(name);
    state.teds.set(name, item);
    if (isNew) state.teds = new Map([...state.teds].sort(([one], [other]) => (one < other ? -1 : 1)));
    if (state.asked.get(name) === item.status.lastHandledReconcile && state.asked.delete(name)) tell(`${name} was looked at.`);
  },
  gone({ name }) {
    state.teds.delete(name);
    state.events.delete(name);
    state.asked.delete(name);
  },
  happened({ name }) {
    if (name === route()) readEvents();
  },
  sources({ items }) {
    state.sources = items;
  },
  freeze(freeze) {
    state.freeze = freeze;
  },
  daemon(daemon) {
    state.daemon = daemon;
    setServerTime(daemon.now);
  },
};

/** The events of the TED that is looked at. */
let reading = 0;
async function readEvents() {
  const name = route();
  if (!name) return;
  const turn = ++reading;
  try {
    const response = await fetch(`/api/v1/teds/${encodeURIComponent(name)}/events`, { signal: AbortSignal.timeout(20_000) });
    const items = response.ok ? (await response.json()).items : [];
    if (turn === reading) {
      state.events.set(name, items);
      show();
    }
  } catch {
    // The connection is lost; when it is back, the list comes, and this is asked again.
  }
}

/** Which view is shown; undefined before the first. */
let shown;
let due = 0;

/** Shows what is known soon: many changes at once are shown once. */
function show() {
  due ||= setTimeout(() => {
    due = 0;
    render();
  }, 30);
}

function render() {
  const name = route();
  patch(document.getElementById("notices"), h("div", null, notices(state)));
  renderTop();
  if (!state.known) return;
  patch(view, h("main", null, name === null ? fleet(state) : ted(name, state)));
  const people = [...state.teds.values()].filter((one) => holds(one, "Stalled")).length;
  document.title = [people && `(${people})`, name, "ted-controller"].filter(Boolean).join(" ");
  if (shown !== undefined && shown !== name) window.scrollTo(0, 0);
  shown = name;
}

function renderTop() {
  const connected = state.known && !state.lostAt;
  live.className = `live ${connected ? "good" : "bad"}`;
  patch(live, h("span", null, icon(connected ? "good" : "busy"), connected ? "Live" : "Connecting …"));
  freezeButton.hidden = !state.daemon || state.daemon.orders === "off";
  const text = state.freeze?.frozen ? "Allow starts" : "Freeze";
  if (freezeButton.textContent !== text) freezeButton.textContent = text;
}

follow((kind, data) => {
  heard[kind](data);
  show();
}, (connected) => {
  if (connected) state.lostAt = null;
  else if (state.known) state.lostAt ??= serverNow();
  show();
});

window.addEventListener("hashchange", () => {
  render();
  readEvents();
  view.focus({ preventScroll: true });
});

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("button[data-order], button[data-filter]");
  if (!button) return;
  const { filter, name } = button.dataset;
  if (filter) {
    state.filter = filter;
    render();
    return;
  }
  if (button.dataset.order === "freeze") return freeze();
  const answer = await order(`/api/v1/teds/${encodeURIComponent(name)}/reconcile`, { retry: button.dataset.order === "retry" });
  // The pass may have been quicker than its answer.
  if (answer && state.teds.get(name)?.status.lastHandledReconcile !== answer.token) state.asked.set(name, answer.token);
  show();
});

async function freeze() {
  const frozen = state.freeze?.frozen;
  const reason = await ask(frozen
    ? { title: "Allow starts again?", text: "What is due begins with the next pass.", yes: "Allow starts" }
    : {
      title: "Freeze all starts?", text: "No update begins. What is under way goes on, and events are given back.",
      label: "Why (shown to everybody)", yes: "Freeze", danger: true,
    });
  if (reason === null) return;
  const answer = await order("/api/v1/freeze", frozen ? { frozen: false } : { frozen: true, reason });
  if (answer) state.freeze = answer;
  show();
}

document.addEventListener("input", ({ target }) => {
  if (target.id !== "search") return;
  state.search = target.value;
  render();
});

setInterval(tick, 1000);
render();
