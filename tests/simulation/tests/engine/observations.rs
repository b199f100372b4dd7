//! Observations in the ledger: what is written, what is read, and what is left of it when the ledger is of no use.

use std::collections::BTreeSet;

use responder_core::rules::Handler;
use responder_core::settings::Settings;
use responder_core::time::Timestamp;
use responder_engine::port::{AttributeValue, TableItem};
use simulation::cloud::{CallFault, CloudBuilder};

use crate::functions::{CloudView as _, FunctionSet};
use crate::life::{at, read};

fn functions() -> FunctionSet {
    let cloud = CloudBuilder::new(at(3_000)).journal().build();
    FunctionSet::new(&cloud, Handler::Access, Settings::default())
}

/// The items of observations.
fn items(functions: &FunctionSet) -> Vec<TableItem> {
    functions.cloud.with_table(|table| {
        let items = table.items().filter(|item| item.key.pk.starts_with("observations#"));
        items.cloned().collect()
    })
}

/// How many items of observations a batch writes.
fn count_writes(functions: &mut FunctionSet, texts: &[String]) -> usize {
    functions.cloud.take_journal();
    functions.process(texts);
    let writes = functions.cloud.take_journal().writes;
    writes.iter().filter(|(key, _)| key.pk.starts_with("observations#")).count()
}

#[test]
fn marks_of_one_stream_and_stretch_are_one_write_and_copies_none() {
    let mut functions = functions();
    let other = read(5, 9).replace(":user/u", ":user/v");
    // The first ten minutes, the next ten minutes, and another principal.
    let texts = [read(0, 1), read(599, 2), read(599, 2), read(600, 3), other];
    assert_eq!(count_writes(&mut functions, &texts), 3);
    assert_eq!(count_writes(&mut functions, &texts), 0);
    // A batch with one of them and one more writes the one.
    assert_eq!(count_writes(&mut functions, &[texts[0].clone(), read(7, 4)]), 1);
}

#[test]
fn a_mark_that_is_about_to_expire_is_written_again() {
    let mut functions = functions();
    let texts = [read(0, 1)];
    count_writes(&mut functions, &texts);
    let first = items(&functions)[0].number("ttl").unwrap();
    // Kept for longer than an event of the present may ask for it.
    assert!(first > at(3_000).millis() / 1_000 + 600, "{first}");
    assert_eq!(count_writes(&mut functions, &texts), 0);
    functions.cloud.clock.advance_to(Timestamp::from_millis(first * 1_000 - 1));
    assert_eq!(count_writes(&mut functions, &texts), 1);
    let [item] = &items(&functions)[..] else { panic!("the same item") };
    assert!(item.number("ttl") > Some(first));
}

#[test]
fn what_cannot_be_read_or_written_is_said_and_the_own_marks_count_all_the_same() {
    let mut functions = functions();
    functions.cloud.set_fault("dynamodb", Some(CallFault::Denied));
    functions.process(&(0..12).map(|i| read(i, i)).collect::<Vec<_>>());
    assert_eq!(functions.cloud.pages().len(), 1);
}

#[test]
fn items_of_another_release_cost_nothing() {
    let mut functions = functions();
    count_writes(&mut functions, &[read(0, 1)]);
    let known = items(&functions).remove(0);
    let chunk = known.key.sk.split('#').next().unwrap().to_owned();
    let values = [
        (chunk.clone(), AttributeValue::Set(BTreeSet::from(["{}".to_owned()]))),
        (format!("{chunk}#1"), AttributeValue::Text("{\"from\":\"the future\"}".to_owned())),
        (format!("{chunk}#2"), AttributeValue::Number(7)),
    ];
    for (sk, value) in values {
        let mut item = known.clone();
        item.key.sk = sk;
        item.values = [("observations".to_owned(), value)].into();
        functions.cloud.with_table(|table| table.put(item));
    }
    let (ends, counters) = functions.process(&(0..12).map(|i| read(i, i)).collect::<Vec<_>>());
    assert_eq!((ends.len(), counters.failed, functions.cloud.pages().len()), (12, 0, 1));
}

#[test]
fn what_many_wrote_at_once_is_not_all_read() {
    let count_queries = |copies: usize| {
        let mut functions = functions();
        count_writes(&mut functions, &(0..1_000).map(|i| read(i / 2, i)).collect::<Vec<_>>());
        functions.process(&[read(600, 1)]);
        // As if so many functions had looked before anybody wrote.
        let known = items(&functions).remove(0);
        functions.cloud.with_table(|table| {
            table.page_items = 1;
            for number in 0..copies {
                let mut item = known.clone();
                item.key.sk = format!("{}{number}", known.key.sk);
                table.put(item);
            }
        });
        let queries = functions.cloud.count_calls("Query");
        functions.process(&[read(5, 5_000)]);
        functions.cloud.count_calls("Query") - queries
    };
    let (few, many, more) = (count_queries(4), count_queries(16), count_queries(40));
    assert!(few < many && many == more, "{few} {many} {more}");
}
