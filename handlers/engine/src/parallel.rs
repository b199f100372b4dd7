//! Several futures at the same time, on the thread of their caller.

use futures_util::stream::{self, StreamExt as _};

/// Runs the tasks, at most so many at a time; the results stand in the order of the tasks.
pub(crate) async fn parallel<F: Future>(tasks: impl IntoIterator<Item = F>, most: usize) -> Vec<F::Output> {
    let numbered = tasks.into_iter().enumerate().map(|(index, task)| async move { (index, task.await) });
    let mut done: Vec<_> = stream::iter(numbered).buffer_unordered(most).collect().await;
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
