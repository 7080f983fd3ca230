//! Secrets in every place of an observation that can hold one.

use crate::assess::testing::{healthy, there};
use crate::observe::observation::{
    DeepDrift, Gap, Observation, Parameter, ResourceDrift, Seen, StackParameter,
};

/// An observation with a secret in every place that can hold one, each its own, and the secrets.
pub(crate) fn planted() -> (Observation, Vec<String>) {
    let mut seen = healthy();
    let mut secrets = Vec::new();
    let mut secret = |place: &str| {
        let secret = format!("Zq9-{place}-planted");
        secrets.push(secret.clone());
        secret
    };
    let template = there(&mut seen.template);
    for key in ["NoEchoValue", "OddValue", "ApiToken"] {
        template.parameters.push(Parameter {
            key: key.into(),
            no_echo: key == "NoEchoValue",
            ..Parameter::default()
        });
    }
    let root = there(&mut seen.root);
    let mut put = |key: &str, value: String| {
        root.parameters.insert(key.to_owned(), StackParameter { value, resolved: None });
    };
    put("NoEchoValue", secret("noecho"));
    put("OddValue", secret("odd"));
    put("ApiToken", secret("token"));
    put("UnknownToTheTemplate", secret("unknown"));
    root.parameters.get_mut("VpcId").unwrap().resolved = Some(secret("resolved"));
    root.outputs.insert("AdminPassword".into(), secret("output"));
    root.outputs.insert("Endpoint".into(), format!("https://admin:{}@host/x", secret("userinfo")));
    let echo = secret("echo");
    root.parameters.insert("Echoed".into(), StackParameter { value: echo.clone(), resolved: None });
    root.reason = Some(format!("resource X said {echo}"));
    let record = there(&mut seen.last_record);
    record.outputs.insert("Note".into(), secret("record"));
    record.errors = vec![format!("password={}", secret("error")), format!("again {echo}")];
    there(&mut seen.products)[0].status_message = Some(format!("token: {}", secret("status")));
    let trigger = &mut there(&mut seen.triggers).mappings[0];
    trigger.tags = Some([("owner".to_owned(), secret("tag"))].into());
    seen.caches = Seen::Unreadable(Gap {
        operation: "elasticache:DescribeReplicationGroups".into(),
        reason: "AccessDenied".into(),
        message: format!("bad header Authorization: AWS4 {}", secret("gap")),
        passing: false,
    });
    seen.deep_drift = Seen::Present(DeepDrift {
        drifts: vec![ResourceDrift {
            differences: vec![(
                "/Environment/DB_PASSWORD".into(),
                secret("drift"),
                secret("drifted"),
            )],
            ..ResourceDrift::default()
        }],
        ..DeepDrift::default()
    });
    (seen, secrets)
}
