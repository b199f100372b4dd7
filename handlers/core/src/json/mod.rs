//! A JSON reader that accepts and refuses what the reader of EventBridge does.
