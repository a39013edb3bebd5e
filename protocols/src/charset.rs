//! The one place where bytes become text.
//!
//! In: bytes and the label that came with them. Out: text in normal form C, the encoding that was used, and how many characters could not
//! be read. It never fails. Devices lie about their encoding, so the order is by proof: what decodes as UTF-8 by chance hardly exists,
//! what a label says often is wrong, what a detector says is a guess.
//!
//! 1. Valid UTF-8 with a character of several bytes.
//! 2. A byte order mark.
//! 3. The declared label: of the header, then of `<meta>` or the XML declaration, if the bytes decode cleanly and it is not windows-1252,
//!    which is what servers say that know nothing.
//! 4. Escape sequences of ISO-2022-JP.
//! 5. The detector on all bytes.
//! 6. Latin-1, which is windows-1252 on the web.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use memchr::memmem;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Text with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// In normal form C.
    pub text: String,
    /// The encoding that was used.
    pub encoding: &'static Encoding,
    /// Characters that could not be read and stand as U+FFFD.
    pub replacements: usize,
}

impl Text {
    /// The encoding's name in the WHATWG Encoding Standard: `Shift_JIS`.
    pub fn charset(&self) -> &'static str {
        self.encoding.name()
    }
}

/// How far into a text a `<meta>` or an XML declaration is looked for, in bytes. Twice what browsers read, for pages with long comments.
const DECLARATION_BYTES_MAX: usize = 2048;

/// Decodes bytes. `declared` is the label that the protocol gave, such as the `charset` of a `Content-Type`.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> Text {
    decode_as(bytes, detect(bytes, declared))
}

/// Short text of a protocol that declares no encoding: a greeting, a name.
pub fn text(bytes: &[u8]) -> String {
    text_near(bytes, None)
}

/// Short text that stands near a longer one, in whose encoding it may be: a header beside its page.
pub fn text_near(bytes: &[u8], near: Option<&'static Encoding>) -> String {
    // Nearly every greeting and header.
    if bytes.is_ascii() && !bytes.contains(&ESCAPE) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    decode(bytes, near.map(Encoding::name)).text
}

/// Begins the sequences of ISO-2022-JP, in which Japanese is ASCII.
const ESCAPE: u8 = 0x1b;

/// The encoding of a label, `Shift_JIS`, `x-sjis`, `eucjp`; of the WHATWG standard's labels and of those that devices write besides.
/// Absent for unknown ones, and for encodings that are not of text.
pub fn for_label(label: &str) -> Option<&'static Encoding> {
    let label = label.trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ';'));
    let encoding = match label.to_ascii_lowercase().as_str() {
        "eucjp" | "euc_jp" | "ujis" => EUC_JP,
        "cp932" | "shiftjis" | "s-jis" | "x-ms-cp932" => SHIFT_JIS,
        "jis" | "iso2022jp" => ISO_2022_JP,
        "utf_8" => UTF_8,
        _ => Encoding::for_label(label.as_bytes())?,
    };
    (encoding != REPLACEMENT && encoding != X_USER_DEFINED).then_some(encoding)
}

/// Which encoding bytes are in, by the order of this module.
pub fn detect(bytes: &[u8], declared: Option<&str>) -> &'static Encoding {
    if is_utf8(bytes) && !bytes.is_ascii() {
        return UTF_8;
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    let header = declared.and_then(for_label);
    let inner = || declaration(bytes).and_then(for_label).filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE);
    let fits = |encoding: &&'static Encoding| *encoding != WINDOWS_1252 && decodes_cleanly(bytes, encoding);
    if let Some(encoding) = header.filter(fits).or_else(|| inner().filter(fits)) {
        return encoding;
    }
    if [&b"\x1b$"[..], b"\x1b("].iter().any(|escape| memmem::find(bytes, escape).is_some()) && decodes_cleanly(bytes, ISO_2022_JP) {
        return ISO_2022_JP;
    }
    if bytes.is_ascii() { UTF_8 } else { guess(bytes) }
}

/// The detector. Without a top-level domain first: with `jp` it takes GBK and Big5 for Shift_JIS. Half-width katakana alone looks like a
/// western encoding to it, so there `jp` is asked.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let half_width = bytes.iter().filter(|b| (0xa1..=0xdf).contains(*b)).count();
    let high = bytes.iter().filter(|b| !b.is_ascii()).count();
    let guess = if guess.is_single_byte() && half_width * 10 >= high * 9 {
        let japanese = detector.guess(Some(b"jp"), Utf8Detection::Deny);
        if decodes_cleanly(bytes, japanese) { japanese } else { guess }
    } else {
        guess
    };
    if decodes_cleanly(bytes, guess) { guess } else { WINDOWS_1252 }
}

/// A character cut at the end does not count against UTF-8: responses are cut at byte limits.
fn is_utf8(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && !bytes[..error.valid_up_to()].is_ascii(),
    }
}

/// Whether all bytes, but for a character cut at the end, are of that encoding.
fn decodes_cleanly(bytes: &[u8], encoding: &'static Encoding) -> bool {
    if encoding == UTF_8 {
        return is_utf8(bytes);
    }
    // Any even number of bytes is UTF-16; markup in it is full of zero bytes.
    if (encoding == UTF_16LE || encoding == UTF_16BE) && !bytes.contains(&0) {
        return false;
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut scratch = [0u8; 2048];
    let mut rest = bytes;
    loop {
        let (result, read, _) = decoder.decode_to_utf8_without_replacement(rest, &mut scratch, false);
        match result {
            encoding_rs::DecoderResult::InputEmpty => return true,
            encoding_rs::DecoderResult::Malformed(..) => return false,
            encoding_rs::DecoderResult::OutputFull => rest = &rest[read..],
        }
    }
}

/// Decodes in an encoding that is already known; a byte order mark is taken off.
pub fn decode_as(bytes: &[u8], encoding: &'static Encoding) -> Text {
    let (decoded, had_errors) = encoding.decode_with_bom_removal(bytes);
    let replacements = if had_errors { decoded.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count() } else { 0 };
    // Nearly all texts are ASCII, which is soon seen.
    let text = if decoded.is_ascii() || is_nfc(&decoded) { decoded.into_owned() } else { decoded.nfc().collect() };
    Text { text, encoding, replacements }
}

/// The label in `<meta charset=...>`, `<meta ... content="...; charset=...">` or `<?xml ... encoding="...">`.
fn declaration(bytes: &[u8]) -> Option<&str> {
    let bytes = &bytes[..bytes.len().min(DECLARATION_BYTES_MAX)];
    let lower = bytes.to_ascii_lowercase();
    let tag = |open: &[u8], name: &[u8]| {
        let mut from = 0;
        while let Some(at) = memmem::find(&lower[from..], open) {
            let begin = from + at;
            let end = memchr::memchr(b'>', &lower[begin..]).map_or(lower.len(), |length| begin + length);
            if let Some(at) = memmem::find(&lower[begin..end], name) {
                return label(&bytes[begin + at + name.len()..end]);
            }
            from = end;
        }
        None
    };
    tag(b"<?xml", b"encoding").or_else(|| tag(b"<meta", b"charset"))
}

/// `= "label"` and its variants.
fn label(after_name: &[u8]) -> Option<&str> {
    let value = after_name.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    let end = value.iter().position(|b| !(b.is_ascii_alphanumeric() || b"-_:.".contains(b))).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok().filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 無線LANルータの設定画面です。パスワードを入力してください。
    const WORDS: &str = "無線LANルータの設定画面です。パスワードを入力してください。";

    fn encoded(encoding: &'static Encoding) -> Vec<u8> {
        encoding.encode(WORDS).0.into_owned()
    }

    fn check(bytes: &[u8], declared: Option<&str>, charset: &str, text: &str) {
        let decoded = decode(bytes, declared);
        assert_eq!((decoded.charset(), decoded.text.as_str(), decoded.replacements), (charset, text, 0));
    }

    #[test]
    fn japanese_is_read_without_a_label() {
        check(WORDS.as_bytes(), None, "UTF-8", WORDS);
        check(&encoded(SHIFT_JIS), None, "Shift_JIS", WORDS);
        check(&encoded(EUC_JP), None, "EUC-JP", WORDS);
        check(&encoded(ISO_2022_JP), None, "ISO-2022-JP", WORDS);
    }

    #[test]
    fn bytes_written_by_hand_agree_with_the_encoder() {
        // JIS X 0208 rows 67 and 32 of 設定: 40 5F 44 6A.
        check(b"\x90\xdd\x92\xe8", Some("shift_jis"), "Shift_JIS", "設定");
        check(b"\xc0\xdf\xc4\xea", Some("euc-jp"), "EUC-JP", "設定");
        check(b"\x1b$B@_Dj\x1b(B", None, "ISO-2022-JP", "設定");
        check(b"\xff\xfe\x2d\x8a\x9a\x5b", None, "UTF-16LE", "設定");
        check(b"\xfe\xff\x8a\x2d\x5b\x9a", None, "UTF-16BE", "設定");
        check(b"\xef\xbb\xbf\xe8\xa8\xad\xe5\xae\x9a", None, "UTF-8", "設定");
    }

    #[test]
    fn utf8_that_proves_itself_wins_over_a_label() {
        check(WORDS.as_bytes(), Some("Shift_JIS"), "UTF-8", WORDS);
        check(format!("<meta charset=euc-jp>{WORDS}").as_bytes(), None, "UTF-8", &format!("<meta charset=euc-jp>{WORDS}"));
    }

    #[test]
    fn a_label_that_lies_is_passed_over() {
        check(&encoded(SHIFT_JIS), Some("utf-8"), "Shift_JIS", WORDS);
        check(&encoded(SHIFT_JIS), Some("iso-8859-1"), "Shift_JIS", WORDS);
        check(&encoded(SHIFT_JIS), Some("no-such-label"), "Shift_JIS", WORDS);
        check(b"plain", Some("utf-16le"), "UTF-8", "plain");
    }

    #[test]
    fn the_page_says_it_when_the_header_does_not() {
        for declaration in [
            "<META http-equiv=\"Content-Type\" content=\"text/html; charset=Shift_JIS\">",
            "<meta name=\"a\"><meta charset = 'x-sjis'>",
            "<?xml version=\"1.0\" encoding=\"shift_jis\"?>",
        ] {
            let mut bytes = declaration.as_bytes().to_vec();
            bytes.extend(b"\x83\x8b");
            check(&bytes, None, "Shift_JIS", &format!("{declaration}ル"));
        }
    }

    #[test]
    fn utf16_is_read_where_the_header_says_so() {
        let page: Vec<u8> = "<title>設定</title>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(&page, Some("utf-16le"), "UTF-16LE", "<title>設定</title>");
    }

    #[test]
    fn names_that_devices_write_are_known() {
        for (label, name) in [("eucjp", "EUC-JP"), ("EUC_JP", "EUC-JP"), ("\"Shift-JIS\"", "Shift_JIS"), ("CP932", "Shift_JIS")] {
            assert_eq!(for_label(label).map(Encoding::name), Some(name), "{label}");
        }
        assert_eq!(for_label("hz-gb-2312"), None);
    }

    #[test]
    fn half_width_katakana_is_japanese() {
        let words = "ﾊﾟｽﾜｰﾄﾞｦﾆｭｳﾘｮｸｼﾃｸﾀﾞｻｲ ﾙｰﾀﾉｾｯﾃｲ";
        check(&SHIFT_JIS.encode(words).0, None, "Shift_JIS", words);
    }

    #[test]
    fn chinese_is_not_taken_for_japanese() {
        let simplified = "无线路由器管理界面，请输入您的密码以继续进行网络设置。";
        check(&encoding_rs::GBK.encode(simplified).0, None, "GBK", simplified);
        let traditional = "無線路由器管理介面，請輸入您的密碼以繼續進行網路設定。";
        check(&encoding_rs::BIG5.encode(traditional).0, None, "Big5", traditional);
    }

    #[test]
    fn latin_is_the_last_resort() {
        check(b"caf\xe9", None, "windows-1252", "café");
    }

    #[test]
    fn a_character_cut_by_a_limit_does_not_change_the_encoding() {
        let bytes = WORDS.as_bytes();
        let cut = decode(&bytes[..bytes.len() - 1], None);
        assert_eq!((cut.charset(), cut.replacements), ("UTF-8", 1));
        let bytes = encoded(SHIFT_JIS);
        assert_eq!(decode(&bytes[..bytes.len() - 1], Some("shift_jis")).charset(), "Shift_JIS");
    }

    #[test]
    fn text_is_in_normal_form_c() {
        check("ハ\u{309a}".as_bytes(), None, "UTF-8", "パ");
    }
}
