//! What stands in `editors/` fits the language and the server, and the set-ups that it shows start it.

use std::collections::BTreeSet;
use std::process::Command;

use ksig_tests::binary::{ksig, workspace};
use ksig_tests::client::Client;
use serde_json::Value;

fn read(name: &str) -> String {
    let path = workspace().join("editors").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn object(name: &str) -> Value {
    serde_json::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The words of `(?:a|b|c)` in a pattern of the grammar.
fn words(grammar: &Value, rule: &str) -> BTreeSet<String> {
    let pattern = grammar["repository"][rule]["match"].as_str().unwrap_or_else(|| panic!("{rule} is a pattern"));
    let inside = pattern.split_once("(?:").and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(inside, _)| inside);
    inside.split('|').map(str::to_string).collect()
}

#[test]
fn the_grammar_of_colours_has_the_words_of_the_language() {
    let grammar = object("vscode/syntaxes/ksig.tmLanguage.json");
    let own = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<BTreeSet<String>>();
    assert_eq!(words(&grammar, "keyword"), own(&ksig_lang::words::all()));
    assert_eq!(words(&grammar, "metadata"), own(ksig_compiler::words::METADATA));
    for pattern in grammar["patterns"].as_array().into_iter().flatten() {
        let name = pattern["include"].as_str().unwrap_or_default().trim_start_matches('#');
        assert!(grammar["repository"][name].is_object(), "{name} is a rule");
    }
}

#[test]
fn the_extension_is_whole() {
    let package = object("vscode/package.json");
    object("vscode/language-configuration.json");
    let folder = workspace().join("editors/vscode");
    let named =
        [&package["main"], &package["contributes"]["grammars"][0]["path"], &package["contributes"]["languages"][0]["configuration"]];
    for path in named.map(|path| folder.join(path.as_str().unwrap_or_default())) {
        assert!(path.is_file(), "{}", path.display());
    }
    match Command::new("node").arg("--check").arg(folder.join("extension.js")).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("extension.js is not checked: node: {error}"),
    }
}

/// The first fence of a language in the README.
fn fence(language: &str) -> String {
    let text = read("README.md");
    let start = text.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("a fence of {language}")).1;
    start.split("```").next().unwrap_or_default().to_string()
}

#[test]
fn the_set_up_of_helix_is_toml_that_starts_the_server() {
    let set_up: toml::Table = fence("toml").parse().expect("TOML");
    let server = &set_up["language-server"]["ksig"];
    assert_eq!(server["command"].as_str(), Some("ksig"));
    let arguments: Vec<&str> = server["args"].as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect();
    assert_eq!(arguments, ["lsp"]);
    let language = &set_up["language"][0];
    assert_eq!(language["language-servers"][0].as_str(), Some("ksig"));
    let mut client = Client::start(&arguments[1..]);
    let can = client.hello(&workspace().join("signatures"), true);
    assert_eq!(can["serverInfo"]["name"], "ksig");
    assert_eq!(client.goodbye(), Some(0));
}

/// Neovim, when there is one, and its version.
fn neovim() -> Option<(u32, u32)> {
    let output = Command::new("nvim").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.lines().next()?.trim_start_matches("NVIM v").split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[test]
fn neovim_shows_a_problem_of_a_file_that_is_wrong() {
    let Some(version) = neovim() else { return println!("Neovim is not asked: there is no nvim") };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().canonicalize().expect("the folder is there");
    let file = root.join("signatures/a.ksig");
    std::fs::create_dir_all(root.join("signatures")).expect("a folder");
    std::fs::write(&file, "ksig 1\nmodule a\nprobe top = http.got(\"/\")\n").expect("a file");
    let set_up = if version >= (0, 11) {
        fence("lua")
    } else {
        // Before 0.11 a client is started by hand.
        println!("Neovim {version:?} has no vim.lsp.config: the server is started by vim.lsp.start_client");
        let start = "local id = vim.lsp.start_client({ name = \"ksig\", cmd = { \"ksig\", \"lsp\" }, root_dir = vim.fn.getcwd() })";
        format!(
            "vim.cmd('autocmd BufReadPost *.ksig lua Attach()')\nfunction Attach()\n  {start}\n  vim.lsp.buf_attach_client(0, id)\nend\n"
        )
    };
    let said = root.join("said.json");
    let ask = format!(
        "assert(loadfile('shown.lua'))\nvim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end)\nlocal out = io.open({:?}, 'w')\nout:write(vim.fn.json_encode(vim.diagnostic.get(0)))\nout:close()\nvim.cmd('qa!')\n",
        said.display().to_string()
    );
    // What is shown for 0.11 is Lua for every version.
    std::fs::write(root.join("shown.lua"), fence("lua")).expect("a file");
    std::fs::write(root.join("init.lua"), set_up).expect("a file");
    std::fs::write(root.join("ask.lua"), ask).expect("a file");
    std::os::unix::fs::symlink(ksig(), root.join("ksig")).expect("a link");
    let path = format!("{}:{}", root.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("nvim");
    command.args(["--headless", "-u"]).arg(root.join("init.lua")).arg(&file).args(["-c", "luafile ask.lua"]);
    command.current_dir(&root).env("PATH", path).env("HOME", &root).env("XDG_CONFIG_HOME", &root).env("XDG_STATE_HOME", &root);
    let finished = ksig_tests::binary::Running::start(command).wait();
    let shown = std::fs::read_to_string(&said).unwrap_or_else(|error| panic!("{error}: {finished:?}"));
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown[0]["code"], "unknown-probe", "{shown}");
}
