//! Attacks: each must be found.

use responder_core::time::Span;
use serde_json::json;

use super::caller::{CorpusCaller, TERRAFORM};
use super::class::BehaviourClass;
use super::secret::choose_text;
use super::stage::{CorpusStage, HOMES};

const fn make_class(name: &'static str, about: &'static str, play: fn(&mut CorpusStage)) -> BehaviourClass {
    BehaviourClass { name, is_attack: true, about, play }
}

/// The classes.
pub(super) const CLASSES: [BehaviourClass; 18] = [
    make_class("bulk-theft", "20 to 30 secrets within seconds", play_bulk_theft),
    make_class("unhurried-theft", "12 secrets over 9 minutes", play_unhurried_theft),
    make_class("slow-drip", "9 secrets every 10 minutes for 3 to 6 hours, below every burst", play_slow_drip),
    make_class(
        "multi-region-sweep",
        "one or two secrets in each of three or four Regions",
        play_multi_region_sweep,
    ),
    make_class("list-then-dump", "a list of all secrets, then 5 to 9 of them", play_list_then_dump),
    make_class(
        "batch-with-children",
        "batches by id, with a record for each secret",
        play_batch_with_children,
    ),
    make_class(
        "batch-without-children",
        "batches by tag, and no record of any secret",
        play_batch_without_children,
    ),
    make_class("batch-catch-all", "one batch of everything", play_batch_catch_all),
    make_class(
        "cross-account-theft",
        "another account's secrets, each read recorded twice",
        play_cross_account_theft,
    ),
    make_class("denied-probing", "5 to 12 secrets, all refused", play_denied_probing),
    make_class(
        "theft-with-a-terraform-agent",
        "20 to 30 secrets by a caller with the user agent of Terraform",
        play_terraform_agent,
    ),
    make_class(
        "theft-from-many-sessions",
        "each secret read in a new session of one role",
        play_many_sessions,
    ),
    make_class(
        "theft-delivered-late-and-twice",
        "a theft whose events come up to half an hour late, twice, in no order",
        play_late_theft,
    ),
    make_class(
        "theft-by-an-execution-role",
        "a stolen execution role reads what its tasks do not, amid a rollout",
        play_execution_role,
    ),
    make_class(
        "person-through-many-roles",
        "a person with a source identity reads 4 to 9 secrets with each of 4 to 6 roles",
        play_person_through_roles,
    ),
    make_class(
        "address-through-many-roles",
        "one address reads 7 to 9 secrets with each of 5 to 8 roles",
        play_address_through_roles,
    ),
    make_class(
        "theft-in-an-endless-incident",
        "a role that reads 22 secrets every hour is stolen: a list, and 40 to 70 others",
        play_endless_incident,
    ),
    make_class("theft-that-grows", "120 to 350 secrets in a few minutes", play_growing_theft),
];

fn play_bulk_theft(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let count = stage.draw_number(20, 30);
    let secrets = stage.make_secrets(count);
    stage.read_secrets(&thief, &secrets, 50, 400);
}

fn play_unhurried_theft(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let secrets = stage.make_secrets(12);
    stage.read_secrets(&thief, &secrets, 40_000, 48_000);
}

fn play_slow_drip(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let hours = stage.draw_number(3, 6);
    let secrets = stage.make_secrets(hours * 50);
    // The tenth is more than ten minutes after the first, also in whole seconds.
    stage.read_secrets(&thief, &secrets, 68_000, 73_000);
}

fn play_multi_region_sweep(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let regions = stage.draw_number(3, 4);
    let account = stage.account.clone();
    for region in HOMES.into_iter().take(regions) {
        for _ in 0..stage.draw_number(1, 2) {
            let secret = stage.make_secret_in(&account, region);
            stage.read_secret(&thief, &secret);
            stage.wait(1_000, 100_000);
        }
    }
}

fn play_list_then_dump(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let pages = stage.draw_number(1, 3);
    let count = stage.draw_number(5, 9);
    let secrets = stage.make_secrets(count);
    for page in 0..pages {
        let parameters = if page == 0 { json!({}) } else { json!({ "nextToken": stage.random.hex(64) }) };
        stage.record_call(&thief, "ListSecrets", stage.region, &parameters);
        stage.wait(200, 2_000);
    }
    stage.wait(0, 60_000);
    stage.read_secrets(&thief, &secrets, 1_000, 50_000);
}

fn play_batch_with_children(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let batches = stage.draw_number(2, 4);
    for _ in 0..batches {
        let secrets = stage.make_secrets(20);
        stage.read_batch(&thief, &secrets);
        stage.wait(500, 20_000);
    }
}

fn play_batch_without_children(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let batches = stage.draw_number(3, 6);
    for _ in 0..batches {
        let tag = choose_text(&mut stage.random, &["Environment", "Owner", "Service"]);
        let parameters = json!({ "filters": [{ "key": "tag-key", "values": [tag] }] });
        stage.record_call(&thief, "BatchGetSecretValue", stage.region, &parameters);
        stage.wait(500, 60_000);
    }
}

fn play_batch_catch_all(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let filter = choose_text(&mut stage.random, &["!neverExists", "!x", "!zzzz"]);
    let parameters = json!({ "filters": [{ "key": "name", "values": [filter] }], "maxResults": 20 });
    stage.record_call(&thief, "BatchGetSecretValue", stage.region, &parameters);
}

fn play_cross_account_theft(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let owner = stage.add_account();
    let count = stage.draw_number(12, 20);
    for _ in 0..count {
        let secret = stage.make_secret_in(&owner, stage.region);
        stage.read_across_accounts(&thief, &owner, &secret);
        stage.wait(500, 20_000);
    }
}

fn play_denied_probing(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let count = stage.draw_number(5, 12);
    for secret in stage.make_secrets(count) {
        stage.refuse_read(&thief, &secret);
        stage.wait(100, 40_000);
    }
}

fn play_terraform_agent(stage: &mut CorpusStage) {
    let thief = stage.cast_thief().with_agent(TERRAFORM);
    let count = stage.draw_number(20, 30);
    let secrets = stage.make_secrets(count);
    stage.read_secrets(&thief, &secrets, 50, 2_000);
}

fn play_many_sessions(stage: &mut CorpusStage) {
    let account = stage.account.clone();
    let count = stage.draw_number(12, 25);
    let thief = CorpusCaller::role(&mut stage.random, &account, "apps/", "web", "first");
    stage.mark_thief(&thief);
    for secret in stage.make_secrets(count) {
        let session = stage.random.hex(12);
        let thief_again = thief.open_session(&mut stage.random, &session);
        stage.read_secret(&thief_again, &secret);
        stage.wait(1_000, 20_000);
    }
}

fn play_late_theft(stage: &mut CorpusStage) {
    stage.longest_delay = Span::from_secs(1_800);
    stage.repeated = 600;
    play_bulk_theft(stage);
}

fn play_execution_role(stage: &mut CorpusStage) {
    let role = stage.make_execution_role();
    let own = stage.make_secrets(3);
    stage.mark_thief(&role);
    let service = stage.make_service("web", &role, &own);
    // The thief does as a task does, and picks what no task of this role has.
    let session = stage.random.hex(32);
    let count = stage.draw_number(12, 20);
    let thief = role.open_session(&mut stage.random, &session);
    for secret in stage.make_secrets(count) {
        stage.launch_task(&service);
        stage.read_secret(&thief, &secret);
        stage.wait(1_000, 20_000);
    }
}

/// Each role reads so few secrets that it does not stand out. `source` is the person behind the sessions.
fn walk_through_roles(stage: &mut CorpusStage, roles: usize, least: u64, source: Option<&str>) {
    let account = stage.account.clone();
    let mut address = None;
    for number in 0..roles {
        let session = stage.random.hex(8);
        let name = format!("team-{number}");
        let mut hop = CorpusCaller::role(&mut stage.random, &account, "hops/", &name, &session);
        match source {
            Some(person) => hop = hop.with_source_identity(person),
            None => hop.address.clone_from(address.get_or_insert_with(|| hop.address.clone())),
        }
        stage.mark_accomplice(&hop);
        let count = stage.draw_number(least, 9);
        let secrets = stage.make_secrets(count);
        stage.read_secrets(&hop, &secrets, 1_000, 8_000);
    }
}

fn play_person_through_roles(stage: &mut CorpusStage) {
    let roles = stage.draw_number(4, 6);
    let person = format!("{}@example.com", stage.random.hex(6));
    walk_through_roles(stage, roles, 4, Some(&person));
}

fn play_address_through_roles(stage: &mut CorpusStage) {
    let roles = stage.draw_number(5, 8);
    walk_through_roles(stage, roles, 7, None);
}

fn play_endless_incident(stage: &mut CorpusStage) {
    let account = stage.account.clone();
    let operator = CorpusCaller::role(&mut stage.random, &account, "apps/", "refresher", "pod");
    stage.mark_thief(&operator);
    let own = stage.make_secrets(22);
    for _ in 0..4 {
        stage.read_secrets(&operator, &own, 200, 900);
        stage.wait(3_000_000, 3_400_000);
    }
    let session = stage.random.hex(8);
    let thief = operator.open_session(&mut stage.random, &session);
    stage.record_call(&thief, "ListSecrets", stage.region, &json!({}));
    let count = stage.draw_number(40, 70);
    let secrets = stage.make_secrets(count);
    stage.read_secrets(&thief, &secrets, 200, 1_500);
}

fn play_growing_theft(stage: &mut CorpusStage) {
    let thief = stage.cast_thief();
    let count = stage.draw_number(120, 350);
    let secrets = stage.make_secrets(count);
    stage.read_secrets(&thief, &secrets, 100, 900);
}
