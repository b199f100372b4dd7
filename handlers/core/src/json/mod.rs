//! STUB
/// err
#[derive(Debug)]
pub struct JsonError(usize);
impl JsonError {
    /// o
    pub fn offset(&self) -> usize {
        self.0
    }
    /// k
    pub fn kind(&self) -> &'static str {
        "bad"
    }
}
/// v
pub fn to_value(t: &str) -> Result<serde_json::Value, JsonError> {
    let mut d = serde_json::Deserializer::from_str(t);
    use serde::Deserialize;
    serde_json::Value::deserialize(&mut d).map_err(|e| JsonError(e.column().saturating_sub(1)))
}
/// d
pub fn duplicate_key(_: &str) -> Option<usize> {
    None
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bad")
    }
}
