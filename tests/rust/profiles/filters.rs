//! Which records a sink takes.

use gridtap::access::record::{FileAccess, PluginEvent, Server, Session, Summary, User};
use gridtap::capture::peer_of;
use gridtap::export::filter::{Filter, FilterSettings, Refusal, Verdict, WlcgRule};
use gridtap::export::profile::AnyRecord;

fn verdict(settings: &str, record: &AnyRecord<'_>) -> Verdict {
    let settings: FilterSettings = serde_json::from_str(settings).expect("settings");
    Filter::new(&settings).expect("good settings").verdict(record, &WlcgRule::default())
}

fn access(vo: Option<&'static str>, path: &'static str) -> FileAccess<'static> {
    FileAccess {
        path: Some(path),
        user: User { auth_vo: vo, ..User::default() },
        server: Server {
            server_address: Some("192.0.2.1"),
            server_site: Some("HERE"),
            ..Server::default()
        },
        ..FileAccess::default()
    }
}

#[track_caller]
fn assert_verdicts(settings: &str, cases: &[(FileAccess<'_>, Option<Refusal>)]) {
    for (access, refusal) in cases {
        let expected = refusal.map_or(Verdict::Take, Verdict::Refuse);
        let found = verdict(settings, &AnyRecord::Access(access));
        assert_eq!(found, expected, "{settings} {:?} {:?}", access.user.auth_vo, access.path);
    }
}

#[test]
fn nothing_asked_for_takes_everything() {
    assert_eq!(verdict("{}", &AnyRecord::Access(&FileAccess::default())), Verdict::Take);
    assert_eq!(verdict("{}", &AnyRecord::Summary(&Summary::default())), Verdict::Take);
    assert_eq!(verdict("{}", &AnyRecord::Datagram { peer: None, payload: b"" }), Verdict::Take);
}

#[test]
fn virtual_organisations_are_compared_without_case_and_spaces() {
    assert_verdicts(
        r#"{"vos": [" CMS ", "osg"]}"#,
        &[
            (access(Some("cms"), "/f"), None),
            (access(Some(" Cms "), "/f"), None),
            (access(Some("osg osg"), "/f"), None),
            (access(Some("cms osg"), "/f"), Some(Refusal::Vo)),
            (access(Some("cmsx"), "/f"), Some(Refusal::Vo)),
            (access(None, "/f"), Some(Refusal::Vo)),
        ],
    );
    assert_verdicts(
        r#"{"not_vos": ["atlas"]}"#,
        &[
            (access(Some("ATLAS"), "/f"), Some(Refusal::Vo)),
            (access(Some("cms"), "/f"), None),
            (access(None, "/f"), None),
        ],
    );
}

#[test]
fn a_token_says_who_where_the_login_does_not() {
    let mut token = access(None, "/f");
    token.user.token_vo = Some("cms");
    let mut both = access(Some("osg"), "/f");
    both.user.token_vo = Some("cms");
    assert_verdicts(r#"{"vos": ["cms"]}"#, &[(token, None), (both, Some(Refusal::Vo))]);
    assert_verdicts(r#"{"vos": ["osg"]}"#, &[(token, Some(Refusal::Vo)), (both, None)]);
}

#[test]
fn prefixes_are_text() {
    assert_verdicts(
        r#"{"path_prefixes": ["/store", "/user/dteam"], "not_path_prefixes": ["/store/test"]}"#,
        &[
            (access(None, "/store/f"), None),
            (access(None, "/storehouse/f"), None),
            (access(None, " /user/dteam/f"), None),
            (access(None, "/user/alice/f"), Some(Refusal::PathPrefix)),
            (access(None, "/store/test/f"), Some(Refusal::PathPrefix)),
            (FileAccess { path: None, ..access(None, "") }, Some(Refusal::PathPrefix)),
        ],
    );
}

#[test]
fn kinds_sites_and_servers() {
    let sessions = FilterSettings { records: vec!["sessions".to_owned()], ..Default::default() };
    let sessions = Filter::new(&sessions).expect("good settings");
    let (session, rule) = (Session::default(), WlcgRule::default());
    assert_eq!(sessions.verdict(&AnyRecord::Session(&session), &rule), Verdict::Take);
    let refused = sessions.verdict(&AnyRecord::Access(&access(None, "/f")), &rule);
    assert_eq!(refused, Verdict::Refuse(Refusal::Kind));
    let elsewhere = FileAccess {
        server: Server { server_site: None, ..access(None, "").server },
        ..access(None, "/f")
    };
    assert_verdicts(
        r#"{"sites": ["HERE", "THERE"]}"#,
        &[(access(None, "/f"), None), (elsewhere, Some(Refusal::Site))],
    );
    let named = FileAccess {
        server: Server { server_address: Some("srv.example.org"), ..Server::default() },
        ..access(None, "/f")
    };
    for servers in
        [r#"["192.0.2.0/24"]"#, r#"["192.0.2.1"]"#, r#"["2001:db8::/32", "::ffff:192.0.2.1"]"#]
    {
        let settings = format!(r#"{{"servers": {servers}}}"#);
        assert_verdicts(&settings, &[(access(None, "/f"), None), (named, Some(Refusal::Server))]);
    }
    assert_verdicts(
        r#"{"servers": ["198.51.100.0/24"]}"#,
        &[(access(None, "/f"), Some(Refusal::Server))],
    );
    let near = peer_of("192.0.2.1:1");
    let far = peer_of("198.51.100.1:1");
    for (peer, expected) in [
        (Some(&near), Verdict::Take),
        (Some(&far), Verdict::Refuse(Refusal::Server)),
        (None, Verdict::Refuse(Refusal::Server)),
    ] {
        let record = AnyRecord::Datagram { peer, payload: b"" };
        assert_eq!(verdict(r#"{"servers": ["192.0.2.0/24"]}"#, &record), expected);
    }
    let summary = Summary { server_address: Some("192.0.2.1"), ..Summary::default() };
    assert_eq!(
        verdict(r#"{"servers": ["192.0.2.1"]}"#, &AnyRecord::Summary(&summary)),
        Verdict::Take
    );
}

#[test]
fn each_record_goes_one_way() {
    let cases = [
        (access(Some("CMS"), "/f"), true),
        (access(Some("osg"), "/store/f"), true),
        (access(None, "/user/dteam/f"), true),
        (access(Some("osg"), "/user/alice/f"), false),
        (access(None, "/f"), false),
    ];
    for (access, is_wlcg) in cases {
        let to_wlcg = verdict(r#"{"wlcg": true}"#, &AnyRecord::Access(&access)) == Verdict::Take;
        let to_others = verdict(r#"{"wlcg": false}"#, &AnyRecord::Access(&access)) == Verdict::Take;
        assert_eq!((to_wlcg, to_others), (is_wlcg, !is_wlcg), "{:?}", access.path);
        if !is_wlcg {
            let refused = verdict(r#"{"wlcg": true}"#, &AnyRecord::Access(&access));
            assert_eq!(refused, Verdict::Refuse(Refusal::Wlcg));
        }
    }
    let cached =
        PluginEvent { provider: Some("C"), path: Some("/store/f"), ..PluginEvent::default() };
    assert_eq!(verdict(r#"{"wlcg": true}"#, &AnyRecord::Plugin(&cached)), Verdict::Take);
    assert_eq!(
        verdict(r#"{"wlcg": true}"#, &AnyRecord::Session(&Session::default())),
        Verdict::Refuse(Refusal::Wlcg)
    );
}

#[test]
fn empty_rules_match_nothing() {
    let rule: WlcgRule = serde_json::from_str(r#"{"vos": [], "path_prefixes": []}"#).expect("rule");
    for (vo, path) in [(Some("cms"), "/store/f"), (None, "/user/dteam/f")] {
        assert!(!rule.matches(&AnyRecord::Access(&access(vo, path))));
    }
    let rule: WlcgRule = serde_json::from_str(r#"{"vos": []}"#).expect("rule");
    assert!(!rule.matches(&AnyRecord::Access(&access(Some("cms"), "/f"))));
    assert!(rule.matches(&AnyRecord::Access(&access(Some("cms"), "/store/f"))));
}

#[test]
fn drops_come_before_routes() {
    let settings = r#"{"not_vos": ["cms"], "wlcg": true}"#;
    assert_verdicts(settings, &[(access(Some("cms"), "/store/f"), Some(Refusal::Vo))]);
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    for bad in [
        r#"{"servers": ["192.0.2.0/33"]}"#,
        r#"{"servers": ["srv.example.org"]}"#,
        r#"{"not_vos": [" "]}"#,
        r#"{"path_prefixes": [""]}"#,
    ] {
        let settings: FilterSettings = serde_json::from_str(bad).expect("settings");
        let error = Filter::new(&settings).expect_err(bad);
        assert!(!error.contains('\n') && error.contains(':'), "{error}");
    }
    let records = FilterSettings { records: vec!["access".to_owned()], ..Default::default() };
    assert!(Filter::new(&records).expect_err("no such kind").contains("accesses"));
    for unknown in [r#"{"vo": []}"#, r#"{"records": []}"#] {
        assert!(serde_json::from_str::<FilterSettings>(unknown).is_err());
    }
}

#[test]
fn refusals_have_names_of_their_own() {
    let mut names: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.name()).collect();
    assert_eq!(names, ["kind", "vo", "path_prefix", "site", "server", "wlcg"]);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Refusal::ALL.len());
}
