#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("evidence"), |bytes: &[u8]| ksig_fuzz::evidence(bytes));
