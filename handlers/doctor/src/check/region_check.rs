//! The check of one Region: what should be there, what was observed, and the findings so far.

use super::fault::WiringFault;
use crate::expected::ExpectedRegion;
use crate::finding::{CheckFinding, FindingLevel};
use crate::snapshot::{AccountSnapshot, Inspection, RegionSnapshot};

/// A Region while it is checked.
pub(super) struct RegionCheck<'c> {
    /// The account that the Region belongs to.
    pub(super) snapshot: &'c AccountSnapshot,
    /// The Region's name.
    pub(super) region: &'c str,
    /// The resources that should be there.
    pub(super) expected: &'c ExpectedRegion,
    /// The resources that were observed.
    pub(super) observed: &'c RegionSnapshot,
    /// The findings so far.
    pub(super) findings: Vec<CheckFinding>,
}

impl RegionCheck<'_> {
    /// Adds that a resource is as it should be.
    pub(super) fn ok(&mut self, check: &'static str, resource: &str, what: impl Into<String>) {
        self.add(FindingLevel::Ok, check, resource, [what.into(), String::new(), String::new()]);
    }

    /// Adds a fault of a resource. The values stand in its texts for the names in braces.
    pub(super) fn report(&mut self, fault: WiringFault, resource: &str, values: &[(&str, &str)]) {
        if let Some(row) = fault.texts() {
            let texts = [&row.what, &row.means, &row.fix].map(|text| fill_text(text, values));
            self.add(row.level, &row.check, resource, texts);
        }
    }

    /// Returns what an inspection saw. Where it saw nothing, that is a finding: the resource must not count as well.
    pub(super) fn require_seen<'i, T>(
        &mut self,
        check: &'static str,
        resource: &str,
        inspection: &'i Inspection<T>,
    ) -> Option<&'i T> {
        match inspection {
            Inspection::Seen(seen) => Some(seen),
            Inspection::Unseen(reason) => {
                self.report_unseen(check, resource, reason);
                None
            }
        }
    }

    /// Adds that a resource could not be inspected.
    pub(super) fn report_unseen(&mut self, check: &'static str, resource: &str, reason: &str) {
        if let Some(row) = WiringFault::Unseen.texts() {
            let values = [("reason", reason)];
            let texts = [&row.what, &row.means, &row.fix].map(|text| fill_text(text, &values));
            self.add(row.level, check, resource, texts);
        }
    }

    fn add(
        &mut self,
        level: FindingLevel,
        check: &'static str,
        resource: &str,
        [what, means, fix]: [String; 3],
    ) {
        let region = self.region.to_owned();
        let resource = resource.to_owned();
        self.findings.push(CheckFinding { level, check, region, resource, what, means, fix });
    }
}

/// Fills the values in, one after the other: a value may contain names that stand for later values.
fn fill_text(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = text.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}
