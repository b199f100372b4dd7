//! The command line: the commands and their arguments.

mod arguments;
mod filter_args;
mod help_text;

pub(crate) use arguments::{
    BaselineArgs, BaselineFormat, ExplainArgs, FactsArgs, IncidentOrder, MatchArgs, PageArgs, ProofArgs,
    ReadsArgs, ReplayCli, ReplayCommand, ReportFormat, RuleListArgs, RulesArgs, RunArgs, VerifyArgs,
};
