//! Counts, extremes, averages and deviations of a file access, under the keys that the OSG and WLCG
//! forms share.
//!
//! Both collectors call reads of ranges "single" and vector reads "vector". In `read_operations`,
//! `read_min`, `read_max` and `read_average` one counts only the former, the other both.

use super::facts::Producer;
use super::object::Object;
use crate::access::record::FileAccess;

/// Bytes of an access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes {
    pub read: i64,
    pub readv: i64,
    pub write: i64,
}

impl Bytes {
    pub fn new(access: &FileAccess<'_>) -> Self {
        let [read, readv, write] = [access.read_bytes, access.readv_bytes, access.write_bytes]
            .map(Option::unwrap_or_default);
        Self { read, readv, write }
    }

    pub fn all_read(&self) -> i64 {
        self.read.saturating_add(self.readv)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Whole(i64),
    Part(f64),
}

/// Whether numbers that are 0 are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zeros {
    Written,
    LeftOut,
}

/// Server and wire count in 32 bits without a sign, records came to carry one.
pub(super) fn count(value: Option<i64>) -> i64 {
    value.map_or(0, |value| if value < 0 { i64::from(value as u32) } else { value })
}

/// The same in 16 bits.
pub(super) fn segments(value: Option<i64>) -> i64 {
    value.map_or(0, |value| if value < 0 { i64::from(value as u16) } else { value })
}

fn ratio(sum: i64, count: i64) -> f64 {
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}

/// Whether the close told more than the bytes.
pub(super) fn has_operations(access: &FileAccess<'_>) -> bool {
    access.read_ops.is_some()
}

/// Writes the numbers that both forms have.
pub(super) fn write(
    access: &FileAccess<'_>,
    producer: Producer,
    strict: bool,
    zeros: Zeros,
    object: &mut Object<'_>,
) {
    let numbers = match producer {
        Producer::Go => go(access),
        Producer::Py => py(access, strict),
    };
    for (key, number) in numbers {
        match number {
            Number::Whole(0) if zeros == Zeros::LeftOut => {}
            Number::Part(0.0) if zeros == Zeros::LeftOut => {}
            Number::Whole(value) => object.int(key, value),
            Number::Part(value) => object.number(key, value),
        }
    }
}

type Numbers = [(&'static str, Number); 21];

fn go(access: &FileAccess<'_>) -> Numbers {
    let bytes = Bytes::new(access);
    let [reads, readvs, writes] = [access.read_ops, access.readv_ops, access.write_ops].map(count);
    let average = |sum: i64, count: i64| Number::Whole(sum.checked_div(count).unwrap_or(0));
    let own = Own {
        read_operations: reads,
        read_extremes: [access.read_min_bytes, access.read_max_bytes].map(count),
        read_average: average(bytes.read, reads),
        averages: [
            average(bytes.read, reads),
            average(bytes.readv, readvs),
            average(bytes.write, writes),
        ],
        segment_average: ratio(access.readv_segments.unwrap_or(0), readvs),
        read_at_close: bytes.read,
    };
    numbers(access, &own)
}

fn py(access: &FileAccess<'_>, strict: bool) -> Numbers {
    let bytes = Bytes::new(access);
    let [reads, readvs, writes] = [access.read_ops, access.readv_ops, access.write_ops].map(count);
    let least = [access.read_min_bytes, access.readv_min_bytes];
    // An operation that never ran has extremes of 0 on the wire, which this collector takes along.
    let least = if strict {
        least.map(count).into_iter().min()
    } else {
        least.into_iter().flatten().map(|least| count(Some(least))).min()
    };
    let greatest = [access.read_max_bytes, access.readv_max_bytes].map(count).into_iter().max();
    let all_reads = reads.saturating_add(readvs);
    let average = |sum: i64, count: i64| Number::Part(ratio(sum, count));
    let own = Own {
        read_operations: all_reads,
        read_extremes: [least.unwrap_or(0), greatest.unwrap_or(0)],
        read_average: average(bytes.all_read(), all_reads),
        averages: [
            average(bytes.read, reads),
            average(bytes.readv, readvs),
            average(bytes.write, writes),
        ],
        segment_average: ratio(
            access.readv_segments.unwrap_or(0),
            if strict { bytes.readv } else { readvs },
        ),
        read_at_close: bytes.all_read(),
    };
    numbers(access, &own)
}

/// Where the two collectors differ.
struct Own {
    read_operations: i64,
    read_extremes: [i64; 2],
    read_average: Number,
    /// Of single reads, vector reads, writes.
    averages: [Number; 3],
    segment_average: f64,
    read_at_close: i64,
}

fn numbers(access: &FileAccess<'_>, own: &Own) -> Numbers {
    use Number::{Part, Whole};
    let bytes = |value| Whole(count(value));
    let [read_min, read_max] = own.read_extremes;
    let [single_average, vector_average, write_average] = own.averages;
    [
        ("read_operations", Whole(own.read_operations)),
        ("read_single_operations", bytes(access.read_ops)),
        ("read_vector_operations", bytes(access.readv_ops)),
        ("write_operations", bytes(access.write_ops)),
        ("read_min", Whole(read_min)),
        ("read_max", Whole(read_max)),
        ("read_average", own.read_average),
        ("read_single_min", bytes(access.read_min_bytes)),
        ("read_single_max", bytes(access.read_max_bytes)),
        ("read_single_average", single_average),
        ("read_vector_min", bytes(access.readv_min_bytes)),
        ("read_vector_max", bytes(access.readv_max_bytes)),
        ("read_vector_average", vector_average),
        ("write_min", bytes(access.write_min_bytes)),
        ("write_max", bytes(access.write_max_bytes)),
        ("write_average", write_average),
        ("read_vector_count_min", Whole(segments(access.readv_min_segments))),
        ("read_vector_count_max", Whole(segments(access.readv_max_segments))),
        ("read_vector_count_average", Part(own.segment_average)),
        ("read_bytes_at_close", Whole(own.read_at_close)),
        ("write_bytes_at_close", Whole(access.write_bytes.unwrap_or(0))),
    ]
}

/// Standard deviations under the keys of the WLCG form.
pub(super) fn sigmas(access: &FileAccess<'_>) -> [(&'static str, Option<f64>); 5] {
    [
        ("read_sigma", access.read_sigma_bytes),
        ("read_single_sigma", access.read_sigma_bytes),
        ("read_vector_sigma", access.readv_sigma_bytes),
        ("read_vector_count_sigma", access.readv_sigma_segments),
        ("write_sigma", access.write_sigma_bytes),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(access: &FileAccess<'_>, producer: Producer, strict: bool) -> serde_json::Value {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        write(access, producer, strict, Zeros::Written, &mut object);
        object.end();
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn wire_counts_have_no_sign() {
        let access = FileAccess {
            read_bytes: Some(1 << 40),
            read_ops: Some(i64::from(3_000_000_000_u32 as i32)),
            readv_max_segments: Some(i64::from(40_000_u16 as i16)),
            ..FileAccess::default()
        };
        for producer in [Producer::Go, Producer::Py] {
            let numbers = written(&access, producer, false);
            assert_eq!(numbers["read_single_operations"], 3_000_000_000_u32);
            assert_eq!(numbers["read_vector_count_max"], 40_000);
        }
        assert_eq!(
            written(&access, Producer::Go, true)["read_average"],
            (1_i64 << 40) / 3_000_000_000
        );
    }

    #[test]
    fn segments_are_averaged_over_calls_and_once_over_bytes() {
        let access = FileAccess {
            readv_bytes: Some(120_000),
            readv_ops: Some(2),
            readv_segments: Some(20),
            ..FileAccess::default()
        };
        assert_eq!(written(&access, Producer::Py, false)["read_vector_count_average"], 10);
        let strict = &written(&access, Producer::Py, true)["read_vector_count_average"];
        assert_eq!(strict.as_f64(), Some(20.0 / 120_000.0));
        assert_eq!(written(&access, Producer::Go, true)["read_vector_count_average"], 10);
    }

    #[test]
    fn extremes_nobody_tracked_are_zero() {
        let access = FileAccess {
            read_ops: Some(2),
            read_bytes: Some(10),
            readv_min_bytes: Some(7),
            readv_max_bytes: Some(9),
            ..FileAccess::default()
        };
        let numbers = written(&access, Producer::Go, false);
        assert_eq!((&numbers["read_min"], &numbers["read_max"]), (&0.into(), &0.into()));
        assert_eq!(written(&access, Producer::Py, false)["read_min"], 7);
        assert_eq!(written(&access, Producer::Py, true)["read_min"], 0);
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        let access = FileAccess { read_bytes: Some(10), ..FileAccess::default() };
        for (producer, strict) in [
            (Producer::Go, false),
            (Producer::Go, true),
            (Producer::Py, false),
            (Producer::Py, true),
        ] {
            assert_eq!(written(&access, producer, strict)["read_average"], 0);
            assert_eq!(written(&access, producer, strict)["read_vector_count_average"], 0);
        }
    }
}
