//! The control API under `/_sim/`: what a person or a test asks of the simulator itself. JSON, unsigned.
//!
//! It is as open as the simulated AWS. So that no web page can reach it through a browser, a server on loopback answers only requests
//! whose `Host` (and `Origin`, if there is one) is a loopback name.

#[cfg(test)]
mod tests;
mod view;

use crate::faults::{Active, Rule};
use crate::front::{Entry, Sim, State};
use crate::scenario::{Action, Scenario, nearest, patched};
use crate::server::LoopbackOnly;
use crate::spec::Effect;
use crate::time::SimTime;
use crate::world::World;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

const PREFIX: &str = "/_sim";

/// At most so many log entries in one answer; `next` tells where to go on.
const LOG_PAGE: usize = 10_000;

/// What there is, for whoever asks for something else.
const PATHS: [&str; 10] = [
    "health",
    "log",
    "operations",
    "world",
    "journal",
    "clock",
    "faults",
    "options",
    "actions",
    "reset",
];

/// Why a control request is refused.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    reason: String,
}

type Answer = Result<Value, Refused>;

fn bad(reason: impl Into<String>) -> Refused {
    Refused { status: StatusCode::BAD_REQUEST, reason: reason.into() }
}

/// Whether a request is for this API.
pub(crate) fn is_control(request: &Request<Bytes>) -> bool {
    request
        .uri()
        .path()
        .strip_prefix(PREFIX)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The world as `GET /_sim/world` shows it.
pub(crate) fn world(world: &World) -> Value {
    view::world(world)
}

/// Answers a control request.
pub(crate) fn answer(sim: &Sim, request: &Request<Bytes>) -> Response<Bytes> {
    let outcome = if trusted(request) {
        route(sim, request)
    } else {
        Err(Refused {
            status: StatusCode::FORBIDDEN,
            reason: "Host and Origin must be loopback names".to_owned(),
        })
    };
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(refused) => (refused.status, json!({"error": refused.reason})),
    };
    let mut response = Response::new(Bytes::from(format!("{body}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(date) = HeaderValue::from_str(&sim.clock().now().http_date()) {
        headers.insert(header::DATE, date);
    }
    response
}

fn trusted(request: &Request<Bytes>) -> bool {
    if request.extensions().get::<LoopbackOnly>().is_none() {
        return true;
    }
    let text = |headers: &HeaderMap, name: header::HeaderName| {
        headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
    };
    let host = text(request.headers(), header::HOST).is_some_and(|host| is_loopback(&host));
    let origin = text(request.headers(), header::ORIGIN)
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)));
    host && origin
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn route(sim: &Sim, request: &Request<Bytes>) -> Answer {
    let path = request.uri().path().trim_start_matches(PREFIX).trim_matches('/');
    let (method, query) = (request.method(), request.uri().query().unwrap_or_default());
    match (path, method.as_str()) {
        ("health", "GET") => {
            Ok(json!({"status": "ok", "scenario": sim.scenario().name, "time": sim.clock().now()}))
        }
        ("log", "GET") => log(sim, query),
        ("log", "DELETE") => {
            sim.current().log.clear();
            Ok(json!({}))
        }
        ("operations", "GET") => Ok(view::operations()),
        ("world", "GET") => Ok(world(&sim.current().world)),
        ("journal", "GET") => {
            Ok(json!({"happenings": sim.current().world.journal().collect::<Vec<_>>()}))
        }
        ("clock", "GET") => Ok(clock(sim)),
        ("clock", "POST") => set_clock(sim, request),
        ("faults", "GET") => Ok(faults(&sim.current())),
        ("faults", "POST") => add_faults(sim, request),
        ("faults", "DELETE") => remove_faults(sim, query),
        ("options", "GET") => written(&sim.current().world.options),
        ("options", "PATCH") => change_options(sim, &body(request)?),
        ("actions", "POST") => act(sim, request),
        ("reset", "POST") => reset(sim, request),
        (path, method) if PATHS.contains(&path) => Err(Refused {
            status: StatusCode::METHOD_NOT_ALLOWED,
            reason: format!("{method} is not a method of /_sim/{path}"),
        }),
        (path, _) => {
            let near = nearest(path, PATHS)
                .map(|near| format!("; did you mean /_sim/{near}?"))
                .unwrap_or_default();
            Err(Refused {
                status: StatusCode::NOT_FOUND,
                reason: format!("there is no /_sim/{path}{near}"),
            })
        }
    }
}

/// The body as a `T`; an empty one is an empty object.
fn body<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Refused> {
    let text: &[u8] = if request.body().is_empty() { b"{}" } else { request.body() };
    serde_json::from_slice(text).map_err(|error| bad(format!("body: {error}")))
}

fn written(value: &impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(|error| Refused {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        reason: error.to_string(),
    })
}

/// Filters of the log.
#[derive(Default)]
struct Wanted {
    since: u64,
    service: Option<String>,
    operation: Option<String>,
    effect: Option<Effect>,
}

impl Wanted {
    fn read(query: &str) -> Result<Self, Refused> {
        let mut wanted = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "since" => {
                    wanted.since = value.parse().map_err(|_| {
                        bad(format!("`since` is `{value}`; it is the sequence number of a call"))
                    })?;
                }
                "service" => wanted.service = Some(value.into_owned()),
                "operation" => wanted.operation = Some(value.into_owned()),
                "effect" => {
                    wanted.effect = Some(
                        serde_json::from_value(Value::String(value.into_owned()))
                            .map_err(|error| bad(format!("`effect`: {error}")))?,
                    );
                }
                other => {
                    return Err(bad(format!(
                        "unknown filter `{other}`; there are `since`, `service`, `operation` and `effect`"
                    )));
                }
            }
        }
        Ok(wanted)
    }

    fn fits(&self, entry: &Entry) -> bool {
        entry.sequence > self.since
            && self.service.as_deref().is_none_or(|service| entry.service == Some(service))
            && self.operation.as_deref().is_none_or(|operation| entry.operation == operation)
            && self.effect.is_none_or(|effect| entry.effect == Some(effect))
    }
}

fn log(sim: &Sim, query: &str) -> Answer {
    let wanted = Wanted::read(query)?;
    let state = sim.current();
    let entries: Vec<&Entry> =
        state.log.entries().filter(|entry| wanted.fits(entry)).take(LOG_PAGE).collect();
    let next = entries.last().map_or(wanted.since, |entry| entry.sequence);
    Ok(json!({"entries": entries, "next": next}))
}

fn clock(sim: &Sim) -> Value {
    let (now, started): (SimTime, SimTime) = (sim.clock().now(), sim.current().started);
    json!({"now": now, "speed": sim.clock().speed(), "sinceStart": now.since(started).as_secs_f64()})
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockChange {
    #[serde(default, with = "crate::faults::moment")]
    advance: Option<Duration>,
    speed: Option<f64>,
}

fn set_clock(sim: &Sim, request: &Request<Bytes>) -> Answer {
    let change: ClockChange = body(request)?;
    if change.advance.is_none() && change.speed.is_none() {
        return Err(bad("nothing to change: send `advance` or `speed`"));
    }
    if let Some(speed) = change.speed {
        if !(speed.is_finite() && speed >= 0.0) {
            return Err(bad(format!("`speed` is {speed}; it is 0 or more")));
        }
        sim.clock().set_speed(speed);
    }
    if let Some(advance) = change.advance {
        sim.clock().advance(advance);
    }
    Ok(clock(sim))
}

fn faults(state: &State) -> Value {
    let rules: Vec<&Active> = state.faults.rules().iter().collect();
    json!({"faults": rules})
}

fn add_faults(sim: &Sim, request: &Request<Bytes>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Several {
        faults: Vec<Rule>,
    }
    let value: Value = body(request)?;
    let several = value.get("faults").is_some();
    let read = |error: serde_json::Error| bad(format!("body: {error}"));
    let rules = if several {
        serde_json::from_value::<Several>(value).map_err(read)?.faults
    } else {
        vec![serde_json::from_value::<Rule>(value).map_err(read)?]
    };
    if let Some(problem) = rules.iter().find_map(Rule::problem) {
        return Err(bad(problem));
    }
    let ids: Vec<u64> = rules.into_iter().map(|rule| sim.add_fault(rule)).collect();
    Ok(json!({"ids": ids}))
}

fn remove_faults(sim: &Sim, query: &str) -> Answer {
    let Some((_, id)) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "id")
    else {
        sim.clear_faults();
        return Ok(json!({}));
    };
    let number: u64 = id.parse().map_err(|_| bad(format!("`id` is `{id}`; it is a number")))?;
    if sim.current().faults.remove(number) {
        Ok(json!({}))
    } else {
        Err(Refused {
            status: StatusCode::NOT_FOUND,
            reason: format!("there is no fault {number}"),
        })
    }
}

fn change_options(sim: &Sim, patch: &Map<String, Value>) -> Answer {
    let mut state = sim.current();
    state.world.options = patched(&state.world.options, patch).map_err(bad)?;
    state.keep_history();
    written(&state.world.options)
}

fn act(sim: &Sim, request: &Request<Bytes>) -> Answer {
    #[derive(Deserialize)]
    struct Wrapped(#[serde(with = "serde_yaml::with::singleton_map")] Action);
    let Wrapped(action) = body(request)?;
    if let Some(problem) = action.problem() {
        return Err(bad(problem));
    }
    sim.act(&action).map_err(|reason| Refused {
        status: StatusCode::CONFLICT,
        reason: format!("{}: {reason}", action.kind()),
    })?;
    Ok(json!({"done": action.kind()}))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Reset {
    /// The name of a scenario; absent: the present one. Files are not read at the wish of a request.
    scenario: Option<String>,
    seed: Option<String>,
}

fn reset(sim: &Sim, request: &Request<Bytes>) -> Answer {
    let wish: Reset = body(request)?;
    let mut scenario = match &wish.scenario {
        None => sim.scenario(),
        Some(name) => Scenario::named(name).map_err(|error| {
            bad(error.hint().map_or_else(|| error.to_string(), |hint| format!("{error}; {hint}")))
        })?,
    };
    // A server's worlds begin at the host's time of its start, unless they say otherwise: every reset begins at the same one.
    scenario.world.start = scenario.world.start.or(sim.scenario().world.start);
    if let Some(seed) = wish.seed {
        scenario.world.seed = seed;
    }
    sim.reset(Some(&scenario)).map_err(|error| bad(error.to_string()))?;
    Ok(json!({"scenario": scenario.name, "time": sim.clock().now()}))
}
