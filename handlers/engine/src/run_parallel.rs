//! Runs several futures at the same time, on the thread of their caller.

use futures_util::stream::{self, StreamExt as _};

/// Runs the tasks, at most `max_running` at a time. The results stand in the order of the tasks.
pub(crate) async fn run_parallel<F: Future>(
    tasks: impl IntoIterator<Item = F>,
    max_running: usize,
) -> Vec<F::Output> {
    let numbered = tasks.into_iter().enumerate().map(|(index, task)| async move { (index, task.await) });
    let mut finished: Vec<_> = stream::iter(numbered).buffer_unordered(max_running).collect().await;
    finished.sort_unstable_by_key(|(index, _)| *index);
    finished.into_iter().map(|(_, result)| result).collect()
}
