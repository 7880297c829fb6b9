//! What is known of the user of a login.

use serde::{Deserialize, Serialize};

use super::record::{self, Stamp};
use crate::xrootd::payload::{AuthInfo, EacInfo, TokenInfo};
use crate::xrootd::userid::UserId;

/// Where a text stands among all of a user.
mod place {
    pub const NAME: usize = 0;
    pub const HOST: usize = 1;
    pub const PROTOCOL: usize = 2;
    pub const AUTH: usize = 3;
    pub const APP: usize = AUTH + super::AUTH_TEXTS;
    pub const TOKEN: usize = APP + 1;
    pub const ALL: usize = TOKEN + super::TOKEN_TEXTS;
}

const AUTH_TEXTS: usize = 9;
const TOKEN_TEXTS: usize = 5;

/// The texts of a user in one piece of memory: a piece for each would be nearly twice as much, and as many
/// places to wait for whenever a login begins or ends. Nothing sent and nothing in it are the same in a record: no text.
#[derive(Clone, Default, Debug)]
struct Texts {
    all: Box<str>,
    ends: [u32; place::ALL],
}

impl Texts {
    #[inline]
    fn get(&self, place: usize) -> Option<&str> {
        let start = place.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before))?;
        let range = *start as usize..*self.ends.get(place)? as usize;
        self.all.get(range).filter(|text| !text.is_empty())
    }

    fn several<const N: usize>(&self, first: usize) -> [Option<&str>; N] {
        std::array::from_fn(|at| self.get(first + at))
    }

    /// Puts texts into the places from `first` on.
    fn set(&mut self, first: usize, texts: &[Option<&[u8]>]) {
        let more: usize = texts.iter().flatten().map(|text| text.len()).sum();
        let mut all = String::with_capacity(self.all.len() + more);
        let mut ends = [0; place::ALL];
        for (place, end) in ends.iter_mut().enumerate() {
            match place.checked_sub(first).and_then(|at| texts.get(at)) {
                Some(text) => all.push_str(&String::from_utf8_lossy(text.unwrap_or_default())),
                None => all.push_str(self.get(place).unwrap_or_default()),
            }
            *end = all.len() as u32;
        }
        *self = Self { all: all.into_boxed_str(), ends };
    }
}

/// Facts about one login.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(from = "Facts", into = "Facts")]
pub struct User {
    /// The userid as sent.
    pub raw: Box<[u8]>,
    /// The login's own map was seen.
    pub described: bool,
    texts: Texts,
    pid: Option<i64>,
    ip_version: Option<i64>,
    experiment: Option<i64>,
    activity: Option<i64>,
    /// Tells what [`User::columns`] gives from what it gave before.
    stamp: Stamp,
}

impl User {
    /// Takes the connection descriptor; everything else known stays.
    pub fn describe(&mut self, raw: &[u8], id: &UserId<'_>) {
        self.raw = raw.into();
        self.texts.set(place::NAME, &[Some(id.user), id.host, id.prot]);
        self.pid = id.pid;
        self.settle();
    }

    /// To be called after each change of what the columns say.
    pub fn settle(&mut self) {
        self.stamp = Stamp::fresh();
    }

    /// Bytes allocated for the user beside itself.
    pub fn held(&self) -> usize {
        self.raw.len() + self.texts.all.len()
    }

    pub fn authenticate(&mut self, info: &AuthInfo<'_>) {
        self.described = true;
        let AuthInfo { p, n, h, o, r, g, m, x, y, .. } = *info;
        let texts: [_; AUTH_TEXTS] = [p, n, h, o, r, g, m, x, y];
        self.texts.set(place::AUTH, &texts);
        self.ip_version = info.ip_version;
        self.settle();
    }

    pub fn set_app_info(&mut self, text: &[u8]) {
        self.texts.set(place::APP, &[Some(text)]);
        self.settle();
    }

    pub fn set_token(&mut self, token: &TokenInfo<'_>) {
        let groups = token.g.map(<[u8]>::trim_ascii_end);
        let texts: [_; TOKEN_TEXTS] = [token.s, token.n, token.o, token.r, groups];
        self.texts.set(place::TOKEN, &texts);
        self.settle();
    }

    pub fn set_activity(&mut self, activity: &EacInfo) {
        self.experiment = activity.ec;
        self.activity = activity.ac;
        self.settle();
    }

    /// Takes from the facts about the same login what is not known here.
    pub fn complete_from(&mut self, other: &Self) {
        self.complete_texts::<1>(&other.texts, place::APP);
        self.complete_texts::<TOKEN_TEXTS>(&other.texts, place::TOKEN);
        if self.experiment.or(self.activity).is_none() {
            (self.experiment, self.activity) = (other.experiment, other.activity);
        }
        self.settle();
    }

    fn complete_texts<const N: usize>(&mut self, other: &Texts, first: usize) {
        if self.texts.several::<N>(first).iter().all(Option::is_none) {
            let texts = other.several::<N>(first).map(|text| text.map(str::as_bytes));
            self.texts.set(first, &texts);
        }
    }

    /// All that a record says of the user but its dictid.
    pub fn columns(&self) -> record::User<'_> {
        let [p, n, h, o, r, g, m, x, y] = self.texts.several::<AUTH_TEXTS>(place::AUTH);
        let [subject, name, vo, role, groups] = self.texts.several::<TOKEN_TEXTS>(place::TOKEN);
        record::User {
            stamp: self.stamp,
            user_id: None,
            user_name: self.texts.get(place::NAME),
            user_host: self.texts.get(place::HOST),
            user_protocol: self.texts.get(place::PROTOCOL),
            user_pid: self.pid,
            auth_protocol: p,
            auth_name: n,
            auth_host: h,
            auth_vo: o,
            auth_role: r,
            auth_groups: g,
            auth_info: m,
            auth_app: x,
            auth_moninfo: y,
            ip_version: self.ip_version,
            app_info: self.texts.get(place::APP),
            token_subject: subject,
            token_name: name,
            token_vo: vo,
            token_role: role,
            token_groups: groups,
            experiment_id: self.experiment,
            activity_id: self.activity,
        }
    }
}

type Text = Option<Box<str>>;

/// A user as a snapshot has it.
#[derive(Serialize, Deserialize)]
struct Facts {
    raw: Box<[u8]>,
    described: bool,
    name: Text,
    host: Text,
    protocol: Text,
    pid: Option<i64>,
    auth: [Text; AUTH_TEXTS],
    ip_version: Option<i64>,
    app_info: Text,
    token: [Text; TOKEN_TEXTS],
    experiment: Option<i64>,
    activity: Option<i64>,
}

impl From<User> for Facts {
    fn from(user: User) -> Self {
        let text = |place| user.texts.get(place).map(Box::from);
        Self {
            described: user.described,
            name: text(place::NAME),
            host: text(place::HOST),
            protocol: text(place::PROTOCOL),
            pid: user.pid,
            auth: std::array::from_fn(|at| text(place::AUTH + at)),
            ip_version: user.ip_version,
            app_info: text(place::APP),
            token: std::array::from_fn(|at| text(place::TOKEN + at)),
            experiment: user.experiment,
            activity: user.activity,
            raw: user.raw,
        }
    }
}

impl From<Facts> for User {
    fn from(facts: Facts) -> Self {
        let single = [&facts.name, &facts.host, &facts.protocol];
        let all =
            single.into_iter().chain(&facts.auth).chain([&facts.app_info]).chain(&facts.token);
        let all: Vec<_> = all.map(|text| text.as_deref().map(str::as_bytes)).collect();
        let mut texts = Texts::default();
        texts.set(place::NAME, &all);
        Self {
            texts,
            described: facts.described,
            pid: facts.pid,
            ip_version: facts.ip_version,
            experiment: facts.experiment,
            activity: facts.activity,
            stamp: Stamp::fresh(),
            raw: facts.raw,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_text_stays_in_its_place(
            changes in proptest::collection::vec(
                (0..place::ALL, proptest::collection::vec(proptest::option::of("[a-zé]{0,5}"), 1..6)),
                0..12,
            ),
        ) {
            let (mut texts, mut expected) = (Texts::default(), vec![None; place::ALL]);
            for (first, change) in changes {
                let bytes: Vec<_> = change.iter().map(|t| t.as_deref().map(str::as_bytes)).collect();
                texts.set(first, &bytes);
                for (slot, text) in expected.iter_mut().skip(first).zip(&change) {
                    *slot = text.clone().filter(|text| !text.is_empty());
                }
            }
            let found: Vec<_> = (0..place::ALL).map(|at| texts.get(at).map(str::to_owned)).collect();
            prop_assert_eq!(&found, &expected);
            let user = User { texts, ..User::default() };
            let back = User::from(Facts::from(user));
            let found: Vec<_> =
                (0..place::ALL).map(|at| back.texts.get(at).map(str::to_owned)).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown() {
        let mut user = User::default();
        user.set_app_info(b"\xffjob");
        assert_eq!(user.columns().app_info, Some("\u{fffd}job"));
    }
}
