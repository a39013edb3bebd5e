//! Tries drafts on the production path: their own tests, all banners that were read, and the fixtures of the whole corpus.
//!
//! In: drafts, the corpus that they stand beside, and the observations. Out: [`Judged`], each with what it matches besides its own cluster.

use std::collections::{BTreeMap, BTreeSet};

use ksig_atlas::reports::Share;
use ksig_compiler::hir::Expect;
use ksig_compiler::{Analysis, Input, ReleaseName, Source};
use ksig_lang::{Text, say};
use ksig_schema::identification::{Identification, Note};
use ksig_schema::{Ended, Evidence, Facts, Schema, Service, Transport, Value};

use super::{Banner, Draft, Observed};
use crate::analysis::{named, world};
use crate::release::{Engine, Release, ReleaseError};
use crate::testing::{self, Asked, play};

/// A draft and how it did.
#[derive(Debug)]
pub struct Judged {
    /// As it was proposed.
    pub draft: Draft,
    /// Observations of its own cluster that it matches.
    pub own: usize,
    /// Other observations that it matches: of services that are identified, or of other clusters.
    pub foreign: usize,
    /// Why it is not to be kept: it does not compile, a test fails, or it answers to a fixture of the corpus. Empty for one that is.
    pub refused: Vec<Text>,
}

impl Judged {
    /// The share of right matches to expect: the lower end of Wilson's interval, at 95 %, for `own` right ones of all that it matched.
    pub fn precision(&self) -> f64 {
        Share::new(self.own as u64, (self.own + self.foreign) as u64).map_or(0.0, |share| share.low)
    }
}

/// The module that holds makers.
const VENDORS: &str = "vocab.vendors";

/// Judges all drafts together.
pub fn judge(corpus: &Input, drafts: Vec<Draft>, observed: &Observed) -> Result<Vec<Judged>, ReleaseError> {
    let mut judged: Vec<Judged> = drafts.into_iter().map(|draft| Judged { draft, own: 0, foreign: 0, refused: Vec::new() }).collect();
    let schema = ksig_protocols::schema();
    let corpus =
        Corpus { input: corpus, makers: ksig_compiler::analyze(corpus, world(&schema)).program.vocabulary.vendors.into_keys().collect() };
    let analysis = compile_each(&corpus, &schema, &mut judged);
    let sound: Vec<&Draft> = judged.iter().filter(|one| one.refused.is_empty()).map(|one| &one.draft).collect();
    let input = corpus.beside(&sound);
    let is_draft = |path: &str| sound.iter().any(|draft| path_of(&draft.name) == path);
    let report = testing::run(&input, &analysis, &Asked { filter: "", file: &is_draft })?;
    let mut wrong: BTreeMap<String, Vec<Text>> = BTreeMap::new();
    for (case, failure) in report.failures() {
        let first = |text: &str| text.lines().next().unwrap_or_default().to_string().into();
        let (test, reason) = (&case.test, Text { en: first(&failure.reason.en), ja: first(&failure.reason.ja) });
        let said = say!("its test {test:?}: {reason}", "テスト{test:?}: {reason}"; reason);
        wrong.entry(case.signature.clone()).or_default().push(said);
    }
    let name = ReleaseName { unverified: true, ..named("draft") };
    let release = Release::compile(&input, &name, Engine::Jit)?;
    for (signature, fixture) in answers_to_fixtures(&release, &analysis) {
        let said = say!("answers to the fixture {fixture}", "既存のテストの応答{fixture}に該当します");
        wrong.entry(signature).or_default().push(said);
    }
    let matches = matches(&release, observed);
    for one in &mut judged {
        let signature = format!("draft.{}.banner", one.draft.name);
        if let Some(reasons) = wrong.remove(&signature) {
            one.refused.extend(reasons);
        }
        for (banner, count) in matches.get(&signature).into_iter().flatten() {
            let own = banner.place == one.draft.place && one.draft.from.binary_search(&banner.text).is_ok();
            *(if own { &mut one.own } else { &mut one.foreign }) += count;
        }
    }
    Ok(judged)
}

fn path_of(name: &str) -> String {
    format!("draft/{name}.ksig")
}

/// Drafts that do not compile are refused, with the first reason.
fn compile_each(corpus: &Corpus<'_>, schema: &Schema, judged: &mut [Judged]) -> Analysis {
    loop {
        let sound: Vec<&Draft> = judged.iter().filter(|one| one.refused.is_empty()).map(|one| &one.draft).collect();
        let analysis = ksig_compiler::analyze(&corpus.beside(&sound), world(schema));
        let mut broken: BTreeMap<String, Text> = BTreeMap::new();
        for problem in analysis.diagnostics.iter().filter(|problem| problem.severity == ksig_lang::Severity::Error) {
            let path = problem.labels.first().and_then(|label| analysis.sources.get(label.file)).map(|source| source.path.clone());
            broken.entry(path.unwrap_or_default()).or_insert_with(|| problem.message.clone());
        }
        let before = judged.iter().filter(|one| !one.refused.is_empty()).count();
        for one in judged.iter_mut().filter(|one| one.refused.is_empty()) {
            one.refused.extend(broken.get(&path_of(&one.draft.name)).cloned());
        }
        let after = judged.iter().filter(|one| !one.refused.is_empty()).count();
        let Some(reason) = broken.into_values().next().filter(|_| after == before) else {
            if after == before {
                return analysis;
            }
            continue;
        };
        // What is wrong stands in no draft: a new maker bears a name that another one has.
        let mut new_makers =
            judged.iter_mut().filter(|one| one.refused.is_empty() && one.draft.vendor.0.starts_with("drafted_")).peekable();
        if new_makers.peek().is_none() {
            return analysis;
        }
        new_makers.for_each(|one| one.refused.push(reason.clone()));
    }
}

/// What drafts are tried beside.
struct Corpus<'c> {
    input: &'c Input,
    /// The ids that its vocabulary has.
    makers: BTreeSet<String>,
}

impl Corpus<'_> {
    /// With the drafts in it, and the makers that it lacks.
    fn beside(&self, drafts: &[&Draft]) -> Input {
        let mut input = self.input.clone();
        let lacking = super::vendors(drafts.iter().copied(), &self.makers);
        match input.sources.iter_mut().find(|source| source.module.as_deref() == Some(VENDORS)) {
            Some(source) => source.text.push_str(&lacking),
            None => {
                let text = format!("ksig 1\nmodule {VENDORS}\n{lacking}");
                let (path, folder) = ("vocab/vendors.ksig".into(), "vocab".into());
                input.sources.push(Source { path, module: Some(VENDORS.into()), folder, text });
            }
        }
        input.sources.extend(drafts.iter().map(|draft| Source {
            path: path_of(&draft.name),
            module: Some(format!("draft.{}", draft.name)),
            folder: "draft".into(),
            text: draft.text.clone(),
        }));
        input
    }
}

/// Drafts that answer to what the corpus' own signatures identify, each with the test.
fn answers_to_fixtures(release: &Release, analysis: &Analysis) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for signature in analysis.program.signatures.iter().filter(|signature| !signature.name.starts_with("draft.")) {
        let positive = |test: &&ksig_compiler::hir::Test| test.expect.iter().any(|expect| matches!(expect, Expect::Identify(..)));
        for test in signature.tests.iter().filter(positive) {
            let answers = release.identify(&play(release.matcher(), signature, test).evidence);
            let names: BTreeSet<String> = answers.iter().flat_map(matching).collect();
            let drafts = names.into_iter().filter(|name| name.starts_with("draft."));
            found.extend(drafts.map(|name| (name, format!("{}: {:?}", signature.name, test.name))));
        }
    }
    found
}

/// All signatures that match, whether or not they stand.
fn matching(answer: &Identification) -> Vec<String> {
    let all = answer.identifications.iter().chain(&answer.ambiguous).chain(&answer.consistent);
    let named = all.flat_map(|one| one.also.iter().chain([&one.signature])).cloned();
    let noted = answer.notes.iter().filter_map(|note| match note {
        Note::Overruled { signature, .. } | Note::NotChosen { signature, .. } => Some(signature.clone()),
        _ => None,
    });
    named.chain(noted).collect()
}

/// By signature: the banners that it matches, each with how many observations it stands for.
fn matches<'a>(release: &Release, observed: &'a Observed) -> BTreeMap<String, Vec<(&'a Banner, usize)>> {
    let schema = ksig_protocols::schema();
    let mut distinct: BTreeMap<(&super::Place, &str), (&Banner, usize)> = BTreeMap::new();
    for banner in observed.unknown.iter().chain(&observed.known) {
        distinct.entry((&banner.place, &banner.text)).or_insert((banner, 0)).1 += 1;
    }
    let mut found: BTreeMap<String, Vec<(&Banner, usize)>> = BTreeMap::new();
    for (banner, count) in distinct.into_values() {
        let Some(evidence) = alone(&schema, banner) else { continue };
        let names: BTreeSet<String> = release.identify(&evidence).iter().flat_map(matching).collect();
        for name in names.into_iter().filter(|name| name.starts_with("draft.")) {
            found.entry(name).or_default().push((banner, count));
        }
    }
    found
}

/// A service that answered this and nothing else.
fn alone(schema: &Schema, banner: &Banner) -> Option<Evidence> {
    let field = schema.field(banner.place.field)?;
    let mut facts = Facts::default();
    match &banner.place.key {
        Some(key) => facts.push_keyed(field, key, Value::Text(banner.text.clone())),
        None => facts.push(field, Value::Text(banner.text.clone())),
    }
    let response = ksig_protocols::partial_response(banner.place.probe.clone(), facts, Ended::Complete, false);
    let service = Service { address: None, port: 0, transport: Transport::Tcp, responses: vec![response] };
    Some(Evidence { host: String::new(), time: None, services: vec![service] })
}
