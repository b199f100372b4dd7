//! Parses a template: YAML with `CloudFormation`'s short tags, into the JSON that it stands for.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// It is not YAML; with the parser's explanation.
    #[error("not YAML: {0}")]
    Syntax(String),
    /// It is not one document.
    #[error("the text has {0} documents, not one")]
    Documents(usize),
    /// It has YAML that JSON cannot express, or that a template has no use for.
    #[error("{0}")]
    Unusable(String),
}

/// The JSON of a template: `!Sub x` is `{"Fn::Sub": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`.
///
/// # Errors
/// When it is not one YAML document of strings, numbers, booleans, lists and maps with strings as keys.
pub fn parse_template(text: &str) -> Result<Value, YamlError> {
    let documents = Yaml::load_from_str(text).map_err(|error| YamlError::Syntax(error.to_string()))?;
    match documents.as_slice() {
        [document] => convert_node(document),
        documents => Err(YamlError::Documents(documents.len())),
    }
}

fn convert_node(node: &Yaml<'_>) -> Result<Value, YamlError> {
    match node {
        Yaml::Value(Scalar::String(text)) => Ok(json!(text.as_ref())),
        Yaml::Value(Scalar::Boolean(truth)) => Ok(json!(truth)),
        Yaml::Value(Scalar::Integer(number)) => Ok(json!(number)),
        Yaml::Value(Scalar::FloatingPoint(number)) => Ok(json!(number.into_inner())),
        Yaml::Sequence(items) => items.iter().map(convert_node).collect(),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, entry) in entries {
                let Yaml::Value(Scalar::String(key)) = key else {
                    return Err(YamlError::Unusable(format!("a key is not a string: {key:?}")));
                };
                map.insert(key.to_string(), convert_node(entry)?);
            }
            Ok(Value::Object(map))
        }
        Yaml::Tagged(tag, node) => expand_tag(&tag.suffix, &convert_node(node)?),
        // `CloudFormation` refuses a template with a null in it.
        other => Err(YamlError::Unusable(format!("no template has {other:?}"))),
    }
}

/// The function that a short tag stands for: `!Sub x` is `{"Fn::Sub": x}`.
fn expand_tag(tag: &str, value: &Value) -> Result<Value, YamlError> {
    match tag {
        "Ref" | "Condition" => Ok(json!({ tag: value })),
        "GetAtt" => match value.as_str().and_then(|text| text.split_once('.')) {
            Some((id, attribute)) => Ok(json!({ "Fn::GetAtt": [id, attribute] })),
            None => Ok(json!({ "Fn::GetAtt": value })),
        },
        "And" | "Base64" | "Equals" | "FindInMap" | "If" | "Join" | "Not" | "Or" | "Select" | "Split"
        | "Sub" => Ok(json!({ format!("Fn::{tag}"): value })),
        _ => Err(YamlError::Unusable(format!("no template here has the tag `!{tag}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_the_functions_that_they_stand_for() {
        let text =
            "a: !Sub \"${B}-x\"\nb: !GetAtt C.Arn\nc: !If [D, !Ref E, 5]\nd: {e: true, f: \"2012-10-17\"}\n";
        let expected = json!({
            "a": {"Fn::Sub": "${B}-x"},
            "b": {"Fn::GetAtt": ["C", "Arn"]},
            "c": {"Fn::If": ["D", {"Ref": "E"}, 5]},
            "d": {"e": true, "f": "2012-10-17"},
        });
        assert_eq!(parse_template(text).unwrap(), expected);
    }

    #[test]
    fn yaml_that_no_template_has_is_refused() {
        for text in ["a: null", "a:", "a: !Include x", "1: a", "a: b\na: c", "a: [", "a: 1\n---\nb: 2", ""] {
            assert!(parse_template(text).is_err(), "{text}");
        }
    }
}
