//! Reconciles Turbot Guardrails Enterprise Database (TED) provisioned products toward a desired document.
//!
//! The map of the code:
//!
//! - [`aws`]: the only place that talks to AWS; hands out a reader and a writer.
//! - [`desired`]: the documents: types, reading with positions, rules, JSON Schema, maintenance windows. Pure.
//! - [`observe`]: what is: one look at AWS.
//! - [`assess`]: what that means and what to do: findings, gates, plan. Pure.
//! - [`settings`], [`telemetry`], [`source`]: flags, environment and file as one checked struct; logs; where documents come from.
//! - [`act`]: carries out one step, exactly as it was decided. The only one that is given a writer.
//! - [`report`]: what people and machines are told: status, conditions, events, metrics, text. Decides nothing.
//! - [`controller`]: which TED is looked at when. [`web`]: API, metrics and page. [`notify`]: tells others what changed.
//! - [`cli`]: one file a command; all terminal output and all exit codes. Decides nothing.
//! - `demo` (feature `demo`): a simulated AWS and the daemon in one process, told as a story.
//! - [`redact`]: takes secrets out of what leaves for somebody else. [`support`]: all that a ticket needs, as one archive. Pure.
//! - [`clock`]: the only reader of real time. [`text`]: foreign text made safe to print. [`denial`]: who was denied what. `https`: our
//!   client for servers other than AWS.

pub mod act;
pub mod assess;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod controller;
#[cfg(feature = "demo")]
pub mod demo;
pub mod denial;
pub mod desired;
mod https;
pub mod notify;
pub mod observe;
pub mod redact;
pub mod report;
pub mod settings;
pub mod source;
pub mod support;
pub mod telemetry;
pub mod text;
pub mod web;

#[cfg(test)]
#[path = "../tests/support/golden.rs"]
mod golden;
