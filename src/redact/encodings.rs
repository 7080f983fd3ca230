//! The other ways in which a text may be written down. Pure.

use std::fmt::Write as _;

/// The shortest encoded form that is looked for.
const SHORTEST: usize = 6;

/// Other spellings of a secret than its own.
pub(super) fn of(secret: &str) -> Vec<String> {
    let mut forms = vec![json(secret), html(secret), html(secret).replace('\'', "&#39;")];
    // What a component keeps (RFC 3986, "unreserved"), what a path keeps, and nothing kept.
    for kept in ["-._~", "-._~/:@!$&'()*+,;="] {
        let form =
            percent(secret, |byte| byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte));
        forms.push(form.replace("%20", "+"));
        forms.push(lower_digits(&form));
        forms.push(form);
    }
    let all = percent(secret, |_| false);
    forms.push(lower_digits(&all));
    forms.push(all);
    forms.extend(base64_within(secret));
    let hex = hex(secret);
    forms.push(hex.to_uppercase());
    forms.push(hex);
    forms.retain(|form| form != secret && form.len() >= SHORTEST);
    forms.sort();
    forms.dedup();
    forms
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.trim_start_matches('"').trim_end_matches('"').to_owned()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The same with `%3f` for `%3F`.
fn lower_digits(form: &str) -> String {
    let mut out = String::with_capacity(form.len());
    let mut digits = 0;
    for c in form.chars() {
        out.push(if digits > 0 { c.to_ascii_lowercase() } else { c });
        digits = if c == '%' { 2 } else { usize::saturating_sub(digits, 1) };
    }
    out
}

fn percent(text: &str, is_kept: impl Fn(u8) -> bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if is_kept(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What a secret looks like somewhere inside a longer text that was encoded as a whole: it may begin at any of three places within a group
/// of three bytes, and the characters that it shares with its neighbours are not its own.
fn base64_within(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for offset in 0..3 {
        let mut bytes = vec![0; offset];
        bytes.extend_from_slice(secret.as_bytes());
        let own = (8 * offset).div_ceil(6)..8 * bytes.len() / 6;
        let form: String = base64(&bytes).chars().skip(own.start).take(own.len()).collect();
        forms.push(form.replace('+', "-").replace('/', "_"));
        forms.push(form);
    }
    forms
}

/// Base64 (RFC 4648) without the padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let word = group
            .iter()
            .chain([0_u8; 2].iter())
            .take(3)
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        for digit in 0..=group.len() {
            let index = (word >> (18 - 6 * digit)) & 63;
            out.push(char::from(DIGITS[usize::try_from(index).unwrap_or_default()]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10, without padding.
        for (text, wanted) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), wanted);
        }
    }

    #[test]
    fn a_secret_is_found_wherever_it_begins_in_what_was_encoded() {
        let secret = "s3cr3t/with+bytes?";
        let forms = of(secret);
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "z", "zz", "@host"] {
                let whole = base64(format!("{before}{secret}{after}").as_bytes());
                assert!(forms.iter().any(|form| whole.contains(form)), "{before}…{after}: {whole}");
            }
        }
    }

    #[test]
    fn spellings_are_those_of_their_syntax() {
        let forms = of("a b\"<é>&c/d");
        for form in [
            "a b\\\"<é>&c/d",
            "a b&quot;&lt;é&gt;&amp;c/d",
            "a%20b%22%3C%C3%A9%3E%26c%2Fd",
            "a%20b%22%3c%c3%a9%3e%26c%2fd",
            "a+b%22%3C%C3%A9%3E%26c%2Fd",
            "a%20b%22%3C%C3%A9%3E&c/d",
            "%61%20%62%22%3C%C3%A9%3E%26%63%2F%64",
        ] {
            assert!(forms.iter().any(|known| known == form), "{form}: {forms:?}");
        }
    }
}
