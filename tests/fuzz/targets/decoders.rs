#![no_main]

use std::alloc::System;

use cap::Cap;

/// Aborts where more is asked for than may be: that is a finding.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// What one answer may cost, whatever it says. The largest that is kept has 4 MiB.
const BYTES_MAX: usize = 64 << 20;

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("decoders"), |bytes: &[u8]| {
    MEMORY.set_limit(MEMORY.allocated() + BYTES_MAX).expect("more than is in use");
    ksig_fuzz::decoders(bytes);
    MEMORY.set_limit(usize::MAX).expect("more than is in use");
});
