//! What a month costs: estates of three sizes, measured by running the engine on scaled-down months, and priced; beside a design that
//! answers each read by itself.

mod bill;
mod estate;
mod measure;
mod price;
mod table;

pub use estate::{ESTATES, Estate};
pub use measure::{Measured, measure};
pub use table::document;

/// A count as a number to multiply; what is counted here is far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}
