//! Records as xrootd-monitoring-collector sends them.

use super::facts::{self, Directories, Origin, Producer, Rules, Times};
use super::numbers::{self, Bytes, Zeros};
use super::object::Object;
use super::settings::{LogicalDirnames, ProfileSettings, UserDn};
use super::summary::Summaries;
use super::{AnyRecord, Context, plugin};
use crate::access::record::{FileAccess, User};

/// Path, and group of paths, of a close without an open.
const MISSING: &str = "missing directory";

pub(super) struct OsgPy {
    rules: Rules,
    dirnames: LogicalDirnames,
    summaries: Summaries,
}

impl OsgPy {
    pub fn new(settings: &ProfileSettings) -> Self {
        let user_dn = settings.user_dn.unwrap_or(UserDn::Info);
        let rules = Rules { producer: Producer::Py, strict: settings.strict, user_dn };
        let dirnames = settings.logical_dirnames.clone();
        Self { rules, dirnames, summaries: Summaries::default() }
    }

    pub fn write(
        &mut self,
        record: &AnyRecord<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        match record {
            AnyRecord::Access(access) => self.access(access, context, out),
            AnyRecord::Plugin(event) => plugin::write(event, Producer::Py, context, out),
            AnyRecord::Summary(summary) => self.summaries.write(summary, out),
            _ => false,
        }
    }

    fn access(&self, access: &FileAccess<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
        if !facts::is_reported(access, Producer::Py) {
            return false;
        }
        let times = Times::new(access, self.rules, context.now);
        let mut object = Object::begin(out);
        object.int("timestamp", times.end);
        object.int("start_time", times.start);
        object.int("end_time", times.end);
        object.int("operation_time", times.end.saturating_sub(times.start) / 1000);
        let server = &access.server;
        let origin = Origin::new(server, context);
        object.text("server_hostname", &origin.host);
        object.text("server", origin.ip);
        object.text("server_ip", origin.ip);
        if facts::is_identified(server) {
            object.text("serverID", &facts::server_id(server, Producer::Py));
            object.text("site", server.server_site.unwrap_or(""));
        }
        let opened = Opened::new(access, self.rules.strict);
        if opened != Opened::Misread {
            self.who(&access.user, context, &mut object);
        }
        self.what(access, opened, &mut object);
        let bytes = Bytes::new(access);
        object.int("read", bytes.read);
        object.int("readv", bytes.readv);
        object.int("write", bytes.write);
        if numbers::has_operations(access) {
            object.int("read_single_bytes", bytes.read);
            numbers::write(access, Producer::Py, self.rules.strict, Zeros::Written, &mut object);
        }
        // Not what the name says: whether the open was seen, and always for files that expired.
        let is_orphan = access.close_seen == Some(true) && access.open_seen == Some(false);
        object.int("HasFileCloseMsg", i64::from(!is_orphan));
        object.end_line();
        true
    }

    fn who(&self, user: &User<'_>, context: &Context<'_>, object: &mut Object<'_>) {
        object.known_text("user", user.user_name);
        object.known_text("host", user.user_host);
        let domain =
            user.user_host.and_then(|host| facts::user_domain(host, Producer::Py, context));
        object.known_text("user_domain", domain.as_deref());
        object.known_text("protocol", user.user_protocol);
        object.known_boolean("ipv6", user.ip_version.map(|version| version == 6));
        object.known_text("user_dn", facts::user_dn(user, self.rules.user_dn));
        object.known_text("vo", user.auth_vo);
        object.known_text("appinfo", user.app_info);
    }

    fn what(&self, access: &FileAccess<'_>, opened: Opened<'_>, object: &mut Object<'_>) {
        let path = match opened {
            Opened::Named(path) => path,
            Opened::Nameless | Opened::Misread => "",
            Opened::Unseen => {
                object.text("filename", MISSING);
                object.text("filesize", "-1");
                object.text("logical_dirname", MISSING);
                return;
            }
        };
        object.text("filename", path);
        match access.file_size_bytes {
            Some(size) => object.int("filesize", size),
            None => object.text("filesize", "-1"),
        }
        let directories = Directories::plain(path, &self.dirnames);
        object.text("dirname1", &directories.first);
        object.text("dirname2", &directories.second);
        object.text("logical_dirname", &directories.logical);
    }
}

/// What this collector knows of the open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened<'a> {
    Named(&'a str),
    Nameless,
    Unseen,
    /// Its flags say more than that a name follows: then xrootd-monitoring-collector sees no name and
    /// no user.
    Misread,
}

impl<'a> Opened<'a> {
    pub fn new(access: &FileAccess<'a>, strict: bool) -> Self {
        let seen = access.open_seen == Some(true);
        match access.path {
            _ if strict && seen && access.mode == Some("read-write") => Self::Misread,
            _ if strict && !seen => Self::Unseen,
            Some(path) => Self::Named(path),
            None if seen => Self::Nameless,
            None => Self::Unseen,
        }
    }
}
