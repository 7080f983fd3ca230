//! The data of the world: TED in all its versions, TE, mods, workspaces and TEF, read from `sim/data/*.yaml`.
//!
//! Parameter keys, labels, versions and resources are data, never constants of the code; this module reads them, renders one version of
//! a template, and lets a world call keys and labels something else ([`Rename`]). It makes no stacks; `cloudformation` does.
//! The notation of the files is explained at the head of `sim/data/ted.yaml`.

mod notation;
mod rename;
mod render;
#[cfg(test)]
mod tests;

pub use rename::Rename;

use crate::options::CacheUpgrade;
use crate::services::cloudformation::template::Template;
use crate::time::SimTime;
use notation::Fault;
use render::Context;
use semver::Version;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The texts of the data files.
struct Sources<'a> {
    ted: &'a str,
    te: &'a str,
    workspace: &'a str,
    tef: &'a str,
}

const SOURCES: Sources<'static> = Sources {
    ted: include_str!("../data/ted.yaml"),
    te: include_str!("../data/te.yaml"),
    workspace: include_str!("../data/workspace.yaml"),
    tef: include_str!("../data/tef.yaml"),
};

/// As many different TED products as tests use at a time are kept rendered; more are rendered again.
const RENDERED: usize = 32;

/// The data files, parsed.
#[derive(Debug)]
pub(crate) struct Catalog {
    ted: TedFile,
    te: TeFile,
    workspace: StackFile,
    tef: StackFile,
    rendered: Mutex<BTreeMap<(&'static str, Rename), Arc<Ted>>>,
}

/// A product as Service Catalog shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Product {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) distributor: String,
    pub(crate) description: String,
    pub(crate) support_email: String,
    pub(crate) support_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TedFile {
    product: Product,
    templates: String,
    versions: Vec<Row>,
    install: Map<String, Value>,
    root: Value,
    nested: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TeFile {
    product: Product,
    template: Value,
    mods: Value,
    extra_function: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StackFile {
    product: Product,
    template: Value,
}

/// A version in the data.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    build: String,
    created: SimTime,
    #[serde(default = "default_guidance")]
    guidance: String,
    #[serde(default = "active")]
    active: bool,
}

fn default_guidance() -> String {
    "DEFAULT".to_owned()
}

const fn active() -> bool {
    true
}

/// The TED product of a world: every version, rendered.
#[derive(Debug)]
pub(crate) struct Ted {
    pub(crate) product: Product,
    /// In the order in which Service Catalog lists them, which is none.
    pub(crate) releases: Vec<Release>,
    install: Map<String, Value>,
}

/// One version of TED: a provisioning artifact.
#[derive(Debug)]
pub(crate) struct Release {
    /// `v1.44.0`
    pub(crate) name: String,
    pub(crate) version: Version,
    /// `Turbot Guardrails Enterprise Database v1.44.0 [Build #20240813120826859]`
    pub(crate) description: String,
    pub(crate) created: SimTime,
    /// `DEFAULT` or `DEPRECATED`.
    pub(crate) guidance: String,
    pub(crate) active: bool,
    /// With its nested templates.
    pub(crate) template: Arc<Template>,
}

/// What an installation of TED is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Install<'a> {
    pub(crate) hive: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) region: &'a str,
}

impl Ted {
    /// The version called `name`.
    pub(crate) fn release(&self, name: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.name == name)
    }

    /// What the operator chose when installing `release`: by the world's keys, parameters that keep their default left out.
    pub(crate) fn install_parameters(
        &self,
        release: &Release,
        install: Install<'_>,
    ) -> BTreeMap<String, String> {
        let placeholders =
            [("hive", install.hive), ("prefix", install.prefix), ("region", install.region)];
        let chosen =
            self.install.iter().filter(|(key, _)| release.template.parameter(key).is_some());
        chosen
            .filter_map(|(key, value)| {
                Some((key.clone(), render::fill(value.as_str()?, &placeholders).ok()?))
            })
            .collect()
    }
}

impl Catalog {
    /// The embedded data, parsed once in a process.
    ///
    /// # Errors
    /// File and place of what is wrong with the data.
    pub(crate) fn get() -> Result<&'static Self, String> {
        static CATALOG: LazyLock<Result<Catalog, String>> =
            LazyLock::new(|| Catalog::read(&SOURCES));
        CATALOG.as_ref().map_err(Clone::clone)
    }

    fn read(sources: &Sources<'_>) -> Result<Self, String> {
        Ok(Self {
            ted: notation::read("ted.yaml", sources.ted)?,
            te: notation::read("te.yaml", sources.te)?,
            workspace: notation::read("workspace.yaml", sources.workspace)?,
            tef: notation::read("tef.yaml", sources.tef)?,
            rendered: Mutex::default(),
        })
    }

    /// The TED product of a world that gets to Valkey as `upgrade` says, its keys and labels changed by `rename`. Worlds and TEDs that
    /// ask for the same share the templates.
    ///
    /// # Errors
    /// File and place of what is wrong with the data, or what is wrong with `rename`.
    pub(crate) fn ted(&self, upgrade: CacheUpgrade, rename: &Rename) -> Result<Arc<Ted>, String> {
        let key = (upgrade.as_str(), rename.clone());
        if let Some(ted) = self.rendered().get(&key) {
            return Ok(Arc::clone(ted));
        }
        let ted = Arc::new(self.render_ted(upgrade, rename)?);
        let mut rendered = self.rendered();
        if rendered.len() >= RENDERED {
            rendered.pop_first();
        }
        rendered.insert(key, Arc::clone(&ted));
        Ok(ted)
    }

    fn rendered(&self) -> std::sync::MutexGuard<'_, BTreeMap<(&'static str, Rename), Arc<Ted>>> {
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn render_ted(&self, upgrade: CacheUpgrade, rename: &Rename) -> Result<Ted, String> {
        let file = &self.ted;
        rename.check(&file.root)?;
        let releases: Result<Vec<Release>, Fault> = file
            .versions
            .iter()
            .map(|row| {
                file.release(row, upgrade, rename).map_err(|fault| fault.while_rendering(&row.name))
            })
            .collect();
        let releases = releases.map_err(|fault| fault.in_file("ted.yaml"))?;
        let install = file
            .install
            .iter()
            .map(|(key, value)| (rename.key(key).to_owned(), value.clone()))
            .collect();
        Ok(Ted { product: file.product.clone(), releases, install })
    }

    /// The stack of one version of TE, `5.39.12`: workers with their queues and triggers.
    ///
    /// # Errors
    /// When `version` is none.
    pub(crate) fn te(&self, version: &str) -> Result<Arc<Template>, String> {
        let spelled = |between: char| {
            version
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { between })
                .collect::<String>()
        };
        let (underscored, dashed) = (spelled('_'), spelled('-'));
        plain(
            "te.yaml",
            &self.te.template,
            version,
            &[("underscored", &underscored), ("dashed", &dashed)],
        )
    }

    /// The stack of the mods of a region: functions with triggers that are no workers of TE.
    ///
    /// # Errors
    /// File and place of what is wrong with the data.
    pub(crate) fn mods(&self) -> Result<Arc<Template>, String> {
        plain("te.yaml", &self.te.mods, "0.0.0", &[])
    }

    /// Properties of `AWS::Lambda::Function` for the functions numbered 1 to `count` that mods made at run time. They are in no stack.
    ///
    /// # Errors
    /// File and place of what is wrong with the data.
    pub(crate) fn extra_functions(
        &self,
        account: &str,
        prefix: &str,
        count: usize,
    ) -> Result<Vec<Value>, String> {
        let one = |number: usize| {
            let number = number.to_string();
            let context = Context {
                version: &Version::new(0, 0, 0),
                options: &[],
                placeholders: &[("account", account), ("prefix", prefix), ("number", &number)],
            };
            render::value(&self.te.extra_function, &context)
                .map(Option::unwrap_or_default)
                .map_err(|fault| fault.at("extraFunction").in_file("te.yaml"))
        };
        (1..=count).map(one).collect()
    }

    /// The stack of a workspace.
    ///
    /// # Errors
    /// File and place of what is wrong with the data.
    pub(crate) fn workspace(&self) -> Result<Arc<Template>, String> {
        plain("workspace.yaml", &self.workspace.template, "0.0.0", &[])
    }

    /// The stack of TEF.
    ///
    /// # Errors
    /// When `version` is none.
    pub(crate) fn tef(&self, version: &str) -> Result<Arc<Template>, String> {
        plain("tef.yaml", &self.tef.template, version, &[])
    }

    /// The products beside TED: TEF, TE and the workspace.
    pub(crate) fn siblings(&self) -> [&Product; 3] {
        [&self.tef.product, &self.te.product, &self.workspace.product]
    }
}

impl TedFile {
    fn release(&self, row: &Row, upgrade: CacheUpgrade, rename: &Rename) -> Result<Release, Fault> {
        let version = row.name.strip_prefix('v').unwrap_or(&row.name);
        let parsed = Version::parse(version)
            .map_err(|error| Fault::new(format!("`{}` is no version: {error}", row.name)))?;
        let location = render::fill(&self.templates, &[("version", version)])?;
        let placeholders = [("version", version), ("templates", location.as_str())];
        let context = Context {
            version: &parsed,
            options: &[("cacheUpgrade", upgrade.as_str())],
            placeholders: &placeholders,
        };
        let mut body = render::template(&self.root, &context).map_err(|fault| fault.at("root"))?;
        let nested = self.nested(&body, &context)?;
        rename.apply(&mut body);
        Ok(Release {
            name: row.name.clone(),
            version: parsed.clone(),
            description: format!("{} {} [Build #{}]", self.product.name, row.name, row.build),
            created: row.created,
            guidance: row.guidance.clone(),
            active: row.active,
            template: Arc::new(
                Template::parse(body, nested).map_err(|what| Fault::new(what).at("root"))?,
            ),
        })
    }

    /// The templates that `body` nests, by their `TemplateURL`, whose last part names one in the data: `…/cache.template.json` is `cache`.
    fn nested(
        &self,
        body: &Value,
        context: &Context<'_>,
    ) -> Result<BTreeMap<String, Arc<Template>>, Fault> {
        let resources = body.get("Resources").and_then(Value::as_object).into_iter().flatten();
        let stacks = resources.filter(|(_, resource)| {
            resource.get("Type").and_then(Value::as_str) == Some("AWS::CloudFormation::Stack")
        });
        let mut nested = BTreeMap::new();
        for (id, stack) in stacks {
            let url = stack
                .pointer("/Properties/TemplateURL")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let name = url
                .rsplit('/')
                .next()
                .and_then(|last| last.strip_suffix(".template.json"))
                .unwrap_or_default();
            let data = self.nested.get(name).ok_or_else(|| {
                Fault::new(format!("TemplateURL `{url}` names no template in `nested`"))
                    .at(id)
                    .at("Resources")
                    .at("root")
            })?;
            let template = render::template(data, context)
                .and_then(|body| Template::parse(body, BTreeMap::new()).map_err(Fault::new));
            nested.insert(
                url.to_owned(),
                Arc::new(template.map_err(|fault| fault.at(name).at("nested"))?),
            );
        }
        Ok(nested)
    }
}

/// A template without nested ones.
fn plain(
    file: &str,
    data: &Value,
    version: &str,
    more: &[(&str, &str)],
) -> Result<Arc<Template>, String> {
    let parsed =
        Version::parse(version).map_err(|error| format!("`{version}` is no version: {error}"))?;
    let placeholders: Vec<(&str, &str)> =
        std::iter::once(("version", version)).chain(more.iter().copied()).collect();
    let body = render::template(
        data,
        &Context { version: &parsed, options: &[], placeholders: &placeholders },
    );
    let template = body.and_then(|body| Template::parse(body, BTreeMap::new()).map_err(Fault::new));
    template.map(Arc::new).map_err(|fault| fault.in_file(file))
}

/// The SSM parameters that a template publishes under literal names, with values from its parameters' defaults.
pub(crate) fn published(template: &Template) -> BTreeMap<String, String> {
    let value = |value: &Value| -> Option<String> {
        let inner = value.pointer("/Fn::Join/1").unwrap_or(value);
        match inner.get("Ref").and_then(Value::as_str) {
            Some(key) => template.parameter(key)?.default.clone(),
            None => inner.as_str().map(str::to_owned),
        }
    };
    let resources = template.resources().values().filter(|resource| {
        resource.get("Type").and_then(Value::as_str) == Some("AWS::SSM::Parameter")
    });
    resources
        .filter_map(|resource| {
            Some((
                resource.pointer("/Properties/Name")?.as_str()?.to_owned(),
                value(resource.pointer("/Properties/Value")?)?,
            ))
        })
        .collect()
}
