//! Records in the forms that their consumers know.
//!
//! | file       | holds                                                               |
//! |------------|---------------------------------------------------------------------|
//! | `settings` | what can be chosen                                                  |
//! | `native`   | our own records, every key always there                             |
//! | `facts`    | what the OSG and WLCG forms of a file access say                    |
//! | `numbers`  | its counts, extremes, averages and deviations                       |
//! | `osg_go`   | a file access as xrootd-monitoring-shoveler's collector sends it    |
//! | `osg_py`   | the same of xrootd-monitoring-collector                             |
//! | `wlcg`     | a file access as WLCG's monitoring takes it                         |
//! | `plugin`   | events of plug-ins in these three forms                             |
//! | `summary`  | summary reports as differences to the report before                 |
//! | `otel`     | OpenTelemetry log records                                           |
//! | `envelope` | datagrams as they travel on a message bus                           |
//! | `object` `place` `clock` | JSON, directories and domains, times                  |
//!
//! The forms follow github.com/opensciencegrid/xrootd-monitoring-shoveler 2.3.0 and
//! github.com/opensciencegrid/xrootd-monitoring-collector of November 2025, the OpenTelemetry one
//! github.com/xrootd/xrootd pull request 2855.

use std::sync::Arc;

use crate::access::record::{
    FileAccess, IoEvent, PacketLine, PluginEvent, Record, Redirect, ServerIdent, Session, Summary,
};
use crate::access::sequence::Micros;
use crate::capture::Peer;

mod clock;
mod envelope;
mod facts;
mod native;
mod numbers;
mod object;
mod osg_go;
mod osg_py;
mod otel;
mod place;
mod plugin;
mod settings;
mod summary;
mod wlcg;

pub(super) use facts::single_words;
pub use native::packet;
pub use plugin::is_wlcg;
pub use settings::{LogicalDirnames, OtelForm, Profile, ProfileSettings, TimeUnit, UserDn};

/// A record of any kind, or a datagram as it came.
#[derive(Clone, Copy, Debug)]
pub enum AnyRecord<'a> {
    Access(&'a FileAccess<'a>),
    Session(&'a Session<'a>),
    Redirect(&'a Redirect<'a>),
    Io(&'a IoEvent<'a>),
    Plugin(&'a PluginEvent<'a>),
    Server(&'a ServerIdent<'a>),
    Summary(&'a Summary<'a>),
    Datagram { peer: Option<&'a Peer>, payload: &'a [u8] },
}

impl AnyRecord<'_> {
    /// The name of its kind, as settings list it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Access(_) => FileAccess::NAME,
            Self::Session(_) => Session::NAME,
            Self::Redirect(_) => Redirect::NAME,
            Self::Io(_) => IoEvent::NAME,
            Self::Plugin(_) => PluginEvent::NAME,
            Self::Server(_) => ServerIdent::NAME,
            Self::Summary(_) => Summary::NAME,
            Self::Datagram { .. } => PacketLine::NAME,
        }
    }
}

/// Names of addresses, by reverse DNS.
pub trait Names {
    /// The name of an address if it is known now. Never waits for it.
    fn host(&self, address: &str) -> Option<Arc<str>>;
}

/// Without reverse DNS.
pub struct NoNames;

impl Names for NoNames {
    fn host(&self, _: &str) -> Option<Arc<str>> {
        None
    }
}

/// What a record does not say itself.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Microseconds since the UTC epoch.
    pub now: Micros,
    /// Name of the host that this collector runs on.
    pub collector_host: &'a str,
    pub names: &'a dyn Names,
}

enum Form {
    Native(Box<native::Native>),
    OsgGo(osg_go::OsgGo),
    OsgPy(osg_py::OsgPy),
    Wlcg(wlcg::Wlcg),
    Otel(otel::Otel),
    Envelope,
}

/// Writes records in the form of one profile.
pub struct Encoder {
    form: Form,
}

impl Encoder {
    /// # Errors
    ///
    /// What is wrong with the settings, in one line.
    pub fn new(settings: &ProfileSettings) -> Result<Self, String> {
        settings.check()?;
        let form = match settings.profile {
            Profile::Native => Form::Native(Box::default()),
            Profile::OsgGo => Form::OsgGo(osg_go::OsgGo::new(settings)),
            Profile::OsgPy => Form::OsgPy(osg_py::OsgPy::new(settings)),
            Profile::Wlcg => Form::Wlcg(wlcg::Wlcg::new(settings)),
            Profile::Otel => Form::Otel(otel::Otel::new(settings)),
            Profile::Envelope => Form::Envelope,
        };
        Ok(Self { form })
    }

    /// Appends a record as whole lines and says how many records that were: 1, or 0 where the
    /// profile has no form for it.
    pub fn write(
        &mut self,
        record: &AnyRecord<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> usize {
        let written = match &mut self.form {
            Form::Native(native) => native.write(record, context, out),
            Form::OsgGo(osg) => osg.write(record, context, out),
            Form::OsgPy(osg) => osg.write(record, context, out),
            Form::Wlcg(wlcg) => wlcg.write(record, context, out),
            Form::Otel(otel) => otel.write(record, context, out),
            Form::Envelope => envelope::write(record, out),
        };
        usize::from(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_go_to_the_threads_that_need_them() {
        fn is_send<T: Send + 'static>(_: &T) {}
        for (_, profile) in Profile::ALL {
            let settings = ProfileSettings { profile: *profile, ..ProfileSettings::default() };
            is_send(&Encoder::new(&settings).expect("good settings"));
        }
    }
}
