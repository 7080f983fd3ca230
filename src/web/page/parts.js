// Parts of the view of one TED: findings, gates, plan, past updates, events.

import { h, icon, table } from "/page/dom.js";
import { age, at, badge, count, dash, prose, revision, span } from "/page/words.js";

function section(key, title, ...content) {
  return h("section", { "data-key": key, class: key, "aria-labelledby": `title-${key}` }, h("h2", { id: `title-${key}` }, title), content);
}

const SEVERITIES = { critical: ["person", "Critical"], warning: ["warning", "Warning"], info: ["info", "Info"] };

export function findings({ findings: all, lookedAt }) {
  if (!all.length) {
    return section("findings", "Findings", h("p", { class: "empty" }, lookedAt ? "None: nothing disagrees." : "Nobody has looked yet."));
  }
  const number = new Map();
  return section("findings", `Findings (${all.length})`, h("ul", null, all.map((one) => {
    // Several findings may have one code; their order tells them apart.
    const turn = (number.get(one.code) ?? 0) + 1;
    number.set(one.code, turn);
    const [kind, word] = SEVERITIES[one.severity] ?? SEVERITIES.info;
    const fact = (title, ...value) => h("div", null, h("dt", null, title), h("dd", null, value));
    return h("li", { class: `tone ${kind}`, "data-key": `${one.code} ${turn}` },
      h("p", null, badge(kind, word), h("code", null, one.code), one.since && h("span", { class: "since" }, "for ", age(one.since, "span"))),
      h("p", { class: "says" }, prose(one.message)),
      h("dl", { class: "list" },
        one.desired !== null && fact("Should be", h("span", { class: "value" }, one.desired)),
        one.actual !== null && fact("Is", h("span", { class: "value" }, one.actual)),
        one.readFrom && fact("Read from", one.readFrom),
        one.remedy && fact("What to do", prose(one.remedy)),
        isWeb(one.guide) && fact("Guide", h("a", { href: one.guide, target: "_blank", rel: "noopener noreferrer" }, one.guide, icon("away")))));
  })));
}

/** Nothing but the web may be behind a link that came from elsewhere. */
function isWeb(address) {
  try {
    return new URL(address).protocol === "https:";
  } catch {
    return false;
  }
}

const GATES = {
  NeedsPerson: ["person", "Needs a person"],
  Unknown: ["unknown", "Unknown"],
  Waiting: ["waiting", "Waiting"],
  Holds: ["good", "Holds"],
  NotApplicable: ["none", "No say here"],
};

/** Gates that are closed while there is nothing to start are no cause for alarm. */
export function gates({ gates: all, plan: steps }, skew) {
  if (!all.length) return section("gates", "Gates", h("p", { class: "empty" }, "None was asked: there is nothing to start."));
  const closed = all.filter((gate) => !gate.holds);
  const open = all.filter((gate) => gate.holds);
  const rows = (list) => h("ul", null, list.map((gate) => {
    const [found, word] = GATES[gate.state] ?? GATES.Unknown;
    const kind = gate.holds || steps.length ? found : "none";
    return h("li", { "data-key": gate.gate, class: `tone ${kind}` },
      h("p", null, badge(kind, word), h("b", null, gate.gate), gate.until && h("span", { class: "since" }, "opens ", age(gate.until, "ago", skew))),
      gate.message && h("p", { class: "message" }, prose(gate.message)),
      gate.remedy && h("p", { class: "remedy" }, h("b", null, "What to do: "), prose(gate.remedy)));
  }));
  const title = !closed.length ? "Gates: all open"
    : `Gates: ${closed.length} of ${all.length} closed${steps.length ? "" : ", and nothing to start"}`;
  return section("gates", title,
    closed.length > 0 && h("div", { "data-key": "closed" }, rows(closed)),
    open.length > 0 && h("details", { "data-key": "open" },
      h("summary", null, count(open.length, "gate is open", "gates are open")), rows(open)));
}

export function plan({ plan: steps, parameters, notes, lookedAt }) {
  // Most parameters of a new version keep their value; what they are allowed to be is of little interest then.
  const changed = parameters.filter((one) => one.change !== "redefined");
  const redefined = parameters.filter((one) => one.change === "redefined");
  return section("plan", "Plan",
    steps.length
      ? h("ol", null, steps.map((one) => h("li", null, h("span", { class: "step" }, one.step), " ", prose(one.summary))))
      : h("p", { class: "empty" }, lookedAt ? "Nothing to do." : "Nobody has looked yet."),
    notes.map((note) => h("p", { class: "note" }, icon("info"), prose(note))),
    changed.length > 0 && h("details", { "data-key": "changed", open: true },
      h("summary", null, count(changed.length, "parameter changes", "parameters change")),
      table("parameters", ["Parameter", "Change", "From", "To", "Why"], changed.map((one) =>
        h("tr", { "data-key": one.key }, parameter(one),
          h("td", null, one.change),
          h("td", null, h("span", { class: "value" }, dash(one.from))),
          h("td", null, h("span", { class: "value" }, dash(one.to))),
          h("td", null, prose(one.why)))), "What an update would do to parameters")),
    redefined.length > 0 && h("details", { "data-key": "redefined" },
      h("summary", null, count(redefined.length, "parameter keeps its value and is defined otherwise", "parameters keep their value and are defined otherwise")),
      table("parameters", ["Parameter", "Value", "What differs"], redefined.map((one) =>
        h("tr", { "data-key": one.key }, parameter(one),
          h("td", null, h("span", { class: "value" }, dash(one.to ?? one.from))),
          h("td", null, prose(one.why)))), "Parameters that the wanted version defines otherwise")));
}

function parameter({ key, label }) {
  return h("th", { scope: "row" }, h("code", null, key), label && label !== key && h("small", null, label));
}

const OUTCOMES = { Succeeded: ["good", "Succeeded"], Failed: ["bad", "Failed"], InProgress: ["busy", "Under way"] };

export function history({ history: all }, skew) {
  return section("history", "Past updates", all.length
    ? h("ul", null, all.map((one) => {
      const [kind, word] = OUTCOMES[one.outcome] ?? OUTCOMES.InProgress;
      return h("li", { "data-key": `${one.at} ${one.recordId}` },
        h("p", null, badge(kind, word), one.seconds !== null && ` in ${span(one.seconds * 1000)}`, h("span", { class: "since" }, age(one.at, "ago", skew))),
        h("p", { class: "message" }, at(one.at), one.recordId && [" · ", h("code", null, one.recordId)],
          one.revision ? [" · ", revision(one.revision)] : one.by ? [" · by ", h("code", null, one.by)] : " · nobody knows for which revision",
          one.commit && ` · ${one.commit.subject} (${one.commit.author})`));
    }))
    : h("p", { class: "empty" }, "None is known."));
}

/** How many events are shown at first. */
const FEW = 12;

export function events(all) {
  if (!all) return section("events", "Events", h("p", { class: "empty" }, "Being read …"));
  const row = (one) => h("li", { "data-key": `${one.at} ${one.reason} ${one.message}`, class: one.type === "Warning" ? "warning" : null },
    h("p", null, one.type === "Warning" ? badge("warning", "Warning") : null, h("b", null, one.reason),
      one.count > 1 && h("span", { class: "times" }, ` ${one.count} times`), h("span", { class: "since" }, age(one.lastAt))),
    h("p", { class: "message" }, prose(one.message)));
  return section("events", "Events", all.length
    ? [h("ul", { "data-key": "few" }, all.slice(0, FEW).map(row)),
      all.length > FEW && h("details", { "data-key": "more" }, h("summary", null, `${all.length - FEW} more`), h("ul", null, all.slice(FEW).map(row)))]
    : h("p", { class: "empty" }, "None since this controller started."));
}

/** What concerns all TEDs: frozen starts, documents that are not in force, a loop that hangs, a connection that is lost. */
export function notices({ freeze, sources, daemon, lostAt }) {
  const shown = [];
  const notice = (key, kind, drawing, ...content) =>
    shown.push(h("div", { class: `notice ${kind}`, "data-key": key, role: "status" }, icon(drawing), h("div", null, content)));
  if (lostAt) {
    notice("lost", "problem", "unknown", h("p", null, h("b", null, "The connection is lost. "), "This is how it was at ", at(new Date(lostAt).toISOString()), ". Connecting again …"));
  }
  if (daemon && !daemon.healthy) {
    notice("health", "problem", "person", h("p", null, h("b", null, "The controller hangs. "),
      daemon.lastPassAt ? ["Its loop gave its last sign of life ", age(daemon.lastPassAt), "."] : "Its loop has given no sign of life yet."));
  }
  if (freeze?.frozen) {
    notice("frozen", "frozen", "frozen", h("p", null, h("b", null, "Frozen"), freeze.reason ? `: ${freeze.reason}. ` : ". ",
      "Nothing starts; events are still given back.", freeze.since && [" Since ", age(freeze.since, "span"), "."]));
  }
  for (const source of sources) {
    if (source.problem) {
      notice(`source ${source.source}`, "problem", "bad", h("p", null, h("b", null, "The source of documents cannot be read: "), source.problem,
        source.lastReadAt && [" What it said ", age(source.lastReadAt), " stays in force."]));
    }
    for (const file of source.files.filter((one) => !one.valid)) {
      notice(`file ${file.path}`, "problem", "bad",
        h("p", null, h("b", null, `${file.path}: `), file.summary),
        h("details", null, h("summary", null, count(file.problems.length, "problem", "problems")), h("ul", null, file.problems.map(problem))));
    }
  }
  return shown;
}

function problem(one) {
  const { file, line, column } = one.location;
  const place = line ? `${file}:${line}:${column}` : file;
  return h("li", null, h("code", null, place), " ", one.field && [h("code", null, one.field), " "], prose(one.message),
    one.found !== undefined && [": found ", h("code", null, one.found)],
    one.allowed !== undefined && ["; allowed: ", prose(one.allowed)],
    one.hint !== undefined && h("p", { class: "remedy" }, h("b", null, "What to do: "), prose(one.hint)));
}
