//! What can be chosen about the form of records.

use serde::Deserialize;

pub use super::place::LogicalDirnames;

/// The form of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// gridtap's own records: every key always there, null where not known.
    #[default]
    Native,
    /// As the collector of xrootd-monitoring-shoveler sends them.
    OsgGo,
    /// As xrootd-monitoring-collector sends them.
    OsgPy,
    /// The form that WLCG's monitoring takes.
    Wlcg,
    /// OpenTelemetry log records.
    Otel,
    /// Datagrams as they travel on a message bus.
    Envelope,
}

impl Profile {
    pub const ALL: &'static [(&'static str, Profile)] = &[
        ("native", Self::Native),
        ("osg-go", Self::OsgGo),
        ("osg-py", Self::OsgPy),
        ("wlcg", Self::Wlcg),
        ("otel", Self::Otel),
        ("envelope", Self::Envelope),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, profile)| *profile == self).map_or("", |(name, _)| name)
    }
}

/// Unit of the times of the `wlcg` profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TimeUnit {
    #[default]
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ms")]
    Milliseconds,
}

/// Where `user_dn` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserDn {
    /// Key `n` of the login, up to the first `::`.
    Name,
    /// Key `m` of the login, up to the first `::`.
    Info,
    /// Key `m` where it looks like a distinguished name, else key `n`.
    Best,
}

/// The lines of the `otel` profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtelForm {
    /// One document a line.
    #[default]
    Ndjson,
    /// Each document behind its action, as `_bulk` of OpenSearch and Elasticsearch takes them.
    Bulk,
    /// OTLP in JSON: each line a whole `LogsData`, as OTLP file exporters write.
    Otlp,
}

/// How records are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileSettings {
    pub profile: Profile,
    /// Reproduce the defects of the collector that the profile stands in for.
    pub strict: bool,
    /// `wlcg` only. With `strict` it also says whose defects: those of xrootd-monitoring-shoveler
    /// (`s`) or of xrootd-monitoring-collector (`ms`).
    pub time_unit: TimeUnit,
    /// `wlcg` only: keys that WLCG asks for and no collector sends yet. Not together with `strict`.
    pub extended: bool,
    /// `osg-go`, `osg-py` and `wlcg`: unset, as the collector that the profile stands in for; `best`
    /// in `wlcg` without `strict`.
    pub user_dn: Option<UserDn>,
    /// `otel` only.
    pub otel_form: OtelForm,
    /// `_bulk` only: the index of each action; unset, that of the request.
    pub index: Option<String>,
    pub logical_dirnames: LogicalDirnames,
}

impl ProfileSettings {
    /// What is wrong with them, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        let only = |set: bool, option: &str, profile: Profile| {
            if set && self.profile != profile {
                let (chosen, profile) = (self.profile.name(), profile.name());
                return Err(format!("{option} goes with profile {profile:?}, not {chosen:?}"));
            }
            Ok(())
        };
        only(self.time_unit != TimeUnit::default(), "time_unit", Profile::Wlcg)?;
        only(self.extended, "extended", Profile::Wlcg)?;
        only(self.otel_form != OtelForm::default(), "otel_form", Profile::Otel)?;
        only(self.index.is_some(), "index", Profile::Otel)?;
        if self.extended && self.strict {
            return Err("extended keys are no part of the strict form".to_owned());
        }
        if self.index.is_some() && self.otel_form != OtelForm::Bulk {
            return Err("index goes with otel_form \"bulk\"".to_owned());
        }
        self.logical_dirnames.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), String> {
        serde_json::from_str::<ProfileSettings>(text).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn settings_are_read_and_checked() {
        assert_eq!(checked("{}"), Ok(()));
        assert_eq!(checked(r#"{"profile": "osg-go", "strict": true, "user_dn": "best"}"#), Ok(()));
        assert_eq!(checked(r#"{"profile": "wlcg", "time_unit": "ms", "extended": true}"#), Ok(()));
        assert_eq!(checked(r#"{"profile": "otel", "otel_form": "bulk", "index": "x"}"#), Ok(()));
        for bad in [
            r#"{"profile": "wlgc"}"#,
            r#"{"unknown": 1}"#,
            r#"{"profile": "osg-go", "extended": true}"#,
            r#"{"profile": "wlcg", "extended": true, "strict": true}"#,
            r#"{"profile": "otel", "index": "x"}"#,
            r#"{"logical_dirnames": [["/a", 0]]}"#,
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_profile_has_its_name() {
        for (name, profile) in Profile::ALL {
            let read: Profile = serde_json::from_value((*name).into()).expect("a profile");
            assert_eq!((read, profile.name()), (*profile, *name));
        }
    }
}
