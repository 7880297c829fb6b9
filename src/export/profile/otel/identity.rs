//! Whose event it is: server, user, file, and the ids that join events.

use super::Event;
use super::attributes::{Attributes, Style};
use crate::access::record::{Server, User};
use crate::export::profile::facts::{client_name, server_name, single_words};
use crate::export::profile::place::is_address;

/// Authentication methods whose login can carry a virtual organisation; what others put in its place
/// is something else.
const VO_METHODS: &[&str] = &["gsi", "sss", "ztn", "http", "https"];

/// The server that an event comes from.
pub(super) fn resource(server: &Server<'_>, style: Style, out: &mut Vec<u8>) {
    let mut attributes = Attributes::begin(style, out);
    attributes.text("service.name", Some("xrootd"));
    attributes.text("service.instance.id", server.server_instance);
    attributes.text("service.version", server.server_version);
    attributes.text("server.address", server_address(server));
    attributes.int("server.port", server.server_port);
    attributes.text("xrootd.server.site", server.server_site);
    attributes.text("xrootd.server.program", server.server_program);
    attributes.int("xrootd.server.id", server.server_id);
    attributes.int("xrootd.server.incarnation", server.server_started_at);
    attributes.end();
}

/// The name that a server gave itself, else where its packets come from.
pub(super) fn server_address<'a>(server: &Server<'a>) -> Option<&'a str> {
    server_name(server).or(server.server_address)
}

/// The client and its user.
pub(super) fn user(user: &User<'_>, ids: &Ids, attributes: &mut Attributes<'_>) {
    let name = client_name(user);
    let address = user.user_host.filter(|host| is_address(host));
    attributes.text("client.address", name.or(address));
    attributes.text("network.peer.address", address.filter(|_| name.is_some()));
    attributes.text(
        "network.type",
        match user.ip_version {
            Some(4) => Some("ipv4"),
            Some(6) => Some("ipv6"),
            _ => None,
        },
    );
    attributes.text("network.transport", user.user_protocol.map(|_| "tcp"));
    let scheme = user.user_protocol.filter(|protocol| matches!(*protocol, "http" | "https"));
    attributes.text("network.protocol.name", scheme.map(|_| "http").or(user.user_protocol));
    attributes.text("url.scheme", scheme);
    if user.user_id.is_some() || user.user_name.is_some() {
        attributes.text("session.id", Some(&ids.trace()));
    }
    attributes.text("user.name", user.token_name.or(user.user_name));
    attributes.text("user.id", user.token_subject.or(user.auth_name));
    attributes.single("user.roles", user.token_role.or(user.auth_role));
    let login_vo = user
        .auth_vo
        .filter(|_| user.auth_protocol.is_some_and(|method| VO_METHODS.contains(&method)));
    attributes.text("wlcg.vo", user.token_vo.or(login_vo).map(single_words).as_deref());
    attributes.text("wlcg.groups", user.token_groups.or(user.auth_groups));
    attributes.text("xrootd.auth.method", user.auth_protocol);
    attributes.text("user_agent.name", user.auth_app);
    attributes.text("user_agent.original", user.auth_moninfo);
    attributes.text("xrootd.app", user.app_info.filter(|app| Some(*app) != user.auth_moninfo));
    attributes.int("scitags.experiment_id", user.experiment_id);
    attributes.int("scitags.activity_id", user.activity_id);
}

/// A path and its parts.
pub(super) fn file(path: Option<&str>, attributes: &mut Attributes<'_>) {
    let Some(path) = path else { return };
    attributes.text("file.path", Some(path));
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    attributes.text("file.name", Some(name));
    let is_at_root = directory.is_empty() && path.starts_with('/');
    attributes.text("file.directory", Some(if is_at_root { "/" } else { directory }));
    let extension = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    attributes.text("file.extension", extension.map(|(_, extension)| extension));
}

/// What joins the events of a session: equal packets give equal ids, whoever collects them.
pub(super) struct Ids {
    trace: u128,
    span: u64,
}

impl Ids {
    pub fn new(event: &Event<'_>) -> Self {
        let server = event.server;
        let mut trace = Fnv::new();
        trace.text(server.server_address);
        trace.int(server.server_udp_port);
        trace.int(server.server_started_at);
        if let Some(user) = event.user {
            trace.int(user.user_id);
            // The number is the login's, whether or not its name is known yet.
            if user.user_id.is_none() {
                trace.text(user.user_name);
                trace.int(user.user_pid);
            }
        }
        let mut span = Fnv(trace.0);
        if let Some((number, at)) = event.span {
            span.int(Some(number));
            span.int(Some(at.to_bits() as i64));
            span.text(Some(event.name));
        }
        // Ids of nothing but zeros are not valid.
        Self { trace: trace.0.max(1), span: ((span.0 >> 64) as u64 ^ span.0 as u64).max(1) }
    }

    pub fn trace(&self) -> String {
        format!("{:032x}", self.trace)
    }

    pub fn span(&self) -> String {
        format!("{:016x}", self.span)
    }
}

/// FNV-1a of 128 bits: nothing here needs to withstand an attack, only to stay the same.
struct Fnv(u128);

impl Fnv {
    fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u128::from(*byte);
            self.0 = self.0.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }

    fn text(&mut self, text: Option<&str>) {
        self.bytes(text.unwrap_or("").as_bytes());
        self.bytes(&[0xff]);
    }

    fn int(&mut self, value: Option<i64>) {
        self.bytes(&value.unwrap_or(0).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv_is_the_known_one() {
        let mut fnv = Fnv::new();
        fnv.bytes(b"a");
        assert_eq!(fnv.0, 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn paths_have_parts() {
        for (path, expected) in [
            (
                "/a/b.root",
                r#"{"file.path":"/a/b.root","file.name":"b.root","file.directory":"/a","file.extension":"root"}"#,
            ),
            ("/.x", r#"{"file.path":"/.x","file.name":".x","file.directory":"/"}"#),
            ("x", r#"{"file.path":"x","file.name":"x"}"#),
        ] {
            let mut out = Vec::new();
            let mut attributes = Attributes::begin(Style::Object, &mut out);
            file(Some(path), &mut attributes);
            attributes.end();
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
