//! Revisions of task definitions, and what their tasks read when they start.

/// A revision of a task definition. It never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisteredTaskDefinition {
    /// Its ARN; assigned when it is registered.
    pub arn: String,
    /// Its family.
    pub family: String,
    /// Its number in the family; assigned when it is registered.
    pub revision: u32,
    /// The ARN of the role that reads the secrets.
    pub execution_role: Option<String>,
    /// Its containers.
    pub containers: Vec<TaskContainer>,
    /// `fsxWindowsFileServerVolumeConfiguration.authorizationConfig.credentialsParameter` of its volumes.
    pub fsx_credentials: Vec<String>,
}

/// A container of a task definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskContainer {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// `secrets[].valueFrom`.
    pub secrets: Vec<String>,
    /// `logConfiguration.secretOptions[].valueFrom`.
    pub log_secrets: Vec<String>,
    /// `repositoryCredentials.credentialsParameter`.
    pub repository_credentials: Option<String>,
}

impl RegisteredTaskDefinition {
    /// Every reference to a secret that a starting task reads.
    pub fn references(&self) -> Vec<String> {
        let mut references = Vec::new();
        for container in &self.containers {
            references.extend_from_slice(&container.secrets);
            references.extend_from_slice(&container.log_secrets);
            references.extend(container.repository_credentials.clone());
        }
        references.extend_from_slice(&self.fsx_credentials);
        references
    }
}
