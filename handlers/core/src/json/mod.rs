//! A JSON reader that accepts and refuses what the reader of `EventBridge` (Jackson 2.19) does.
//!
//! [`Reader`] is a pull parser: one token per call, no recursion, strings and numbers left as they are spelled. It is lazy in
//! the same places as Jackson, so that the first complaint about a text with two faults is the same one. [`to_value`] gives a
//! typed tree of the same text for code that wants fields rather than a verdict.

mod duplicate;
mod error;
mod number;
mod reader;
mod strings;
mod value;

pub use duplicate::duplicate_key;
pub use error::JsonError;
pub use reader::{Reader, Token};
pub use strings::RawText;
pub use value::to_value;
