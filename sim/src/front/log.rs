//! The call log: what was asked, by whom, and how it went. Tests and the control API read it.

use crate::spec::Effect;
use crate::time::SimTime;
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;

/// The log forgets what is older than this many calls.
const LENGTH: usize = 100_000;

/// One call, in the order in which calls were carried out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// 1 for the first call.
    pub sequence: u64,
    /// Virtual time at which it was carried out.
    pub at: SimTime,
    /// The service's name in credential scopes; absent when it could not be made out.
    pub service: Option<&'static str>,
    /// The operation, as far as it could be made out.
    pub operation: String,
    /// Whether it changes anything; absent when the operation is unknown.
    pub effect: Option<Effect>,
    /// The input as it was sent.
    pub parameters: Value,
    /// The caller's ARN; empty when nobody could be made out.
    pub caller: String,
    /// The access key that signed.
    pub access_key: String,
    /// The caller's account.
    pub account: String,
    /// The region that was signed for.
    pub region: String,
    /// The HTTP status of the answer, also of one that was lost; absent when nothing was carried out.
    pub status: Option<u16>,
    /// The code of the answer's error.
    pub error_code: Option<String>,
    /// The faults that struck, by name.
    pub fault: Option<String>,
    /// `x-amzn-requestid`.
    pub request_id: String,
    /// What the client calls itself.
    pub user_agent: String,
}

/// The calls, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    written: u64,
}

impl Log {
    pub(super) fn push(&mut self, mut entry: Entry, at: SimTime) {
        if self.entries.len() == LENGTH {
            self.entries.pop_front();
        }
        self.written += 1;
        entry.sequence = self.written;
        entry.at = at;
        self.entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Forgets the calls; their numbers go on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
