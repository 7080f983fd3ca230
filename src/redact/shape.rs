//! Values that are harmless by their shape. Pure. Whatever is not recognised is not harmless.

use crate::observe::observation::Parameter;
use regex_lite::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Shapes that hold no secret, whole values only.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let shapes = [
        // Numbers, with a unit or without.
        r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?(?:ms|s|m|h|d|KB|MB|GB|TB|KiB|MiB|GiB|TiB|%)?",
        // Versions.
        r"v?[0-9]{1,5}(?:\.[0-9]{1,5}){1,3}(?:-[a-z]+(?:\.[0-9]+)?)?",
        // Classes of instances and kinds of storage.
        r"(?:db|cache)\.[a-z0-9-]{2,12}\.[a-z0-9-]{2,12}",
        r"(?i:gp2|gp3|io1|io2|standard|postgres|redis|valkey)",
        // Regions and zones.
        r"[a-z]{2}(?:-[a-z]{3,10}){1,2}-[0-9][a-z]?",
        // Ids that AWS gives.
        r"(?:vpc|subnet|sg|eni|rtb|acl|igw|nat|eipalloc|vpce|pl|lp|pa|pp|prod|port|rec)-[0-9a-z]{4,40}",
        r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*(?:aws)?:[A-Za-z0-9._:/*+=,@-]{1,400}",
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        // Addresses, names and times of AWS.
        r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?",
        r"[a-z0-9.-]{4,253}\.(?:amazonaws\.com|amazonaws\.com\.cn|rds\.amazonaws\.com)",
        r"(?:[a-z]{3}:)?[0-9]{2}:[0-9]{2}-(?:[a-z]{3}:)?[0-9]{2}:[0-9]{2}",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+Z)?",
        // Words that are values of switches.
        r"(?i:true|false|yes|no|on|off|none|null|auto|default|enabled|disabled|blue|green)",
    ];
    shapes.iter().filter_map(|shape| Regex::new(&format!("^(?:{shape})$")).ok()).collect()
});

/// The name of an SSM parameter.
static SSM_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^/?[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){1,14}$").ok());

/// Whether a value of a parameter or output is harmless. `parameter`: what the template says of it; `names`: those of the installation.
pub(super) fn is_harmless(
    value: &str,
    parameter: Option<&Parameter>,
    names: &BTreeSet<String>,
) -> bool {
    let value = value.trim();
    if value.chars().count() < super::SHORTEST_LEARNED {
        return true;
    }
    let of_template = parameter.is_some_and(|parameter| {
        // A default of the template is everybody's; a secret parameter never gets here.
        parameter.default.as_deref() == Some(value)
            || parameter.allowed_values.iter().any(|allowed| allowed.eq_ignore_ascii_case(value))
            || (parameter.kind.starts_with("AWS::SSM::")
                && SSM_NAME.as_ref().is_some_and(|name| name.is_match(value)))
    });
    of_template
        || names.contains(value)
        || value.split(',').map(str::trim).all(|part| part.is_empty() || is_plain(part))
}

fn is_plain(value: &str) -> bool {
    SHAPES.iter().any(|shape| shape.is_match(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plainly_a_setting_is_kept_and_what_could_be_anything_is_not() {
        let names = BTreeSet::from(["einstein".to_owned()]);
        let kept = [
            "200",
            "12.5",
            "v1.52.1",
            "8.0",
            "db.m6g.large",
            "cache.t3.medium",
            "gp3",
            "us-east-2",
            "us-gov-west-1b",
            "vpc-0a1b2c3d",
            "arn:aws:kms:us-east-2:111122223333:key/1234-ab",
            "10.20.0.0/16, 10.21.0.0/16",
            "turbot-einstein.abc.us-east-2.rds.amazonaws.com",
            "sun:04:00-sun:05:00",
            "True",
            "einstein",
            "",
            "ab",
        ];
        for value in kept {
            assert!(is_harmless(value, None, &names), "{value}");
        }
        let withheld = [
            "hunter2",
            "hunter2hunter2",
            "correct horse battery staple",
            "s3cr3t",
            "0a1b2c3d4e5f",
            "einsteiN2",
            "/looks/like/a/path",
            "8.0; drop",
            "QWxhZGRpbg==",
        ];
        for value in withheld {
            assert!(!is_harmless(value, None, &names), "{value}");
        }
    }

    #[test]
    fn the_templates_own_values_are_everybodys() {
        let parameter = Parameter {
            kind: "String".into(),
            default: Some("turbot".into()),
            allowed_values: vec!["Redis Password & IAM".into()],
            ..Parameter::default()
        };
        let none = BTreeSet::new();
        assert!(is_harmless("turbot", Some(&parameter), &none));
        assert!(is_harmless("redis password & iam", Some(&parameter), &none));
        assert!(!is_harmless("/turbot/tef/vpc_id", Some(&parameter), &none), "no SSM parameter");
        let ssm = Parameter { kind: "AWS::SSM::Parameter::Value<String>".into(), ..parameter };
        assert!(is_harmless("/turbot/tef/vpc_id", Some(&ssm), &none));
    }
}
