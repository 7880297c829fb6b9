//! One sender, one worker.

use gridtap::capture::udp::{Ring, deal, shard};
use gridtap::collect::{Engine, Settings};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::rig::{bound, eventually, group, taken};

/// Which workers each sender came to.
fn places(
    listen: &str,
    senders: &[IpAddr],
    target: &str,
    workers: usize,
) -> BTreeMap<IpAddr, Vec<usize>> {
    const PORTS: usize = 6;
    let sockets = group(listen, workers);
    let port = sockets[0].local_addr().expect("bound").port();
    let target = SocketAddr::new(target.parse().expect("address"), port);
    let dealt = deal(sockets.iter().map(taken).collect(), workers).expect("one for each");
    for sender in senders {
        for _ in 0..PORTS {
            let socket = UdpSocket::bind((*sender, 0)).expect("the loopback interface");
            socket.send_to(b"x", target).expect("sent");
        }
    }
    let mut ring = Ring::new(64, 100);
    let mut places = BTreeMap::<IpAddr, Vec<usize>>::new();
    eventually("receiving", || {
        for (worker, sockets) in dealt.iter().enumerate() {
            ring.receive(sockets[0].fd()).expect("receiving");
            for one in ring.iter() {
                places.entry(one.sender.expect("a sender").ip()).or_default().push(worker);
            }
        }
        places.values().map(Vec::len).sum::<usize>() == senders.len() * PORTS
    });
    places
}

#[test]
fn the_kernel_deals_senders_as_we_do_whatever_their_ports() {
    let v4: Vec<IpAddr> = (1..80).map(|n| IpAddr::from([127, 0, n % 7, n])).collect();
    let v6: Vec<IpAddr> = vec!["::1".parse().expect("address")];
    for workers in [2, 3, 5] {
        for (listen, senders, target) in [
            ("127.0.0.1:0", &v4, "127.0.0.1"),
            ("[::]:0", &v4, "127.0.0.1"),
            ("[::]:0", &v6, "::1"),
        ] {
            let places = places(listen, senders, target, workers);
            for (sender, places) in &places {
                let expected = shard::of(*sender, workers);
                assert!(places.iter().all(|place| *place == expected), "{sender} {places:?}");
            }
            let used: std::collections::BTreeSet<_> = places.values().flatten().collect();
            assert!(senders.len() == 1 || used.len() == workers, "{used:?}");
        }
    }
}

#[test]
fn addresses_are_spread_evenly() {
    let mut counts = [0; 4];
    for number in 0..4096_u32 {
        counts[shard::of(IpAddr::V4((0xC000_0200 + number).into()), 4)] += 1;
    }
    assert!(counts.iter().all(|count| (800..1250).contains(count)), "{counts:?}");
    let mapped: IpAddr = "::ffff:192.0.2.1".parse().expect("address");
    let plain: IpAddr = "192.0.2.1".parse().expect("address");
    assert_eq!(shard::of(mapped, 97), shard::of(plain, 97));
}

#[test]
fn sockets_that_do_not_fit_the_workers_are_refused_in_one_line() {
    let settings = |workers: usize| {
        let text = format!(r#"{{"workers": {workers}, "sinks": []}}"#);
        Settings::read(&text).expect("settings")
    };
    let refused = |workers, sockets: Vec<UdpSocket>| {
        let sockets = sockets.iter().map(taken).collect();
        Engine::new(settings(workers), sockets).err().expect("refused")
    };
    let error = refused(2, vec![bound("127.0.0.1:0")]);
    assert!(error.contains("1 socket(s) for 2 worker(s)") && !error.contains('\n'), "{error}");
    let error = refused(1, group("127.0.0.1:0", 2));
    assert!(error.contains("2 socket(s) for 1 worker(s)"), "{error}");
    let alone = bound("127.0.0.1:0");
    let error = refused(2, vec![alone.try_clone().expect("a descriptor"), alone]);
    assert!(error.contains("no SO_REUSEPORT"), "{error}");
    assert!(Engine::new(settings(2), group("127.0.0.1:0", 2).iter().map(taken).collect()).is_ok());
}
