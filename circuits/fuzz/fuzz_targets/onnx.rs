#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zugzwang_fuzz::onnx(bytes));
