//! Which records a sink takes.
//!
//! Conditions are those of xrootd-monitoring-shoveler's collector (`collector/filter.go`), with a
//! few of our own: virtual organisations are compared without regard to case and outer spaces, path
//! prefixes as text.

use ipnet::IpNet;
use serde::Deserialize;
use std::borrow::Cow;
use std::net::IpAddr;

use super::profile::{AnyRecord, is_wlcg, single_words};
use crate::access::record::{Server, User};
use crate::capture::Host;
use crate::reading::What;

/// What a sink asks for. An empty list asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterSettings {
    /// Kinds of records by name: `accesses`, `sessions`, ... Set beside the filter, not in it.
    #[serde(skip)]
    pub records: Vec<String>,
    pub vos: Vec<String>,
    pub not_vos: Vec<String>,
    pub path_prefixes: Vec<String>,
    pub not_path_prefixes: Vec<String>,
    pub sites: Vec<String>,
    /// Networks of servers: `192.0.2.0/24`, or single addresses.
    pub servers: Vec<String>,
    /// Only the records that WLCG gets, or only the others.
    pub wlcg: Option<bool>,
}

/// Which file accesses WLCG gets. An explicit empty list matches nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WlcgRule {
    pub vos: Vec<String>,
    pub path_prefixes: Vec<String>,
}

impl Default for WlcgRule {
    fn default() -> Self {
        Self {
            vos: vec!["cms".to_owned()],
            path_prefixes: vec!["/store".to_owned(), "/user/dteam".to_owned()],
        }
    }
}

impl WlcgRule {
    /// Whether a record goes to WLCG: file accesses by this rule, copies and cached files by the
    /// fixed prefixes of the collectors, others never.
    pub fn matches(&self, record: &AnyRecord<'_>) -> bool {
        match record {
            AnyRecord::Access(_) => {
                let is_of = |vos: &[String]| {
                    !vos.is_empty()
                        && vo(record).is_some_and(|vo| vos.iter().any(|entry| same_vo(&vo, entry)))
                };
                is_of(&self.vos)
                    || path(record).is_some_and(|path| begins(path, &self.path_prefixes))
            }
            AnyRecord::Plugin(event) => is_wlcg(event),
            _ => false,
        }
    }
}

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    Kind,
    Vo,
    PathPrefix,
    Site,
    Server,
    Wlcg,
}

impl Refusal {
    pub const ALL: &'static [Refusal] =
        &[Self::Kind, Self::Vo, Self::PathPrefix, Self::Site, Self::Server, Self::Wlcg];

    /// As counters name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Vo => "vo",
            Self::PathPrefix => "path_prefix",
            Self::Site => "site",
            Self::Server => "server",
            Self::Wlcg => "wlcg",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Take,
    Refuse(Refusal),
}

/// The conditions of one sink.
#[derive(Clone, Debug)]
pub struct Filter {
    settings: FilterSettings,
    servers: Vec<IpNet>,
}

impl Filter {
    /// # Errors
    ///
    /// Which entry is wrong and why, in one line.
    pub fn new(settings: &FilterSettings) -> Result<Self, String> {
        for kind in &settings.records {
            if What::of(kind).is_none() {
                let known: Vec<_> = What::ALL.iter().map(|(name, _)| *name).collect();
                return Err(format!("records: no kind {kind:?}; one of {}", known.join(", ")));
            }
        }
        let lists = [
            ("vos", &settings.vos),
            ("not_vos", &settings.not_vos),
            ("path_prefixes", &settings.path_prefixes),
            ("not_path_prefixes", &settings.not_path_prefixes),
            ("sites", &settings.sites),
        ];
        if let Some((name, _)) =
            lists.iter().find(|(_, list)| list.iter().any(|entry| entry.trim().is_empty()))
        {
            return Err(format!("{name}: an entry is empty"));
        }
        let servers =
            settings.servers.iter().map(|text| network(text)).collect::<Result<_, _>>()?;
        Ok(Self { settings: settings.clone(), servers })
    }

    /// Whether the sink takes a record, else the first condition that it does not meet.
    pub fn verdict(&self, record: &AnyRecord<'_>, wlcg: &WlcgRule) -> Verdict {
        let refusals = [
            (Refusal::Kind, !self.takes_kind(record)),
            (Refusal::Server, !self.takes_server(record)),
        ];
        match refusals.iter().find(|(_, refused)| *refused) {
            Some((refusal, _)) => Verdict::Refuse(*refusal),
            None => self.content(record, wlcg).map_or(Verdict::Take, Verdict::Refuse),
        }
    }

    fn content(&self, record: &AnyRecord<'_>, wlcg: &WlcgRule) -> Option<Refusal> {
        let settings = &self.settings;
        if !settings.vos.is_empty() || !settings.not_vos.is_empty() {
            let vo = vo(record);
            let is_of =
                |vos: &[String]| vo.as_ref().is_some_and(|vo| vos.iter().any(|e| same_vo(vo, e)));
            if is_of(&settings.not_vos) || (!settings.vos.is_empty() && !is_of(&settings.vos)) {
                return Some(Refusal::Vo);
            }
        }
        if !settings.path_prefixes.is_empty() || !settings.not_path_prefixes.is_empty() {
            let path = path(record);
            let is_under = |prefixes: &[String]| path.is_some_and(|path| begins(path, prefixes));
            if is_under(&settings.not_path_prefixes)
                || (!settings.path_prefixes.is_empty() && !is_under(&settings.path_prefixes))
            {
                return Some(Refusal::PathPrefix);
            }
        }
        if !settings.sites.is_empty() {
            let site = site(record);
            if !site.is_some_and(|site| settings.sites.iter().any(|entry| entry == site)) {
                return Some(Refusal::Site);
            }
        }
        match settings.wlcg {
            Some(wanted) if wlcg.matches(record) != wanted => Some(Refusal::Wlcg),
            _ => None,
        }
    }

    fn takes_kind(&self, record: &AnyRecord<'_>) -> bool {
        let kinds = &self.settings.records;
        kinds.is_empty() || kinds.iter().any(|kind| kind == record.kind())
    }

    fn takes_server(&self, record: &AnyRecord<'_>) -> bool {
        if self.servers.is_empty() {
            return true;
        }
        let address: Option<IpAddr> = match record {
            AnyRecord::Datagram { peer, .. } => match peer.map(|peer| &peer.host) {
                Some(Host::Ip(address)) => Some(*address),
                _ => None,
            },
            AnyRecord::Summary(summary) => {
                summary.server_address.and_then(|text| text.parse().ok())
            }
            _ => server(record).and_then(|server| server.server_address?.parse().ok()),
        };
        address.is_some_and(|address| self.servers.iter().any(|net| net.contains(&address)))
    }
}

/// A network or a single address; IPv4-mapped ones are IPv4, as servers are shown.
fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    text.parse().map_err(|_| format!("servers: {text:?} is neither a network nor an address"))
}

fn server<'a>(record: &AnyRecord<'a>) -> Option<&'a Server<'a>> {
    match record {
        AnyRecord::Access(record) => Some(&record.server),
        AnyRecord::Session(record) => Some(&record.server),
        AnyRecord::Redirect(record) => Some(&record.server),
        AnyRecord::Io(record) => Some(&record.server),
        AnyRecord::Plugin(record) => Some(&record.server),
        AnyRecord::Server(record) => Some(&record.server),
        AnyRecord::Summary(_) | AnyRecord::Datagram { .. } => None,
    }
}

fn site<'a>(record: &AnyRecord<'a>) -> Option<&'a str> {
    match record {
        AnyRecord::Summary(summary) => summary.server_site,
        _ => server(record)?.server_site,
    }
}

fn user<'a>(record: &AnyRecord<'a>) -> Option<&'a User<'a>> {
    match record {
        AnyRecord::Access(record) => Some(&record.user),
        AnyRecord::Session(record) => Some(&record.user),
        AnyRecord::Redirect(record) => Some(&record.user),
        AnyRecord::Io(record) => Some(&record.user),
        _ => None,
    }
}

fn path<'a>(record: &AnyRecord<'a>) -> Option<&'a str> {
    let path = match record {
        AnyRecord::Access(record) => record.path,
        AnyRecord::Redirect(record) => record.path,
        AnyRecord::Io(record) => record.path,
        AnyRecord::Plugin(record) => record.path,
        _ => None,
    };
    path.map(str::trim)
}

/// What the login's authentication says; a login that brought only a token, the token.
fn vo<'a>(record: &AnyRecord<'a>) -> Option<Cow<'a, str>> {
    let user = user(record)?;
    let named = |vo: &&str| !vo.trim().is_empty();
    let vo = user.auth_vo.filter(named).or(user.token_vo.filter(named))?;
    Some(single_words(vo.trim()))
}

fn same_vo(vo: &str, entry: &str) -> bool {
    let entry = entry.trim();
    vo.eq_ignore_ascii_case(entry)
        || (!(vo.is_ascii() && entry.is_ascii()) && vo.to_lowercase() == entry.to_lowercase())
}

fn begins(path: &str, prefixes: &[String]) -> bool {
    prefixes
        .iter()
        .map(|prefix| prefix.trim())
        .any(|prefix| !prefix.is_empty() && path.starts_with(prefix))
}
