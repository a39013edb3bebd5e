#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("compiler"), |bytes: &[u8]| ksig_fuzz::compiler(bytes));
