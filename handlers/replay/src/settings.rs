//! Rules and facts from files.

use std::fs;
use std::path::Path;

use responder_core::facts::Facts;
use responder_core::rules::{RuleFile, RuleSet, builtin, load};

use crate::Failure;
use crate::cli::RulesArgs;

/// The rules of a folder, or those of this release.
pub(crate) fn rules(args: &RulesArgs) -> Result<RuleSet, Failure> {
    let Some(folder) = &args.folder else {
        return builtin().map_err(|error| Failure::Rules { folder: "this release".to_owned(), error });
    };
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    load(&files).map_err(|error| Failure::Rules { folder: folder.display().to_string(), error })
}

/// The JSON files in `folder` and the folders in it, named by their path below it.
fn collect(folder: &Path, below: &str, files: &mut Vec<RuleFile>) -> Result<(), Failure> {
    let unreadable = |path: &Path| {
        let file = path.display().to_string();
        move |error| Failure::File { file, error }
    };
    let mut entries: Vec<_> =
        fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<_>>).map_err(unreadable(folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && below.is_empty() {
            collect(&path, &format!("{name}/"), files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
            files.push(RuleFile { path: format!("{below}{name}"), text });
        }
    }
    Ok(())
}

/// The facts in a file; no facts without one.
pub(crate) fn facts(file: Option<&Path>) -> Result<Facts, Failure> {
    let Some(path) = file else { return Ok(Facts::default()) };
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Failure::File { file: name.clone(), error })?;
    let content = |reason: String| Failure::Content { file: name.clone(), reason };
    if !text.trim_start().starts_with('{') {
        return Err(content("facts are a JSON object, with `services` for example".to_owned()));
    }
    serde_json::from_str(&text).map_err(|error| content(error.to_string()))
}
