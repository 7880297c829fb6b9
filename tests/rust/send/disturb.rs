//! Loss, duplicates and reordering: the same for a seed, and as often as asked.

use gridtap::send::{Disturbance, Settings, Taken};

const PACKETS: u32 = 10_000;

/// Which packets came out, in order, and the counts.
fn disturbed(settings: &str) -> (Vec<u32>, Taken) {
    let text = format!("{{\"to\":\"127.0.0.1:9930\",{settings}}}");
    let settings = Settings::parse(&text).expect("settings");
    let mut disturbance = Disturbance::new(&settings);
    let mut out = Vec::new();
    let mut keep = |sender: usize, payload: &[u8]| {
        let number = u32::from_be_bytes(payload.try_into().expect("four bytes"));
        assert_eq!(sender, number as usize % 3);
        out.push(number);
    };
    for number in 0..PACKETS {
        disturbance.push(number as usize % 3, &number.to_be_bytes(), &mut keep);
    }
    disturbance.finish(&mut keep);
    (out, disturbance.taken())
}

#[test]
fn without_wishes_all_packets_go_in_order() {
    let (out, taken) = disturbed("\"seed\":9");
    assert_eq!(out, (0..PACKETS).collect::<Vec<_>>());
    assert_eq!(taken, Taken::default());
}

#[test]
fn a_seed_always_means_the_same_packets() {
    let all = "\"loss\":0.1,\"duplicate\":0.05,\"reorder\":7";
    let first = disturbed(&format!("{all},\"seed\":1"));
    assert_eq!(first, disturbed(&format!("{all},\"seed\":1")));
    assert_ne!(first, disturbed(&format!("{all},\"seed\":2")));
}

#[test]
fn lost_packets_are_the_missing_ones() {
    let (out, taken) = disturbed("\"loss\":0.2,\"seed\":3");
    assert_eq!(out.len() as u64 + taken.lost, u64::from(PACKETS));
    assert!(out.windows(2).all(|pair| pair[0] < pair[1]), "still in order");
    assert!((1_800..2_200).contains(&taken.lost), "{}", taken.lost);
    assert!(disturbed("\"loss\":1").0.is_empty());
}

#[test]
fn duplicates_follow_their_packets() {
    let (out, taken) = disturbed("\"duplicate\":0.2,\"seed\":3");
    let twice = out.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
    assert_eq!(twice, taken.duplicated);
    assert!((1_800..2_200).contains(&twice), "{twice}");
    let mut unique = out;
    unique.dedup();
    assert_eq!(unique, (0..PACKETS).collect::<Vec<_>>());
}

#[test]
fn no_packet_comes_later_than_asked() {
    for most in [1, 5, 64] {
        let (out, taken) = disturbed(&format!("\"reorder\":{most},\"seed\":5"));
        let mut sorted = out.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..PACKETS).collect::<Vec<_>>());
        let displaced = |(place, number): (usize, &u32)| (place as i64 - i64::from(*number)).abs();
        let farthest = out.iter().enumerate().map(displaced).max();
        assert!(farthest.is_some_and(|far| (1..=most).contains(&far)), "{farthest:?} of {most}");
        let mut newest = 0;
        let late = out.iter().filter(|number| {
            newest = newest.max(**number);
            **number < newest
        });
        assert_eq!(late.count() as u64, taken.reordered);
        assert!(taken.reordered > 1_000);
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (settings, said) in [
        ("\"loss\":1.5", "loss is a probability from 0 to 1, not 1.5"),
        ("\"duplicate\":-0.1", "duplicate is a probability from 0 to 1, not -0.1"),
        ("\"rate\":-1", "rate must not be negative: -1"),
        ("\"speed\":0", "speed must be above 0"),
        ("\"local\":{\"address\":\"::1\"}", "::1 and 127.0.0.1 are not of one address family"),
        ("\"reodrer\":1", "unknown field `reodrer`"),
    ] {
        let text = format!("{{\"to\":\"127.0.0.1:9930\",{settings}}}");
        let error = Settings::parse(&text).expect_err(settings);
        assert!(error.starts_with(said), "{error}");
    }
    let error = Settings::parse("{\"to\":\"192.0.2.1:9930\",\"local\":\"spread\"}");
    let said = "addresses of the loopback network do not reach 192.0.2.1";
    assert_eq!(error.expect_err("refused"), said);
}
