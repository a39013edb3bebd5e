//! A port where printers print what comes: see [`LINT`].

use std::collections::BTreeSet;

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_schema::target::RAW_PRINT_PORTS;

use super::{Lint, Look};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unsafe-port",
        meaning: Text::new(
            "A probe is expected on one of the ports 9100 to 9107, where printers put on paper whatever a client sends. The scanner never sends anything there, so the probe gets no answer on it. What such a printer is, its web page, IPP or SNMP tells.",
            "9100番から9107番のポートを指定したプローブがあります。プリンターは、このポートに届いたものをそのまま印刷します。スキャナーはこのポートに何も送信しないため、応答は得られません。プリンターの種類は、Webページ、IPP、SNMPからわかります。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

probe page = http.get("/") on 80, 9100

signature one {
  summary "ACME printer by its page"
  match { page.html.title == "ACME P-1" }
  identify { vendor = acme; model = "P-1" }
  example "ACME P-1" in page.html.title => { model: "P-1" }
  example "Login" in page.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

probe page = http.get("/") on 80

signature one {
  summary "ACME printer by its page"
  match { page.html.title == "ACME P-1" }
  identify { vendor = acme; model = "P-1" }
  example "ACME P-1" in page.html.title => { model: "P-1" }
  example "Login" in page.html.title => nothing
}
"#,
    },
    level: Severity::Error,
    look: Look::Set(|analysis, found| {
        let mut told = BTreeSet::new();
        for (number, signature) in analysis.program.signatures.iter().enumerate() {
            // A probe of a base stands in the base's file, where it is told; one of a file is told once.
            for probe in signature.probes.iter().filter(|probe| probe.file == signature.file) {
                let Some(port) = probe.ports.iter().find(|port| RAW_PRINT_PORTS.contains(port)) else { continue };
                if told.insert((probe.file, probe.span)) {
                    let message = say!("printers print what comes to port {port}", "ポート{port}に届いたものは印刷されます");
                    let label = say!("nothing is ever sent there", "このポートには何も送信されません");
                    let problem = LINT.finding(signature, probe.span, message, label);
                    found.push((number, problem.help(say!("take the port off", "このポートを外してください"))));
                }
            }
        }
    }),
};
