//! Spans of time: `250ms`, `5s`, `10m`, `2h`, `14d`.
//!
//! In: a text. Out: a [`Duration`], which is written in the largest unit of which it is a whole number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A span of time in whole milliseconds, never negative. A day has 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Duration {
    /// Milliseconds.
    pub ms: u64,
}

/// Units with their milliseconds, largest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// No digits and a unit.
    #[error("durations are written 250ms, 5s, 10m, 2h or 14d")]
    Form,
    /// More milliseconds than can be counted.
    #[error("this duration is too long")]
    TooLong,
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or(DurationError::Form)?;
        let (digits, unit) = text.split_at(unit);
        let (_, ms) = UNITS.iter().find(|(known, _)| *known == unit).filter(|_| !digits.is_empty()).ok_or(DurationError::Form)?;
        let count: u64 = digits.parse().map_err(|_| DurationError::TooLong)?;
        count.checked_mul(*ms).map(|ms| Duration { ms }).ok_or(DurationError::TooLong)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, ms)| self.ms > 0 && self.ms.is_multiple_of(*ms));
        let (unit, ms) = whole.copied().unwrap_or(("ms", 1));
        write!(f, "{}{unit}", self.ms / ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_one_value_in_all_units() {
        let read = |text: &str| text.parse::<Duration>();
        for (written, shown) in [("14d", "14d"), ("336h", "14d"), ("90m", "90m"), ("1500ms", "1500ms"), ("60s", "1m"), ("0d", "0ms")] {
            assert_eq!(read(written).expect(written).to_string(), shown);
        }
        for none in ["", "14", "d", "14D", "1.5h", "-1s", "14d ", "1h30m"] {
            assert_eq!(read(none), Err(DurationError::Form), "{none}");
        }
        assert_eq!(read("999999999999999999d"), Err(DurationError::TooLong));
        assert_eq!(read("99999999999999999999ms"), Err(DurationError::TooLong));
    }
}
