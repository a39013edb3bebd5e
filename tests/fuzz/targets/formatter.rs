#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("formatter"), |bytes: &[u8]| ksig_fuzz::formatter(bytes));
