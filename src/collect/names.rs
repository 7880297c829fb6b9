//! Names of addresses, asked for in the background.

use hashbrown::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::settings::DnsSettings;
use crate::export::profile::Names;

/// Questions asked at once. Each may wait for an answer for many seconds.
const THREADS: usize = 4;

/// Questions that wait. One that finds no room is asked again with the next record.
const MAX_PENDING: usize = 1024;

/// An address without a name is asked for again after so long: most of the time it is the name server
/// that had none to give.
const NAMELESS_TTL: Duration = Duration::from_secs(60);

/// What is known of one address.
#[derive(Clone)]
struct Entry {
    name: Option<Arc<str>>,
    fresh_until: Instant,
}

#[derive(Default)]
struct Cache {
    /// Half of the room each: when the young half is full it becomes the old one, whose entries are
    /// forgotten but for those that were used.
    young: HashMap<Box<str>, Entry>,
    old: HashMap<Box<str>, Entry>,
    questions: VecDeque<Box<str>>,
    counts: Counts,
    is_over: bool,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub lookups: u64,
    pub failures: u64,
    pub cached: usize,
    pub pending: usize,
}

struct Shared {
    settings: DnsSettings,
    cache: Mutex<Cache>,
    asked: Condvar,
}

impl Shared {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self) -> usize {
        (self.settings.max_entries / 2).max(1)
    }

    /// Answers questions until nobody asks any more.
    fn answer(&self) {
        loop {
            let mut cache = self.cache();
            let address = loop {
                if cache.is_over {
                    return;
                }
                if let Some(address) = cache.questions.pop_front() {
                    break address;
                }
                cache = self.asked.wait(cache).unwrap_or_else(PoisonError::into_inner);
            };
            drop(cache);
            let name = lookup(&address);
            let mut cache = self.cache();
            cache.counts.lookups += 1;
            cache.counts.failures += u64::from(name.is_none());
            let ttl = Duration::from_secs_f64(self.settings.cache_ttl_s);
            let ttl = if name.is_some() { ttl } else { ttl.min(NAMELESS_TTL) };
            let fresh_until = Instant::now() + ttl;
            cache.insert(address, Entry { name, fresh_until }, self.room());
        }
    }
}

fn lookup(address: &str) -> Option<Arc<str>> {
    let address: IpAddr = address.parse().ok()?;
    let name = dns_lookup::lookup_addr(&address).ok()?;
    Some(name.into())
}

impl Cache {
    fn insert(&mut self, address: Box<str>, entry: Entry, room: usize) {
        self.old.remove(&address);
        if self.young.len() >= room && !self.young.contains_key(&address) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(address, entry);
    }

    /// The entry of an address, which counts as used.
    fn find(&mut self, address: &str, room: usize) -> Option<&mut Entry> {
        if !self.young.contains_key(address)
            && let Some((address, entry)) = self.old.remove_entry(address)
        {
            self.insert(address, entry, room);
        }
        self.young.get_mut(address)
    }
}

/// Asks the system's resolver in threads of its own.
pub struct Resolver {
    shared: Arc<Shared>,
}

impl Resolver {
    /// # Errors
    ///
    /// The system has no thread.
    pub fn new(settings: &DnsSettings) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            settings: settings.clone(),
            cache: Mutex::default(),
            asked: Condvar::new(),
        });
        let resolver = Self { shared };
        for number in 0..THREADS {
            let shared = resolver.shared.clone();
            // Nobody waits for them at the end: an answer may take many seconds.
            let thread = thread::Builder::new().name(format!("gridtap-dns-{number}"));
            thread.spawn(move || shared.answer())?;
        }
        Ok(resolver)
    }

    pub fn settings(&self) -> &DnsSettings {
        &self.shared.settings
    }

    pub fn counts(&self) -> Counts {
        let cache = self.shared.cache();
        Counts {
            cached: cache.young.len() + cache.old.len(),
            pending: cache.questions.len(),
            ..cache.counts
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.shared.cache().is_over = true;
        self.shared.asked.notify_all();
    }
}

impl Names for Resolver {
    /// A name that is out of date is still the best there is until the next one comes; one that has
    /// been asked for without an answer for longer than the timeout is asked for again.
    fn host(&self, address: &str) -> Option<Arc<str>> {
        let (now, room) = (Instant::now(), self.shared.room());
        let mut cache = self.shared.cache();
        let known = cache.find(address, room).cloned();
        if let Some(entry) = &known
            && now < entry.fresh_until
        {
            return entry.name.clone();
        }
        let name = known.and_then(|entry| entry.name);
        if cache.questions.len() < MAX_PENDING && address.parse::<IpAddr>().is_ok() {
            let fresh_until = now + Duration::from_secs_f64(self.shared.settings.timeout_s);
            let entry = Entry { name: name.clone(), fresh_until };
            cache.insert(address.into(), entry, room);
            cache.questions.push_back(address.into());
            self.shared.asked.notify_one();
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(max_entries: usize) -> Resolver {
        let settings = DnsSettings { max_entries, ..DnsSettings::default() };
        Resolver::new(&settings).expect("threads")
    }

    #[test]
    fn a_name_comes_later() {
        let resolver = resolver(100);
        // Without a name server there is still the hosts file.
        let deadline = Instant::now() + Duration::from_secs(60);
        while resolver.host("127.0.0.1").is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(resolver.host("127.0.0.1").as_deref(), Some("localhost"));
        assert_eq!((resolver.counts().lookups, resolver.counts().cached), (1, 1));
    }

    #[test]
    fn what_is_no_address_is_not_asked_for() {
        let resolver = resolver(100);
        assert_eq!(resolver.host("relay.example.org"), None);
        assert_eq!(resolver.counts(), Counts::default());
    }

    #[test]
    fn a_flood_of_addresses_finds_bounds_and_what_is_used_stays() {
        let (mut cache, room) = (Cache::default(), 50);
        let entry = Entry { name: Some("used".into()), fresh_until: Instant::now() };
        cache.insert("192.0.2.1".into(), entry.clone(), room);
        for number in 0..100_000 {
            cache.insert(number.to_string().into(), entry.clone(), room);
            assert!(cache.find("192.0.2.1", room).is_some());
        }
        assert!(cache.young.len() + cache.old.len() <= 2 * room);
        assert!(cache.find("0", room).is_none());
    }
}
