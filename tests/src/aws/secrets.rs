//! Secrets Manager: secrets and their values.

use serde_json::{Value, json};

use super::EmulatorClient;

impl EmulatorClient {
    /// Creates a secret; gives its ARN back, with the six random characters. Publishes no event.
    pub fn create_secret(&self, name: &str) -> String {
        let answer = self.secrets_manager("CreateSecret", &json!({"Name": name, "SecretString": "first"}));
        answer["ARN"].as_str().unwrap_or_else(|| panic!("no ARN: {answer}")).to_owned()
    }

    /// Gives a secret a new current value, which publishes `Secret Label Updated`; gives the version id back.
    pub fn put_secret_value(&self, secret: &str, value: &str) -> String {
        let answer =
            self.secrets_manager("PutSecretValue", &json!({"SecretId": secret, "SecretString": value}));
        answer["VersionId"].as_str().unwrap_or_else(|| panic!("no version id: {answer}")).to_owned()
    }

    fn secrets_manager(&self, action: &str, body: &Value) -> Value {
        self.json("secretsmanager", &format!("secretsmanager.{action}"), body)
    }
}
