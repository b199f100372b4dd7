//! What a trail still logs after `PutEventSelectors`: the detections need management events, the reads among them.

use serde_json::Value;

use crate::event::Event;

/// What the new selectors of a trail keep of the management events: `all`, `reads-lost` where no selector keeps the reads
/// of secrets, or `narrowed` for anything between; absent for other calls.
pub(super) fn find_trail_scope(event: &Event) -> Option<&'static str> {
    if event.event_name().raw() != "PutEventSelectors" {
        return None;
    }
    let mut keeps_reads = false;
    let mut keeps_writes = false;
    for selector in list_items(event, "eventSelectors") {
        let scope = read_basic_selector(selector);
        keeps_reads |= scope.reads;
        keeps_writes |= scope.writes;
    }
    for selector in list_items(event, "advancedEventSelectors") {
        let scope = read_advanced_selector(selector);
        keeps_reads |= scope.reads;
        keeps_writes |= scope.writes;
    }
    Some(match (keeps_reads, keeps_writes) {
        (true, true) => "all",
        (true, false) => "narrowed",
        (false, _) => "reads-lost",
    })
}

/// Which management events of Secrets Manager a selector keeps.
#[derive(Default)]
struct SelectorScope {
    reads: bool,
    writes: bool,
}

fn list_items<'e>(event: &'e Event, name: &str) -> &'e [Value] {
    let list = event.find_value(&format!("/detail/requestParameters/{name}")).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// Without a word about them, a selector keeps all management events (`API_EventSelector`). Only KMS and the RDS Data API can
/// be left out of them.
fn read_basic_selector(selector: &Value) -> SelectorScope {
    let is_left_out = match selector.get("includeManagementEvents") {
        Some(Value::Bool(included)) => !included,
        Some(Value::String(included)) => included == "false",
        _ => false,
    };
    if is_left_out {
        return SelectorScope::default();
    }
    match selector.get("readWriteType").and_then(Value::as_str) {
        Some("WriteOnly") => SelectorScope { reads: false, writes: true },
        Some("ReadOnly") => SelectorScope { reads: true, writes: false },
        _ => SelectorScope { reads: true, writes: true },
    }
}

/// An advanced selector of the category `Management` may be narrowed by `readOnly` and by sources that it leaves out
/// (`API_AdvancedFieldSelector`).
fn read_advanced_selector(selector: &Value) -> SelectorScope {
    let mut is_management = false;
    let mut scope = SelectorScope { reads: true, writes: true };
    let fields = selector.get("fieldSelectors").and_then(Value::as_array);
    for field in fields.into_iter().flatten() {
        match field.get("field").and_then(Value::as_str) {
            Some("eventCategory") => is_management = contains_text(field, "equals", "Management"),
            Some("readOnly") => {
                scope.reads &= contains_text(field, "equals", "true");
                scope.writes &= contains_text(field, "equals", "false");
            }
            Some("eventSource") if is_secrets_manager_left_out(field) => scope = SelectorScope::default(),
            _ => {}
        }
    }
    if is_management { scope } else { SelectorScope::default() }
}

const SECRETS_MANAGER: &str = "secretsmanager.amazonaws.com";

fn is_secrets_manager_left_out(field: &Value) -> bool {
    contains_text(field, "notEquals", SECRETS_MANAGER)
        || (field.get("equals").is_some_and(|sources| !sources.is_null())
            && !contains_text(field, "equals", SECRETS_MANAGER))
}

fn contains_text(field: &Value, operator: &str, text: &str) -> bool {
    let texts = field.get(operator).and_then(Value::as_array);
    texts.is_some_and(|texts| texts.iter().any(|one| one == text))
}
