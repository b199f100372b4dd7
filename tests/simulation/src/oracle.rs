//! What must hold at the end of a world, whatever went wrong in it. Each violation is a sentence; none means that all holds.

use std::collections::BTreeMap;

use responder_core::aws::secret_ref::SecretRef;
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};

use crate::cloud::{Asked, Told};
use crate::ecs::{Deployed, Status};
use crate::world::World;

/// What is promised.
#[derive(Clone, Debug)]
pub struct Promised {
    /// The settings as they should be: a planted bug may run with others.
    pub settings: Settings,
    /// Within what time a change is answered, where that is promised: where no call fails.
    pub within: Option<Span>,
}

/// For how long a page about a service and a secret stands for what happens next to the same two: `quiet` of the rule.
const QUIET: Span = Span::from_secs(15);
/// After what silence an incident about a rollout ends: `quiet` of the rule.
const SILENCE: Span = Span::from_secs(3_600);
/// How long it takes from a claim, by which the engine reckons, to the call, by which the oracle does.
const CLAIMING: Span = Span::from_secs(1);

/// How long it takes at most until a sweep sees what is the case, where no sweep fails.
const ROUND: Span = Span::from_secs(180);

/// Everything that is wrong.
pub fn violations(world: &World, promised: &Promised) -> Vec<String> {
    let mut wrong = Vec::new();
    unanswered(world, promised, &mut wrong);
    too_soon(world, promised, &mut wrong);
    needless(world, promised, &mut wrong);
    too_many_at_once(world, promised, &mut wrong);
    rollouts(world, promised, &mut wrong);
    repeated_pages(world, &mut wrong);
    unfounded(world, &mut wrong);
    wrong.extend(world.record(|record| record.unpublished.clone()));
    wrong
}

/// P1: every consumer of a change has a newer deployment, or a human was told of exactly this service and secret.
fn unanswered(world: &World, promised: &Promised, wrong: &mut Vec<String>) {
    let services: Vec<String> = world.ecs(|ecs| ecs.service_arns().map(str::to_owned).collect());
    let stale = world.secrets(|secrets| secrets.stale_for);
    let deployments = world.ecs(|ecs| ecs.log.deployments().to_vec());
    for service in services {
        let active =
            world.ecs(|ecs| ecs.service(&service).is_some_and(|known| known.status == Status::Active));
        if !active {
            continue;
        }
        let primary =
            world.ecs(|ecs| ecs.service(&service).and_then(|known| Some(known.primary()?.created_at)));
        for secret in world.used(&service) {
            let changes = world.history().changes.get(&secret).map(Vec::as_slice).unwrap_or_default();
            for (number, changed) in changes.iter().enumerate() {
                let notified = world.record(|record| {
                    let about = record.pages.iter().filter(|notified| {
                        names(notified, &service, &secret) && !is_taken_back(&record.pages, notified)
                    });
                    about.map(|notified| notified.at).find(|at| *at >= changed.minus(QUIET))
                });
                let is_last = number + 1 == changes.len();
                if is_last
                    && primary.is_none_or(|primary| primary < changed.plus(stale))
                    && notified.is_none()
                {
                    wrong.push(format!("{service} runs {secret} of before {changed}, and nobody was told"));
                }
                let Some(within) = promised.within else { continue };
                let mut newer = deployments.iter().filter(|one| one.service == service);
                let newer = newer.find(|one| one.created_at >= changed.plus(stale)).map(|one| one.created_at);
                let answered = newer.into_iter().chain(notified).min();
                if answered.is_none_or(|answered| answered > changed.plus(within)) {
                    let when = answered.map_or("never".to_owned(), |at| at.to_string());
                    wrong.push(format!("{service}: the change of {secret} at {changed} was answered {when}"));
                }
            }
        }
    }
}

/// Whether people were told that a rollout is well after all. A page that ends by silence stands.
fn is_taken_back(pages: &[Told], notified: &Told) -> bool {
    notified.page.attributes["rule"] == "rollout-failed"
        && pages.iter().any(|later| {
            later.key == notified.key
                && (notified.at..notified.at.plus(SILENCE)).contains(&later.at)
                && later.page.attributes["state"] == "resolved"
        })
}

fn names(notified: &Told, service: &str, secret: &str) -> bool {
    let label = service.split_once(":service/").map_or(service, |(_, label)| label);
    let name =
        SecretRef::from_arn(secret).map(|secret| secret.friendly_name().raw().to_owned()).unwrap_or_default();
    notified.page.body.contains(label) && notified.page.body.contains(&name)
}

/// P4: of two calls of ours for one service that started a deployment, the second comes after the cooldown.
fn too_soon(world: &World, promised: &Promised, wrong: &mut Vec<String>) {
    for (service, ours) in by_service(world) {
        for pair in ours.windows(2) {
            let [one, next] = pair else { continue };
            let cooled = one.called_at.plus(promised.settings.cooldown).minus(CLAIMING);
            if next.called_at < cooled {
                wrong.push(format!("{service} was deployed at {} and at {}", one.called_at, next.called_at));
            }
        }
    }
}

/// P4: a deployment of ours answers a change for which what was PRIMARY is too old; and not again one of which people were
/// told that its deployment failed.
fn needless(world: &World, promised: &Promised, wrong: &mut Vec<String>) {
    let margin = promised.settings.propagation_margin.min(promised.settings.settle_delay);
    let lives = lives(world);
    let all = world.ecs(|ecs| ecs.log.deployments().to_vec());
    for life in &lives {
        let (service, called) = (&life.requested.service, life.requested.called_at);
        let secrets = world.used(service);
        let changes = secrets.iter().filter_map(|secret| world.history().changes.get(secret)).flatten();
        let last = changes.filter(|changed| **changed <= called).max();
        let ended = |deployment: &str| {
            let states = world.history().states.iter().filter(|state| state.at < called);
            let mut ends = states.filter(|state| !state.name.ends_with("_IN_PROGRESS"));
            ends.find(|state| state.deployment == deployment).map(|state| state.name.ends_with("_COMPLETED"))
        };
        // Somebody else's may have begun while an invocation was under way.
        let theirs = called.minus(world.conditions.timeout);
        let is_ours = |one: &Deployed| lives.iter().any(|life| life.requested.deployment == one.deployment);
        let older = |one: &&Deployed| one.created_at < if is_ours(one) { called } else { theirs };
        let of_service: Vec<&Deployed> =
            all.iter().filter(|one| one.service == *service).filter(older).collect();
        let last_one = of_service.last().map(|one| one.deployment.as_str());
        // What failed gives way to what completed; what was superseded before does not count.
        let stands =
            |one: &&&Deployed| ended(&one.deployment).unwrap_or(last_one == Some(one.deployment.as_str()));
        let primary = of_service.iter().filter(stands).map(|one| one.created_at).max();
        let given_up =
            lives.iter().filter(|one| one.requested.service == *service && one.requested.called_at < called);
        let given_up = given_up.filter(|one| {
            world.record(|record| {
                record
                    .pages
                    .iter()
                    .any(|notified| notified.at < called && is_about(notified, &one.requested.deployment))
            })
        });
        let newest = primary.into_iter().chain(given_up.map(|one| one.requested.called_at)).max();
        let needed = last
            .is_some_and(|changed| newest.is_none_or(|newest| newest < changed.plus(margin).plus(CLAIMING)));
        if !needed {
            wrong.push(format!("{service} was deployed at {called} for nothing"));
        }
    }
}

/// P4: in a cluster there are never more deployments of ours under way than the settings say. One that takes longer than a
/// rollout may is not waited for.
fn too_many_at_once(world: &World, promised: &Promised, wrong: &mut Vec<String>) {
    let limit = usize::try_from(promised.settings.rollout_limit).unwrap_or_default();
    for (cluster, (most, at)) in most_in_flight(world, promised.settings.rollout_timeout) {
        if most > limit {
            wrong.push(format!("{most} deployments of ours were under way in {cluster} at {at}"));
        }
    }
}

/// The most deployments of ours that were under way in each cluster, and since when.
pub fn most_in_flight(world: &World, rollout: Span) -> BTreeMap<String, (usize, Timestamp)> {
    let mut steps: BTreeMap<String, Vec<(Timestamp, bool)>> = BTreeMap::new();
    for life in lives(world) {
        let until = life.requested.called_at.plus(rollout).minus(CLAIMING);
        let until = life.ended.map_or(until, |(at, _)| at.min(until)).min(life.superseded.unwrap_or(until));
        let steps = steps.entry(life.requested.cluster.clone()).or_default();
        if until > life.created {
            // At one instant, ends come first.
            steps.extend([(life.created, true), (until, false)]);
        }
    }
    let most = steps.into_iter().map(|(cluster, mut steps)| {
        steps.sort_unstable();
        let (mut count, mut most) = (0_usize, (0, Timestamp::default()));
        for (at, begins) in steps {
            count = if begins { count + 1 } else { count.saturating_sub(1) };
            if count > most.0 {
                most = (count, at);
            }
        }
        (cluster, most)
    });
    most.collect()
}

/// A deployment of ours from its beginning.
struct Life {
    requested: Asked,
    created: Timestamp,
    /// When ECS ended it, and whether it failed.
    ended: Option<(Timestamp, bool)>,
    superseded: Option<Timestamp>,
}

fn lives(world: &World) -> Vec<Life> {
    let mut all: BTreeMap<String, Vec<Deployed>> = BTreeMap::new();
    for deployed in world.ecs(|ecs| ecs.log.deployments().to_vec()) {
        all.entry(deployed.service.clone()).or_default().push(deployed);
    }
    let mut ends = BTreeMap::new();
    for state in &world.history().states {
        let failed = match state.name.as_str() {
            "SERVICE_DEPLOYMENT_COMPLETED" => false,
            "SERVICE_DEPLOYMENT_FAILED" => true,
            _ => continue,
        };
        ends.entry(state.deployment.clone()).or_insert((state.at, failed));
    }
    let ours = world.record(|record| record.deployments.clone());
    let lives = ours.into_iter().filter_map(|requested| {
        let of_service = all.get(&requested.service)?;
        let number = of_service.iter().position(|one| one.deployment == requested.deployment)?;
        let created = of_service.get(number)?.created_at;
        let superseded = of_service.get(number + 1).map(|next| next.created_at);
        Some(Life { ended: ends.get(&requested.deployment).copied(), created, superseded, requested })
    });
    lives.collect()
}

/// Of each deployment of ours that failed, was rolled back or does not end, people are told, as of one incident; of others not.
fn rollouts(world: &World, promised: &Promised, wrong: &mut Vec<String>) {
    let rollout = promised.settings.rollout_timeout;
    for life in lives(world) {
        let Asked { service, deployment, .. } = &life.requested;
        let failed =
            life.ended.is_some_and(|(at, failed)| failed && life.superseded.is_none_or(|then| at < then));
        let until =
            life.ended.map(|(at, _)| at).into_iter().chain(life.superseded).chain([world.now()]).min();
        // The sweep sees it when it comes round.
        let longer = |than: Timestamp| until.is_some_and(|until| until > than.plus(rollout).minus(CLAIMING));
        let late = longer(life.created.plus(ROUND));
        let bad = (failed || late) && !gone_unseen(world, &life);
        let keys = world.record(|record| {
            let about = record.pages.iter().filter(|notified| {
                notified.page.attributes["rule"] == "rollout-failed"
                    && notified.page.attributes["state"] == "open"
                    && (is_about(notified, deployment) || is_about_some(world, notified, &life))
            });
            about.map(|notified| notified.key.clone()).collect::<std::collections::BTreeSet<_>>()
        });
        let may_be = failed || longer(life.created) || taken_back(world, deployment);
        if keys.len() > 1 || keys.is_empty() && bad || !keys.is_empty() && !may_be {
            let what = if failed {
                "failed"
            } else if late {
                "does not end"
            } else {
                "is fine"
            };
            let notified = keys.len();
            let at = life.created;
            wrong.push(format!(
                "the deployment {deployment} of {service} at {at} {what}: {notified} incidents"
            ));
        }
    }
}

/// Whether nobody could see what became of this deployment: no event of its failure or rollback arrived, and somebody else
/// deployed the service anew before, or the answer was lost or could not be noted, so that it looks as if there had never been one.
fn gone_unseen(world: &World, life: &Life) -> bool {
    let ours = world.record(|record| {
        let next = record.deployments.iter().find(|requested| {
            requested.service == life.requested.service && requested.called_at > life.requested.called_at
        });
        next.map(|requested| requested.called_at)
    });
    let failed_at = life.ended.map(|(at, _)| at);
    let arrived = world.history().states.iter().any(|state| {
        // The rollback is told at the same instant, of the deployment before.
        Some(state.at) == failed_at && state.service == life.requested.service && !state.lost
    });
    let superseded = life.superseded.is_some_and(|at| ours.is_none_or(|ours| at < ours));
    let unknown =
        world.record(|record| !life.requested.answered || record.disturbed.contains(&life.requested.by));
    (superseded || unknown && life.ended.is_some()) && !arrived
}

/// Whether a page is about a deployment of which nobody learned the id: this one, if it was asked for when the page says.
fn is_about_some(world: &World, notified: &Told, life: &Life) -> bool {
    let alert: serde_json::Value = serde_json::from_str(&notified.page.alert).unwrap_or_default();
    let requested = alert.pointer("/payload/custom_details/first").and_then(serde_json::Value::as_str);
    let requested: Option<Timestamp> = requested.and_then(|at| at.parse().ok());
    // The claim comes before the call, in the same invocation.
    let earliest = life.requested.called_at.minus(world.conditions.timeout);
    !notified.page.body.lines().any(|line| line.starts_with("Deployment"))
        && notified.page.body.contains(&life.requested.service)
        && requested.is_some_and(|requested| requested > earliest && requested <= life.requested.called_at)
}

/// Whether people were told that nobody could learn what became of a deployment, and then that it is well.
fn taken_back(world: &World, deployment: &str) -> bool {
    world.record(|record| {
        let mut unknown = record.pages.iter().filter(|notified| {
            is_about(notified, deployment) && notified.page.body.contains("its end is unknown")
        });
        unknown.all(|notified| {
            let mut later =
                record.pages.iter().filter(|later| later.at >= notified.at && later.key == notified.key);
            later.any(|later| later.page.attributes["state"] == "resolved")
        })
    })
}

/// Whether a page is about this deployment, and does not only name it as what it was rolled back to.
fn is_about(notified: &Told, deployment: &str) -> bool {
    let mut lines = notified.page.body.lines();
    lines.any(|line| line.starts_with("Deployment") && line.contains(deployment))
}

/// P3: an incident is told once, and once more at most where the one who told died, or where a call on the way was lost.
fn repeated_pages(world: &World, wrong: &mut Vec<String>) {
    world.record(|record| {
        let mut marked: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
        for notified in &record.pages {
            if notified.marked {
                marked.entry(&notified.key).or_default().push(notified);
            } else if notified.page.attributes["state"] == "open" && !record.disturbed.contains(&notified.by)
            {
                let (at, by) = (notified.at, notified.by);
                wrong.push(format!(
                    "invocation {by} told {} at {at} and did not mark it",
                    notified.page.subject
                ));
            }
        }
        for (key, copies) in marked {
            let rollouts = copies.iter().all(|notified| notified.page.attributes["rule"] == "rollout-failed");
            if rollouts && copies.len() > 1 {
                wrong.push(format!("the incident {key} was told and marked {} times", copies.len()));
            }
        }
    });
}

/// What the ledger believes that people were told, they were told.
fn unfounded(world: &World, wrong: &mut Vec<String>) {
    let notified = world.store(|store| {
        let items = store.items().filter_map(|item| item.key.sk.strip_prefix("notified#"));
        items
            .filter_map(|name| name.split_once('#'))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect::<Vec<_>>()
    });
    for (service, secret) in notified {
        let name = secret.rsplit('/').next().unwrap_or_default();
        let label = service.split_once(":service/").map_or(service.as_str(), |(_, label)| label);
        let said = world.record(|record| {
            record
                .pages
                .iter()
                .any(|notified| notified.page.body.contains(label) && notified.page.body.contains(name))
        });
        if !said {
            wrong.push(format!("nobody was told of {service} and {secret}, and the ledger says so"));
        }
    }
}

fn by_service(world: &World) -> BTreeMap<String, Vec<Asked>> {
    let mut ours: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
    for requested in world.record(|record| record.deployments.clone()) {
        ours.entry(requested.service.clone()).or_default().push(requested);
    }
    for ours in ours.values_mut() {
        ours.sort_by_key(|requested| requested.called_at);
    }
    ours
}
