// One TED: what goes on, what disagrees, what is waited for, what would be done.

import { h, icon, table } from "/page/dom.js";
import { age, at, awsAhead, badges, breakable, condition, dash, headline, holds, prose, revision, serverNow, tone } from "/page/words.js";
import { events, findings, gates, history, plan } from "/page/parts.js";

export function ted(name, { teds, events: known, daemon, asked }) {
  const one = teds.get(name);
  const back = h("p", { class: "back" }, h("a", { href: "#/" }, "← All TEDs"));
  if (!one) return [back, h("p", { class: "empty" }, `There is no TED “${name}”: no document of that name is in force.`)];
  const skew = awsAhead(one);
  const { status } = one;
  return [
    back,
    head(one, daemon, asked),
    verdict(one),
    h("div", { class: "columns", "data-key": "columns" },
      h("div", { class: "main" },
        h("div", { class: "now", "data-key": "now" }, progress(status), paused(status, skew)),
        sides(status),
        findings(status),
        gates(status, skew),
        plan(status)),
      h("aside", null,
        conditions(status),
        looks(one),
        history(status, skew),
        events(known.get(name)),
        documentOf(one))),
  ];
}

function head(one, daemon, asked) {
  const { name } = one.metadata;
  const { actual } = one.status;
  const place = [actual.account ?? one.spec?.account, actual.region ?? one.spec?.region, one.spec?.provisionedProduct].filter(Boolean);
  const waits = asked.get(name);
  return h("div", { class: "head", "data-key": "head" },
    h("div", null,
      h("h1", null, name),
      h("p", { class: "place" }, place.join(" · "))),
    daemon?.orders !== "off" && h("p", { class: "buttons" },
      waits && h("span", { class: "asked", role: "status" }, "Asked; the pass is not through yet"),
      h("button", { type: "button", "data-order": "reconcile", "data-name": name }, "Look now"),
      holds(one, "Stalled") && h("button", {
        type: "button", class: "quiet", "data-order": "retry", "data-name": name,
        title: "Looks now, and counts updates that failed before no longer",
      }, "Try again")));
}

/** The answer to "why is nothing happening?", then what runs. */
function verdict(one) {
  const { actual, phase, trouble } = one.status;
  const fact = (title, ...value) => h("div", null, h("dt", null, title), h("dd", null, value));
  return h("section", { class: `verdict tone ${tone(one)}`, "data-key": "verdict", "aria-label": "Verdict" },
    h("p", { class: "badges" }, phase && h("span", { class: "phase" }, phase), badges(one)),
    h("p", { class: "says" }, prose(headline(one).message)),
    whyNothing(one),
    trouble && lookFails(trouble, headline(one).message),
    h("dl", { class: "facts" },
      fact("TED version", dash(actual.tedVersion)),
      fact("Cache", dash([actual.engine, actual.engineVersion].filter(Boolean).join(" "))),
      fact("Product", breakable(actual.productStatus)),
      fact("Stack", breakable(actual.stackStatus)),
      fact("Database", breakable(actual.databaseStatus)),
      fact("Cache status", breakable(actual.cacheStatus))));
}

/** The verdict's sentence may be the reason already. */
function lookFails({ reason, message, since }, said) {
  return h("p", { class: "trouble" }, icon("warning"), h("span", null,
    !said.includes(message) && [h("b", null, `${reason}: `), prose(message), ". "],
    "Every look has come to nothing for ", age(since, "span"), "; what is shown is older."));
}

/** When it is not as wanted and nothing is being done about it, the reason why is the other half of the answer. */
function whyNothing(one) {
  const { status, message } = condition(one, "Reconciling");
  const idle = condition(one, "Ready").status === "False" && !holds(one, "Stalled") && status === "False";
  return idle && h("p", { class: "why" }, h("b", null, "Why nothing is done about it: "), prose(message));
}

function section(key, title, ...content) {
  return h("section", { "data-key": key, class: key, "aria-labelledby": `title-${key}` }, h("h2", { id: `title-${key}` }, title), content);
}

function progress({ progress: now }) {
  if (!now) return null;
  const bar = (title, done, total) => h("div", { class: "meter" },
    h("span", null, title),
    h("progress", { max: Math.max(total, 1), value: done, "aria-label": title }),
    h("span", { class: "number" }, `${done} of ${total}`));
  return section("progress", "The update under way",
    bar("Stacks", now.stacksDone, now.stacksTotal),
    bar("Resources", now.resourcesDone, now.resourcesTotal),
    now.current && h("p", null, "Now: ", h("code", null, now.current)));
}

function paused({ events: now }, skew) {
  if (!now?.paused) return null;
  const left = now.lossBegins ? Date.parse(now.lossBegins) - serverNow() - skew : null;
  const loss = left === null ? "When the queues would begin to drop events could not be read."
    : left <= 0 ? ["The oldest waiting events are being lost since ", at(now.lossBegins), "."]
      : ["The queues would begin to lose the oldest ", age(now.lossBegins, "ago", skew), ", at ", at(now.lossBegins), "."];
  return section("eventspaused", "Events are paused",
    h("dl", { class: "facts" },
      h("div", null, h("dt", null, "Since"), h("dd", null, now.since ? age(now.since, "span", skew) : "unknown")),
      h("div", null, h("dt", null, "Triggers off"), h("dd", null, now.triggers)),
      h("div", null, h("dt", null, "Messages waiting"), h("dd", null, now.backlog === null ? "unknown" : now.backlog.toLocaleString("en")))),
    h("p", { class: left !== null && left < 86_400_000 ? "urgent" : null }, loss));
}

const SIDES = [["desired", "Document"], ["serviceCatalog", "Service Catalog"], ["cloudFormation", "CloudFormation"], ["real", "Really there"]];

function sides({ sides: rows }) {
  if (!rows.length) return section("sides", "Side by side", h("p", { class: "empty" }, "Nothing was read yet."));
  const cell = ({ state, value }) => {
    if (state === "known") return h("td", null, h("span", { class: "value" }, value));
    if (state === "absent") return h("td", { class: "absent" }, icon("bad"), "absent");
    if (state === "unreadable") return h("td", { class: "unreadable" }, icon("unknown"), "unreadable", value && h("small", null, value));
    return h("td", { class: "silent", title: "has nothing to say about this" }, "–");
  };
  return section("sides", "Side by side",
    table("foursides", ["", ...SIDES.map(([, title]) => title), "Findings"], rows.map((row) =>
      h("tr", { class: row.findings.length ? "differs" : null, "data-key": row.what },
        h("th", { scope: "row" }, row.what),
        SIDES.map(([side]) => cell(row[side])),
        h("td", null, row.findings.length
          ? row.findings.map((code) => h("span", { class: "badge differs" }, icon("unlike"), code))
          : h("span", { class: "silent" }, "–")))), "The same thing as four see it"));
}

function conditions({ conditions: all }) {
  return section("conditions", "Conditions", h("ul", null, all.map((one) =>
    h("li", { "data-key": one.type },
      h("p", null, mark(one), h("b", null, one.type), " ", h("span", { class: "status" }, one.status), h("span", { class: "since" }, "for ", age(one.lastTransitionTime, "span"))),
      h("p", { class: "message" }, h("span", { class: "reason" }, one.reason), " ", prose(one.message))))));
}

/** True is good news for Ready alone; of the others it is news. */
function mark({ type, status }) {
  if (status === "Unknown") return h("span", { class: "mark unknown" }, icon("unknown"));
  if (type === "Ready") return h("span", { class: `mark ${status === "True" ? "good" : "bad"}` }, icon(status === "True" ? "good" : "bad"));
  if (status === "False") return h("span", { class: "mark none" }, icon("none"));
  const [tone, drawing] = { Reconciling: ["busy", "busy"], Stalled: ["person", "person"], EventsPaused: ["paused", "paused"] }[type] ?? ["differs", "unlike"];
  return h("span", { class: `mark ${tone}` }, icon(drawing));
}

function looks(one) {
  const { status } = one;
  const fact = (title, ...value) => h("div", null, h("dt", null, title), h("dd", null, value));
  return section("looks", "Looks",
    h("dl", { class: "list" },
      fact("Last look", status.lookedAt ? age(status.lookedAt) : "never"),
      fact("AWS’s time then", at(status.observedAt)),
      fact("Next look", status.nextLookAt ? age(status.nextLookAt, "due") : "–"),
      fact("Judged by revision", revision(status.observedRevision)),
      fact("Last attempted", revision(status.attemptedRevision)),
      fact("Last in effect", revision(status.appliedRevision))));
}

function documentOf(one) {
  return section("document", "Document",
    h("details", null, h("summary", null, "As it is in force, with defaults"),
      h("pre", { tabindex: 0, role: "region", "aria-label": "The document" }, JSON.stringify(one.spec, null, 2))));
}
