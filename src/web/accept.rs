//! Which of the two texts of Prometheus a scraper gets.

/// The texts that metrics can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposition {
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// Prometheus' older text format, 0.0.4, which browsers show.
    Text,
}

impl Exposition {
    /// What the `Accept` header prefers; without a preference `OpenMetrics`.
    pub(super) fn preferred(accept: &str) -> Self {
        let quality = |kind: &str, sub: &str| quality(accept, kind, sub);
        let open = quality("application", "openmetrics-text");
        // A browser names HTML and takes all else alike; what it cannot show it would save as a file.
        let text = quality("text", "plain").max(named(accept, "text", "html").unwrap_or(0));
        if text > open { Self::Text } else { Self::OpenMetrics }
    }

    /// The content type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// What was written as `OpenMetrics`, in this form.
    ///
    /// The older format wants the full name of a counter in its comments, knows no unit and no end, and its help texts need no full stop.
    pub(super) fn convert(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::Text => as_text(&open_metrics),
        }
    }
}

fn as_text(open_metrics: &str) -> String {
    let mut out = String::with_capacity(open_metrics.len());
    // The help line comes before the type line that says whether the name has to change.
    let mut help = None;
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), rest) => {
                help = Some((name, rest.unwrap_or_default()));
            }
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let suffix = if kind == "counter" { "_total" } else { "" };
                if let Some((_, text)) = help.take().filter(|(of, _)| *of == name) {
                    out.extend(["# HELP ", name, suffix, " ", text, "\n"]);
                }
                out.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
            }
            (Some("#"), Some("UNIT" | "EOF"), _, _) => {}
            _ => out.extend([line, "\n"]),
        }
    }
    out
}

/// How much a client wants a type, in thousandths: the most specific range that fits it counts (RFC 9110, 12.5.1).
fn quality(accept: &str, kind: &str, sub: &str) -> u16 {
    named(accept, kind, sub)
        .or_else(|| named(accept, kind, "*"))
        .or_else(|| named(accept, "*", "*"))
        .unwrap_or(0)
}

/// How much a client wants exactly this range, if it names it.
fn named(accept: &str, kind: &str, sub: &str) -> Option<u16> {
    let fits = |range: &str| {
        range.trim().split_once('/').is_some_and(|(found_kind, found_sub)| {
            found_kind.eq_ignore_ascii_case(kind) && found_sub.eq_ignore_ascii_case(sub)
        })
    };
    accept
        .split(',')
        .map(|entry| entry.split_once(';').unwrap_or((entry, "")))
        .filter(|(range, _)| fits(range))
        .map(|(_, parameters)| {
            let weight = parameters.split(';').find_map(|parameter| {
                let (name, value) = parameter.trim().split_once('=')?;
                name.eq_ignore_ascii_case("q").then(|| thousandths(value))
            });
            weight.unwrap_or(1000)
        })
        .max()
}

/// `0.5` as 500. What is no weight counts as none.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let fraction = format!("{fraction:0<3}").parse().unwrap_or(0);
    match whole {
        "0" => fraction,
        "1" => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrapers_and_browsers_get_what_they_read_best() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        for (accept, wanted, why) in [
            ("", Exposition::OpenMetrics, "no preference"),
            ("*/*", Exposition::OpenMetrics, "curl"),
            (prometheus, Exposition::OpenMetrics, "Prometheus"),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Exposition::Text, "an older scraper"),
            ("text/plain", Exposition::Text, "the text only"),
            (browser, Exposition::Text, "a browser would save the other one"),
            ("text/*;q=0.9, application/*;q=0.1", Exposition::Text, "ranges"),
            (
                "TEXT/PLAIN ; Q=1.0, application/openmetrics-text;q=1",
                Exposition::OpenMetrics,
                "a draw",
            ),
            ("text/plain;q=2, */*;q=x", Exposition::OpenMetrics, "weights that are none"),
        ] {
            assert_eq!(Exposition::preferred(accept), wanted, "{why}: {accept}");
        }
    }

    #[test]
    fn the_older_text_names_counters_in_full() {
        let open = "# HELP passes Passes by result.\n# TYPE passes counter\npasses_total{result=\"# TYPE\"} 1\n\
                    # HELP took_seconds How long.\n# TYPE took_seconds histogram\n# UNIT took_seconds seconds\n\
                    took_seconds_count 2\n# EOF\n";
        let text = "# HELP passes_total Passes by result.\n# TYPE passes_total counter\npasses_total{result=\"# TYPE\"} 1\n\
                    # HELP took_seconds How long.\n# TYPE took_seconds histogram\ntook_seconds_count 2\n";
        assert_eq!(Exposition::Text.convert(open.to_owned()), text);
        assert_eq!(Exposition::OpenMetrics.convert(open.to_owned()), open);
    }
}
