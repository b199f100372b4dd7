//! Resolves a template: what `CloudFormation` would make of its functions, for given parameters, in a given place.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Where a template is deployed, and with what.
#[derive(Clone, Debug)]
pub struct Place {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// Parameters that are not left at their defaults.
    pub parameters: BTreeMap<String, String>,
}

impl Place {
    /// A place in the partition `aws`, with parameters as they are by default.
    pub fn new(account: &str, region: &str) -> Self {
        let (account, region) = (account.to_owned(), region.to_owned());
        Self { partition: "aws".to_owned(), account, region, parameters: BTreeMap::new() }
    }

    /// The same with a parameter set.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.parameters.insert(parameter.to_owned(), value.to_owned());
        self
    }
}

/// Why a template cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct ResolveError {
    /// Where in the template: `Resources/PageTopic/Properties`.
    pub at: String,
    /// What is wrong.
    pub why: String,
}

/// The resources of a template, by logical id, with their functions resolved; those whose condition is false are left out. Names
/// and ARNs of resources are as AWS makes them of the properties.
///
/// # Errors
/// When the template refers to what it does not have, lacks a parameter, or uses a function in a way that templates here do not.
pub fn resolve(template: &Value, place: &Place) -> Result<BTreeMap<String, Value>, ResolveError> {
    let scope = Scope { template, place };
    let mut resolved = BTreeMap::new();
    for (id, resource) in template["Resources"].as_object().into_iter().flatten() {
        if let Some(condition) = resource["Condition"].as_str()
            && !scope.condition(condition)?
        {
            continue;
        }
        for other in depends_on(&resource["DependsOn"]) {
            scope.resource(other, &format!("Resources/{id}/DependsOn"))?;
        }
        let value = scope.value(resource, &format!("Resources/{id}"))?;
        resolved.insert(id.clone(), value.unwrap_or(Value::Null));
    }
    Ok(resolved)
}

fn depends_on(value: &Value) -> impl Iterator<Item = &str> {
    let many = value.as_array().into_iter().flatten();
    many.chain(std::iter::once(value)).filter_map(Value::as_str)
}

struct Scope<'t> {
    template: &'t Value,
    place: &'t Place,
}

/// A resolved value; nothing for `AWS::NoValue`.
type Resolved = Result<Option<Value>, ResolveError>;

impl Scope<'_> {
    fn value(&self, value: &Value, at: &str) -> Resolved {
        match value {
            Value::Array(items) => {
                let mut list = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    list.extend(self.value(item, &format!("{at}/{index}"))?);
                }
                Ok(Some(Value::Array(list)))
            }
            Value::Object(map) => match map.iter().next() {
                Some((name, argument)) if map.len() == 1 && is_function(name) => {
                    self.function(name, argument, at)
                }
                _ => {
                    let mut object = Map::new();
                    for (key, item) in map {
                        let item = self.value(item, &format!("{at}/{key}"))?;
                        object.extend(item.map(|item| (key.clone(), item)));
                    }
                    Ok(Some(Value::Object(object)))
                }
            },
            other => Ok(Some(other.clone())),
        }
    }

    fn function(&self, name: &str, argument: &Value, at: &str) -> Resolved {
        let wrong = || fail(at, format!("`{name}` is not used as it should be"));
        match (name, argument) {
            ("Ref", Value::String(id)) => self.reference(id, at),
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(id), Value::String(attribute)] => self.attribute(id, attribute, at).map(Some),
                _ => wrong(),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Map::new(), at).map(Some),
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(text), Value::Object(names)] => self.substitute(text, names, at).map(Some),
                _ => wrong(),
            },
            ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(condition), yes, no] => {
                    self.value(if self.condition(condition)? { yes } else { no }, at)
                }
                _ => wrong(),
            },
            ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(between), items] => {
                    let items = self.value(items, at)?.unwrap_or_default();
                    let texts: Vec<String> = items.as_array().into_iter().flatten().map(text).collect();
                    Ok(Some(json!(texts.join(between))))
                }
                _ => wrong(),
            },
            ("Fn::Split", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(between), whole] => {
                    let whole = text(&self.value(whole, at)?.unwrap_or_default());
                    Ok(Some(whole.split(between.as_str()).map(|part| json!(part)).collect()))
                }
                _ => wrong(),
            },
            ("Fn::FindInMap", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(map), first, Value::String(second)] => {
                    let first = text(&self.value(first, at)?.unwrap_or_default());
                    let found = self.template.pointer(&format!("/Mappings/{map}/{first}/{second}"));
                    found
                        .cloned()
                        .map(Some)
                        .ok_or_else(|| error(at, format!("no mapping {map}/{first}/{second}")))
                }
                _ => wrong(),
            },
            _ => fail(at, format!("`{name}` is no function that templates here use so")),
        }
    }

    fn condition(&self, name: &str) -> Result<bool, ResolveError> {
        let at = format!("Conditions/{name}");
        let condition = self.template["Conditions"]
            .get(name)
            .ok_or_else(|| error(&at, "no such condition".to_owned()))?;
        self.holds(condition, &at)
    }

    fn holds(&self, condition: &Value, at: &str) -> Result<bool, ResolveError> {
        let function = condition.as_object().and_then(|map| map.iter().next());
        match function.map(|(name, argument)| (name.as_str(), argument)) {
            Some(("Fn::Equals", Value::Array(sides))) => {
                let mut texts = Vec::new();
                for side in sides {
                    texts.push(text(&self.value(side, at)?.unwrap_or_default()));
                }
                Ok(texts.windows(2).all(|pair| pair[0] == pair[1]))
            }
            Some(("Fn::Not", Value::Array(parts))) if parts.len() == 1 => Ok(!self.holds(&parts[0], at)?),
            Some(("Condition", Value::String(name))) => self.condition(name),
            _ => Err(error(at, "no condition that templates here use".to_owned())),
        }
    }

    fn reference(&self, id: &str, at: &str) -> Resolved {
        let Place { partition, account, region, .. } = self.place;
        Ok(Some(match id {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => json!(account),
            "AWS::Partition" => json!(partition),
            "AWS::Region" => json!(region),
            "AWS::URLSuffix" => {
                json!(if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" })
            }
            "AWS::StackName" => json!("stack"),
            _ if self.template["Parameters"].get(id).is_some() => self.parameter(id, at)?,
            _ => self.name_or_arn(id, at)?,
        }))
    }

    fn parameter(&self, id: &str, at: &str) -> Result<Value, ResolveError> {
        let declared = &self.template["Parameters"][id];
        let given = self.place.parameters.get(id).map(|given| json!(given));
        let value = given.or_else(|| declared.get("Default").cloned());
        let value = value.ok_or_else(|| error(at, format!("the parameter `{id}` has no value")))?;
        let list = || text(&value).split(',').map(|item| json!(item)).collect();
        Ok(match declared["Type"].as_str() {
            Some("CommaDelimitedList") => Value::Array(list()),
            Some("Number") => text(&value).parse::<i64>().map_or(value.clone(), |number| json!(number)),
            _ => json!(text(&value)),
        })
    }

    fn resource(&self, id: &str, at: &str) -> Result<&Value, ResolveError> {
        self.template["Resources"].get(id).ok_or_else(|| error(at, format!("there is no `{id}`")))
    }

    /// A property of a resource as text; its logical id where AWS would make a name up.
    fn property(&self, id: &str, name: &str, at: &str) -> Result<String, ResolveError> {
        let value = self.resource(id, at)?.pointer(&format!("/Properties/{name}"));
        let value = value.map(|value| self.value(value, at)).transpose()?.flatten();
        Ok(value.map_or_else(|| id.to_owned(), |value| text(&value)))
    }

    /// What `Ref` of a resource is.
    fn name_or_arn(&self, id: &str, at: &str) -> Result<Value, ResolveError> {
        let name = |property: &str| self.property(id, property, at);
        let kind = self.resource(id, at)?["Type"].as_str().unwrap_or_default();
        Ok(json!(match kind {
            "AWS::SNS::Topic" => self.arn("sns", &name("TopicName")?),
            "AWS::SQS::Queue" => {
                let Place { account, region, .. } = self.place;
                format!("https://sqs.{region}.amazonaws.com/{account}/{}", name("QueueName")?)
            }
            "AWS::DynamoDB::Table" => name("TableName")?,
            "AWS::Events::Rule" => name("Name")?,
            "AWS::IAM::Role" => name("RoleName")?,
            "AWS::Lambda::Function" => name("FunctionName")?,
            "AWS::Logs::LogGroup" => name("LogGroupName")?,
            "AWS::S3::Bucket" => name("BucketName")?,
            _ => id.to_owned(),
        }))
    }

    fn attribute(&self, id: &str, attribute: &str, at: &str) -> Result<Value, ResolveError> {
        let name = |property: &str| self.property(id, property, at);
        let kind = self.resource(id, at)?["Type"].as_str().unwrap_or_default();
        Ok(json!(match (kind, attribute) {
            ("AWS::SQS::Queue", "Arn") => self.arn("sqs", &name("QueueName")?),
            ("AWS::SQS::Queue", "QueueName") => name("QueueName")?,
            ("AWS::SNS::Topic", "TopicName") => name("TopicName")?,
            ("AWS::DynamoDB::Table", "Arn") => self.arn("dynamodb", &format!("table/{}", name("TableName")?)),
            ("AWS::Events::Rule", "Arn") => self.arn("events", &format!("rule/{}", name("Name")?)),
            ("AWS::IAM::Role", "Arn") => {
                let Place { partition, account, .. } = self.place;
                format!("arn:{partition}:iam::{account}:role/{}", name("RoleName")?)
            }
            ("AWS::Lambda::Function", "Arn") =>
                self.arn("lambda", &format!("function:{}", name("FunctionName")?)),
            ("AWS::Logs::LogGroup", "Arn") =>
                self.arn("logs", &format!("log-group:{}:*", name("LogGroupName")?)),
            ("AWS::KMS::Key", "Arn") => self.arn("kms", &format!("key/{id}")),
            ("AWS::S3::Bucket", "Arn") =>
                format!("arn:{}:s3:::{}", self.place.partition, name("BucketName")?),
            _ => format!("{id}.{attribute}"),
        }))
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let Place { partition, account, region, .. } = self.place;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    fn substitute(
        &self,
        template: &str,
        names: &Map<String, Value>,
        at: &str,
    ) -> Result<Value, ResolveError> {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let (name, after) =
                after.split_once('}').ok_or_else(|| error(at, "`${` without an end".to_owned()))?;
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                out.extend(["${", literal, "}"]);
                continue;
            }
            let value = match (names.get(name), name.split_once('.')) {
                (Some(value), _) => self.value(value, at)?,
                (None, Some((id, attribute))) => Some(self.attribute(id, attribute, at)?),
                (None, None) => self.reference(name, at)?,
            };
            out.push_str(&text(&value.unwrap_or_default()));
        }
        out.push_str(rest);
        Ok(json!(out))
    }
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}

/// A scalar as a parameter or a substitution shows it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn error(at: &str, why: String) -> ResolveError {
    ResolveError { at: at.to_owned(), why }
}

fn fail<T>(at: &str, why: String) -> Result<T, ResolveError> {
    Err(error(at, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(properties: &str) -> Result<Value, ResolveError> {
        let text = format!(
            "Parameters:\n  P: {{Type: String, Default: pre}}\n  L: {{Type: CommaDelimitedList, Default: \"\"}}\nMappings:\n  M: {{pre: {{X: 7}}}}\n\
             Conditions:\n  C: !Equals [!Ref P, pre]\n  D: !Not [!Equals [!Ref P, pre]]\nResources:\n  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub \"${{P}}-q\"}}}}\n\
             \n  R: {{Type: X, Properties: {properties}}}\n"
        );
        let place = Place::new("111122223333", "eu-west-1");
        Ok(resolve(&crate::yaml::parse(&text).unwrap(), &place)?["R"]["Properties"].clone())
    }

    #[test]
    fn functions_become_what_they_stand_for() {
        for (from, to) in [
            ("{a: !Ref P}", json!({"a": "pre"})),
            ("{a: !GetAtt Q.Arn}", json!({"a": "arn:aws:sqs:eu-west-1:111122223333:pre-q"})),
            (
                "{a: !Sub \"${Q.Arn}/${!P}/${AWS::Region}\"}",
                json!({"a": "arn:aws:sqs:eu-west-1:111122223333:pre-q/${P}/eu-west-1"}),
            ),
            ("{a: !Sub [\"${x}${P}\", {x: !If [C, 1, 2]}]}", json!({"a": "1pre"})),
            ("{a: [!If [D, b, !Ref AWS::NoValue], c]}", json!({"a": ["c"]})),
            ("{a: !If [D, b, !Ref AWS::NoValue]}", json!({})),
            ("{a: !FindInMap [M, !Ref P, X]}", json!({"a": 7})),
            ("{a: !Split [\"r\", !Ref P]}", json!({"a": ["p", "e"]})),
            ("{a: !Join [\"-\", [x, !Ref P, !Join [\"+\", !Ref L]]]}", json!({"a": "x-pre-"})),
        ] {
            assert_eq!(resolved(from).unwrap(), to, "{from}");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_with_its_place() {
        for from in [
            "{a: !Ref Z}",
            "{a: !GetAtt Z.Arn}",
            "{a: !Sub \"${Z}\"}",
            "{a: !If [Z, 1, 2]}",
            "{a: !FindInMap [M, x, X]}",
        ] {
            assert!(resolved(from).is_err(), "{from}");
        }
        assert_eq!(
            resolved("{a: !Ref Z}").unwrap_err().to_string(),
            "Resources/R/Properties/a: there is no `Z`"
        );
    }
}
