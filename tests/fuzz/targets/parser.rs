#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("parser"), |bytes: &[u8]| ksig_fuzz::parser(bytes));
