//! All workers together: start, stop, other settings, and the batches that come out.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::book::{Book, outlets, resolver};
use super::explain::Explainer;
use super::queue::{Queue, Taken};
use super::settings::Settings;
use super::snapshot::{self, RestoreError, worker_of};
use super::state::State;
use super::worker::{Worker, clock};
use crate::capture::udp::{Socket, deal};
use crate::capture::{Source, SourceFault};

/// Where a collector is in its life.
enum Phase {
    /// Not started: a capture may be fed.
    Idle,
    Running(Vec<JoinHandle<()>>),
    Stopped,
}

/// The collector.
pub struct Engine {
    pub(super) workers: Vec<Arc<Worker>>,
    book: RwLock<Book>,
    phase: Mutex<Phase>,
    pub(super) began: Instant,
}

impl Engine {
    /// Takes sockets that are bound already: for each address one for each worker, in the order in which
    /// they were bound. None will do for captures.
    ///
    /// # Errors
    ///
    /// One line: a socket is none, or there is not one of each address for each worker, or a sink
    /// cannot be.
    pub fn new(settings: Settings, sockets: Vec<Socket>) -> Result<Self, String> {
        let mut dealt = deal(sockets, settings.workers)?.into_iter();
        let resolver = resolver(&settings.dns, None)?;
        let mut book = Book { rows: Vec::new(), settings: settings.clone(), resolver };
        let queues = book.queues(&settings);
        let mut workers = Vec::new();
        for _ in 0..settings.workers {
            let state = State::new(&settings, outlets(&settings, &queues)?, book.names());
            let worker = Worker::new(dealt.next().unwrap_or_default(), state);
            workers.push(Arc::new(worker.map_err(|error| error.to_string())?));
        }
        book.enter(settings, &queues);
        Ok(Self {
            workers,
            book: RwLock::new(book),
            phase: Mutex::new(Phase::Idle),
            began: Instant::now(),
        })
    }

    pub(super) fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one thread for each worker.
    ///
    /// # Errors
    ///
    /// It was started before, has no socket, or the system has no thread.
    pub fn start(&self) -> Result<(), String> {
        let mut phase = self.phase();
        if !matches!(*phase, Phase::Idle) {
            return Err("the collector was started before".into());
        }
        if self.workers.iter().all(|worker| worker.sockets().is_empty()) {
            return Err("the collector has no socket to receive from".into());
        }
        let mut threads = Vec::new();
        for (number, worker) in self.workers.iter().enumerate() {
            let (name, worker) = (format!("gridtap-udp-{number}"), worker.clone());
            let thread = thread::Builder::new().name(name).spawn(move || worker.run());
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    self.end(threads);
                    return Err(format!("no thread for worker {number}: {error}"));
                }
            }
        }
        *phase = Phase::Running(threads);
        Ok(())
    }

    fn end(&self, threads: Vec<JoinHandle<()>>) {
        for worker in &self.workers {
            worker.stop();
        }
        for thread in threads {
            // A panic has been told of by its hook, and what the worker knew is in its state.
            let _ = thread.join();
        }
    }

    /// Reads what the kernel still has; saves the state, or without a path for it ends everything that is
    /// open; and closes the queues. What is in them can still be taken.
    ///
    /// # Errors
    ///
    /// The state could not be saved. Then everything open has ended.
    pub fn stop(&self, snapshot: Option<&Path>) -> io::Result<()> {
        let mut phase = self.phase();
        match std::mem::replace(&mut *phase, Phase::Stopped) {
            Phase::Running(threads) => self.end(threads),
            Phase::Idle => {}
            Phase::Stopped => return Ok(()),
        }
        let saved = snapshot.map(|path| snapshot::save(&self.workers, path));
        for worker in &self.workers {
            if matches!(saved, Some(Ok(()))) {
                worker.state().flush();
            } else {
                worker.state().finish(clock());
            }
        }
        for row in &self.book().rows {
            row.queue.set_closed(true);
        }
        saved.unwrap_or(Ok(()))
    }

    /// Saves the state while all goes on.
    ///
    /// # Errors
    ///
    /// Those of the file system; the file is as it was then.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        snapshot::save(&self.workers, path)
    }

    /// Goes on with a state that was saved. Answers how many servers, logins and files it brought.
    ///
    /// # Errors
    ///
    /// Packets are being received, or were. Inside: the file cannot be read or is damaged; then
    /// nothing of it stays.
    pub fn restore(&self, path: &Path) -> Result<Result<usize, RestoreError>, String> {
        let phase = self.phase();
        if !matches!(*phase, Phase::Idle) {
            return Err("a state can be restored only before the start".into());
        }
        Ok(snapshot::restore(&self.workers, path))
    }

    /// Reads a capture as if its packets came from a socket; at its end everything open ends.
    ///
    /// # Errors
    ///
    /// Packets are being received, or were. Inside: those of the source.
    pub fn feed(&self, source: &mut dyn Source) -> Result<io::Result<()>, String> {
        let phase = self.phase();
        if !matches!(*phase, Phase::Idle) {
            return Err("a capture can be fed only before the start".into());
        }
        for worker in &self.workers {
            worker.state().set_patient(true);
        }
        let read = self.read(source);
        for worker in &self.workers {
            worker.state().finish(clock());
        }
        Ok(read)
    }

    fn read(&self, source: &mut dyn Source) -> io::Result<()> {
        let mut report = |fault: SourceFault| {
            if let Some(first) = self.workers.first() {
                first.state().counters.fault(fault.kind);
            }
        };
        while let Some(datagram) = source.next(&mut report)? {
            let host = datagram.peer.as_ref().map(|peer| &peer.host);
            let worker = self.workers.get(worker_of(host, self.workers.len()));
            if let Some(worker) = worker {
                worker.state().take(&datagram, false, clock());
            }
        }
        Ok(())
    }

    /// Works by other settings from now on, without losing a packet. A sink keeps its number and its
    /// queue by its name; one that is gone ends when its queue is empty.
    ///
    /// # Errors
    ///
    /// One line, and all is as it was: a sink cannot be, or the number of workers is another one.
    pub fn reload(&self, settings: Settings) -> Result<(), String> {
        let phase = self.phase();
        if matches!(*phase, Phase::Stopped) {
            return Err("the collector has stopped".into());
        }
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let before = book.settings.workers;
        if settings.workers != before {
            let after = settings.workers;
            return Err(format!(
                "workers cannot change from {before} to {after} without a restart"
            ));
        }
        let queues = book.queues(&settings);
        let all: Result<Vec<_>, _> =
            self.workers.iter().map(|_| outlets(&settings, &queues)).collect();
        let all = all?;
        book.resolver = resolver(&settings.dns, book.resolver.clone())?;
        for (worker, outlets) in self.workers.iter().zip(all) {
            worker.state().reload(&settings, outlets, book.names(), clock());
            worker.wake();
        }
        book.enter(settings, &queues);
        Ok(())
    }

    /// Explains a capture by the settings of now; nothing else changes.
    ///
    /// # Errors
    ///
    /// None that [`Engine::new`] would not have had.
    pub fn explain(&self, source: Box<dyn Source + Send>) -> Result<Explainer, String> {
        Explainer::new(&self.book().settings, source)
    }

    fn queue(&self, sink: usize) -> Option<Arc<Queue>> {
        self.book().rows.get(sink).map(|row| row.queue.clone())
    }

    /// The number of a sink.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.book().rows.iter().position(|row| row.name == name)
    }

    /// The next batch of a sink; waits for it if need be. `None` if none came in time or none will come,
    /// and for a sink that there is not.
    pub fn next(&self, sink: usize, longest: Duration) -> Option<Taken> {
        Taken::from(self.queue(sink)?, longest)
    }

    /// Nothing is left for this sink, and nothing will come. `None` for a sink that there is not.
    pub fn is_drained(&self, sink: usize) -> Option<bool> {
        self.queue(sink).map(|queue| queue.is_drained())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let phase = std::mem::replace(&mut *self.phase(), Phase::Stopped);
        if let Phase::Running(threads) = phase {
            self.end(threads);
        }
    }
}
