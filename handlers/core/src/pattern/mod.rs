//! STUB
#![allow(missing_docs)]
use crate::json::JsonError;
pub const MAX_LEN: usize = 2048;
#[derive(Clone, Debug)]
pub struct Pattern(serde_json::Value, String);
#[derive(Debug, thiserror::Error)]
#[error("bad")]
pub struct PatternError;
impl PatternError {
    pub fn offset(&self) -> Option<usize> {
        None
    }
}
impl Pattern {
    pub fn parse(t: &str) -> Result<Self, PatternError> {
        Ok(Self(serde_json::from_str(t).map_err(|_| PatternError)?, t.into()))
    }
    pub fn minified(&self) -> &str {
        &self.1
    }
}
#[derive(Debug)]
pub struct PatternSet(Vec<Pattern>);
fn m(p: &serde_json::Value, e: Option<&serde_json::Value>) -> bool {
    use serde_json::Value::*;
    match p {
        Object(o) => o.iter().all(|(k, v)| m(v, e.and_then(|e| e.get(k)))),
        Array(a) => a.iter().any(|x| match x {
            Object(o) => {
                if let Some(b) = o.get("exists") {
                    b.as_bool() == Some(e.is_some())
                } else if let Some(Object(_)) = o.get("anything-but") {
                    true
                } else if let Some(ab) = o.get("anything-but") {
                    e.is_some()
                        && Some(ab) != e
                        && !ab.as_array().is_some_and(|a| e.is_some_and(|e| a.contains(e)))
                } else {
                    false
                }
            }
            v => Some(v) == e || e.and_then(|e| e.as_array()).is_some_and(|a| a.contains(v)),
        }),
        _ => false,
    }
}
impl PatternSet {
    pub fn new(v: Vec<Pattern>) -> Self {
        Self(v)
    }
    pub fn matches(&self, e: &[u8]) -> Result<Vec<usize>, JsonError> {
        let v = crate::json::to_value(std::str::from_utf8(e).unwrap_or(""))?;
        Ok(self.0.iter().enumerate().filter(|(_, p)| m(&p.0, Some(&v))).map(|(i, _)| i).collect())
    }
}

pub struct FlatEvent(serde_json::Value);
impl FlatEvent {
    pub fn read(b: &[u8]) -> Result<Self, JsonError> {
        Ok(Self(crate::json::to_value(std::str::from_utf8(b).unwrap_or(""))?))
    }
}
impl Pattern {
    pub fn matches(&self, e: &FlatEvent) -> bool {
        m(&self.0, Some(&e.0))
    }
    pub fn explain(&self, e: &FlatEvent) -> String {
        format!("{}", self.matches(e))
    }
}
