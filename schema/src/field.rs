//! Fields: the closed list of what can be known of a response. `protocols` declares them, everyone else looks them up.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::Section;
use crate::probe::ConstructorDef;
use crate::value::Type;

/// One field, declared beside the decoder that fills it.
#[derive(Debug)]
pub struct FieldDef {
    /// `ssh.software`; unique.
    pub name: &'static str,
    /// Its type; a field may always be missing, so `Optional` is not written. For a keyed field, the type of one entry.
    pub ty: FieldType,
    /// Several values in wire order (headers, certificate names): conditions ask whether any element does (V4).
    pub many: bool,
    /// Addressed with a key: `http.header["server"]`, in evidence lines `http.header.server`. Keys compare in lower case.
    pub keyed: bool,
    /// A keyed field that is written as a call, `upnp.xml("/root/device/modelName")`: the key is a path that begins with `/`, and its case
    /// counts.
    pub call: bool,
    /// A keyed field that stands without a key too: then it is all of it, as it came.
    pub whole: bool,
    /// Other names of keys, in lower case, and the key that each means: the abbreviations that a standard allows.
    pub key_names: &'static [(&'static str, &'static str)],
    /// Another full name of the field, as a standard writes it: `snmp.sysDescr.0`.
    pub alias: Option<&'static str>,
    /// Which part of the response must be complete before its absence is proven (V3).
    pub section: Section,
    /// Names a person or a single machine (serial, MAC): never leaves the engine.
    pub redact: bool,
    /// What of a single machine it names: two services of one address with the same value are one machine (V15).
    pub machine: Option<MachineName>,
    /// Holds places that the device makes its clients fetch: what a follow may ask for (V13).
    pub link: bool,
    /// Never missing: it is there whatever was answered.
    pub always: bool,
    /// Doc comment: shape, unit, absence, source.
    pub doc: &'static str,
}

impl FieldDef {
    /// A key as facts hold it.
    pub fn key(&self, written: &str) -> String {
        if self.call {
            return written.to_string();
        }
        let lower = written.to_lowercase();
        match self.key_names.iter().find(|(name, _)| *name == lower) {
            Some((_, key)) => key.to_string(),
            None => lower,
        }
    }

    /// How an entry is written behind the field's name: `["key"]`, `("/path")`, or nothing.
    pub fn key_form(&self) -> &'static str {
        match (self.keyed, self.call) {
            (false, _) => "",
            (true, false) => "[\"key\"]",
            (true, true) => "(\"/path\")",
        }
    }
}

/// What names a single machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MachineName {
    /// A serial number.
    Serial,
    /// A universally unique id (RFC 9562).
    Uuid,
    /// A certificate.
    Certificate,
    /// An SNMP engine's id.
    Engine,
}

/// A function of a field with several values, declared beside it: `top.html.script_src("/js/version.js")`.
#[derive(Debug)]
pub struct SelectorDef {
    /// `http.html.script_src`; unique, and no field's name.
    pub name: &'static str,
    /// The field that it picks from.
    pub of: &'static FieldDef,
    /// Which of its values.
    pub pick: Pick,
    /// Doc comment: what it picks, and when it picks nothing.
    pub doc: &'static str,
}

/// Which value a selector picks: always the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Pick {
    /// Whose path, without query and fragment, ends with the argument.
    PathEnds,
}

impl Pick {
    /// Whether this value is one that fits the argument.
    pub fn fits(self, value: &str, argument: &str) -> bool {
        match self {
            Pick::PathEnds => crate::target::without_query(value).ends_with(argument),
        }
    }
}

/// The types that a field can have, without allocation so that fields are constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// true or false.
    Bool,
    /// 64-bit signed.
    Int,
    /// Decoded text.
    Text,
    /// Raw bytes.
    Bytes,
    /// A day.
    Date,
    /// An object id as dotted numbers.
    Oid,
    /// A digest as bytes.
    Hash,
}

impl FieldType {
    /// As a [`Type`].
    pub fn ty(self) -> Type {
        match self {
            FieldType::Bool => Type::Bool,
            FieldType::Int => Type::Int,
            FieldType::Text => Type::Text,
            FieldType::Bytes => Type::Bytes,
            FieldType::Date => Type::Date,
            FieldType::Oid => Type::Oid,
            FieldType::Hash => Type::Hash,
        }
    }
}

/// Declares fields as constants: doc comment, `CONSTANT: Type = "name"`, then options `many`, `keyed`, `call`, `whole`, `body`, `redact`,
/// `machine(Kind)`, `link`, `always`, `alias("name")`, `key_names(LIST)`.
///
/// ```
/// ksig_schema::fields! {
///     /// Software named in the identification line.
///     SOFTWARE: Text = "ssh.software";
///     /// Every header.
///     HEADER: Text = "http.header", many, keyed;
///     /// What the agent says of itself.
///     SYS_DESCR: Text = "snmp.sys_descr", alias("snmp.sysDescr.0");
/// }
/// assert_eq!(SOFTWARE.name, "ssh.software");
/// assert!(HEADER.keyed && HEADER.many);
/// assert_eq!(SYS_DESCR.alias, Some("snmp.sysDescr.0"));
/// assert_eq!(FIELDS.len(), 3);
/// ```
#[macro_export]
macro_rules! fields {
    ($($(#[doc = $doc:literal])+ $constant:ident : $ty:ident = $name:literal $(, $option:ident $(($($value:tt)+))?)* ;)+) => {
        $(
            $(#[doc = $doc])+
            pub static $constant: $crate::field::FieldDef = {
                #[allow(unused_mut)]
                let mut field = $crate::field::FieldDef {
                    name: $name,
                    ty: $crate::field::FieldType::$ty,
                    many: false,
                    keyed: false,
                    call: false,
                    whole: false,
                    key_names: &[],
                    alias: None,
                    section: $crate::evidence::Section::Head,
                    redact: false,
                    machine: None,
                    link: false,
                    always: false,
                    doc: concat!($($doc, "\n"),+),
                };
                $($crate::fields!(@option field $option $(($($value)+))?);)*
                field
            };
        )+
        /// All fields of this protocol.
        pub static FIELDS: &[&$crate::field::FieldDef] = &[$(&$constant),+];
    };
    (@option $field:ident many) => { $field.many = true; };
    (@option $field:ident keyed) => { $field.keyed = true; };
    (@option $field:ident call) => { $field.keyed = true; $field.call = true; };
    (@option $field:ident whole) => { $field.whole = true; };
    (@option $field:ident key_names($names:expr)) => { $field.key_names = $names; };
    (@option $field:ident alias($name:literal)) => { $field.alias = Some($name); };
    (@option $field:ident body) => { $field.section = $crate::evidence::Section::Body; };
    (@option $field:ident redact) => { $field.redact = true; };
    (@option $field:ident machine($kind:ident)) => { $field.machine = Some($crate::field::MachineName::$kind); };
    (@option $field:ident link) => { $field.link = true; };
    (@option $field:ident always) => { $field.always = true; };
}

/// All fields and probe constructors, passed as an argument.
#[derive(Debug, Default)]
pub struct Schema {
    fields: BTreeMap<&'static str, &'static FieldDef>,
    /// Fields by name and by alias.
    names: BTreeMap<&'static str, &'static FieldDef>,
    constructors: BTreeMap<&'static str, &'static ConstructorDef>,
    selectors: BTreeMap<&'static str, &'static SelectorDef>,
    /// Protocols whose answers can be written as text.
    text_forms: BTreeSet<&'static str>,
}

impl Schema {
    /// From the lists of all protocols. A name that is declared twice is a mistake of ours.
    pub fn new(
        fields: impl IntoIterator<Item = &'static FieldDef>,
        constructors: impl IntoIterator<Item = &'static ConstructorDef>,
    ) -> Schema {
        let mut schema = Schema::default();
        for field in fields {
            for name in [Some(field.name), field.alias].into_iter().flatten() {
                assert!(schema.names.insert(name, field).is_none(), "field {name} is declared twice");
            }
            schema.fields.insert(field.name, field);
        }
        for constructor in constructors {
            let twice = schema.constructors.insert(constructor.name, constructor);
            assert!(twice.is_none(), "constructor {} is declared twice", constructor.name);
        }
        schema
    }

    /// With the functions of fields. A name that a field has, or another selector, is a mistake of ours.
    pub fn with_selectors(mut self, selectors: impl IntoIterator<Item = &'static SelectorDef>) -> Schema {
        for selector in selectors {
            let twice = self.fields.contains_key(selector.name) || self.selectors.insert(selector.name, selector).is_some();
            assert!(!twice, "{} is declared twice", selector.name);
        }
        self
    }

    /// With the names of the protocols whose answers a test can write as text: `http"""`.
    pub fn with_text_forms(mut self, protocols: impl IntoIterator<Item = &'static str>) -> Schema {
        self.text_forms.extend(protocols);
        self
    }

    /// Whether an answer of that protocol can be written as text.
    pub fn has_text_form(&self, protocol: &str) -> bool {
        self.text_forms.contains(protocol)
    }

    /// The selector of that name, `http.html.script_src`.
    pub fn selector(&self, name: &str) -> Option<&'static SelectorDef> {
        self.selectors.get(name).copied()
    }

    /// All selectors by name.
    pub fn selectors(&self) -> impl Iterator<Item = &'static SelectorDef> + '_ {
        self.selectors.values().copied()
    }

    /// The field of exactly that name or alias.
    pub fn field(&self, name: &str) -> Option<&'static FieldDef> {
        self.names.get(name).copied()
    }

    /// Splits `http.header.server` into the keyed field and its key as facts hold it; a plain field has no key. Absent when unknown.
    pub fn field_and_key(&self, path: &str) -> Option<(&'static FieldDef, Option<String>)> {
        if let Some(field) = self.field(path) {
            return Some((field, None));
        }
        let mut end = path.len();
        while let Some(dot) = path[..end].rfind('.') {
            if let Some(field) = self.field(&path[..dot]) {
                return field.keyed.then(|| (field, Some(field.key(&path[dot + 1..]))));
            }
            end = dot;
        }
        None
    }

    /// All fields by name.
    pub fn fields(&self) -> impl Iterator<Item = &'static FieldDef> + '_ {
        self.fields.values().copied()
    }

    /// The constructor of that name, `http.get`.
    pub fn constructor(&self, name: &str) -> Option<&'static ConstructorDef> {
        self.constructors.get(name).copied()
    }

    /// The constructors whose answers can hold that field.
    pub fn filling(&self, field: &str) -> impl Iterator<Item = &'static ConstructorDef> {
        self.constructors().filter(move |constructor| constructor.fills(field))
    }

    /// All constructors by name.
    pub fn constructors(&self) -> impl Iterator<Item = &'static ConstructorDef> + '_ {
        self.constructors.values().copied()
    }
}
