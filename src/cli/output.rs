//! The terminal: data goes to stdout, everything that is said about it to stderr.
//!
//! Whoever reads us may stop reading (`| head`). That is no error of ours, so a failed write is passed over; `println!`
//! would panic.

use std::fmt::Display;
use std::io::Write;

/// Writes data, exactly as it is.
pub(super) fn data(text: impl Display) {
    let mut stdout = std::io::stdout().lock();
    let _ = write!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Writes data that is no text.
pub(super) fn bytes(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

/// Writes one line of data.
pub(super) fn line(text: impl Display) {
    data(format_args!("{text}\n"));
}

/// Says what is wrong, and what to do next if that is known.
pub(super) fn error(message: impl Display, hint: Option<&str>) {
    say("error", message);
    if let Some(hint) = hint {
        say("hint", hint);
    }
}

/// Says something worth knowing that keeps nothing from working.
pub(super) fn note(message: impl Display) {
    say("note", message);
}

fn say(kind: &str, message: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{kind}: {message}");
}
