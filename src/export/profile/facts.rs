//! What the OSG and WLCG forms of a file access say, before either names it.
//!
//! Two collectors send these records and do not agree on everything; where they differ, the producer
//! that a profile stands in for decides.

use std::borrow::Cow;
use std::net::IpAddr;

use super::place::{self, LogicalDirnames, UNKNOWN_DIRECTORY};
use super::settings::UserDn;
use super::{Context, clock};
use crate::access::record::{FileAccess, Server, User};
use crate::access::sequence::Micros;

/// The two collectors of the Open Science Grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Producer {
    /// That of xrootd-monitoring-shoveler.
    Go,
    /// xrootd-monitoring-collector.
    Py,
}

/// How an access is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub producer: Producer,
    pub strict: bool,
    pub user_dn: UserDn,
}

/// Whether a collector sends a record at all: both do for closes; xrootd-monitoring-collector also
/// for files that expired after a report of what was read so far.
pub(super) fn is_reported(access: &FileAccess<'_>, producer: Producer) -> bool {
    let expired = access.close_reason == Some("expired") && access.read_bytes.is_some();
    access.close_seen == Some(true) || (producer == Producer::Py && expired)
}

/// Begin and end of an access, milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub start: i64,
    pub end: i64,
}

impl Times {
    pub fn new(access: &FileAccess<'_>, rules: Rules, now: Micros) -> Self {
        let now = i64::try_from(now / 1000).unwrap_or(i64::MAX);
        let millis = |seconds: f64| (seconds * 1000.0).floor() as i64;
        let (start, end) = match rules.producer {
            Producer::Go if rules.strict => {
                return Self {
                    start: in_millis(access.server.server_started_at.unwrap_or(0)),
                    end: now,
                };
            }
            Producer::Go => (access.opened_at.map(millis), access.closed_at.map(millis)),
            Producer::Py => (
                access.open_window_start.map(in_millis).or(access.opened_at.map(millis)),
                access.close_window_start.map(in_millis).or(access.closed_at.map(millis)),
            ),
        };
        let end = end.unwrap_or(now);
        Self { start: start.unwrap_or(end), end }
    }

    pub fn start_s(self) -> i64 {
        self.start.div_euclid(1000)
    }

    pub fn end_s(self) -> i64 {
        self.end.div_euclid(1000)
    }
}

fn in_millis(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}

/// A server as records name it.
pub(super) struct Origin<'a> {
    /// Its address, without port.
    pub ip: &'a str,
    /// Its name, else its address.
    pub host: Cow<'a, str>,
}

impl<'a> Origin<'a> {
    pub fn new(server: &Server<'a>, context: &Context<'_>) -> Self {
        let ip = server.server_address.unwrap_or("unknown");
        let is_address = ip.parse::<IpAddr>().is_ok();
        let name = if is_address { context.names.host(ip) } else { None };
        Self { ip, host: name.map_or(Cow::Borrowed(ip), |name| Cow::Owned(name.to_string())) }
    }
}

/// `host:port` of the packets' sender, an IPv6 address in brackets.
pub(super) fn remote(server: &Server<'_>) -> String {
    let address = server.server_address.unwrap_or("unknown");
    match server.server_udp_port {
        Some(port) if address.contains(':') => format!("[{address}]:{port}"),
        Some(port) => format!("{address}:{port}"),
        None => address.to_owned(),
    }
}

/// The id of one run of a server.
pub(super) fn server_id(server: &Server<'_>, producer: Producer) -> String {
    let started = server.server_started_at.unwrap_or(0);
    match (producer, server.server_udp_port) {
        (Producer::Py, Some(port)) => {
            format!("{started}#{}#{port}", server.server_address.unwrap_or("unknown"))
        }
        _ => format!("{started}#{}", remote(server)),
    }
}

/// Whether the server has said who it is.
pub(super) fn is_identified(server: &Server<'_>) -> bool {
    let told = [
        server.server_host,
        server.server_instance,
        server.server_program,
        server.server_version,
        server.server_site,
    ];
    server.server_port.is_some() || told.iter().any(Option::is_some)
}

/// The distinguished name of a user.
pub(super) fn user_dn<'a>(user: &User<'a>, from: UserDn) -> Option<&'a str> {
    let first = |text: Option<&'a str>| {
        let first = text?.split("::").next()?;
        (!first.is_empty()).then_some(first)
    };
    let info = first(user.auth_info);
    match from {
        UserDn::Name => first(user.auth_name),
        UserDn::Info => info,
        UserDn::Best => info
            .filter(|info| info.starts_with('/') && info.contains('='))
            .or(first(user.auth_name)),
    }
}

/// A virtual organisation as xrootd-monitoring-shoveler writes it: each of its words once.
pub fn single_words(vo: &str) -> Cow<'_, str> {
    let is_plain = !vo.contains(char::is_whitespace);
    if is_plain {
        return Cow::Borrowed(vo);
    }
    let mut words: Vec<&str> = Vec::new();
    for word in vo.split_whitespace() {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Cow::Owned(words.join(" "))
}

/// The domain of a client, from its name, else from the name of its address.
pub(super) fn user_domain<'a>(
    host: &'a str,
    producer: Producer,
    context: &Context<'_>,
) -> Option<Cow<'a, str>> {
    if !place::is_address(host) {
        let labels = place::last_labels(host);
        return match producer {
            Producer::Go => labels.map(Cow::Borrowed),
            Producer::Py => Some(Cow::Borrowed(labels.unwrap_or(host))),
        };
    }
    if producer == Producer::Py {
        return None;
    }
    let address: IpAddr = place::address(host).parse().ok()?;
    let name = context.names.host(&address.to_canonical().to_string())?;
    place::last_labels(&name).map(|labels| Cow::Owned(labels.to_owned()))
}

/// The directories of a path.
pub(super) struct Directories<'a> {
    pub first: Cow<'a, str>,
    pub second: Cow<'a, str>,
    pub logical: Cow<'a, str>,
}

impl<'a> Directories<'a> {
    /// As xrootd-monitoring-shoveler finds them: in the tidied path.
    pub fn tidied(path: &'a str, table: &'a LogicalDirnames) -> Self {
        if path.is_empty() || path == "/" {
            return Self::unknown();
        }
        match place::clean(path) {
            Cow::Borrowed(clean) if clean.starts_with('/') => {
                let [first, second, logical] = directories(clean, table, true);
                let [first, second, logical] = [first, second, logical].map(Cow::Borrowed);
                Self { first, second, logical }
            }
            clean => {
                let rooted = format!("/{}", clean.strip_prefix('/').unwrap_or(&clean));
                let [first, second, _] = directories(&rooted, table, true);
                let short = place::components(&clean, 2).unwrap_or(&clean);
                Self {
                    logical: Cow::Owned(table.of(&clean, Some(short)).to_owned()),
                    first: Cow::Owned(first.to_owned()),
                    second: Cow::Owned(second.to_owned()),
                }
            }
        }
    }

    /// As xrootd-monitoring-collector finds them: in the path as it is.
    pub fn plain(path: &'a str, table: &'a LogicalDirnames) -> Self {
        let [first, second, logical] = directories(path, table, false).map(Cow::Borrowed);
        Self { first, second, logical }
    }

    pub fn unknown() -> Self {
        let unknown = Cow::Borrowed(UNKNOWN_DIRECTORY);
        Self { first: unknown.clone(), second: unknown.clone(), logical: unknown }
    }
}

fn directories<'a>(path: &'a str, table: &'a LogicalDirnames, tidied: bool) -> [&'a str; 3] {
    let first = place::components(path, 1).unwrap_or(path);
    let second = place::components(path, 2).unwrap_or(path);
    [first, second, table.of(path, tidied.then_some(second))]
}

/// The parts of a CRAB job's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Crab<'a> {
    pub id: &'a str,
    pub retry: &'a str,
    pub workflow: &'a str,
}

impl<'a> Crab<'a> {
    /// From `id_url_retry`, and from nothing else.
    pub fn new(app_info: &'a str) -> Option<Self> {
        let mut parts = app_info.split('_');
        let (id, url, retry) = (parts.next()?, parts.next()?, parts.next()?);
        let workflow = url.rsplit('/').next()?;
        parts.next().is_none().then_some(Self { id, retry, workflow })
    }
}

/// Milliseconds since the epoch.
pub(super) fn now_ms(context: &Context<'_>) -> i64 {
    i64::try_from(context.now / 1000).unwrap_or(i64::MAX)
}

/// The `@timestamp` of a record.
pub(super) fn timestamp(context: &Context<'_>) -> String {
    clock::rfc3339(context.now)
}

fn is_name(host: &str) -> bool {
    !host.is_empty() && !place::is_address(host)
}

/// The name that a server gave itself.
pub(super) fn server_name<'a>(server: &Server<'a>) -> Option<&'a str> {
    server.server_host.filter(|host| is_name(host))
}

/// The name of a client, as far as its server knew one.
pub(super) fn client_name<'a>(user: &User<'a>) -> Option<&'a str> {
    [user.user_host, user.auth_host].into_iter().flatten().find(|host| is_name(host))
}

/// Whether client and server are in one domain, where both have names.
pub(super) fn is_local(user: &User<'_>, server: &Server<'_>) -> Option<bool> {
    fn domain(host: &str) -> Option<&str> {
        host.split_once('.').map(|(_, domain)| domain)
    }
    let (client, server) = (domain(client_name(user)?)?, domain(server_name(server)?)?);
    Some(client.eq_ignore_ascii_case(server))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_is_the_same_domain() {
        let told = |client, server| {
            let user = User { user_host: Some(client), ..User::default() };
            is_local(&user, &Server { server_host: Some(server), ..Server::default() })
        };
        assert_eq!(told("wn.example.org", "srv.Example.org"), Some(true));
        assert_eq!(told("wn.example.org", "srv.example.net"), Some(false));
        assert_eq!(told("192.0.2.1", "srv.example.net"), None);
    }

    #[test]
    fn words_of_an_organisation_come_once() {
        assert_eq!(single_words("osg osg"), "osg");
        assert_eq!(single_words(" cms  osg cms "), "cms osg");
        assert_eq!(single_words("cms"), "cms");
    }

    #[test]
    fn jobs_have_three_parts() {
        let crab = Crab::new("162_https://a/162/190501:user:crab:x_0").expect("a job");
        assert_eq!((crab.id, crab.retry, crab.workflow), ("162", "0", "190501:user:crab:x"));
        assert_eq!(Crab::new("1_b"), None);
        assert_eq!(Crab::new("1_b_c_d"), None);
        assert_eq!(Crab::new("1_b_2").map(|crab| crab.workflow), Some("b"));
    }
}
