//! How an [`Entry`] lies in the index: which term finds it in which field.
//!
//! Names (vendor, model, tag) are indexed under their [`key`], so that hyphens, case and script do not matter; what facets show is kept beside
//! it as written. The entry itself is stored whole.

use std::net::{IpAddr, Ipv6Addr};

use ksig_schema::Transport;
use ksig_schema::identification::{Confidence, Known};
use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field as IndexField, INDEXED, IndexRecordOption, NumericOptions, STORED, Schema, TextFieldIndexing, TextOptions,
};

use crate::document::Entry;
use crate::query::Field;
use crate::tokenizer::key;

/// The name under which Tantivy knows our tokenizer.
pub(super) const TOKENIZER: &str = "atlas";

/// The fields of the index.
pub(crate) struct Layout {
    pub(super) schema: Schema,
    pub(super) entry: IndexField,
    text: IndexField,
    title: IndexField,
    server: IndexField,
    component: IndexField,
    vendor: IndexField,
    brand: IndexField,
    series: IndexField,
    model: IndexField,
    model_shown: IndexField,
    version: IndexField,
    class: IndexField,
    class_path: IndexField,
    tag: IndexField,
    ended: IndexField,
    latest: IndexField,
    ends: IndexField,
    address: IndexField,
    port: IndexField,
    transport: IndexField,
    host: IndexField,
    time: IndexField,
    charset: IndexField,
    facet: IndexField,
    signature: IndexField,
    confidence: IndexField,
    release: IndexField,
    cpe: IndexField,
    digest: IndexField,
    ordinal: IndexField,
}

/// Names of the columns that answers read.
pub(super) mod column {
    pub const ADDRESS: &str = "address";
    pub const PORT: &str = "port";
    pub const ORDINAL: &str = "ordinal";
    pub const VENDOR: &str = "vendor";
    pub const MODEL: &str = "model_shown";
    pub const VERSION: &str = "version";
    pub const CLASS: &str = "class";
    pub const TAG: &str = "tag";
}

impl Layout {
    pub(super) fn new() -> Layout {
        let mut schema = Schema::builder();
        let indexing =
            |tokenizer, record| TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record).set_fieldnorms(false);
        let words = TextOptions::default().set_indexing_options(indexing(TOKENIZER, IndexRecordOption::WithFreqsAndPositions));
        let name = TextOptions::default().set_indexing_options(indexing("raw", IndexRecordOption::Basic));
        let counted = name.clone().set_fast("raw");
        let number = || NumericOptions::default() | INDEXED;
        Layout {
            entry: schema.add_text_field("entry", STORED),
            text: schema.add_text_field("text", words.clone()),
            title: schema.add_text_field("title", words.clone()),
            server: schema.add_text_field("server", words.clone()),
            component: schema.add_text_field("component", words),
            vendor: schema.add_text_field(column::VENDOR, counted.clone()),
            brand: schema.add_text_field("brand", name.clone()),
            series: schema.add_text_field("series", name.clone()),
            model: schema.add_text_field("model", name.clone()),
            model_shown: schema.add_text_field(column::MODEL, TextOptions::default().set_fast("raw")),
            version: schema.add_text_field(column::VERSION, counted.clone()),
            class: schema.add_text_field(column::CLASS, TextOptions::default().set_fast("raw")),
            class_path: schema.add_text_field("class_path", name.clone()),
            tag: schema.add_text_field(column::TAG, counted),
            ended: schema.add_text_field("ended", name.clone()),
            latest: schema.add_text_field("latest", name.clone()),
            ends: schema.add_i64_field("ends", number()),
            address: schema.add_ip_addr_field(column::ADDRESS, INDEXED | FAST),
            port: schema.add_u64_field(column::PORT, number() | FAST),
            transport: schema.add_text_field("transport", name.clone()),
            host: schema.add_text_field("host", name.clone()),
            time: schema.add_i64_field("time", number()),
            charset: schema.add_text_field("charset", name.clone()),
            facet: schema.add_text_field("facet", name.clone()),
            signature: schema.add_text_field("signature", name.clone()),
            confidence: schema.add_text_field("confidence", name.clone()),
            release: schema.add_text_field("release", name.clone()),
            cpe: schema.add_text_field("cpe", name.clone()),
            digest: schema.add_text_field("digest", name),
            ordinal: schema.add_u64_field(column::ORDINAL, FAST),
            schema: schema.build(),
        }
    }

    /// The document of an entry; `ordinal` is its place among all, which settles the order of equal addresses and ports.
    pub(super) fn document(&self, entry: &Entry, ordinal: u64) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        let stored = serde_json::to_string(entry).expect("an entry has no part that JSON cannot write");
        document.add_text(self.entry, stored);
        self.add_words(&mut document, entry);
        let ids =
            [(self.vendor, &entry.vendor), (self.version, &entry.version), (self.class, &entry.class), (self.model_shown, &entry.model)];
        for (field, value) in ids {
            value.iter().for_each(|value| document.add_text(field, value));
        }
        let named = [
            (self.brand, &entry.brand),
            (self.series, &entry.series),
            (self.model, &entry.model),
            (self.charset, &entry.charset),
            (self.facet, &entry.facet),
            (self.signature, &entry.signature),
            (self.cpe, &entry.cpe),
            (self.digest, &entry.digest),
        ];
        for (field, value) in named {
            value.iter().for_each(|value| document.add_text(field, key(value)));
        }
        entry.class.iter().flat_map(|class| ancestors(class)).for_each(|class| document.add_text(self.class_path, class));
        entry.tags.iter().for_each(|tag| document.add_text(self.tag, &tag.name));
        document.add_text(self.ended, known_term(entry.support_ended));
        document.add_text(self.latest, known_term(entry.latest));
        document.add_text(self.transport, transport_term(entry.transport));
        document.add_text(self.host, key(&entry.host));
        document.add_text(self.release, key(&entry.release));
        entry.confidence.iter().for_each(|confidence| document.add_text(self.confidence, confidence_term(*confidence)));
        entry.support_ends.iter().for_each(|day| document.add_i64(self.ends, days_since_1970(*day)));
        entry.address.iter().for_each(|address| document.add_ip_addr(self.address, v6(*address)));
        entry.time.iter().for_each(|time| document.add_i64(self.time, time.as_second()));
        document.add_u64(self.port, u64::from(entry.port));
        document.add_u64(self.ordinal, ordinal);
        document
    }

    fn add_words(&self, document: &mut TantivyDocument, entry: &Entry) {
        entry.title.iter().for_each(|title| document.add_text(self.title, title));
        entry.server.iter().for_each(|server| document.add_text(self.server, server));
        let slots = [&entry.title, &entry.server, &entry.vendor, &entry.brand, &entry.series, &entry.model, &entry.version];
        slots.into_iter().flatten().for_each(|text| document.add_text(self.text, text));
        // `Si-R G110` is also looked for as `sirg110`.
        entry.model.iter().filter(|model| model.contains(' ')).for_each(|model| document.add_text(self.text, key(model)));
        document.add_text(self.text, &entry.text);
        entry.tags.iter().flat_map(|tag| tag.params.values()).for_each(|text| document.add_text(self.text, text));
        for component in &entry.components {
            let parts = [component.vendor.as_deref(), component.series.as_deref(), Some(&component.product), component.version.as_deref()];
            let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
            document.add_text(self.component, &text);
            document.add_text(self.text, &text);
        }
    }

    /// The field of the index in which a field of a query is looked up.
    pub(crate) fn field(&self, field: Field) -> IndexField {
        match field {
            Field::Text => self.text,
            Field::Title => self.title,
            Field::Server => self.server,
            Field::Component => self.component,
            Field::Vendor => self.vendor,
            Field::Brand => self.brand,
            Field::Series => self.series,
            Field::Model => self.model,
            Field::Version => self.version,
            Field::Class => self.class_path,
            Field::Tag => self.tag,
            Field::Facet => self.facet,
            Field::Signature => self.signature,
            Field::Confidence => self.confidence,
            Field::Ended => self.ended,
            Field::Latest => self.latest,
            Field::Ends => self.ends,
            Field::Ip => self.address,
            Field::Port => self.port,
            Field::Transport => self.transport,
            Field::Host => self.host,
            Field::Time => self.time,
            Field::Charset => self.charset,
            Field::Release => self.release,
            Field::Cpe => self.cpe,
            Field::Digest => self.digest,
        }
    }
}

/// `router`, `router.home` for `router.home`.
fn ancestors(class: &str) -> impl Iterator<Item = &str> {
    class.match_indices('.').map(|(dot, _)| &class[..dot]).chain([class])
}

/// The term of a three-valued slot.
pub(crate) fn known_term(known: Known) -> &'static str {
    match known {
        Known::Yes => "yes",
        Known::No => "no",
        Known::Unknown => "unknown",
    }
}

fn transport_term(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
        Transport::Udp => "udp",
    }
}

fn confidence_term(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Hint => "hint",
        Confidence::Weak => "weak",
        Confidence::Strong => "strong",
        Confidence::Certain => "certain",
    }
}

fn days_since_1970(day: jiff::civil::Date) -> i64 {
    let epoch = jiff::civil::date(1970, 1, 1);
    i64::from(epoch.until(day).map_or(0, |span| span.get_days()))
}

/// IPv4 as the mapped IPv6 address, so that one field holds and orders both.
pub(crate) fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}
