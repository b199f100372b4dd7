//! Attacks: each must be found.

use responder_core::time::Span;
use serde_json::json;

use super::Class;
use super::caller::{Caller, TERRAFORM};
use super::scene::{HOMES, Scene};
use super::secret::{Secret, one_of};

const fn class(name: &'static str, about: &'static str, play: fn(&mut Scene)) -> Class {
    Class { name, is_attack: true, about, play }
}

/// The classes.
pub(super) const CLASSES: [Class; 14] = [
    class("bulk-theft", "20 to 30 secrets within seconds", bulk_theft),
    class("unhurried-theft", "12 secrets over 9 minutes", unhurried_theft),
    class("slow-drip", "9 secrets every 10 minutes for 3 to 6 hours, below every burst", slow_drip),
    class("multi-region-sweep", "one or two secrets in each of three or four Regions", multi_region_sweep),
    class("list-then-dump", "a list of all secrets, then 5 to 9 of them", list_then_dump),
    class("batch-with-children", "batches by id, with a record for each secret", batch_with_children),
    class("batch-without-children", "batches by tag, and no record of any secret", batch_without_children),
    class("batch-catch-all", "one batch of everything", batch_catch_all),
    class("cross-account-theft", "another account's secrets, each read recorded twice", cross_account_theft),
    class("denied-probing", "5 to 12 secrets, all refused", denied_probing),
    class(
        "theft-with-a-terraform-agent",
        "20 to 30 secrets by somebody who says to be Terraform",
        terraform_agent,
    ),
    class("theft-from-many-sessions", "each secret read in a new session of one role", many_sessions),
    class(
        "theft-told-late-and-twice",
        "a theft whose events come up to half an hour late, twice, in no order",
        told_late,
    ),
    class(
        "theft-by-an-execution-role",
        "a stolen execution role reads what its tasks do not, amid a rollout",
        execution_role,
    ),
];

fn bulk_theft(scene: &mut Scene) {
    let (thief, count) = (scene.thief(), scene.number(20, 30));
    let secrets = scene.secrets(count);
    scene.read_each(&thief, &secrets, 50, 400);
}

fn unhurried_theft(scene: &mut Scene) {
    let (thief, secrets) = (scene.thief(), scene.secrets(12));
    scene.read_each(&thief, &secrets, 40_000, 48_000);
}

fn slow_drip(scene: &mut Scene) {
    let (thief, hours) = (scene.thief(), scene.number(3, 6));
    let secrets = scene.secrets(hours * 50);
    // The tenth is more than ten minutes after the first, also in whole seconds.
    scene.read_each(&thief, &secrets, 68_000, 73_000);
}

fn multi_region_sweep(scene: &mut Scene) {
    let (thief, regions) = (scene.thief(), scene.number(3, 4));
    let account = scene.account.clone();
    for region in HOMES.into_iter().take(regions) {
        for _ in 0..scene.number(1, 2) {
            let secret = scene.secret_in(&account, region);
            scene.read(&thief, &secret);
            scene.wait(1_000, 100_000);
        }
    }
}

fn list_then_dump(scene: &mut Scene) {
    let (thief, pages, count) = (scene.thief(), scene.number(1, 3), scene.number(5, 9));
    let secrets = scene.secrets(count);
    for page in 0..pages {
        let parameters = if page == 0 { json!({}) } else { json!({ "nextToken": scene.random.hex(64) }) };
        scene.call(&thief, "ListSecrets", scene.region, &parameters);
        scene.wait(200, 2_000);
    }
    scene.wait(0, 60_000);
    scene.read_each(&thief, &secrets, 1_000, 50_000);
}

fn batch_with_children(scene: &mut Scene) {
    let (thief, batches) = (scene.thief(), scene.number(2, 4));
    for _ in 0..batches {
        let secrets = scene.secrets(20);
        scene.batch(&thief, &secrets);
        scene.wait(500, 20_000);
    }
}

fn batch_without_children(scene: &mut Scene) {
    let (thief, batches) = (scene.thief(), scene.number(3, 6));
    for _ in 0..batches {
        let tag = one_of(&mut scene.random, &["Environment", "Owner", "Service"]);
        let parameters = json!({ "filters": [{ "key": "tag-key", "values": [tag] }] });
        scene.call(&thief, "BatchGetSecretValue", scene.region, &parameters);
        scene.wait(500, 60_000);
    }
}

fn batch_catch_all(scene: &mut Scene) {
    let thief = scene.thief();
    let filter = one_of(&mut scene.random, &["!neverExists", "!x", "!zzzz"]);
    let parameters = json!({ "filters": [{ "key": "name", "values": [filter] }], "maxResults": 20 });
    scene.call(&thief, "BatchGetSecretValue", scene.region, &parameters);
}

fn cross_account_theft(scene: &mut Scene) {
    let (thief, owner, count) = (scene.thief(), scene.other_account(), scene.number(12, 20));
    for _ in 0..count {
        let secret = scene.secret_in(&owner, scene.region);
        scene.read_across(&thief, &owner, &secret);
        scene.wait(500, 20_000);
    }
}

fn denied_probing(scene: &mut Scene) {
    let (thief, count) = (scene.thief(), scene.number(5, 12));
    for secret in scene.secrets(count) {
        scene.denied(&thief, &secret);
        scene.wait(100, 40_000);
    }
}

fn terraform_agent(scene: &mut Scene) {
    let thief = scene.thief().with_agent(TERRAFORM);
    let count = scene.number(20, 30);
    let secrets = scene.secrets(count);
    scene.read_each(&thief, &secrets, 50, 2_000);
}

fn many_sessions(scene: &mut Scene) {
    let (account, count) = (scene.account.clone(), scene.number(12, 25));
    let thief = Caller::role(&mut scene.random, &account, "apps/", "web", "first");
    scene.is_thief(&thief);
    for secret in scene.secrets(count) {
        let session = scene.random.hex(12);
        let thief = thief.session(&mut scene.random, &session);
        scene.read(&thief, &secret);
        scene.wait(1_000, 20_000);
    }
}

fn told_late(scene: &mut Scene) {
    (scene.slowest, scene.twice) = (Span::from_secs(1_800), 600);
    bulk_theft(scene);
}

fn execution_role(scene: &mut Scene) {
    let (role, own) = (scene.execution_role(), scene.secrets(3));
    scene.is_thief(&role);
    let service = scene.service("web", &role, &own);
    // The thief does as a task does, and picks what no task of this role has.
    let (session, count) = (scene.random.hex(32), scene.number(12, 20));
    let thief = role.session(&mut scene.random, &session);
    let loot: Vec<Secret> = scene.secrets(count);
    for secret in &loot {
        scene.launch(&service);
        scene.read(&thief, secret);
        scene.wait(1_000, 20_000);
    }
}
