//! How alike two names are: somebody may have mistyped one for the other.

/// The number of letters to insert, delete or replace (Levenshtein's distance), in one row of his table at a time.
pub fn count_edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut left = index + 1;
        let mut next = vec![left];
        for (other, above) in to.chars().zip(row.windows(2)) {
            if let [diagonal, above] = *above {
                let replaced = diagonal + usize::from(letter != other);
                left = replaced.min(above + 1).min(left + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_that_differs_is_an_edit() {
        for (from, to, edits) in
            [("", "", 0), ("", "abc", 3), ("eventname", "eventNme", 2), ("kitten", "sitting", 3)]
        {
            assert_eq!((count_edits(from, to), count_edits(to, from)), (edits, edits), "{from} {to}");
        }
    }
}
