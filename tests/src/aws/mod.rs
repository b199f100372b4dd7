//! A blocking client for the emulator: the three protocols, and one file of helpers per service.
//!
//! It is not an AWS client: requests carry a credential scope, which tells the emulator account and Region, and no signature. A refused call panics with the
//! emulator's answer.

mod compute;
mod dynamodb;
mod ecs;
mod messaging;
mod secrets;

use std::time::Duration;

use serde_json::Value;

pub use compute::zip_of;
pub use messaging::{Message, Queue};

/// Calls in one account and Region of an emulator.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    endpoint: String,
    account: String,
    region: String,
}

/// What the emulator refused, and its answer.
#[derive(Debug)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The body, which names the error.
    pub body: String,
}

impl Client {
    /// A client for `account` (twelve digits) in `region` at `endpoint`.
    pub fn new(endpoint: &str, account: &str, region: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .into();
        Self { agent, endpoint: endpoint.to_owned(), account: account.to_owned(), region: region.to_owned() }
    }

    /// The twelve digits; also the access key.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The Region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where the emulator listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The ARN of a resource of this account and Region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// A call in AWS JSON: `target` is the value of `X-Amz-Target`.
    ///
    /// # Errors
    ///
    /// What the emulator refused.
    pub fn try_json(&self, service: &str, target: &str, body: &Value) -> Result<Value, Refused> {
        let request = self
            .agent
            .post(format!("{}/", self.endpoint))
            .header("authorization", self.authorization(service))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        answer(request.send(body.to_string())).map(|body| serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// A call in AWS JSON.
    pub fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        self.try_json(service, target, body)
            .unwrap_or_else(|refused| panic!("{target} answered {}: {}", refused.status, refused.body))
    }

    /// A call in the Query protocol; gives the XML back.
    pub fn query(&self, service: &str, version: &str, action: &str, parameters: &[(&str, &str)]) -> String {
        let form = [("Action", action), ("Version", version)].into_iter().chain(parameters.iter().copied());
        let request = self
            .agent
            .post(format!("{}/", self.endpoint))
            .header("authorization", self.authorization(service));
        answer(request.send_form(form))
            .unwrap_or_else(|refused| panic!("{action} answered {}: {}", refused.status, refused.body))
    }

    /// A call in the Query protocol with a body as it is.
    ///
    /// # Errors
    ///
    /// What the emulator refused.
    pub fn try_form(&self, service: &str, body: &[u8]) -> Result<String, Refused> {
        let request = self
            .agent
            .post(format!("{}/", self.endpoint))
            .header("authorization", self.authorization(service))
            .header("content-type", "application/x-www-form-urlencoded");
        answer(request.send(body))
    }

    /// A call in REST-JSON with a body.
    ///
    /// # Errors
    ///
    /// What the emulator refused.
    pub fn try_post(&self, service: &str, path: &str, body: &[u8]) -> Result<String, Refused> {
        let request = self
            .agent
            .post(format!("{}{path}", self.endpoint))
            .header("authorization", self.authorization(service))
            .header("content-type", "application/json");
        answer(request.send(body))
    }

    /// Puts an object into S3, or makes a bucket of the path's only part.
    ///
    /// # Errors
    ///
    /// What the emulator refused.
    pub fn try_put(&self, path: &str, body: &[u8]) -> Result<String, Refused> {
        let request = self.agent.put(format!("{}{path}", self.endpoint));
        answer(request.header("authorization", self.authorization("s3")).send(body))
    }

    /// A `DELETE` in REST-JSON; what is already gone is fine.
    ///
    /// # Errors
    ///
    /// What the emulator refused.
    pub fn try_delete(&self, service: &str, path: &str) -> Result<String, Refused> {
        let request = self
            .agent
            .delete(format!("{}{path}", self.endpoint))
            .header("authorization", self.authorization(service));
        answer(request.call())
    }

    fn authorization(&self, service: &str) -> String {
        let (account, region) = (&self.account, &self.region);
        format!(
            "AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<String, Refused> {
    let mut response = response.unwrap_or_else(|error| panic!("the emulator does not answer: {error}"));
    let status = response.status();
    let body = response.body_mut().read_to_string().unwrap_or_else(|error| format!("(unreadable: {error})"));
    if status.is_success() { Ok(body) } else { Err(Refused { status: status.as_u16(), body }) }
}
