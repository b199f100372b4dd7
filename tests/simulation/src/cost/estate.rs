//! The three estates whose months are priced.

use responder_core::time::Span;

/// An estate, and what happens in it in a month of 30 days.
#[derive(Clone, Copy, Debug)]
pub struct CostEstate {
    /// Its name.
    pub name: &'static str,
    /// Regions; secrets and reads are spread evenly, services and rotations are all at home.
    pub regions: u64,
    /// Clusters.
    pub clusters: u64,
    /// Services; each uses two secrets.
    pub services: u64,
    /// Secrets.
    pub secrets: u64,
    /// Roles that read by themselves, as often as each other.
    pub readers: u64,
    /// Reads a month, without those of tasks that start.
    pub reads: u64,
    /// Rotations a month.
    pub rotations: u64,
    /// Pages a month, updates and closings included.
    pub pages: u64,
    /// How many minutes of reads are simulated.
    pub sampled_minutes: u64,
    /// How many rotations are simulated.
    pub sampled_rotations: u64,
}

/// Small, medium and large.
pub const COST_ESTATES: [CostEstate; 3] = [
    CostEstate {
        name: "small",
        regions: 1,
        clusters: 1,
        services: 10,
        secrets: 20,
        readers: 10,
        reads: 100_000,
        rotations: 20,
        pages: 5,
        sampled_minutes: 240,
        sampled_rotations: 20,
    },
    CostEstate {
        name: "medium",
        regions: 3,
        clusters: 5,
        services: 200,
        secrets: 300,
        readers: 150,
        reads: 3_000_000,
        rotations: 600,
        pages: 20,
        sampled_minutes: 30,
        sampled_rotations: 30,
    },
    CostEstate {
        name: "large",
        regions: 8,
        clusters: 20,
        services: 1_000,
        secrets: 2_000,
        readers: 1_500,
        reads: 30_000_000,
        rotations: 6_000,
        pages: 100,
        sampled_minutes: 10,
        sampled_rotations: 30,
    },
];

/// Minutes in a month of 30 days.
pub(super) const MONTH_MINUTES: u64 = 43_200;

/// A length of time in minutes.
pub(super) fn minutes(count: u64) -> Span {
    Span::from_secs(i64::try_from(count * 60).unwrap_or_default())
}
