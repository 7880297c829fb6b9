//! Records that wait for nothing: redirects, plug-in events, summaries.

use crate::feed::{Run, START, Sent, Server, USER};
use gridtap::xrootd::SID_MASK;
use serde_json::{Value, json};

fn redirect(kind: u8, port: u16, dictid: u32, text: &str) -> Vec<u8> {
    let mut padded = text.as_bytes().to_vec();
    padded.resize((padded.len() + 1).next_multiple_of(8), 0);
    let dent = u8::try_from(padded.len() / 8).expect("short");
    let mut out = vec![kind, dent];
    out.extend(port.to_be_bytes());
    out.extend(dictid.to_be_bytes());
    out.extend(padded);
    out
}

fn redirects(server: &mut Server, entries: &[Vec<u8>]) -> Sent {
    let mut body = (0xf0_u64 << 56 | server.sid & SID_MASK).to_be_bytes().to_vec();
    let mark = |time: u32| [60_u32.to_be_bytes(), time.to_be_bytes()].concat();
    body.extend(mark(START + 60));
    body.extend(entries.concat());
    body.extend(mark(START + 120));
    server.main(b'r', &body)
}

#[test]
fn redirects_name_user_target_and_reason() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.login(USER, "alice"));
    let entries = [
        redirect(0x84, 1094, USER, "ds3.example.org:/data/f"),
        redirect(0x92, 51095, 5, "[2001:db8::7]:/x:y"),
        redirect(0x81, 1094, 0, ":/local"),
    ];
    run.feed(&redirects(&mut server, &entries));
    let [cluster, fixed, local] = &run.seen.redirects[..] else { panic!("three redirects") };
    assert_eq!((&cluster["kind"], &cluster["target_port"]), (&json!("cluster"), &Value::Null));
    assert_eq!(cluster["target_host"], "ds3.example.org");
    assert_eq!((&cluster["path"], &cluster["port"]), (&json!("/data/f"), &json!(1094)));
    assert_eq!((&cluster["user_id"], &cluster["auth_vo"]), (&json!(USER), &json!("osg")));
    assert_eq!((&fixed["kind"], &fixed["target_port"]), (&json!("configuration"), &json!(51095)));
    assert_eq!((&fixed["path"], &fixed["target_host"]), (&json!("/x:y"), &json!("[2001:db8::7]")));
    assert_eq!((&fixed["user_id"], &fixed["user_name"]), (&json!(5), &Value::Null));
    assert_eq!((&local["local"], &local["target_host"]), (&json!(true), &Value::Null));
    assert_eq!((&local["user_id"], &local["path"]), (&Value::Null, &json!("/local")));
    for found in &run.seen.redirects {
        assert_eq!(found["window_start"], START + 60);
        assert_eq!(found["server_id"], server.sid);
    }
}

#[test]
fn both_destinations_of_a_redirector_tell_the_same() {
    let (mut one, mut run) = (Server::new(1), Run::new());
    let mut two = Server { peer: crate::feed::peer(1, 41_001), main: 90, ..one.clone() };
    let entries = [redirect(0x84, 1094, 1, "a:/b")];
    run.feed(&redirects(&mut one, &entries));
    run.feed(&redirects(&mut two, &entries));
    assert_eq!(run.seen.redirects.len(), 1);
}

fn plugin(server: &Server, provider: u8, pseq: u8, lines: &[u8]) -> Sent {
    let mut body = Vec::new();
    body.extend((START + 5).to_be_bytes());
    body.extend((START + 6).to_be_bytes());
    body.extend((u64::from(provider) << 56 | server.sid).to_be_bytes());
    body.extend(lines);
    server.datagram(b'g', pseq, &body)
}

#[test]
fn plugin_events_keep_what_is_not_json() {
    let (mut server, mut run) = (Server::new(1), Run::new());
    run.feed(&server.ident());
    let lines =
        b"{\"event\":\"file_close\",\"lfn\":\"/a\",\"size\":5,\"b_hit\":3}\n{\"lfn\":\"/\"x\"}\n\
                  not \xff json\n[1]\n{\"event\":\"other\",\"n\":1}\0";
    run.feed(&plugin(&server, b'C', 1, lines));
    let events = &run.seen.plugins;
    assert_eq!(events.len(), 5);
    assert_eq!((&events[0]["event"], &events[0]["path"]), (&json!("file_close"), &json!("/a")));
    assert_eq!((&events[0]["cache_hit_bytes"], &events[0]["data"]["size"]), (&json!(3), &json!(5)));
    assert_eq!((&events[0]["raw"], &events[0]["window_end"]), (&Value::Null, &json!(START + 6)));
    let raw: Vec<_> = events.iter().map(|event| event["raw"].clone()).collect();
    assert_eq!(raw[1..4], [json!("{\"lfn\":\"/\"x\"}"), json!("not \u{fffd} json"), json!("[1]")]);
    assert_eq!((&events[1]["data"], &events[4]["data"]["n"]), (&Value::Null, &json!(1)));
    for event in events {
        assert_eq!((&event["provider"], &event["server_site"]), (&json!("C"), &json!("HERE")));
    }
    run.feed(&plugin(&server, b'C', 1, lines));
    assert_eq!(run.seen.plugins.len(), 5, "the same packet again");
    run.feed(&plugin(&server, b'?', 1, b"{}\0"));
    assert_eq!(run.seen.plugins[5]["provider_name"], Value::Null);
}

#[test]
fn text_headers_tell_where_events_come_from() {
    let (server, mut run) = (Server::new(1), Run::new());
    let text = format!(
        "{{\"code\":\"g\",\"pseq\":  1,\"stod\":{START},\"sid\":{},\"src\":{{\"site\":\"HERE\",\
         \"host\":\"\",\"port\":1094}},\"gs\":{{\"type\":\"R\",\"tbeg\":{START},\"tend\":{START}}}}}\
         \n{{\"event\":\"throttle_update\",\"io_wait\":0.5,\"io_active\":2,\"io_total\":9}}\0",
        server.sid
    );
    run.feed(&Sent { peer: server.peer.clone(), bytes: text.into_bytes() });
    let map = format!(
        "{{\"code\":\"d\",\"pseq\":  1,\"stod\":{START},\"sid\":{},\"gs\":{{\"type\":\"C\"}},\
         \"did\":4,\"data\":\"x\n/path\"}}\0",
        server.sid
    );
    run.feed(&Sent { peer: server.peer.clone(), bytes: map.into_bytes() });
    let cgi = format!(
        "code=d&pseq=++2&stod={START}&sid={}\n&gs.type=C&did=4&data=x\n/path\nmore",
        server.sid
    );
    run.feed(&Sent { peer: server.peer.clone(), bytes: cgi.into_bytes() });
    assert_eq!(run.seen.plugins.len(), 1, "dictionary packets are no events");
    let event = &run.seen.plugins[0];
    assert_eq!((&event["server_site"], &event["server_host"]), (&json!("HERE"), &Value::Null));
    assert_eq!((&event["throttle_io_wait_s"], &event["server_port"]), (&json!(0.5), &json!(1094)));
}

#[test]
fn events_without_a_header_know_their_sender() {
    let (server, mut run) = (Server::new(1), Run::new());
    let bytes = b"{\"event\":\"a\"}\n{\"event\":\"b\"}\0".to_vec();
    run.feed(&Sent { peer: server.peer.clone(), bytes });
    run.finish();
    assert_eq!(run.seen.plugins.len(), 2);
    assert_eq!(run.seen.plugins[1]["server_address"], "192.0.2.1");
    assert_eq!(run.seen.plugins[1]["server_started_at"], Value::Null);
    assert_eq!(run.seen.servers.len(), 0);
}

#[test]
fn summaries_come_out_whole() {
    let (server, mut run) = (Server::new(1), Run::new());
    let report = format!(
        "<statistics tod=\"{}\" ver=\"v5.5.3\" src=\"xrd1.example.org:1094\" tos=\"{START}\" \
         pgm=\"xrootd\" ins=\"anon\" pid=\"1234\" site=\"\"><stats id=\"link\"><num>3</num>\
         </stats></statistics>",
        START + 600
    );
    run.feed(&Sent { peer: server.peer.clone(), bytes: report.into_bytes() });
    run.finish();
    let [summary] = &run.seen.summaries[..] else { panic!("one summary") };
    assert_eq!(summary["server_host"], "xrd1.example.org");
    assert_eq!((&summary["server_port"], &summary["server_pid"]), (&json!(1094), &json!(1234)));
    assert_eq!(
        (&summary["reported_at"], &summary["server_site"]),
        (&json!(START + 600), &Value::Null)
    );
    assert_eq!(summary["stats"]["link"]["num"], 3);
    assert_eq!(run.seen.servers.len(), 0, "a report is no monitoring of accesses");
}
