//! Time and work of the parser over sources of several sizes, over texts that punish it, and after an edit.
//!
//! `cargo bench -p ksig-lang --bench parse`. Each figure is the fastest of five runs; a row that is not linear shows in its last columns.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use ksig_lang::{Effort, Parsed, SOURCE_BYTES_MAX, Span, format, parse};

fn main() {
    println!("{:<44} {:>11} {:>10} {:>9} {:>12} {:>12}", "text", "bytes", "ms", "ns/byte", "bytes/byte", "looks/token");
    for signatures in [1_000, 10_000, 30_000] {
        let text = source(signatures);
        row(&format!("{signatures} signatures"), text.len(), || parse(&text, 0).effort);
    }
    let text = source(10_000);
    let whole = parse(&text, 0);
    let at = text.find("== \"5000\"").expect("it was written there") as u32 + 4;
    let mut edited = text.clone();
    edited.insert(at as usize, 'x');
    let mut copies: Vec<Parsed> = vec![whole; 5];
    let edit = || copies.pop().expect("one a run").edit(&edited, Span { start: at, end: at }, 1).effort;
    row("an edit of one of 10000 signatures", text.len(), edit);
    row("10000 signatures, formatted", text.len(), || {
        black_box(format(&text).is_ok());
        Effort::default()
    });
    let punishing = [
        "{",
        "(",
        "f(",
        "a and ",
        "not ",
        "a.",
        "\"\"\"",
        "http\"\"\"\n",
        "http\"\"\"\nlet x = y\n",
        "\"",
        "/",
        "b\"\\",
        "vendor v {\n",
        "signature s {\n",
        "let x = (\n",
        "}",
        "あ",
        "1-",
        "// x\n",
        "\n",
    ];
    for unit in punishing {
        for bytes in [1 << 20, 1 << 22] {
            let text = format!("ksig 1\nmodule a\n{}", unit.repeat(bytes / unit.len()));
            row(&format!("{unit:?} again and again"), text.len(), || parse(&text, 0).effort);
        }
    }
    let line = format!("ksig 1\nmodule a\nlet x = \"{}\"\n", "x".repeat(SOURCE_BYTES_MAX - 100));
    row("one line as long as a source may be", line.len(), || parse(&line, 0).effort);
}

fn row(name: &str, bytes: usize, mut run: impl FnMut() -> Effort) {
    let mut fastest = f64::INFINITY;
    let mut effort = Effort::default();
    for _ in 0..5 {
        let begin = Instant::now();
        effort = black_box(run());
        fastest = fastest.min(begin.elapsed().as_secs_f64());
    }
    let each = |sum: f64, count: usize| sum / count.max(1) as f64;
    println!(
        "{name:<44} {bytes:>11} {:>10.2} {:>9.1} {:>12.2} {:>12.1}",
        fastest * 1e3,
        each(fastest * 1e9, bytes),
        each(effort.bytes as f64, bytes),
        each(effort.looks as f64, effort.tokens)
    );
}

/// Signatures of a fictitious maker.
fn source(signatures: usize) -> String {
    let mut text = String::from("ksig 1\nmodule acme\nuse vocab.vendors { acme }\n\nprobe top = http.get(\"/\")\n");
    for number in 0..signatures {
        let _ = write!(
            text,
            "\n/// SYNTHETIC.\nsignature s{number} {{\n  summary \"SYNTHETIC\"\n  match {{\n    top.html.title == \"{number}\"\n    \
             top.header[\"server\"] ~ /^acme (?<model>[A-Z]{{2}}-\\d+) v(?<fw: version(dotted)>[\\d.]+)$/\n  }}\n  identify {{\n    vendor = acme\n    \
             model = model\n    version = fw\n  }}\n  example \"acme AB-{number} v1.2\" in top.header[\"server\"] => {{ version: \"1.2\" }}\n}}\n"
        );
    }
    text
}
