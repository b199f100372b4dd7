//! The dotted paths that patterns look at, as a tree over their steps.

use std::cmp::Ordering;

/// A tree of field paths. Every path has a slot, numbered in the order in which the paths came.
///
/// An event is read along this tree, so that a subtree of the event that no pattern looks at is skipped.
#[derive(Clone, Debug)]
pub(crate) struct FieldPathTree {
    nodes: Vec<PathNode>,
    slot_count: usize,
}

/// The index of a node of a [`FieldPathTree`].
pub(crate) type PathNodeIndex = usize;

#[derive(Clone, Debug, Default)]
struct PathNode {
    children: Vec<(Box<[u8]>, PathNodeIndex)>,
    /// The slot of the path that ends here, if one does.
    slot: Option<usize>,
}

impl Default for FieldPathTree {
    fn default() -> Self {
        Self { nodes: vec![PathNode::default()], slot_count: 0 }
    }
}

impl FieldPathTree {
    /// The node at which every path begins.
    pub(crate) const ROOT: PathNodeIndex = 0;

    /// Adds a path unless it is there, and gives its slot. `{"a":{"b":…}}` and `{"a.b":…}` are one path.
    pub(crate) fn insert(&mut self, path: &[u8]) -> usize {
        let mut node = Self::ROOT;
        for step in path.split(|byte| *byte == b'.') {
            node = match self.child(node, step) {
                Some(child) => child,
                None => self.add_child(node, step),
            };
        }
        if let Some(slot) = self.nodes[node].slot {
            return slot;
        }
        let slot = self.slot_count;
        self.nodes[node].slot = Some(slot);
        self.slot_count += 1;
        slot
    }

    /// How many paths there are.
    pub(crate) fn slot_count(&self) -> usize {
        self.slot_count
    }

    /// The node to which the name of a field leads; a name with dots takes several steps.
    pub(crate) fn follow(&self, node: PathNodeIndex, name: &[u8]) -> Option<PathNodeIndex> {
        if !name.contains(&b'.') {
            return self.child(node, name);
        }
        let mut node = node;
        for step in name.split(|byte| *byte == b'.') {
            node = self.child(node, step)?;
        }
        Some(node)
    }

    /// The slot of the path that ends at a node, if one does.
    pub(crate) fn slot_at(&self, node: PathNodeIndex) -> Option<usize> {
        self.nodes[node].slot
    }

    /// Whether no path goes on from a node.
    pub(crate) fn is_end(&self, node: PathNodeIndex) -> bool {
        self.nodes[node].children.is_empty()
    }

    fn child(&self, node: PathNodeIndex, step: &[u8]) -> Option<PathNodeIndex> {
        for (name, child) in &self.nodes[node].children {
            if **name == *step {
                return Some(*child);
            }
        }
        None
    }

    fn add_child(&mut self, node: PathNodeIndex, step: &[u8]) -> PathNodeIndex {
        let child = self.nodes.len();
        self.nodes.push(PathNode::default());
        self.nodes[node].children.push((step.into(), child));
        child
    }
}

/// Whether the engine sees an empty step in the name of a field.
///
/// It goes only into names whose steps some path of the pattern has, and Java's `split` forgets empty steps at the end: of `a.` it
/// knows `a` alone. So `{"a":{"":1}}`, which has the empty name, does not match the pattern `{"a.":[1]}`, while `{"a.":1}` does.
pub(crate) fn has_empty_step(name: &[u8]) -> bool {
    if name.is_empty() {
        return true;
    }
    let mut kept = name;
    while let [rest @ .., b'.'] = kept {
        kept = rest;
    }
    !kept.is_empty() && kept.split(|byte| *byte == b'.').any(<[u8]>::is_empty)
}

/// Compares paths as Java compares strings: by UTF-16 unit, which differs from the order of bytes beyond U+FFFF.
pub(crate) fn compare_by_utf16(a: &[u8], b: &[u8]) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return a.cmp(b);
    }
    String::from_utf8_lossy(a).encode_utf16().cmp(String::from_utf8_lossy(b).encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot_behind(paths: &FieldPathTree, names: &[&[u8]]) -> Option<usize> {
        let mut node = FieldPathTree::ROOT;
        for name in names {
            node = paths.follow(node, name)?;
        }
        paths.slot_at(node)
    }

    #[test]
    fn a_dot_in_a_name_is_a_step() {
        let mut paths = FieldPathTree::default();
        let slot = paths.insert(b"a.b.c");
        assert_eq!((paths.insert(b"a.b"), paths.insert(b"a.b.c"), paths.slot_count()), (1, slot, 2));
        assert_eq!(slot_behind(&paths, &[b"a.b", b"c"]), Some(slot));
        assert_eq!(slot_behind(&paths, &[b"a", b"b.c"]), Some(slot));
        assert_eq!(slot_behind(&paths, &[b"a", b"c"]), None);
    }

    #[test]
    fn empty_steps_at_the_end_are_forgotten() {
        assert!(has_empty_step(b"") && has_empty_step(b".a") && has_empty_step(b"a..b"));
        assert!(!has_empty_step(b"a.") && !has_empty_step(b".") && !has_empty_step(b"a.b"));
    }

    #[test]
    fn paths_are_ordered_by_utf16_unit() {
        assert_eq!(compare_by_utf16(b"a.b", b"a.c"), Ordering::Less);
        assert_eq!(compare_by_utf16("\u{1f600}".as_bytes(), "\u{fffd}".as_bytes()), Ordering::Less);
    }
}
