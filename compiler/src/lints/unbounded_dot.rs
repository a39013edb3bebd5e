//! A capture that takes whatever there is: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Text, say};
use ksig_runtime::pattern;
use ksig_runtime::plan::{IdentitySlot, Pattern};
use regex_syntax::hir::{Hir, HirKind};

use super::{Lint, Look, own};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "unbounded-dot",
        meaning: Text::new(
            "The pattern ends with a capture of `.*` or `.+` that becomes the model, the series or the version: whatever another product or firmware writes there is taken for it, to the end of the line. Say which characters it is made of, `[\\w-]+`, or what it does not hold, `[^ ]+`.",
            "パターンの末尾にある`.*`や`.+`のキャプチャが、モデル、シリーズ、バージョンになります。別の製品やファームウェアがそこに何を書いても、行末まですべて取り込んでしまいます。`[\\w-]+`のように使われる文字を書くか、`[^ ]+`のように含まない文字を書いてください。",
        ),
        bad: r#"
  summary "ACME router, model in the Basic realm"
  match { top.auth.basic.realm ~ /^ACME (?<model>.+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "ACME BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME router, model in the Basic realm"
  match { top.auth.basic.realm ~ /^ACME (?<model>[A-Z]+-[\dA-Z]+)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "ACME BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        let slots = own::slots(signature, analysis)
            .into_iter()
            .filter(|(slot, _)| matches!(slot, IdentitySlot::Model | IdentitySlot::Series | IdentitySlot::Version));
        let named: Vec<&str> = slots.filter_map(|(_, expr)| own::capture(signature, expr)).collect();
        if named.is_empty() {
            return;
        }
        for asked in own::patterns(signature, analysis).iter().filter(|asked| !asked.matched.captures.is_empty()) {
            // `[^\n]` means the same and says where it ends.
            let written = own::written(signature, analysis, asked.question);
            if ![".*", ".+"].iter().any(|dot| written.contains(dot)) {
                continue;
            }
            let Ok(meaning) = pattern::hir(&asked.matched.pattern) else { continue };
            let bytes = asked.matched.pattern.bytes;
            let any =
                |source: &str| pattern::hir(&Pattern { source: source.into(), ignore_case: false, ignore_case_unicode: false, bytes });
            let any: Vec<Hir> = [any("."), any("(?s:.)")].into_iter().flatten().collect();
            let Some(name) = unbounded(&meaning, &any).filter(|name| named.contains(name)) else { continue };
            let message = say!("`{name}` is all that stands there", "`{name}`はそこから先をすべて取り込みます");
            let label = say!("any characters, any number, to the end", "文字の種類にも長さにも制限がありません");
            let problem = LINT.finding(signature, asked.expr.span, message, label);
            found.push(problem.help(say!(
                "say what it is made of, as in `[\\w-]+`, or what it does not hold, as in `[^ ]+`",
                "`[\\w-]+`のように使われる文字を書くか、`[^ ]+`のように含まない文字を書いてください"
            )));
        }
    }),
};

/// The name of the group that ends a pattern and holds any characters, without a limit.
fn unbounded<'h>(meaning: &'h Hir, any: &[Hir]) -> Option<&'h str> {
    let last = match meaning.kind() {
        HirKind::Concat(parts) => parts.iter().rfind(|part| !matches!(part.kind(), HirKind::Look(_)))?,
        _ => meaning,
    };
    let HirKind::Capture(group) = last.kind() else { return None };
    let HirKind::Repetition(run) = group.sub.kind() else { return None };
    (run.max.is_none() && any.contains(&run.sub)).then_some(group.name.as_deref()?)
}
