//! Every gate in every state it can be in.

use crate::assess::holds::{End, hold_key, released};
use crate::assess::testing::{
    World, artifact, denial, denied, gate, offer, record, there, trigger,
};
use crate::assess::types::GateState::{self, Holds, NeedsPerson, NotApplicable, Unknown, Waiting};
use crate::assess::{Credentials, Frozen, Lifetime};
use crate::desired::Mode;
use crate::observe::observation::{LaunchPath, Relative, Seen};
use jiff::SignedDuration;

/// A row: why, how the migrating world is bent, the state, words of the message, and of the remedy or the time when it opens.
type Row = (&'static str, fn(World) -> World, GateState, &'static str, &'static str);

fn check(name: &str, rows: &[Row]) {
    for (why, bend, state, message, remedy) in rows {
        let assessment = bend(World::migrating()).assess();
        let gate = gate(&assessment, name);
        assert_eq!(gate.state, *state, "{why}: {gate:?}");
        assert_eq!(gate.holds, matches!(state, Holds | NotApplicable), "{why}");
        assert!(gate.message.contains(message), "{why}: {gate:?}");
        let until = gate.until.map(|until| until.to_string()).unwrap_or_default();
        assert!(gate.remedy.contains(remedy) || until == *remedy, "{why}: {gate:?}");
        assert_eq!(
            gate.remedy.is_empty(),
            gate.holds,
            "a remedy is there when it is needed: {why}: {gate:?}"
        );
        assert!(gate.until.is_none() || gate.state == Waiting, "{why}: {gate:?}");
        if !gate.holds {
            assert!(!assessment.may_start(), "{why}");
            let next = assessment.next_step().map(|step| step.step);
            assert!(next.is_none_or(|step| !step.begins_something()), "{why}: {next:?}");
        }
    }
}

#[test]
fn account() {
    check(
        "account",
        &[
            ("as the document says", |w| w, Holds, "111122223333", ""),
            (
                "the document names none",
                |w| w.edit("  account: \"111122223333\"\n", ""),
                Holds,
                "names no account",
                "",
            ),
            (
                "another account",
                |w| w.with(|w| there(&mut w.observation.caller).account = "999988887777".into()),
                NeedsPerson,
                "is in 999988887777",
                "account: \"999988887777\"",
            ),
            (
                "not readable",
                |w| w.with(|w| w.observation.caller = denied()),
                Unknown,
                "who calls",
                "doctor",
            ),
        ],
    );
}

#[test]
fn product() {
    fn product(w: World, bend: fn(&mut crate::observe::observation::Product)) -> World {
        w.with(|w| bend(&mut there(&mut w.observation.products)[0]))
    }
    check(
        "product",
        &[
            ("available", |w| w, Holds, "AVAILABLE", ""),
            (
                "tainted may be updated",
                |w| product(w, |p| p.status = "TAINTED".into()),
                Holds,
                "may be updated",
                "",
            ),
            (
                "under change is no failure",
                |w| product(w, |p| p.status = "UNDER_CHANGE".into()),
                Waiting,
                "UNDER_CHANGE",
                "",
            ),
            (
                "an error is not the same as tainted",
                |w| product(w, |p| p.status = "ERROR".into()),
                NeedsPerson,
                "does not run",
                "",
            ),
            (
                "a plan for a new product",
                |w| product(w, |p| p.status = "PLAN_IN_PROGRESS".into()),
                NeedsPerson,
                "plan",
                "",
            ),
            (
                "enums grow",
                |w| product(w, |p| p.status = "MOULTING".into()),
                Unknown,
                "does not know",
                "",
            ),
            (
                "none",
                |w| w.with(|w| w.observation.products = Seen::Present(vec![])),
                NeedsPerson,
                "not there",
                "provisionedProduct",
            ),
            (
                "absent",
                |w| w.with(|w| w.observation.products = Seen::Absent),
                NeedsPerson,
                "not there",
                "",
            ),
            (
                "not readable",
                |w| w.with(|w| w.observation.products = denied()),
                Unknown,
                "could not be read",
                "",
            ),
            (
                "two",
                |w| {
                    w.with(|w| {
                        let mut other = there(&mut w.observation.products)[0].clone();
                        other.id = "pp-other".into();
                        there(&mut w.observation.products).push(other);
                    })
                },
                NeedsPerson,
                "2 provisioned products",
                "provisionedProduct: pp-other",
            ),
            (
                "of another product",
                |w| product(w, |p| p.product_name = Some("Turbot Enterprise Foundation".into())),
                NeedsPerson,
                "Foundation",
                "",
            ),
            ("told by its versions", |w| product(w, |p| p.product_name = None), Holds, "", ""),
            (
                "nothing tells the product",
                |w| {
                    product(w, |p| p.product_name = None).with(|w| {
                        for artifact in there(&mut w.observation.versions) {
                            artifact.description = None;
                        }
                    })
                },
                Unknown,
                "not known",
                "",
            ),
            (
                "no stack",
                |w| product(w, |p| p.kind = "TERRAFORM_OPEN_SOURCE".into()),
                NeedsPerson,
                "not CFN_STACK",
                "",
            ),
        ],
    );
}

#[test]
fn identity() {
    check(
        "identity",
        &[
            ("same hive", |w| w, Holds, "einstein", ""),
            (
                "the document says which",
                |w| w.edit("  region:", "  hive: newton\n  region:"),
                NeedsPerson,
                "is of hive `einstein`",
                "hive: einstein",
            ),
            (
                "not readable",
                |w| w.with(|w| w.observation.root = denied()),
                Unknown,
                "the root stack",
                "",
            ),
            (
                "template not readable",
                |w| w.with(|w| w.observation.template = denied()),
                Unknown,
                "hive",
                "",
            ),
            (
                "in doubt",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.template)
                            .labels
                            .insert("MaxConnections".into(), "Hive Name".into());
                    })
                },
                NeedsPerson,
                "in doubt",
                "parameterKeys: {hiveName:",
            ),
        ],
    );
}

#[test]
fn stable() {
    fn root(w: World, status: &str) -> World {
        w.with(|w| status.clone_into(&mut there(&mut w.observation.root).status))
    }
    fn hold(w: World, product: &str, value: &str) -> World {
        w.with(|w| {
            let tags = there(&mut w.observation.triggers).mappings[0].tags.as_mut().unwrap();
            tags.insert(format!("ted-controller:hold:{product}"), value.to_owned());
        })
    }
    check(
        "stable",
        &[
            ("at rest", |w| w, Holds, "nothing", ""),
            ("rolled back is at rest", |w| root(w, "UPDATE_ROLLBACK_COMPLETE"), Holds, "", ""),
            ("updating", |w| root(w, "UPDATE_IN_PROGRESS"), Waiting, "UPDATE_IN_PROGRESS", ""),
            ("cleaning up", |w| root(w, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), Waiting, "", ""),
            (
                "rollback failed",
                |w| root(w, "UPDATE_ROLLBACK_FAILED"),
                NeedsPerson,
                "",
                "aws cloudformation continue-update-rollback",
            ),
            ("stopped half-way", |w| root(w, "UPDATE_FAILED"), NeedsPerson, "", "RollbackStack"),
            ("enums grow", |w| root(w, "UPDATE_PONDERED"), Unknown, "does not know", ""),
            ("unreadable", |w| w.with(|w| w.observation.root = denied()), Unknown, "", ""),
            (
                "gone",
                |w| w.with(|w| w.observation.root = Seen::Absent),
                NeedsPerson,
                "not there",
                "",
            ),
            (
                "nested stack waits for siblings",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.nested)[0].status =
                            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS".into();
                    })
                },
                Waiting,
                "CacheStack",
                "",
            ),
            (
                "nested unreadable",
                |w| w.with(|w| w.observation.nested = denied()),
                Unknown,
                "nested",
                "",
            ),
            (
                "a workspace moves",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.relatives)[0].status = "UPDATE_IN_PROGRESS".into();
                    })
                },
                Waiting,
                "acme",
                "",
            ),
            (
                "a workspace failed and stands still",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.relatives)[0].status =
                            "UPDATE_ROLLBACK_FAILED".into();
                    })
                },
                Holds,
                "",
                "",
            ),
            (
                "a workspace in a new status",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.relatives).push(Relative {
                            name: "n".into(),
                            status: "X".into(),
                            ..Relative::default()
                        });
                    })
                },
                Unknown,
                "",
                "",
            ),
            (
                "relatives unreadable",
                |w| w.with(|w| w.observation.relatives = denied()),
                Unknown,
                "Workspace",
                "",
            ),
            (
                "record runs while the product looks as before",
                |w| w.with(|w| there(&mut w.observation.last_record).status = "CREATED".into()),
                Waiting,
                "rec-1",
                "",
            ),
            (
                "another hive's hold, fresh",
                |w| hold(w, "pp-newton", "held rec-9 1785931000 ctl-1 0123"),
                Waiting,
                "pp-newton",
                "",
            ),
            (
                "another controller's hold, fresh",
                |w| hold(w, "pp-senyqa2ncjkws", "held rec-1 1785931000 ctl-2 0123"),
                Waiting,
                "ctl-2",
                "",
            ),
            (
                "another controller's hold, outlived",
                |w| hold(w, "pp-senyqa2ncjkws", "held rec-1 1785900000 ctl-2 0123"),
                NeedsPerson,
                "longer than a hold lasts",
                "resume-events pp-senyqa2ncjkws",
            ),
            (
                "our own hold",
                |w| hold(w, "pp-senyqa2ncjkws", "held rec-1 1785931000 ctl-1 0123"),
                Holds,
                "",
                "",
            ),
            ("released", |w| hold(w, "pp-newton", "released 1785931000 ctl-1"), Holds, "", ""),
            (
                "a person beats time",
                |w| {
                    root(w, "UPDATE_ROLLBACK_FAILED").with(|w| {
                        there(&mut w.observation.relatives)[0].status = "UPDATE_IN_PROGRESS".into();
                    })
                },
                NeedsPerson,
                "acme",
                "",
            ),
        ],
    );
    let until = |product: &str, value: &str| {
        gate(&hold(World::migrating(), product, value).assess(), "stable").until
    };
    let over = until("pp-senyqa2ncjkws", "held rec-1 1785931000 ctl-2 0123").unwrap();
    assert_eq!(over.to_string(), "2026-08-05T12:26:40Z", "half an hour after it was made");
    let newton = until("pp-newton", "held rec-9 1785931000 ctl-1 0123");
    assert_eq!(newton, None, "as long as its update takes");
}

#[test]
fn launch_role() {
    fn without(w: World) -> World {
        w.with(|w| {
            there(&mut w.observation.products)[0].launch_role_arn = None;
            there(&mut there(&mut w.observation.target).usage).launch_role = None;
            there(&mut w.observation.paths)[0].launch_constraint = false;
        })
    }
    fn credentials(w: World, lifetime: Lifetime, may_change: Option<bool>) -> World {
        without(w).with(|w| w.context.credentials = Credentials { lifetime, may_change })
    }
    check(
        "launch-role",
        &[
            ("a role", |w| w, Holds, "role/launch", ""),
            ("none, nothing known", without, NeedsPerson, "not known", "approve: [no-launch-role]"),
            (
                "none, approved",
                |w| without(w).edit("redis-to-valkey", "redis-to-valkey, no-launch-role"),
                Holds,
                "as approved",
                "",
            ),
            (
                "lasting, with rights",
                |w| credentials(w, Lifetime::Lasting, Some(true)),
                Holds,
                "outlast",
                "",
            ),
            (
                "lasting, rights not shown",
                |w| credentials(w, Lifetime::Lasting, None),
                NeedsPerson,
                "rights",
                "",
            ),
            (
                "lasting, rights missing",
                |w| credentials(w, Lifetime::Lasting, Some(false)),
                NeedsPerson,
                "lacks",
                "",
            ),
            (
                "an hour",
                |w| {
                    credentials(
                        w,
                        Lifetime::Until("2026-08-05T13:00:00Z".parse().unwrap()),
                        Some(true),
                    )
                },
                Holds,
                "",
                "",
            ),
            (
                "half an hour",
                |w| {
                    credentials(
                        w,
                        Lifetime::Until("2026-08-05T12:30:00Z".parse().unwrap()),
                        Some(true),
                    )
                },
                NeedsPerson,
                "may end before",
                "",
            ),
            ("no product", |w| w.with(|w| w.observation.products = denied()), Unknown, "", ""),
        ],
    );
}

#[test]
fn version_offered() {
    fn paths(w: World, ids: &[&str]) -> World {
        let paths = ids.iter().map(|id| LaunchPath {
            id: (*id).into(),
            name: format!("of {id}"),
            launch_constraint: true,
        });
        let paths = paths.collect();
        w.with(|w| w.observation.paths = Seen::Present(paths))
    }
    check(
        "version-offered",
        &[
            ("on offer once", |w| w, Holds, "v1.52.1 is on offer", ""),
            (
                "deprecated warns",
                |w| w.with(|w| there(&mut w.observation.versions)[1].deprecated = true),
                Holds,
                "deprecated",
                "",
            ),
            (
                "inactive",
                |w| w.with(|w| there(&mut w.observation.versions)[1].active = false),
                NeedsPerson,
                "not active",
                "",
            ),
            (
                "not on offer",
                |w| w.edit("v1.52.1", "v1.99.0"),
                NeedsPerson,
                "v1.99.0 is not on offer; on offer are v1.52.1",
                "tedVersion",
            ),
            (
                "a range nothing satisfies",
                |w| w.edit("v1.52.1", "\">=3\""),
                NeedsPerson,
                "not on offer",
                "",
            ),
            (
                "twice",
                |w| {
                    w.with(|w| there(&mut w.observation.versions).push(artifact("pa-x", "v1.52.1")))
                },
                NeedsPerson,
                "2 times",
                "",
            ),
            (
                "twice, one of them inactive",
                |w| {
                    w.with(|w| {
                        let mut old = artifact("pa-x", "v1.52.1");
                        old.active = false;
                        there(&mut w.observation.versions).push(old);
                    })
                },
                Holds,
                "",
                "",
            ),
            (
                "unreadable",
                |w| w.with(|w| w.observation.versions = denied()),
                Unknown,
                "versions",
                "",
            ),
            ("no path", |w| paths(w, &[]), NeedsPerson, "no launch path", "portfolio"),
            (
                "two paths, the last record's decides",
                |w| paths(w, &["lp-0", "lp-1"]),
                Holds,
                "of lp-1",
                "",
            ),
            (
                "two paths, the last record's is stale",
                |w| paths(w, &["lp-8", "lp-9"]),
                NeedsPerson,
                "several launch paths",
                "",
            ),
            ("one path, the last record's is stale", |w| paths(w, &["lp-9"]), Holds, "", ""),
            (
                "paths unreadable",
                |w| w.with(|w| w.observation.paths = denied()),
                Unknown,
                "paths",
                "",
            ),
        ],
    );
}

#[test]
fn version_forward() {
    check(
        "version-forward",
        &[
            ("forward", |w| w, Holds, "from v1.44.0 to v1.52.1", ""),
            (
                "back",
                |w| w.edit("tedVersion: v1.52.1", "tedVersion: v1.39.2"),
                NeedsPerson,
                "never downgraded",
                "tedVersion: v1.44.0",
            ),
            (
                "the record says that a newer one ran",
                |w| {
                    w.edit("v1.52.1", "v1.50.0").with(|w| {
                        offer(&mut w.observation, "v1.50.0");
                        there(&mut w.observation.last_success).artifact_id = Some("pa-1521".into());
                    })
                },
                NeedsPerson,
                "older than v1.52.1 (the stack says v1.44.0)",
                "",
            ),
            (
                "a failed newer one never ran",
                |w| {
                    w.edit("v1.52.1", "v1.50.0").with(|w| {
                        offer(&mut w.observation, "v1.50.0");
                        let product = &mut there(&mut w.observation.products)[0];
                        product.status = "TAINTED".into();
                        product.artifact_id = Some("pa-1521".into());
                    })
                },
                Holds,
                "from v1.44.0 to v1.50.0",
                "",
            ),
            (
                "a new major version",
                |w| {
                    w.edit("v1.52.1", "v2.0.0").with(|w| {
                        there(&mut w.observation.versions).push(artifact("pa-2", "v2.0.0"));
                    })
                },
                NeedsPerson,
                "new major version",
                "approve: [major-version@v2.0.0]",
            ),
            (
                "a new major version, approved",
                |w| {
                    w.edit("v1.52.1", "v2.0.0")
                        .edit("redis-to-valkey", "major-version@v2.0.0")
                        .with(|w| {
                            there(&mut w.observation.versions).push(artifact("pa-2", "v2.0.0"));
                        })
                },
                Holds,
                "v2.0.0",
                "",
            ),
            (
                "nobody knows what runs",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.root).outputs.clear();
                        w.observation.last_success = denied();
                    })
                },
                Unknown,
                "which version runs",
                "",
            ),
        ],
    );
}

#[test]
fn valkey_supported() {
    check(
        "valkey-supported",
        &[
            ("has it", |w| w, Holds, "v1.52.1 has Valkey", ""),
            (
                "the version that stays has none",
                |w| w.edit("  tedVersion: v1.52.1\n", ""),
                NeedsPerson,
                "v1.50.0 or later",
                "add `tedVersion: v1.52.1`",
            ),
            (
                "not asked for",
                |w| {
                    w.edit(
                        "{engine: valkey, version: \"8.0\"}",
                        "{engine: redis, version: \"7.1\"}",
                    )
                },
                NotApplicable,
                "",
                "",
            ),
            (
                "nobody knows what runs",
                |w| {
                    w.edit("  tedVersion: v1.52.1\n", "").with(|w| {
                        there(&mut w.observation.root).outputs.clear();
                        w.observation.last_success = Seen::Absent;
                    })
                },
                Unknown,
                "",
                "",
            ),
        ],
    );
}

#[test]
fn parameters_known() {
    fn wish(w: World, line: &str) -> World {
        w.edit("  events:", &format!("  parameters: {{{line}}}\n  events:"))
    }
    fn offered(w: World, bend: fn(&mut Vec<crate::observe::observation::Parameter>)) -> World {
        w.with(|w| bend(there(&mut there(&mut w.observation.target).parameters)))
    }
    check(
        "parameters-known",
        &[
            ("all known", |w| w, Holds, "21 parameters", ""),
            (
                "a key that is none",
                |w| wish(w, "MaxConnection: 800"),
                NeedsPerson,
                "no parameter `MaxConnection`",
                "did you mean `MaxConnections`",
            ),
            (
                "a key that was dropped",
                |w| wish(w, "DatabaseStatementLogging: all"),
                NeedsPerson,
                "any more",
                "remove",
            ),
            (
                "a value that is not allowed",
                |w| w.edit("\"8.0\"}", "\"9.0\"}"),
                NeedsPerson,
                "`ValkeyCacheVersion` (Valkey Cache Version) cannot be `9.0`: allowed are `7.2`, `8.0`, `8.1`",
                "spec.cache.version",
            ),
            (
                "a secret",
                |w| wish(w, "MasterPassword: hunter2hunter2"),
                NeedsPerson,
                "a document may not contain one",
                "remove",
            ),
            (
                "no number",
                |w| wish(w, "MaxConnections: many"),
                NeedsPerson,
                "a number is wanted",
                "",
            ),
            (
                "a pattern that cannot be checked",
                |w| {
                    offered(wish(w, "ResourceNamePrefix: turbot"), |p| {
                        p[1].allowed_pattern = Some("^(?!aws)[a-z]+$".into());
                    })
                },
                Holds,
                "cannot be checked here",
                "",
            ),
            (
                "a new one without a default",
                |w| {
                    offered(w, |p| {
                        p.push(crate::observe::observation::Parameter {
                            key: "Retention".into(),
                            kind: "Number".into(),
                            ..Default::default()
                        });
                    })
                },
                NeedsPerson,
                "`Retention` is new in v1.52.1 and has no default",
                "parameters: {Retention: …}",
            ),
            (
                "an empty default is one",
                |w| {
                    offered(w, |p| {
                        p.push(crate::observe::observation::Parameter {
                            key: "Email".into(),
                            kind: "String".into(),
                            default: Some(String::new()),
                            ..Default::default()
                        });
                    })
                },
                Holds,
                "",
                "",
            ),
            (
                "a carried value that is not allowed any more",
                |w| offered(w, |p| p[12].allowed_values = vec!["cache.r7g.large".into()]),
                NeedsPerson,
                "does not take a present value",
                "parameters: {CacheNodeType: …}",
            ),
            (
                "the labels moved",
                |w| {
                    w.with(|w| {
                        there(&mut there(&mut w.observation.target).usage)
                            .labels
                            .insert("PgBouncer".into(), "ElastiCache Engine".into());
                    })
                },
                NeedsPerson,
                "candidates: `ElastiCacheEngine` (ElastiCache Engine), `PgBouncer`",
                "parameterKeys: {cacheEngine: PgBouncer}",
            ),
            (
                "no labels",
                |w| w.with(|w| there(&mut there(&mut w.observation.target).usage).labels.clear()),
                NeedsPerson,
                "candidates: `ValkeyCacheVersion`",
                "parameterKeys: {cacheEngine: ElastiCacheEngine, valkeyVersion: ValkeyCacheVersion}",
            ),
            (
                "labels unreadable",
                |w| w.with(|w| there(&mut w.observation.target).usage = denied()),
                Unknown,
                "labels could not be read",
                "",
            ),
            (
                "parameters unreadable",
                |w| w.with(|w| there(&mut w.observation.target).parameters = denied()),
                Unknown,
                "could not be read: AccessDenied",
                "",
            ),
            (
                "another version's parameters were read",
                |w| w.with(|w| offer(&mut w.observation, "v1.50.0")),
                Unknown,
                "another version's",
                "",
            ),
            (
                "the stack's values unreadable",
                |w| w.with(|w| w.observation.root = denied()),
                Unknown,
                "the root stack",
                "",
            ),
            (
                "dropped with a value of its own",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.root)
                            .parameters
                            .get_mut("DatabaseStatementLogging")
                            .unwrap()
                            .value = "all".into();
                    })
                },
                NeedsPerson,
                "drops parameters",
                "approve: [dropped-parameters@v1.52.1]",
            ),
            (
                "the same, approved",
                |w| {
                    w.edit("redis-to-valkey", "redis-to-valkey, dropped-parameters@v1.52.1").with(
                        |w| {
                            there(&mut w.observation.root)
                                .parameters
                                .get_mut("DatabaseStatementLogging")
                                .unwrap()
                                .value = "all".into();
                        },
                    )
                },
                Holds,
                "",
                "",
            ),
            (
                "a type that changes what the value means",
                |w| offered(w, |p| p[16].kind = "AWS::EC2::VPC::Id".into()),
                NeedsPerson,
                "changes its type",
                "parameters: {VpcId: …}",
            ),
            (
                "two words on one parameter",
                |w| wish(w, "ValkeyCacheVersion: \"8.1\""),
                NeedsPerson,
                "by `spec.cache.version` and `8.1`",
                "remove",
            ),
        ],
    );
}

#[test]
fn something_changes() {
    fn redis(w: World) -> World {
        World { document: World::staying().document, ..w }
    }
    fn tainted(w: World) -> World {
        redis(w).with(|w| there(&mut w.observation.products)[0].status = "TAINTED".into())
    }
    check(
        "something-changes",
        &[
            ("a version and an engine", |w| w, Holds, "differs", ""),
            ("nothing", redis, NotApplicable, "nothing", ""),
            ("only taint", tainted, NeedsPerson, "tainted", "approve: [retrigger]"),
            (
                "only taint, approved",
                |w| tainted(w).edit("mode: apply", "mode: apply, approve: [retrigger]"),
                Holds,
                "deployment trigger",
                "",
            ),
            (
                "the cache was changed outside",
                |w| {
                    redis(w).with(|w| {
                        there(&mut w.observation.caches)[0]
                            .nodes
                            .iter_mut()
                            .for_each(|node| node.engine_version = Some("7.0.7".into()));
                    })
                },
                NeedsPerson,
                "the cache runs 7.0.7, not 7.1",
                "",
            ),
        ],
    );
}

#[test]
fn one_way() {
    const VALKEY: &str = "{engine: valkey, version: \"8.0\"}";
    fn migrated(_: World) -> World {
        // With a wish, so that something is to change.
        World::migrated().edit("  events:", "  parameters: {MaxConnections: 800}\n  events:")
    }
    check(
        "one-way",
        &[
            ("approved", |w| w, Holds, "from Redis to Valkey", ""),
            (
                "not approved",
                |w| w.edit(", approve: [redis-to-valkey]", ""),
                NeedsPerson,
                "no way back",
                "approve: [redis-to-valkey]",
            ),
            (
                "done already",
                |w| migrated(w).edit(", approve: [redis-to-valkey]", ""),
                Holds,
                "valkey 8.0",
                "",
            ),
            (
                "back to Redis",
                |w| migrated(w).edit(VALKEY, "{engine: redis, version: \"7.1\"}"),
                NeedsPerson,
                "no way back from Valkey",
                "engine: valkey",
            ),
            (
                "the cache is past the door while the stack is not",
                |w| {
                    w.edit(VALKEY, "{engine: redis, version: \"7.1\"}")
                        .edit("  events:", "  parameters: {MaxConnections: 800}\n  events:")
                        .with(|w| {
                            there(&mut w.observation.caches)[0].nodes.iter_mut().for_each(|node| {
                                node.engine = Some("valkey".into());
                                node.engine_version = Some("8.0.1".into());
                            });
                        })
                },
                NeedsPerson,
                "no way back",
                "",
            ),
            (
                "an older version of the same engine",
                |w| w.edit(VALKEY, "{engine: redis, version: \"7.0\"}"),
                NeedsPerson,
                "redis 7.0 is older than 7.1",
                "",
            ),
            (
                "an older one than runs",
                |w| migrated(w).edit("\"8.0\"", "\"7.2\""),
                NeedsPerson,
                "older than 8.0",
                "",
            ),
            (
                "a newer one is its own approval",
                |w| migrated(w).edit("\"8.0\"", "\"8.1\""),
                Holds,
                "8.1",
                "",
            ),
            (
                "the target version's default would migrate",
                |w| {
                    w.edit("  cache: {engine: valkey, version: \"8.0\"}\n", "")
                        .edit(", approve: [redis-to-valkey]", "")
                        .with(|w| {
                            let parameters =
                                there(&mut there(&mut w.observation.target).parameters);
                            parameters
                                .iter_mut()
                                .filter(|p| p.key == "ElastiCacheEngine")
                                .for_each(|p| p.default = Some("valkey".into()));
                        })
                },
                NeedsPerson,
                "by its default",
                "",
            ),
            (
                "in the middle of an upgrade",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.caches)[0].nodes[0].engine = Some("valkey".into());
                    })
                },
                Unknown,
                "do not all run",
                "",
            ),
            (
                "cache unreadable",
                |w| w.with(|w| w.observation.caches = denied()),
                Unknown,
                "not known",
                "",
            ),
            (
                "engine in doubt",
                |w| w.with(|w| there(&mut there(&mut w.observation.target).usage).labels.clear()),
                Unknown,
                "",
                "see the gate `parameters-known`",
            ),
            (
                "no cache",
                |w| {
                    w.edit(
                        "  cache: {engine: valkey, version: \"8.0\"}\n",
                        "  parameters: {ElastiCache: false}\n",
                    )
                },
                NotApplicable,
                "",
                "",
            ),
        ],
    );
}

#[test]
fn no_destruction() {
    fn wish(w: World, line: &str) -> World {
        w.edit("  events:", &format!("  parameters: {{{line}}}\n  events:"))
    }
    check(
        "no-destruction",
        &[
            ("nothing", |w| w, Holds, "unseen", ""),
            ("hive name", |w| wish(w, "HiveName: newton"), NeedsPerson, "never changes", "remove"),
            ("prefix", |w| wish(w, "ResourceNamePrefix: other"), NeedsPerson, "never changes", ""),
            (
                "region",
                |w| wish(w, "PrimaryRegion: us-west-2"),
                NeedsPerson,
                "the primary region",
                "",
            ),
            ("network", |w| wish(w, "VpcId: /other/vpc"), NeedsPerson, "the network", ""),
            (
                "who may connect is no network",
                |w| wish(w, "AllowedCidrs: 10.0.0.0/8"),
                Holds,
                "",
                "",
            ),
            (
                "no cache",
                |w| {
                    w.edit(
                        "  cache: {engine: valkey, version: \"8.0\"}\n",
                        "  parameters: {ElastiCache: false}\n",
                    )
                },
                NeedsPerson,
                "`useCache` becomes false",
                "approve: [cache-recreate@v1.52.1]",
            ),
            (
                "2 to 1",
                |w| w.edit("\"8.0\"}", "\"8.0\", nodes: 1}"),
                NeedsPerson,
                "from 2 to 1 cache nodes",
                "cache-recreate@v1.52.1",
            ),
            (
                "2 to 1, approved",
                |w| {
                    w.edit("\"8.0\"}", "\"8.0\", nodes: 1}")
                        .edit("redis-to-valkey", "redis-to-valkey, cache-recreate@v1.52.1")
                },
                Holds,
                "",
                "",
            ),
            (
                "2 to 1, approved for another version",
                |w| {
                    w.edit("\"8.0\"}", "\"8.0\", nodes: 1}")
                        .edit("redis-to-valkey", "redis-to-valkey, cache-recreate@v1.50.0")
                },
                NeedsPerson,
                "",
                "",
            ),
            ("2 to 3", |w| w.edit("\"8.0\"}", "\"8.0\", nodes: 3}"), Holds, "", ""),
            (
                "unknown version",
                |w| w.edit("tedVersion: v1.52.1", "tedVersion: v1.99.0"),
                Unknown,
                "",
                "",
            ),
        ],
    );
}

#[test]
fn database_available() {
    fn status(w: World, status: &str) -> World {
        w.with(|w| status.clone_into(&mut there(&mut w.observation.database).status))
    }
    fn grow(w: World) -> World {
        w.edit("  events:", "  parameters: {AllocatedStorage: 300}\n  events:")
    }
    check(
        "database-available",
        &[
            ("available", |w| w, Holds, "available", ""),
            ("nightly backup", |w| status(w, "backing-up"), Waiting, "backing-up", ""),
            ("optimizing, storage stays", |w| status(w, "storage-optimization"), Holds, "", ""),
            (
                "optimizing, storage changes",
                |w| grow(status(w, "storage-optimization")),
                Waiting,
                "",
                "",
            ),
            ("full", |w| status(w, "storage-full"), NeedsPerson, "only more storage helps", ""),
            ("full, and given more", |w| grow(status(w, "storage-full")), Holds, "", ""),
            (
                "stopped",
                |w| status(w, "stopped"),
                NeedsPerson,
                "",
                "aws rds start-db-instance --db-instance-identifier turbot-einstein",
            ),
            ("failed", |w| status(w, "failed"), NeedsPerson, "", ""),
            ("enums grow", |w| status(w, "contemplating"), Unknown, "does not know", ""),
            (
                "pending",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.database)
                            .pending
                            .insert("DBInstanceClass".into(), "db.r6g.large".into());
                    })
                },
                Waiting,
                "DBInstanceClass",
                "",
            ),
            (
                "cooling down",
                |w| {
                    grow(w).with(|w| {
                        there(&mut w.observation.database).storage_changed =
                            Some("2026-08-05T10:00:00Z".parse().unwrap());
                    })
                },
                Waiting,
                "six hours",
                "2026-08-05T16:00:00Z",
            ),
            (
                "cooled down",
                |w| {
                    grow(w).with(|w| {
                        there(&mut w.observation.database).storage_changed =
                            Some("2026-08-05T05:59:00Z".parse().unwrap());
                    })
                },
                Holds,
                "",
                "",
            ),
            (
                "nobody knows whether it cools down",
                |w| grow(w).with(|w| w.observation.details.database_events = Some(denial())),
                Unknown,
                "when the storage of `turbot-einstein` was changed last could not be read",
                "doctor",
            ),
            (
                "cooling down, storage stays",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.database).storage_changed =
                            Some("2026-08-05T10:00:00Z".parse().unwrap());
                    })
                },
                Holds,
                "",
                "",
            ),
            (
                "replica backs up",
                |w| {
                    w.with(|w| {
                        let mut replica = there(&mut w.observation.database).clone();
                        replica.status = "backing-up".into();
                        w.observation.replica = Seen::Present(replica);
                    })
                },
                Waiting,
                "",
                "",
            ),
            (
                "replica unreadable",
                |w| w.with(|w| w.observation.replica = denied()),
                Unknown,
                "replica",
                "",
            ),
            (
                "gone",
                |w| w.with(|w| w.observation.database = Seen::Absent),
                NeedsPerson,
                "not there",
                "",
            ),
            ("unreadable", |w| w.with(|w| w.observation.database = denied()), Unknown, "", ""),
        ],
    );
}

#[test]
fn cache_available() {
    fn cache(w: World, bend: fn(&mut crate::observe::observation::Cache)) -> World {
        w.with(|w| bend(&mut there(&mut w.observation.caches)[0]))
    }
    check(
        "cache-available",
        &[
            ("available", |w| w, Holds, "available", ""),
            (
                "modifying",
                |w| cache(w, |c| c.status = "modifying".into()),
                Waiting,
                "modifying",
                "",
            ),
            (
                "a node snapshots",
                |w| cache(w, |c| c.nodes[1].status = "snapshotting".into()),
                Waiting,
                "-002",
                "",
            ),
            ("deleting", |w| cache(w, |c| c.status = "deleting".into()), NeedsPerson, "", ""),
            ("enums grow", |w| cache(w, |c| c.status = "dreaming".into()), Unknown, "", ""),
            ("pending", |w| cache(w, |c| c.pending = true), Waiting, "pending", ""),
            (
                "a node's change pending",
                |w| cache(w, |c| c.nodes[0].pending = true),
                Waiting,
                "pending",
                "",
            ),
            (
                "global datastore",
                |w| cache(w, |c| c.global_datastore = Some("g".into())),
                NeedsPerson,
                "global datastore",
                "",
            ),
            (
                "wrong family",
                |w| cache(w, |c| c.nodes[0].parameter_group = Some("default.redis6.x".into())),
                NeedsPerson,
                "family redis7",
                "",
            ),
            (
                "a group of its own is unseen",
                |w| cache(w, |c| c.nodes[0].parameter_group = Some("turbot-einstein".into())),
                Holds,
                "",
                "",
            ),
            ("no nodes", |w| cache(w, |c| c.nodes.clear()), Unknown, "no nodes", ""),
            (
                "gone",
                |w| w.with(|w| w.observation.caches = Seen::Absent),
                NeedsPerson,
                "not there",
                "",
            ),
            (
                "only one that bears the name",
                |w| cache(w, |c| c.in_stack = false),
                NeedsPerson,
                "not there",
                "",
            ),
            ("unreadable", |w| w.with(|w| w.observation.caches = denied()), Unknown, "", ""),
            (
                "no cache is used",
                |w| {
                    w.with(|w| {
                        w.observation.caches = Seen::Absent;
                        there(&mut w.observation.root)
                            .parameters
                            .get_mut("ElastiCache")
                            .unwrap()
                            .value = "false".into();
                    })
                },
                NotApplicable,
                "",
                "",
            ),
        ],
    );
}

#[test]
fn storage_in_step() {
    fn real(w: World, size: i64, iops: i64, throughput: i64) -> World {
        w.with(|w| {
            let database = there(&mut w.observation.database);
            database.allocated_storage = Some(size);
            database.iops = Some(iops);
            database.storage_throughput = Some(throughput);
        })
    }
    fn wish(w: World, line: &str) -> World {
        w.edit("  events:", &format!("  parameters: {{{line}}}\n  events:"))
    }
    check(
        "storage-in-step",
        &[
            ("equal", |w| w, Holds, "as RDS has it: 200 GiB", ""),
            (
                "grown by itself, adopted",
                |w| real(w, 210, 3000, 125),
                Holds,
                "adopted as RDS has it: 210 GiB",
                "",
            ),
            (
                "grown over the stripe, adopted whole",
                |w| real(w, 420, 12_000, 500),
                Holds,
                "adopted",
                "",
            ),
            (
                "grown, only reported",
                |w| real(w, 210, 3000, 125).edit("mode: apply", "mode: apply, storage: report"),
                NeedsPerson,
                "200 in the stack and 210 in RDS",
                "parameters: {AllocatedStorage: 210}",
            ),
            (
                "shrinking",
                |w| wish(real(w, 210, 3000, 125), "AllocatedStorage: 205"),
                NeedsPerson,
                "never shrinks",
                "at least 210",
            ),
            (
                "too small a step",
                |w| wish(w, "AllocatedStorage: 210"),
                NeedsPerson,
                "220 GiB or more",
                "220",
            ),
            (
                "ten percent",
                |w| wish(w, "AllocatedStorage: 220"),
                Holds,
                "changed as RDS allows",
                "",
            ),
            (
                "over the stripe with small IOPS",
                |w| wish(w, "AllocatedStorage: 500"),
                NeedsPerson,
                "12000 IOPS",
                "",
            ),
            (
                "over the stripe with enough",
                |w| wish(w, "AllocatedStorage: 500, AllocatedIops: 12000, StorageThroughput: 500"),
                Holds,
                "",
                "",
            ),
            (
                "IOPS below the stripe",
                |w| wish(w, "AllocatedIops: 6000"),
                NeedsPerson,
                "3000 IOPS",
                "",
            ),
            (
                "a maximum too near",
                |w| wish(w, "MaxAllocatedStorage: 210"),
                NeedsPerson,
                "10 % above",
                "",
            ),
            ("autoscaling off", |w| wish(w, "MaxAllocatedStorage: 0"), Holds, "", ""),
            (
                "database unreadable",
                |w| w.with(|w| w.observation.database = denied()),
                Unknown,
                "",
                "",
            ),
            (
                "database gone",
                |w| w.with(|w| w.observation.database = Seen::Absent),
                NeedsPerson,
                "",
                "",
            ),
            (
                "size unknown",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.root)
                            .parameters
                            .get_mut("AllocatedStorage")
                            .unwrap()
                            .value = "x".into();
                    })
                },
                NeedsPerson,
                "in doubt",
                "parameterKeys: {allocatedStorage: AllocatedStorage}",
            ),
            (
                "nothing tells which one it is",
                |w| {
                    w.with(|w| {
                        crate::assess::testing::rename_all(&mut w.observation);
                        there(&mut w.observation.template)
                            .labels
                            .retain(|_, label| label != "Allocated Storage");
                        there(&mut there(&mut w.observation.target).usage)
                            .labels
                            .retain(|_, label| label != "Allocated Storage");
                    })
                },
                NeedsPerson,
                "no label tells",
                "parameterKeys: {allocatedStorage:",
            ),
        ],
    );
}

#[test]
fn backup_clear() {
    fn now(w: World, now: &str) -> World {
        w.with(|w| w.observation.now = now.parse().unwrap())
    }
    check(
        "backup-clear",
        &[
            ("noon", |w| w, Holds, "26 min", ""),
            (
                "just before the backup",
                |w| now(w, "2026-08-05T02:45:00Z"),
                Waiting,
                "backup window opens at 2026-08-05 03:00:00 UTC",
                "2026-08-05T03:30:00Z",
            ),
            ("early enough before", |w| now(w, "2026-08-05T02:34:00Z"), Holds, "", ""),
            (
                "in the middle",
                |w| now(w, "2026-08-05T03:10:00Z"),
                Waiting,
                "is open",
                "2026-08-05T03:30:00Z",
            ),
            (
                "no backups",
                |w| {
                    now(w, "2026-08-05T03:10:00Z")
                        .with(|w| there(&mut w.observation.database).backup_retention = Some(0))
                },
                Holds,
                "",
                "",
            ),
            (
                "cache snapshot",
                |w| now(w, "2026-08-05T05:10:00Z"),
                Waiting,
                "snapshot window",
                "2026-08-05T06:00:00Z",
            ),
            (
                "one after the other on Sunday",
                |w| now(w, "2026-08-02T03:50:00Z"),
                Waiting,
                "",
                "2026-08-02T06:00:00Z",
            ),
            (
                "past updates took long",
                |w| {
                    w.with(|w| {
                        w.observation.history = Seen::Present(vec![record(
                            "r",
                            "pa-1440",
                            "SUCCEEDED",
                            "2026-01-01T00:00:00Z",
                            "2026-01-01T16:00:00Z",
                        )]);
                    })
                },
                Waiting,
                "961 min",
                "",
            ),
            (
                "they never fit",
                |w| {
                    w.with(|w| {
                        w.observation.history = Seen::Present(vec![record(
                            "r",
                            "pa-1440",
                            "SUCCEEDED",
                            "2026-01-01T00:00:00Z",
                            "2026-01-02T16:00:00Z",
                        )]);
                    })
                },
                NeedsPerson,
                "no time of the week",
                "",
            ),
            (
                "failed ones teach nothing",
                |w| {
                    w.with(|w| {
                        w.observation.history = Seen::Present(vec![record(
                            "r",
                            "pa-1440",
                            "FAILED",
                            "2026-01-01T00:00:00Z",
                            "2026-01-02T16:00:00Z",
                        )]);
                    })
                },
                Holds,
                "21 min",
                "",
            ),
            (
                "unreadable window",
                |w| {
                    w.with(|w| {
                        there(&mut w.observation.database).backup_window = Some("nightly".into());
                    })
                },
                Unknown,
                "cannot be read",
                "",
            ),
            (
                "unknown window",
                |w| w.with(|w| there(&mut w.observation.database).backup_window = None),
                Unknown,
                "not known",
                "",
            ),
            (
                "database unreadable",
                |w| w.with(|w| w.observation.database = denied()),
                Unknown,
                "",
                "",
            ),
            ("cache unreadable", |w| w.with(|w| w.observation.caches = denied()), Unknown, "", ""),
        ],
    );
}

#[test]
fn events_pausable() {
    fn triggers(w: World, bend: fn(&mut crate::observe::observation::Triggers)) -> World {
        w.with(|w| bend(there(&mut w.observation.triggers)))
    }
    /// The triggers were given back so many seconds ago. `held`: one of them is claimed again; `else`: it was for another document.
    fn paused_for_nothing(w: World, ago: i64, what: &str) -> World {
        let digest = w.desired().digest();
        let digest = if what == "else" { "0123" } else { digest.as_str() };
        let key = hold_key("pp-senyqa2ncjkws");
        let at = w.observation.now - SignedDuration::from_secs(ago);
        let tag = released(at, "ctl-1", digest, End::Returned);
        let held = format!("held rec-1 {} ctl-1 {digest} made:1", at.as_second() + 60);
        w.with(|w| {
            let t = there(&mut w.observation.triggers);
            for (place, trigger) in t.mappings.iter_mut().enumerate() {
                let tag = if what == "held" && place == 0 { &held } else { &tag };
                trigger.tags = Some([(key.clone(), tag.clone())].into());
            }
        })
    }
    check(
        "events-pausable",
        &[
            ("all found", |w| w, Holds, "3 worker triggers", ""),
            (
                "none found is a failure",
                |w| triggers(w, |t| t.mappings.clear()),
                NeedsPerson,
                "no worker trigger of TE 5.39.12",
                "events: {pause: false}",
            ),
            (
                "no workspace",
                |w| {
                    triggers(w, |t| {
                        t.te_versions.clear();
                        t.mappings.clear();
                    })
                },
                NeedsPerson,
                "no workspace",
                "",
            ),
            (
                "one version of two",
                |w| triggers(w, |t| t.te_versions.push("5.40.0".into())),
                NeedsPerson,
                "TE 5.40.0",
                "",
            ),
            (
                "a function is missing",
                |w| triggers(w, |t| t.missing_functions.push("turbot_5_39_12_worker_retry".into())),
                NeedsPerson,
                "worker_retry",
                "",
            ),
            (
                "tags unreadable",
                |w| triggers(w, |t| t.mappings[0].tags = None),
                Unknown,
                "tags",
                "lambda:ListTags",
            ),
            (
                "no ARN to tag",
                |w| triggers(w, |t| t.mappings[0].arn.clear()),
                Unknown,
                "cannot be tagged",
                "",
            ),
            (
                "on its way",
                |w| triggers(w, |t| t.mappings[0].state = "Enabling".into()),
                Waiting,
                "Enabling",
                "",
            ),
            (
                "enums grow",
                |w| triggers(w, |t| t.mappings[0].state = "Napping".into()),
                Unknown,
                "",
                "",
            ),
            (
                "an operator's is fine",
                |w| triggers(w, |t| t.mappings[0].state = "Disabled".into()),
                Holds,
                "",
                "",
            ),
            ("unreadable", |w| w.with(|w| w.observation.triggers = denied()), Unknown, "", ""),
            ("absent", |w| w.with(|w| w.observation.triggers = Seen::Absent), NeedsPerson, "", ""),
            (
                "not paused",
                |w| {
                    w.edit("{pause: true}", "{pause: false}")
                        .with(|w| w.observation.triggers = denied())
                },
                NotApplicable,
                "",
                "",
            ),
            (
                "a pause came to nothing two minutes ago",
                |w| paused_for_nothing(w, 120, ""),
                Waiting,
                "events were paused until 2026-08-05 11:58:00 UTC",
                "2026-08-05T12:13:00Z",
            ),
            ("a quarter of an hour ago", |w| paused_for_nothing(w, 900, ""), Holds, "3 worker", ""),
            ("the next one is on", |w| paused_for_nothing(w, 120, "held"), Holds, "3 worker", ""),
            (
                "it was for a document that was",
                |w| paused_for_nothing(w, 120, "else"),
                Holds,
                "",
                "",
            ),
            (
                "an update came of it",
                |w| {
                    paused_for_nothing(w, 120, "").with(|w| {
                        let ended = w.observation.now - SignedDuration::from_mins(5);
                        there(&mut w.observation.last_record).updated = Some(ended);
                    })
                },
                Holds,
                "3 worker",
                "",
            ),
            (
                "another version is there too",
                |w| {
                    triggers(w, |t| {
                        t.te_versions.push("5.40.0".into());
                        t.mappings.push(trigger("5.40.0", "worker"));
                    })
                },
                Holds,
                "4 worker",
                "",
            ),
        ],
    );
}

#[test]
fn window() {
    fn windows(w: World, text: &str) -> World {
        w.edit("mode: apply", &format!("mode: apply, maintenanceWindows: [{text}]"))
    }
    const OPEN: &str = "{days: [Wed], start: \"11:00\", end: \"14:00\", timezone: UTC}";
    check(
        "window",
        &[
            ("none", |w| w, NotApplicable, "", ""),
            ("open", |w| windows(w, OPEN), Holds, "open until 2026-08-05 14:00:00 UTC", ""),
            (
                "too little left",
                |w| {
                    windows(w, OPEN)
                        .with(|w| w.observation.now = "2026-08-05T13:50:00Z".parse().unwrap())
                },
                Waiting,
                "ends before an update of about 26 min",
                "2026-08-12T11:00:00Z",
            ),
            (
                "closed",
                |w| {
                    windows(
                        w,
                        "{days: [Sat], start: \"02:00\", end: \"06:00\", timezone: Europe/Berlin}",
                    )
                },
                Waiting,
                "no maintenance window is open",
                "2026-08-08T00:00:00Z",
            ),
            (
                "never long enough",
                |w| windows(w, "{days: [Sat], start: \"02:00\", end: \"02:22\", timezone: UTC}"),
                NeedsPerson,
                "is that long",
                "longer",
            ),
            (
                "the controller's is closed",
                |w| {
                    windows(w, OPEN).with(|w| {
                        let other = windows(
                            World::staying(),
                            "{days: [Wed], start: \"13:00\", end: \"20:00\", timezone: UTC}",
                        );
                        w.context.windows = other.desired().spec.policy.maintenance_windows;
                    })
                },
                Waiting,
                "",
                "2026-08-05T13:00:00Z",
            ),
        ],
    );
}

fn by_settings(until: Option<&str>) -> Frozen {
    let until = until.map(|until| until.parse().unwrap());
    Frozen::BySettings { reason: Some("audit week".to_owned()), until }
}

#[test]
fn allowed() {
    check(
        "allowed",
        &[
            ("apply and apply", |w| w, Holds, "", ""),
            (
                "the document observes",
                |w| w.edit("mode: apply", "mode: observe"),
                NeedsPerson,
                "document's mode",
                "mode: apply",
            ),
            (
                "the controller observes",
                |w| w.with(|w| w.context.mode_bound = Mode::Observe),
                NeedsPerson,
                "controller runs",
                "--mode apply",
            ),
            (
                "frozen",
                |w| w.with(|w| w.context.frozen = Some(Frozen::ByHand("audit week".into()))),
                NeedsPerson,
                "audit week",
                "ted-controller freeze off",
            ),
            (
                "frozen by the settings",
                |w| w.with(|w| w.context.frozen = Some(by_settings(None))),
                NeedsPerson,
                "frozen by its settings: audit week",
                "remove `frozen` from the controller's settings",
            ),
            (
                "frozen by the settings for a while",
                |w| {
                    let until = Some("2026-12-01T00:00:00Z");
                    w.with(|w| w.context.frozen = Some(by_settings(until)))
                },
                Waiting,
                "frozen by its settings: audit week",
                "2026-12-01T00:00:00Z",
            ),
            (
                "contradicted",
                |w| w.with(|w| w.context.frozen = Some(Frozen::Contested)),
                NeedsPerson,
                "another document contradicts this one",
                "correct one of them",
            ),
            (
                "suspended",
                |w| w.edit("  region:", "  suspend: true\n  region:"),
                NeedsPerson,
                "suspended",
                "remove `suspend`",
            ),
            (
                "suspended for a while",
                |w| {
                    w.edit(
                        "  region:",
                        "  suspend: {reason: holiday, until: 2026-12-01T00:00:00Z}\n  region:",
                    )
                },
                Waiting,
                "holiday",
                "2026-12-01T00:00:00Z",
            ),
            (
                "a suspension that is over",
                |w| w.edit("  region:", "  suspend: {until: 2026-01-01T00:00:00Z}\n  region:"),
                Holds,
                "",
                "",
            ),
        ],
    );
}

#[test]
fn gates_come_in_the_designs_order_and_each_only_once() {
    let assessment = World::migrating().assess();
    let names: Vec<&str> = assessment.gates.iter().map(|gate| gate.gate.as_str()).collect();
    assert_eq!(names, super::names().collect::<Vec<_>>());
    assert_eq!(names.len(), 21);
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
}
