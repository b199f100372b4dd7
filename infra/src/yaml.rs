//! Reads a template: YAML with CloudFormation's short tags, as the JSON that it stands for.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// It is no YAML; with the parser's words.
    #[error("not YAML: {0}")]
    Syntax(String),
    /// It is not one document.
    #[error("{0} documents, not one")]
    Documents(usize),
    /// YAML that JSON cannot say, or that a template has no use for.
    #[error("{0}")]
    Unusable(String),
}

/// The JSON of a template: `!Sub x` is `{"Fn::Sub": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`.
///
/// # Errors
/// When it is not one YAML document of strings, numbers, booleans, lists and maps with strings as keys.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    let documents = Yaml::load_from_str(text).map_err(|error| YamlError::Syntax(error.to_string()))?;
    match documents.as_slice() {
        [document] => value(document),
        documents => Err(YamlError::Documents(documents.len())),
    }
}

fn value(node: &Yaml<'_>) -> Result<Value, YamlError> {
    match node {
        Yaml::Value(Scalar::String(text)) => Ok(json!(text.as_ref())),
        Yaml::Value(Scalar::Boolean(truth)) => Ok(json!(truth)),
        Yaml::Value(Scalar::Integer(number)) => Ok(json!(number)),
        Yaml::Value(Scalar::FloatingPoint(number)) => Ok(json!(number.into_inner())),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, entry) in entries {
                let Yaml::Value(Scalar::String(key)) = key else {
                    return Err(YamlError::Unusable(format!("a key is no string: {key:?}")));
                };
                map.insert(key.to_string(), value(entry)?);
            }
            Ok(Value::Object(map))
        }
        Yaml::Tagged(tag, node) => tagged(&tag.suffix, &value(node)?),
        // `CloudFormation` refuses a template with a null in it.
        other => Err(YamlError::Unusable(format!("no template has {other:?}"))),
    }
}

fn tagged(tag: &str, value: &Value) -> Result<Value, YamlError> {
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        "GetAtt" => {
            let name = value.as_str().and_then(|text| text.split_once('.'));
            let parts = name.map_or(value.clone(), |(resource, attribute)| json!([resource, attribute]));
            return Ok(json!({ "Fn::GetAtt": parts }));
        }
        "And" | "Base64" | "Equals" | "FindInMap" | "If" | "Join" | "Not" | "Or" | "Select" | "Split"
        | "Sub" => {
            format!("Fn::{tag}")
        }
        _ => return Err(YamlError::Unusable(format!("no template here has the tag `!{tag}`"))),
    };
    Ok(json!({ name: value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_are_what_they_stand_for() {
        let text =
            "a: !Sub \"${B}-x\"\nb: !GetAtt C.Arn\nc: !If [D, !Ref E, 5]\nd: {e: true, f: \"2012-10-17\"}\n";
        let expected = json!({
            "a": {"Fn::Sub": "${B}-x"},
            "b": {"Fn::GetAtt": ["C", "Arn"]},
            "c": {"Fn::If": ["D", {"Ref": "E"}, 5]},
            "d": {"e": true, "f": "2012-10-17"},
        });
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn what_no_template_has_is_refused() {
        for text in ["a: null", "a:", "a: !Include x", "1: a", "a: b\na: c", "a: [", "a: 1\n---\nb: 2", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
