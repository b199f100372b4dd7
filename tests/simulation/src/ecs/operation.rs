//! The operations of the API that are modelled, and how AWS throttles them.

/// An operation of ECS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EcsOperation {
    /// `ListClusters`.
    ListClusters,
    /// `ListServices`.
    ListServices,
    /// `DescribeServices`.
    DescribeServices,
    /// `DescribeTaskDefinition`.
    DescribeTaskDefinition,
    /// `UpdateService`.
    UpdateService,
    /// `ListDaemons`.
    ListDaemons,
    /// `DescribeDaemon`.
    DescribeDaemon,
    /// `DescribeDaemonRevisions`.
    DescribeDaemonRevisions,
    /// `DescribeDaemonTaskDefinition`.
    DescribeDaemonTaskDefinition,
}

/// The operations that share a token bucket (developer guide of ECS, "Request throttling for the Amazon ECS API").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ThrottleFamily {
    ClusterRead,
    ServiceRead,
    ServiceModify,
    TaskDefinitionRead,
}

impl EcsOperation {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::ListClusters,
        Self::ListServices,
        Self::DescribeServices,
        Self::DescribeTaskDefinition,
        Self::UpdateService,
        Self::ListDaemons,
        Self::DescribeDaemon,
        Self::DescribeDaemonRevisions,
        Self::DescribeDaemonTaskDefinition,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListClusters => "ListClusters",
            Self::ListServices => "ListServices",
            Self::DescribeServices => "DescribeServices",
            Self::DescribeTaskDefinition => "DescribeTaskDefinition",
            Self::UpdateService => "UpdateService",
            Self::ListDaemons => "ListDaemons",
            Self::DescribeDaemon => "DescribeDaemon",
            Self::DescribeDaemonRevisions => "DescribeDaemonRevisions",
            Self::DescribeDaemonTaskDefinition => "DescribeDaemonTaskDefinition",
        }
    }

    pub(super) fn throttle_family(self) -> ThrottleFamily {
        match self {
            // AWS documents no family for the calls about daemons: taken to be as scarce as the scarcest reads.
            Self::ListClusters | Self::ListDaemons | Self::DescribeDaemon | Self::DescribeDaemonRevisions => {
                ThrottleFamily::ClusterRead
            }
            Self::ListServices | Self::DescribeServices => ThrottleFamily::ServiceRead,
            Self::DescribeTaskDefinition | Self::DescribeDaemonTaskDefinition => {
                ThrottleFamily::TaskDefinitionRead
            }
            Self::UpdateService => ThrottleFamily::ServiceModify,
        }
    }
}

impl ThrottleFamily {
    /// All of them, each with its burst and with its rate a second.
    pub(super) const LIMITS: [(Self, u32, u32); 4] = [
        (Self::ClusterRead, 50, 20),
        (Self::ServiceRead, 100, 20),
        (Self::ServiceModify, 50, 5),
        (Self::TaskDefinitionRead, 50, 20),
    ];
}
