//! Two requests that are nearly one: see [`LINT`].

use std::collections::{BTreeMap, BTreeSet};

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_schema::ProbeKey;

use super::{Lint, Look};
use crate::Analysis;
use crate::hir::{Asks, Probe};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "near-duplicate-probe",
        meaning: Text::new(
            "Two signatures ask for paths that differ only in the case of letters, or in a slash at the end. A release sends each of them to every device. Mostly one is a slip of the pen; ask for the path that the other signature asks for, and both share one answer.",
            "二つのシグネチャが、大文字と小文字、または末尾のスラッシュだけが異なるパスを要求しています。リリースは、その両方をすべての機器に送信します。多くは書き間違いです。もう一方と同じパスを要求すれば、一つの応答を両方で使えます。",
        ),
        bad: r#"ksig 1
module a
use vocab.vendors { acme }

probe status = http.get("/status.html")
probe again = http.get("/Status.html")

signature one {
  summary "ACME AC-1 by its status page"
  match { status.html.title == "AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "AC-1" in status.html.title => { model: "AC-1" }
  example "Login" in status.html.title => nothing
}
signature two {
  summary "ACME AC-2 by its status page"
  match { again.html.title == "AC-2" }
  identify { vendor = acme; model = "AC-2" }
  example "AC-2" in again.html.title => { model: "AC-2" }
  example "Login" in again.html.title => nothing
}
"#,
        good: r#"ksig 1
module a
use vocab.vendors { acme }

probe status = http.get("/status.html")

signature one {
  summary "ACME AC-1 by its status page"
  match { status.html.title == "AC-1" }
  identify { vendor = acme; model = "AC-1" }
  example "AC-1" in status.html.title => { model: "AC-1" }
  example "Login" in status.html.title => nothing
}
signature two {
  summary "ACME AC-2 by its status page"
  match { status.html.title == "AC-2" }
  identify { vendor = acme; model = "AC-2" }
  example "AC-2" in status.html.title => { model: "AC-2" }
  example "Login" in status.html.title => nothing
}
"#,
    },
    level: Severity::Warning,
    look: Look::Set(|analysis, found| {
        for asked in nearly_one(analysis).into_values().filter(|asked| asked.len() > 1) {
            // What most signatures ask for stays; of as many, what comes first.
            let Some((kept, kept_by)) = asked.iter().max_by_key(|(key, by)| (by.len(), std::cmp::Reverse(*key))) else { continue };
            let Some(&(_, first)) = kept_by.first() else { continue };
            for (key, by) in asked.iter().filter(|(key, _)| *key != kept) {
                let mut told = BTreeSet::new();
                for (number, probe) in by.iter().filter(|(_, probe)| told.insert((probe.file, probe.span))) {
                    let signature = &analysis.program.signatures[*number];
                    // A probe of a base stands in the base's file, where it is told.
                    if signature.file != probe.file {
                        continue;
                    }
                    let message = say!("`{key}` is nearly `{kept}`", "`{key}`は`{kept}`とほとんど同じです");
                    let label = say!("one more request to every device", "すべての機器への要求が一つ増えます");
                    let problem = LINT.finding(signature, probe.span, message, label);
                    let problem = problem.label(first.file, first.span, say!("asked for here", "こちらで要求しています"));
                    found.push((*number, problem.help(say!("ask for `{kept}`", "`{kept}`を要求してください"))));
                }
            }
        }
    }),
};

/// By what they have in common: each request, and the signatures whose probes send it.
type Asked<'a> = BTreeMap<&'a ProbeKey, Vec<(usize, &'a Probe)>>;

fn nearly_one(analysis: &Analysis) -> BTreeMap<(&str, String), Asked<'_>> {
    let mut all: BTreeMap<(&str, String), Asked<'_>> = BTreeMap::new();
    for (number, signature) in analysis.program.signatures.iter().enumerate() {
        for probe in &signature.probes {
            if let Asks::Exactly(key) = &probe.asks
                && let Some(argument) = &key.argument
            {
                let common = argument.to_ascii_lowercase().trim_end_matches('/').to_string();
                all.entry((&key.constructor, common)).or_default().entry(key).or_default().push((number, probe));
            }
        }
    }
    all
}
