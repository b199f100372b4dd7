//! A JSON reader that accepts and refuses what the reader of EventBridge (Jackson 2.19) accepts and refuses.
//!
//! - [`JsonReader`] is a pull parser: one token a call, without recursion. It leaves strings and numbers as they are spelled,
//!   because the pattern language compares some values by their spelling.
//! - [`find_duplicate_key`] finds a key that an object has twice, which JSON allows and which is nearly always a mistake.
//! - `parse_value`, with the feature `serde_json`, gives a tree of the same text for code that wants fields, not a verdict.
//!
//! The reader is lazy in the same places as Jackson: it reads a string only when somebody asks for it or for the next token. So
//! the first complaint about a text with two faults is the same one.

mod complaints;
mod duplicate_key;
mod error;
mod error_words;
mod number;
mod reader;
mod string;
mod text;
#[cfg(any(feature = "serde_json", test))]
mod value;

pub use duplicate_key::find_duplicate_key;
pub use error::JsonError;
pub use reader::{JsonReader, JsonToken};
pub use text::JsonText;
#[cfg(any(feature = "serde_json", test))]
pub use value::parse_value;
