//! Times of transfer logs, as microseconds since the epoch, UTC.
//!
//! | form      | text                              |
//! |-----------|-----------------------------------|
//! | netlogger | `YYYYMMDDhhmmss`, `.` and digits  |
//! | JSON      | seconds since the epoch, decimal  |

use super::digits::three_pairs;

/// Microseconds since the epoch.
pub type Micros = i64;

pub const SECOND: Micros = 1_000_000;

/// The last second of the year 9999: no calendar of ours goes further.
const LAST_SECOND: i64 = 253_402_300_799;

/// A netlogger time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub at: Micros,
    /// Fewer than six digits behind the point: old servers wrote microseconds without their zeros.
    pub is_unpadded: bool,
}

impl Stamp {
    /// `None` for what is no time: other characters, a 13th month, a 30th of February.
    pub fn parse(text: &[u8], last: &mut Day) -> Option<Self> {
        let (date, rest) = text.split_first_chunk::<8>()?;
        let (clock, fraction) = rest.split_first_chunk::<6>()?;
        let seconds = last.seconds_of(date)? + time_of_day(clock)?;
        let digits = match fraction.split_first() {
            None => return Some(Self { at: seconds * SECOND, is_unpadded: false }),
            Some((b'.', digits)) => digits,
            Some(_) => return None,
        };
        // What is finer than a microsecond is cut.
        let micros = number(digits.get(..6).unwrap_or(digits))?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Some(Self { at: seconds * SECOND + micros, is_unpadded: digits.len() < 6 })
    }

    /// The same for a time with six digits behind the point.
    #[inline(always)]
    pub fn padded(text: &[u8; PADDED], last: &mut Day) -> Option<Micros> {
        let (date, rest) = text.split_first_chunk::<8>()?;
        let (clock, rest) = rest.split_first_chunk::<6>()?;
        let (point, fraction) = rest.split_first()?;
        let seconds = last.seconds_of(date)? + time_of_day(clock)?;
        let [first, second, third] = three_pairs(fraction.first_chunk()?)?.map(i64::from);
        let micros = (first * 100 + second) * 100 + third;
        (*point == b'.').then_some(seconds * SECOND + micros)
    }
}

/// Length of a time with six digits behind the point.
pub const PADDED: usize = 21;

/// The date of the last time, which that of the next one nearly always is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Day {
    date: [u8; 8],
    seconds: i64,
}

impl Day {
    #[inline(always)]
    fn seconds_of(&mut self, date: &[u8; 8]) -> Option<i64> {
        if self.date != *date {
            *self = Self { date: *date, seconds: calendar(date)? };
        }
        Some(self.seconds)
    }
}

/// Seconds since the epoch of `YYYYMMDD`.
#[cold]
fn calendar(text: &[u8; 8]) -> Option<i64> {
    let [y1, y2, y3, y4, m1, m2, d1, d2] = digits(text)?;
    let year = ((y1 * 10 + y2) * 10 + y3) * 10 + y4;
    let (month, day) = (m1 * 10 + m2, d1 * 10 + d2);
    let exists =
        year >= 1970 && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    exists.then(|| days_before(year, month, day) * 86_400)
}

/// Seconds since midnight of `hhmmss`.
#[inline(always)]
fn time_of_day(text: &[u8; 6]) -> Option<i64> {
    let [hour, minute, second] = three_pairs(text)?.map(i64::from);
    // A leap second is the 60th.
    let exists = hour < 24 && minute < 60 && second <= 60;
    exists.then_some((hour * 60 + minute) * 60 + second)
}

fn digits<const N: usize>(text: &[u8; N]) -> Option<[i64; N]> {
    let digits = text.map(|byte| byte.wrapping_sub(b'0'));
    let worst = digits.iter().fold(0, |worst, digit| worst.max(*digit));
    (worst <= 9).then(|| digits.map(i64::from))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch. Years are taken to begin in March, so that leap days come last.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year / 400, year % 400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

/// Seconds since the epoch with any fraction; exponents, as `1.7e9`, are read as floats.
pub fn epoch(text: &[u8]) -> Option<Micros> {
    let text = text.trim_ascii();
    let point = memchr::memchr(b'.', text).unwrap_or(text.len());
    let (whole, fraction) = text.split_at_checked(point)?;
    let digits = fraction.get(1..).unwrap_or_default();
    let exact = number(whole).filter(|_| digits.iter().all(u8::is_ascii_digit));
    let seconds = match exact {
        Some(seconds) => seconds,
        None => return inexact(text),
    };
    let mut micros = 0;
    for at in 0..6 {
        micros = micros * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    }
    (seconds <= LAST_SECOND).then(|| seconds * SECOND + micros)
}

fn inexact(text: &[u8]) -> Option<Micros> {
    let seconds: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    let is_time = (0.0..=LAST_SECOND as f64).contains(&seconds);
    is_time.then(|| (seconds * SECOND as f64).round() as Micros)
}

/// Digits, and nothing else.
pub fn number(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    let mut sum = 0u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // 19 digits fit.
        sum = sum.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    i64::try_from(sum).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Micros> {
        Stamp::parse(text.as_bytes(), &mut Day::default()).map(|stamp| stamp.at)
    }

    #[test]
    fn calendar_times() {
        assert_eq!(at("19700101000000.000001"), Some(1));
        assert_eq!(at("20240312081530.250000"), Some(1_710_231_330_250_000));
        assert_eq!(at("20000229235959.999999"), Some(951_868_799_999_999));
        assert_eq!(at("20240312081530"), Some(1_710_231_330_000_000));
        assert_eq!(at("20240312081530.2500009"), Some(1_710_231_330_250_000));
        assert_eq!(at("99991231235959.0"), Some(LAST_SECOND * SECOND));
    }

    #[test]
    fn short_fractions_are_microseconds() {
        let stamp = Stamp::parse(b"20240312082300.2102", &mut Day::default()).expect("a time");
        assert_eq!(stamp, Stamp { at: 1_710_231_780_002_102, is_unpadded: true });
        assert!(
            !Stamp::parse(b"20240312082300.002102", &mut Day::default())
                .expect("a time")
                .is_unpadded
        );
    }

    #[test]
    fn the_last_day_is_the_same_day_only() {
        let mut day = Day::default();
        for text in ["20240312081530.0", "20240312081531.0", "20240313081530.0", "20240230000000.0"]
        {
            let found = Stamp::parse(text.as_bytes(), &mut day).map(|stamp| stamp.at);
            assert_eq!(found, at(text), "{text}");
        }
    }

    #[test]
    fn no_times() {
        for text in [
            "",
            "2024",
            "20241312081530.0",
            "20240230081530.0",
            "21000229000000.0",
            "20240312241530.0",
            "20240312086030.0",
            "20240312081561.0",
            "00000000000000.0",
            "20240312081530.",
            "20240312081530.25x",
            "20240312081530,25",
            "2024031208153x.25",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn epoch_times() {
        assert_eq!(epoch(b"1710231310.250000"), Some(1_710_231_310_250_000));
        assert_eq!(epoch(b"1710231310"), Some(1_710_231_310_000_000));
        assert_eq!(epoch(b" 1710231310.1234567 "), Some(1_710_231_310_123_456));
        assert_eq!(epoch(b"1.71e9"), Some(1_710_000_000_000_000));
        for text in ["", ".", "-1", "NaN", "inf", "1e300", "99999999999999", "1.2.3", "0x1"] {
            assert_eq!(epoch(text.as_bytes()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_day_is_the_one_after_the_last(day in 0i64..2_932_896) {
            let mut left = day;
            let mut year = 1970;
            loop {
                let length = 337 + days_of(year, 2);
                if left < length { break }
                left -= length;
                year += 1;
            }
            let mut month = 1;
            while left >= days_of(year, month) {
                left -= days_of(year, month);
                month += 1;
            }
            proptest::prop_assert_eq!(days_before(year, month, left + 1), day);
        }

        #[test]
        fn numbers_are_what_they_say(value in 0i64..) {
            proptest::prop_assert_eq!(number(value.to_string().as_bytes()), Some(value));
        }
    }
}
