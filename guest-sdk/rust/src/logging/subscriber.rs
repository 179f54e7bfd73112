//! A small `tracing` subscriber over the same lines as `log`'s.
//!
//! An event's line has the spans it is in before its message, outermost first:
//! `order{id=7}: shipped parcels=2`.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

thread_local! {
    static SPANS: RefCell<Spans> = const { RefCell::new(Spans { open: Vec::new(), entered: Vec::new() }) };
}

/// Makes this the subscriber unless there is one.
pub(super) fn begin() {
    if !tracing::dispatcher::has_been_set() {
        // Losing the race to a test's own subscriber is fine.
        let _ = tracing::subscriber::set_global_default(Lines { last_id: AtomicU64::new(0) });
    }
}

struct Lines {
    last_id: AtomicU64,
}

/// The spans of this thread: a guest has one, and a native test's are apart.
struct Spans {
    open: Vec<Span>,
    entered: Vec<u64>,
}

struct Span {
    id: u64,
    handles: usize,
    name: &'static str,
    fields: String,
}

impl Spans {
    fn get(&mut self, id: u64) -> Option<&mut Span> {
        self.open.iter_mut().find(|span| span.id == id)
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        as_log(*metadata.level()) <= super::level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // `enabled` reads the variable; asked here it would be read in every call.
        None
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = Span { id, handles: 1, name: attributes.metadata().name(), fields: fields.text };
        SPANS.with_borrow_mut(|spans| spans.open.push(span));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        SPANS.with_borrow_mut(|spans| {
            if let Some(span) = spans.get(span.into_u64()) {
                span.fields.push_str(&fields.text);
            }
        });
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut text = SPANS.with_borrow(path);
        text.push_str(&fields.message);
        text.push_str(if fields.message.is_empty() { fields.text.trim_start() } else { &fields.text });
        super::write(as_log(*event.metadata().level()), &text);
    }

    fn enter(&self, span: &Id) {
        SPANS.with_borrow_mut(|spans| spans.entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        SPANS.with_borrow_mut(|spans| {
            if let Some(index) = spans.entered.iter().rposition(|id| *id == span.into_u64()) {
                spans.entered.remove(index);
            }
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        SPANS.with_borrow_mut(|spans| spans.get(span.into_u64()).map(|span| span.handles += 1));
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        SPANS.with_borrow_mut(|spans| {
            let Some(open) = spans.get(span.into_u64()) else { return false };
            open.handles -= 1;
            let last = open.handles == 0;
            if last {
                spans.open.retain(|open| open.id != span.into_u64());
            }
            last
        })
    }
}

/// The entered spans, as they stand before a message.
fn path(spans: &Spans) -> String {
    let mut path = String::new();
    for id in &spans.entered {
        let Some(span) = spans.open.iter().find(|span| span.id == *id) else { continue };
        path.push_str(span.name);
        if !span.fields.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(path, "{{{}}}", span.fields.trim_start());
        }
        path.push_str(": ");
    }
    path
}

/// The fields of a span or an event: ` name=value` each, the message apart.
#[derive(Default)]
struct Fields {
    message: String,
    text: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.text, " {name}={value:?}"),
        };
    }
}

fn as_log(level: Level) -> log::Level {
    match level {
        Level::ERROR => log::Level::Error,
        Level::WARN => log::Level::Warn,
        Level::INFO => log::Level::Info,
        Level::DEBUG => log::Level::Debug,
        Level::TRACE => log::Level::Trace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_fields_are_read_back() {
        tracing::subscriber::with_default(Lines { last_id: AtomicU64::new(0) }, || {
            let order = tracing::info_span!("order", id = 7, state = tracing::field::Empty);
            let _order = order.enter();
            order.record("state", "open");
            let parcel = tracing::info_span!("parcel");
            parcel.in_scope(|| {
                tracing::info!(weight_g = 20, "packed");
                assert_eq!(SPANS.with_borrow(path), "order{id=7 state=\"open\"}: parcel: ");
            });
            drop(parcel);
            assert_eq!(SPANS.with_borrow(path), "order{id=7 state=\"open\"}: ");
        });
        assert!(SPANS.with_borrow(|spans| spans.open.is_empty() && spans.entered.is_empty()));
    }
}
