//! `lambda -> aws -> engine -> core <- replay`, `core -> eventbridge-pattern`, `doctor -> aws`, `infra -> core`; nothing depends on the tests; the
//! patterns, the core, the engine, the replay, the simulation and the templates cannot reach a network.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::paths;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// The workspace's packages and the workspace packages that each may use.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("eventbridge-pattern", &[]),
    ("responder-core", &["eventbridge-pattern"]),
    ("responder-audit", &["eventbridge-pattern", "responder-core"]),
    ("responder-engine", &["responder-core"]),
    ("responder-aws", &["eventbridge-pattern", "responder-core", "responder-engine"]),
    ("responder-lambda", &["responder-core", "responder-aws"]),
    ("responder-replay", &["eventbridge-pattern", "responder-core", "responder-audit"]),
    ("responder-doctor", &["responder-core", "responder-engine", "responder-aws", "infra"]),
    ("infra", &["eventbridge-pattern", "responder-core"]),
    ("simulation", &["eventbridge-pattern", "responder-core", "responder-audit", "responder-engine"]),
    (
        "acceptance",
        &["responder-core", "responder-aws", "responder-replay", "responder-doctor", "infra", "simulation"],
    ),
];

/// A crate of this name, or with this name and a `-` or `_` before more, can open a socket or drives one that can.
const NETWORK: [&str; 9] =
    ["aws", "hyper", "mio", "native-tls", "reqwest", "rustls", "socket2", "tokio", "ureq"];

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let names: BTreeSet<&str> =
        metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    for package in metadata.workspace_packages() {
        let allowed = MAY_USE.iter().find(|(name, _)| *name == package.name.as_str());
        let Some((_, allowed)) = allowed else {
            panic!("`{}` is new: say in `MAY_USE` which packages it may depend on", package.name)
        };
        // Declared ones, of all kinds and platforms: a development dependency points the wrong way as well.
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            assert!(
                !names.contains(name) || allowed.contains(&name),
                "`{}` must not depend on `{name}`",
                package.name
            );
        }
    }
}

#[test]
fn the_patterns_the_core_the_engine_the_replay_and_the_simulation_cannot_reach_a_network() {
    let metadata = metadata();
    for name in [
        "eventbridge-pattern",
        "responder-core",
        "responder-engine",
        "responder-replay",
        "simulation",
        "infra",
    ] {
        let ways = reachable(&metadata, name);
        assert!(ways.len() > 1, "`{name}` has dependencies, or this test sees none");
        for (reached, way) in &ways {
            assert!(!is_network(reached), "`{name}` reaches `{reached}`: {way}");
        }
    }
}

#[test]
fn the_harness_builds_without_the_sdk() {
    for reached in reachable(&metadata(), "acceptance").keys() {
        assert!(
            !reached.starts_with("aws-"),
            "`acceptance` reaches `{reached}`: every test build would compile it"
        );
    }
}

/// The packages that a workspace package reaches by normal dependencies on this platform, each with one way to it.
fn reachable(metadata: &Metadata, name: &str) -> BTreeMap<String, String> {
    let resolve = metadata.resolve.as_ref().expect("the metadata has a graph");
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let root = metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == name);
    let root = root.unwrap_or_else(|| panic!("no package `{name}`"));
    let mut ways = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![(&root.id, String::new())];
    while let Some((id, parent)) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let package = &metadata[id];
        let way = if parent.is_empty() {
            package.name.to_string()
        } else {
            format!("{parent} -> {}", package.name)
        };
        let normal = nodes[id]
            .deps
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
        open.extend(normal.map(|dependency| (&dependency.pkg, way.clone())));
        ways.insert(package.name.to_string(), way);
    }
    ways
}

fn is_network(name: &str) -> bool {
    NETWORK.iter().any(|network| {
        name.strip_prefix(network).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    })
}

fn metadata() -> Metadata {
    let host = MetadataCommand::new()
        .manifest_path(paths::root().join("Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), host()])
        .exec();
    host.unwrap_or_else(|error| panic!("cargo metadata: {error}"))
}

/// The platform of this compiler, such as `x86_64-unknown-linux-gnu`.
fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc).arg("-vV").output().expect("the compiler runs");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc -vV names the host").to_owned()
}

#[test]
fn names_of_networks_are_whole_words() {
    assert!(is_network("aws-sdk-ecs") && is_network("tokio") && is_network("aws_lambda_events"));
    assert!(!is_network("mioco") && !is_network("awsome"));
}
