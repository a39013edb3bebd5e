//! Small programs and small evidence, drawn from bytes: the same bytes give the same ones, fewer bytes give simpler ones.
//!
//! Values, literals and patterns come from one short list, so that lines are often true, and often nearly. Everything is SYNTHETIC.

use ksig_compiler::{Input, Source};
use ksig_schema::{Ended, Evidence, Facts, ProbeKey, Response, Schema, Sections, Service, Time, Transport, Value};

/// Draws numbers from bytes; zero when they are used up.
pub struct Dice<'b> {
    bytes: std::slice::Iter<'b, u8>,
}

impl<'b> Dice<'b> {
    /// Of these bytes.
    pub fn new(bytes: &'b [u8]) -> Dice<'b> {
        Dice { bytes: bytes.iter() }
    }

    /// From 0 to `below - 1`.
    fn roll(&mut self, below: usize) -> usize {
        self.bytes.next().map_or(0, |byte| *byte as usize % below.max(1))
    }

    fn of<'s>(&mut self, all: &[&'s str]) -> &'s str {
        all[self.roll(all.len())]
    }

    /// A text of the list, sometimes cut short as a capped body is.
    fn text(&mut self) -> &'static str {
        let text = self.of(TEXTS);
        let most = if self.one_in(8) { self.roll(text.len() + 1) } else { text.len() };
        &text[..text.floor_char_boundary(most)]
    }

    /// Bytes of a text, cut anywhere, or with bytes among them that are no text.
    fn binary(&mut self) -> Vec<u8> {
        let mut bytes = self.of(TEXTS).as_bytes().to_vec();
        if self.one_in(4) {
            let most = self.roll(bytes.len() + 1);
            bytes.truncate(most);
        }
        for _ in 0..if self.one_in(3) { 1 + self.roll(3) } else { 0 } {
            let at = self.roll(bytes.len() + 1);
            bytes.insert(at, [0x00, 0x80, 0xC3, 0xE3, 0xFF, 0xF0, b'\n', self.roll(256) as u8][self.roll(8)]);
        }
        bytes
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.roll(many) == many - 1
    }
}

/// Vocabulary, a table and a scheme that every program imports.
pub const SHARED: &[&str] = &[
    "ksig 1\nmodule vocab.vendors\nvendor acme { name \"ACME\" }\nvendor apex { name \"Apex\" }\n",
    "ksig 1\nmodule vocab.classes\nclass router { en \"Router\" }\nclass router.home { en \"Home router\" }\n",
    "ksig 1\nmodule vocab.tags\n\
     tag eol(on: bound<date>) { en \"Ended\" }\ntag outdated(latest: bound<version>) { en \"Outdated\" }\ntag seen { en \"Seen\" }\n",
];

const HEAD: &str = r#"use vocab.vendors { acme, apex }
use vocab.tags { eol, outdated, seen }
scheme revision = dotted(parts: 2, train: leading 1)
table models {
  model  : text key
  series : text?
  latest : bound<version(dotted)>?
  exact  : version(dotted)?
  ends   : bound<date>?
  span   : range<version(dotted)>?
  likely : set<version(dotted)>?
  spans  : list<range<version(dotted)>>?
  waits  : duration?
  works  : enum(bridge, router)?
  evidence : text
  row "AC-1", "AC", v"1.20", v"1.20", 2026-06-30, v"1.0" ..< v"1.20", v"1.9", absent, 2h, bridge, "observed"
  row "AC-10", absent, at_least v"1.20", v"2.0", at_least 2026-06-30, by v"1.9", [v"1.9", v"1.20"], [v"1.9", at_least v"2.0"], 90m, router, "derived"
  row "AC-2", "Ａ", by v"1.9", absent, by 2026-06-30, absent, [v"2.0", v"1.x1"], [v"1.0" ..= v"1.20"], absent, absent, "documented"
  row "1.20", "x", absent, v"1.9", absent, v"1.9" ..= v"2.0", absent, absent, 7200s, bridge, "unverified"
}
table names {
  name   : text key(fold_case, fold_width, trim)
  series : text
  row "ac-10", "ten"
  row "ＡＣＭＥ", "maker"
  row "1.20", "number"
}
table releases {
  model    : text key(fold_case)
  version  : version(dotted)
  released : date history
  checked  : date
  ends     : bound<date>?
  row "AC-1", v"1.9", 2026-01-01, 2026-06-29, at_least 2026-06-30
  row "AC-1", v"1.20", 2026-06-30, 2026-06-29, 2026-06-30
  row "AC-10", v"2.0", 2026-01-01, 2026-07-01, absent
  row "AC-2", v"1.9", 2026-07-01, 2026-06-30, 2026-06-01
}
table generations {
  fw     : range<version(dotted)> key
  name   : text
  likely : set<version(dotted)>
  row by v"1.9", "old", [v"1.0", v"1.9"]
  row v"1.20" ..< v"1.20.1", "one", v"1.20"
  row v"2.0" ..= v"2.0", "two", [v"2.0"]
  row at_least v"3", "new", [v"3", v"4"]
}
probe top = http.get("/")
probe sh = ssh.banner()
probe alt = http.get("/") on 81
let answered = top.status in [200, 401] and (sh.software present or top.html.title contains "AC")
let words = ["AC-1", "ACME", "1.20"]
"#;

/// Texts that fields hold and lines ask for.
const TEXTS: &[&str] = &[
    "AC-1",
    "AC-10",
    "ac-10",
    "AC-2",
    "1.20",
    "1.9",
    "1.20.1",
    "2.0",
    "ACME AC-10 1.20",
    "ACME ac-2 Ver.1.9",
    "router",
    "",
    "ACME",
    "ＡＣ－１０",
    "ſ K k",
    "Ver.2.0 Ver.1.9",
    "a\nAC-1\nb",
    "無線ルータ AC-10",
    "1.x",
    "2026-06-30",
    "Å å",
    "/a.js?1",
    "see /b.js",
    "../a.js",
];

const PATTERNS: &[&str] = &[
    "AC",
    "^AC-\\d+$",
    "acme",
    "\\bAC\\b",
    "[^a]c",
    "\\w+ \\w",
    "Ver\\.[\\d.]+$",
    "(?i:ac)-1",
    "^$",
    "(?m:^)AC",
    "[[:upper:]]{2,}-",
    "k",
    "ſ",
    "[a-fK]-",
    "\\s.\\S",
    "AC(?:-|ME)",
    "ルータ",
    "(?s:.)AC.1",
    "\\Bc",
    "[^\\w\\s]",
    "å",
];

struct Program<'d, 'b> {
    dice: &'d mut Dice<'b>,
    next: usize,
    texts: Vec<String>,
    versions: Vec<String>,
    rows: Vec<String>,
}

/// Files of one to three signatures over a few fields. Not every one of them compiles.
pub fn program(dice: &mut Dice) -> Input {
    let mut sources: Vec<Source> = SHARED.iter().map(|text| source("shared", text)).collect();
    let mut members = Vec::new();
    for file in 0..1 + dice.roll(3) {
        let mut text = format!("ksig 1\nmodule made.file{file}\n{HEAD}");
        for signature in 0..1 + dice.roll(2) {
            let mut program = Program { dice, next: 0, texts: vec![], versions: vec![], rows: vec![] };
            let body = program.body();
            let refines = if signature == 1 && program.dice.one_in(3) { " refines s0" } else { "" };
            let body = if refines.is_empty() {
                body
            } else {
                body.replace("(?<c", "(?<d").replace(" c", " d").replace("(c", "(d").replace("[c", "[d")
            };
            text.push_str(&format!("signature s{signature}{refines} {{\n{body}}}\n"));
            members.push(format!("made.file{file}.s{signature}"));
        }
        sources.push(source(&format!("made/file{file}.ksig"), &text));
    }
    sources.push(source("made/choices.ksig", &choices(dice, members)));
    Input { sources, ..Input::default() }
}

/// A file with one or two choices of some of the signatures, or none.
fn choices(dice: &mut Dice, mut members: Vec<String>) -> String {
    let mut text = String::from("ksig 1\nmodule made.choices\n");
    for choice in 0..dice.roll(3) {
        let mut lines = String::new();
        for _ in 0..dice.roll(1 + members.len()) {
            let member = members.swap_remove(dice.roll(members.len()));
            lines.push_str(&format!("  {member}\n"));
        }
        if !lines.is_empty() {
            text.push_str(&format!("choice choice{choice} {{\n{lines}}}\n"));
        }
    }
    text
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.into(), module: None, folder: String::new(), text: text.into() }
}

impl Program<'_, '_> {
    fn body(&mut self) -> String {
        let confidence = self.dice.of(&["strong", "weak", "certain", "hint"]);
        let scope = self.dice.of(&["", "", "", "  scope host\n"]);
        let mut out = format!("{scope}  confidence {confidence}\n  match {{\n{}  }}\n", self.lines(2, true));
        if self.dice.one_in(4) {
            out.push_str(&self.follow());
        }
        for _ in 0..self.dice.roll(3) {
            out.push_str(&self.step());
        }
        if self.dice.one_in(6) && !self.texts.is_empty() {
            out.push_str(&format!("  redact {}\n", self.texts[0]));
        }
        let text = self.text_value();
        let version = self.version_value();
        out.push_str(&format!("  identify {{ vendor = {}; model = {text}; version = {version}", self.dice.of(&["acme", "apex"])));
        if self.dice.one_in(2) {
            out.push_str("; class = router.home; cpe = cpe\"h:acme:{model|cpe}:{version}\"");
        }
        out.push_str(" }\n");
        if self.dice.one_in(3) {
            out.push_str(&format!("  component {{ product = {}; version = {} }}\n", self.text_value(), self.text_value()));
        }
        if let Some(row) = self.rows.first() {
            out.push_str(&format!("  support {{ ends = {row}.ends; latest = {row}.latest }}\n"));
            if self.dice.one_in(2) {
                out.push_str(&format!("  tag eol(on: {row}.ends) when {row}.ends <= scan.date\n"));
            }
            if let Some(version) = self.versions.first() {
                out.push_str(&format!("  tag outdated(latest: {row}.latest) when {version} < {row}.latest\n"));
            }
        }
        for _ in 0..self.dice.roll(2) {
            let guard = self.atom(false);
            out.push_str(&match self.dice.roll(3) {
                0 => format!("  tag eol(on: r.ends) for r in models where r.series present when {guard}\n"),
                1 => format!("  tag outdated(latest: r.exact) for r in models where r.model == {}\n", self.field()),
                _ => format!("  tag seen when {guard}\n"),
            });
        }
        out
    }

    fn name(&mut self) -> String {
        self.next += 1;
        format!("c{}", self.next)
    }

    fn lines(&mut self, depth: usize, bind: bool) -> String {
        (0..1 + self.dice.roll(3)).map(|_| self.line(depth, bind)).collect()
    }

    fn line(&mut self, depth: usize, bind: bool) -> String {
        let group = if depth == 0 { 0 } else { self.dice.roll(11) };
        match group {
            5 => self.branches("any {", depth, bind),
            6 => format!("none {{\n{}}}\n", self.lines(depth - 1, false)),
            7 => format!("all {{\n{}}}\n", self.lines(depth - 1, bind)),
            8 => self.branches("at least 1 of {", depth, bind),
            9 => self.each(bind),
            _ => format!("{}\n", self.atom(bind)),
        }
    }

    /// Lines about the elements of a list.
    fn each(&mut self, bind: bool) -> String {
        let (every, element) = (self.dice.of(&["all", "any", "any"]), self.name());
        let list = self.dice.of(&["top.header[\"server\"]", "top.html.script_srcs", "sh.software", "top.header[\"server\"]"]);
        let mut lines = String::new();
        for _ in 0..1 + self.dice.roll(2) {
            let line = match self.dice.roll(6) {
                0 => format!("{element} contains {:?}", self.dice.of(TEXTS)),
                1 => format!("{element} ~ /{}/", self.dice.of(PATTERNS)),
                2 => format!("any {{\n{element} in models\n{}}}", self.line(0, false)),
                3 => format!("not {element} starts {:?}", self.dice.of(TEXTS)),
                4 if bind && every == "any" => {
                    let name = self.name();
                    self.texts.push(name.clone());
                    format!("{element} ~ /(?<{name}>\\w+)-/")
                }
                _ => self.atom(false),
            };
            lines.push_str(&format!("{line}\n"));
        }
        format!("{every} {element} in {list} {{\n{lines}}}\n")
    }

    /// A group of which some hold; the same name may be bound in each branch.
    fn branches(&mut self, open: &str, depth: usize, bind: bool) -> String {
        if bind && self.dice.one_in(2) {
            let name = self.name();
            let (one, two) = (self.field(), self.field());
            let guard = self.atom(false);
            self.texts.push(name.clone());
            let patterns = [format!("(?<{name}>AC-\\d+)"), format!("(?<{name}>\\w+)$")];
            let first = format!("all {{\n{one} ~ /{}/\n{guard}\n}}", patterns[self.dice.roll(2)]);
            let second = format!("{two} ~ /{}/", patterns[self.dice.roll(2)]);
            return format!("{open}\n{first}\n{second}\n}}\n");
        }
        format!("{open}\n{}{}}}\n", self.line(depth - 1, bind), self.line(depth - 1, bind))
    }

    fn field(&mut self) -> &'static str {
        self.dice.of(&[
            "top.auth.basic.realm",
            "top.header[\"server\"]",
            "top.html.title",
            "sh.software",
            "top.html.script_srcs",
            "top.html.title",
            "sh.software",
            "alt.html.title",
        ])
    }

    fn atom(&mut self, bind: bool) -> String {
        let field = self.field();
        match self.dice.roll(if bind { 20 } else { 17 }) {
            0 => format!("{field} == {:?}", self.dice.of(TEXTS)),
            1 => format!("{field} {} {:?}", self.dice.of(&["contains", "starts", "ends", "has"]), self.dice.of(TEXTS)),
            2 => format!("{field} present"),
            3 => format!("{field} absent"),
            4 => format!("{field} ~ /{}/{}", self.dice.of(PATTERNS), self.dice.of(&["", "i", "iu", "fold_width"])),
            5 => format!("{field} in [{:?}, {:?}]", self.dice.of(TEXTS), self.dice.of(TEXTS)),
            6 => format!("{field} in models"),
            7 => format!("{field} absent or not {field} contains {:?}", self.dice.of(TEXTS)),
            8 => format!("{field} present and not {field} ~ /{}/i", self.dice.of(PATTERNS)),
            9 => format!("top.status {} {}", self.dice.of(&["==", "<", ">=", ">", "<="]), self.dice.of(&["200", "401", "404"])),
            10 => format!("top.status in {}", self.dice.of(&["[200, 401]", "200 ..< 401", "200 ..= 401"])),
            11 => format!("top.raw {}", self.dice.of(&["~ b/AC-\\d/", "contains b\"AC\"", "~ b/\\xE3./", "~ b/[^a-z]/i", "absent"])),
            12 => match self.dice.roll(4) {
                3 => self.dice.of(&["not host.answers_everything", "host.answers_everything", "host.open_ports absent"]).to_string(),
                _ => format!("scan.date {} 2026-06-30", self.dice.of(&[">=", "<", "=="])),
            },
            13 => self.about_captures(field),
            14 => format!("({}) {} ({})", self.atom(false), self.dice.of(&["and", "or"]), self.atom(false)),
            15 => self.dice.of(&["answered", "answered", "top.status absent or not answered"]).into(),
            16 => format!("{field} in {}", self.dice.of(&["words", "names", "releases"])),
            17 => {
                let name = self.name();
                self.texts.push(name.clone());
                let pattern = self.dice.of(&[
                    "(?<N>AC-\\d+)",
                    "^(?<N>\\w+)",
                    "(?:Ver\\.(?<N>[\\d.]+))?$",
                    "(?<N in models>)",
                    "^(?<N in names>)",
                    "(?:(?<N>AC).)+",
                ]);
                format!("{field} ~ /{}/{}", pattern.replace('N', &name), self.dice.of(&["", "i", "fold_width"]))
            }
            18 => {
                let name = self.name();
                self.versions.push(name.clone());
                format!("{field} ~ /(?<{name}: version({})>[\\dx.]+)/", self.dice.of(&["dotted", "dotted", "dotted"]))
            }
            _ => {
                let (left, right) = (self.name(), self.name());
                self.texts.extend([left.clone(), right.clone()]);
                let guard = self.atom(false);
                format!("({field} ~ /(?<{left}>AC)/ and {guard}) or {field} ~ /(?<{right}>\\d)/")
            }
        }
    }

    /// A line over what was captured before, or over a field where nothing was.
    fn about_captures(&mut self, field: &str) -> String {
        let (texts, versions) = (self.texts.clone(), self.versions.clone());
        match (texts.last(), versions.last(), self.dice.roll(12)) {
            (Some(text), _, 0) => format!("{text} == {:?}", self.dice.of(TEXTS)),
            (Some(text), _, 1) => format!("{text} in models"),
            (Some(text), _, 2) => format!("{text} absent or {text} ~ /{}/", self.dice.of(PATTERNS)),
            (Some(text), _, 3) => format!("models[{text}].series {}", self.dice.of(&["present", "absent", "== \"AC\""])),
            (Some(text), Some(version), 4) => {
                format!("{version} in models[{text}].{}", self.dice.of(&["span", "likely", "spans", "latest"]))
            }
            (_, Some(version), 7) => format!("generations[{version}].likely {} v\"1.9\"", self.dice.of(&["<", "==", ">="])),
            (Some(text), _, 8) => {
                format!("models[{text}].{} {} v\"1.20\"", self.dice.of(&["span", "likely"]), self.dice.of(&["<", ">", ">=", "<="]))
            }
            (Some(text), _, 9) => format!("names[{text}].series {}", self.dice.of(&["present", "absent", "== \"ten\""])),
            (Some(text), Some(version), 10) => {
                format!("{version} {} latest(releases.version, {text}, at scan.date)", self.dice.of(&["<", ">=", "=="]))
            }
            (Some(text), _, 11) => format!("latest(releases.ends, {text}, at scan.date) {} scan.date", self.dice.of(&["<=", ">"])),
            (_, Some(version), 9) => format!("{version} in generations"),
            (_, Some(version), 4) => format!("{version} {} v\"1.9\"", self.dice.of(&["<", "==", ">="])),
            (_, Some(version), 5) => format!("{version} in v\"1.0\" ..< v\"1.20\""),
            (Some(text), Some(version), 6) => format!("{version} < models[{text}].latest"),
            (_, Some(version), _) => format!("{version} in [v\"1.20\", v\"2.0.0\"]"),
            (Some(text), None, _) => format!("{field} == {text}"),
            (None, None, 0..6) => format!("models[{field}].ends <= scan.date"),
            (None, None, 6..9) => {
                format!("models[{field}].waits {} {}", self.dice.of(&["==", "<", ">="]), self.dice.of(&["2h", "90m", "1d"]))
            }
            (None, None, _) => format!("models[{field}].works {}", self.dice.of(&["== bridge", "in [bridge, router]", "absent"])),
        }
    }

    /// A follow to a written place, to one that a page names, or to one that a capture holds; perhaps with lines about its answer.
    fn follow(&mut self) -> String {
        let (name, field) = (self.name(), self.field());
        let (gate, place) = match self.dice.roll(3) {
            0 => (String::new(), "top.html.script_src(\".js\")".to_string()),
            1 => (String::new(), "\"/b.js\"".to_string()),
            _ => {
                let path = self.name();
                (format!("  match {{ {field} ~ /(?<{path}: path>\\/\\S+)/ }}\n"), path)
            }
        };
        let at = self.dice.of(&["", " at top", " at sh", " at alt"]);
        let mut out = format!("{gate}  follow {name} = http.get({place}){at}\n");
        if self.dice.one_in(2) {
            let line = self.dice.of(&["present", "absent", "~ /AC/", "== \"AC-1\""]);
            out.push_str(&format!("  match {name} {{ {name}.html.title {line} }}\n"));
        }
        let title = self.name();
        out.push_str(&format!("  extract {{ {title} : text = {name}.html.title }}\n"));
        self.texts.push(title);
        out
    }

    fn step(&mut self) -> String {
        let (name, field) = (self.name(), self.field());
        match self.dice.roll(6) {
            0 => {
                let key = self.texts.last().cloned().unwrap_or(field.into());
                self.rows.push(name.clone());
                format!("  let {name} = models[{key}]\n")
            }
            1 => {
                self.versions.push(name.clone());
                format!("  extract {{ {name} : version(dotted) = {field} ~ /(?<_>[\\d.]+)/ }}\n")
            }
            2 => {
                self.versions.push(name.clone());
                format!("  extract {{ {name} : version(dotted) = first of {{\n{field} ~ /Ver\\.(?<_>[\\d.]+)/\n{}\n}} }}\n", self.field())
            }
            3 => {
                self.texts.push(name.clone());
                format!("  extract {{ {name} : text = {field} }}\n")
            }
            4 => {
                let guard = self.atom(false);
                self.texts.push(name.clone());
                format!("  let {name} = if {guard} then {field} else \"none\"\n")
            }
            _ => {
                self.texts.push(name.clone());
                format!("  let {name} = {field} otherwise {:?}\n", self.dice.of(TEXTS))
            }
        }
    }

    fn text_value(&mut self) -> String {
        let known = self.texts.clone();
        match (known.as_slice(), self.dice.roll(4)) {
            ([], 0) => "\"AC\"".into(),
            ([], _) => self.field().into(),
            (known, 3) => format!("{} otherwise \"none\"", known[0]),
            (known, at) => known[at % known.len()].clone(),
        }
    }

    fn version_value(&mut self) -> String {
        let known = self.versions.clone();
        match known.as_slice() {
            [] => self.field().into(),
            known => {
                let version = known[self.dice.roll(known.len())].clone();
                match (self.rows.first(), self.dice.roll(4)) {
                    (Some(row), 0) => format!("{row}.{}", self.dice.of(&["span", "likely"])),
                    (_, 1) => format!("generations[{version}].likely"),
                    _ => version,
                }
            }
        }
    }
}

/// A service, or up to three of one host.
pub fn evidence(dice: &mut Dice, schema: &Schema) -> Evidence {
    let services = [1, 1, 1, 2, 2, 3][dice.roll(6)];
    let port = |at: usize| if services == 1 { 0 } else { 80 + at as u16 };
    let services = (0..services).map(|at| service(dice, schema, port(at))).collect();
    let times: [Option<Time>; 3] = ["2026-06-30T12:00:00Z", "2026-06-29T23:59:59Z", ""].map(|time| time.parse().ok());
    Evidence { host: "made".into(), time: times[dice.roll(3)], services }
}

/// One service with zero to five responses: whole, cut, failed, or listed in part by another tool.
fn service(dice: &mut Dice, schema: &Schema, port: u16) -> Service {
    let text = ["http.auth.basic.realm", "http.html.title"];
    let many = ["http.header.server", "http.html.script_srcs"];
    let mut responses = Vec::new();
    let http = ProbeKey::with("http.get", "/");
    let (mut response, bare) = start(dice, http);
    if !bare {
        let mut put = |name: &str, value: Value| {
            if let Some((field, key)) = schema.field_and_key(name) {
                match key {
                    Some(key) => response.facts.push_keyed(field, &key, value),
                    None => response.facts.push(field, value),
                }
            }
        };
        if !dice.one_in(4) {
            put("http.status", Value::Int([200, 401, 404][dice.roll(3)]));
        }
        for name in text {
            if !dice.one_in(3) {
                put(name, Value::text(dice.text()));
            }
        }
        for name in many {
            for _ in 0..dice.roll(4) {
                put(name, Value::text(dice.text()));
            }
        }
        if dice.one_in(2) {
            put("http.raw", Value::Bytes(dice.binary()));
        }
    }
    if !dice.one_in(10) {
        responses.push(response);
    }
    let (mut response, bare) = start(dice, ProbeKey::new("ssh.banner"));
    if let (false, Some(field)) = (bare, schema.field("ssh.software")) {
        response.facts.push(field, Value::text(dice.of(TEXTS)));
    }
    if !dice.one_in(3) {
        responses.push(response);
    }
    for path in ["/a.js?1", "/b.js"] {
        let (mut response, bare) = start(dice, ProbeKey::with("http.get", path));
        if let (false, Some(field)) = (bare, schema.field("http.html.title")) {
            response.facts.push(field, Value::text(dice.of(TEXTS)));
        }
        if dice.one_in(3) {
            responses.push(response);
        }
    }
    let (mut response, bare) = start(dice, ProbeKey::new("tls.hello"));
    if let (false, Some(field)) = (bare, schema.field("tls.cert.sha256")) {
        let certificates: [&[u8]; 3] = [b"certificate one", b"certificate two", b"-----"];
        response.facts.push(field, Value::Bytes(certificates[dice.roll(3)].to_vec()));
    }
    if port != 0 && dice.one_in(2) {
        responses.push(response);
    }
    Service { address: None, port, transport: Transport::Tcp, responses }
}

/// A response without facts, and whether it stays so.
fn start(dice: &mut Dice, probe: ProbeKey) -> (Response, bool) {
    let mut response = Response { probe, ended: Ended::Complete, complete: Sections::ALL, partial: false, facts: Facts::default() };
    let mut bare = false;
    match dice.roll(10) {
        6 => response.complete = Sections { head: true, body: false },
        7 => response.complete = Sections::default(),
        8 => (response.ended, response.complete, bare) = (Ended::Timeout, Sections::default(), true),
        9 => (response.partial, response.complete) = (true, Sections::default()),
        5 => bare = true,
        _ => {}
    }
    (response, bare)
}
