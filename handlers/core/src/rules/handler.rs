//! The four handlers: functions, each with its queue and its folder of patterns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A function, its queue and its folder of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handler {
    /// A secret's value changed, or a deployment that follows did.
    Rotation,
    /// Secrets were read, or their protection changed.
    Access,
    /// A rotation failed.
    Failure,
    /// Time has passed: the sweep finds what events missed.
    Sweep,
}

impl Handler {
    /// All handlers, in the order in which they are listed everywhere.
    pub const ALL: [Self; 4] = [Self::Rotation, Self::Access, Self::Failure, Self::Sweep];

    /// The folder's and the function's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::Access => "access",
            Self::Failure => "failure",
            Self::Sweep => "sweep",
        }
    }

    /// The handler of a folder.
    pub(super) fn from_folder(folder: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|handler| handler.as_str() == folder)
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
