//! Files that people and programs write line by line: settings in YAML, logs, JSON lines. Pure.

use super::{REDACTED, Redactor, is_secret_name};
use serde_json::Value;

impl Redactor {
    /// Learns what a file of JSON, or lines of JSON, holds under secret names.
    pub fn learn_file(&mut self, text: &str) {
        match serde_json::from_str::<Value>(text) {
            Ok(whole) => self.learn_json(&whole),
            Err(_) => {
                for line in text.lines() {
                    if let Ok(value) = serde_json::from_str::<Value>(line) {
                        self.learn_json(&value);
                    } else if let Some((_, value)) = secret_entry(line) {
                        self.learn(value.trim_matches(['"', '\'']));
                    }
                }
            }
        }
    }

    /// A file without secrets, line for line what it was.
    pub fn file(&self, text: &str) -> String {
        if let Ok(mut whole @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
            self.json(&mut whole);
            return format!("{whole:#}\n");
        }
        // A private key spans lines, so the text is cleaned as a whole first.
        let text = self.text(text);
        let mut clean = String::with_capacity(text.len());
        let mut hidden_below = None;
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            if hidden_below.is_some_and(|above| line.trim().is_empty() || indent > above) {
                continue;
            }
            hidden_below = None;
            match serde_json::from_str(line) {
                Ok(mut value @ Value::Object(_)) => {
                    self.json(&mut value);
                    clean.push_str(&value.to_string());
                }
                _ => match secret_entry(line) {
                    Some((head, _)) => {
                        clean.push_str(head);
                        clean.push(' ');
                        clean.push_str(REDACTED);
                        // What belongs to it in YAML stands below, further in.
                        hidden_below = Some(indent);
                    }
                    None => clean.push_str(line),
                },
            }
            clean.push('\n');
        }
        clean
    }
}

/// A line `name: value` whose name says that it is secret: all up to the colon, and the rest, which may be empty.
fn secret_entry(line: &str) -> Option<(&str, &str)> {
    let at = line.find(':')?;
    let (head, value) = (&line[..=at], &line[at + 1..]);
    let name = head[..at].trim_start_matches([' ', '\t', '-']).trim_matches([' ', '"', '\'']);
    let is_name =
        name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let separated = value.is_empty() || value.starts_with([' ', '\t']);
    (is_name && separated && is_secret_name(name)).then_some((head, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_entry_of_yaml_goes_with_all_that_stands_below_it() {
        let text = "\
server:
  listen: 127.0.0.1:8080
  password: \"open sesame, please\"
  privateKey: |
    line one

    line two
  hosts: [a.example]
  - token:
      - one
port: 1
";
        assert_eq!(
            Redactor::default().file(text),
            "\
server:
  listen: 127.0.0.1:8080
  password: [redacted]
  privateKey: [redacted]
  hosts: [a.example]
  - token: [redacted]
port: 1
"
        );
    }

    #[test]
    fn lines_of_json_stay_lines_of_json() {
        let text = "{\"a\":1,\"token\":\"x y\"}\nnot json\n";
        assert_eq!(
            Redactor::default().file(text),
            "{\"a\":1,\"token\":\"[redacted]\"}\nnot json\n"
        );
        assert_eq!(
            Redactor::default().file("{\"a\": {\"secret\": \"x y\"}}"),
            "{\n  \"a\": {\n    \"secret\": \"[redacted]\"\n  }\n}\n"
        );
    }

    #[test]
    fn what_a_file_holds_under_secret_names_is_learned() {
        let mut redactor = Redactor::default();
        redactor.learn_file("x: 1\npassword: 'open sesame'\n{\"token\":\"alpha beta\"}\n");
        assert_eq!(redactor.text("open sesame, alpha beta"), "[redacted], [redacted]");
    }
}
