// The words for what the API says: badges, ages, moments. Nothing is judged here.

import { h, icon } from "/page/dom.js";

/** How far the server's clock is ahead of this one, in milliseconds. */
let ahead = 0;

export function setServerTime(now) {
  ahead = Date.parse(now) - Date.now();
}

export function serverNow() {
  return Date.now() + ahead;
}

/** How far AWS's clock was ahead of the server's when a TED was last looked at: what AWS dates is compared with AWS's time. */
export function awsAhead(ted) {
  const { observedAt, lookedAt } = ted.status;
  return observedAt && lookedAt ? Date.parse(observedAt) - Date.parse(lookedAt) : 0;
}

/** `5s`, `3m 20s`, `2h 5m`, `4d 1h`: the two largest units, as the command line has them. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [days, hours, minutes, rest] =
    [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (large, largeUnit, small, smallUnit) => `${large}${largeUnit}${small ? ` ${small}${smallUnit}` : ""}`;
  if (days) return two(days, "d", hours, "h");
  if (hours) return two(hours, "h", minutes, "m");
  if (minutes) return two(minutes, "m", rest, "s");
  return `${rest}s`;
}

/** `2026-07-01 12:00:05 UTC`. */
export function moment(at) {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? String(at) : `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** How long ago, or how long until: kept current by `tick`. `form` is `ago` (with the word), `span` (without), or `due` (of what is to come). */
export function age(at, form = "ago", skew = 0) {
  if (!at) return "–";
  const local = new Date(at).toLocaleString();
  return h("time", { datetime: at, title: `${moment(at)} (here ${local})`, "data-form": form, "data-skew": skew || null },
    ageText(at, form, skew));
}

function ageText(at, form, skew) {
  const past = serverNow() + skew - Date.parse(at);
  if (form === "span") return span(Math.abs(past));
  if (form === "due" && past >= 0) return "due";
  return past >= -999 ? `${span(past)} ago` : `in ${span(-past)}`;
}

/** Lets all ages on the page go on. */
export function tick() {
  for (const time of document.querySelectorAll("time[data-form]")) {
    const text = ageText(time.dateTime, time.dataset.form, Number(time.dataset.skew ?? 0));
    if (time.textContent !== text) time.textContent = text;
  }
}

/** A moment in full. */
export function at(time) {
  return time ? h("time", { datetime: time, title: `here ${new Date(time).toLocaleString()}` }, moment(time)) : "–";
}

export function condition(ted, type) {
  return ted.status.conditions.find((one) => one.type === type) ?? { type, status: "Unknown", reason: "", message: "" };
}

export function holds(ted, type) {
  return condition(ted, type).status === "True";
}

/** What there is to say in one line: the condition that people ask for first. */
export function headline(ted) {
  if (holds(ted, "Stalled")) return condition(ted, "Stalled");
  if (holds(ted, "Reconciling")) return condition(ted, "Reconciling");
  return condition(ted, "Ready");
}

/** The tone of a TED as a whole. */
export function tone(ted) {
  if (holds(ted, "Stalled")) return "person";
  if (holds(ted, "Reconciling")) return "busy";
  return { True: "good", False: "bad" }[condition(ted, "Ready").status] ?? "unknown";
}

export function badge(kind, text, title) {
  return h("span", { class: `badge ${kind}`, title }, icon(kind), text);
}

/** What the conditions come to: whether it is ready, and each thing that somebody has to know. */
export function badges(ted) {
  const shown = [];
  // While it is being worked on, not being ready yet is as it should be.
  const notReady = holds(ted, "Reconciling") ? "busy" : "bad";
  for (const { type, status, reason, message } of ted.status.conditions) {
    if (type === "Ready" && status === "True") shown.push(badge("good", "Ready", message));
    else if (type === "Ready" && status === "False") shown.push(badge(notReady, `Not ready: ${reason}`, message));
    else if (type === "Ready") shown.push(badge("unknown", `Unknown: ${reason}`, message));
    else if (type === "Stalled" && status === "True") shown.push(badge("person", `Stalled: ${reason}`, message));
    else if (type === "EventsPaused" && status === "True") shown.push(badge("paused", `Events paused: ${reason}`, message));
  }
  return shown;
}

/** A sentence, with what stands in backticks as what people could type. */
export function prose(text) {
  const parts = String(text ?? "").split("`");
  if (parts.length % 2 === 0) return text;
  return parts.map((part, index) => (index % 2 ? h("code", null, part) : part));
}

/** `UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS` may break at its underscores. */
export function breakable(text) {
  if (text === null || text === undefined) return "–";
  return String(text).split(/(?<=_)/).flatMap((part, index) => index ? [h("wbr"), part] : [part]);
}

export function dash(text) {
  return text === null || text === undefined || text === "" ? "–" : text;
}

export function count(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** `sha256:0123456789ab`, `main@sha1:0123456789ab`. */
export function revision(text) {
  if (!text) return "–";
  const cut = text.lastIndexOf(":");
  const short = cut < 0 ? text : text.slice(0, cut + 13);
  return h("code", { title: text }, short);
}
