#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("tables"), |bytes: &[u8]| ksig_fuzz::tables(bytes));
