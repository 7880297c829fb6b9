//! One sink as one worker sees it: its records become batches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::queue::{Batch, Content, Queue};
use super::settings::{Form, Settings, SinkSettings};
use super::tally::Tally;
use crate::access::sequence::Micros;
use crate::columns::Target;
use crate::export::arrow;
use crate::export::filter::{Filter, FilterSettings, Refusal, Verdict, WlcgRule};
use crate::export::profile::{AnyRecord, Context, Encoder, packet};
use crate::reading::What;

/// Rows of one Arrow batch at most, and what a row is reckoned to take of `batch_bytes`.
const ARROW_ROWS: usize = 8192;
const ARROW_ROW_BYTES: usize = 512;

/// A batch is over once it has reached its size: so much more may the last record take.
const LAST_RECORD: usize = 4096;

enum Open {
    Lines(Vec<u8>),
    Arrow(Box<arrow::Batch>),
}

pub struct Outlet {
    queue: Arc<Queue>,
    /// Bits of [`What`].
    wants: u32,
    /// `None` where there are no conditions.
    filter: Option<Filter>,
    wlcg: WlcgRule,
    encoder: Encoder,
    kind: Option<&'static str>,
    open: Open,
    records: u64,
    oldest_received_at: Micros,
    /// When the open batch has to go out.
    due: Option<Instant>,
    batch_bytes: usize,
    batch_rows: usize,
    batch_wait: Duration,
    /// Waits for room in the queue as long as somebody takes out of it.
    is_patient: bool,
    tally: Tally,
}

fn bit(what: What) -> u32 {
    1 << what as u32
}

impl Outlet {
    /// # Errors
    ///
    /// One line: the sink cannot be.
    pub fn new(all: &Settings, settings: &SinkSettings, queue: Arc<Queue>) -> Result<Self, String> {
        let kinds = settings.kinds()?;
        let only = kinds.first().copied().filter(|_| kinds.len() == 1);
        let open = match (settings.form, only) {
            (Form::Arrow, Some(what)) => Open::Arrow(Box::new(arrow::Batch::new(&what.columns()))),
            (Form::Arrow, None) => return Err("form \"arrow\" takes one kind of record".into()),
            (Form::Lines, _) => Open::Lines(Vec::new()),
        };
        Ok(Self {
            queue,
            wants: kinds.iter().fold(0, |bits, what| bits | bit(*what)),
            filter: filter(&settings.filter)?,
            wlcg: all.wlcg.clone(),
            encoder: Encoder::new(&settings.profile(&all.logical_dirnames))?,
            kind: only.map(What::name),
            open,
            records: 0,
            oldest_received_at: 0,
            due: None,
            batch_bytes: settings.batch_bytes,
            batch_rows: (settings.batch_bytes / ARROW_ROW_BYTES).clamp(1, ARROW_ROWS),
            batch_wait: settings.batch_wait(),
            is_patient: false,
            tally: Tally::default(),
        })
    }

    pub fn wants(&self, what: What) -> bool {
        self.wants & bit(what) != 0
    }

    pub fn set_patient(&mut self, is_patient: bool) {
        self.is_patient = is_patient;
    }

    /// What becomes of a record here, without taking it.
    pub fn verdict(
        &mut self,
        what: What,
        record: &AnyRecord<'_>,
        context: &Context<'_>,
    ) -> &'static str {
        if !self.wants(what) {
            return Refusal::Kind.name();
        }
        if let Some(filter) = &self.filter
            && let Verdict::Refuse(refusal) = filter.verdict(record, &self.wlcg)
        {
            return refusal.name();
        }
        let is_formed = match &self.open {
            Open::Lines(_) => self.encoder.write(record, context, &mut Vec::new()) > 0,
            Open::Arrow(_) => true,
        };
        if is_formed { "take" } else { "unformed" }
    }

    /// Takes a record of a kind that it wants, if its filter lets it.
    #[inline]
    pub fn push(&mut self, record: &AnyRecord<'_>, context: &Context<'_>) {
        if let Some(filter) = &self.filter
            && let Verdict::Refuse(refusal) = filter.verdict(record, &self.wlcg)
        {
            *self.tally.refused.entry(refusal.name()).or_default() += 1;
            return;
        }
        let (records, is_full) = match &mut self.open {
            Open::Lines(lines) => {
                let before = lines.len();
                let records = self.encoder.write(record, context, lines);
                self.tally.bytes += (lines.len() - before) as u64;
                (records as u64, lines.len() >= self.batch_bytes)
            }
            Open::Arrow(batch) => {
                push_row(batch, record, context);
                (1, batch.rows() >= self.batch_rows)
            }
        };
        if records == 0 {
            self.tally.unformed += 1;
            return;
        }
        if self.records == 0 {
            self.oldest_received_at = context.now;
            self.due = Instant::now().checked_add(self.batch_wait);
        }
        self.records += records;
        self.tally.records += records;
        if is_full {
            self.flush();
        }
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Hands over the open batch and what was counted.
    pub fn retire(mut self) {
        self.flush();
        self.queue.add_tally(&self.tally);
    }

    /// When the open batch has to go out; `None` while it is empty.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Hands the open batch over.
    pub fn flush(&mut self) {
        self.due = None;
        if self.records == 0 {
            return;
        }
        let content = match &mut self.open {
            Open::Lines(lines) => {
                let mut next = self.queue.spare();
                next.reserve(self.batch_bytes + LAST_RECORD);
                Content::Lines(std::mem::replace(lines, next))
            }
            Open::Arrow(batch) => match batch.take() {
                Ok(batch) => {
                    self.tally.bytes += batch.get_array_memory_size() as u64;
                    Content::Arrow(batch)
                }
                // All columns get one cell for each record, so they are of one length.
                Err(_) => return,
            },
        };
        let batch = Batch {
            records: std::mem::take(&mut self.records),
            kind: self.kind,
            content,
            oldest_received_at: self.oldest_received_at,
        };
        if self.is_patient {
            self.queue.push_patiently(batch);
        } else {
            self.queue.push(batch);
        }
    }
}

fn filter(settings: &FilterSettings) -> Result<Option<Filter>, String> {
    let filter = Filter::new(settings)?;
    Ok(Some(filter).filter(|_| *settings != FilterSettings::default()))
}

fn push_row(batch: &mut arrow::Batch, record: &AnyRecord<'_>, context: &Context<'_>) {
    match record {
        AnyRecord::Access(record) => batch.push(*record),
        AnyRecord::Session(record) => batch.push(*record),
        AnyRecord::Redirect(record) => batch.push(*record),
        AnyRecord::Io(record) => batch.push(*record),
        AnyRecord::Plugin(record) => batch.push(*record),
        AnyRecord::Server(record) => batch.push(*record),
        AnyRecord::Summary(record) => batch.push(*record),
        AnyRecord::Datagram { peer, payload } => packet(*peer, payload, context, batch),
    }
}
