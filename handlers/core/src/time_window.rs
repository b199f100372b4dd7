//! Windows of the week, such as `Mon-Fri 09:00-17:00 Europe/Berlin`: their meaning, and how they are written.

mod grammar;
mod weekly_window;

pub use grammar::TimeWindowError;
pub use weekly_window::TimeWindow;
