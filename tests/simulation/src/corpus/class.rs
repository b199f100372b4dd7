//! A class of behaviour: an attack, or everyday work.

use super::stage::CorpusStage;

/// A class of behaviour.
#[derive(Clone, Copy, Debug)]
pub struct BehaviourClass {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be found; if not, it must page nobody.
    pub is_attack: bool,
    /// Its description.
    pub about: &'static str,
    pub(super) play: fn(&mut CorpusStage),
}
