//! The totals of `replay run`: incidents by rule and severity, by principal, and by account.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use responder_core::incident::Incident;
use responder_core::severity::Severity;
use responder_core::text::Untrusted;
use serde::Serialize;

use crate::output::write_table;

/// The severities in the order of the columns.
const SEVERITIES: [Severity; 5] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

/// How many principals or accounts a table of the text shows. JSON has all of them.
const SHOWN_ROWS_MAX: usize = 20;

/// How many characters of a principal or an account a cell shows.
const NAME_LENGTH_MAX: usize = 120;

/// The name of the row of incidents with several principals.
const SEVERAL_PRINCIPALS: &str = "(several principals)";

/// The totals of the incidents that are shown.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ReplayTotals {
    /// How many incidents each rule has of each severity, by rule, the most severe first.
    pub(crate) rules: Vec<RuleTotal>,
    /// How many incidents each principal has, the most severe and the most incidents first.
    pub(crate) principals: Vec<PartyTotal>,
    /// The same for each account.
    pub(crate) accounts: Vec<PartyTotal>,
}

/// How many incidents a rule has of one severity.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RuleTotal {
    /// The rule.
    pub(crate) rule: String,
    /// The severity.
    pub(crate) severity: Severity,
    /// The number of incidents.
    pub(crate) incidents: usize,
}

/// How many incidents a principal or an account has.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PartyTotal {
    /// The principal or the account; absent for incidents with several principals or with none.
    pub(crate) name: Option<Untrusted>,
    /// The number of incidents.
    pub(crate) incidents: usize,
    /// The number of events in them.
    pub(crate) events: usize,
    /// The highest severity.
    pub(crate) highest: Severity,
}

impl ReplayTotals {
    /// Counts the incidents.
    pub(crate) fn count(incidents: &[Incident]) -> Self {
        let mut rules: BTreeMap<(&String, Reverse<Severity>), usize> = BTreeMap::new();
        let mut principals = BTreeMap::new();
        let mut accounts = BTreeMap::new();
        for incident in incidents {
            *rules.entry((&incident.rule, Reverse(incident.severity))).or_default() += 1;
            add_incident(&mut principals, incident.principal.clone(), incident);
            let account = Untrusted::new(&*incident.account);
            add_incident(&mut accounts, Some(account), incident);
        }
        let mut totals = Self::default();
        for ((rule, severity), incidents) in rules {
            totals.rules.push(RuleTotal { rule: rule.clone(), severity: severity.0, incidents });
        }
        totals.principals = sort_parties(principals);
        totals.accounts = sort_parties(accounts);
        totals
    }

    /// Writes a table of rules, one of principals and one of accounts. Nothing without incidents.
    pub(super) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        if self.rules.is_empty() {
            return Ok(());
        }
        self.write_rules(out)?;
        for (head, parties) in [("PRINCIPAL", &self.principals), ("ACCOUNT", &self.accounts)] {
            writeln!(out)?;
            let rows: Vec<_> = parties.iter().take(SHOWN_ROWS_MAX).map(party_row).collect();
            write_table([head, "INCIDENTS", "EVENTS", "HIGHEST"], &rows, out)?;
            if parties.len() > SHOWN_ROWS_MAX {
                writeln!(out, "and {} more; `--format json` lists all", parties.len() - SHOWN_ROWS_MAX)?;
            }
        }
        Ok(())
    }

    fn write_rules(&self, out: &mut impl Write) -> io::Result<()> {
        let mut rows_by_rule: BTreeMap<&String, [String; 6]> = BTreeMap::new();
        for total in &self.rules {
            let row = rows_by_rule.entry(&total.rule).or_insert_with(|| empty_rule_row(&total.rule));
            for (severity, cell) in SEVERITIES.iter().zip(row.iter_mut().skip(1)) {
                if *severity == total.severity {
                    *cell = total.incidents.to_string();
                }
            }
        }
        let rows: Vec<_> = rows_by_rule.into_values().collect();
        write_table(["RULE", "CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"], &rows, out)
    }
}

/// A row without counts: its first cell is the rule.
fn empty_rule_row(rule: &str) -> [String; 6] {
    let mut row: [String; 6] = Default::default();
    for (index, cell) in row.iter_mut().enumerate() {
        *cell = if index == 0 { rule.to_owned() } else { "-".to_owned() };
    }
    row
}

fn party_row(total: &PartyTotal) -> [String; 4] {
    let name = total.name.as_ref();
    [
        name.map_or_else(|| SEVERAL_PRINCIPALS.to_owned(), |name| name.show(NAME_LENGTH_MAX)),
        total.incidents.to_string(),
        total.events.to_string(),
        total.highest.as_str().to_owned(),
    ]
}

fn add_incident(
    parties: &mut BTreeMap<Option<Untrusted>, PartyTotal>,
    name: Option<Untrusted>,
    incident: &Incident,
) {
    let total = parties.entry(name.clone()).or_insert(PartyTotal {
        name,
        incidents: 0,
        events: 0,
        highest: incident.severity,
    });
    total.incidents += 1;
    total.events += incident.reads;
    total.highest = total.highest.max(incident.severity);
}

/// The most severe first, then those with the most incidents. The sort is stable: equal ones stay by name.
fn sort_parties(parties: BTreeMap<Option<Untrusted>, PartyTotal>) -> Vec<PartyTotal> {
    let mut sorted: Vec<PartyTotal> = parties.into_values().collect();
    sorted.sort_by_key(|total| Reverse((total.highest, total.incidents)));
    sorted
}
