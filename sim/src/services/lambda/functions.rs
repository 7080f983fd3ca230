//! Reading functions.

use super::name::FunctionName;
use super::state::Function;
use super::{function_arn, invalid};
use crate::error::ApiError;
use crate::node::Map;
use crate::rng::Rng;
use crate::services::Call;
use crate::services::paging::page;
use crate::world::Scope;

/// Functions of one page, whatever `MaxItems` says (Lambda API reference, `ListFunctions`).
const MAX_FUNCTIONS: usize = 50;

pub(super) fn list(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let all_versions = call.input.has("FunctionVersion");
    // Only Lambda@Edge functions have a master region, and there are none here.
    let replicated = call.input.text("MasterRegion").is_some_and(|region| region != "ALL");
    let functions = call.region().lambda.functions().filter(|_| !replicated);
    let entries = functions.flat_map(|function| {
        let published = function.versions.iter().filter(|_| all_versions).map(u32::to_string);
        std::iter::once("$LATEST".to_owned())
            .chain(published)
            .map(move |version| (function, version))
    });
    let size = call
        .input
        .int("MaxItems")
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(MAX_FUNCTIONS)
        .min(MAX_FUNCTIONS);
    let of = if all_versions { "versions" } else { "functions" };
    let page = page(entries, of, call.input.text("Marker"), size, call.world.options.page_size)
        .map_err(|_| invalid("Invalid marker."))?;
    let entry = |(function, version): (&Function, String)| {
        let qualifier = all_versions.then_some(version.as_str());
        configuration(&call.scope, function, &version, qualifier)
    };
    let entries: Vec<Map> = page.items.into_iter().map(entry).collect();
    Ok(Map::new().maybe("NextMarker", page.next).list("Functions", entries))
}

pub(super) fn get(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let name =
        FunctionName::of_call(call, "GetFunctionConfiguration", call.input.need("FunctionName"))?;
    let asked = call.input.text("Qualifier");
    if name.qualifier.is_some() && asked.is_some() && name.qualifier != asked {
        return Err(invalid(
            "The derived qualifier from the function name does not match the specified qualifier.",
        ));
    }
    let name = FunctionName { qualifier: name.qualifier.or(asked), ..name };
    let (function, _) = name.find(call.region(), &call.scope)?;
    let version = name
        .qualifier
        .and_then(|qualifier| function.version_of(qualifier))
        .unwrap_or_else(|| "$LATEST".to_owned());
    // States are of this call only: lists do not have them (Lambda developer guide, "Function states").
    Ok(configuration(&call.scope, function, &version, name.qualifier)
        .with("State", "Active")
        .with("LastUpdateStatus", "Successful"))
}

fn configuration(
    scope: &Scope,
    function: &Function,
    version: &str,
    qualifier: Option<&str>,
) -> Map {
    let name = &*function.name;
    let draw = |purpose: &str| {
        Rng::new(name, &format!("{purpose} {version} {}", function.modified.as_millis()))
    };
    let digest =
        draw("code").text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 43);
    let variables = function
        .environment
        .iter()
        .fold(Map::new(), |map, (name, value)| map.with(name.clone(), value));
    let environment =
        (!function.environment.is_empty()).then(|| Map::new().with("Variables", variables));
    Map::new()
        .with("FunctionName", name)
        .with("FunctionArn", function_arn(scope, name, qualifier))
        .with("Runtime", &*function.runtime)
        .with("Role", &*function.role)
        .with("Handler", &*function.handler)
        .with("CodeSize", function.code_size)
        .with("Description", &*function.description)
        .with("Timeout", function.timeout)
        .with("MemorySize", function.memory)
        .with("LastModified", function.modified.iso_offset())
        .with("CodeSha256", digest + "=")
        .with("Version", version)
        .maybe("Environment", environment)
        .with("TracingConfig", Map::new().with("Mode", "PassThrough"))
        .with("RevisionId", draw("revision").uuid())
        .with("PackageType", "Zip")
        .list("Architectures", ["x86_64"])
        .with("EphemeralStorage", Map::new().with("Size", 512))
        .with("SnapStart", Map::new().with("ApplyOn", "None").with("OptimizationStatus", "Off"))
        .with(
            "LoggingConfig",
            Map::new().with("LogFormat", "Text").with("LogGroup", format!("/aws/lambda/{name}")),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::services::iam::testing::{ask, at, length, scope, text, world};
    use crate::services::lambda::{add_function, remove_function};
    use crate::spec::Service;
    use crate::world::World;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn with_functions(count: u32, options: Options) -> World {
        let mut world = world(options);
        for number in 0..count {
            let mut function = Function::new(
                &format!("turbot_5_39_12_mod_{number:04}"),
                "arn:aws:iam::111122223333:role/mod".into(),
            );
            function.versions = vec![1, 2];
            function.environment =
                BTreeMap::from([("HIVE".to_owned(), "einstein".to_owned())]).into();
            function.aliases = BTreeMap::from([("live".to_owned(), 2)]);
            add_function(&mut world, &scope(), function);
        }
        world
    }

    fn list(world: &mut World, input: &Value) -> Result<Map, ApiError> {
        ask(world, Service::Lambda, "ListFunctions", input)
    }

    #[test]
    fn a_page_has_fifty_functions_at_most_and_all_pages_have_all() {
        let mut world = with_functions(1500, Options::default());
        for (asked, expected) in [
            (json!({}), 50),
            (json!({"MaxItems": 10_000}), 50),
            (json!({"MaxItems": 7}), 7),
            (json!({"FunctionVersion": "ALL"}), 50),
        ] {
            assert_eq!(
                length(&list(&mut world, &asked).unwrap(), "Functions"),
                expected,
                "{asked}"
            );
        }
        let (mut marker, mut names) = (None, Vec::new());
        loop {
            let page = list(&mut world, &json!({"Marker": marker})).unwrap();
            names.extend(
                (0..length(&page, "Functions"))
                    .filter_map(|index| text(&page, &format!("Functions.{index}.FunctionName"))),
            );
            marker = text(&page, "NextMarker");
            if marker.is_none() {
                break;
            }
        }
        names.dedup();
        assert_eq!(names.len(), 1500);
    }

    #[test]
    fn versions_are_listed_on_request() {
        let mut world = with_functions(1, Options::default());
        let plain = list(&mut world, &json!({})).unwrap();
        assert_eq!(length(&plain, "Functions"), 1);
        assert_eq!(
            text(&plain, "Functions.0.FunctionArn").unwrap(),
            "arn:aws:lambda:us-east-2:111122223333:function:turbot_5_39_12_mod_0000"
        );
        let all = list(&mut world, &json!({"FunctionVersion": "ALL"})).unwrap();
        let versions: Vec<_> =
            (0..3).filter_map(|index| text(&all, &format!("Functions.{index}.Version"))).collect();
        assert_eq!(versions, ["$LATEST", "1", "2"]);
        assert!(text(&all, "Functions.2.FunctionArn").unwrap().ends_with("mod_0000:2"));
    }

    #[test]
    fn the_worlds_page_size_wins_and_bad_markers_are_refused() {
        let mut world = with_functions(3, Options { page_size: Some(2), ..Options::default() });
        assert_eq!(length(&list(&mut world, &json!({"MaxItems": 50})).unwrap(), "Functions"), 2);
        assert_eq!(
            list(&mut world, &json!({"Marker": "x"})).unwrap_err().code,
            "InvalidParameterValueException"
        );
        assert_eq!(
            list(&mut world, &json!({"MaxItems": 0})).unwrap_err().code,
            "ValidationException"
        );
        assert_eq!(
            length(
                &list(&mut world, &json!({"MasterRegion": "us-east-1", "FunctionVersion": "ALL"}))
                    .unwrap(),
                "Functions"
            ),
            0
        );
    }

    #[test]
    fn one_function_is_found_by_every_name_and_shows_its_state() {
        let mut world = with_functions(1, Options::default());
        let arn = "arn:aws:lambda:us-east-2:111122223333:function:turbot_5_39_12_mod_0000";
        for (name, qualifier, version, suffix) in [
            ("turbot_5_39_12_mod_0000", None, "$LATEST", ""),
            (arn, None, "$LATEST", ""),
            ("111122223333:turbot_5_39_12_mod_0000:live", None, "2", ":live"),
            ("turbot_5_39_12_mod_0000", Some("1"), "1", ":1"),
            ("turbot_5_39_12_mod_0000", Some("$LATEST"), "$LATEST", ":$LATEST"),
        ] {
            let found = ask(
                &mut world,
                Service::Lambda,
                "GetFunctionConfiguration",
                &json!({"FunctionName": name, "Qualifier": qualifier}),
            );
            let found = found.unwrap();
            assert_eq!(text(&found, "Version").as_deref(), Some(version), "{name}");
            assert_eq!(text(&found, "FunctionArn"), Some(format!("{arn}{suffix}")), "{name}");
            assert_eq!(
                text(&found, "LastModified").as_deref(),
                Some("1970-01-01T00:16:40.000+0000")
            );
            assert_eq!(text(&found, "State").as_deref(), Some("Active"));
            assert_eq!(text(&found, "Environment.Variables.HIVE").as_deref(), Some("einstein"));
        }
        assert_eq!(
            at(&list(&mut world, &json!({})).unwrap(), "Functions.0.State"),
            None,
            "lists have no states"
        );
    }

    #[test]
    fn a_function_that_cannot_be_read_says_why() {
        let mut world = with_functions(1, Options::default());
        for (why, name, qualifier, code, status) in [
            ("unknown", "other", None, "ResourceNotFoundException", 404),
            (
                "unknown alias",
                "turbot_5_39_12_mod_0000:dead",
                None,
                "ResourceNotFoundException",
                404,
            ),
            (
                "unknown version",
                "turbot_5_39_12_mod_0000",
                Some("3"),
                "ResourceNotFoundException",
                404,
            ),
            (
                "two qualifiers",
                "turbot_5_39_12_mod_0000:live",
                Some("2"),
                "InvalidParameterValueException",
                400,
            ),
            (
                "another region",
                "arn:aws:lambda:us-east-1:111122223333:function:f",
                None,
                "ResourceNotFoundException",
                404,
            ),
            ("another account", "444455556666:f", None, "AccessDeniedException", 403),
            ("no name", "a b", None, "ValidationException", 400),
        ] {
            let error = ask(
                &mut world,
                Service::Lambda,
                "GetFunctionConfiguration",
                &json!({"FunctionName": name, "Qualifier": qualifier}),
            );
            let error = error.unwrap_err();
            assert_eq!(
                (error.code.as_ref(), error.status),
                (code, status),
                "{why}: {}",
                error.message
            );
        }
        assert!(remove_function(&mut world, &scope(), "turbot_5_39_12_mod_0000"));
        assert_eq!(length(&list(&mut world, &json!({})).unwrap(), "Functions"), 0);
    }
}
