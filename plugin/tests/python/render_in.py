"""Has a host from PyPI run the VST3 over a file of planar 32-bit floats.

    render_in.py pedalboard|dawdreamer BUNDLE PRESET IN OUT RATE_HZ CHANNELS BLOCK_FRAMES

PRESET is a .vstpreset. Prints one line of JSON: the latency that the host was told, and of pedalboard the
names of the parameters, whether an instance that was given another's state plays on from it, and by how much
the sound changes when a knob is turned.
"""

import json
import sys

import numpy as np


def in_pedalboard(bundle, preset, sound, rate_hz, block_frames):
    import pedalboard

    plugin = pedalboard.load_plugin(bundle)
    plugin.load_preset(preset)
    state = plugin.raw_state
    again = pedalboard.load_plugin(bundle)
    again.raw_state = state
    came_back = again.raw_state == state
    output = again.process(sound, rate_hz, buffer_size=block_frames, reset=True)
    latency = again.reported_latency_samples
    # A knob, as a host turns it.
    again.gain_gain_db = -12.0
    turned = again.process(sound, rate_hz, buffer_size=block_frames, reset=True)
    half = sound.shape[1] // 2
    power = [np.mean(np.square(part[:, half:], dtype=np.float64)) for part in (turned, output)]
    return output, {
        "latency": latency,
        "parameters": sorted(plugin.parameters),
        "state_comes_back": came_back,
        "turned_db": 10 * np.log10(power[0] / max(power[1], 1e-20)),
    }


def in_dawdreamer(bundle, preset, sound, rate_hz, block_frames):
    import dawdreamer

    engine = dawdreamer.RenderEngine(rate_hz, block_frames)
    source = engine.make_playback_processor("source", sound)
    plugin = engine.make_plugin_processor("plugin", bundle)
    channels = sound.shape[0]
    assert plugin.load_vst3_preset(preset)
    engine.load_graph([(source, []), (plugin, ["source"])])
    engine.render((sound.shape[1] + block_frames) / rate_hz)
    output = engine.get_audio()[:channels, : sound.shape[1]]
    return output, {"latency": plugin.get_latency_samples()}


def main():
    host, bundle, preset, source, target, rate_hz, channels, block_frames = sys.argv[1:]
    sound = np.fromfile(source, dtype=np.float32).reshape(int(channels), -1)
    run = {"pedalboard": in_pedalboard, "dawdreamer": in_dawdreamer}[host]
    output, report = run(bundle, preset, sound, int(rate_hz), int(block_frames))
    np.ascontiguousarray(output, dtype=np.float32).tofile(target)
    print(json.dumps(report))


main()
