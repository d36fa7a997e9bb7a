//! Claims about what is installed, and how.

use super::*;

fn need(probe: Probe) -> Need {
    Need {
        what: "a thing",
        probe,
        apt: &["thing", "thing-dev"],
        dnf: &["thing"],
        pacman: &["thing"],
        brew: &[],
    }
}

#[test]
fn what_is_there_is_not_missing_and_what_is_not_is() {
    let there = need(Probe::Program("sh"));
    let absent = need(Probe::Program("no-such-program-anywhere"));
    let no_library = need(Probe::Library("no-such-library-anywhere"));
    let found = missing(&[&there, &absent, &no_library], Some(Manager::Apt));
    assert_eq!(found.len(), 2);
    assert!(!std::ptr::eq(found[0], &there) && !std::ptr::eq(found[1], &there));
}

#[test]
fn a_system_that_does_without_a_thing_never_misses_it() {
    let absent = need(Probe::Program("no-such-program-anywhere"));
    assert!(missing(&[&absent], Some(Manager::Brew)).is_empty());
}

#[test]
fn each_package_is_named_once() {
    let (one, two) = (need(Probe::PythonVenv), need(Probe::PythonVenv));
    assert_eq!(Manager::Apt.packages(&[&one, &two]), ["thing", "thing-dev"]);
}

#[test]
fn apt_waits_for_the_lock_asks_nothing_and_takes_sudo_only_if_not_root() {
    let root = Manager::Apt.install(&["thing"], Privileges::Root).join(" ");
    assert_eq!(
        root,
        "env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=590 install --yes \
         --no-install-recommends thing"
    );
    let user = Manager::Apt.install(&["thing"], Privileges::Sudo).join(" ");
    assert_eq!(user, format!("sudo {root}"));
    let quiet = Manager::Apt.install(&["thing"], Privileges::SudoQuietly);
    assert_eq!(quiet.join(" "), format!("sudo -n {root}"));
}

#[test]
fn brew_never_runs_as_root() {
    let install = Manager::Brew.install(&["sox"], Privileges::Sudo);
    assert_eq!(install.join(" "), "brew install sox");
}

#[test]
fn package_lists_without_a_candidate_are_too_old() {
    assert!(has_candidate(
        "sox:\n  Installed: (none)\n  Candidate: 14.4.2\n"
    ));
    assert!(!has_candidate(
        "sox:\n  Installed: (none)\n  Candidate: (none)\n"
    ));
    assert!(!has_candidate(""));
}

#[test]
fn every_need_can_be_met_on_every_linux() {
    for need in [BUILD, TEST, PYTHON, VALGRIND].into_iter().flatten() {
        for manager in [Manager::Apt, Manager::Dnf, Manager::Pacman] {
            assert!(!manager.of(need).is_empty(), "{} on {manager:?}", need.what);
        }
    }
}
