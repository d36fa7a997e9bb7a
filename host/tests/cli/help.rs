use super::*;

#[test]
fn help_and_version_are_printed_on_request() {
    let place = Place::new();
    assert_eq!(
        place.succeed(&["--version"]).trim(),
        concat!("headroom ", env!("CARGO_PKG_VERSION"))
    );
    let help = place.succeed(&["help"]);
    for command in ["play", "render", "devices", "doctor", "modules", "presets"] {
        assert!(help.contains(command), "{help}");
        assert!(
            place
                .succeed(&["help", command])
                .contains("Usage: headroom")
        );
    }
    let render = place.succeed(&["render", "--help"]);
    for option in ["--preset", "--block", "--tail", "--format", "--json"] {
        assert!(render.contains(option), "{render}");
    }
}

#[test]
fn usage_errors_have_an_exit_code_of_their_own() {
    let place = Place::new();
    for args in [
        &["render"][..],
        &["render", "in.wav"],
        &["dance"],
        &["render", "a", "b", "--format", "s8"],
    ] {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty());
    }
}
