//! Bundles: a plan as bytes. There is no machine code in one, so reading one from a stranger is safe.
//!
//! ```text
//! magic "KSIGBNDL" | format u32 | plan_bytes u32 | SHA-256 of what follows | zstd( postcard(plan) )      all little-endian
//! ```
//!
//! In: a [`Plan`], or bytes. Out: bytes that are a function of the plan, or a [`VerifiedPlan`]. Files are the caller's.

use ksig_schema::value::Date;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::depth::{Budget, Limited};
use crate::plan::Plan;
use crate::verify::{VerifiedPlan, VerifyError};

/// The first bytes of each bundle.
pub const MAGIC: &[u8; 8] = b"KSIGBNDL";
/// The format that this version writes and reads.
pub const FORMAT: u32 = 1;
/// Largest bundle in bytes.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Largest plan in bytes once decompressed.
pub const PLAN_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How deep a plan's structures nest in its encoding.
pub const PLAN_DEPTH_MAX: u32 = 288;
/// How many structures, sequences and variants a plan holds: a bound on the memory that reading one takes.
pub const PLAN_NODES_MAX: u64 = 8 * 1024 * 1024;

const HEADER_BYTES: usize = 8 + 4 + 4 + 32;
const ZSTD_LEVEL: i32 = 9;

/// Why bytes are not a bundle that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Other magic.
    #[error("this is not a ksig bundle: it does not begin with KSIGBNDL")]
    Foreign,
    /// A format of the future.
    #[error("the bundle has format {found}, this ksig reads format {FORMAT}: update ksig, or build the bundle again")]
    Format {
        /// What the bundle says.
        found: u32,
    },
    /// Fewer bytes than a header.
    #[error("the bundle is cut off: it ends after {bytes} bytes")]
    Truncated {
        /// How many there are.
        bytes: usize,
    },
    /// A limit is passed.
    #[error("the bundle is too large: {what} is {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// `the file` or `the plan`.
        what: &'static str,
        /// How large.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The digest differs: changed on the way, or cut off.
    #[error("the bundle is damaged: its SHA-256 does not agree with its content")]
    Damaged,
    /// The digest agrees, the content does not decode: not made by ksig.
    #[error("the bundle's content cannot be read: {0}")]
    Malformed(String),
    /// It decodes to a plan that must not run.
    #[error("the bundle holds a plan that must not run: {0}")]
    Refused(#[from] VerifyError),
}

/// A plan as bytes; the same plan gives the same bytes.
///
/// # Errors
/// The plan is larger than a bundle can be.
pub fn write(plan: &Plan) -> Result<Vec<u8>, BundleError> {
    let encoded = postcard::to_stdvec(plan).map_err(|error| BundleError::Malformed(error.to_string()))?;
    within("the plan", encoded.len(), PLAN_BYTES_MAX)?;
    let payload = zstd::bulk::compress(&encoded, ZSTD_LEVEL).map_err(|error| BundleError::Malformed(error.to_string()))?;
    within("the file", payload.len() + HEADER_BYTES, BUNDLE_BYTES_MAX)?;
    let plan_bytes = u32::try_from(encoded.len()).map_err(|_| BundleError::Malformed("length".into()))?;
    let mut bundle = Vec::with_capacity(HEADER_BYTES + payload.len());
    bundle.extend_from_slice(MAGIC);
    bundle.extend_from_slice(&FORMAT.to_le_bytes());
    bundle.extend_from_slice(&plan_bytes.to_le_bytes());
    bundle.extend_from_slice(&Sha256::digest(&payload));
    bundle.extend_from_slice(&payload);
    Ok(bundle)
}

/// Reads and verifies a bundle.
///
/// # Errors
/// The bytes are no bundle of this format, are damaged, pass a limit, or hold a plan that must not run.
pub fn read(bundle: &[u8]) -> Result<VerifiedPlan, BundleError> {
    Ok(decode(bundle)?.verify()?)
}

/// What a bundle says of itself, without compiling its patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleSummary {
    /// The release's name.
    pub release: String,
    /// The release's date.
    pub date: Option<Date>,
    /// How many signatures.
    pub signatures: usize,
    /// SHA-256 of the content, as hexadecimal digits.
    pub sha256: String,
    /// SHA-256 of every request that it can send: what `ksig plan` prints.
    pub requests_sha256: String,
}

/// What a bundle says of itself.
///
/// # Errors
/// As [`read`], except that the plan is not verified.
pub fn summary(bundle: &[u8]) -> Result<BundleSummary, BundleError> {
    let plan = decode(bundle)?;
    let digest = bundle.get(16..HEADER_BYTES).unwrap_or_default();
    Ok(BundleSummary {
        release: plan.release,
        date: plan.date,
        signatures: plan.signatures.len(),
        requests_sha256: plan.requests_sha256,
        sha256: ksig_schema::form::hex_digits(digest),
    })
}

fn decode(bundle: &[u8]) -> Result<Plan, BundleError> {
    within("the file", bundle.len(), BUNDLE_BYTES_MAX)?;
    if !bundle.starts_with(&MAGIC[..bundle.len().min(MAGIC.len())]) || bundle.is_empty() {
        return Err(BundleError::Foreign);
    }
    let truncated = || BundleError::Truncated { bytes: bundle.len() };
    let word = |at: usize| bundle.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes).ok_or_else(truncated);
    let found = word(8)?;
    if found != FORMAT {
        return Err(BundleError::Format { found });
    }
    let plan_bytes = word(12)? as usize;
    let digest = bundle.get(16..HEADER_BYTES).ok_or_else(truncated)?;
    let payload = &bundle[HEADER_BYTES..];
    if Sha256::digest(payload).as_slice() != digest {
        return Err(BundleError::Damaged);
    }
    within("the plan", plan_bytes, PLAN_BYTES_MAX)?;
    let encoded = zstd::bulk::decompress(payload, plan_bytes).map_err(|error| BundleError::Malformed(error.to_string()))?;
    if encoded.len() != plan_bytes {
        return Err(BundleError::Malformed("the plan is shorter than the header says".into()));
    }
    let budget = Budget::new(PLAN_DEPTH_MAX, PLAN_NODES_MAX);
    let mut reader = postcard::Deserializer::from_bytes(&encoded);
    let plan = Plan::deserialize(Limited::new(&mut reader, &budget))
        .map_err(|error| BundleError::Malformed(budget.passed().map_or_else(|| error.to_string(), Into::into)))?;
    match reader.finalize() {
        Ok([]) => Ok(plan),
        _ => Err(BundleError::Malformed("bytes follow the plan".into())),
    }
}

fn within(what: &'static str, bytes: usize, limit: usize) -> Result<(), BundleError> {
    if bytes > limit { Err(BundleError::TooLarge { what, bytes, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{Condition, Expr, Signature};
    use crate::sample;

    fn sealed(payload: &[u8], plan_bytes: u32) -> Vec<u8> {
        let mut bundle = MAGIC.to_vec();
        bundle.extend_from_slice(&FORMAT.to_le_bytes());
        bundle.extend_from_slice(&plan_bytes.to_le_bytes());
        bundle.extend_from_slice(&Sha256::digest(payload));
        bundle.extend_from_slice(payload);
        bundle
    }

    #[test]
    fn a_bundle_gives_the_plan_back_and_is_the_same_each_time() {
        let plan = sample::plan();
        let bundle = write(&plan).expect("writes");
        assert_eq!(bundle, write(&plan).expect("writes"));
        assert_eq!(*read(&bundle).expect("reads").plan(), plan);
        assert_eq!(summary(&bundle).expect("reads").signatures, 3);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let bundle = write(&sample::plan()).expect("writes");
        assert!(matches!(read(b"#!/bin/sh\nexit"), Err(BundleError::Foreign)));
        assert!(matches!(read(b""), Err(BundleError::Foreign)));
        assert!(matches!(read(&bundle[..20]), Err(BundleError::Truncated { bytes: 20 })));
        assert!(matches!(read(&bundle[..bundle.len() - 1]), Err(BundleError::Damaged)));
        let mut newer = bundle.clone();
        newer[8] = 9;
        assert!(matches!(read(&newer), Err(BundleError::Format { found: 9 })));
        let bomb = zstd::bulk::compress(&vec![0u8; 1 << 20], 19).expect("compresses");
        assert!(matches!(read(&sealed(&bomb, 1 << 10)), Err(BundleError::Malformed(_))));
        assert!(matches!(read(&sealed(&bomb, u32::MAX)), Err(BundleError::TooLarge { .. })));
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        let mut expr = Expr::ScanDate;
        for _ in 0..crate::verify::EXPR_DEPTH_MAX {
            expr = Expr::Template(vec![(expr, false)]);
        }
        let deepest = |expr| Signature { condition: Condition::Late(expr, Default::default()), ..Signature::default() };
        let fine = Plan { signatures: vec![deepest(expr.clone())], ..Plan::default() };
        assert!(read(&write(&fine).expect("writes")).is_ok(), "what verify allows can be read");
        for _ in 0..1000 {
            expr = Expr::Not(Box::new(expr));
        }
        let deep = Plan { signatures: vec![deepest(expr)], ..Plan::default() };
        let error = read(&write(&deep).expect("writes")).expect_err("too deep");
        assert!(error.to_string().contains("nested too deeply"), "{error}");
        let mut encoded = postcard::to_stdvec(&Plan::default()).expect("encodes");
        encoded.extend(std::iter::repeat_n(17, 1 << 20));
        let payload = zstd::bulk::compress(&encoded, 1).expect("compresses");
        assert!(read(&sealed(&payload, encoded.len() as u32)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_bytes_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(read(&noise).is_err());
            let payload = zstd::bulk::compress(&noise, 1).expect("compresses");
            let _ = read(&sealed(&payload, noise.len() as u32));
        }

        #[test]
        fn no_damage_passes(at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<prop::sample::Index>()) {
            let bundle = write(&sample::plan()).expect("writes");
            let mut flipped = bundle.clone();
            let at = at.index(bundle.len());
            flipped[at] ^= 1 << bit;
            // The length in the header is a claim that the content must meet; all else is under the digest or compared.
            prop_assert!(read(&flipped).is_err());
            prop_assert!(read(&bundle[..cut.index(bundle.len())]).is_err());
        }

        #[test]
        fn no_plan_that_was_tampered_with_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut encoded = postcard::to_stdvec(&sample::plan()).expect("encodes");
            let at = at.index(encoded.len());
            encoded[at] = byte;
            let payload = zstd::bulk::compress(&encoded, 1).expect("compresses");
            let _ = read(&sealed(&payload, encoded.len() as u32));
        }
    }
}
