//! The rules of an instance's storage. Pure: numbers in, numbers or RDS's refusal out.
//!
//! Sources: RDS user guide, "Amazon RDS DB instance storage" (limits of gp3) and "Managing capacity automatically with Amazon RDS
//! storage autoscaling"; the texts of refused sizes and of the cool-down were met in the field, those for IOPS and throughput are formed
//! after them.

use crate::error::ApiError;
use crate::options::SmallStorageIncrease;
use crate::time::SimTime;
use std::time::Duration;

/// From this size on a PostgreSQL gp3 volume is striped: it has more to start with, and IOPS and throughput can be bought.
const STRIPED_FROM_GIB: i64 = 400;
/// Largest volume in GiB.
const LARGEST_GIB: i64 = 65_536;
/// After a change of storage the next one is refused for so long, or until optimization is over, whichever is longer.
pub(super) const COOL_DOWN: Duration = Duration::from_hours(6);

/// An instance's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    /// Allocated GiB.
    pub(crate) gib: i64,
    /// `gp2`, `gp3`, `io1`, `io2` or `standard`.
    pub(crate) kind: String,
    pub(crate) iops: Option<i64>,
    /// MiB/s, gp3 only.
    pub(crate) throughput: Option<i64>,
    /// The ceiling of autoscaling; absent: it is off.
    pub(crate) max_gib: Option<i64>,
}

/// What a request says about storage; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) gib: Option<i64>,
    pub(super) kind: Option<String>,
    pub(super) iops: Option<i64>,
    pub(super) throughput: Option<i64>,
    pub(super) max_gib: Option<i64>,
}

fn refused(message: String) -> ApiError {
    ApiError::new("InvalidParameterCombination", message)
}

/// "Invalid storage size for engine name postgres and storage type gp3: 210" and its sisters.
fn invalid(what: &str, engine: &str, kind: &str, value: i64) -> ApiError {
    refused(format!("Invalid {what} for engine name {engine} and storage type {kind}: {value}"))
}

/// The least size that is 10 % above `gib`.
fn tenth_above(gib: i64) -> i64 {
    gib + (gib + 9) / 10
}

impl Storage {
    /// The storage of a new instance.
    ///
    /// # Errors
    /// `InvalidParameterCombination`, `StorageTypeNotSupported`.
    pub(super) fn first(engine: &str, ask: &Ask) -> Result<Self, ApiError> {
        let kind = ask
            .kind
            .clone()
            .unwrap_or_else(|| if ask.iops.is_some() { "io1" } else { "gp2" }.to_owned());
        let gib = ask.gib.unwrap_or(0);
        size(engine, &kind, gib)?;
        let (iops, throughput) = given(&kind, gib);
        let bare = Self { gib, kind, iops, throughput, max_gib: None };
        bare.with_performance(engine, ask, true)?.with_ceiling(engine, ask.max_gib, true)
    }

    /// What a request makes of the storage. Below the present size, and less than 10 % above it, is what people get wrong.
    ///
    /// # Errors
    /// `InvalidParameterCombination`, `StorageTypeNotSupported`.
    pub(super) fn next(
        &self,
        engine: &str,
        ask: &Ask,
        small: SmallStorageIncrease,
    ) -> Result<Self, ApiError> {
        let kind = ask.kind.clone().unwrap_or_else(|| self.kind.clone());
        let mut gib = ask.gib.unwrap_or(self.gib);
        if gib < self.gib {
            return Err(invalid("storage size", engine, &kind, gib));
        }
        if gib > self.gib && gib < tenth_above(self.gib) {
            match small {
                SmallStorageIncrease::RoundedUp => gib = tenth_above(self.gib),
                SmallStorageIncrease::Refused => {
                    return Err(invalid("storage size", engine, &kind, gib));
                }
            }
        }
        if gib != self.gib || kind != self.kind {
            size(engine, &kind, gib)?;
        }
        let grown = self.grown(kind, gib);
        let asked_ceiling = ask.max_gib.filter(|max| Some(*max) != self.max_gib || gib != self.gib);
        grown.with_performance(engine, ask, false)?.with_ceiling(
            engine,
            asked_ceiling,
            gib != self.gib,
        )
    }

    /// The same storage with another size or type: performance rises to what comes with it and never falls on the same type.
    pub(super) fn grown(&self, kind: String, gib: i64) -> Self {
        let (iops, throughput) = given(&kind, gib);
        let keep = kind == self.kind;
        let better = |with: Option<i64>, had: Option<i64>| if keep { with.max(had) } else { with };
        Self {
            iops: better(iops, self.iops),
            throughput: better(throughput, self.throughput),
            gib,
            kind,
            max_gib: self.max_gib,
        }
    }

    fn with_performance(mut self, engine: &str, ask: &Ask, new: bool) -> Result<Self, ApiError> {
        let wanted = |asked: Option<i64>, have: Option<i64>| {
            asked.filter(|asked| new || Some(*asked) != have)
        };
        let (iops, throughput) =
            (wanted(ask.iops, self.iops), wanted(ask.throughput, self.throughput));
        if iops.is_none() && throughput.is_none() {
            return Ok(self);
        }
        if self.kind == "gp3" && self.gib < STRIPED_FROM_GIB {
            let message = format!(
                "You can't specify IOPS or storage throughput for engine {engine} and a storage size less than {STRIPED_FROM_GIB}."
            );
            return Err(refused(message));
        }
        let Some((least_iops, most_iops)) = iops_range(&self.kind) else {
            return Err(refused(format!(
                "You can't specify IOPS or storage throughput for storage type {}.",
                self.kind
            )));
        };
        if let Some(iops) = iops {
            if !(least_iops..=most_iops).contains(&iops) {
                return Err(invalid("iops value", engine, &self.kind, iops));
            }
            // At most 500 IOPS for a GiB of gp3; io1 50, io2 1000 (same table of the guide).
            let most_per_gib = if self.kind == "io1" {
                50
            } else if self.kind == "io2" {
                1000
            } else {
                500
            };
            if iops > self.gib * most_per_gib {
                return Err(invalid(
                    "iops to storage (GB) ratio",
                    engine,
                    &self.kind,
                    iops / self.gib.max(1),
                ));
            }
            self.iops = Some(iops);
        }
        if let Some(throughput) = throughput {
            // 500 to 4000 MiB/s, and at most a quarter of the IOPS.
            let possible = self.kind == "gp3"
                && (500..=4_000).contains(&throughput)
                && throughput * 4 <= self.iops.unwrap_or(0);
            if !possible {
                return Err(invalid("storage throughput value", engine, &self.kind, throughput));
            }
            self.throughput = Some(throughput);
        }
        Ok(self)
    }

    /// The ceiling is at least 10 % above the size; equal to it means off.
    fn with_ceiling(
        mut self,
        engine: &str,
        asked: Option<i64>,
        resized: bool,
    ) -> Result<Self, ApiError> {
        match asked {
            Some(max) if max == self.gib => self.max_gib = None,
            Some(max) if max < tenth_above(self.gib) || max > LARGEST_GIB => {
                return Err(invalid("max storage size", engine, &self.kind, max));
            }
            Some(max) => self.max_gib = Some(max),
            None => {
                if let Some(max) = self.max_gib.filter(|max| resized && *max < self.gib) {
                    return Err(invalid("max storage size", engine, &self.kind, max));
                }
            }
        }
        Ok(self)
    }

    /// Whether going to `other` is a change that storage optimization follows. The ceiling alone is none.
    pub(super) fn is_changed_by(&self, other: &Self) -> bool {
        (self.gib, &self.kind, self.iops, self.throughput)
            != (other.gib, &other.kind, other.iops, other.throughput)
    }

    /// The size that autoscaling goes to when `growth` GiB more are expected within seven hours; absent when it is off or at its end.
    pub(super) fn autoscaled(&self, growth: i64) -> Option<i64> {
        let step = (self.gib / 10).max(10).max(growth);
        let to = (self.gib + step).min(self.max_gib?);
        (to > self.gib).then_some(to)
    }
}

/// IOPS and throughput that come with a volume.
fn given(kind: &str, gib: i64) -> (Option<i64>, Option<i64>) {
    match kind {
        "gp3" if gib < STRIPED_FROM_GIB => (Some(3_000), Some(125)),
        "gp3" => (Some(12_000), Some(500)),
        "io1" | "io2" => (Some(1_000), None),
        _ => (None, None),
    }
}

/// The IOPS that can be bought.
fn iops_range(kind: &str) -> Option<(i64, i64)> {
    match kind {
        "gp3" => Some((12_000, 64_000)),
        "io1" | "io2" => Some((1_000, 256_000)),
        _ => None,
    }
}

fn size(engine: &str, kind: &str, gib: i64) -> Result<(), ApiError> {
    let range = match kind {
        "gp2" | "gp3" => 20..=LARGEST_GIB,
        "io1" | "io2" => 100..=LARGEST_GIB,
        "standard" => 5..=3_072,
        _ => {
            return Err(ApiError::new(
                "StorageTypeNotSupported",
                format!("Invalid storage type: {kind}"),
            ));
        }
    };
    if range.contains(&gib) { Ok(()) } else { Err(invalid("storage size", engine, kind, gib)) }
}

/// The refusal while storage cools down, with the hours that are left rounded up.
pub(super) fn cooling_down(until: SimTime, now: SimTime) -> Option<ApiError> {
    let left = until.since(now);
    let hours = left.as_secs().div_ceil(3600);
    (!left.is_zero()).then(|| {
        refused(format!("You can't currently modify the storage of this DB instance. Try again after approximately {} hours.", hours.max(1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::SmallStorageIncrease::{Refused, RoundedUp};

    fn gp3(gib: i64, max_gib: Option<i64>) -> Storage {
        let (iops, throughput) = given("gp3", gib);
        Storage { gib, kind: "gp3".to_owned(), iops, throughput, max_gib }
    }

    fn ask(gib: i64) -> Ask {
        Ask { gib: Some(gib), ..Ask::default() }
    }

    #[test]
    fn sizes_are_refused_in_the_words_of_rds() {
        let small = "You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400.";
        let size = |gib: i64| {
            format!("Invalid storage size for engine name postgres and storage type gp3: {gib}")
        };
        let ceiling = |gib: i64| {
            format!("Invalid max storage size for engine name postgres and storage type gp3: {gib}")
        };
        for (why, from, ask, rule, expected) in [
            ("storage never shrinks", gp3(230, None), ask(210), RoundedUp, Err(size(210))),
            ("the same size is no change", gp3(210, None), ask(210), Refused, Ok((210, 3_000, 125))),
            ("too little, rounded up", gp3(200, None), ask(210), RoundedUp, Ok((220, 3_000, 125))),
            ("too little, refused", gp3(200, None), ask(210), Refused, Err(size(210))),
            ("exactly 10 %", gp3(200, None), ask(220), Refused, Ok((220, 3_000, 125))),
            ("beyond the largest volume", gp3(200, None), ask(70_000), RoundedUp, Err(size(70_000))),
            ("striping brings performance", gp3(200, None), ask(400), RoundedUp, Ok((400, 12_000, 500))),
            ("IOPS below 400 GiB", gp3(200, None), Ask { iops: Some(12_000), ..Ask::default() }, RoundedUp, Err(small.to_owned())),
            ("throughput below 400 GiB", gp3(200, None), Ask { throughput: Some(500), ..Ask::default() }, RoundedUp, Err(small.to_owned())),
            ("what it has is no change", gp3(200, None), Ask { iops: Some(3_000), throughput: Some(125), ..Ask::default() }, RoundedUp, Ok((200, 3_000, 125))),
            ("bought together with the size", gp3(200, None), Ask { iops: Some(16_000), throughput: Some(1_000), ..ask(500) }, RoundedUp, Ok((500, 16_000, 1_000))),
            ("too few IOPS", gp3(400, None), Ask { iops: Some(3_000), ..Ask::default() }, RoundedUp, Err("Invalid iops value for engine name postgres and storage type gp3: 3000".to_owned())),
            ("too much throughput for the IOPS", gp3(400, None), Ask { throughput: Some(4_000), ..Ask::default() }, RoundedUp, Err("Invalid storage throughput value for engine name postgres and storage type gp3: 4000".to_owned())),
            ("a ceiling too near", gp3(200, None), Ask { max_gib: Some(210), ..Ask::default() }, RoundedUp, Err(ceiling(210))),
            ("a ceiling below", gp3(200, Some(1_000)), Ask { max_gib: Some(100), ..Ask::default() }, RoundedUp, Err(ceiling(100))),
            ("above the ceiling", gp3(200, Some(250)), ask(300), RoundedUp, Err(ceiling(250))),
            ("the ceiling it has, even when near", gp3(240, Some(250)), Ask { max_gib: Some(250), ..Ask::default() }, RoundedUp, Ok((240, 3_000, 125))),
        ] {
            let next = from.next("postgres", &ask, rule).map(|next| (next.gib, next.iops.unwrap(), next.throughput.unwrap()));
            assert_eq!(next.map_err(|error| error.message), expected, "{why}");
        }
    }

    #[test]
    fn a_ceiling_equal_to_the_size_turns_autoscaling_off() {
        let next = gp3(200, Some(1_000))
            .next("postgres", &Ask { max_gib: Some(200), ..Ask::default() }, RoundedUp)
            .unwrap();
        assert_eq!(next.max_gib, None);
        assert!(!gp3(200, Some(1_000)).is_changed_by(&next), "and is no change of the volume");
    }

    #[test]
    fn new_storage_is_checked_too() {
        for (why, ask, expected) in [
            (
                "plain",
                Ask { kind: Some("gp3".to_owned()), max_gib: Some(1_000), ..ask(200) },
                Ok(Some(3_000)),
            ),
            (
                "too small",
                Ask { kind: Some("gp3".to_owned()), ..ask(10) },
                Err("InvalidParameterCombination"),
            ),
            (
                "no such type",
                Ask { kind: Some("gp9".to_owned()), ..ask(200) },
                Err("StorageTypeNotSupported"),
            ),
            (
                "IOPS below 400 GiB, even those it has",
                Ask { kind: Some("gp3".to_owned()), iops: Some(3_000), ..ask(200) },
                Err("InvalidParameterCombination"),
            ),
            (
                "gp2 has no IOPS to buy",
                Ask { kind: Some("gp2".to_owned()), iops: Some(3_000), ..ask(200) },
                Err("InvalidParameterCombination"),
            ),
            ("the old type of bought IOPS", Ask { iops: Some(2_000), ..ask(200) }, Ok(Some(2_000))),
        ] {
            let first = Storage::first("postgres", &ask);
            assert_eq!(
                first.as_ref().map(|storage| storage.iops).map_err(|error| error.code.as_ref()),
                expected,
                "{why}"
            );
        }
    }

    #[test]
    fn autoscaling_takes_the_largest_step_below_the_ceiling() {
        for (why, from, growth, to) in [
            ("10 GiB at least", gp3(50, Some(1_000)), 0, Some(60)),
            ("10 % of a larger volume", gp3(500, Some(1_000)), 0, Some(550)),
            ("the forecast", gp3(500, Some(1_000)), 200, Some(700)),
            ("up to the ceiling", gp3(980, Some(1_000)), 0, Some(1_000)),
            ("not beyond", gp3(1_000, Some(1_000)), 0, None),
            ("off", gp3(500, None), 0, None),
        ] {
            assert_eq!(from.autoscaled(growth), to, "{why}");
        }
    }

    #[test]
    fn the_cool_down_says_how_many_hours_are_left() {
        let at = SimTime::from_millis(0);
        let message = |left| cooling_down(at + left, at).map(|error| error.message);
        assert!(message(Duration::from_mins(61)).unwrap().contains("approximately 2 hours"));
        assert!(message(Duration::from_secs(1)).unwrap().contains("approximately 1 hours"));
        assert_eq!(message(Duration::ZERO), None);
    }
}
