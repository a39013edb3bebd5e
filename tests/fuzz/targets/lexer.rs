#![no_main]

libfuzzer_sys::fuzz_target!(init: ksig_fuzz::seeds::plant("lexer"), |bytes: &[u8]| ksig_fuzz::lexer(bytes));
