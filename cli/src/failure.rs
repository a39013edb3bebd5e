//! What made a command fail: wrong use, or the world, in both languages.
//!
//! In: an error with its causes, of ksig's or of the system. Out: one line. What the libraries that ksig is made of say of their own innards
//! (a query, a file of TOML) stays in their words.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

use ksig_atlas::{IndexError, LogError};
use ksig_lang::{Lang, Text, say};
use ksig_runtime::BundleError;
use ksig_scanner::discovery::DiscoverError;
use ksig_scanner::sim::SimError;
use ksig_scanner::sweep::{PORTS_MAX, StateError, SweepError};
use ksig_scanner::{BlocklistError, Denied, FeedError, ScanError, TargetError};

use crate::import::recog::ReadError;
use crate::policy::PolicyError;
use crate::store::StoreError;
use crate::{LoadError, ReleaseError};

/// A failure in words of both languages, and what caused it.
#[derive(Debug)]
struct Failed {
    text: Text,
    cause: Option<anyhow::Error>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.en)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause.as_ref() as &(dyn Error + 'static))
    }
}

/// A failure of which nothing more is known than what is said.
pub fn failed(text: Text) -> anyhow::Error {
    Failed { text, cause: None }.into()
}

/// Says in both languages what could not be done.
pub trait OrSay<T> {
    /// The value, or a failure with these words in front of its causes.
    ///
    /// # Errors
    /// When there is no value.
    fn or_say(self, text: impl FnOnce() -> Text) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrSay<T> for Result<T, E> {
    fn or_say(self, text: impl FnOnce() -> Text) -> anyhow::Result<T> {
        self.map_err(|cause| Failed { text: text(), cause: Some(cause.into()) }.into())
    }
}

impl<T> OrSay<T> for Option<T> {
    fn or_say(self, text: impl FnOnce() -> Text) -> anyhow::Result<T> {
        self.ok_or_else(|| failed(text()))
    }
}

/// `cannot read x`.
pub fn cannot_read(path: impl fmt::Display) -> Text {
    say!("cannot read {path}", "{path}を読み取れません")
}

/// `cannot write x`.
pub fn cannot_write(path: impl fmt::Display) -> Text {
    say!("cannot write {path}", "{path}に書き込めません")
}

/// The failure and its causes; a cause that a message has quoted already is not said again.
pub fn said(failure: &anyhow::Error, lang: Lang) -> String {
    // An error of a library has the system's words inside its own.
    let in_lang = |cause: &(dyn Error + 'static)| {
        let own = words(cause).in_lang(lang).to_string();
        failure.chain().filter_map(|inner| inner.downcast_ref::<std::io::Error>()).fold(own, |text, inner| match lang {
            Lang::En => text,
            Lang::Ja => text.replace(&inner.to_string(), of_system(inner).in_lang(lang)),
        })
    };
    let mut text = String::new();
    for cause in failure.chain().map(in_lang) {
        if !text.contains(&cause) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
    }
    text
}

/// What an error says, without its causes.
fn words(error: &(dyn Error + 'static)) -> Text {
    if let Some(failed) = error.downcast_ref::<Failed>() {
        return failed.text.clone();
    }
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return of_system(error);
    }
    let known = [
        error.downcast_ref::<LoadError>().map(LoadError::text),
        error.downcast_ref::<PolicyError>().map(PolicyError::text),
        error.downcast_ref::<ReleaseError>().map(ReleaseError::text),
        error.downcast_ref::<LogError>().map(of_log),
        error.downcast_ref::<IndexError>().map(of_index),
        error.downcast_ref::<StoreError>().map(|error| match error {
            StoreError::Log(error) => of_log(error),
            StoreError::Index(error) => of_index(error),
        }),
        error.downcast_ref::<ScanError>().map(of_scan),
        error.downcast_ref::<TargetError>().map(of_target),
        error.downcast_ref::<FeedError>().map(of_feed),
        error.downcast_ref::<BlocklistError>().map(of_blocklist),
        error.downcast_ref::<SweepError>().map(of_sweep),
        error.downcast_ref::<DiscoverError>().map(of_discovery),
        error.downcast_ref::<SimError>().map(of_simulator),
        error.downcast_ref::<ReadError>().map(of_import),
    ];
    known.into_iter().flatten().next().unwrap_or_else(|| Text::quoted(error.to_string()))
}

/// What the system said, with its number.
pub fn of_system(error: &std::io::Error) -> Text {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Failed>());
    if let Some(failed) = inner {
        return failed.text.clone();
    }
    let ja = match error.kind() {
        ErrorKind::NotFound => "ファイルやフォルダーが見つかりません",
        ErrorKind::PermissionDenied => "アクセスが許可されていません",
        ErrorKind::AlreadyExists => "すでに存在します",
        ErrorKind::AddrInUse => "アドレスはすでに使用されています",
        ErrorKind::AddrNotAvailable => "使用できないアドレスです",
        ErrorKind::StorageFull => "空き容量がありません",
        ErrorKind::QuotaExceeded => "容量の割り当てを超えています",
        ErrorKind::FileTooLarge => "ファイルが大きすぎます",
        ErrorKind::IsADirectory => "フォルダーです",
        ErrorKind::NotADirectory => "フォルダーではありません",
        ErrorKind::ReadOnlyFilesystem => "読み取り専用のファイルシステムです",
        ErrorKind::InvalidData => "テキストとして読み取れません",
        ErrorKind::UnexpectedEof => "途中で終わっています",
        _ => return Text::quoted(error.to_string()),
    };
    let number = error.raw_os_error().map(|number| format!("（os error {number}）")).unwrap_or_default();
    say!("{error}", "{ja}{number}")
}

/// A failure of the system in the place of an error of it, as where a file is larger than what is read.
pub fn as_system(text: Text) -> std::io::Error {
    std::io::Error::other(Failed { text, cause: None })
}

/// Why a file is no bundle that can be used.
pub fn of_bundle(error: &BundleError) -> Text {
    let ja = match error {
        BundleError::Foreign => "ksigのバンドルではありません（先頭がKSIGBNDLではありません）".to_string(),
        BundleError::Format { found } => {
            let known = ksig_runtime::bundle::FORMAT;
            format!("バンドルの形式は{found}ですが、このksigが読めるのは形式{known}です。ksigを更新するか、バンドルを作り直してください")
        }
        BundleError::Truncated { bytes } => format!("バンドルが{bytes}バイトで途切れています"),
        BundleError::TooLarge { bytes, limit, .. } => format!("バンドルが大きすぎます（{bytes}バイト、上限は{limit}バイト）"),
        BundleError::Damaged => "バンドルが壊れています。SHA-256が内容と一致しません".to_string(),
        BundleError::Malformed(reason) => format!("バンドルの内容を読み取れません: {reason}"),
        BundleError::Refused(reason) => format!("バンドルのプランは実行できません: {reason}"),
    };
    say!("{error}", "{ja}")
}

fn of_log(error: &LogError) -> Text {
    let ja = match error {
        LogError::Io { action, path, source } => {
            let reason = of_system(source);
            format!("{}を処理できません（{action}）: {}", path.display(), reason.ja)
        }
        LogError::Unsure { path, source } => format!("{}を同期できません: {}", path.display(), of_system(source).ja),
        LogError::Locked { path } => {
            format!("{}はほかのプロセスが書き込み中です。一つのログに書き込めるのは同時に一つだけです", path.display())
        }
        LogError::NotALog { path } => format!("{}は観測ログのファイルではありません", path.display()),
        _ => return Text::quoted(error.to_string()),
    };
    say!("{error}", "{ja}")
}

fn of_index(error: &IndexError) -> Text {
    let ja = match error {
        IndexError::Io { action, path, source } => {
            let reason = of_system(source);
            format!("{}を処理できません（{action}）: {}", path.display(), reason.ja)
        }
        IndexError::Missing { path } => format!("{}に検索インデックスがありません。先に作成してください", path.display()),
        IndexError::Outdated { path, reason } => {
            format!("{}の検索インデックスは別の規則で作られています（{reason}）。作り直してください", path.display())
        }
        IndexError::Locked { path } => format!("{}の検索インデックスはほかのプロセスが作成中です", path.display()),
        IndexError::Entry { path } => format!("{}の検索インデックスに読み取れない項目があります。作り直してください", path.display()),
        IndexError::Engine { path, source } => format!("{}の検索インデックスを使えません: {source}", path.display()),
    };
    say!("{error}", "{ja}")
}

fn of_scan(error: &ScanError) -> Text {
    let ja = match error {
        ScanError::NoBlocklist => {
            "ブロックリストが指定されていません。除外を希望した相手のファイルを指定するか、ないことを明示してください（--no-blocklist）"
                .to_string()
        }
        ScanError::Simulated => "対象はシミュレーションです。どこにも接続しません".to_string(),
        ScanError::NoRate => "公開アドレスをスキャンするには、一秒あたりの接続数の上限が必要です（--rate）".to_string(),
        ScanError::NothingToAsk(ports) => {
            format!(
                "ポート{ports}に送るプローブがプランにありません。別のポートを指定するか、18080=httpのようにプロトコルを指定してください"
            )
        }
        ScanError::Thread(source) => format!("スキャンを始められません: {}", of_system(source).ja),
        ScanError::LegacyTls(reason) => format!("OpenSSL で古い機器と通信できません: {reason}"),
        ScanError::NobodyListens => "観測の受け取り手がなくなったため、スキャンを中止しました".to_string(),
    };
    say!("{error}", "{ja}")
}

fn of_sweep(error: &SweepError) -> Text {
    let ja = match error {
        SweepError::Scan(error) => return of_scan(error),
        SweepError::Packets(error) => return of_discovery(error),
        SweepError::State(StateError::Locked(path)) => {
            format!("{}: この状態ディレクトリーでは別のスイープが動いています", path.display())
        }
        SweepError::State(StateError::Failed { path, reason }) => format!("{}を使えません: {reason}", path.display()),
        SweepError::Ports(count) => format!("ポートが{count}個あり、一回のスイープの上限（{PORTS_MAX}）を超えています"),
        SweepError::Unkept(reason) => format!("最後に受け取ったものを保存できませんでした: {reason}"),
    };
    say!("{error}", "{ja}")
}

fn of_discovery(error: &DiscoverError) -> Text {
    let ja = match error {
        DiscoverError::Simulated => return of_scan(&ScanError::Simulated),
        DiscoverError::Loopback => "ループバックアドレスにはパケットではなく接続を使ってください".to_string(),
        DiscoverError::Families => "パケットの送信先はIPv4かIPv6のどちらか一方にしてください。または接続を使ってください".to_string(),
        DiscoverError::NoPorts => "ポートが指定されていません".to_string(),
        DiscoverError::Link(_) => return Text::quoted(error.to_string()),
        DiscoverError::NotAllowed(source) => format!("パケットを送れません（CAP_NET_RAWが必要です）: {}", of_system(source).ja),
        DiscoverError::Network(source) => format!("ネットワークのエラー: {}", of_system(source).ja),
    };
    say!("{error}", "{ja}")
}

fn of_target(error: &TargetError) -> Text {
    let ja = match error {
        TargetError::Nobody => "スキャンの対象がありません".to_string(),
        TargetError::TooMany { count } => format!("対象が{count}件あり、一回のスキャンの上限を超えています"),
        TargetError::Forbidden { place, entry, denied } => {
            let why = match denied {
                Denied::NoAllowList => {
                    "ループバック、プライベート、ベンチマーク用の範囲ではありません。それ以外の範囲には許可リストが必要です".to_string()
                }
                Denied::NoContact => "公開アドレスです。相手に示す連絡先を指定してください".to_string(),
                Denied::NotListed => "許可リストに含まれていません".to_string(),
                Denied::Special { range, source_of } => format!("スキャンしない特殊用途の範囲{range}（{source_of}）と重なります"),
            };
            format!("{place}: {entry}は{why}")
        }
        TargetError::Unreadable { .. } | TargetError::Wrong { .. } => return Text::quoted(error.to_string()),
    };
    say!("{error}", "{ja}")
}

fn of_feed(error: &FeedError) -> Text {
    let ja = match error {
        FeedError::Unreadable { file, source } => format!("{file}: {}", of_system(source).ja),
        FeedError::Wrong { .. } => return Text::quoted(error.to_string()),
        FeedError::Targets { file, source } => format!("{file}: {}", of_target(source).ja),
    };
    say!("{error}", "{ja}")
}

fn of_blocklist(error: &BlocklistError) -> Text {
    let ja = match error {
        BlocklistError::Unreadable { file, source } => format!("ブロックリスト{file}: {}", of_system(source).ja),
        BlocklistError::Wrong { file, line, reason } => format!("ブロックリスト{file}:{line}: {reason}"),
        BlocklistError::HalfWritten { file, reason } => format!("ブロックリスト{file}は書きかけのようです: {reason}"),
    };
    say!("{error}", "{ja}")
}

fn of_simulator(error: &SimError) -> Text {
    let ja = match error {
        SimError::NoService(port) => format!("ポート{port}: 何が応答するかを{port}=httpのように指定してください"),
        SimError::NotSpoken { port, service, has } => {
            format!("ポート{port}: {service}で応答する機器が設定にありません。あるのは{has}です")
        }
        SimError::Listen { port, service, source } => format!("ポート{port}（{service}）で待ち受けられません: {}", of_system(source).ja),
        SimError::EveryPort { address, port, source } => {
            format!("すべてのポートで接続を受ける{address}のポート{port}で待ち受けられません: {}", of_system(source).ja)
        }
        SimError::Thread(source) => format!("シミュレーターを始められません: {}", of_system(source).ja),
    };
    say!("{error}", "{ja}")
}

fn of_import(error: &ReadError) -> Text {
    let ja = match error {
        ReadError::Unreadable { path, reason } => format!("{path}を読み取れません: {}", of_system(reason).ja),
        ReadError::Nothing(path) => format!("{path}にもその中の`xml`フォルダーにも*.xmlがありません"),
    };
    say!("{error}", "{ja}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once_in_either_language() {
        let missing = || std::io::Error::from_raw_os_error(2);
        let failure = Err::<(), _>(missing()).or_say(|| cannot_read("a.ksig")).expect_err("there is none");
        assert_eq!(said(&failure, Lang::En), "cannot read a.ksig: No such file or directory (os error 2)");
        assert_eq!(said(&failure, Lang::Ja), "a.ksigを読み取れません: ファイルやフォルダーが見つかりません（os error 2）");
        let of_library = BlocklistError::Unreadable { file: "b.txt".into(), source: missing() }.into();
        assert_eq!(said(&of_library, Lang::En), "blocklist b.txt: No such file or directory (os error 2)");
        assert_eq!(said(&of_library, Lang::Ja), "ブロックリストb.txt: ファイルやフォルダーが見つかりません（os error 2）");
        let too_large = failed(say!("too large", "大きすぎます"));
        assert_eq!((said(&too_large, Lang::En).as_str(), said(&too_large, Lang::Ja).as_str()), ("too large", "大きすぎます"));
    }
}
