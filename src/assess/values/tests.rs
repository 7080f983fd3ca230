use super::*;
use crate::desired::Role;
use proptest::prelude::*;

fn parameter(kind: &str, allowed: &[&str]) -> Parameter {
    Parameter {
        key: "P".to_owned(),
        kind: kind.to_owned(),
        allowed_values: allowed.iter().map(|value| (*value).to_owned()).collect(),
        ..Parameter::default()
    }
}

#[test]
fn values_are_the_same_when_aws_means_the_same() {
    for (kind, allowed, role, one, other, expected, why) in [
        ("String", &[][..], None, "a", "a", true, "equal"),
        ("String", &[], None, " a ", "a", true, "CloudFormation trims"),
        ("String", &[], None, "A", "a", false, "case counts"),
        ("Number", &[], None, "5", "5.0", true, "a number"),
        ("Number", &[], None, "05", "5", true, "leading zeros"),
        ("Number", &[], None, "1e3", "1000", true, "an exponent"),
        ("Number", &[], None, "0.10", "0.1", true, "trailing zeros"),
        ("Number", &[], None, "-0", "0", true, "no zero has a sign"),
        (
            "Number",
            &[],
            None,
            "9007199254740993",
            "9007199254740992",
            false,
            "more digits than a float has",
        ),
        ("String", &[], None, "8.0", "8", false, "a version in a text is no number"),
        ("String", &[], None, "7.10", "7.1", false, "nor is this one"),
        ("String", &["true", "false"], None, "True", "true", true, "a boolean"),
        ("String", &["Yes", "No"], None, "true", "Yes", true, "a boolean in other words"),
        ("String", &[], None, "True", "true", false, "a text that only looks like one"),
        ("String", &["true", "auto"], None, "yes", "true", false, "not a pair of opposites"),
        (
            "String",
            &["redis", "valkey"],
            Some(Role::CacheEngine),
            "Valkey",
            "valkey",
            true,
            "engine in any case",
        ),
        ("String", &["redis", "valkey"], None, "Valkey", "valkey", false, "another parameter"),
        ("CommaDelimitedList", &[], None, "a, b", "b,a", true, "blanks and order"),
        ("CommaDelimitedList", &[], None, "a,a,b", "a,b", false, "how often"),
        ("List<Number>", &[], None, "1.0,2", "2,1", true, "numbers in a list"),
        ("List<AWS::EC2::Subnet::Id>", &[], None, "s-1,s-2", "s-2, s-1", true, "subnets"),
        ("String", &[], None, "a,b", "b,a", false, "a text with a comma"),
    ] {
        let parameter = parameter(kind, allowed);
        assert_eq!(same(&parameter, role, one, other), expected, "{one:?} and {other:?}: {why}");
        assert_eq!(same(&parameter, role, other, one), expected, "{other:?} and {one:?}: {why}");
    }
}

#[test]
fn a_value_is_spelled_as_the_template_allows_it() {
    for (kind, allowed, role, value, expected) in [
        ("String", &["redis", "Valkey"][..], Some(Role::CacheEngine), "valkey", "Valkey"),
        ("String", &["Enabled", "Disabled"], None, "true", "Enabled"),
        ("Number", &["7", "31"], None, "7.0", "7"),
        ("String", &["7.0", "7.1"], None, "7.1", "7.1"),
        ("String", &["7.0", "7.1"], None, "8.0", "8.0"),
        ("String", &[], None, " x ", "x"),
    ] {
        assert_eq!(spelled(&parameter(kind, allowed), role, value), expected);
    }
    assert_eq!(spelled_truth(&parameter("String", &["No", "Yes"]), true), "Yes");
    assert_eq!(spelled_truth(&parameter("String", &[]), false), "false");
}

#[test]
fn versions_compare_by_the_components_that_are_wanted() {
    for (wanted, actual, expected, why) in [
        ("8.0", "8.0.1", true, "AWS chooses the patch level"),
        ("8.0", "8.1", false, "another minor version"),
        ("8.0", "8", false, "less than was asked for"),
        ("7.1", "7.10", false, "components, not text"),
        ("7.1", "7.1.0", true, "a patch of 0"),
        ("x", "x", true, "no versions at all"),
        ("x", "8.0", false, "no version"),
    ] {
        assert_eq!(version_satisfies(wanted, actual), expected, "{wanted} by {actual}: {why}");
    }
    let version = |text| CacheVersion::read(text).unwrap();
    assert!(
        is_older(&version("7.1"), &version("7.2.0"))
            && !is_older(&version("7.2"), &version("7.2.6"))
    );
    assert!(is_older(&version("9.0"), &version("10.0")));
}

#[test]
fn a_value_is_checked_as_cloudformation_does() {
    let with = |bend: fn(&mut Parameter)| {
        let mut parameter = parameter("String", &[]);
        bend(&mut parameter);
        parameter
    };
    let number = |least: &str, most: &str| Parameter {
        min_value: Some(least.to_owned()),
        max_value: Some(most.to_owned()),
        ..parameter("Number", &[])
    };
    for (parameter, value, expected, why) in [
        (parameter("String", &["a", "b"]), "a", None, "allowed"),
        (
            parameter("String", &["a", "b"]),
            "c",
            Some("`P` (The P) cannot be `c`: allowed are `a`, `b`"),
            "not allowed",
        ),
        (
            parameter("CommaDelimitedList", &["a", "b"]),
            "a, c",
            Some("cannot be `c`"),
            "a member of a list",
        ),
        (number("1", "6"), "7", Some("the most is 6"), "above"),
        (number("1", "6"), "0", Some("the least is 1"), "below"),
        (number("1", "6"), "inf", Some("a number is wanted"), "Rust's idea of a number"),
        (number("-1", "6"), "-1", None, "a bound is inside"),
        (
            with(|p| p.min_length = Some("3".into())),
            "ab",
            Some("2 characters, the least is 3"),
            "short",
        ),
        (
            with(|p| p.max_length = Some("2".into())),
            "äöü",
            Some("3 characters, the most is 2"),
            "long, in characters",
        ),
        (with(|p| p.allowed_pattern = Some("[a-z]+".into())), "abc", None, "matches"),
        (
            with(|p| p.allowed_pattern = Some("[a-z]+".into())),
            "abc1",
            Some("it does not match"),
            "the whole value, not a part",
        ),
        (
            with(|p| p.allowed_pattern = Some("a|b".into())),
            "ab",
            Some("it does not match"),
            "anchors hold for all branches",
        ),
        (
            with(|p| {
                p.allowed_pattern = Some("[a-z]+".into());
                p.constraint_description = Some("lower case letters".into());
            }),
            "A",
            Some("wanted is lower case letters"),
            "the template's own words",
        ),
    ] {
        let complaints = check(&parameter, Some("The P"), value);
        match (complaints.as_slice(), expected) {
            ([], None) => {}
            ([Complaint::Refused(message)], Some(expected)) => {
                assert!(message.contains(expected), "{message}: {why}");
            }
            other => panic!("{other:?}: {why}"),
        }
    }
}

#[test]
fn a_pattern_that_means_something_else_here_is_not_checked_and_blocks_nothing() {
    for pattern in [
        "^(?!aws)[a-z]+$",
        r"(a)\1",
        "[a-z&&[^b]]+",
        "[a-z]++",
        "a{1,2}+",
        "(?<=a)b",
        r"\p{Alpha}+",
        "[",
        "[]a]",
        "[[:alpha:]]+",
    ] {
        let parameter =
            Parameter { allowed_pattern: Some(pattern.to_owned()), ..parameter("String", &[]) };
        let complaints = check(&parameter, None, "value");
        assert!(
            matches!(complaints.as_slice(), [Complaint::Unchecked(_)]),
            "{pattern}: {complaints:?}"
        );
    }
    for pattern in [r"^\[a\]\+\+$", "[+]+", "a+?"] {
        assert!(!means_something_else(pattern), "{pattern}");
    }
}

proptest! {
    /// Against exact arithmetic on whole numbers of thousandths.
    #[test]
    fn numbers_are_the_same_when_they_are_equal(one in -20_000_i64..20_000, other in -20_000_i64..20_000, zeros in 0_usize..3) {
        let text = |thousandths: i64| {
            let sign = if thousandths < 0 { "-" } else { "" };
            let absolute = thousandths.abs();
            format!("{sign}{}{}.{:03}{}", "0".repeat(zeros), absolute / 1000, absolute % 1000, "0".repeat(zeros))
        };
        let plain = |thousandths: i64| {
            if thousandths % 1000 == 0 { (thousandths / 1000).to_string() } else { format!("{thousandths}e-3") }
        };
        let number = parameter("Number", &[]);
        prop_assert_eq!(same(&number, None, &text(one), &plain(other)), one == other);
        prop_assert!(same(&number, None, &text(one), &plain(one)));
    }

    /// Against a list sorted by itself.
    #[test]
    fn lists_are_the_same_when_their_members_are(members in proptest::collection::vec("[a-c]{1,2}", 1..6), seed in any::<u64>()) {
        let mut shuffled = members.clone();
        let places = shuffled.len();
        for place in 0..places {
            let other = usize::try_from(seed >> (place * 8)).unwrap_or_default() % places;
            shuffled.swap(place, other);
        }
        let list = parameter("CommaDelimitedList", &[]);
        prop_assert!(same(&list, None, &members.join(","), &shuffled.join(" , ")));
        let mut more = members.clone();
        more.push("zz".to_owned());
        prop_assert!(!same(&list, None, &members.join(","), &more.join(",")));
    }

    /// Being the same is an equivalence, whatever the texts.
    #[test]
    fn being_the_same_is_an_equivalence(a in ".{0,6}", b in ".{0,6}", c in ".{0,6}") {
        for parameter in [parameter("Number", &[]), parameter("String", &["yes", "no"]), parameter("CommaDelimitedList", &[])] {
            prop_assert!(same(&parameter, None, &a, &a));
            prop_assert_eq!(same(&parameter, None, &a, &b), same(&parameter, None, &b, &a));
            if same(&parameter, None, &a, &b) && same(&parameter, None, &b, &c) {
                prop_assert!(same(&parameter, None, &a, &c));
            }
        }
    }

    /// What a document is given in place of its spelling is always the same value.
    #[test]
    fn another_spelling_is_the_same_value(value in "[ a-zA-Z0-9.]{0,6}", allowed in proptest::collection::vec("[a-zA-Z0-9.]{1,4}", 0..4)) {
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        for kind in ["Number", "String", "CommaDelimitedList"] {
            let parameter = parameter(kind, &allowed);
            let spelled = spelled(&parameter, Some(Role::CacheEngine), &value);
            prop_assert!(same(&parameter, Some(Role::CacheEngine), &spelled, &value));
        }
    }

    /// No pattern from AWS makes a check panic or hang.
    #[test]
    fn any_pattern_is_survived(pattern in ".{0,30}", value in ".{0,30}") {
        let parameter = Parameter { allowed_pattern: Some(pattern), ..parameter("String", &[]) };
        prop_assert!(check(&parameter, None, &value).len() <= 1);
    }
}
