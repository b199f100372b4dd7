//! Problems of one row of `responses.json`, each at a field.

/// A problem of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldProblem {
    /// The field, such as `when.within`.
    pub(super) field: &'static str,
    /// The mistake, and the values that are expected.
    pub(super) reason: &'static str,
}

/// The problems of a row, in the order of their checks.
#[derive(Debug, Default)]
pub(super) struct FieldProblems(Vec<FieldProblem>);

impl FieldProblems {
    pub(super) fn add_if(&mut self, is_wrong: bool, field: &'static str, reason: &'static str) {
        if is_wrong {
            self.0.push(FieldProblem { field, reason });
        }
    }

    pub(super) fn into_list(self) -> Vec<FieldProblem> {
        self.0
    }
}
