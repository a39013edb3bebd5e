//! The fields that a query can name: one list for the parser, the help and the completion.

/// A field of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Any text.
    Text,
    /// Title of the page.
    Title,
    /// `Server` header.
    Server,
    /// Software on the device.
    Component,
    /// Maker.
    Vendor,
    /// Brand.
    Brand,
    /// Series.
    Series,
    /// Model.
    Model,
    /// Version.
    Version,
    /// Class, with everything below it.
    Class,
    /// Tag.
    Tag,
    /// Facet.
    Facet,
    /// Signature.
    Signature,
    /// Confidence.
    Confidence,
    /// Whether support had ended.
    Ended,
    /// Whether the version was the latest.
    Latest,
    /// End of support.
    Ends,
    /// Address.
    Ip,
    /// Port.
    Port,
    /// Transport.
    Transport,
    /// Host.
    Host,
    /// Time of the observation.
    Time,
    /// Charset of the page.
    Charset,
    /// Release that identified.
    Release,
    /// CPE name.
    Cpe,
    /// Digest of an unidentified answer.
    Digest,
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Words in text.
    Words,
    /// A name of the vocabulary or of a maker: letters and digits compare, nothing else.
    Name,
    /// yes, no, unknown.
    Known,
    /// A whole number.
    Number,
    /// A day of UTC, `2026-11-01`, compared with a moment.
    Moment,
    /// A day.
    Day,
    /// A version in dotted order.
    Version,
    /// An address or a network.
    Address,
}

/// A field as people write it.
#[derive(Clone, Copy, Debug)]
pub struct FieldName {
    /// Which.
    pub field: Field,
    /// Its names; the first is the usual one.
    pub names: &'static [&'static str],
    /// What its values are.
    pub values: Values,
    /// One line for the help, with an example.
    pub doc: &'static str,
}

macro_rules! fields {
    ($($field:ident $values:ident [$($name:literal),+] $doc:literal;)+) => {
        /// Every field, in the order of the help.
        pub const FIELDS: &[FieldName] =
            &[$(FieldName { field: Field::$field, names: &[$($name),+], values: Values::$values, doc: $doc }),+];
    };
}

fields! {
    Vendor Name ["vendor", "maker"] "maker, by id or any of its names: vendor:buffalo, vendor:バッファロー";
    Brand Name ["brand"] "brand it is sold under: brand:AirStation";
    Series Name ["series"] "product series: series:RTX";
    Model Name ["model"] "model, hyphens and case ignored: model:WSR-1166DHP4, model:wsr*";
    Version Version ["version", "firmware", "fw"] "version: version:1.05, version:<1.20, version:1.0..1.9";
    Class Name ["type", "class"] "device class with everything below it: type:router, type:ルーター";
    Tag Name ["tag"] "tag, by id or name: tag:eol, tag:サポート終了";
    Ended Known ["eol", "ended"] "support had ended: eol:true, eol:false, eol:unknown";
    Latest Known ["latest"] "the version was the latest known: latest:false";
    Ends Day ["ends", "support_ends"] "end of support: ends:<2026-01-01";
    Ip Address ["ip", "address", "net"] "address or network: ip:192.0.2.0/24";
    Port Number ["port"] "port: port:80, port:{80,443}, port:8000..8999";
    Transport Name ["transport"] "tcp, tls or udp: transport:tls";
    Host Name ["host"] "host as the input named it: host:192.0.2.1";
    Time Moment ["time", "date", "seen"] "day of the observation in UTC: time:>=2026-11-01";
    Title Words ["title"] "title of the page: title:設定";
    Server Words ["server"] "Server header: server:nginx";
    Text Words ["text", "body"] "any text, without the names of the vocabulary: text:ログイン";
    Component Words ["component"] "software on the device: component:OpenSSL";
    Charset Name ["charset"] "charset of the page: charset:Shift_JIS";
    Facet Name ["facet"] "what is identified: facet:device, facet:os";
    Signature Name ["signature"] "signature that decided: signature:router.buffalo.*";
    Confidence Name ["confidence"] "hint, weak, strong or certain: confidence:certain";
    Release Name ["release"] "release that identified: release:2026-11-01";
    Cpe Name ["cpe"] "CPE name: cpe:cpe:2.3:h:*";
    Digest Name ["digest"] "digest of an unidentified answer";
}

/// The field of that name; case does not matter.
pub fn field_named(name: &str) -> Option<&'static FieldName> {
    FIELDS.iter().find(|field| field.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// The name that is written most like the given one; absent when none is near.
pub fn nearest_name(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let names = FIELDS.iter().flat_map(|field| field.names).copied();
    let distances = names.map(|known| (distance(&name, known), known));
    distances.min_by_key(|(distance, _)| *distance).filter(|(distance, known)| *distance <= 1 + known.len() / 3).map(|(_, known)| known)
}

/// How many letters must be changed, added, removed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    let swap = if swapped { rows[i - 2][j - 2] + 1 } else { usize::MAX };
                    changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(swap)
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_field_has_a_nearest_name() {
        for (typed, meant) in [("vender", "vendor"), ("verison", "version"), ("mdoel", "model"), ("tags", "tag"), ("prot", "port")] {
            assert_eq!(nearest_name(typed), Some(meant));
        }
        assert_eq!(nearest_name("quux"), None);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn every_field_has_one_entry_and_every_name_one_field() {
        let mut names: Vec<_> = FIELDS.iter().flat_map(|field| field.names).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
