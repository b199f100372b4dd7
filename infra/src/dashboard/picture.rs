//! A picture of the dashboard, as SVG: its widgets in their positions, with synthetic series of one day.

use std::fmt::{self, Write as _};

use serde_json::Value;

use super::body::dashboard_body;
use super::series::{POINTS_A_DAY, synthetic_series};
use crate::json::{list_items, read_text};

/// The width of one of the 24 columns, in pixels.
const COLUMN_WIDTH: i64 = 56;
/// The height of one unit, in pixels.
const UNIT_HEIGHT: i64 = 38;
/// The pixels above the first widget.
const HEADER_HEIGHT: i64 = 58;
/// The pixels around everything.
const PICTURE_MARGIN: i64 = 16;
/// The pixels between two widgets.
const WIDGET_GAP: i64 = 6;

/// The colours that `CloudWatch` gives the metrics of a widget, in their order.
const METRIC_COLOURS: [&str; 8] =
    ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"];

/// Styles of texts.
const TITLE_STYLE: &str = "font-size=\"18\" font-weight=\"bold\" fill=\"#16191f\"";
const SUBTITLE_STYLE: &str = "font-size=\"12\" fill=\"#545b64\"";
const HEADING_STYLE: &str = "font-size=\"15\" font-weight=\"bold\" fill=\"#16191f\"";
const CHART_TITLE_STYLE: &str = "font-size=\"12\" font-weight=\"bold\" fill=\"#16191f\"";
const UNIT_STYLE: &str = "font-size=\"10\" fill=\"#687078\"";
const LEGEND_STYLE: &str = "font-size=\"10\" fill=\"#16191f\"";
const VALUE_STYLE: &str = "font-size=\"9\" fill=\"#687078\" text-anchor=\"end\"";
const HOUR_STYLE: &str = "font-size=\"9\" fill=\"#687078\" text-anchor=\"middle\"";

/// The picture: one SVG file without scripts, fonts and links.
pub fn draw_dashboard() -> String {
    let body = dashboard_body();
    let mut frames = Vec::new();
    let mut height = PICTURE_MARGIN;
    for widget in list_items(&body["widgets"]) {
        let frame = WidgetFrame::place(widget);
        height = height.max(frame.top + frame.height + PICTURE_MARGIN);
        frames.push(frame);
    }
    let width = 24 * COLUMN_WIDTH + 2 * PICTURE_MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"The dashboard of secrets-responder with synthetic data\" font-family=\"Helvetica, Arial, sans-serif\">\n\
         <!-- Generated with the templates from infra/src/dashboard. Do not edit. -->\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#f2f3f3\"/>\n"
    );
    draw_text(&mut svg, (PICTURE_MARGIN, 28), TITLE_STYLE, "secrets-responder");
    let story =
        "Synthetic data: one day, with a wave of rotations at 03:00 and a theft at 14:20. Times are UTC.";
    draw_text(&mut svg, (PICTURE_MARGIN, 47), SUBTITLE_STYLE, story);
    for frame in &frames {
        frame.draw(&mut svg);
    }
    svg + "</svg>\n"
}

/// A widget, and its position in pixels.
struct WidgetFrame<'b> {
    properties: &'b Value,
    left: i64,
    top: i64,
    width: i64,
    height: i64,
}

impl<'b> WidgetFrame<'b> {
    fn place(widget: &'b Value) -> Self {
        let number = |name: &str| widget[name].as_i64().unwrap_or_default();
        Self {
            properties: &widget["properties"],
            left: PICTURE_MARGIN + number("x") * COLUMN_WIDTH,
            top: HEADER_HEIGHT + number("y") * UNIT_HEIGHT,
            width: number("width") * COLUMN_WIDTH,
            height: number("height") * UNIT_HEIGHT,
        }
    }

    fn draw(&self, svg: &mut String) {
        match self.properties["markdown"].as_str() {
            Some(markdown) => {
                let heading = markdown.trim_start_matches('#').trim();
                draw_text(svg, (self.left + 2, self.top + 26), HEADING_STYLE, heading);
            }
            None => self.draw_chart(svg),
        }
    }

    fn draw_chart(&self, svg: &mut String) {
        let left = self.left + WIDGET_GAP / 2;
        let top = self.top + WIDGET_GAP / 2;
        let width = self.width - WIDGET_GAP;
        let height = self.height - WIDGET_GAP;
        draw(
            svg,
            format_args!(
                "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"3\" fill=\"#ffffff\" stroke=\"#d5dbdb\"/>"
            ),
        );
        let title = read_text(&self.properties["title"]);
        draw_text(svg, (left + 10, top + 19), CHART_TITLE_STYLE, title);
        let unit = read_text(&self.properties["yAxis"]["left"]["label"]);
        draw_text(svg, (left + 10, top + 35), UNIT_STYLE, unit);
        let mut series = Vec::new();
        let mut greatest = 0;
        for metric in list_items(&self.properties["metrics"]) {
            if is_metric(metric) {
                let synthetic = ChartSeries::synthesise(metric);
                greatest = synthetic.values.iter().copied().fold(greatest, i64::max);
                series.push(synthetic);
            }
        }
        let rows = lay_out_legend(&series, width - 20);
        let legend_height = i64::try_from(rows.len()).unwrap_or_default() * 15;
        let plot = PlotArea {
            left: left + 44,
            top: top + 46,
            width: width - 58,
            height: height - 46 - 26 - legend_height,
            upper_value: round_up(greatest),
        };
        plot.draw_axes(svg);
        // The first metrics lie on top of the others.
        for (index, one) in series.iter().enumerate().rev() {
            plot.draw_line(svg, &one.values, metric_colour(index));
        }
        let mut y = plot.top + plot.height + 33;
        for row in rows {
            let mut x = left + 10;
            for (index, length) in row {
                let Some(one) = series.get(index) else { continue };
                draw(
                    svg,
                    format_args!(
                        "<rect x=\"{x}\" y=\"{}\" width=\"9\" height=\"9\" rx=\"1\" fill=\"{}\"/>",
                        y - 8,
                        metric_colour(index)
                    ),
                );
                draw_text(svg, (x + 13, y), LEGEND_STYLE, &one.label);
                x += length;
            }
            y += 15;
        }
    }
}

/// The colour of a metric by its index in the widget.
fn metric_colour(index: usize) -> &'static str {
    METRIC_COLOURS.get(index % METRIC_COLOURS.len()).copied().unwrap_or("#000000")
}

/// Whether it is a metric, and not the expression that fills the gaps of the next one: synthetic series have no gaps.
fn is_metric(metric: &Value) -> bool {
    metric[0].is_string()
}

/// One line of a chart.
struct ChartSeries {
    label: String,
    values: [i64; POINTS_A_DAY],
}

impl ChartSeries {
    /// Makes up a series for `[namespace, name, dimension, value, {label, stat}]`.
    fn synthesise(metric: &Value) -> Self {
        let name = read_text(&metric[1]);
        let dimension = read_text(&metric[3]).trim_start_matches("${Prefix}-");
        let label = read_text(&metric[4]["label"]);
        let shown = match (label, read_text(&metric[0])) {
            ("", "AWS/DynamoDB") => name,
            ("", _) => dimension,
            _ => label,
        };
        Self { label: shown.to_owned(), values: synthetic_series(name, dimension, label) }
    }
}

/// The rows of a legend: for each entry the index of its series, and its width in pixels.
fn lay_out_legend(series: &[ChartSeries], width: i64) -> Vec<Vec<(usize, i64)>> {
    let mut rows: Vec<Vec<(usize, i64)>> = vec![Vec::new()];
    let mut used = 0;
    for (index, one) in series.iter().enumerate() {
        // A letter of this size is about 5.2 pixels wide.
        let length = 13 + 16 + i64::try_from(one.label.chars().count()).unwrap_or_default() * 52 / 10;
        if used > 0 && used + length > width {
            rows.push(Vec::new());
            used = 0;
        }
        used += length;
        if let Some(row) = rows.last_mut() {
            row.push((index, length));
        }
    }
    rows
}

/// Where the lines of a chart are.
struct PlotArea {
    left: i64,
    top: i64,
    width: i64,
    height: i64,
    /// The value at the upper edge.
    upper_value: i64,
}

impl PlotArea {
    fn draw_axes(&self, svg: &mut String) {
        let right = self.left + self.width;
        // A count of one has no half.
        let steps = if self.upper_value < 4 { self.upper_value } else { 4 };
        for step in 0..=steps {
            let y = self.top + self.height - self.height * step / steps;
            let colour = if step == 0 { "#aab7b8" } else { "#eaeded" };
            draw(
                svg,
                format_args!(
                    "<line x1=\"{}\" y1=\"{y}\" x2=\"{right}\" y2=\"{y}\" stroke=\"{colour}\"/>",
                    self.left
                ),
            );
            let value = show_fraction(self.upper_value * step, steps);
            draw_text(svg, (self.left - 6, y + 3), VALUE_STYLE, &value);
        }
        for hour in [0, 6, 12, 18, 24] {
            let x = self.left + self.width * hour / 24;
            draw_text(svg, (x, self.top + self.height + 14), HOUR_STYLE, &format!("{hour:02}:00"));
        }
    }

    fn draw_line(&self, svg: &mut String, values: &[i64; POINTS_A_DAY], colour: &str) {
        let last = i64::try_from(POINTS_A_DAY).unwrap_or(2) - 1;
        let mut points = Vec::new();
        for (index, (value, at)) in values.iter().zip(0_i64..).enumerate() {
            // A point between two points of the same value changes nothing.
            let neighbours = [index.checked_sub(1), index.checked_add(1)];
            if neighbours.iter().all(|near| near.is_some_and(|near| values.get(near) == Some(value))) {
                continue;
            }
            // In tenths of a pixel.
            let x = 10 * self.left + 10 * self.width * at / last;
            let y = 10 * (self.top + self.height) - 10 * self.height * value / self.upper_value;
            points.push(format!("{}.{},{}.{}", x / 10, x % 10, y / 10, y % 10));
        }
        draw(
            svg,
            format_args!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" stroke-linejoin=\"round\"/>",
                points.join(" ")
            ),
        );
    }
}

/// The least of 1, 2, 4, 6, 8, 10, 20, 40, ... that is not below a value.
fn round_up(value: i64) -> i64 {
    let mut power = 1;
    while power * 10 <= value {
        power *= 10;
    }
    for digit in [1, 2, 4, 6, 8] {
        if digit * power >= value {
            return digit * power;
        }
    }
    power * 10
}

/// A fraction with at most one decimal: `750`, `2.5`, `40k`.
fn show_fraction(numerator: i64, denominator: i64) -> String {
    let is_thousands = numerator >= 10_000 * denominator;
    let tenths =
        if is_thousands { numerator * 10 / denominator / 1_000 } else { numerator * 10 / denominator };
    let unit = if is_thousands { "k" } else { "" };
    match tenths % 10 {
        0 => format!("{}{unit}", tenths / 10),
        tenth => format!("{}.{tenth}{unit}", tenths / 10),
    }
}

fn draw_text(svg: &mut String, (x, y): (i64, i64), style: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    draw(svg, format_args!("<text x=\"{x}\" y=\"{y}\" {style}>{text}</text>"));
}

/// Appends one element on a line of its own.
fn draw(svg: &mut String, element: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "{element}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_widget_and_every_metric_is_drawn_within_the_picture() {
        let svg = draw_dashboard();
        let body = dashboard_body();
        let widgets = body["widgets"].as_array().unwrap();
        let mut lines = 0;
        for widget in widgets {
            let properties = &widget["properties"];
            if let Some(title) = properties["title"].as_str() {
                assert!(svg.contains(&format!(">{title}</text>")), "{title}");
            }
            lines += properties["metrics"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|metric| is_metric(metric))
                .count();
        }
        assert_eq!(svg.matches("<polyline").count(), lines);
        let comments = svg.split("<!--").skip(1).filter_map(|rest| rest.split("-->").next());
        assert!(comments.clone().count() == 1 && comments.clone().all(|words| !words.contains("--")));
        assert!(svg.contains("Synthetic data") && !svg.contains("${") && !svg.contains("<script"));
        let height = HEADER_HEIGHT + 28 * UNIT_HEIGHT + PICTURE_MARGIN;
        assert!(svg.contains(&format!("height=\"{height}\"")), "the widgets end at 28 units");
    }

    #[test]
    fn axes_end_at_round_numbers() {
        let ends = [0, 1, 3, 5, 9, 11, 170, 4_100].map(round_up);
        assert_eq!(ends, [1, 1, 4, 6, 10, 20, 200, 6_000]);
        assert_eq!(
            (show_fraction(3 * 1_000, 4), show_fraction(10, 4), show_fraction(40_000, 1)),
            ("750".into(), "2.5".into(), "40k".into())
        );
    }
}
