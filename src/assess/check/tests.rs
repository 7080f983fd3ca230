//! No world makes an assessment that breaks a rule, and every rule can be broken.

use super::*;
use crate::assess::survey;
use crate::assess::testing::{NOW, World, denied, offer, record, rename_all, there};
use crate::assess::tests::BENDS;
use crate::assess::types::{
    Condition, ContinueOrder, ParameterValue, UpdateOrder, UpdateParameter,
};
use crate::observe::observation::{Parameter, Seen, StackParameter};
use proptest::prelude::*;
use std::fmt::Write as _;

fn broken(world: &World) -> Vec<Broken> {
    let mut broken = broken_rules(Some(&world.desired()), &world.observation, &world.assess());
    broken.extend(broken_rules(
        None,
        &world.observation,
        &survey(&world.observation, &world.context),
    ));
    broken
}

/// What else can happen to a world, beside the bends of the other property tests.
const MORE: &[fn(&mut World)] = &[
    |w| w.observation.products = Seen::NotLooked,
    |w| w.observation.root = Seen::Absent,
    |w| w.observation.nested = Seen::NotLooked,
    |w| w.observation.triggers = Seen::Absent,
    |w| w.observation.replica = denied(),
    |w| w.observation.deep_drift = denied(),
    |w| {
        if let Seen::Present(products) = &mut w.observation.products
            && let Some(product) = products.first().cloned()
        {
            products.push(product);
        }
    },
    |w| status(w, "UNDER_CHANGE"),
    |w| status(w, "ERROR"),
    |w| status(w, "NEW"),
    |w| stack(w, "UPDATE_IN_PROGRESS"),
    |w| stack(w, "UPDATE_ROLLBACK_FAILED"),
    |w| stack(w, "DELETE_COMPLETE"),
    |w| {
        let (from, to) = ("2026-08-05T11:59:00Z", "2026-08-05T11:59:30Z");
        w.observation.last_record =
            Seen::Present(record("rec-2", "pa-1521", "IN_PROGRESS", from, to));
    },
    |w| {
        let (from, to) = ("2026-08-05T10:00:00Z", "2026-08-05T10:40:00Z");
        let failed = record("rec-2", "pa-1521", "FAILED", from, to);
        w.observation.last_record = Seen::Present(failed.clone());
        if let Seen::Present(history) = &mut w.observation.history {
            history.insert(0, failed);
        }
    },
    |w| triggers(w, "Disabled", |_| None),
    |w| triggers(w, "Disabled", |now| Some(format!("held rec-1 {} ctl-1 0123 made:0", now - 200))),
    |w| triggers(w, "Enabled", |now| Some(format!("held rec-1 {} ctl-2 0123", now - 2000))),
    |w| triggers(w, "Disabled", |now| Some(format!("released {} open", now - 60))),
    |w| triggers(w, "Disabled", |_| Some("somebody else's words".to_owned())),
    |w| triggers(w, "Disabling", |_| None),
    |w| {
        if let Seen::Present(triggers) = &mut w.observation.triggers {
            triggers.mappings.iter_mut().for_each(|trigger| trigger.tags = None);
        }
    },
    |w| cache(w, |cache| cache.status = "modifying".into()),
    |w| cache(w, |cache| cache.in_stack = false),
    |w| cache(w, |cache| cache.nodes.clear()),
    |w| cache(w, |cache| cache.node_type = Some("cache.r6g.large".into())),
    |w| database(w, |database| database.status = "backing-up".into()),
    |w| database(w, |database| database.allocated_storage = Some(240)),
    |w| w.observation.now = "2026-08-05T02:50:00Z".parse().unwrap(),
    |w| {
        if let Seen::Present(template) = &mut w.observation.template {
            template.labels.clear();
        }
    },
    |w| {
        if let Seen::Present(offer) = &mut w.observation.target
            && let Seen::Present(parameters) = &mut offer.parameters
        {
            parameters.push(Parameter {
                key: "Retention".into(),
                kind: "Number".into(),
                ..Parameter::default()
            });
        }
    },
    |w| insert(w, "  events:", "  parameters: {MasterPassword: hunter2hunter2}\n"),
    |w| insert(w, "  events:", "  parameters: {Unheard: \"1\", AllocatedStorage: 300}\n"),
    |w| insert(w, "  events:", "  parameterKeys: {cacheEngine: ElastiCacheEngine}\n"),
    |w| insert(w, "  events:", "  suspend: true\n"),
    |w| w.document = w.document.replace("redis-to-valkey]", "redis-to-valkey, retrigger]"),
    |w| w.document = w.document.replace("mode: apply", "mode: apply, storage: report"),
    |w| {
        let windows =
            "mode: apply, maintenanceWindows: [{days: [Sat], start: \"08:00\", end: \"16:00\"}]";
        w.document = w.document.replace("mode: apply", windows);
    },
    |w| w.context.mode_bound = crate::desired::Mode::Observe,
    |w| w.context.process = "9".to_owned(),
];

fn status(world: &mut World, status: &str) {
    if let Seen::Present(products) = &mut world.observation.products
        && let Some(product) = products.first_mut()
    {
        product.status = status.to_owned();
    }
}

fn stack(world: &mut World, status: &str) {
    if let Seen::Present(root) = &mut world.observation.root {
        root.status = status.to_owned();
    }
}

fn cache(world: &mut World, bend: impl Fn(&mut crate::observe::observation::Cache)) {
    if let Seen::Present(caches) = &mut world.observation.caches {
        caches.iter_mut().for_each(bend);
    }
}

fn database(world: &mut World, bend: impl Fn(&mut crate::observe::observation::Database)) {
    if let Seen::Present(database) = &mut world.observation.database {
        bend(database);
    }
}

fn triggers(world: &mut World, state: &str, tag: impl Fn(i64) -> Option<String>) {
    let now = world.observation.now.as_second();
    if let Seen::Present(triggers) = &mut world.observation.triggers {
        for trigger in &mut triggers.mappings {
            state.clone_into(&mut trigger.state);
            if let (Some(tags), Some(tag)) = (&mut trigger.tags, tag(now)) {
                tags.insert("ted-controller:hold:pp-senyqa2ncjkws".to_owned(), tag);
            }
        }
    }
}

/// A line of the document, unless its field is there already.
fn insert(world: &mut World, before: &str, line: &str) {
    let field = line.split(':').next().unwrap_or_default();
    if !world.document.contains(&format!("\n{field}:")) {
        world.document = world.document.replacen(before, &format!("{line}{before}"), 1);
    }
}

/// A world of any kind: how it begins, and how it is bent.
#[derive(Clone, Debug)]
struct Bent {
    kind: u8,
    renamed: bool,
    bends: Vec<usize>,
}

impl Bent {
    fn strategy() -> impl Strategy<Value = Self> {
        let bends = proptest::collection::vec(0..BENDS.len() + MORE.len(), 0..5);
        (0..3_u8, any::<bool>(), bends).prop_map(|(kind, renamed, bends)| Self {
            kind,
            renamed,
            bends,
        })
    }

    fn world(&self) -> World {
        let mut world = match self.kind {
            0 => World::staying(),
            1 => World::migrating(),
            _ => World::migrated(),
        };
        if self.renamed {
            rename_all(&mut world.observation);
        }
        let all: Vec<&fn(&mut World)> = BENDS.iter().chain(MORE).collect();
        for (place, bend) in self.bends.iter().enumerate() {
            // A document cannot say one thing twice.
            if !self.bends[..place].contains(bend) {
                all[*bend](&mut world);
            }
        }
        world
    }
}

// `PROPTEST_CASES=20000` tries more of them.
proptest! {
    #[test]
    fn no_world_breaks_a_rule(bent in Bent::strategy()) {
        let world = bent.world();
        let broken = broken(&world);
        prop_assert!(
            broken.is_empty(),
            "{}\n{}",
            broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            world.document
        );
    }

    /// The same document and observation give the same assessment, byte for byte, whatever was assessed in between.
    #[test]
    fn the_same_again_is_the_same(one in Bent::strategy(), other in Bent::strategy()) {
        let text = |bent: &Bent| serde_json::to_string(&bent.world().assess()).unwrap();
        let first = text(&one);
        let _ = text(&other);
        prop_assert_eq!(first, text(&one));
    }

    /// What is secret in the stack, or would be in a document, is nowhere in what is said.
    #[test]
    fn no_secret_is_told(bent in Bent::strategy(), secret in "[a-z]{4}-[0-9]{8}") {
        let mut world = bent.world();
        if let Seen::Present(root) = &mut world.observation.root {
            for (key, parameter) in &mut root.parameters {
                // By whatever name, the password is the one that the mask hides.
                if key == "MasterPassword" || parameter.value == "****" {
                    parameter.value.clone_from(&secret);
                }
            }
        }
        insert(&mut world, "  events:", &format!("  parameters: {{MasterPassword: \"{secret}\"}}\n"));
        let assessment = world.assess();
        let readable = [world.observation.template.gap(), world.observation.root.gap()];
        // Whether a key is secret is the template's to say; without it nothing is drafted, and so nothing told.
        let told = serde_json::to_string(&assessment).unwrap();
        prop_assert!(!told.contains(&secret), "{readable:?}: {told}");
    }
}

/// A TED as it may run, and how a document may say the same.
#[derive(Clone, Debug)]
struct Same {
    migrated: bool,
    connections: u32,
    node_type: usize,
    nodes: u8,
    multi_az: bool,
    storage: i64,
    /// Which of the things above the document names.
    names: [bool; 5],
    /// Whether it spells them otherwise than the stack does.
    otherwise: bool,
}

const NODE_TYPES: [&str; 3] = ["cache.t3.medium", "cache.m6g.large", "cache.r6g.large"];

impl Same {
    fn strategy() -> impl Strategy<Value = Self> {
        let bits = any::<[bool; 5]>();
        (
            any::<bool>(),
            1_u32..10_000,
            0..3_usize,
            2_u8..6,
            any::<bool>(),
            200_i64..900,
            bits,
            any::<bool>(),
        )
            .prop_map(
                |(migrated, connections, node_type, nodes, multi_az, storage, names, otherwise)| {
                    Self {
                        migrated,
                        connections,
                        node_type,
                        nodes,
                        multi_az,
                        storage,
                        names,
                        otherwise,
                    }
                },
            )
    }

    fn world(&self) -> World {
        let mut world = if self.migrated { World::migrated() } else { World::staying() };
        let truth = self.multi_az.to_string();
        for (key, value) in [
            ("MaxConnections", self.connections.to_string()),
            ("CacheNodeType", NODE_TYPES[self.node_type].to_owned()),
            ("CacheNumberOfNodes", self.nodes.to_string()),
            ("CacheMultiAZ", truth),
            ("AllocatedStorage", self.storage.to_string()),
        ] {
            let root = there(&mut world.observation.root);
            root.parameters.insert(key.to_owned(), StackParameter { value, resolved: None });
        }
        let cache = &mut there(&mut world.observation.caches)[0];
        cache.node_type = Some(NODE_TYPES[self.node_type].to_owned());
        let node = cache.nodes[0].clone();
        cache.nodes = vec![node; usize::from(self.nodes)];
        there(&mut world.observation.database).allocated_storage = Some(self.storage);

        let zero = if self.otherwise { "0" } else { "" };
        let [connections, node_type, nodes, multi_az, storage] = self.names;
        let mut fields = String::new();
        if node_type {
            write!(fields, ", nodeType: {}", NODE_TYPES[self.node_type]).unwrap();
        }
        if nodes {
            write!(fields, ", nodes: {}", self.nodes).unwrap();
        }
        if multi_az {
            write!(fields, ", multiAz: {}", self.multi_az).unwrap();
        }
        let version = if self.migrated { "version: \"8.0\"" } else { "version: \"7.1\"" };
        world.document = world.document.replace(version, &format!("{version}{fields}"));
        let mut parameters = Vec::new();
        if connections {
            parameters.push(format!("MaxConnections: \"{zero}{}\"", self.connections));
        }
        if storage {
            parameters.push(format!("AllocatedStorage: \"{zero}{}\"", self.storage));
        }
        if self.otherwise {
            parameters.push("AllowedCidrs: \"10.21.0.0/16,10.20.0.0/16\"".to_owned());
        }
        if !parameters.is_empty() {
            let line = format!("  parameters: {{{}}}\n  policy:", parameters.join(", "));
            world.document = world.document.replace("  policy:", &line);
        }
        world
    }
}

proptest! {
    /// A document that says what is, in whichever spelling, has an empty plan: no step, no parameter, no drift, and it is ready.
    #[test]
    fn what_already_is_needs_nothing(same in Same::strategy()) {
        let world = same.world();
        let assessment = world.assess();
        prop_assert!(assessment.plan.is_empty() && assessment.next.is_none(), "{:#?}", assessment.plan);
        prop_assert_eq!(&assessment.parameters, &[]);
        let drift = assessment.findings.iter().find(|finding| finding.code.starts_with("drift/"));
        prop_assert!(drift.is_none(), "{drift:?}");
        let ready = &assessment.conditions[0];
        prop_assert_eq!(ready.status, ConditionStatus::True, "{}", ready.message);
        prop_assert_eq!(broken(&world), []);
    }

    /// One wish is one value in the update, and everything else stays as it is.
    #[test]
    fn one_wish_is_one_value(same in Same::strategy(), connections in 10_000_u32..20_000) {
        let same = Same { names: [false; 5], otherwise: false, ..same };
        let mut world = same.world();
        let line = format!("  parameters: {{MaxConnections: {connections}}}\n  policy:");
        world.document = world.document.replace("  policy:", &line);
        let assessment = world.assess();
        let order = order_of(&assessment);
        let sent: Vec<(&str, &ParameterValue)> = order
            .parameters
            .iter()
            .filter(|parameter| parameter.value != ParameterValue::Previous)
            .map(|parameter| (parameter.key.as_str(), &parameter.value))
            .collect();
        prop_assert_eq!(sent, [("MaxConnections", &ParameterValue::Value(connections.to_string()))]);
        prop_assert_eq!(broken(&world), []);
    }
}

type Bar = (&'static str, fn(&mut World));

/// What forbids to start anything, whatever else is so.
const BARS: &[Bar] = &[
    ("the product is under change", |w| status(w, "UNDER_CHANGE")),
    ("the stack is under change", |w| stack(w, "UPDATE_IN_PROGRESS")),
    ("a record is not final", |w| {
        let at = "2026-08-05T11:59:00Z";
        w.observation.last_record =
            Seen::Present(record("rec-2", "pa-1521", "IN_PROGRESS", at, at));
    }),
    ("a workspace is under change", |w| {
        if let Seen::Present(relatives) = &mut w.observation.relatives {
            for relative in relatives {
                "UPDATE_IN_PROGRESS".clone_into(&mut relative.status);
            }
        }
    }),
    ("it is suspended", |w| insert(w, "  events:", "  suspend: true\n")),
    ("it only observes", |w| w.document = w.document.replace("mode: apply", "mode: observe")),
    ("the controller only observes", |w| w.context.mode_bound = crate::desired::Mode::Observe),
    ("all is frozen", |w| w.context.frozen = Some(crate::assess::Frozen::ByHand("a fair".into()))),
    ("no window is open", |w| {
        let windows =
            "maintenanceWindows: [{days: [Sat], start: \"08:00\", end: \"16:00\"}], approve:";
        if !w.document.contains("maintenanceWindows") {
            w.document = w.document.replacen("approve:", windows, 1);
        }
    }),
    ("it is not approved", |w| {
        w.document = w.document.replace("redis-to-valkey, ", "").replace("[redis-to-valkey]", "[]");
    }),
    ("the account is not known", |w| w.observation.caller = denied()),
    ("the stack is not known", |w| w.observation.root = denied()),
    ("the nested stacks are not known", |w| w.observation.nested = denied()),
    ("the template is not known", |w| w.observation.template = denied()),
    ("the cache is not known", |w| w.observation.caches = denied()),
    ("the database is not known", |w| w.observation.database = denied()),
    ("the paths are not known", |w| w.observation.paths = denied()),
    ("the version to have is not known", |w| w.observation.target = denied()),
    ("the TEs are not known", |w| w.observation.relatives = denied()),
    ("the triggers are not known", |w| w.observation.triggers = denied()),
];

proptest! {
    /// Behind any bar nothing begins. Only what runs already is kept paused, newcomers too.
    #[test]
    fn behind_a_bar_nothing_begins(bends in proptest::collection::vec(0..BENDS.len() + MORE.len(), 0..4), bar in 0..BARS.len()) {
        let mut world = Bent { kind: 1, renamed: false, bends }.world();
        let (why, bar) = BARS[bar];
        bar(&mut world);
        let assessment = world.assess();
        let moves = is_moving(&world.observation);
        // Where events are not paused nobody asks for triggers, and a document that stays with Redis needs no approval.
        let says = |text: &str| world.document.contains(text);
        let asks = match why {
            "the triggers are not known" => !says("pause: false"),
            "it is not approved" => says("engine: valkey"),
            "no window is open" => says("days: [Sat]"),
            _ => true,
        };
        if let Some(next) = assessment.next_step().filter(|_| asks) {
            prop_assert!(next.step != StepKind::Update, "{why}: {}\n{}", next.summary, world.document);
            prop_assert!(moves || !next.step.begins_something(), "{why}: {}\n{}", next.summary, world.document);
        }
    }

    /// A token is a matter of the product and its last record: whatever else is so, it is the same one; another record, another one.
    #[test]
    fn a_token_is_of_the_product_and_its_last_record(one in Bent::strategy(), other in Bent::strategy(), record in "rec-[a-z0-9]{8}") {
        let token = |bent: &Bent, record: Option<&str>| {
            let mut world = bent.world();
            if let (Seen::Present(products), Some(record)) = (&mut world.observation.products, record) {
                for product in products {
                    product.last_provisioning_record_id = Some(record.to_owned());
                }
            }
            world.assess().plan.iter().find_map(|step| match &step.order {
                Order::Update(order) => Some(order.token.clone()),
                Order::Triggers(_) | Order::Continue(_) | Order::Wait(_) | Order::Later => None,
            })
        };
        if let (Some(one), Some(other)) = (token(&one, Some("rec-x")), token(&other, Some("rec-x"))) {
            prop_assert_eq!(one, other);
        }
        if let (Some(before), Some(after)) = (token(&one, Some("rec-x")), token(&one, Some(&record))) {
            prop_assert_ne!(before, after);
        }
    }
}

#[test]
fn what_can_never_start_is_no_plan() {
    let redis = "{engine: redis, version: \"7.1\"}";
    let back = World::migrated().edit("{engine: valkey, version: \"8.0\"}", redis);
    let older = World::migrated().edit("v1.52.1", "v1.44.0");
    let older_engine = World::migrated().edit("\"8.0\"", "\"7.2\"");
    for (why, world) in [("to Redis", back), ("older TED", older), ("older Valkey", older_engine)] {
        let assessment = world.assess();
        assert_eq!((&assessment.plan[..], &assessment.next), (&[][..], &None), "{why}");
        let stalled = &assessment.conditions[2];
        assert_eq!(stalled.status, ConditionStatus::True, "{why}: {stalled:?}");
        assert_eq!(broken(&world), [], "{why}");
    }
}

fn order_of(assessment: &Assessment) -> UpdateOrder {
    let order = assessment.plan.iter().find_map(|step| match &step.order {
        Order::Update(order) => Some((**order).clone()),
        Order::Triggers(_) | Order::Continue(_) | Order::Wait(_) | Order::Later => None,
    });
    order.unwrap_or_else(|| panic!("there is no update: {:#?}", assessment.gates))
}

/// A migration whose update is the next step: events are not paused.
fn due() -> World {
    World::migrating().edit("{pause: true}", "{pause: false}")
}

fn next_order(assessment: &mut Assessment) -> &mut UpdateOrder {
    match assessment.next.as_mut().map(|step| &mut step.order) {
        Some(Order::Update(order)) => order,
        other => panic!("the next step is no update: {other:?}"),
    }
}

fn set(order: &mut UpdateOrder, key: &str, value: &ParameterValue) {
    order.parameters.iter_mut().filter(|p| p.key == key).for_each(|p| p.value = value.clone());
}

fn condition(assessment: &mut Assessment, kind: ConditionType) -> &mut Condition {
    assessment.conditions.iter_mut().find(|condition| condition.kind == kind).unwrap()
}

type Breaks = (&'static str, fn(&mut World, &mut Assessment));

/// How each rule is broken.
const BREAKS: &[Breaks] = &[
    ("all six conditions are there, in their order", |_, a| a.conditions.swap(0, 1)),
    ("the reason of a condition is documented", |_, a| a.conditions[0].reason = "Mood".into()),
    ("a condition has a message", |_, a| a.conditions[5].message.clear()),
    ("never ready and stalled", |_, a| {
        a.findings.clear();
        condition(a, ConditionType::Ready).status = ConditionStatus::True;
        condition(a, ConditionType::Stalled).status = ConditionStatus::True;
    }),
    ("never reconciling and stalled", |_, a| {
        condition(a, ConditionType::Reconciling).status = ConditionStatus::True;
        condition(a, ConditionType::Stalled).status = ConditionStatus::True;
    }),
    ("never ready with a finding that makes it unready", |_, a| {
        condition(a, ConditionType::Ready).status = ConditionStatus::True;
    }),
    ("ready only with the engine that was asked for, read from the cache", |_, a| {
        a.findings.clear();
        a.actual.engine = None;
        condition(a, ConditionType::Ready).status = ConditionStatus::True;
    }),
    ("never ready with an update to send", |_, a| {
        a.findings.clear();
        condition(a, ConditionType::Ready).status = ConditionStatus::True;
    }),
    ("a condition about findings is true when there are such findings, and only then", |_, a| {
        condition(a, ConditionType::Drifted).status = ConditionStatus::False;
    }),
    ("every gate is asked of a document, in order", |_, a| {
        a.gates.pop();
    }),
    ("a gate holds by its state", |_, a| a.gates[0].state = GateState::Unknown),
    ("a closed gate has a remedy", |_, a| a.gates[0].remedy = "do something".into()),
    ("a closed gate says why", |_, a| {
        let gate = &mut a.gates[0];
        (gate.holds, gate.state) = (false, GateState::Unknown);
        gate.remedy = "look".into();
        gate.message.clear();
    }),
    ("only what waits has a time to wait for", |w, a| a.gates[0].until = Some(w.observation.now)),
    ("findings are sorted: the worst first, then by code and message", |_, a| a.findings.reverse()),
    ("no finding is there twice", |_, a| a.findings.insert(0, a.findings[0].clone())),
    ("the code of a finding is documented", |_, a| a.findings[0].code = "drift/mood".into()),
    ("a finding says what, where it was read, and what to do", |_, a| a.findings[0].remedy.clear()),
    ("a plan has one update at most", |_, a| {
        let update = a.plan.iter().find(|step| step.step == StepKind::Update).unwrap().clone();
        a.plan.push(update);
    }),
    ("no update is planned while a change runs", |w, _| status(w, "UNDER_CHANGE")),
    ("a step's order is of its kind, and of something", |_, a| {
        a.plan.push(Step {
            step: StepKind::Enable,
            summary: "enable nothing".into(),
            order: Order::Triggers(Vec::new()),
        });
    }),
    ("a step says what it does", |_, a| a.plan[0].summary.clear()),
    ("the next step leaves nothing to decide", |_, a| {
        a.next = Some(Step { step: StepKind::Hold, summary: "hold".into(), order: Order::Later });
    }),
    ("nothing begins while a gate does not hold", |_, a| {
        let gate = &mut a.gates[0];
        (gate.holds, gate.state, gate.remedy) = (false, GateState::Unknown, "look".into());
    }),
    ("no update is sent into a stack whose rollback failed", |w, _| {
        stack(w, "UPDATE_ROLLBACK_FAILED");
    }),
    ("only a rollback that failed is continued", |_, a| {
        a.next = Some(Step {
            step: StepKind::ContinueRollback,
            summary: "continue".into(),
            order: Order::Continue(ContinueOrder {
                stack_id: "arn".into(),
                stack_name: "SC-1".into(),
                skip: Vec::new(),
                token: "ted0".into(),
                began: NOW.parse().unwrap(),
                continued: 0,
            }),
        });
    }),
    ("an update is for the one product that was found", |_, a| {
        next_order(a).provisioned_product_id = "pp-another".into();
    }),
    ("a token depends on the product and its last record, and on nothing else", |_, a| {
        next_order(a).token.push('0');
    }),
    ("an update expects what was seen", |_, a| {
        next_order(a).expects.stack_status = "UPDATE_ROLLBACK_COMPLETE".into();
    }),
    ("every parameter of the version is named once, and no other", |_, a| {
        next_order(a).parameters.push(UpdateParameter {
            key: "MaxConnections".into(),
            value: ParameterValue::Previous,
        });
    }),
    (
        "the previous value is for what the running stack has, the default for what it lacks",
        |_, a| set(next_order(a), "PgBouncer", &ParameterValue::Previous),
    ),
    ("no secret travels", |_, a| {
        set(next_order(a), "MasterPassword", &ParameterValue::Value("****".into()));
    }),
    ("no mask travels", |_, a| {
        set(next_order(a), "ElastiCacheEngine", &ParameterValue::Value("*****".into()));
    }),
    ("nothing is set that nobody named", |_, a| {
        set(next_order(a), "MaxConnections", &ParameterValue::Value("1".into()));
    }),
    ("TED is never downgraded", |w, _| {
        let outputs = &mut there(&mut w.observation.root).outputs;
        outputs.insert("ReleaseVersion".into(), "1.53.0".into());
    }),
    ("there is no way back from Valkey to Redis", |w, a| {
        there(&mut w.observation.caches)[0].nodes[0].engine = Some("valkey".into());
        set(next_order(a), "ElastiCacheEngine", &ParameterValue::Value("redis".into()));
    }),
    ("from Redis to Valkey takes its approval", |w, _| {
        w.document = w.document.replace("[redis-to-valkey]", "[]");
    }),
    ("nothing starts on what could not be read", |w, _| w.observation.nested = denied()),
    ("no update is sent that changes nothing", |w, a| {
        let outputs = &mut there(&mut w.observation.root).outputs;
        outputs.insert("ReleaseVersion".into(), "1.52.1".into());
        for parameter in &mut next_order(a).parameters {
            parameter.value = ParameterValue::Previous;
        }
    }),
];

#[test]
fn every_rule_can_be_broken() {
    for (rule, breaks) in BREAKS {
        let mut world = due();
        let mut assessment = world.assess();
        assert_eq!(broken_rules(Some(&world.desired()), &world.observation, &assessment), []);
        breaks(&mut world, &mut assessment);
        let broken = broken_rules(Some(&world.desired()), &world.observation, &assessment);
        assert!(broken.iter().any(|broken| broken.rule == *rule), "{rule}: {broken:#?}");
    }
    let source = [include_str!("../check.rs"), include_str!("update.rs")].concat();
    for (rule, _) in BREAKS {
        assert!(source.contains(&format!("\"{rule}\"")), "nobody checks: {rule}");
    }
    let rules = source.matches(".must(").count();
    assert_eq!(rules, BREAKS.len(), "every rule has a row here");
}

/// Whether ready and why, whether reconciling, whether stalled.
type Said = ((ConditionStatus, String), ConditionStatus, ConditionStatus);

/// What the properties above found, by its name.
#[test]
fn contradictions_that_were_found_stay_away() {
    let said = |world: &World| {
        let assessment = world.assess();
        let status = |kind| {
            let found = assessment.conditions.iter().find(|condition| condition.kind == kind);
            found.map(|condition| (condition.status, condition.reason.clone())).unwrap()
        };
        (
            status(ConditionType::Ready),
            status(ConditionType::Reconciling).0,
            status(ConditionType::Stalled).0,
        )
    };
    let (yes, no) = (ConditionStatus::True, ConditionStatus::False);
    let because = |status, reason: &str| (status, reason.to_owned());
    let rows: Vec<(&str, World, Said)> = vec![
        (
            "a cache that is being replaced calls for nobody",
            World::migrating().with(|w| {
                stack(w, "UPDATE_IN_PROGRESS");
                w.observation.caches = Seen::Absent;
            }),
            (because(no, "UnderChange"), yes, no),
        ),
        (
            "a request that was just sent is a change, although the product looks as before",
            World::migrated().with(|w| {
                let at = "2026-08-05T11:59:59Z";
                w.observation.last_record =
                    Seen::Present(record("rec-2", "pa-1521", "CREATED", at, at));
            }),
            (because(no, "UnderChange"), yes, no),
        ),
        (
            "events are given back first",
            World::staying().with(|w| {
                stack(w, "UPDATE_ROLLBACK_FAILED");
                triggers(w, "Disabled", |now| {
                    Some(format!("held rec-1 {} ctl-1 0123", now - 2000))
                });
            }),
            (because(no, "OutOfSync"), yes, no),
        ),
        (
            "then a person is called for",
            World::staying().with(|w| stack(w, "UPDATE_ROLLBACK_FAILED")),
            (because(no, "OutOfSync"), no, yes),
        ),
        (
            "a cache that is not there is not as wanted, whatever the template would say",
            World::migrated().with(|w| {
                w.observation.caches = Seen::Absent;
                w.observation.template = denied();
            }),
            (because(no, "OutOfSync"), ConditionStatus::Unknown, no),
        ),
    ];
    for (why, world, expected) in rows {
        let said = said(&world);
        assert_eq!(said, expected, "{why}");
        assert_eq!(broken(&world), [], "{why}");
    }
}

#[test]
fn a_broken_rule_reads_as_a_sentence_with_its_reason() {
    let mut world = due();
    let assessment = world.assess();
    status(&mut world, "UNDER_CHANGE");
    let broken = broken_rules(Some(&world.desired()), &world.observation, &assessment);
    let told = broken[0].to_string();
    assert!(
        told.starts_with("no update is planned while a change runs: update `ted-einstein`"),
        "{told}"
    );
}

#[test]
fn a_version_that_was_never_offered_breaks_nothing_but_the_list() {
    let mut world = due();
    let assessment = world.assess();
    offer(&mut world.observation, "v1.50.0");
    let broken = broken_rules(Some(&world.desired()), &world.observation, &assessment);
    let rules: Vec<&str> = broken.iter().map(|broken| broken.rule).collect();
    assert!(
        rules.contains(&"every parameter of the version is named once, and no other"),
        "{rules:?}"
    );
}
