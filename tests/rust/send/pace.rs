//! When packets are due, by a clock that the test turns.

use gridtap::send::{Due, Pace};
use std::time::Duration;

/// Packets that went by the end of `clock` and what the sender would have waited for.
fn run(pace: &mut Pace, until: Duration, stall: Duration) -> usize {
    let (mut now, mut went) = (Duration::ZERO, 0);
    while now <= until {
        match pace.due(now, Duration::ZERO) {
            Due::Now(most) => {
                assert!(most > 0);
                pace.spend(most);
                went += most;
            }
            Due::After(wait) => {
                assert!(!wait.is_zero());
                now += wait.max(stall);
            }
        }
    }
    went
}

#[test]
fn a_rate_is_kept_on_average() {
    for rate in [1.0, 3.5, 1_000.0, 700_000.0] {
        for stall in [Duration::ZERO, Duration::from_millis(7)] {
            let went = run(&mut Pace::new(rate, None), Duration::from_secs(10), stall);
            let expected = 10.0 * rate;
            assert!((went as f64 - expected).abs() <= 1.0 + 0.01 * expected, "{went} at {rate}");
        }
    }
}

#[test]
fn a_sender_that_slept_does_not_send_its_whole_sleep() {
    let mut pace = Pace::new(1_000.0, None);
    assert_eq!(pace.due(Duration::ZERO, Duration::ZERO), Due::Now(1));
    pace.spend(1);
    let mut went = 0;
    while let Due::Now(most) = pace.due(Duration::from_secs(3_600), Duration::ZERO) {
        pace.spend(most);
        went += most;
    }
    assert_eq!(went, 100, "a tenth of a second");
}

#[test]
fn a_speed_scales_the_times_of_the_capture() {
    let seconds = Duration::from_secs;
    let mut pace = Pace::new(0.0, Some(10.0));
    assert_eq!(pace.due(seconds(0), seconds(0)), Due::Now(1));
    assert_eq!(pace.due(seconds(0), seconds(30)), Due::After(seconds(3)));
    assert_eq!(pace.due(seconds(2), seconds(30)), Due::After(seconds(1)));
    assert_eq!(pace.due(seconds(3), seconds(30)), Due::Now(1));
    // Late, or out of order in the capture.
    assert_eq!(pace.due(seconds(9), seconds(30)), Due::Now(1));
    let slow = Pace::new(0.0, Some(f64::MIN_POSITIVE)).due(seconds(0), seconds(30));
    assert_eq!(slow, Due::After(Duration::MAX));
}

#[test]
fn no_pace_never_waits() {
    let mut pace = Pace::new(0.0, None);
    assert!(matches!(pace.due(Duration::ZERO, Duration::MAX), Due::Now(most) if most > 1));
}
