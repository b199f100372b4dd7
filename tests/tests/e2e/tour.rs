//! The tour goes through to its end, and shows what it promises.

use std::process::{Command, Stdio};

#[test]
fn the_tour_shows_a_redeployment_two_incidents_a_dead_letter_and_an_alarm() {
    let tour = Command::new(env!("CARGO_BIN_EXE_tour")).stdin(Stdio::null()).output().expect("it starts");
    let output = String::from_utf8(tour.stdout).expect("it prints UTF-8");
    assert!(tour.status.success(), "{output}\n{}", String::from_utf8_lossy(&tour.stderr));
    let mut rest = output.as_str();
    for expected in [
        "ECS: web has a new deployment",
        "ECS: worker has a new deployment",
        "mailer was not redeployed",
        "Subject: [HIGH] prod/shop/billing: A rotation failed",
        "The other two attempts are the same incident",
        "[RESOLVED] prod/shop/billing: A rotation failed",
        "Subject: [HIGH] contractor: One principal listed secrets, then read them",
        "5 calls for 5 different secrets",
        "user/contractor",
        "20 different secrets",
        "the page comes again as it grows",
        "An event could not be understood",
        "secrets-responder-failure-dlq is in ALARM",
    ] {
        let place = rest.find(expected);
        rest = &rest[place.unwrap_or_else(|| panic!("no {expected:?} where it should be:\n{output}"))..];
    }
    assert!(!output.contains("ECS: mailer") && !output.contains("Also published"), "{output}");
}

#[test]
fn an_unknown_option_is_refused_and_help_needs_nothing() {
    let run =
        |argument: &str| Command::new(env!("CARGO_BIN_EXE_tour")).arg(argument).output().expect("it starts");
    assert_eq!(run("--stray").status.code(), Some(2));
    let help = run("--help");
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--stay"));
}
