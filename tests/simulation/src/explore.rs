//! The whole paging path, explored: every order in which a queue, two workers, the ledger and SNS may act, and everything that may happen to a call.
//!
//! The workers run the engine of the functions. A worker is deterministic: its next request follows from when it began and from the answers that it got. So its
//! reactions are learned once for each history, by running the engine from its beginning along the history (`worker`), and the search over all interleavings is one over
//! plain states: time, queue, table, the pages that SNS took, and each worker's history. The search is breadth first and exact: no state is visited twice, none is left out,
//! none is taken for another; and a violation comes with a shortest trace.
//!
//! | in this world | |
//! | --- | --- |
//! | a message | is received when visible, alone or with the other one; hidden for the visibility timeout; deleted when the function says so; a dead letter after `receives` |
//! | a call | succeeds; has no effect and an error; has its effect and no answer; is sent twice by the SDK; has its effect at any later time; hangs until its deadline, with and without effect |
//! | a process | dies at any point between two calls, after the effect of a call but before its answer, and before it reports to the queue |
//! | time | stands still or goes on to the next instant that matters at any point: a visibility timeout, a lease, a deadline |
//!
//! Deaths, copies of messages and faults are bounded; a slow worker, a late receive and every order are free.

mod choice;
mod index;
mod number;
mod oracle;
mod protocol_bug;
mod request;
mod scene;
mod script;
mod search;
mod state;
mod time;
mod trace;
mod worker;
mod world;

pub use protocol_bug::ProtocolBug;
pub use scene::{ExplorationBounds, ExploredScene, FunctionTiming};
pub use search::{ExplorationResult, explore_scene};
