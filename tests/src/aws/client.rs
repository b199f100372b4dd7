//! The three protocols of AWS, with a credential scope and no signature.

use serde_json::Value;

use crate::PATIENCE;

/// Makes calls in one account and Region of an emulator.
#[derive(Clone, Debug)]
pub struct EmulatorClient {
    agent: ureq::Agent,
    endpoint: String,
    account: String,
    region: String,
}

/// A call that the emulator refused, and its answer.
#[derive(Debug)]
pub struct RefusedCall {
    /// The HTTP status.
    pub status: u16,
    /// The body, which names the error.
    pub body: String,
}

impl EmulatorClient {
    /// A client for `account` (twelve digits) in `region` at `endpoint`.
    pub fn new(endpoint: &str, account: &str, region: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
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
    /// If the emulator refuses the call.
    pub fn try_json(&self, service: &str, target: &str, body: &Value) -> Result<Value, RefusedCall> {
        let request = self
            .agent
            .post(format!("{}/", self.endpoint))
            .header("authorization", self.authorization(service))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        read_answer(request.send(body.to_string()))
            .map(|body| serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// A call in AWS JSON.
    pub fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        self.try_json(service, target, body)
            .unwrap_or_else(|refused| panic!("{target} answered {}: {}", refused.status, refused.body))
    }

    /// A call in the Query protocol; gives the XML back.
    pub fn query(&self, service: &str, version: &str, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut form = vec![("Action", action), ("Version", version)];
        form.extend_from_slice(parameters);
        let request = self
            .agent
            .post(format!("{}/", self.endpoint))
            .header("authorization", self.authorization(service));
        read_answer(request.send_form(form))
            .unwrap_or_else(|refused| panic!("{action} answered {}: {}", refused.status, refused.body))
    }

    /// A call in the Query protocol with a body as it is.
    ///
    /// # Errors
    ///
    /// If the emulator refuses the call.
    pub fn try_form(&self, service: &str, body: &[u8]) -> Result<String, RefusedCall> {
        let request = self
            .agent
            .post(format!("{}/", self.endpoint))
            .header("authorization", self.authorization(service))
            .header("content-type", "application/x-www-form-urlencoded");
        read_answer(request.send(body))
    }

    /// A call in REST-JSON with a body.
    ///
    /// # Errors
    ///
    /// If the emulator refuses the call.
    pub fn try_post(&self, service: &str, path: &str, body: &[u8]) -> Result<String, RefusedCall> {
        let request = self
            .agent
            .post(format!("{}{path}", self.endpoint))
            .header("authorization", self.authorization(service))
            .header("content-type", "application/json");
        read_answer(request.send(body))
    }

    /// Puts an object into S3, or makes a bucket of the path's only part.
    ///
    /// # Errors
    ///
    /// If the emulator refuses the call.
    pub fn try_put(&self, path: &str, body: &[u8]) -> Result<String, RefusedCall> {
        let request = self.agent.put(format!("{}{path}", self.endpoint));
        read_answer(request.header("authorization", self.authorization("s3")).send(body))
    }

    /// A `DELETE` in REST-JSON.
    ///
    /// # Errors
    ///
    /// If the emulator refuses the call.
    pub fn try_delete(&self, service: &str, path: &str) -> Result<String, RefusedCall> {
        let request = self
            .agent
            .delete(format!("{}{path}", self.endpoint))
            .header("authorization", self.authorization(service));
        read_answer(request.call())
    }

    fn authorization(&self, service: &str) -> String {
        let account = &self.account;
        let region = &self.region;
        format!(
            "AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }
}

fn read_answer(
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<String, RefusedCall> {
    let mut response = response.unwrap_or_else(|error| panic!("the emulator does not answer: {error}"));
    let status = response.status();
    let body = response.body_mut().read_to_string().unwrap_or_else(|error| format!("(unreadable: {error})"));
    if status.is_success() { Ok(body) } else { Err(RefusedCall { status: status.as_u16(), body }) }
}
