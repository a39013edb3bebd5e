#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("bundle"), |bytes: &[u8]| ksig_fuzz::bundle(bytes));
