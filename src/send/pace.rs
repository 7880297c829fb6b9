//! When packets are due. Pure: whoever asks says what time it is.

use std::time::Duration;

/// Most packets of one batch.
pub const BATCH: usize = 64;

/// What a replay that fell behind may catch up on: a machine that slept does not send its whole sleep
/// at once.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Whether the next packets may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// This many, at most.
    Now(usize),
    After(Duration),
}

/// The timing of a replay.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    Unlimited,
    /// Packets a second.
    Rate {
        per_second: f64,
        credit: f64,
        counted: Duration,
    },
    /// By the times at which packets were received, so many times as fast.
    Speed(f64),
}

impl Pace {
    pub fn new(rate: f64, speed: Option<f64>) -> Self {
        match speed {
            Some(speed) => Self::Speed(speed),
            None if rate > 0.0 => {
                // The first packet goes at once.
                Self::Rate { per_second: rate, credit: 1.0, counted: Duration::ZERO }
            }
            None => Self::Unlimited,
        }
    }

    /// `now` and `received` count from the first packet.
    pub fn due(&mut self, now: Duration, received: Duration) -> Due {
        match self {
            Self::Unlimited => Due::Now(BATCH),
            Self::Rate { per_second, credit, counted } => {
                let most = (*per_second * CATCH_UP.as_secs_f64()).max(1.0);
                let passed = now.saturating_sub(*counted).as_secs_f64();
                *counted = now.max(*counted);
                *credit = (*credit + passed * *per_second).min(most);
                if *credit >= 1.0 {
                    return Due::Now((*credit as usize).min(BATCH));
                }
                let wait = (1.0 - *credit) / *per_second;
                // Rates below a packet in some centuries wait as long.
                let wait = Duration::from_secs_f64(wait.min(f64::from(u32::MAX)));
                Due::After(wait.max(Duration::from_nanos(1)))
            }
            Self::Speed(speed) => {
                let due = received.as_secs_f64() / *speed;
                let due = Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX);
                match due.checked_sub(now) {
                    Some(wait) if !wait.is_zero() => Due::After(wait),
                    _ => Due::Now(1),
                }
            }
        }
    }

    /// So many packets went.
    pub fn spend(&mut self, packets: usize) {
        if let Self::Rate { credit, .. } = self {
            *credit -= packets as f64;
        }
    }
}
