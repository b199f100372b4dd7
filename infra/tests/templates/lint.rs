//! The templates as they are: fresh, and without a finding.

use std::fs;
use std::path::Path;

use infra::lint::check_template;
use serde_json::Value;

/// All templates in `infra/`.
pub(crate) const NAMES: [&str; 5] = ["responder", "forwarder", "trail", "dashboard", "reference"];

/// A committed template.
pub(crate) fn template(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).with_extension("yaml");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    infra::yaml::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn what_is_committed_is_what_would_be_generated() {
    let rules = responder_core::rules::builtin().unwrap();
    for generated in infra::templates(&rules).unwrap() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(generated.name).with_extension("yaml");
        let is_same = fs::read_to_string(&file).is_ok_and(|text| text == generated.text);
        assert!(is_same, "{} is stale: run `cargo run -p infra -- generate`", file.display());
    }
    let picture = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard.svg"));
    assert!(
        picture.is_ok_and(|text| text == infra::picture()),
        "dashboard.svg is stale: the same command writes it"
    );
}

#[test]
fn the_templates_have_no_finding() {
    let rules = responder_core::rules::builtin().unwrap();
    for name in NAMES {
        let findings = check_template(name, &template(name), &rules);
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{name}:\n{}", text.join("\n"));
    }
}
