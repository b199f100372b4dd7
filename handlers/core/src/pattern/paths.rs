//! The dotted paths that patterns look at, as a tree over their steps.

/// A tree of paths; every path has a slot, numbered in the order of arrival.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    nodes: Vec<Node>,
    slots: usize,
}

/// A place in the tree.
pub(super) type NodeId = usize;

#[derive(Clone, Debug, Default)]
struct Node {
    children: Vec<(Box<[u8]>, NodeId)>,
    slot: Option<usize>,
}

impl Default for Paths {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], slots: 0 }
    }
}

impl Paths {
    /// Where every walk begins.
    pub(super) const ROOT: NodeId = 0;

    /// The slot of a path, new or known. `{"a":{"b":…}}` and `{"a.b":…}` are one path.
    pub(super) fn insert(&mut self, path: &[u8]) -> usize {
        let mut node = Self::ROOT;
        for step in path.split(|byte| *byte == b'.') {
            node = if let Some(child) = self.child(node, step) {
                child
            } else {
                let child = self.nodes.len();
                self.nodes.push(Node::default());
                self.nodes[node].children.push((step.into(), child));
                child
            };
        }
        *self.nodes[node].slot.get_or_insert_with(|| {
            self.slots += 1;
            self.slots - 1
        })
    }

    /// How many paths there are.
    pub(super) fn len(&self) -> usize {
        self.slots
    }

    /// The place a field name leads to; a name with dots takes several steps.
    pub(super) fn step(&self, node: NodeId, name: &[u8]) -> Option<NodeId> {
        if name.contains(&b'.') {
            return name.split(|byte| *byte == b'.').try_fold(node, |node, step| self.child(node, step));
        }
        self.child(node, name)
    }

    /// The slot of the path that ends here.
    pub(super) fn slot(&self, node: NodeId) -> Option<usize> {
        self.nodes[node].slot
    }

    /// Whether no path goes on from here.
    pub(super) fn is_leaf(&self, node: NodeId) -> bool {
        self.nodes[node].children.is_empty()
    }

    fn child(&self, node: NodeId, step: &[u8]) -> Option<NodeId> {
        self.nodes[node].children.iter().find(|(name, _)| **name == *step).map(|(_, child)| *child)
    }
}

/// Whether a field name counts as having an empty step. The engine looks only into names whose steps some path of the rule
/// has, and Java's `split` forgets empty steps at the end: of `a.` it knows `a` only, so `{"a":{"":1}}` does not match
/// `{"a.":[1]}` while `{"a.":1}` does.
pub(super) fn has_empty_step(name: &[u8]) -> bool {
    if name.is_empty() {
        return true;
    }
    let end = name.iter().rposition(|byte| *byte != b'.').map_or(0, |last| last + 1);
    end > 0 && name[..end].split(|byte| *byte == b'.').any(<[u8]>::is_empty)
}

/// The order of Java's strings: by UTF-16 unit. Differs from the order of bytes beyond U+FFFF.
pub(super) fn utf16_order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let units = |path: &[u8]| -> Vec<u16> { String::from_utf8_lossy(path).encode_utf16().collect() };
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { units(a).cmp(&units(b)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_by_dots() {
        let mut paths = Paths::default();
        let slot = paths.insert(b"a.b.c");
        assert_eq!((paths.insert(b"a.b"), paths.insert(b"a.b.c"), paths.len()), (1, slot, 2));
        let steps = |names: &[&[u8]]| names.iter().try_fold(Paths::ROOT, |node, name| paths.step(node, name));
        assert_eq!(steps(&[b"a.b", b"c"]).and_then(|node| paths.slot(node)), Some(slot));
        assert_eq!(steps(&[b"a", b"b.c"]).and_then(|node| paths.slot(node)), Some(slot));
        assert_eq!(steps(&[b"a", b"c"]), None);
    }

    #[test]
    fn empty_steps() {
        assert!(has_empty_step(b"") && has_empty_step(b".a") && has_empty_step(b"a..b"));
        assert!(!has_empty_step(b"a.") && !has_empty_step(b".") && !has_empty_step(b"a.b"));
    }
}
