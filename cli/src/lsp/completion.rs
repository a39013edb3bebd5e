//! What may stand at a place, in whole texts and in broken ones.
//!
//! In: the tokens before the place, which say in which blocks it stands and what the statement has so far ([`Around`]); the marks of the
//! signature, which say what it declares. Out: items with their docs. Nothing of the tree is asked, because the line at hand rarely is one.

use ksig_compiler::{Definition, Target, words as compiler_words};
use ksig_lang::{Span, SyntaxKind, ast, words};
use ksig_schema::{ConstructorDef, Term, Type};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, InsertTextFormat, MarkupContent, MarkupKind, Position, TextEdit,
};

use super::hover;
use super::view::View;

/// What stands around a place.
#[derive(Debug, Default)]
struct Around<'t> {
    /// The words before each open `{`, outermost first.
    blocks: Vec<Vec<&'t str>>,
    /// The statement so far.
    so_far: Vec<&'t str>,
    /// The kinds of `so_far`.
    kinds: Vec<SyntaxKind>,
    /// Inside a text, a pattern or a comment: nothing is completed there.
    inside_literal: bool,
}

impl<'t> Around<'t> {
    /// Reads the text before a byte.
    fn of(text: &'t str, offset: usize) -> Around<'t> {
        let mut around = Around::default();
        let mut open: usize = 0;
        for (kind, span) in ksig_lang::tokens(text) {
            let (start, end) = (span.start as usize, span.end as usize);
            if end > offset || (end == offset && kind == SyntaxKind::COMMENT) {
                around.inside_literal |= start < offset
                    && matches!(
                        kind,
                        SyntaxKind::TEXT | SyntaxKind::HEREDOC | SyntaxKind::REGEX | SyntaxKind::COMMENT | SyntaxKind::DOC_COMMENT
                    );
                break;
            }
            match kind {
                SyntaxKind::WHITESPACE | SyntaxKind::COMMENT | SyntaxKind::DOC_COMMENT => continue,
                SyntaxKind::NEWLINE | SyntaxKind::SEMICOLON if open == 0 => {}
                SyntaxKind::NEWLINE => continue,
                SyntaxKind::L_BRACE => {
                    around.blocks.push(std::mem::take(&mut around.so_far));
                    open = 0;
                }
                SyntaxKind::R_BRACE => drop(around.blocks.pop()),
                _ => {
                    match kind {
                        SyntaxKind::L_PAREN | SyntaxKind::L_BRACKET => open += 1,
                        SyntaxKind::R_PAREN | SyntaxKind::R_BRACKET => open = open.saturating_sub(1),
                        _ => {}
                    }
                    around.so_far.push(&text[start..end]);
                    around.kinds.push(kind);
                    continue;
                }
            }
            around.so_far.clear();
            around.kinds.clear();
        }
        around
    }

    fn first(&self) -> &'t str {
        self.so_far.first().copied().unwrap_or_default()
    }

    fn last(&self) -> &'t str {
        self.so_far.last().copied().unwrap_or_default()
    }

    /// The first word before the innermost `{`.
    fn block(&self) -> &'t str {
        self.blocks.last().and_then(|head| head.first()).copied().unwrap_or_default()
    }

    fn has(&self, sign: &str) -> bool {
        self.so_far.contains(&sign)
    }

    /// A value stands before the place, so that an operator comes next.
    fn behind_value(&self) -> bool {
        match self.kinds.last() {
            Some(SyntaxKind::IDENT) => !ksig_lang::is_reserved(self.last()) && !matches!(self.last(), "of" | "match"),
            Some(kind) => matches!(
                kind,
                SyntaxKind::TEXT
                    | SyntaxKind::REGEX
                    | SyntaxKind::INT
                    | SyntaxKind::DATE
                    | SyntaxKind::R_BRACKET
                    | SyntaxKind::R_PAREN
                    | SyntaxKind::DOTTED
            ),
            None => false,
        }
    }
}

/// Items, and the span that they replace.
struct Items<'v, 'a, 'w> {
    view: &'v View<'a, 'w>,
    offset: u32,
    replaced: Span,
    found: Vec<CompletionItem>,
}

/// What may stand at a position.
pub fn complete(view: &View, position: Position) -> Vec<CompletionItem> {
    let text = view.text();
    let offset = view.offset(position);
    let before = &text[..offset as usize];
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let start = before.rfind(|c: char| !is_word(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let path_start =
        before.rfind(|c: char| !is_word(c) && c != '.').map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let end = text[offset as usize..].find(|c: char| !is_word(c)).map_or(text.len(), |at| at + offset as usize);
    let around = Around::of(text, path_start);
    if around.inside_literal {
        return Vec::new();
    }
    let mut items = Items { view, offset, replaced: Span { start: start as u32, end: end as u32 }, found: Vec::new() };
    match before[path_start..start].strip_suffix('.') {
        Some(base) => items.behind_dot(base, &around),
        None => items.plain(&around),
    }
    items.found
}

impl Items<'_, '_, '_> {
    fn add(&mut self, label: &str, kind: CompletionItemKind, detail: Option<String>, doc: Option<String>) {
        self.add_as(label, label, kind, detail, doc);
    }

    fn add_as(&mut self, label: &str, written: &str, kind: CompletionItemKind, detail: Option<String>, doc: Option<String>) {
        let range = self.view.range_of(self.view.file, self.replaced);
        let documentation = doc.map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value }));
        self.found.push(CompletionItem {
            label: label.into(),
            kind: Some(kind),
            detail,
            documentation,
            insert_text_format: Some(InsertTextFormat::PLAIN_TEXT),
            filter_text: Some(label.into()),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: written.into() })),
            ..CompletionItem::default()
        });
    }

    fn words<'s>(&mut self, words: impl IntoIterator<Item = &'s str>) {
        words.into_iter().for_each(|word| self.add(word, CompletionItemKind::KEYWORD, None, None));
    }

    /// Behind `base.`.
    fn behind_dot(&mut self, base: &str, around: &Around) {
        let schema = self.view.session().world().schema;
        let (root, rest) = base.split_once('.').map_or((base, ""), |(root, rest)| (root, rest));
        if around.first() == "use" || around.first() == "module" {
            return self.modules(base);
        }
        if around.last() == "]" || base.is_empty() {
            return self.columns_behind_index(around);
        }
        if base == "scan" {
            return self.add("date", CompletionItemKind::FIELD, Some(Type::Date.to_string()), None);
        }
        if base == "policy" {
            return self.words(ksig_schema::probe::Requirement::ALL.iter().map(|requirement| requirement.name()));
        }
        if around.last() == "=" && around.first() == "class" {
            return self.classes(&format!("{base}."));
        }
        if let Some(constructor) = self.probe(root) {
            return self.fields(constructor, rest);
        }
        if around.block() == "given"
            && let Some(constructor) = self.given_probe(around)
        {
            return self.fields(constructor, base);
        }
        if rest.is_empty()
            && let Some(Type::Row(table)) = self.variable_type(root).map(|ty| ty.required().clone())
        {
            return self.columns(&table);
        }
        if around.first() == "refines" || around.has("refines") || around.block() == "choice" {
            return self.signatures(&format!("{base}."));
        }
        for constructor in schema.constructors().filter(|constructor| constructor.name.starts_with(&format!("{base}."))) {
            self.constructor(constructor, base.len() + 1);
        }
    }

    /// Where no dot stands before.
    fn plain(&mut self, around: &Around) {
        match around.blocks.len() {
            0 => self.top(around),
            _ => self.inside(around),
        }
    }

    fn top(&mut self, around: &Around) {
        match (around.first(), around.so_far.len()) {
            ("", _) => self.words(words::ITEMS),
            ("use", 1) => self.modules(""),
            ("signature", 2) => self.words(["refines"]),
            ("signature", 3) => self.signatures(""),
            ("table", 2) => self.words(["from"]),
            ("scheme", 3) => self.words(["dotted", "semver", "date"]),
            ("probe", _) if around.last() == "=" => self.constructors(),
            ("probe", _) if around.last() == ")" => self.words(["on"]),
            ("probe", _) if around.last() == "on" => self.words(["any tls"]),
            ("let", 3..) => self.expression(around),
            _ => {}
        }
    }

    fn inside(&mut self, around: &Around) {
        let head = around.blocks.last().cloned().unwrap_or_default();
        let at_start = around.so_far.is_empty();
        match around.block() {
            "use" => self.exported(&head[1..].concat()),
            "table" if at_start => self.words(["row"]),
            "table" => self.column(around),
            "vendor" | "class" | "tag" if at_start => self.words(compiler_words::entry_statements(around.block()).iter().copied()),
            "choice" => self.signatures(""),
            "probe" if at_start => self.words(compiler_words::PROBE_OPTIONS.iter().copied()),
            "probe" if around.last() == "safety" => self.words(compiler_words::SAFETIES.iter().copied()),
            "probe" if around.last() == "requires" => self.words(["policy"]),
            "signature" if at_start => {
                self.words(words::STATEMENTS);
                self.words(compiler_words::METADATA.iter().copied());
            }
            "signature" => self.statement(around),
            "match" | "any" | "all" | "none" | "at" | "of" => {
                if at_start || matches!(around.kinds.as_slice(), [SyntaxKind::TEXT, SyntaxKind::COLON]) {
                    self.words(words::GROUPS.iter().copied());
                }
                self.expression(around);
            }
            "extract" if around.last() == ":" => self.types(),
            "extract" if around.has("=") => self.expression(around),
            "identify" | "component" | "support" | "details" => self.slot(around),
            "test" if at_start => self.words(words::TEST_LINES.iter().copied()),
            "test" => self.test_line(around),
            "given" => self.fact(around),
            "expect" | "example" => self.expected(around, &head),
            _ => self.expression(around),
        }
    }

    /// A statement of a signature that has begun.
    fn statement(&mut self, around: &Around) {
        match (around.first(), around.so_far.len()) {
            ("confidence", 1) => self.words(compiler_words::CONFIDENCES.iter().copied()),
            ("evidence", 1) => self.words(compiler_words::GRADES.iter().copied()),
            ("scope", 1) => self.words(compiler_words::SCOPES.iter().copied()),
            ("allow", 1) => {
                for lint in ksig_compiler::lints::ALL {
                    let doc = lint.doc.meaning.in_lang(self.view.lang).to_string();
                    self.add(&lint.doc.code.replace('-', "_"), CompletionItemKind::EVENT, None, Some(doc));
                }
            }
            ("redact", _) => self.variables(),
            ("probe" | "follow", _) if around.last() == "=" => self.constructors(),
            ("follow", _) if around.last() == ")" => self.words(["at"]),
            ("follow", _) if around.last() == "at" => self.probes(),
            ("match", 1) => self.probes(),
            ("identify", 1) => self.words(["os"]),
            ("tag", 1) => self.tags(),
            ("tag", _) if !around.has("when") && !around.has("for") && around.behind_value() => self.words(["when", "for"]),
            ("tag" | "let" | "follow" | "example", _) => self.expression(around),
            _ => {}
        }
    }

    fn column(&mut self, around: &Around) {
        match around.last() {
            ":" | "<" => self.types(),
            _ if around.has(":") => self.words(["key", "history"]),
            _ => {}
        }
    }

    fn slot(&mut self, around: &Around) {
        let slots: Vec<&str> = match around.block() {
            "identify" => compiler_words::identity_slots().collect(),
            "component" => compiler_words::component_slots().collect(),
            "support" => compiler_words::SUPPORT_SLOTS.to_vec(),
            _ => Vec::new(),
        };
        if around.so_far.is_empty() {
            return slots.into_iter().for_each(|slot| self.add(slot, CompletionItemKind::PROPERTY, None, None));
        }
        if around.last() == "=" {
            match around.first() {
                "vendor" | "brand" => self.vendors(),
                "class" => self.classes(""),
                "series" => self.series(),
                _ => {}
            }
        }
        self.expression(around);
    }

    fn test_line(&mut self, around: &Around) {
        match (around.first(), around.so_far.len()) {
            ("given", 1) => self.probes(),
            ("given", 3) => {
                let root = self.given_probe(around).map(|constructor| (constructor.root, constructor.protocol()));
                if let Some((root, protocol)) = root {
                    let facts = root.rsplit('.').next().unwrap_or(root);
                    self.add(facts, CompletionItemKind::STRUCT, None, None);
                    if facts != protocol {
                        self.add(protocol, CompletionItemKind::STRUCT, None, None);
                    }
                }
                self.words(words::NO_ANSWERS.iter().copied());
                self.words(["fixture"]);
            }
            ("given", _) => self.words(["from"]),
            ("with", 1) => self.tables(),
            ("expect", 1) => self.words(words::EXPECTATIONS),
            ("expect", _) if around.has("tags") => self.tags(),
            ("expect", _) if around.has("sent") => self.probes(),
            ("expect", 2) if around.last() == "no_match" => self.words(["because"]),
            ("expect", 2) if around.last() == "resolved" => self.words(["unknown"]),
            _ => {}
        }
    }

    /// Facts of a fixture: `given top = http { html.title: "x" }`.
    fn fact(&mut self, around: &Around) {
        if matches!(around.last(), "" | ",")
            && let Some(constructor) = self.given_probe(around)
        {
            self.fields(constructor, "");
        }
    }

    fn expected(&mut self, around: &Around, head: &[&str]) {
        match around.so_far.iter().rev().take(2).copied().collect::<Vec<_>>().as_slice() {
            [":", "vendor" | "brand"] => self.vendors(),
            [":", "class"] => self.classes(""),
            [":", _] => self.words(["absent"]),
            _ if head.contains(&"captures") => self.variables(),
            _ => {
                compiler_words::identity_slots().for_each(|slot| self.add(slot, CompletionItemKind::PROPERTY, None, None));
                if head.first() == Some(&"example") {
                    self.variables();
                }
            }
        }
    }

    fn expression(&mut self, around: &Around) {
        if around.behind_value() {
            self.words(words::WORD_OPERATORS.into_iter().chain(words::PRESENCE.iter().copied()));
            return self.words(["and", "or", "otherwise", "when"]);
        }
        self.variables();
        self.probes();
        self.lets();
        self.tables();
        self.words(["not", "if", "first of", "scan", "true", "false", "latest"]);
    }

    fn types(&mut self) {
        for ty in compiler_words::types() {
            self.add(ty, CompletionItemKind::TYPE_PARAMETER, None, None);
        }
    }

    /// Fields below a probe's root, behind the parts that are written already.
    fn fields(&mut self, constructor: &ConstructorDef, written: &str) {
        let schema = self.view.session().world().schema;
        let below = if written.is_empty() { format!("{}.", constructor.root) } else { format!("{}.{written}.", constructor.root) };
        for field in schema.fields().filter(|field| constructor.fills(field.name)) {
            let Some(rest) = field.name.strip_prefix(&below) else { continue };
            let form = format!("{rest}{}", field.key_form());
            self.add_as(rest, &form, CompletionItemKind::FIELD, Some(format!("{}?", field.ty.ty())), Some(hover::field(field)));
        }
        for selector in schema.selectors().filter(|selector| constructor.fills(selector.of.name)) {
            if let Some(rest) = selector.name.strip_prefix(&below) {
                let detail = Some(format!("{}?", selector.of.ty.ty()));
                self.add_as(rest, &format!("{rest}(\"\")"), CompletionItemKind::METHOD, detail, Some(hover::prose(selector.doc)));
            }
        }
    }

    fn constructors(&mut self) {
        for constructor in self.view.session().world().schema.constructors() {
            self.constructor(constructor, 0);
        }
    }

    fn constructor(&mut self, constructor: &'static ConstructorDef, written: usize) {
        let form = constructor.form();
        let doc = hover::of_target(self.view, &Target::Constructor(constructor.name));
        let label = constructor.name.get(written..).unwrap_or_default();
        self.add_as(label, form.get(written..).unwrap_or_default(), CompletionItemKind::CONSTRUCTOR, None, doc);
    }

    fn modules(&mut self, base: &str) {
        let below = if base.is_empty() { String::new() } else { format!("{base}.") };
        let modules = self.view.session().names().modules();
        let mut next: Vec<&str> =
            modules.filter_map(|module| module.strip_prefix(&below)?.split('.').next()).filter(|part| !part.is_empty()).collect();
        next.dedup();
        next.into_iter().for_each(|part| self.add(part, CompletionItemKind::MODULE, None, None));
    }

    /// What a module and those below it export.
    fn exported(&mut self, module: &str) {
        let exported: Vec<String> = self.view.session().names().exported(module).map(str::to_string).collect();
        let vocabulary = &self.view.session().names().vocabulary;
        for name in exported {
            let term = vocabulary.vendors.get(&name).map(|term| ("vendor", term)).or(vocabulary.tags.get(&name).map(|term| ("tag", term)));
            let doc = term.map(|(kind, term)| hover::entry(kind, &name, term, self.view.lang));
            self.add(&name, CompletionItemKind::REFERENCE, term.map(|(_, term)| term.en.clone()), doc);
        }
    }

    fn signatures(&mut self, below: &str) {
        let names = self.view.session().names();
        let full: Vec<&str> = names.signatures.keys().map(String::as_str).collect();
        if below.is_empty() {
            for (name, definition) in names.scopes.get(&self.view.file).into_iter().flatten() {
                if let Definition::Signature(full) = definition {
                    self.add(name, CompletionItemKind::CLASS, Some(full.clone()), None);
                }
            }
        }
        let mut parts: Vec<&str> = full.into_iter().filter_map(|name| name.strip_prefix(below)?.split('.').next()).collect();
        parts.dedup();
        parts.into_iter().for_each(|part| self.add(part, CompletionItemKind::MODULE, None, None));
    }

    fn terms<'t>(&mut self, kind: &str, terms: impl Iterator<Item = (&'t String, &'t Term)>, skipped: usize) {
        for (id, term) in terms {
            let doc = hover::entry(kind, id, term, self.view.lang);
            self.add(
                &id[skipped..],
                CompletionItemKind::ENUM_MEMBER,
                Some(format!("{} {}", term.en, term.ja).trim().to_string()),
                Some(doc),
            );
            // Names that people know are typed too.
            if let Some(item) = self.found.last_mut() {
                item.filter_text = Some(std::iter::once(id.as_str()).chain(term.names()).collect::<Vec<_>>().join(" "));
                let import = self.view.session().names().import_of(id, self.view.file, self.view.ast());
                item.additional_text_edits =
                    import.map(|import| vec![TextEdit { range: self.view.range_of(self.view.file, import.place), new_text: import.text }]);
            }
        }
    }

    fn vendors(&mut self) {
        let session = self.view.session();
        self.terms("vendor", session.names().vocabulary.vendors.iter(), 0);
    }

    fn tags(&mut self) {
        let session = self.view.session();
        self.terms("tag", session.names().vocabulary.tags.iter(), 0);
    }

    fn classes(&mut self, below: &str) {
        let session = self.view.session();
        let classes = session.names().vocabulary.classes.iter().filter(|(id, _)| id.starts_with(below));
        self.terms("class", classes, below.len());
    }

    /// Series that signatures say already, in quotes.
    fn series(&mut self) {
        let signatures = self.view.analysis().program.signatures.iter();
        let said = signatures.flat_map(|signature| &signature.identities).flat_map(|identity| &identity.slots);
        let mut series: Vec<String> = said
            .filter_map(|(slot, expr)| match (slot, &expr.kind) {
                (ksig_runtime::plan::IdentitySlot::Series, ksig_compiler::hir::ExprKind::Const(ksig_runtime::plan::Datum::Text(text))) => {
                    Some(ksig_lang::quoted(text))
                }
                _ => None,
            })
            .collect();
        series.sort();
        series.dedup();
        series.iter().for_each(|text| self.add(text, CompletionItemKind::VALUE, None, None));
    }

    /// Captures, extracts and `let`s of the signature at hand and of what it refines.
    fn variables(&mut self) {
        for (name, ty) in self.declared() {
            self.add(&name, CompletionItemKind::VARIABLE, Some(ty.to_string()), None);
        }
    }

    fn declared(&self) -> Vec<(String, Type)> {
        let Some(signature) = self.view.signature_at(self.offset) else { return Vec::new() };
        let session = self.view.session();
        let inside = |span: Span| signature.span.start <= span.start && span.end <= signature.span.end;
        let own = session.marks(self.view.file).iter().filter(|mark| mark.declares && inside(mark.span));
        let mut found: Vec<(String, Type)> =
            own.filter_map(|mark| Some((session.written(mark.file, mark.span).to_string(), mark.ty.clone()?))).collect();
        if let Some(path) = &signature.refines {
            let written = session.written(self.view.file, path.span);
            let base = match session.names().scopes.get(&self.view.file).and_then(|scope| scope.get(written)) {
                Some(Definition::Signature(full)) => full.as_str(),
                _ => written,
            };
            let base = self.view.analysis().program.signatures.iter().find(|signature| signature.name == base);
            found.extend(base.into_iter().flat_map(|base| &base.vars).map(|var| (var.name.clone(), var.ty.clone())));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found.dedup_by(|a, b| a.0 == b.0);
        found
    }

    fn variable_type(&self, name: &str) -> Option<Type> {
        self.declared().into_iter().find(|(known, _)| known == name).map(|(_, ty)| ty)
    }

    /// Probes and follows in scope, with their calls.
    fn probes_in_scope(&self) -> Vec<(String, &ast::Expr)> {
        let session = self.view.session();
        let mut found = Vec::new();
        for (name, definition) in session.names().scopes.get(&self.view.file).into_iter().flatten() {
            if let Definition::Probe(file, item) = definition
                && let Some(ast::Item::Probe(probe)) = self.view.analysis().files.get(*file as usize).and_then(|ast| ast.items.get(*item))
            {
                found.push((name.clone(), &probe.call));
            }
        }
        for statement in self.view.signature_at(self.offset).into_iter().flat_map(|signature| &signature.body) {
            match statement {
                ast::Statement::Probe(probe) => found.push((probe.name.value.clone(), &probe.call)),
                ast::Statement::Follow(follow) => found.push((follow.name.value.clone(), &follow.call)),
                _ => {}
            }
        }
        found
    }

    fn probes(&mut self) {
        let probes: Vec<(String, String)> =
            self.probes_in_scope().into_iter().filter_map(|(name, call)| Some((name, constructor_of(call)?))).collect();
        probes.into_iter().for_each(|(name, constructor)| self.add(&name, CompletionItemKind::INTERFACE, Some(constructor), None));
    }

    /// The constructor of a probe by the name that it has here.
    fn probe(&self, name: &str) -> Option<&'static ConstructorDef> {
        let (_, call) = self.probes_in_scope().into_iter().find(|(known, _)| known == name)?;
        self.view.session().world().schema.constructor(&constructor_of(call)?)
    }

    /// Of `given top = ...`, the constructor of `top`.
    fn given_probe(&self, around: &Around) -> Option<&'static ConstructorDef> {
        let line = if around.first() == "given" { &around.so_far } else { around.blocks.last()? };
        self.probe(line.get(1)?)
    }

    fn lets(&mut self) {
        for (name, definition) in self.view.session().names().scopes.get(&self.view.file).into_iter().flatten() {
            if matches!(definition, Definition::Let(..)) {
                self.add(name, CompletionItemKind::CONSTANT, None, None);
            }
        }
    }

    fn tables(&mut self) {
        for (name, definition) in self.view.session().names().scopes.get(&self.view.file).into_iter().flatten() {
            if let Definition::Table(full) = definition {
                let doc = hover::of_target(self.view, &Target::Table(full.clone()));
                self.add(name, CompletionItemKind::STRUCT, Some(full.clone()), doc);
            }
        }
    }

    fn columns(&mut self, full: &str) {
        let table = self.view.analysis().program.tables.iter().find(|table| table.name == full);
        for column in table.into_iter().flat_map(|table| &table.columns) {
            self.add(&column.name, CompletionItemKind::FIELD, Some(column.ty.to_string()), None);
        }
    }

    /// `airstation[model].`: the columns of the table before the bracket.
    fn columns_behind_index(&mut self, around: &Around) {
        let Some(open) = around.so_far.iter().rposition(|token| *token == "[") else { return };
        let Some(name) = open.checked_sub(1).map(|at| around.so_far[at]) else { return };
        if let Some(Definition::Table(full)) = self.view.session().names().scopes.get(&self.view.file).and_then(|scope| scope.get(name)) {
            self.columns(full);
        }
    }
}

/// `http.get` of `http.get("/")`.
fn constructor_of(call: &ast::Expr) -> Option<String> {
    match &call.kind {
        ast::ExprKind::Call(callee, _) => ksig_compiler::dotted_name(callee),
        _ => None,
    }
}
