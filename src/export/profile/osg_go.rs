//! Records as the collector of xrootd-monitoring-shoveler sends them.
//!
//! It takes the server's start for the start of an access and the time of sending for its end; we do
//! not, unless asked to.

use std::borrow::Cow;

use super::facts::{self, Directories, Origin, Producer, Rules, Times};
use super::numbers::{self, Bytes, Zeros};
use super::object::Object;
use super::settings::{LogicalDirnames, ProfileSettings, UserDn};
use super::{AnyRecord, Context, plugin};
use crate::access::record::{FileAccess, User};

pub(super) struct OsgGo {
    rules: Rules,
    dirnames: LogicalDirnames,
}

impl OsgGo {
    pub fn new(settings: &ProfileSettings) -> Self {
        let user_dn = settings.user_dn.unwrap_or(UserDn::Name);
        let rules = Rules { producer: Producer::Go, strict: settings.strict, user_dn };
        Self { rules, dirnames: settings.logical_dirnames.clone() }
    }

    pub fn write(&self, record: &AnyRecord<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
        match record {
            AnyRecord::Access(access) => self.access(access, context, out),
            AnyRecord::Plugin(event) => plugin::write(event, Producer::Go, context, out),
            _ => false,
        }
    }

    fn access(&self, access: &FileAccess<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
        if !facts::is_reported(access, Producer::Go) {
            return false;
        }
        let times = Times::new(access, self.rules, context.now);
        let mut object = Object::begin(out);
        object.text("@timestamp", &facts::timestamp(context));
        object.int("start_time", times.start_s());
        object.int("end_time", times.end_s());
        object.int("operation_time", times.end_s().saturating_sub(times.start_s()));
        let server = &access.server;
        let origin = Origin::new(server, context);
        object.text("serverID", &facts::server_id(server, Producer::Go));
        object.text("server_hostname", &origin.host);
        object.text("server", origin.ip);
        object.text("server_ip", origin.ip);
        object.text("site", site(server.server_site));
        self.who(&access.user, context, &mut object);
        self.what(access, &mut object);
        let bytes = Bytes::new(access);
        object.int("read", bytes.read);
        object.int("readv", bytes.readv);
        object.int("write", bytes.write);
        object.int("read_single_bytes", bytes.read);
        numbers::write(access, Producer::Go, self.rules.strict, Zeros::Written, &mut object);
        object.int("HasFileCloseMsg", 1);
        object.end_line();
        true
    }

    fn who(&self, user: &User<'_>, context: &Context<'_>, object: &mut Object<'_>) {
        object.text("user", &user_name(user));
        object.text("user_dn", facts::user_dn(user, self.rules.user_dn).unwrap_or(""));
        let domain =
            user.user_host.and_then(|host| facts::user_domain(host, Producer::Go, context));
        object.known_text("user_domain", domain.as_deref());
        object.known_text("vo", user.auth_vo.map(facts::single_words).as_deref());
        object.text("host", host(user));
        object.text("protocol", protocol(user));
        object.text("appinfo", user.app_info.unwrap_or(""));
        object.boolean("ipv6", user.ip_version == Some(6));
        object.known_text("token_subject", user.token_subject);
        object.known_text("token_username", user.token_name);
        object.known_text("token_org", user.token_vo);
        object.known_text("token_role", user.token_role);
        object.known_text("token_groups", user.token_groups);
        if let Some(id) = user.experiment_id {
            object.digits("experiment", id);
        }
        if let Some(id) = user.activity_id {
            object.digits("activity", id);
        }
    }

    fn what(&self, access: &FileAccess<'_>, object: &mut Object<'_>) {
        object.text("filename", filename(access));
        object.int("filesize", access.file_size_bytes.unwrap_or(0));
        let directories = match access.path {
            Some(path) => Directories::tidied(path, &self.dirnames),
            None => Directories::unknown(),
        };
        object.text("dirname1", &directories.first);
        object.text("dirname2", &directories.second);
        object.text("logical_dirname", &directories.logical);
    }
}

pub(super) fn site(site: Option<&str>) -> &str {
    site.filter(|site| !site.is_empty()).unwrap_or("UNKNOWN")
}

fn user_name<'a>(user: &User<'a>) -> Cow<'a, str> {
    match (user.user_name, user.user_id) {
        (Some(name), _) => Cow::Borrowed(name),
        (None, Some(id)) => Cow::Owned(format!("{id:x}")),
        (None, None) => Cow::Borrowed("0"),
    }
}

pub(super) fn host<'a>(user: &User<'a>) -> &'a str {
    user.user_host.unwrap_or("unknown")
}

pub(super) fn protocol<'a>(user: &User<'a>) -> &'a str {
    user.user_protocol.unwrap_or("unknown")
}

/// The name of the open record or of a map; what was opened without any has the empty name.
pub(super) fn filename<'a>(access: &FileAccess<'a>) -> &'a str {
    let nameless = if access.open_seen == Some(true) { "" } else { "unknown" };
    access.path.unwrap_or(nameless)
}
