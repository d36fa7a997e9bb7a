//! Planted violations of the house's rules, and what must pass beside them.

use super::*;

/// Metadata of a workspace of `(package, imports)`.
fn metadata(packages: &[(&str, &[&str])]) -> Vec<Package> {
    let entry = |(name, imports): &(&str, &[&str])| {
        let imports: Vec<_> = imports
            .iter()
            .map(|name| serde_json::json!({ "name": name, "kind": null }))
            .collect();
        serde_json::json!({ "name": name, "dependencies": imports })
    };
    let entries: Vec<_> = packages.iter().map(entry).collect();
    super::packages(&serde_json::json!({ "packages": entries }).to_string()).unwrap()
}

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.into(),
        text: text.into(),
    }
}

#[test]
fn the_designs_own_arrows_pass() {
    let packages = metadata(&[
        ("headroom-ipc", &["libc"]),
        ("headroom-engine", &["headroom-ipc", "rtrb"]),
        ("headroom", &["headroom-engine", "cpal"]),
        ("headroom-plugin", &["headroom-engine"]),
        ("headroom-gui", &["headroom-ipc", "egui"]),
        (
            "headroom-tests",
            &["headroom", "headroom-engine", "headroom-gui"],
        ),
        ("headroom-bench", &["headroom-engine", "criterion"]),
        ("xtask", &["clap"]),
    ]);
    assert_eq!(import_violations(&packages, ARROWS), [""; 0]);
}

#[test]
fn each_import_against_the_arrows_is_named() {
    for (from, to) in [
        ("headroom-ipc", "headroom-engine"),
        ("headroom-engine", "headroom"),
        ("headroom-engine", "headroom-gui"),
        ("headroom-gui", "headroom-engine"),
        ("headroom-plugin", "headroom"),
        ("headroom", "headroom-plugin"),
        ("xtask", "headroom-engine"),
    ] {
        let packages = metadata(&[(from, &[to]), (to, &[])]);
        let found = import_violations(&packages, ARROWS);
        assert_eq!(found.len(), 1, "{from} -> {to}");
        assert!(
            found[0].contains(from) && found[0].contains(to),
            "{found:?}"
        );
    }
}

#[test]
fn the_test_kit_is_for_tests_alone() {
    for (kind, violations) in [("dev", 0), ("build", 1), ("", 1)] {
        let kind = (!kind.is_empty()).then_some(kind);
        let import = serde_json::json!({ "name": TEST_KIT, "kind": kind });
        let json = serde_json::json!({ "packages": [
            { "name": "headroom-gui", "dependencies": [import] },
            { "name": TEST_KIT, "dependencies": [] },
        ] });
        let packages = super::packages(&json.to_string()).unwrap();
        let found = import_violations(&packages, ARROWS);
        assert_eq!(found.len(), violations, "{kind:?}: {found:?}");
    }
}

#[test]
fn a_package_that_nobody_thought_of_is_named() {
    let packages = metadata(&[("headroom-cloud", &[])]);
    let found = import_violations(&packages, ARROWS);
    assert!(found.len() == 1 && found[0].contains("headroom-cloud"));
}

#[test]
fn unsafe_outside_the_listed_files_is_named_with_its_line() {
    let sources = [source("a.rs", "fn f() {\n    unsafe { g() }\n}\n")];
    let found = source_violations(&sources, &[], &[]);
    assert_eq!(
        found,
        ["a.rs:2: `unsafe` in a file that is not in UNSAFE_FILES"]
    );
}

#[test]
fn unsafe_in_any_of_its_forms_is_seen() {
    for text in [
        "unsafe fn f() {}",
        "unsafe impl Send for X {}",
        "unsafe trait T {}",
        "unsafe extern \"C\" { fn f(); }",
        "#[unsafe(no_mangle)] fn f() {}",
        "macro_rules! m { () => { unsafe { f() } } }",
        "#![allow(unsafe_code)]",
    ] {
        let found = source_violations(&[source("a.rs", text)], &[], &[]);
        assert_eq!(found.len(), 1, "{text}");
    }
}

#[test]
fn the_word_unsafe_in_comments_and_strings_is_none() {
    let text = "//! unsafe\n/// unsafe\nfn f() -> &'static str { /* unsafe */ r#\"unsafe\"# }\n";
    assert_eq!(
        source_violations(&[source("a.rs", text)], &[], &[]),
        [""; 0]
    );
}

#[test]
fn a_listed_file_may_be_unsafe_and_must_be() {
    let listed = &[("a.rs", "why")];
    let with = [source(
        "a.rs",
        "#![allow(unsafe_code)] fn f() { unsafe { g() } }",
    )];
    assert_eq!(source_violations(&with, listed, &[]), [""; 0]);
    let without = [source("a.rs", "#![allow(unsafe_code)] fn f() {}")];
    assert_eq!(source_violations(&without, listed, &[]).len(), 1);
    assert_eq!(source_violations(&[], listed, &[]).len(), 1);
}

#[test]
fn a_banned_name_is_named_with_its_reason() {
    let text = "use basedrop::SharedCell;\n";
    let found = source_violations(&[source("a.rs", text)], &[], BANNED);
    assert!(found.len() == 1 && found[0].contains("a.rs:1") && found[0].contains("race"));
}

#[test]
fn a_file_that_is_not_rust_is_named() {
    let found = source_violations(&[source("a.rs", "fn f( {")], &[], &[]);
    assert!(found.len() == 1 && found[0].contains("a.rs"));
}

#[test]
fn files_under_target_and_hidden_folders_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["src/deep/a.rs", "target/b.rs", ".git/c.rs", "d.txt"] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let sources = sources(folder.path()).unwrap();
    let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(paths, ["src/deep/a.rs"]);
}

#[test]
fn this_workspace_keeps_its_rules() {
    assert_eq!(violations().unwrap(), [""; 0]);
}
