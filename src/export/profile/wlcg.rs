//! File accesses as WLCG's monitoring takes them (the GenericFileMonitoring form).

use std::net::IpAddr;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::facts::{self, Crab, Origin, Producer, Rules, Times};
use super::numbers::{self, Bytes, Zeros};
use super::object::Object;
use super::osg_go;
use super::osg_py::Opened;
use super::place;
use super::settings::{ProfileSettings, TimeUnit, UserDn};
use super::{AnyRecord, Context, plugin};
use crate::access::record::{FileAccess, User};

pub(super) struct Wlcg {
    rules: Rules,
    time_unit: TimeUnit,
    extended: bool,
}

impl Wlcg {
    pub fn new(settings: &ProfileSettings) -> Self {
        let producer = match settings.time_unit {
            TimeUnit::Milliseconds if settings.strict => Producer::Py,
            _ => Producer::Go,
        };
        let user_dn = match producer {
            _ if !settings.strict => UserDn::Best,
            Producer::Go => UserDn::Name,
            Producer::Py => UserDn::Info,
        };
        let user_dn = settings.user_dn.unwrap_or(user_dn);
        let rules = Rules { producer, strict: settings.strict, user_dn };
        Self { rules, time_unit: settings.time_unit, extended: settings.extended }
    }

    pub fn write(&self, record: &AnyRecord<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
        match record {
            AnyRecord::Access(access) => self.access(access, context, out),
            AnyRecord::Plugin(event) => {
                plugin::write_wlcg(event, self.rules.producer, self.extended, context, out)
            }
            _ => false,
        }
    }

    fn access(&self, access: &FileAccess<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
        if !facts::is_reported(access, self.rules.producer) {
            return false;
        }
        let mut buffer = [0; Hyphenated::LENGTH];
        let id = &*Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
        let mut object = Object::begin(out);
        object.boolean("fallback", true);
        object.text("unique_id", id);
        let origin = Origin::new(&access.server, context);
        self.places(access, &origin, &mut object);
        let opened = Opened::new(access, self.rules.strict);
        let user = match (self.rules.producer, opened) {
            (Producer::Py, Opened::Misread) => User::default(),
            _ => access.user,
        };
        self.who(&user, context, &mut object);
        self.file(access, opened, &mut object);
        self.times(access, context, &mut object);
        self.amounts(access, &mut object);
        if let Some(crab) = user.app_info.and_then(Crab::new) {
            object.text("CRAB_Id", crab.id);
            object.text("CRAB_Retry", crab.retry);
            object.text("CRAB_Workflow", crab.workflow);
        }
        if self.extended {
            extend(access, &mut object);
        }
        let mut metadata = object.object("metadata");
        metadata.text("producer", "cms");
        metadata.text("type", "aaa-ng");
        metadata.int("timestamp", facts::now_ms(context));
        metadata.text("type_prefix", "raw");
        metadata.text("host", context.collector_host);
        metadata.text("_id", id);
        metadata.end();
        object.end_line();
        true
    }

    fn places(&self, access: &FileAccess<'_>, origin: &Origin<'_>, object: &mut Object<'_>) {
        let site = match self.rules.producer {
            Producer::Go => osg_go::site(access.server.server_site),
            Producer::Py => access.server.server_site.unwrap_or(""),
        };
        object.text("site_name", site);
        object.text("server_site", site);
        object.text("server_host", &origin.host);
        object.text("server_ip", origin.ip);
        let is_address = place::is_address(&origin.host);
        let domain = place::last_labels(&origin.host).unwrap_or("");
        match self.rules.producer {
            Producer::Py if is_address => {}
            Producer::Go if is_address && !self.rules.strict => object.text("server_domain", ""),
            _ => object.text("server_domain", domain),
        }
    }

    fn who(&self, user: &User<'_>, context: &Context<'_>, object: &mut Object<'_>) {
        let producer = self.rules.producer;
        let dn = facts::user_dn(user, self.rules.user_dn).unwrap_or("");
        object.text("user_dn", dn);
        object.known_text("user", common_name(dn, producer));
        let host = match producer {
            Producer::Go => osg_go::host(user),
            Producer::Py => user.user_host.unwrap_or(""),
        };
        object.text("client_host", host);
        let domain = user.user_host.and_then(|host| facts::user_domain(host, producer, context));
        object.text("client_domain", domain.as_deref().unwrap_or(""));
        object.boolean("ipv6", user.ip_version == Some(6));
        let protocol = match producer {
            Producer::Go => Some(osg_go::protocol(user)),
            Producer::Py => user.user_protocol,
        };
        object.known_text("user_protocol", protocol);
        let vo = match producer {
            Producer::Go => user.auth_vo.map(facts::single_words),
            Producer::Py => user.auth_vo.map(Into::into),
        };
        object.known_text("vo", vo.as_deref());
        if producer == Producer::Go {
            if let Some(id) = user.experiment_id {
                object.digits("experiment", id);
            }
            if let Some(id) = user.activity_id {
                object.digits("activity", id);
            }
        }
    }

    fn file(&self, access: &FileAccess<'_>, opened: Opened<'_>, object: &mut Object<'_>) {
        if self.rules.producer == Producer::Go {
            object.text("file_lfn", osg_go::filename(access));
            object.int("file_size", access.file_size_bytes.unwrap_or(0));
            return;
        }
        let size = match opened {
            Opened::Named(path) => {
                object.text("file_lfn", path);
                access.file_size_bytes
            }
            Opened::Nameless | Opened::Misread => {
                object.text("file_lfn", "");
                access.file_size_bytes
            }
            Opened::Unseen => {
                object.text("file_lfn", "missing directory");
                None
            }
        };
        match size {
            Some(size) => object.int("file_size", size),
            None => object.text("file_size", "-1"),
        }
    }

    fn times(&self, access: &FileAccess<'_>, context: &Context<'_>, object: &mut Object<'_>) {
        let times = Times::new(access, self.rules, context.now);
        match self.time_unit {
            TimeUnit::Seconds => {
                object.int("start_time", times.start_s());
                object.int("end_time", times.end_s());
            }
            TimeUnit::Milliseconds => {
                object.int("start_time", times.start);
                object.int("end_time", times.end);
            }
        }
        let duration = match self.rules.producer {
            Producer::Go => times.end_s().saturating_sub(times.start_s()),
            Producer::Py => times.end.saturating_sub(times.start) / 1000,
        };
        object.int("operation_time", duration);
    }

    fn amounts(&self, access: &FileAccess<'_>, object: &mut Object<'_>) {
        let Rules { producer, strict, .. } = self.rules;
        let bytes = Bytes::new(access);
        let has_operations = numbers::has_operations(access);
        let is_forgotten = producer == Producer::Py && !has_operations;
        object.int("read_bytes", bytes.all_read());
        object.int("read_single_bytes", if is_forgotten { 0 } else { bytes.read });
        object.int("read_vector_bytes", bytes.readv);
        object.int("write_bytes", bytes.write);
        let operation = match bytes {
            Bytes { read, readv, .. } if read > 0 || readv > 0 => "read",
            Bytes { write, .. } if write > 0 => "write",
            _ => "unknown",
        };
        object.text("operation", operation);
        // What xrootd-monitoring-collector has not been told it takes for 0.
        let (access, zeros) = match producer {
            Producer::Py if !has_operations => (&FileAccess::default(), Zeros::Written),
            Producer::Py => (access, Zeros::Written),
            Producer::Go => (access, Zeros::LeftOut),
        };
        numbers::write(access, producer, strict, zeros, object);
        match producer {
            Producer::Py => {
                for (key, _) in numbers::sigmas(access) {
                    object.int(key, 0);
                }
            }
            Producer::Go if strict => {}
            Producer::Go => {
                for (key, sigma) in numbers::sigmas(access) {
                    object.known_number(key, sigma);
                }
            }
        }
    }
}

/// The common name in a distinguished name. Where there are several, the collectors disagree.
fn common_name(dn: &str, producer: Producer) -> Option<&str> {
    match producer {
        Producer::Go => dn.rsplit_once("CN=").map(|(_, name)| name),
        Producer::Py => dn.split("CN=").nth(1),
    }
}

/// What WLCG asks for (its monitoring task force, indico.cern.ch/event/1215941) and no collector
/// sends, as far as servers say it.
fn extend(access: &FileAccess<'_>, object: &mut Object<'_>) {
    let user = &access.user;
    object.known_text("status", access.close_reason);
    object.known_boolean("is_local", facts::is_local(user, &access.server));
    object.known_text("auth_method", user.auth_protocol);
    object.known_int("client_ip_version", user.ip_version);
    let server = access.server.server_address.and_then(|text| text.parse::<IpAddr>().ok());
    object.known_int("server_ip_version", server.map(|ip| if ip.is_ipv6() { 6 } else { 4 }));
    object.known_text("token_subject", user.token_subject);
    object.known_text("token_vo", user.token_vo);
    object.known_boolean("loss_suspected", access.loss_suspected);
}
