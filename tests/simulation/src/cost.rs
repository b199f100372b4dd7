//! The cost of a month: estates of three sizes, measured by running the engine on scaled-down months, and priced; beside a design that
//! answers each read by itself.

mod bill;
mod document;
mod estate;
mod measure;
mod month;
mod numbers;
mod price;

pub use document::write_document;
pub use estate::{COST_ESTATES, CostEstate};
pub use measure::{MeasuredMonth, MonthlyUsage, measure_month};
