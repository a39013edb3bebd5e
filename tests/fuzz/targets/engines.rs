#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("engines"), |bytes: &[u8]| ksig_fuzz::engines(bytes));
