//! What a replay is asked for.

use serde::Deserialize;
use std::net::SocketAddr;

use super::sockets::Local;

/// As JSON text from Python.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub to: SocketAddr,
    /// Where sockets are bound.
    #[serde(default)]
    pub local: Local,
    /// Packets a second; 0: as fast as possible.
    #[serde(default)]
    pub rate: f64,
    /// How much faster than received; wins over `rate`.
    #[serde(default)]
    pub speed: Option<f64>,
    /// Probability.
    #[serde(default)]
    pub loss: f64,
    /// Probability.
    #[serde(default)]
    pub duplicate: f64,
    /// How many places a packet may come too late.
    #[serde(default)]
    pub reorder: u32,
    #[serde(default)]
    pub seed: u64,
    /// Packets taken from the source at most.
    #[serde(default)]
    pub count: Option<u64>,
    /// Times through the source; 0: without end.
    #[serde(default = "once")]
    pub repeat: u64,
}

fn once() -> u64 {
    1
}

impl Settings {
    /// Reads the JSON text and checks the numbers.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (name, value) in [("loss", settings.loss), ("duplicate", settings.duplicate)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(format!("{name} is a probability from 0 to 1, not {value}"));
            }
        }
        if !(settings.rate >= 0.0 && settings.rate.is_finite()) {
            return Err(format!("rate must not be negative: {}", settings.rate));
        }
        if settings.speed.is_some_and(|speed| !(speed > 0.0 && speed.is_finite())) {
            return Err("speed must be above 0".into());
        }
        settings.local.check(settings.to)?;
        Ok(settings)
    }
}
