#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("grammar"), |bytes: &[u8]| ksig_fuzz::grammar(bytes));
