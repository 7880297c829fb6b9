//! Finished batches of one sink, until Python takes them.

use arrow_array::RecordBatch;
use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::tally::Tally;
use crate::access::sequence::Micros;

/// What a batch holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Whole lines.
    Lines(Vec<u8>),
    Arrow(RecordBatch),
}

/// Some records for one sink.
#[derive(Clone, Debug)]
pub struct Batch {
    pub records: u64,
    /// The kind of the records, where all are of one.
    pub kind: Option<&'static str>,
    pub content: Content,
    /// When the first packet came whose records are in it.
    pub oldest_received_at: Micros,
}

impl Batch {
    pub fn bytes(&self) -> usize {
        match &self.content {
            Content::Lines(lines) => lines.len(),
            Content::Arrow(batch) => batch.get_array_memory_size(),
        }
    }
}

/// Whoever takes nothing for so long is not waited for: a sink may take its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fresh memory of this size costs page faults; a few of them are enough while batches flow.
const MAX_SPARE: usize = 8;

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    bytes: usize,
    max_bytes: usize,
    records: u64,
    dropped_records: u64,
    taken: u64,
    /// Somebody takes batches, or has done so lately.
    has_taker: bool,
    /// What outlets counted that are no more.
    tally: Tally,
    /// Memory of batches that were taken, for the next ones.
    spare: Vec<Vec<u8>>,
    /// Nothing more will come.
    is_closed: bool,
}

impl State {
    fn recycle(&mut self, content: Content) {
        if let Content::Lines(mut lines) = content
            && lines.capacity() > 0
            && self.spare.len() < MAX_SPARE
        {
            lines.clear();
            self.spare.push(lines);
        }
    }
}

/// A queue that is bounded by bytes.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

/// A batch in somebody's hands. Its memory goes back to its queue, for another one.
pub struct Taken {
    batch: Batch,
    queue: Arc<Queue>,
}

impl Taken {
    /// Takes the oldest batch of a queue, as [`Queue::take`] does.
    pub fn from(queue: Arc<Queue>, longest: Duration) -> Option<Self> {
        let batch = queue.take(longest)?;
        Some(Self { batch, queue })
    }
}

impl Deref for Taken {
    type Target = Batch;

    fn deref(&self) -> &Batch {
        &self.batch
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let content = std::mem::replace(&mut self.batch.content, Content::Lines(Vec::new()));
        self.queue.state().recycle(content);
    }
}

/// What is in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    pub bytes: usize,
    pub records: u64,
    pub dropped_records: u64,
}

impl Queue {
    pub fn new(max_bytes: usize) -> Self {
        let queue = Self::default();
        queue.set_ceiling(max_bytes);
        queue
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_ceiling(&self, max_bytes: usize) {
        self.state().max_bytes = max_bytes;
    }

    /// Adds a batch. Where there is no room the oldest ones are dropped and counted: the receiving side
    /// never waits.
    pub fn push(&self, batch: Batch) {
        let mut state = self.state();
        Self::add(&mut state, batch);
        drop(state);
        self.filled.notify_one();
    }

    /// Adds a batch, and before that waits for room if somebody takes batches out: for a source that can
    /// wait.
    pub fn push_patiently(&self, batch: Batch) {
        let mut state = self.state();
        let bytes = batch.bytes();
        while state.has_taker && state.bytes + bytes > state.max_bytes && !state.batches.is_empty()
        {
            let taken = state.taken;
            let waited = self.emptied.wait_timeout(state, PATIENCE);
            let (next, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() && state.taken == taken {
                state.has_taker = false;
            }
        }
        Self::add(&mut state, batch);
        drop(state);
        self.filled.notify_one();
    }

    fn add(state: &mut State, batch: Batch) {
        state.bytes += batch.bytes();
        state.records += batch.records;
        state.batches.push_back(batch);
        while state.bytes > state.max_bytes
            && state.batches.len() > 1
            && let Some(oldest) = state.batches.pop_front()
        {
            state.bytes -= oldest.bytes();
            state.records -= oldest.records;
            state.dropped_records += oldest.records;
            state.recycle(oldest.content);
        }
    }

    /// Takes the oldest batch; waits for it if need be. `None` if none came in time or none will come.
    pub fn take(&self, longest: Duration) -> Option<Batch> {
        let deadline = Instant::now().checked_add(longest);
        let mut state = self.state();
        state.has_taker = true;
        loop {
            if let Some(batch) = state.batches.pop_front() {
                state.bytes -= batch.bytes();
                state.records -= batch.records;
                state.taken += 1;
                drop(state);
                self.emptied.notify_all();
                return Some(batch);
            }
            let left = deadline.map_or(longest, |at| at.saturating_duration_since(Instant::now()));
            if state.is_closed || left.is_zero() {
                return None;
            }
            let waited = self.filled.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Memory for a batch of lines: that of an earlier one if there is some.
    pub fn spare(&self) -> Vec<u8> {
        self.state().spare.pop().unwrap_or_default()
    }

    /// Says whether more batches may come.
    pub fn set_closed(&self, is_closed: bool) {
        self.state().is_closed = is_closed;
        self.filled.notify_all();
    }

    /// Closed, and nothing is left.
    pub fn is_drained(&self) -> bool {
        let state = self.state();
        state.is_closed && state.batches.is_empty()
    }

    pub fn add_tally(&self, tally: &Tally) {
        self.state().tally.add(tally);
    }

    /// What outlets counted that are no more.
    pub fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    pub fn level(&self) -> Level {
        let State { bytes, records, dropped_records, .. } = *self.state();
        Level { bytes, records, dropped_records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &str) -> Batch {
        let content = Content::Lines(text.as_bytes().to_vec());
        Batch { records: 1, kind: None, content, oldest_received_at: 0 }
    }

    fn text(batch: Option<Batch>) -> String {
        match batch.map(|batch| batch.content) {
            Some(Content::Lines(lines)) => String::from_utf8(lines).expect("UTF-8"),
            _ => "nothing".into(),
        }
    }

    #[test]
    fn the_oldest_batch_makes_room() {
        let queue = Queue::new(10);
        for name in ["first", "second", "x"] {
            queue.push(batch(name));
        }
        assert_eq!(queue.level(), Level { bytes: 7, records: 2, dropped_records: 1 });
        assert_eq!(text(queue.take(Duration::ZERO)), "second");
        assert_eq!(text(queue.take(Duration::ZERO)), "x");
        assert_eq!(text(queue.take(Duration::ZERO)), "nothing");
        assert!(!queue.is_drained());
        queue.set_closed(true);
        assert!(queue.is_drained());
    }

    #[test]
    fn a_batch_larger_than_the_queue_is_kept_alone() {
        let queue = Queue::new(2);
        queue.push(batch("large"));
        queue.push(batch("larger"));
        assert_eq!(text(queue.take(Duration::ZERO)), "larger");
    }

    #[test]
    fn a_patient_source_loses_nothing_while_somebody_takes() {
        let queue = Queue::new(10);
        assert!(queue.take(Duration::ZERO).is_none());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..1000 {
                    queue.push_patiently(batch("12345"));
                }
                queue.set_closed(true);
            });
            let mut taken = 0;
            while !queue.is_drained() {
                taken += u32::from(queue.take(Duration::from_secs(60)).is_some());
            }
            assert_eq!((taken, queue.level().dropped_records), (1000, 0));
        });
    }
}
