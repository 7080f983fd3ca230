// All TEDs. The server's first rendering (fleet.rs) has the same columns and words.

import { h, table } from "/page/dom.js";
import { age, badges, breakable, condition, count, dash, headline, holds, prose, tone } from "/page/words.js";

const COLUMNS = ["TED", "Version", "Cache", "Product", "Stack", "Database", "Cache status", "Phase", "Condition", "Last look"];

/** From so many TEDs on there is a field to find one by name. */
const MANY = 9;

const FILTERS = [
  ["all", "All", () => true],
  ["person", "Need a person", (ted) => holds(ted, "Stalled")],
  ["busy", "Changing", (ted) => holds(ted, "Reconciling")],
  ["bad", "Not ready", (ted) => condition(ted, "Ready").status !== "True"],
  ["paused", "Events paused", (ted) => holds(ted, "EventsPaused")],
];

export function fleet({ teds, filter, search }) {
  const all = [...teds.values()];
  const title = h("h1", { class: "hidden", "data-key": "title" }, "All TEDs");
  if (!all.length) return [title, h("p", { class: "empty" }, "No TEDs: no valid desired document is in force.")];
  const fits = FILTERS.find(([name]) => name === filter)?.[2] ?? (() => true);
  const wanted = search.trim().toLowerCase();
  const shown = all.filter((ted) => fits(ted) && `${ted.metadata.name} ${place(ted)}`.toLowerCase().includes(wanted));
  return [
    title,
    h("div", { class: "bar", "data-key": "bar" },
      h("div", { role: "group", "aria-label": "Which TEDs" }, FILTERS.map(([name, title, test]) => {
        const number = all.filter(test).length;
        return h("button", {
          type: "button", class: `chip ${name}`, "data-filter": name, "data-key": name,
          "aria-pressed": String(name === filter), disabled: number === 0 && name !== filter,
        }, `${title} `, h("b", null, number));
      })),
      all.length >= MANY && h("input", {
        id: "search", type: "search", "data-key": "search", placeholder: "Find by name, account or region", "aria-label": "Find by name, account or region",
      })),
    shown.length
      ? table("fleet", COLUMNS, shown.map(row), "TEDs")
      : h("p", { class: "empty" }, `None of ${count(all.length, "TED", "TEDs")} is like that.`),
  ];
}

function place(ted) {
  const { account, region } = ted.status.actual;
  return [account ?? ted.spec?.account, region ?? ted.spec?.region].filter(Boolean).join(" · ");
}

function row(ted) {
  const { actual, phase, lookedAt, trouble } = ted.status;
  const name = ted.metadata.name;
  const cells = [
    dash(actual.tedVersion),
    dash([actual.engine, actual.engineVersion].filter(Boolean).join(" ")),
    breakable(actual.productStatus),
    breakable(actual.stackStatus),
    breakable(actual.databaseStatus),
    breakable(actual.cacheStatus),
    dash(phase),
    [badges(ted), h("small", null, prose(headline(ted).message))],
    [lookedAt ? age(lookedAt) : "never", trouble && h("small", { class: "warn" }, "the last look failed")],
  ];
  return h("tr", { class: `tone ${tone(ted)}`, "data-key": name },
    h("th", { scope: "row" },
      h("a", { href: `#/${encodeURIComponent(name)}` }, name),
      h("small", null, place(ted))),
    // The title again, for windows that are too narrow for a table.
    cells.map((cell, index) => h("td", { "data-title": COLUMNS[index + 1] }, cell)));
}
