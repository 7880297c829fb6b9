//! Times as texts.

use crate::export::date::civil;

/// Microseconds since the epoch as `2023-11-14T22:13:20.000042Z`.
pub(super) fn rfc3339(micros: u64) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    format!("{}.{micros:06}Z", iso(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

/// Seconds since the epoch as `2023-11-14T22:13:20`, UTC.
pub(super) fn iso(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Epoch seconds of a record as `2023-11-14T22:13:20.042Z`.
pub(super) fn millis(seconds: f64) -> String {
    let millis = (seconds * 1000.0).round() as i64;
    format!("{}.{:03}Z", iso(millis.div_euclid(1000)), millis.rem_euclid(1000))
}

/// Epoch seconds of a record as nanoseconds; records know microseconds.
pub(super) fn nanos(seconds: f64) -> String {
    let micros = (seconds * 1e6).round() as i64;
    if micros == 0 { "0".to_owned() } else { format!("{micros}000") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_dates() {
        assert_eq!(iso(1_700_000_000), "2023-11-14T22:13:20");
        assert_eq!(iso(951_782_400), "2000-02-29T00:00:00");
        assert_eq!(rfc3339(1_700_000_000_000_042), "2023-11-14T22:13:20.000042Z");
        assert_eq!(millis(1_700_000_000.042), "2023-11-14T22:13:20.042Z");
        assert_eq!(nanos(1_700_000_000.000_042), "1700000000000042000");
    }
}
