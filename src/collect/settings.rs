//! What the collector is told, as one JSON text.

use ipnet::IpNet;
use serde::Deserialize;
use std::time::Duration;

use crate::access::Config;
use crate::access::sequence::{Micros, SECOND};
use crate::export::filter::{FilterSettings, WlcgRule};
use crate::export::profile::{
    LogicalDirnames, OtelForm, Profile, ProfileSettings, TimeUnit, UserDn,
};
use crate::reading::What;

/// More workers than any machine that receives UDP has cores.
const MAX_WORKERS: usize = 256;

/// A batch may not be so large that two of them are a whole queue.
const BATCHES_IN_QUEUE: usize = 2;

/// Times below are multiplied into microseconds; longer than this is meant to be "never".
const LONGEST_S: f64 = 100.0 * 365.0 * 86_400.0;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub workers: usize,
    /// The name of this host, for records that hold it.
    #[serde(default)]
    pub host: String,
    /// Receive buffer asked of the kernel for each socket; 0 leaves it as it is.
    #[serde(default)]
    pub receive_buffer_bytes: usize,
    #[serde(default)]
    pub gate: GateSettings,
    #[serde(default)]
    pub state: StateSettings,
    #[serde(default)]
    pub dns: DnsSettings,
    #[serde(default)]
    pub wlcg: WlcgRule,
    #[serde(default)]
    pub logical_dirnames: LogicalDirnames,
    pub sinks: Vec<SinkSettings>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GateSettings {
    /// Networks that packets may come from; empty: all.
    pub allow: Vec<IpNet>,
    /// 0: no ceiling.
    pub max_packets_per_second: u32,
    /// Senders whose rate is followed at once.
    pub max_senders: usize,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self { allow: Vec::new(), max_packets_per_second: 0, max_senders: 10_000 }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StateSettings {
    /// Memory of the correlation's tables, over all workers.
    pub max_bytes: usize,
    pub file_ttl_s: f64,
    pub session_ttl_s: f64,
    pub server_ttl_s: f64,
    pub late_grace_s: f64,
    pub restart_grace_s: f64,
    pub trace_wait_s: f64,
}

impl Default for StateSettings {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 30,
            file_ttl_s: 86_400.0,
            session_ttl_s: 86_400.0,
            server_ttl_s: 86_400.0,
            late_grace_s: 5.0,
            restart_grace_s: 60.0,
            trace_wait_s: 300.0,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsSettings {
    pub reverse: bool,
    pub cache_ttl_s: f64,
    pub timeout_s: f64,
    pub max_entries: usize,
}

impl Default for DnsSettings {
    fn default() -> Self {
        Self { reverse: false, cache_ttl_s: 3600.0, timeout_s: 2.0, max_entries: 100_000 }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    #[default]
    Lines,
    Arrow,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkSettings {
    pub name: String,
    pub records: Vec<String>,
    // Those of `ProfileSettings`: serde cannot both take them in and refuse unknown keys.
    #[serde(default)]
    pub profile: Profile,
    #[serde(default)]
    pub strict: bool,
    #[serde(default)]
    pub time_unit: TimeUnit,
    #[serde(default)]
    pub extended: bool,
    #[serde(default)]
    pub user_dn: Option<UserDn>,
    #[serde(default)]
    pub otel_form: OtelForm,
    #[serde(default)]
    pub index: Option<String>,
    #[serde(default)]
    pub filter: FilterSettings,
    #[serde(default)]
    pub form: Form,
    #[serde(default = "default_queue_bytes")]
    pub queue_bytes: usize,
    #[serde(default = "default_batch_bytes")]
    pub batch_bytes: usize,
    #[serde(default = "default_batch_wait_s")]
    pub batch_wait_s: f64,
}

fn default_queue_bytes() -> usize {
    64 << 20
}

fn default_batch_bytes() -> usize {
    1 << 20
}

fn default_batch_wait_s() -> f64 {
    1.0
}

impl Settings {
    /// Reads and checks them.
    ///
    /// # Errors
    ///
    /// One line that says which setting is wrong and why.
    pub fn read(text: &str) -> Result<Self, String> {
        let settings: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=MAX_WORKERS).contains(&self.workers) {
            return Err(format!("workers is {}, not 1 to {MAX_WORKERS}", self.workers));
        }
        if self.gate.max_senders == 0 {
            return Err("gate.max_senders is 0".into());
        }
        let state = &self.state;
        if state.max_bytes == 0 {
            return Err("state.max_bytes is 0".into());
        }
        if self.dns.max_entries == 0 {
            return Err("dns.max_entries is 0".into());
        }
        for (name, value) in [
            ("state.file_ttl_s", state.file_ttl_s),
            ("state.session_ttl_s", state.session_ttl_s),
            ("state.server_ttl_s", state.server_ttl_s),
            ("state.late_grace_s", state.late_grace_s),
            ("state.restart_grace_s", state.restart_grace_s),
            ("state.trace_wait_s", state.trace_wait_s),
            ("dns.cache_ttl_s", self.dns.cache_ttl_s),
            ("dns.timeout_s", self.dns.timeout_s),
        ] {
            check_time(name, value)?;
        }
        for (at, sink) in self.sinks.iter().enumerate() {
            let known = self.sinks.get(..at).unwrap_or_default();
            if known.iter().any(|other| other.name == sink.name) {
                return Err(format!("two sinks have the name {:?}", sink.name));
            }
            sink.check().map_err(|error| format!("sink {:?}: {error}", sink.name))?;
        }
        Ok(())
    }
}

fn check_time(name: &str, value: f64) -> Result<(), String> {
    if (0.0..=LONGEST_S).contains(&value) {
        return Ok(());
    }
    Err(format!("{name} is {value}, not a number of seconds from 0 to {LONGEST_S}"))
}

impl SinkSettings {
    fn check(&self) -> Result<(), String> {
        let kinds = self.kinds()?;
        check_time("batch_wait_s", self.batch_wait_s)?;
        if self.batch_bytes == 0 {
            return Err("batch_bytes is 0".into());
        }
        if self.queue_bytes / BATCHES_IN_QUEUE < self.batch_bytes {
            let (queue, batch) = (self.queue_bytes, self.batch_bytes);
            return Err(format!(
                "queue_bytes ({queue}) is less than {BATCHES_IN_QUEUE} times batch_bytes ({batch})"
            ));
        }
        if self.form == Form::Arrow && kinds.len() != 1 {
            return Err(format!("form \"arrow\" takes one kind of record, not {}", kinds.len()));
        }
        if self.form == Form::Arrow && self.profile != Profile::Native {
            let profile = self.profile.name();
            return Err(format!("form \"arrow\" goes with profile \"native\", not {profile:?}"));
        }
        Ok(())
    }

    /// The kinds of record that it takes.
    pub fn kinds(&self) -> Result<Vec<What>, String> {
        if self.records.is_empty() {
            return Err("it takes no kind of record".into());
        }
        let kind = |name: &String| What::of(name).ok_or(format!("unknown kind of record {name:?}"));
        self.records.iter().map(kind).collect()
    }

    pub fn profile(&self, logical_dirnames: &LogicalDirnames) -> ProfileSettings {
        ProfileSettings {
            profile: self.profile,
            strict: self.strict,
            time_unit: self.time_unit,
            extended: self.extended,
            user_dn: self.user_dn,
            otel_form: self.otel_form,
            index: self.index.clone(),
            logical_dirnames: logical_dirnames.clone(),
        }
    }

    pub fn batch_wait(&self) -> Duration {
        Duration::from_secs_f64(self.batch_wait_s)
    }
}

fn micros(seconds: f64) -> Micros {
    (seconds * SECOND as f64) as Micros
}

impl StateSettings {
    /// For one of `workers` correlators. Memory is what bounds the tables here; servers are counted as
    /// well, because a spoofer makes them one by one.
    pub fn config(&self, workers: usize) -> Config {
        Config {
            max_open_files: usize::MAX,
            max_named_files: usize::MAX,
            max_sessions: usize::MAX,
            max_bytes: self.max_bytes / workers.max(1),
            file_ttl: micros(self.file_ttl_s),
            session_ttl: micros(self.session_ttl_s),
            server_ttl: micros(self.server_ttl_s),
            late_grace: micros(self.late_grace_s),
            restart_grace: micros(self.restart_grace_s),
            trace_wait: micros(self.trace_wait_s),
            ..Config::default()
        }
    }
}
