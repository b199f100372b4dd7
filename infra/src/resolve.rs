//! Resolves a template: what `CloudFormation` would make of its functions, for given parameters, in a given account and Region.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::deployment_site::DeploymentSite;
use crate::json::{list_items, list_strings, read_text};

/// Why a template cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {reason}")]
pub struct ResolveError {
    /// The part of the template: `Resources/PageTopic/Properties`.
    pub location: String,
    /// The fault of that part.
    pub reason: String,
}

/// The resources of a template, by logical id, with their functions resolved; those whose condition is false are left out. Names
/// and ARNs of resources are as AWS makes them of the properties.
///
/// # Errors
/// When the template refers to what it does not have, lacks a parameter, or uses a function in a way that templates here do not.
pub fn resolve_resources(
    template: &Value,
    site: &DeploymentSite,
) -> Result<BTreeMap<String, Value>, ResolveError> {
    let resolver = TemplateResolver { template, site };
    let mut resources = BTreeMap::new();
    for (id, resource) in template["Resources"].as_object().into_iter().flatten() {
        if let Some(condition) = resource["Condition"].as_str()
            && !resolver.evaluate_condition(condition)?
        {
            continue;
        }
        for dependency in list_strings(&resource["DependsOn"]) {
            resolver.find_resource(dependency, &format!("Resources/{id}/DependsOn"))?;
        }
        let value = resolver.resolve_value(resource, &format!("Resources/{id}"))?;
        resources.insert(id.clone(), value.unwrap_or_default());
    }
    Ok(resources)
}

struct TemplateResolver<'t> {
    template: &'t Value,
    site: &'t DeploymentSite,
}

/// A resolved value; nothing for `AWS::NoValue`, which removes the property or the item.
type ResolvedValue = Result<Option<Value>, ResolveError>;

impl TemplateResolver<'_> {
    fn resolve_value(&self, value: &Value, location: &str) -> ResolvedValue {
        match value {
            Value::Array(items) => {
                let mut resolved = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve_value(item, &format!("{location}/{index}"))?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            Value::Object(entries) => {
                if entries.len() == 1
                    && let Some((name, argument)) = entries.iter().next()
                    && (name == "Ref" || name.starts_with("Fn::"))
                {
                    return self.resolve_function(name, argument, location);
                }
                let mut resolved = Map::new();
                for (key, entry) in entries {
                    if let Some(entry) = self.resolve_value(entry, &format!("{location}/{key}"))? {
                        resolved.insert(key.clone(), entry);
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            other => Ok(Some(other.clone())),
        }
    }

    /// Resolves a value that must be there, and shows it as text.
    fn resolve_text(&self, value: &Value, location: &str) -> Result<String, ResolveError> {
        Ok(show_value(&self.resolve_value(value, location)?.unwrap_or_default()))
    }

    fn resolve_function(&self, name: &str, argument: &Value, location: &str) -> ResolvedValue {
        if let ("Ref", Value::String(id)) = (name, argument) {
            return self.resolve_reference(id, location);
        }
        if let ("Fn::Sub", Value::String(text)) = (name, argument) {
            return Ok(Some(self.substitute(text, &Map::new(), location)?));
        }
        match (name, list_items(argument)) {
            ("Fn::GetAtt", [Value::String(id), Value::String(attribute)]) => {
                Ok(Some(self.resolve_attribute(id, attribute, location)?))
            }
            ("Fn::Sub", [Value::String(text), Value::Object(names)]) => {
                Ok(Some(self.substitute(text, names, location)?))
            }
            ("Fn::If", [Value::String(condition), yes, no]) => {
                let chosen = if self.evaluate_condition(condition)? { yes } else { no };
                self.resolve_value(chosen, location)
            }
            ("Fn::Join", [Value::String(separator), items]) => {
                let items = self.resolve_value(items, location)?.unwrap_or_default();
                let texts: Vec<String> = list_items(&items).iter().map(show_value).collect();
                Ok(Some(json!(texts.join(separator))))
            }
            ("Fn::Split", [Value::String(separator), whole]) => {
                let whole = self.resolve_text(whole, location)?;
                Ok(Some(whole.split(separator.as_str()).collect()))
            }
            ("Fn::FindInMap", [Value::String(map), first, Value::String(second)]) => {
                let first = self.resolve_text(first, location)?;
                match self.template.pointer(&format!("/Mappings/{map}/{first}/{second}")) {
                    Some(found) => Ok(Some(found.clone())),
                    None => fail(location, format!("there is no mapping {map}/{first}/{second}")),
                }
            }
            _ => fail(location, format!("no template here uses `{name}` in this way")),
        }
    }

    fn evaluate_condition(&self, name: &str) -> Result<bool, ResolveError> {
        let location = format!("Conditions/{name}");
        match self.template["Conditions"].get(name) {
            Some(condition) => self.evaluate(condition, &location),
            None => fail(&location, "there is no such condition".to_owned()),
        }
    }

    fn evaluate(&self, condition: &Value, location: &str) -> Result<bool, ResolveError> {
        if let [left, right] = list_items(&condition["Fn::Equals"]) {
            return Ok(self.resolve_text(left, location)? == self.resolve_text(right, location)?);
        }
        if let [negated] = list_items(&condition["Fn::Not"]) {
            return Ok(!self.evaluate(negated, location)?);
        }
        if let Some(name) = condition["Condition"].as_str() {
            return self.evaluate_condition(name);
        }
        fail(location, "no template here has such a condition".to_owned())
    }

    fn resolve_reference(&self, id: &str, location: &str) -> ResolvedValue {
        let DeploymentSite { partition, account, region, .. } = self.site;
        Ok(Some(match id {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => json!(account),
            "AWS::Partition" => json!(partition),
            "AWS::Region" => json!(region),
            "AWS::URLSuffix" if partition == "aws-cn" => json!("amazonaws.com.cn"),
            "AWS::URLSuffix" => json!("amazonaws.com"),
            "AWS::StackName" => json!("stack"),
            _ if self.template["Parameters"].get(id).is_some() => self.read_parameter(id, location)?,
            _ => json!(self.reference_resource(id, location)?),
        }))
    }

    fn read_parameter(&self, id: &str, location: &str) -> Result<Value, ResolveError> {
        let declared = &self.template["Parameters"][id];
        let text = match (self.site.parameters.get(id), declared.get("Default")) {
            (Some(given), _) => given.clone(),
            (None, Some(default)) => show_value(default),
            (None, None) => return fail(location, format!("the parameter `{id}` has no value")),
        };
        Ok(match read_text(&declared["Type"]) {
            "CommaDelimitedList" => text.split(',').collect(),
            "Number" => match text.parse::<i64>() {
                Ok(number) => json!(number),
                Err(_) => json!(text),
            },
            _ => json!(text),
        })
    }

    fn find_resource(&self, id: &str, location: &str) -> Result<&Value, ResolveError> {
        match self.template["Resources"].get(id) {
            Some(resource) => Ok(resource),
            None => fail(location, format!("there is no `{id}`")),
        }
    }

    /// A property of a resource as text; its logical id where AWS would make a name up.
    fn read_property(&self, id: &str, property: &str, location: &str) -> Result<String, ResolveError> {
        let mut text = None;
        if let Some(value) = self.find_resource(id, location)?["Properties"].get(property) {
            text = self.resolve_value(value, location)?.as_ref().map(show_value);
        }
        Ok(text.unwrap_or_else(|| id.to_owned()))
    }

    /// The value of a `Ref` to a resource: its name, or for a topic its ARN and for a queue its URL.
    fn reference_resource(&self, id: &str, location: &str) -> Result<String, ResolveError> {
        let kind = read_text(&self.find_resource(id, location)?["Type"]);
        let name_property = match kind {
            "AWS::SNS::Topic" => "TopicName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::Events::Rule" => "Name",
            "AWS::IAM::Role" => "RoleName",
            "AWS::Lambda::Function" => "FunctionName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::S3::Bucket" => "BucketName",
            _ => return Ok(id.to_owned()),
        };
        let name = self.read_property(id, name_property, location)?;
        Ok(match kind {
            "AWS::SNS::Topic" => self.site.arn("sns", &name),
            "AWS::SQS::Queue" => {
                format!("https://sqs.{}.amazonaws.com/{}/{name}", self.site.region, self.site.account)
            }
            _ => name,
        })
    }

    /// The value of an `Fn::GetAtt`; `<id>.<attribute>` where AWS would make a value up.
    fn resolve_attribute(&self, id: &str, attribute: &str, location: &str) -> Result<Value, ResolveError> {
        let kind = read_text(&self.find_resource(id, location)?["Type"]);
        let read = |property: &str| self.read_property(id, property, location);
        let site = self.site;
        Ok(json!(match (kind, attribute) {
            ("AWS::SQS::Queue", "Arn") => site.arn("sqs", &read("QueueName")?),
            ("AWS::SQS::Queue", "QueueName") => read("QueueName")?,
            ("AWS::SNS::Topic", "TopicName") => read("TopicName")?,
            ("AWS::DynamoDB::Table", "Arn") => site.arn("dynamodb", &format!("table/{}", read("TableName")?)),
            ("AWS::Events::Rule", "Arn") => site.arn("events", &format!("rule/{}", read("Name")?)),
            ("AWS::IAM::Role", "Arn") => site.global_arn("iam", &format!("role/{}", read("RoleName")?)),
            ("AWS::Lambda::Function", "Arn") => {
                site.arn("lambda", &format!("function:{}", read("FunctionName")?))
            }
            ("AWS::Logs::LogGroup", "Arn") => {
                site.arn("logs", &format!("log-group:{}:*", read("LogGroupName")?))
            }
            ("AWS::KMS::Key", "Arn") => site.arn("kms", &format!("key/{id}")),
            ("AWS::S3::Bucket", "Arn") => format!("arn:{}:s3:::{}", site.partition, read("BucketName")?),
            _ => format!("{id}.{attribute}"),
        }))
    }

    /// Fills the `${...}` of an `Fn::Sub`: names of its own map, attributes, references. `${!Literal}` stays as `${Literal}`.
    fn substitute(
        &self,
        template: &str,
        names: &Map<String, Value>,
        location: &str,
    ) -> Result<Value, ResolveError> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, after_name)) = after.split_once('}') else {
                return fail(location, "there is a `${` without its end".to_owned());
            };
            rest = after_name;
            if let Some(literal) = name.strip_prefix('!') {
                filled.extend(["${", literal, "}"]);
                continue;
            }
            let value = match (names.get(name), name.split_once('.')) {
                (Some(value), _) => self.resolve_value(value, location)?,
                (None, Some((id, attribute))) => Some(self.resolve_attribute(id, attribute, location)?),
                (None, None) => self.resolve_reference(name, location)?,
            };
            filled.push_str(&show_value(&value.unwrap_or_default()));
        }
        filled.push_str(rest);
        Ok(json!(filled))
    }
}

/// A value as a substitution shows it: without quotes, a list with commas.
fn show_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(show_value).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn fail<T>(location: &str, reason: String) -> Result<T, ResolveError> {
    Err(ResolveError { location: location.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse_template;

    fn resolved(properties: &str) -> Result<Value, ResolveError> {
        let text = format!(
            "Parameters:\n  P: {{Type: String, Default: pre}}\n  L: {{Type: CommaDelimitedList, Default: \"\"}}\nMappings:\n  M: {{pre: {{X: 7}}}}\n\
             Conditions:\n  C: !Equals [!Ref P, pre]\n  D: !Not [!Equals [!Ref P, pre]]\nResources:\n  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub \"${{P}}-q\"}}}}\n\
             \n  R: {{Type: X, Properties: {properties}}}\n"
        );
        let site = DeploymentSite::new("111122223333", "eu-west-1");
        Ok(resolve_resources(&parse_template(&text).unwrap(), &site)?["R"]["Properties"].clone())
    }

    #[test]
    fn functions_become_the_values_that_they_stand_for() {
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
    fn a_missing_part_is_an_error_with_its_location() {
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
