//! Text that others wrote, made safe to print. Pure.
//!
//! AWS relays names and messages that customers chose, so a message can hold terminal escapes, newlines that forge log
//! lines, or text that runs backwards. [`sanitize`] is the one function that takes this out; whoever turns a foreign
//! string into a message calls it once, where the string comes in. It does not escape HTML: the page does that, where
//! HTML is made.
//!
//! [`moment`] is how a time is written in sentences, so that all of them look alike. [`chain`] tells an error with its causes.

use jiff::Timestamp;

/// A moment as people read it: `2026-07-01 12:00:05 UTC`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// An error and its causes on one line, none of them twice.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .collect()
}

/// How many characters of a foreign message are kept.
///
/// The longest useful message we know, a relayed CloudFormation failure with two ARNs, has about 700.
pub const MAX_MESSAGE_CHARS: usize = 1_000;

/// The text on one line, without control and direction characters, at most [`MAX_MESSAGE_CHARS`] long.
pub fn sanitize(text: &str) -> String {
    sanitize_to(text, MAX_MESSAGE_CHARS)
}

/// As [`sanitize`], with another limit in characters. What was cut off shows as `…`.
pub fn sanitize_to(text: &str, max_chars: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(max_chars * 4));
    let mut count = 0;
    let mut chars = text.chars().peekable();
    let mut blank_pending = false;
    while let Some(c) = chars.next() {
        if c == '\u{1b}' || c == '\u{9b}' {
            skip_escape(c, &mut chars);
        } else if c.is_whitespace() || c.is_control() {
            blank_pending = count > 0;
        } else if !is_invisible(c) {
            let needed = if blank_pending { 2 } else { 1 };
            if count + needed > max_chars {
                clean.push('…');
                return clean;
            }
            if blank_pending {
                clean.push(' ');
            }
            clean.push(c);
            count += needed;
            blank_pending = false;
        }
    }
    clean
}

/// Characters that change how their neighbours are shown without being seen: direction overrides, zero width, tags.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Skips one terminal escape sequence whose introducer has been read (ECMA-48: CSI, OSC and the other strings, two-character ones).
fn skip_escape(introducer: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let kind = if introducer == '\u{9b}' { Some('[') } else { chars.next() };
    match kind {
        Some('[') => {
            // Parameters and intermediates end at a final byte; anything else was never a sequence and is kept.
            while let Some(&c) = chars.peek() {
                if !('\u{20}'..='\u{7e}').contains(&c) {
                    break;
                }
                chars.next();
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    break;
                }
                if c == '\u{1b}' && chars.peek() == Some(&'\\') {
                    chars.next();
                    break;
                }
            }
        }
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_becomes_one_plain_line() {
        let rows = [
            ("plain", "plain", "nothing to do"),
            ("a\nb\r\n\tc", "a b c", "newlines would forge a log line"),
            ("  a  b ", "a b", "blanks collapse and do not lead or trail"),
            ("\u{1b}[31mred\u{1b}[0m", "red", "colours"),
            ("\u{1b}]0;title\u{7}x", "x", "a window title ended by BEL"),
            ("\u{1b}]8;;http://e\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link", "a terminal hyperlink"),
            ("\u{9b}2Jx", "x", "the one-character introducer"),
            ("a\u{1b}", "a", "an escape that never goes on"),
            ("\u{1b}[3é", "é", "a sequence that is none keeps its text"),
            ("a\u{202e}gpj.exe", "agpj.exe", "text that runs backwards"),
            ("a\0b\u{7f}c", "a b c", "control characters"),
            ("<b>&amp;", "<b>&amp;", "HTML is the page's business"),
            ("Größe 東京", "Größe 東京", "other scripts stay"),
        ];
        for (input, wanted, why) in rows {
            assert_eq!(sanitize(input), wanted, "{why}");
        }
    }

    #[test]
    fn long_text_is_cut_by_characters_and_says_so() {
        assert_eq!(sanitize_to("ééééé", 5), "ééééé");
        assert_eq!(sanitize_to("éééééé", 5), "ééééé…");
        assert_eq!(sanitize_to("ab cd", 3), "ab…", "a blank at the cut is dropped");
        assert_eq!(sanitize(&"x".repeat(5_000)).chars().count(), MAX_MESSAGE_CHARS + 1);
    }
}
