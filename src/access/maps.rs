//! Maps: who a login is, what a file is called, what a server is.

use super::correlator::Correlator;
use super::record::Sink;
use super::servers::Ident;
use crate::xrootd::map::Map;
use crate::xrootd::payload::{AuthInfo, EacInfo, Payload, SrvInfo, TokenInfo};
use crate::xrootd::userid::UserId;

impl Correlator {
    pub(super) fn map(&mut self, server: u32, map: &Map<'_>, out: &mut impl Sink) {
        match map.typed() {
            Payload::Server(info) => self.identify(server, &map.user_id(), &info, out),
            Payload::User(info) => self.login(server, map.dictid, map.userid, &info, out),
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

    fn login(
        &mut self,
        server: u32,
        dictid: u32,
        userid: &[u8],
        info: &AuthInfo<'_>,
        out: &mut impl Sink,
    ) {
        let by_dictid = self.sessions.find(server, dictid);
        let by_userid = self
            .sessions
            .find_userid(server, userid)
            .filter(|id| self.sessions.get(*id).is_some_and(|session| session.dictid == 0));
        let id = match (by_dictid, by_userid) {
            (Some(id), None) => id,
            (Some(id), Some(placeholder)) => {
                self.merge(placeholder, id);
                id
            }
            (None, Some(id)) => {
                self.sessions.set_dictid(id, dictid);
                id
            }
            (None, None) => self.add_session(server, dictid),
        };
        self.sessions.describe(id, userid);
        self.sessions.touch(id, self.now);
        let Some(session) = self.sessions.get_mut(id) else { return };
        let user = session.user.get_or_insert_default();
        let was_described = user.described;
        user.authenticate(info);
        if !was_described {
            self.release_files(id, out);
        }
    }

    /// Moves the files and facts of a placeholder to the session it stood for.
    fn merge(&mut self, from: u32, to: u32) {
        while let Some(file) = self.sessions.get(from).and_then(|session| session.files.first()) {
            self.give_file(file, to);
        }
        let facts = self.sessions.get_mut(from).and_then(|session| session.user.take());
        self.unlink_session(from);
        self.sessions.remove(from);
        if let Some(session) = self.sessions.get_mut(to)
            && session.user.is_none()
        {
            session.user = facts;
        }
    }

    /// Lets go of closed files that waited for their login.
    fn release_files(&mut self, session: u32, out: &mut impl Sink) {
        let mut at = self.sessions.get(session).and_then(|session| session.files.first());
        while let Some(id) = at {
            at = self.next_file(id);
            self.end_if_complete(id, out);
        }
    }

    fn name_file(
        &mut self,
        server: u32,
        fileid: u32,
        userid: &[u8],
        path: &[u8],
        out: &mut impl Sink,
    ) {
        let session = self.session_of_userid(server, userid);
        let id = match self.files.find(server, fileid) {
            Some(id) => id,
            None => self.add_file(server, fileid, session),
        };
        let Some(file) = self.files.get_mut(id) else { return };
        if file.path.is_none() {
            file.path = Some(path.into());
        }
        let owner = file.session;
        if self.sessions.get(owner).is_some_and(|session| session.nobody) {
            self.give_file(id, session);
        }
        self.end_if_complete(id, out);
    }

    fn app_info(&mut self, server: u32, userid: &[u8], text: &[u8]) {
        let id = self.session_of_userid(server, userid);
        if let Some(session) = self.sessions.get_mut(id) {
            session.user.get_or_insert_default().set_app_info(text);
        }
    }

    fn token(&mut self, server: u32, userid: &[u8], token: &TokenInfo<'_>) {
        let id = self.session_of_reference(server, token.uc, userid);
        if let Some(session) = self.sessions.get_mut(id) {
            session.user.get_or_insert_default().set_token(token);
        }
    }

    fn activity(&mut self, server: u32, userid: &[u8], activity: &EacInfo) {
        let id = self.session_of_reference(server, activity.uc, userid);
        if let Some(session) = self.sessions.get_mut(id) {
            session.user.get_or_insert_default().set_activity(activity);
        }
    }

    /// The session that a token or activity map refers to: by `Uc`, else by its userid.
    fn session_of_reference(&mut self, server: u32, uc: Option<u32>, userid: &[u8]) -> u32 {
        let Some(dictid) = uc.filter(|dictid| *dictid != 0) else {
            return self.session_of_userid(server, userid);
        };
        if let Some(id) = self.sessions.find(server, dictid) {
            self.sessions.touch(id, self.now);
            return id;
        }
        if let Some(id) = self.sessions.find_userid(server, userid) {
            return id;
        }
        self.session_of_dictid(server, dictid)
    }

    /// The newest session with this userid, or a placeholder for it.
    fn session_of_userid(&mut self, server: u32, userid: &[u8]) -> u32 {
        match self.sessions.find_userid(server, userid) {
            Some(id) => {
                self.sessions.touch(id, self.now);
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
                self.sessions.touch(id, self.now);
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
        if let Some(session) = self.sessions.get_mut(id) {
            session.nobody = true;
        }
        if let Some(server) = self.servers.get_mut(server) {
            server.nobody = Some(id);
        }
        id
    }

    fn add_session(&mut self, server: u32, dictid: u32) -> u32 {
        let serial = self.servers.get(server).map_or(0, |server| server.serial);
        let id = self.sessions.add(server, dictid, self.now, serial);
        if let Some(server) = self.servers.get_mut(server) {
            server.sessions.push_back(&mut self.sessions.rows, id);
        }
        id
    }

    pub(super) fn add_file(&mut self, server: u32, fileid: u32, session: u32) -> u32 {
        let id = self.files.add(server, fileid, session, self.now);
        if let Some(session) = self.sessions.get_mut(session) {
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
        if let Some(session) = self.sessions.get_mut(from) {
            session.files.unlink(&mut self.files.rows, id);
        }
        if let Some(file) = self.files.get_mut(id) {
            file.session = to;
        }
        if let Some(session) = self.sessions.get_mut(to) {
            session.files.push_back(&mut self.files.rows, id);
        }
    }
}
