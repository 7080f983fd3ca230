//! What a world consists of at first, as scenario files write it.

pub use crate::catalog::Rename;
use crate::time::SimTime;
use crate::world::Scope;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A world's first state. Everything that is left out is as in the default world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct WorldSpec {
    /// Virtual time at which it begins; absent: 2026-08-01T10:00:00Z in process, the time of the host for a server.
    pub start: Option<SimTime>,
    /// A word that decides every random choice.
    pub seed: String,
    /// The account of the first installation, twelve digits.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its TEDs.
    pub teds: Vec<TedSpec>,
    /// This many more TEDs, with generated hive names.
    pub count: usize,
    /// Its TE versions, each with its worker functions, queues and triggers.
    pub te_versions: Vec<TeVersionSpec>,
    /// Its workspaces, each a stack with the parameters `Name`, `Hive` and `Version`.
    pub workspaces: Vec<WorkspaceSpec>,
    /// Functions that have nothing to do with TED.
    pub extra_functions: usize,
    /// The launch paths of the TED product.
    pub paths: Vec<PathSpec>,
    /// Other names for parameter keys and labels.
    pub rename: Rename,
    /// Installations in other accounts or regions.
    pub accounts: Vec<Installation>,
}

/// One installation: what one account has in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Installation {
    /// The account, twelve digits.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its TEDs.
    pub teds: Vec<TedSpec>,
    /// This many more TEDs, with generated hive names.
    pub count: usize,
    /// Its TE versions.
    pub te_versions: Vec<TeVersionSpec>,
    /// Its workspaces.
    pub workspaces: Vec<WorkspaceSpec>,
    /// Functions that have nothing to do with TED.
    pub extra_functions: usize,
    /// The launch paths of the TED product.
    pub paths: Vec<PathSpec>,
}

/// One TED.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TedSpec {
    /// `HiveName`.
    pub hive: String,
    /// The provisioned product's name; absent: `ted-<hive>`.
    pub provisioned_product: Option<String>,
    /// The version it runs.
    pub version: String,
    /// Parameters that differ from the version's defaults, by the key the template has before any renaming.
    pub parameters: BTreeMap<String, String>,
    /// How many updates failed and rolled back before the last one, which succeeded.
    pub failed_updates: u32,
}

/// One TE version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TeVersionSpec {
    /// `5.39.12`.
    pub version: String,
    /// How many mod functions it has beside its three workers; absent: a few.
    pub functions: Option<usize>,
}

/// One workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkspaceSpec {
    /// Its name.
    pub name: String,
    /// The hive it lives in.
    pub hive: String,
    /// The TE version it runs.
    pub version: String,
}

/// A launch path of the TED product: a portfolio that offers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PathSpec {
    /// The portfolio's name.
    pub name: String,
    /// Whether it has a launch constraint with a role.
    pub launch_role: bool,
    /// ARNs of the principals that reach it, with `*`; none: everybody in the account.
    pub principals: Vec<String>,
}

impl Default for Installation {
    fn default() -> Self {
        Self {
            account: String::new(),
            region: String::new(),
            teds: Vec::new(),
            count: 0,
            te_versions: Vec::new(),
            workspaces: Vec::new(),
            extra_functions: 0,
            // Without a path, nothing of a product can be launched.
            paths: vec![PathSpec::default()],
        }
    }
}

impl Default for TedSpec {
    fn default() -> Self {
        Self {
            hive: "einstein".to_owned(),
            provisioned_product: None,
            version: "v1.44.0".to_owned(),
            parameters: BTreeMap::new(),
            failed_updates: 0,
        }
    }
}

impl Default for PathSpec {
    fn default() -> Self {
        Self { name: "Turbot Guardrails".to_owned(), launch_role: true, principals: Vec::new() }
    }
}

impl Default for WorldSpec {
    fn default() -> Self {
        let workspace = |name: &str, hive: &str, version: &str| WorkspaceSpec {
            name: name.to_owned(),
            hive: hive.to_owned(),
            version: version.to_owned(),
        };
        let te = |version: &str| TeVersionSpec { version: version.to_owned(), functions: None };
        Self {
            start: None,
            seed: "einstein".to_owned(),
            account: "111122223333".to_owned(),
            region: "us-east-2".to_owned(),
            teds: vec![TedSpec::default()],
            count: 0,
            te_versions: vec![te("5.39.12"), te("5.40.3")],
            workspaces: vec![
                workspace("acme", "einstein", "5.39.12"),
                workspace("globex", "einstein", "5.40.3"),
                workspace("initech", "newton", "5.40.3"),
            ],
            extra_functions: 0,
            paths: vec![PathSpec::default()],
            rename: Rename::default(),
            accounts: Vec::new(),
        }
    }
}

impl WorldSpec {
    /// Where the first installation is; actions act there.
    pub fn home(&self) -> Scope {
        Scope::new(self.account.clone(), self.region.clone())
    }

    /// The name of the first TED's provisioned product; actions mean it when they name none.
    pub fn first_ted(&self) -> String {
        self.teds.first().map_or_else(|| "ted-hive1".to_owned(), TedSpec::product_name)
    }

    /// All installations, the first one first.
    pub fn installations(&self) -> Vec<Installation> {
        let home = Installation {
            account: self.account.clone(),
            region: self.region.clone(),
            teds: self.teds.clone(),
            count: self.count,
            te_versions: self.te_versions.clone(),
            workspaces: self.workspaces.clone(),
            extra_functions: self.extra_functions,
            paths: self.paths.clone(),
        };
        std::iter::once(home).chain(self.accounts.iter().cloned()).collect()
    }
}

impl TedSpec {
    /// The provisioned product's name.
    pub fn product_name(&self) -> String {
        self.provisioned_product.clone().unwrap_or_else(|| format!("ted-{}", self.hive))
    }
}
