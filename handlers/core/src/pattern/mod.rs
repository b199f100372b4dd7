//! The EventBridge pattern language.
