//! Versions of PostgreSQL: which exist, what a bare major version means, which way an upgrade goes.

use crate::error::ApiError;

/// Major versions on offer, with the minor version RDS picks for each (RDS release notes for PostgreSQL).
const MAJORS: [(u32, u32); 5] = [(13, 20), (14, 17), (15, 12), (16, 8), (17, 4)];

fn parse(version: &str) -> Option<(u32, Option<u32>)> {
    let mut parts = version.split('.').map(str::parse::<u32>);
    let (major, minor) = (parts.next()?.ok()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    Some((major, minor.transpose().ok()?))
}

/// The version that runs when `asked` is asked for.
///
/// # Errors
/// `InvalidParameterCombination` for a version that does not exist.
pub(super) fn resolve(asked: &str) -> Result<String, ApiError> {
    let known = parse(asked).and_then(|(major, minor)| {
        Some((major, minor, MAJORS.iter().find(|(known, _)| *known == major)?.1))
    });
    match known {
        Some((major, minor, usual)) => Ok(format!("{major}.{}", minor.unwrap_or(usual))),
        None => Err(ApiError::new(
            "InvalidParameterCombination",
            format!("Cannot find version {asked} for postgres"),
        )),
    }
}

/// The version that an instance of `running` gets when `asked` is asked for: its own when that is what was asked, minor version or not.
///
/// # Errors
/// `InvalidParameterCombination` for a version that does not exist, a downgrade, or a major upgrade without its flag.
pub(super) fn upgrade(running: &str, asked: &str, allow_major: bool) -> Result<String, ApiError> {
    if matches_prefix(asked, running) {
        return Ok(running.to_owned());
    }
    let wanted = resolve(asked)?;
    let (from, to) = (parse(running), parse(&wanted));
    if to < from {
        return Err(ApiError::new(
            "InvalidParameterCombination",
            format!("Cannot upgrade postgres from {running} to {wanted}"),
        ));
    }
    if from.map(|(major, _)| major) != to.map(|(major, _)| major) && !allow_major {
        let message = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    Ok(wanted)
}

/// Whether `running` is `asked`, compared component by component as far as `asked` goes. Drift detection compares so.
pub(super) fn matches_prefix(asked: &str, running: &str) -> bool {
    let mut running = running.split('.');
    asked.split('.').all(|part| running.next() == Some(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_up_and_majors_need_a_flag() {
        for (why, running, asked, major, expected) in [
            ("a bare major that runs", "15.7", "15", false, Ok("15.7")),
            ("a minor upgrade", "15.7", "15.12", false, Ok("15.12")),
            ("a major upgrade", "15.7", "16", true, Ok("16.8")),
            (
                "without its flag",
                "15.7",
                "16.8",
                false,
                Err(
                    "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
                ),
            ),
            ("down", "15.7", "15.3", true, Err("Cannot upgrade postgres from 15.7 to 15.3")),
            (
                "numbers, not text",
                "15.12",
                "15.7",
                false,
                Err("Cannot upgrade postgres from 15.12 to 15.7"),
            ),
            ("unknown", "15.7", "99", true, Err("Cannot find version 99 for postgres")),
            (
                "no version at all",
                "15.7",
                "latest",
                true,
                Err("Cannot find version latest for postgres"),
            ),
        ] {
            let got = upgrade(running, asked, major).map_err(|error| error.message);
            assert_eq!(got, expected.map(str::to_owned).map_err(str::to_owned), "{why}");
        }
    }

    #[test]
    fn a_prefix_is_of_components() {
        assert!(matches_prefix("15", "15.7") && matches_prefix("15.7", "15.7"));
        assert!(
            !matches_prefix("15.7", "15.70")
                && !matches_prefix("1", "15.7")
                && !matches_prefix("15.7.1", "15.7")
        );
    }
}
