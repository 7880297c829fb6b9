//! Maps: who a login is, what a file is called, what a server is.

use super::correlator::Correlator;
use super::incarnation::Ident;
use super::record::Sink;
use crate::xrootd::map::Map;
use crate::xrootd::payload::{AuthInfo, EacInfo, Payload, SrvInfo, TokenInfo};
use crate::xrootd::userid::UserId;

impl Correlator {
    pub(super) fn map(&mut self, server: u32, map: &Map<'_>, out: &mut impl Sink) {
        match map.typed() {
            Payload::Server(info) => self.identify(server, &map.user_id(), &info, out),
            Payload::User(info) => self.login(server, map.dictid, map.userid, &info),
            Payload::Path(path) => self.name_file(server, map.dictid, map.userid, path.path, out),
            Payload::App(info) => self.app_info(server, map.userid, info.appinfo),
            Payload::Token(token) => self.token(server, map.userid, &token),
            Payload::Activity(activity) => self.activity(server, map.userid, &activity),
            // Transfers and purges of the frm daemons are events without a session.
            Payload::Transfer(_) | Payload::Purge(_) => {}
        }
    }

    fn identify(
        &mut self,
        server: u32,
        userid: &UserId<'_>,
        info: &SrvInfo<'_>,
        out: &mut impl Sink,
    ) {
        let text = |bytes: Option<&[u8]>| {
            bytes.filter(|b| !b.is_empty()).map(|bytes| String::from_utf8_lossy(bytes).into())
        };
        let ident = Ident {
            host: text(userid.host),
            port: info.port,
            instance: text(info.inst),
            program: text(info.pgm),
            version: text(info.ver),
            site: text(info.site),
            user: text(Some(userid.user)),
            pid: userid.pid,
        };
        self.set_ident(server, ident, out);
    }

    pub(super) fn set_ident(&mut self, server: u32, ident: Ident, out: &mut impl Sink) {
        let (is_news, older) = self.servers.identify(server, ident);
        if let Some(older) = older {
            self.supersede(older);
        }
        if is_news {
            self.emit_server(server, out);
        }
    }

    fn login(&mut self, server: u32, dictid: u32, userid: &[u8], info: &AuthInfo<'_>) {
        let id = self.session_of_both(server, dictid, userid);
        self.sessions.describe(id, userid);
        if let Some(mut session) = self.sessions.get_mut(id) {
            session.user.get_or_insert_default().authenticate(info);
        }
    }

    /// The session that has a dictid and a userid. What was known by the userid alone joins it.
    fn session_of_both(&mut self, server: u32, dictid: u32, userid: &[u8]) -> u32 {
        if dictid == 0 {
            return self.session_of_userid(server, userid);
        }
        let id = match (self.sessions.find(server, dictid), self.placeholder(server, userid)) {
            (Some(id), None) => id,
            (Some(id), Some(placeholder)) => {
                self.merge(placeholder, id);
                id
            }
            (None, Some(placeholder)) => {
                self.sessions.set_dictid(placeholder, dictid);
                placeholder
            }
            (None, None) => self.add_session(server, dictid),
        };
        self.sessions.touch(id, self.clock.now);
        id
    }

    /// The session that is known by its userid alone.
    fn placeholder(&self, server: u32, userid: &[u8]) -> Option<u32> {
        let id = self.sessions.find_userid(server, userid)?;
        (self.sessions.get(id)?.dictid == 0).then_some(id)
    }

    /// Moves the files and facts of a placeholder to the session it stood for.
    fn merge(&mut self, from: u32, to: u32) {
        while let Some(file) = self.sessions.get(from).and_then(|session| session.files.first()) {
            self.give_file(file, to);
        }
        let facts = self.sessions.take_user(from);
        self.unlink_session(from);
        self.sessions.remove(from);
        if let (Some(mut session), Some(facts)) = (self.sessions.get_mut(to), facts) {
            session.user.get_or_insert_default().complete_from(&facts);
        }
    }

    /// A map of something that a login did tells its userid, which must do where the login's own map
    /// is late, lost, or goes to another destination only.
    fn tell_userid(&mut self, id: u32, userid: &[u8]) {
        let Some(session) = self.sessions.get(id) else { return };
        if session.dictid == 0 || session.userid().is_some() {
            return;
        }
        if let Some(placeholder) = self.placeholder(session.server, userid) {
            self.merge(placeholder, id);
        }
        self.sessions.describe(id, userid);
    }

    fn name_file(
        &mut self,
        server: u32,
        fileid: u32,
        userid: &[u8],
        path: &[u8],
        out: &mut impl Sink,
    ) {
        let id = match self.files.find(server, fileid) {
            Some(id) => id,
            None => {
                let session = self.session_of_userid(server, userid);
                self.add_file(server, fileid, session)
            }
        };
        let Some(mut file) = self.files.get_mut(id) else { return };
        if file.path.is_none() && !path.is_empty() {
            file.path = Some(path.into());
        }
        let owner = file.session;
        drop(file);
        if self.sessions.get(owner).is_some_and(|session| session.nobody) {
            let session = self.session_of_userid(server, userid);
            self.give_file(id, session);
        } else {
            self.tell_userid(owner, userid);
        }
        self.end_if_complete(id, out);
    }

    /// Makes a file that of the login that its open names, whose userid may be known by now only
    /// from the map of the file.
    pub(super) fn claim_file(&mut self, id: u32, to: u32) {
        let Some(from) = self.files.get(id).map(|file| file.session).filter(|from| *from != to)
        else {
            return;
        };
        let is_named = self.sessions.get(to).is_some_and(|session| session.userid().is_some());
        let userid = if is_named { None } else { self.sessions.get(from) };
        let userid = userid.and_then(|session| session.userid()).map(Box::<[u8]>::from);
        self.give_file(id, to);
        if let Some(userid) = userid {
            self.tell_userid(to, &userid);
        }
    }

    fn app_info(&mut self, server: u32, userid: &[u8], text: &[u8]) {
        let id = self.session_of_userid(server, userid);
        if let Some(mut session) = self.sessions.get_mut(id) {
            session.user.get_or_insert_default().set_app_info(text);
        }
    }

    fn token(&mut self, server: u32, userid: &[u8], token: &TokenInfo<'_>) {
        let id = self.session_of_reference(server, token.uc, userid);
        if let Some(mut session) = self.sessions.get_mut(id) {
            session.user.get_or_insert_default().set_token(token);
        }
    }

    fn activity(&mut self, server: u32, userid: &[u8], activity: &EacInfo) {
        let id = self.session_of_reference(server, activity.uc, userid);
        if let Some(mut session) = self.sessions.get_mut(id) {
            session.user.get_or_insert_default().set_activity(activity);
        }
    }

    /// The session that a token or activity map refers to: by `Uc`, else by its userid.
    fn session_of_reference(&mut self, server: u32, uc: Option<u32>, userid: &[u8]) -> u32 {
        let id = self.session_of_both(server, uc.unwrap_or(0), userid);
        self.tell_userid(id, userid);
        id
    }

    /// The newest session with this userid, or a placeholder for it.
    fn session_of_userid(&mut self, server: u32, userid: &[u8]) -> u32 {
        match self.sessions.find_userid(server, userid) {
            Some(id) => {
                self.sessions.touch(id, self.clock.now);
                id
            }
            None => {
                let id = self.add_session(server, 0);
                self.sessions.describe(id, userid);
                id
            }
        }
    }

    pub(super) fn session_of_dictid(&mut self, server: u32, dictid: u32) -> u32 {
        match self.sessions.find(server, dictid) {
            Some(id) => {
                self.sessions.touch(id, self.clock.now);
                id
            }
            None => self.add_session(server, dictid),
        }
    }

    /// The session of files whose login is not known.
    pub(super) fn nobody(&mut self, server: u32) -> u32 {
        if let Some(id) = self.servers.get(server).and_then(|server| server.nobody) {
            return id;
        }
        let id = self.add_session(server, 0);
        self.sessions.make_nobody(id);
        if let Some(mut server) = self.servers.get_mut(server) {
            server.nobody = Some(id);
        }
        id
    }

    fn add_session(&mut self, server: u32, dictid: u32) -> u32 {
        let serial = self.servers.get(server).map_or(0, |server| server.serial);
        let id = self.sessions.add(server, dictid, self.clock.now, serial);
        if let Some(mut server) = self.servers.get_mut(server) {
            server.sessions.push_back(&mut self.sessions.rows, id);
        }
        id
    }

    pub(super) fn add_file(&mut self, server: u32, fileid: u32, session: u32) -> u32 {
        let id = self.files.add(server, fileid, session, self.clock.now);
        if let Some(mut session) = self.sessions.get_mut(session) {
            session.files.push_back(&mut self.files.rows, id);
        }
        id
    }

    /// Makes a file another session's.
    pub(super) fn give_file(&mut self, id: u32, to: u32) {
        let Some(from) = self.files.get(id).map(|file| file.session) else { return };
        if from == to {
            return;
        }
        if let Some(mut session) = self.sessions.get_mut(from) {
            session.files.unlink(&mut self.files.rows, id);
        }
        if let Some(mut file) = self.files.get_mut(id) {
            file.session = to;
        }
        if let Some(mut session) = self.sessions.get_mut(to) {
            session.files.push_back(&mut self.files.rows, id);
        }
    }
}
