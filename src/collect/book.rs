//! The settings of now, and the sinks of all times.

use std::sync::Arc;

use super::names::Resolver;
use super::outlet::Outlet;
use super::queue::Queue;
use super::settings::{DnsSettings, Settings};
use super::state::SharedNames;
use crate::export::profile::NoNames;

/// A sink by its number, which it keeps as long as the engine lives.
pub struct Row {
    pub name: String,
    pub queue: Arc<Queue>,
    /// Whether the settings of now have it.
    pub is_current: bool,
}

/// The settings of now and the sinks of all times.
pub struct Book {
    pub settings: Settings,
    pub rows: Vec<Row>,
    /// With reverse DNS.
    pub resolver: Option<Arc<Resolver>>,
}

impl Book {
    /// Where the settings of now have a sink: outlets are in that order.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.settings.sinks.iter().position(|sink| sink.name == name)
    }

    pub fn names(&self) -> SharedNames {
        match &self.resolver {
            Some(resolver) => resolver.clone(),
            None => Arc::new(NoNames),
        }
    }

    /// A queue for each sink: the one that it has already, or a new one.
    pub fn queues(&self, settings: &Settings) -> Vec<Arc<Queue>> {
        let known = |name: &str| self.rows.iter().find(|row| row.name == name);
        let queues = settings.sinks.iter().map(|sink| match known(&sink.name) {
            Some(row) => row.queue.clone(),
            None => Arc::new(Queue::new(sink.queue_bytes)),
        });
        queues.collect()
    }

    /// Writes down the settings, and which sinks there are now.
    pub fn enter(&mut self, settings: Settings, queues: &[Arc<Queue>]) {
        for row in &mut self.rows {
            row.is_current = settings.sinks.iter().any(|sink| sink.name == row.name);
            row.queue.set_closed(!row.is_current);
        }
        for (sink, queue) in settings.sinks.iter().zip(queues) {
            queue.set_ceiling(sink.queue_bytes);
            if !self.rows.iter().any(|row| row.name == sink.name) {
                let (name, queue) = (sink.name.clone(), queue.clone());
                self.rows.push(Row { name, queue, is_current: true });
            }
        }
        self.settings = settings;
    }
}

/// The resolver that the settings ask for: the one there is, if it will do.
pub fn resolver(
    settings: &DnsSettings,
    known: Option<Arc<Resolver>>,
) -> Result<Option<Arc<Resolver>>, String> {
    if !settings.reverse {
        return Ok(None);
    }
    if let Some(known) = known.filter(|known| known.settings() == settings) {
        return Ok(Some(known));
    }
    let resolver = Resolver::new(settings);
    resolver.map(|new| Some(Arc::new(new))).map_err(|error| format!("reverse DNS: {error}"))
}

/// The outlets of one worker.
pub fn outlets(settings: &Settings, queues: &[Arc<Queue>]) -> Result<Vec<Outlet>, String> {
    let each = settings.sinks.iter().zip(queues).map(|(sink, queue)| {
        let outlet = Outlet::new(settings, sink, queue.clone());
        outlet.map_err(|error| format!("sink {:?}: {error}", sink.name))
    });
    each.collect()
}
