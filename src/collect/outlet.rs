//! One sink as one worker sees it: its records become batches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::queue::{Batch, Content, Queue};
use super::settings::{Form, SinkSettings};
use crate::access::record::Record;
use crate::access::sequence::Micros;
use crate::columns::Target;
use crate::export::{arrow, json};
use crate::reading::What;

/// Rows of one Arrow batch at most, and what a row is reckoned to take of `batch_bytes`.
const ARROW_ROWS: usize = 8192;
const ARROW_ROW_BYTES: usize = 512;

/// A batch is over once it has reached its size: so much more may the last record take.
const LAST_RECORD: usize = 4096;

/// What one sink got, and what it did not get and why.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub records: u64,
    pub bytes: u64,
    /// Records that its profile has no form for.
    pub unformed: u64,
    /// By the condition of its filter that they did not meet.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.unformed += other.unformed;
        for (reason, count) in &other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
    }
}

enum Open {
    Lines(Vec<u8>),
    Arrow(Box<arrow::Batch>),
}

pub struct Outlet {
    queue: Arc<Queue>,
    /// Bits of [`What`].
    wants: u32,
    keys: Vec<(What, json::Keys)>,
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
    pub fn new(settings: &SinkSettings, queue: Arc<Queue>) -> Result<Self, String> {
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
            keys: kinds.iter().map(|what| (*what, json::Keys::new(&what.columns()))).collect(),
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

    /// Takes a record of a kind that it wants.
    #[inline]
    pub fn push(&mut self, what: What, record: &impl Record, received_at: Micros) {
        let is_full = match &mut self.open {
            Open::Lines(lines) => {
                let Some((_, keys)) = self.keys.iter().find(|(known, _)| *known == what) else {
                    return;
                };
                let before = lines.len();
                keys.write(record, lines);
                self.tally.bytes += (lines.len() - before) as u64;
                lines.len() >= self.batch_bytes
            }
            Open::Arrow(batch) => {
                batch.push(record);
                batch.rows() >= self.batch_rows
            }
        };
        if self.records == 0 {
            self.oldest_received_at = received_at;
            self.due = Instant::now().checked_add(self.batch_wait);
        }
        self.records += 1;
        self.tally.records += 1;
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
