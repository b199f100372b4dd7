//! Gathering: questions in, facts out.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join3;
use responder_core::decide::watches;
use responder_core::facts::{Facts, Question, Settings};
use responder_core::rules::Case;

use crate::deadline::Deadline;
use crate::discover::{Cache, Discovery, Landscape};
use crate::ledger::{Ask, Ledger};
use crate::port::{Aws, Region};

/// An account and a Region.
type Place = (String, String);

/// Whom to ask.
pub(crate) struct Sources<'s, A> {
    pub(crate) aws: &'s A,
    pub(crate) ledger: &'s Ledger<'s, A>,
    pub(crate) cache: &'s Cache,
    /// The function's own account; services of others are out of its reach.
    pub(crate) account: &'s str,
    pub(crate) deadline: Deadline,
}

/// Everything that was learned for a batch.
#[derive(Debug)]
pub(crate) struct World {
    /// What holds for every event. The services and gaps in it are those of the place that was entered last.
    facts: Facts,
    /// The services, by place: what is unknown of one place must not fail the events of another.
    places: BTreeMap<Place, Landscape>,
    /// Streams, incidents and deployments for which the ledger had no answer.
    unanswered: BTreeSet<String>,
    /// Marks for which the ledger had no room.
    pub(crate) marks_dropped: usize,
}

/// Asks everybody at the same time. Never fails: what could not be learned is noted.
pub(crate) async fn gather<A: Aws>(
    questions: BTreeSet<Question>,
    settings: Settings,
    from: &Sources<'_, A>,
) -> World {
    let (mut places, mut asks) = (BTreeSet::new(), Vec::new());
    let (mut incidents, mut rollouts) = (BTreeSet::new(), BTreeSet::new());
    for question in questions {
        match question {
            Question::Services { account, region } => {
                places.insert((account, region));
            }
            Question::Marks { stream, mark, from, to } => asks.push(Ask { stream, mark, from, to }),
            Question::Incident { key } => {
                incidents.insert(key);
            }
            // ECS's ids are short; a longer one would be refused, and the others asked with it.
            Question::Rollout { deployment } if deployment.len() <= 256 => {
                rollouts.insert(deployment);
            }
            Question::Rollout { .. } => {}
        }
    }
    let (marks, remembered, places) = join3(
        from.ledger.exchange(asks),
        from.ledger.remember(&incidents, &rollouts),
        landscapes(places, from),
    )
    .await;
    let mut unanswered = marks.unanswered;
    unanswered.extend(remembered.unanswered);
    let facts = Facts {
        settings,
        streams: marks.streams,
        incidents: remembered.incidents,
        rollouts: remembered.rollouts,
        ..Facts::default()
    };
    World { facts, places, unanswered, marks_dropped: marks.dropped }
}

async fn landscapes<A: Aws>(places: BTreeSet<Place>, from: &Sources<'_, A>) -> BTreeMap<Place, Landscape> {
    let mut found = BTreeMap::new();
    for (account, region) in places {
        let land = landscape(&account, &region, from).await;
        found.insert((account, region), land);
    }
    found
}

async fn landscape<A: Aws>(account: &str, region: &str, from: &Sources<'_, A>) -> Landscape {
    let mut land = Landscape::default();
    if !from.account.is_empty() && account != from.account {
        land.limits
            .insert("the secret is another account's; services there cannot be seen from here".to_owned());
        return land;
    }
    let Some(region) = Region::of(region) else {
        land.limits.insert("the secret's Region has no name that ECS could be asked in".to_owned());
        return land;
    };
    Discovery { aws: from.aws, region: &region, cache: from.cache, until: from.deadline.at() }
        .landscape()
        .await
}

impl World {
    /// The facts for a case: what holds for all, with the services of the places that it asks about.
    pub(crate) fn enter(&mut self, questions: &[Question]) -> &mut Facts {
        self.leave();
        for land in places(questions).filter_map(|place| self.places.get(&place)) {
            self.facts.gaps.extend(land.gaps.iter().cloned());
            self.facts.limits.extend(land.limits.iter().cloned());
            if let Some(services) = &land.services {
                self.facts.services.get_or_insert_default().extend(services.iter().cloned());
            }
        }
        &mut self.facts
    }

    /// Whether the ledger answered all that a case counts and looks up. What it did not answer about an incident that a
    /// human is told of anyway is not missed.
    pub(crate) fn is_answered(
        &self,
        case: &Case<'_>,
        questions: &[Question],
        paged: &BTreeSet<String>,
    ) -> bool {
        let missing = |name: &String| self.unanswered.contains(name);
        let counted = watches(case)
            .iter()
            .all(|watch| paged.contains(&watch.key) || !missing(&watch.key) && !missing(&watch.stream));
        counted
            && !questions.iter().any(|question| match question {
                Question::Rollout { deployment } => missing(deployment),
                // Counted above; or only to say nothing twice, which the claims see to.
                Question::Marks { .. } | Question::Incident { .. } | Question::Services { .. } => false,
            })
    }

    /// Keeps what executing a plan changed about the services, for the next case that asks about their place.
    fn leave(&mut self) {
        self.facts.gaps.clear();
        self.facts.limits.clear();
        for service in self.facts.services.take().into_iter().flatten() {
            let known = self.places.values_mut().filter_map(|land| land.services.as_mut());
            for old in known.flat_map(|services| services.iter_mut().filter(|old| old.arn == service.arn)) {
                old.primary.clone_from(&service.primary);
            }
        }
    }
}

fn places(questions: &[Question]) -> impl Iterator<Item = Place> {
    questions.iter().filter_map(|question| match question {
        Question::Services { account, region } => Some((account.clone(), region.clone())),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use responder_core::rules::builtin;
    use responder_core::service::{Deployment, Service};
    use responder_core::time::Timestamp;

    use super::*;

    fn services(region: &str) -> Question {
        Question::Services { account: "1".to_owned(), region: region.to_owned() }
    }

    fn service(arn: &str) -> Service {
        Service {
            arn: arn.to_owned(),
            cluster: "c".to_owned(),
            status: "ACTIVE".to_owned(),
            controller: "ECS".to_owned(),
            primary: None,
            tags: BTreeMap::new(),
            references: Vec::new(),
        }
    }

    #[test]
    fn a_gap_in_one_place_is_none_in_another_and_changes_are_kept() {
        let land = |services: Option<Vec<Service>>, gap: &[&str]| Landscape {
            services,
            gaps: gap.iter().map(|gap| (*gap).to_owned()).collect(),
            limits: BTreeSet::new(),
        };
        let place = |region: &str| ("1".to_owned(), region.to_owned());
        let mut world = World {
            facts: Facts::default(),
            places: BTreeMap::from([
                (place("west"), land(Some(vec![service("a"), service("b")]), &[])),
                (place("east"), land(None, &["out of reach"])),
            ]),
            unanswered: BTreeSet::from(["k".to_owned()]),
            marks_dropped: 0,
        };
        let deployment = Deployment { id: "d".to_owned(), created_at: Timestamp::default() };
        let facts = world.enter(&[services("west")]);
        assert!(facts.gaps.is_empty());
        facts.services.as_mut().unwrap()[1].primary = Some(deployment.clone());
        let facts = world.enter(&[services("east")]);
        assert_eq!((facts.gaps.len(), &facts.services), (1, &None));
        let facts = world.enter(&[services("west")]);
        let primaries: Vec<_> =
            facts.services.iter().flatten().map(|service| service.primary.clone()).collect();
        assert_eq!(primaries, [None, Some(deployment)]);
        assert_eq!(world.enter(&[]), &Facts::default());
    }

    #[test]
    fn a_page_about_one_incident_excuses_no_other() {
        let rules = builtin().unwrap();
        let read = r#"{"source":"aws.secretsmanager","detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":
            "secretsmanager.amazonaws.com","eventName":"GetSecretValue","awsRegion":"ap-south-2","eventTime":"2026-01-02T03:04:05Z"}}"#;
        let case = &rules.cases(read).unwrap()[0];
        let watched = watches(case);
        let key = |rule: &str| watched.iter().find(|watch| watch.response.id == rule).unwrap().key.clone();
        let stream = watched.iter().find(|watch| watch.response.id == "bulk-read").unwrap().stream.clone();
        let (places, unanswered) = (BTreeMap::new(), BTreeSet::from([stream]));
        let world = World { facts: Facts::default(), places, unanswered, marks_dropped: 0 };
        let answered = |keys: &[String]| world.is_answered(case, &[], &keys.iter().cloned().collect());
        assert!(!answered(&[key("read-outside-home-regions")]));
        assert!(answered(&[key("bulk-read"), key("read-rate"), key("multi-region-sweep")]));
    }
}
