//! ECS: clusters, task definitions, services and their deployments.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::EmulatorClient;

impl EmulatorClient {
    /// Creates a cluster.
    pub fn create_cluster(&self, name: &str) {
        self.ecs("CreateCluster", &json!({"clusterName": name}));
    }

    /// Registers a revision; `containers` is `containerDefinitions`. Gives the ARN back.
    pub fn register_task_definition(&self, family: &str, containers: &Value) -> String {
        let answer = self
            .ecs("RegisterTaskDefinition", &json!({"family": family, "containerDefinitions": containers}));
        text(&answer["taskDefinition"]["taskDefinitionArn"])
    }

    /// Creates a service with one task; `more` is merged into the request (`deploymentController`, `tags`, ...). Gives the ARN back.
    pub fn create_service(&self, cluster: &str, name: &str, task_definition: &str, more: &Value) -> String {
        let mut request = json!({"cluster": cluster, "serviceName": name, "taskDefinition": task_definition, "desiredCount": 1});
        for (key, value) in more.as_object().into_iter().flatten() {
            request[key] = value.clone();
        }
        text(&self.ecs("CreateService", &request)["service"]["serviceArn"])
    }

    /// A service as `DescribeServices` gives it.
    pub fn describe_service(&self, cluster: &str, name: &str) -> Value {
        let answer = self.ecs("DescribeServices", &json!({"cluster": cluster, "services": [name]}));
        let service = answer["services"].get(0).cloned();
        service.unwrap_or_else(|| panic!("no service {cluster}/{name}: {answer}"))
    }

    /// The id of the PRIMARY deployment of every service of the account, by service ARN: compare two to see what was redeployed.
    pub fn primary_deployments(&self) -> BTreeMap<String, String> {
        let mut deployments = BTreeMap::new();
        for cluster in texts(&self.ecs("ListClusters", &json!({}))["clusterArns"]) {
            for service in texts(&self.ecs("ListServices", &json!({"cluster": cluster}))["serviceArns"]) {
                let described = self.describe_service(&cluster, &service);
                let primary = described["deployments"].as_array().into_iter().flatten();
                let primary = primary.into_iter().find(|deployment| deployment["status"] == "PRIMARY");
                if let Some(deployment) = primary {
                    deployments.insert(service, text(&deployment["id"]));
                }
            }
        }
        deployments
    }

    fn ecs(&self, action: &str, body: &Value) -> Value {
        self.json("ecs", &format!("AmazonEC2ContainerServiceV20141113.{action}"), body)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}
