//! The committed templates are up to date and have no finding.

use std::fs;
use std::path::Path;

use infra::lint::check_template;
use serde_json::Value;

/// The names of all templates in `infra/`.
pub(crate) const TEMPLATE_NAMES: [&str; 5] = ["responder", "forwarder", "trail", "dashboard", "reference"];

/// Reads a committed template.
pub(crate) fn read_template(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).with_extension("yaml");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    infra::yaml::parse_template(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn the_committed_files_are_up_to_date() {
    let rules = responder_core::rules::builtin().unwrap();
    for generated in infra::generate_templates(&rules).unwrap() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(generated.name).with_extension("yaml");
        let is_same = fs::read_to_string(&file).is_ok_and(|text| text == generated.text);
        assert!(is_same, "{} is out of date: run `cargo run -p infra -- generate`", file.display());
    }
    let picture = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard.svg"));
    assert!(
        picture.is_ok_and(|text| text == infra::draw_dashboard()),
        "dashboard.svg is out of date: the same command writes it"
    );
}

#[test]
fn the_templates_have_no_finding() {
    let rules = responder_core::rules::builtin().unwrap();
    for name in TEMPLATE_NAMES {
        let findings = check_template(name, &read_template(name), &rules);
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{name}:\n{}", text.join("\n"));
    }
}
