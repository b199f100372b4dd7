//! How long a match takes, and how long `serde_json` takes to validate the same records.
//!
//! `cargo bench -p eventbridge-pattern`. Compare the ratios to `serde_json`, not the absolute figures: each figure is the time
//! for one pass over 256 records of 1.8 KB.

#![expect(clippy::expect_used, reason = "a benchmark of patterns that do not parse should stop")]

mod patterns;
mod records;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eventbridge_pattern::{Pattern, PatternSet};
use serde::de::IgnoredAny;

criterion_group!(benches, match_records, compile_patterns);
criterion_main!(benches);

fn match_records(criterion: &mut Criterion) {
    let records = records::cloudtrail_records();
    let bytes: usize = records.iter().map(String::len).sum();
    let mut group = criterion.benchmark_group("256 records");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("serde_json validates", |bencher| {
        bencher.iter(|| {
            for record in &records {
                black_box(serde_json::from_str::<IgnoredAny>(black_box(record)).is_ok());
            }
        });
    });
    let pattern = Pattern::parse(patterns::ONE_CALL).expect("the pattern is valid");
    group.bench_function("one pattern", |bencher| {
        bencher.iter(|| {
            for record in &records {
                black_box(pattern.matches(black_box(record)).is_ok());
            }
        });
    });
    for count in [1, 30, 300] {
        let set = pattern_set(count);
        group.bench_function(format!("a set of {count}"), |bencher| {
            bencher.iter(|| {
                for record in &records {
                    black_box(set.matches(black_box(record)).is_ok());
                }
            });
        });
    }
    group.finish();
}

fn compile_patterns(criterion: &mut Criterion) {
    let texts = patterns::pattern_texts(30);
    criterion.bench_function("compile 30 patterns", |bencher| {
        bencher.iter(|| {
            for text in &texts {
                black_box(Pattern::parse(black_box(text)).is_ok());
            }
        });
    });
}

fn pattern_set(count: usize) -> PatternSet {
    let mut patterns = Vec::with_capacity(count);
    for text in patterns::pattern_texts(count) {
        patterns.push(Pattern::parse(&text).expect("the pattern is valid"));
    }
    PatternSet::new(patterns)
}
