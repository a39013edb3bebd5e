//! `ksig notice`: the text of the page that those who are called find behind the contact.

use std::net::IpAddr;

use ksig_lang::Lang;

use super::calling::duration;
use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer};
use crate::templates::{self, Template};

/// Write the text of the page that tells those who are called who calls, what is sent, and how to opt out
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig notice --contact https://scan.example.org --source 192.0.2.7 --opt-out scan@example.org > index.txt\n  ksig --lang ja notice --contact https://scan.example.org --source 192.0.2.7 --opt-out scan@example.org\n\nPut it where --contact leads, and under the name that the source addresses have in DNS. Lines `name: value` are for programs."
)]
pub struct Args {
    /// The contact that scans and sweeps show, where this page will be
    #[arg(long, value_name = "URL")]
    contact: String,
    /// Every address that calls; may be given several times
    #[arg(long, value_name = "ADDR", required = true)]
    source: Vec<IpAddr>,
    /// Where an opt-out is to be sent
    #[arg(long, value_name = "ADDRESS")]
    opt_out: String,
    /// How often a port is called, as a sweep's --cycle
    #[arg(long, value_name = "TIME", default_value = "14d", value_parser = duration)]
    cycle: std::time::Duration,
    /// How long observations are kept, as `ksig atlas forget --older-than`
    #[arg(long, value_name = "TIME", default_value = "400d", value_parser = duration)]
    kept: std::time::Duration,
    #[command(flatten)]
    release: ReleaseArgs,
}

impl Args {
    pub(super) fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        let release = self.release.release()?;
        let templates = templates::of(&release.plan().plan().probe_plan);
        answer(&self.page(&templates, lang))?;
        Ok(Outcome::Fine)
    }

    fn page(&self, templates: &[Template], lang: Lang) -> String {
        let days = |time: std::time::Duration| (time.as_secs() / 86_400).max(1);
        let (cycle, kept) = (days(self.cycle), days(self.kept));
        let Args { contact, opt_out, .. } = self;
        let sources = self.source.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
        let mut page = match lang {
            Lang::En => format!(
                "Why an address of ours called yours\n\n\
                 We look which devices stand open on the internet, of which maker, model and version, so that those who run networks can see what is out\n\
                 of support. Each port is called about once in {cycle} days, and twice or three times more where an answer stays away, as an ordinary client\n\
                 calls it: no password is ever tried, nothing is changed, no weakness is used. Everything that can be sent is listed below.\n\n\
                 To be left alone, write to {opt_out} and name your addresses or networks. From then on nothing is sent to them, and what was kept of\n\
                 them is deleted. Nobody has to give a reason. Blocking the addresses below does the same without a letter.\n\n\
                 What answers say is kept for {kept} days. Serial numbers, hardware addresses and names of machines are not shown to anybody.\n\n"
            ),
            Lang::Ja => format!(
                "このアドレスから接続があった理由\n\n\
                 インターネットに公開されている機器のメーカー、機種、バージョンを調査しています。サポートが終了した機器を、ネットワークの運用者が\n\
                 把握できるようにするためです。各ポートへの接続は{cycle}日に1回程度（応答がなくなった場合は数回）で、通常のクライアントと同じ要求だけを送ります。\n\
                 パスワードを試すこと、設定や状態を変更すること、脆弱性を利用することは一切ありません。送信する内容は以下にすべて示します。\n\n\
                 調査の停止を希望される場合は、対象のアドレスまたはネットワークを{opt_out}までお知らせください。以後は何も送信せず、保存した記録も\n\
                 削除します。理由は必要ありません。以下の送信元アドレスを遮断していただいても同じ結果になります。\n\n\
                 応答の記録は{kept}日間保存します。シリアル番号、ハードウェアアドレス、機器の名前は公開しません。\n\n"
            ),
        };
        page.push_str(&format!("contact: {contact}\nopt-out: {opt_out}\nsource: {sources}\ncycle-days: {cycle}\nkept-days: {kept}\n"));
        page.push_str(&format!("requests-sha256: {}\n\n", templates::sha256(templates)));
        for template in templates {
            let ports = template.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
            page.push_str(&format!("request: {} on {ports}\n", template.probe));
            page.extend(template.sends.iter().map(|message| format!("    {}\n", message.replace("<contact>", contact))));
        }
        page
    }
}
