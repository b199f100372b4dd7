//! No two files of a crate import each other, directly or in a circle: whoever reads a file finds what it rests on below it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::sources::read;
use acceptance::paths;

/// The source folders of the crates.
const SOURCES: [&str; 10] = [
    "handlers/eventbridge-pattern/src",
    "handlers/core/src",
    "handlers/audit/src",
    "handlers/engine/src",
    "handlers/aws/src",
    "handlers/replay/src",
    "handlers/doctor/src",
    "infra/src",
    "tests/simulation/src",
    "tests/src",
];

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for source in SOURCES {
        let modules = read_modules(&paths::root().join(source));
        assert!(modules.len() > 3, "{source}: the modules are found");
        for circle in find_circles(&import_graph(&modules)) {
            found.push(format!("{source}: {}", circle.join(" <-> ")));
        }
    }
    assert!(found.is_empty(), "files that import each other:\n{}", found.join("\n"));
}

#[test]
fn a_circle_is_found_through_a_re_export() {
    let modules = modules_of(&[
        ("", "mod a;\nmod b;\npub use b::Beta;"),
        ("a", "use crate::Beta;"),
        ("b", "use super::a::{Alpha, Other as _};"),
    ]);
    assert_eq!(find_circles(&import_graph(&modules)), [["a", "b"]]);
    let straight = modules_of(&[("", "mod a;\npub use b::Beta;"), ("a", "use crate::Beta;"), ("b", "")]);
    assert!(find_circles(&import_graph(&straight)).is_empty());
}

/// The text of each module without its tests, by path: `decide::sweep`, and the empty path for the crate's root.
type Modules = BTreeMap<String, String>;

fn modules_of(texts: &[(&str, &str)]) -> Modules {
    texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn read_modules(folder: &Path) -> Modules {
    let mut modules = Modules::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if !path.ends_with("bin") {
                    open.push(path);
                }
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().with_extension("");
            let mut parts: Vec<&str> = name.iter().filter_map(|part| part.to_str()).collect();
            if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
                parts.pop();
            }
            if parts.last() != Some(&"tests") {
                modules.insert(parts.join("::"), without_tests(&read(&path)));
            }
        }
    }
    modules
}

/// The text before the tests at the end of a file.
fn without_tests(text: &str) -> String {
    let tests = text
        .find("\n#[cfg(test)]\nmod tests {")
        .or_else(|| text.find("\n#[cfg(test)]\npub(crate) mod tests {"));
    text.get(..tests.unwrap_or(text.len())).unwrap().to_owned()
}

/// Which modules each module imports from. An import by way of a re-export is one from the module that holds the item; a
/// re-export is no import.
fn import_graph(modules: &Modules) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut exports: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    for (module, text) in modules {
        for (path, is_export) in use_paths(text) {
            if is_export && let Some((name, from)) = path.split_last() {
                exports.insert((module, name.clone()), absolute(module, from, modules));
            }
        }
    }
    let mut graph = BTreeMap::new();
    for (module, text) in modules {
        let mut imports = BTreeSet::new();
        for (path, is_export) in use_paths(text) {
            let path = absolute(module, &path, modules);
            if !is_export && let Some(target) = module_of(&path, modules, &exports) {
                imports.insert(target);
            }
        }
        imports.remove(module.as_str());
        graph.insert(module.as_str(), imports);
    }
    graph
}

/// The module that holds the item of a path of this crate.
fn module_of<'m>(
    path: &[String],
    modules: &'m Modules,
    exports: &BTreeMap<(&str, String), Vec<String>>,
) -> Option<&'m str> {
    if path.first().map(String::as_str) != Some("crate") {
        return None;
    }
    let mut path = path[1..].to_vec();
    for _ in 0..4 {
        for length in (0..=path.len()).rev() {
            let Some((module, _)) = modules.get_key_value(&path[..length].join("::")) else { continue };
            let Some(name) = path.get(length) else { return Some(module) };
            match exports.get(&(module.as_str(), name.clone())) {
                // Further parts follow the name: `rules::Severity::High`.
                Some(from) if from.first().map(String::as_str) == Some("crate") => {
                    path = from[1..].iter().chain(&path[length..]).cloned().collect();
                    break;
                }
                _ => return Some(module),
            }
        }
    }
    None
}

/// A path from the crate's root; paths into other crates stay as they are.
fn absolute(module: &str, path: &[String], modules: &Modules) -> Vec<String> {
    let here: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
    let supers = path.iter().take_while(|part| *part == "super").count();
    let rest = match path.first().map(String::as_str) {
        Some("crate") => return path.to_vec(),
        Some("super") => &path[supers..],
        Some("self") => &path[1..],
        // A child of this module, or another crate.
        Some(first) => {
            let child = here.iter().copied().chain([first]).collect::<Vec<_>>().join("::");
            if !modules.contains_key(&child) {
                return path.to_vec();
            }
            path
        }
        None => return Vec::new(),
    };
    let kept = here.len().saturating_sub(supers);
    let base = here[..kept].iter().map(|part| (*part).to_owned());
    std::iter::once("crate".to_owned()).chain(base).chain(rest.iter().cloned()).collect()
}

/// The paths of the `use` declarations of a text, each with whether it is a re-export.
fn use_paths(text: &str) -> Vec<(Vec<String>, bool)> {
    let mut paths = Vec::new();
    for statement in text.split(';') {
        let statement: Vec<&str> =
            statement.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let statement = statement.join(" ");
        let Some(start) = statement.rfind("use ").filter(|start| {
            let before = statement[..*start].trim_end();
            before.is_empty() || before.ends_with([')', '}', ']']) || before.ends_with("pub")
        }) else {
            continue;
        };
        let before = statement[..start].trim_end();
        let is_export = before.ends_with("pub") || before.ends_with(')');
        let mut found = Vec::new();
        expand(&[], statement[start + 4..].trim(), &mut found);
        paths.extend(found.into_iter().map(|path| (path, is_export)));
    }
    paths
}

/// Expands `a::{b, c::{d, e}}` into its paths. `self` in braces is the path before them, `d as e` is `d`.
fn expand(prefix: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let mut depth = 0;
    let mut start = 0;
    let mut parts = Vec::new();
    for (index, character) in tree.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[start..]);
    for part in parts {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let (path, group) = match part.find('{') {
            Some(brace) => (&part[..brace], part[brace + 1..].strip_suffix('}')),
            None => (part.split(" as ").next().unwrap_or(part), None),
        };
        let mut whole = prefix.to_vec();
        whole.extend(path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
        if let Some(group) = group {
            expand(&whole, group, paths);
            continue;
        }
        if whole.len() > 1 && whole.last().is_some_and(|name| name == "self") {
            whole.pop();
        }
        paths.push(whole);
    }
}

/// The groups of modules that reach each other.
fn find_circles<'m>(graph: &BTreeMap<&'m str, BTreeSet<&'m str>>) -> Vec<Vec<&'m str>> {
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in graph.keys() {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = graph[module].iter().copied().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(graph.get(next).into_iter().flatten());
            }
        }
        reached.insert(module, seen);
    }
    let mut circles = BTreeSet::new();
    for (module, targets) in &reached {
        let circle: Vec<&str> =
            targets.iter().copied().filter(|target| reached[target].contains(module)).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}
