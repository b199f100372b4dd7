//! The dashboard: its template, and a picture of it with synthetic data.

mod body;
mod picture;
mod series;

pub(crate) use body::render_dashboard_template;
pub use picture::draw_dashboard;
