//! Ports as a CLAP host arranges and switches them.

mod host;

use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::audio_ports_activation::{PluginAudioPortsActivation, SampleSize};
use clack_extensions::audio_ports_config::{PluginAudioPortsConfig, PluginAudioPortsConfigInfo};
use clack_extensions::configurable_audio_ports::{
    AudioPortRequest, AudioPortRequestDetails, PluginConfigurableAudioPorts,
};
use clack_host::utils::ClapId;
use host::{DUCKER, Instance, keyed, load, noise, rendered};

/// Channels of each port: in, the side-chain, out.
fn channels(instance: &mut Instance) -> [u32; 3] {
    let handle = instance.plugin.plugin_handle();
    let ports: PluginAudioPorts = handle.get_extension().expect("ports");
    assert_eq!(
        (ports.count(&handle, true), ports.count(&handle, false)),
        (2, 1)
    );
    [(true, 0), (true, 1), (false, 0)].map(|(is_input, index)| {
        let mut buffer = AudioPortInfoBuffer::new();
        let info = ports.get(&handle, index, is_input, &mut buffer);
        info.expect("a port").channel_count
    })
}

fn arrange(instance: &mut Instance, list: &[AudioPortRequest<'_>]) -> bool {
    let before = channels(instance);
    let handle = instance.plugin.plugin_handle();
    let ports: PluginConfigurableAudioPorts = handle.get_extension().expect("arrangements");
    let mut handle = instance
        .plugin
        .inactive_plugin_handle()
        .expect("not active");
    let can_be = ports.can_apply_configuration(&mut handle, list);
    assert_eq!(channels(instance), before, "it was only asked");
    let mut handle = instance
        .plugin
        .inactive_plugin_handle()
        .expect("not active");
    assert_eq!(ports.apply_configuration(&mut handle, list), can_be);
    can_be
}

const MONO: AudioPortRequestDetails<'static> = AudioPortRequestDetails::mono();
const STEREO: AudioPortRequestDetails<'static> = AudioPortRequestDetails::stereo();

fn request(
    is_input: bool,
    port: u32,
    details: AudioPortRequestDetails<'static>,
) -> AudioPortRequest<'static> {
    AudioPortRequest::new(is_input, port, details)
}

#[test]
fn ports_are_arranged_one_by_one_and_what_cannot_be_leaves_them() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    assert_eq!(channels(&mut instance), [2, 2, 2]);
    let (mono, key) = (
        |is_input| request(is_input, 0, MONO),
        |details| request(true, 1, details),
    );
    for (list, expected) in [
        (&[mono(true), mono(false), key(STEREO)][..], [1, 2, 1]),
        (&[key(MONO)], [1, 1, 1]),
        // What comes in goes out.
        (&[request(true, 0, STEREO)], [2, 1, 2]),
        (
            &[request(false, 0, AudioPortRequestDetails::untyped(1))],
            [1, 1, 1],
        ),
        (&[], [1, 1, 1]),
        (
            &[
                request(true, 0, STEREO),
                request(false, 0, STEREO),
                key(STEREO),
            ],
            [2, 2, 2],
        ),
    ] {
        assert!(arrange(&mut instance, list), "{expected:?}");
        assert_eq!(channels(&mut instance), expected);
    }
    for list in [
        &[mono(true), request(false, 0, STEREO)][..],
        &[request(true, 0, AudioPortRequestDetails::untyped(3))],
        &[key(AudioPortRequestDetails::untyped(0))],
        &[request(true, 2, STEREO)],
        &[request(false, 1, STEREO)],
    ] {
        assert!(!arrange(&mut instance, list), "{list:?}");
        assert_eq!(channels(&mut instance), [2, 2, 2]);
    }
}

#[test]
fn the_configurations_by_number_say_what_is_arranged() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    let current = |instance: &mut Instance| {
        let handle = instance.plugin.plugin_handle();
        let info: PluginAudioPortsConfigInfo = handle.get_extension().expect("information");
        info.current_config(&handle)
    };
    assert_eq!(current(&mut instance), Some(ClapId::new(0)));
    let handle = instance.plugin.plugin_handle();
    let configs: PluginAudioPortsConfig = handle.get_extension().expect("configurations");
    configs.select(&handle, ClapId::new(1)).expect("mono");
    assert!(configs.select(&handle, ClapId::new(2)).is_err());
    assert_eq!(channels(&mut instance), [1, 1, 1]);
    assert_eq!(current(&mut instance), Some(ClapId::new(1)));
    assert!(arrange(&mut instance, &[request(true, 1, STEREO)]));
    assert_eq!(current(&mut instance), None, "it is none of them");
}

#[test]
fn mono_with_a_side_chain_in_stereo_sounds_as_it_is_arranged() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(DUCKER);
    let list = [
        request(true, 0, MONO),
        request(false, 0, MONO),
        request(true, 1, STEREO),
    ];
    assert!(arrange(&mut instance, &list));
    instance.channels = 1;
    instance.start(48_000.0, 4_800);
    let (input, key) = (noise(3, 1, 4_800), noise(5, 2, 4_800));
    let output = instance.process_keyed(&input, &key, &[]);
    assert!(output == keyed(DUCKER, &input, &key));
    assert!(output != keyed(DUCKER, &input, &[]), "it is heard");
}

#[test]
fn a_side_chain_that_is_switched_off_is_none_until_it_is_on_again() {
    let entry = load();
    let (input, key) = (noise(3, 2, 2_400), noise(5, 2, 2_400));
    let (with, without) = (keyed(DUCKER, &input, &key), keyed(DUCKER, &input, &[]));
    assert!(with != without);
    let mut instance = Instance::new(&entry);
    instance.load_preset(DUCKER);
    instance.start(48_000.0, 2_400);
    let hears = |instance: &mut Instance, expected: &[Vec<f32>], what: &str| {
        instance.reset();
        let output = instance.process_keyed(&input, &key, &[]);
        assert!(output == expected, "{what}");
    };
    hears(&mut instance, &with, "on, as all ports are at first");
    assert!(instance.switch_key(false));
    hears(&mut instance, &without, "off while it plays");
    assert!(instance.switch_key(true));
    hears(&mut instance, &with, "on again");
    instance.stop();
    assert!(instance.switch_key(false));
    instance.start(48_000.0, 2_400);
    hears(&mut instance, &without, "off while it was not active");
}

#[test]
fn a_port_that_is_off_needs_no_buffers_and_no_other_can_be_switched() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(DUCKER);
    instance.start(48_000.0, 480);
    assert!(instance.switch_key(false));
    let input = noise(3, 2, 480);
    let output = instance.process_keyed(&input, &[], &[]);
    assert!(output == rendered_without_key(&input));
    instance.stop();
    let handle = instance.plugin.plugin_handle();
    let ports: PluginAudioPortsActivation = handle.get_extension().expect("switches");
    let mut handle = instance
        .plugin
        .inactive_plugin_handle()
        .expect("not active");
    let mut switch = |is_input, port, size| {
        ports.set_active_audio_inactive(&mut handle, is_input, port, true, size)
    };
    assert!(switch(true, 0, SampleSize::Unspecified));
    assert!(
        !switch(true, 1, SampleSize::Float64),
        "there are no such samples"
    );
    assert!(!switch(true, 2, SampleSize::Float32));
    assert!(!switch(false, 1, SampleSize::Float32));
}

fn rendered_without_key(input: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let output = keyed(DUCKER, input, &[]);
    assert!(
        output == rendered(DUCKER, 48_000, input),
        "without a key it follows itself"
    );
    output
}
