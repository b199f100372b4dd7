//! A picture of the dashboard, as SVG: its widgets where they are, with made-up series of one day.

mod series;

use std::fmt::Write as _;

use serde_json::Value;

use crate::dashboard;
use series::{POINTS, series};

/// Pixels of one of the 24 columns, and of one unit of height.
const COLUMN: i64 = 56;
const UNIT: i64 = 38;
/// Above the first widget, and around everything.
const HEAD: i64 = 58;
const MARGIN: i64 = 16;
/// Between widgets.
const GAP: i64 = 6;

/// As `CloudWatch` colours the metrics of a widget.
const COLOURS: [&str; 8] =
    ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"];

/// The colour of a metric by its place.
fn colour(index: usize) -> &'static str {
    COLOURS.get(index % COLOURS.len()).copied().unwrap_or("#000000")
}

/// The picture: one file without scripts, fonts and links.
pub fn picture() -> String {
    let body = dashboard::body();
    let widgets: Vec<Widget<'_>> = body["widgets"].as_array().into_iter().flatten().map(Widget::of).collect();
    let bottom = widgets.iter().map(|widget| widget.top + widget.height).max().unwrap_or_default();
    let (width, height) = (24 * COLUMN + 2 * MARGIN, bottom + MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"The dashboard of secrets-responder with synthetic data\" font-family=\"Helvetica, Arial, sans-serif\">\n\
         <!-- Generated with the templates from infra/src/dashboard.rs. Do not edit. -->\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#f2f3f3\"/>\n"
    );
    text(
        &mut out,
        (MARGIN, 28),
        "font-size=\"18\" font-weight=\"bold\" fill=\"#16191f\"",
        "secrets-responder",
    );
    let story =
        "Synthetic data: one day, with a wave of rotations at 03:00 and a theft at 14:20. Times are UTC.";
    text(&mut out, (MARGIN, 47), "font-size=\"12\" fill=\"#545b64\"", story);
    for widget in &widgets {
        widget.draw(&mut out);
    }
    out + "</svg>\n"
}

/// A widget and its place in pixels.
struct Widget<'b> {
    properties: &'b Value,
    left: i64,
    top: i64,
    width: i64,
    height: i64,
}

impl<'b> Widget<'b> {
    fn of(widget: &'b Value) -> Self {
        let number = |name: &str| widget[name].as_i64().unwrap_or_default();
        Self {
            properties: &widget["properties"],
            left: MARGIN + number("x") * COLUMN,
            top: HEAD + number("y") * UNIT,
            width: number("width") * COLUMN,
            height: number("height") * UNIT,
        }
    }

    fn draw(&self, out: &mut String) {
        if let Some(markdown) = self.properties["markdown"].as_str() {
            let at = (self.left + 2, self.top + 26);
            text(
                out,
                at,
                "font-size=\"15\" font-weight=\"bold\" fill=\"#16191f\"",
                markdown.trim_start_matches('#').trim(),
            );
        } else {
            self.chart(out);
        }
    }

    fn chart(&self, out: &mut String) {
        let (left, top) = (self.left + GAP / 2, self.top + GAP / 2);
        let (width, height) = (self.width - GAP, self.height - GAP);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"3\" fill=\"#ffffff\" stroke=\"#d5dbdb\"/>"
        );
        let word =
            |pointer: &str| self.properties.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        text(
            out,
            (left + 10, top + 19),
            "font-size=\"12\" font-weight=\"bold\" fill=\"#16191f\"",
            word("/title"),
        );
        text(out, (left + 10, top + 35), "font-size=\"10\" fill=\"#687078\"", word("/yAxis/left/label"));
        let metrics: Vec<Metric> = self.properties["metrics"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|metric| is_metric(metric))
            .map(Metric::of)
            .collect();
        let rows = legend(&metrics, width - 20);
        let under = i64::try_from(rows.len()).unwrap_or_default() * 15;
        let plot = Plot {
            left: left + 44,
            top: top + 46,
            width: width - 58,
            height: height - 46 - 26 - under,
            most: nice(metrics.iter().flat_map(|metric| metric.values).max().unwrap_or_default()),
        };
        plot.axes(out);
        // The first metrics on top of the others.
        for (index, metric) in metrics.iter().enumerate().rev() {
            plot.line(out, &metric.values, colour(index));
        }
        let mut y = plot.top + plot.height + 33;
        for row in rows {
            let mut x = left + 10;
            for (index, length) in row {
                let (Some(metric), colour) = (metrics.get(index), colour(index)) else { continue };
                let _ = writeln!(
                    out,
                    "<rect x=\"{x}\" y=\"{}\" width=\"9\" height=\"9\" rx=\"1\" fill=\"{colour}\"/>",
                    y - 8
                );
                text(out, (x + 13, y), "font-size=\"10\" fill=\"#16191f\"", &metric.label);
                x += length;
            }
            y += 15;
        }
    }
}

/// Whether it is a metric, and not the expression that fills the gaps of the next one: what is made up has none.
fn is_metric(metric: &Value) -> bool {
    metric[0].is_string()
}

/// A metric of a chart.
struct Metric {
    label: String,
    values: [i64; POINTS],
}

impl Metric {
    /// From `[namespace, name, dimension, value, {label, stat}]`.
    fn of(metric: &Value) -> Self {
        let part = |index: usize| metric[index].as_str().unwrap_or_default();
        let (name, dimension) = (part(1), part(3).trim_start_matches("${Prefix}-"));
        let label =
            metric[4]["label"].as_str().unwrap_or(if part(0) == "AWS/DynamoDB" { name } else { dimension });
        Self {
            label: label.to_owned(),
            values: series(name, dimension, metric[4]["label"].as_str().unwrap_or_default()),
        }
    }
}

/// Which entries stand in which row of a legend, each with its length.
fn legend(metrics: &[Metric], width: i64) -> Vec<Vec<(usize, i64)>> {
    let mut rows: Vec<Vec<(usize, i64)>> = vec![Vec::new()];
    let mut used = 0;
    for (index, metric) in metrics.iter().enumerate() {
        // About what a letter takes at this size.
        let length = 13 + 16 + i64::try_from(metric.label.chars().count()).unwrap_or_default() * 52 / 10;
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
struct Plot {
    left: i64,
    top: i64,
    width: i64,
    height: i64,
    /// What the upper edge stands for.
    most: i64,
}

impl Plot {
    fn axes(&self, out: &mut String) {
        let right = self.left + self.width;
        // A count of one has no half.
        let steps = if self.most < 4 { self.most } else { 4 };
        for step in 0..=steps {
            let y = self.top + self.height - self.height * step / steps;
            let colour = if step == 0 { "#aab7b8" } else { "#eaeded" };
            let _ = writeln!(
                out,
                "<line x1=\"{}\" y1=\"{y}\" x2=\"{right}\" y2=\"{y}\" stroke=\"{colour}\"/>",
                self.left
            );
            let style = "font-size=\"9\" fill=\"#687078\" text-anchor=\"end\"";
            text(out, (self.left - 6, y + 3), style, &short(self.most * step, steps));
        }
        for hour in [0, 6, 12, 18, 24] {
            let x = self.left + self.width * hour / 24;
            let style = "font-size=\"9\" fill=\"#687078\" text-anchor=\"middle\"";
            text(out, (x, self.top + self.height + 14), style, &format!("{hour:02}:00"));
        }
    }

    fn line(&self, out: &mut String, values: &[i64; POINTS], colour: &str) {
        let last = i64::try_from(POINTS).unwrap_or(2) - 1;
        let is_between = |index: usize| {
            let near = index.checked_sub(1).and_then(|before| values.get(before..=index + 1));
            near.is_some_and(|near| near.windows(2).all(|pair| pair.first() == pair.last()))
        };
        let drawn = values.iter().zip(0_i64..).enumerate().filter(|(index, _)| !is_between(*index));
        let points = drawn.map(|(_, (value, index))| {
            // In tenths of a pixel.
            let x = 10 * self.left + 10 * self.width * index / last;
            let y = 10 * (self.top + self.height) - 10 * self.height * value / self.most;
            format!("{}.{},{}.{}", x / 10, x % 10, y / 10, y % 10)
        });
        let points: Vec<String> = points.collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" stroke-linejoin=\"round\"/>",
            points.join(" ")
        );
    }
}

/// The next of 1, 2, 4, 6 or 8 with zeros behind.
fn nice(most: i64) -> i64 {
    let mut size = 1;
    while size * 10 <= most {
        size *= 10;
    }
    [1, 2, 4, 6, 8, 10]
        .into_iter()
        .map(|digit| digit * size)
        .find(|nice| *nice >= most)
        .unwrap_or(size * 10)
        .max(1)
}

/// A quarter of what an axis shows: `750`, `2.5`, `40k`.
fn short(parts: i64, of: i64) -> String {
    let (tenths, unit) =
        if parts >= 10_000 * of { (parts * 10 / of / 1_000, "k") } else { (parts * 10 / of, "") };
    if tenths % 10 == 0 {
        format!("{}{unit}", tenths / 10)
    } else {
        format!("{}.{}{unit}", tenths / 10, tenths % 10)
    }
}

fn text(out: &mut String, (x, y): (i64, i64), style: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" {style}>{words}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_widget_and_every_metric_is_drawn_within_the_picture() {
        let (svg, body) = (picture(), dashboard::body());
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
        let height = HEAD + 28 * UNIT + MARGIN;
        assert!(svg.contains(&format!("height=\"{height}\"")), "the widgets end at 28 units");
    }

    #[test]
    fn axes_end_at_round_numbers() {
        let ends = [0, 1, 3, 5, 9, 11, 170, 4_100].map(nice);
        assert_eq!(ends, [1, 1, 4, 6, 10, 20, 200, 6_000]);
        assert_eq!(
            (short(3 * 1_000, 4), short(10, 4), short(40_000, 1)),
            ("750".into(), "2.5".into(), "40k".into())
        );
    }
}
