use super::*;

#[derive(Debug, clap::Parser)]
struct Typed {
    #[command(flatten)]
    play: PlayArgs,
}

#[test]
fn a_lost_device_is_sought_by_its_identity_and_with_the_input_it_had() {
    let args = <Typed as clap::Parser>::parse_from(["headroom", "--output-device", "sta"]).play;
    let plan = Plan {
        args: &args,
        numbers: args.numbers().unwrap(),
        spec: &RackSpec::default(),
        origin: &Origin::BuiltIn("voice"),
        midi: None,
        publishers: None,
    };
    let facts = Facts {
        backend: Backend::Alsa,
        output: "Stage box".to_owned(),
        input: None,
        sample_rate_hz: 48_000,
        block_frames: None,
        input_clock: None,
        duplex: false,
    };
    let ids = DeviceIds {
        output: Some("hw:CARD=Stage".to_owned()),
        input: None,
    };
    let again = plan.wish_again(&facts, &ids);
    assert_eq!(again.output_device.as_deref(), Some("hw:CARD=Stage"));
    assert!(
        again.exact_output,
        "another that is called alike will not do"
    );
    assert!(!again.live_input, "it had none");
    let facts = Facts {
        input: Some("Mic".to_owned()),
        ..facts
    };
    let ids = DeviceIds {
        input: Some("hw:CARD=Mic".to_owned()),
        ..ids
    };
    let again = plan.wish_again(&facts, &ids);
    assert_eq!(again.input_device.as_deref(), Some("hw:CARD=Mic"));
    assert!(again.exact_input && again.live_input);
}

#[test]
fn a_device_that_asks_without_end_is_not_paced() {
    let watch = Duration::from_millis(120);
    assert!(is_paced(0, 48_000, watch));
    assert!(is_paced(5_760 + 16_384, 48_000, watch));
    assert!(!is_paced(1_000_000, 48_000, watch));
}
