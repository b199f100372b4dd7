//! `replay verify`: compares the decision about every fixture with the expected one.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::cli::VerifyArgs;
use crate::command_outcome::{CommandError, CommandOutcome};
use crate::report::{CheckedCase, check_case, summarise_case};
use crate::rules_and_facts::{list_folder, load_rules};

pub(crate) fn verify_fixtures(args: &VerifyArgs) -> Result<CommandOutcome, CommandError> {
    let rules = load_rules(&args.rules)?;
    let mut folders = Vec::new();
    for folder in &args.folders {
        find_cases(folder, &mut folders)?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut differing = 0;
    for folder in &folders {
        let case = check_case(&rules, folder, args.update)?;
        write_case(folder, &case, &mut out)?;
        if !case.differences.is_empty() {
            differing += 1;
        }
    }
    let done = if args.update { "updated" } else { "as expected" };
    writeln!(out, "\n{} of {} cases {done}", folders.len() - differing, folders.len())?;
    out.flush()?;
    if folders.is_empty() {
        return Err(explain_no_cases(&args.folders));
    }
    Ok(if differing == 0 { CommandOutcome::Done } else { CommandOutcome::Differs })
}

/// Finds the folders below `folder` that hold a case, in the order of their names. A case is a folder with an about.json.
fn find_cases(folder: &Path, cases: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    if folder.join("about.json").is_file() {
        cases.push(folder.to_owned());
        return Ok(());
    }
    for path in list_folder(folder)? {
        if path.is_dir() {
            find_cases(&path, cases)?;
        }
    }
    Ok(())
}

fn write_case(folder: &Path, case: &CheckedCase, out: &mut impl Write) -> io::Result<()> {
    let verdict = if case.differences.is_empty() { "ok" } else { "DIFFERS" };
    writeln!(out, "{verdict:<8}{}", folder.display())?;
    for line in summarise_case(&case.result) {
        writeln!(out, "            {line}")?;
    }
    for difference in &case.differences {
        writeln!(out, "        ! {difference}")?;
    }
    Ok(())
}

fn explain_no_cases(folders: &[PathBuf]) -> CommandError {
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let reason = "no case here: a case is a folder with an about.json".to_owned();
    CommandError::UnusableContent { file: names.join(", "), reason }
}
