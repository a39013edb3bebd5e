//! A flag that lets case vary where there is none: see [`LINT`].

use ksig_lang::{CodeDoc, Severity, Span, Text, say};
use ksig_runtime::pattern;

use super::{Lint, Look, own};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "case-insensitive-not-needed",
        meaning: Text::new(
            "With `/i` or `/iu` and without it the pattern means the same: it has no letter outside of classes that hold both cases. The flag makes a reader look for the device that writes it otherwise.",
            "`/i`や`/iu`を付けても付けなくても、パターンの意味が変わりません。大文字と小文字の両方を含むクラスを除けば、文字が一つもないためです。このフラグは、別の書き方をする機器があるかのような誤解を招きます。",
        ),
        bad: r#"
  summary "ACME BRL router, its number in the Basic realm"
  match { top.auth.basic.realm ~ /^\d\d-\d\d-(?<model>04\d)$/i }
  identify { vendor = acme; model = model; class = router.home }
  example "12-34-045" in top.auth.basic.realm => { model: "045" }
  example "Login" in top.auth.basic.realm => nothing
"#,
        good: r#"
  summary "ACME BRL router, its number in the Basic realm"
  match { top.auth.basic.realm ~ /^\d\d-\d\d-(?<model>04\d)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "12-34-045" in top.auth.basic.realm => { model: "045" }
  example "Login" in top.auth.basic.realm => nothing
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        for asked in own::patterns(signature, analysis) {
            let folding = &asked.matched.pattern;
            if !folding.ignore_case && !folding.ignore_case_unicode {
                continue;
            }
            let strict = own::strict(folding);
            let (Ok(with), Ok(without)) = (pattern::hir(folding), pattern::hir(&strict)) else { continue };
            let Some(flag) = case_flag(own::written(signature, analysis, asked.flags), asked.flags.start) else { continue };
            if with == without {
                let message = say!("case makes no difference to this pattern", "このパターンでは大文字と小文字の違いが意味を持ちません");
                let problem = LINT.finding(signature, flag, message, say!("changes nothing", "何も変わりません"));
                found.push(problem.fix(say!("leave the flag out", "フラグを外す"), signature.file, flag, ""));
            }
        }
    }),
};

/// Where among the flags of a pattern the one stands that is about case.
fn case_flag(flags: &str, start: u32) -> Option<Span> {
    let mut at = 0;
    while at < flags.len() {
        // The longest first, as they are read.
        let flag = ["fold_width", "iu", "i", "m", "s"].into_iter().find(|flag| flags[at..].starts_with(flag))?;
        if flag.starts_with('i') {
            return Some(Span { start: start + at as u32, end: start + (at + flag.len()) as u32 });
        }
        at += flag.len();
    }
    None
}
