//! What `ksig` says of itself to shells and to `man`.

use std::process::Command;

use ksig_tests::binary::run_in;

#[test]
fn every_shell_gets_a_script_that_names_the_commands() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run_in(folder.path(), &["completions", shell]);
        assert_eq!(script.code, Some(0), "{}", script.stderr);
        for word in ["check", "identify", "lsp", "deny-warnings"] {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
        let (path, checker) = match shell {
            "bash" => ("ksig.bash", vec!["bash", "-n"]),
            "zsh" => ("_ksig", vec!["zsh", "-n"]),
            "fish" => ("ksig.fish", vec!["fish", "--no-execute"]),
            _ => continue,
        };
        std::fs::write(folder.path().join(path), &script.stdout).expect("a file");
        match Command::new(checker[0]).args(&checker[1..]).arg(path).current_dir(folder.path()).output() {
            Ok(checked) => assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr)),
            Err(error) => println!("the script for {shell} is not read by it: {error}"),
        }
    }
    assert_eq!(run_in(folder.path(), &["completions", "cmd"]).code, Some(2));
}

#[test]
fn bash_completes_a_command() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = run_in(folder.path(), &["completions", "bash"]).stdout;
    let ask = "COMP_WORDS=(ksig ch); COMP_CWORD=1; _ksig ksig ch ksig; echo \"${COMPREPLY[@]}\"";
    match Command::new("bash").args(["--norc", "-c", &format!("{script}\n{ask}")]).output() {
        Ok(said) => assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "check", "{}", String::from_utf8_lossy(&said.stderr)),
        Err(error) => println!("bash does not complete: {error}"),
    }
}

#[test]
fn the_manual_has_a_page_for_each_command_and_man_shows_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = run_in(folder.path(), &["man"]);
    assert!(page.stdout.starts_with(".ie") || page.stdout.contains(".TH ksig 1"), "{}", page.stdout);
    let written = run_in(folder.path(), &["man", "-o", "man1"]);
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let help = run_in(folder.path(), &["--help"]).stdout;
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next()).unwrap_or_default();
    let commands: Vec<&str> =
        commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|word| !word.is_empty()).collect();
    assert!(commands.len() > 15, "{help}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let path = folder.path().join(format!("man1/ksig-{command}.1"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(page.contains(".SH DESCRIPTION") && page.contains(".SH OPTIONS"), "{command}");
        let reader = ["mandoc", "man"].into_iter().find_map(|reader| {
            let mut command = Command::new(reader);
            command
                .args(if reader == "man" { vec!["-l"] } else { vec!["-T", "utf8"] })
                .arg(&path)
                .env("MANPAGER", "cat")
                .env("PAGER", "cat");
            command.output().ok()
        });
        match reader {
            Some(shown) => {
                let text = String::from_utf8_lossy(&shown.stdout).into_owned();
                assert!(shown.status.success() && text.contains(command), "{command}: {text}{}", String::from_utf8_lossy(&shown.stderr));
            }
            None => println!("the page of {command} is shown by nobody: there is neither man nor mandoc"),
        }
    }
}
