"""Has DawDreamer (JUCE) play the VST3 with its window open, and does what it is told.

    in_dawdreamer.py BUNDLE PRESET

PRESET is a .vstpreset. Reads a command from each line of its input, and answers each by a line of JSON:

    open          opens the editor; answers when it has been closed
    value NAME    the parameter's position
    text NAME     what it says; while the editor is closed
    render        renders two seconds of noise once
    play          renders two seconds of noise over and over, and compares each with the first
    stop          ends that: how many there were, and how many were otherwise than the first
    quit
"""

import json
import queue
import sys
import threading

import numpy as np
import dawdreamer

RATE_HZ = 48_000
SECS = 2


class Host:
    def __init__(self, bundle, preset):
        self.engine = dawdreamer.RenderEngine(RATE_HZ, 512)
        noise = np.random.default_rng(1).random((2, SECS * RATE_HZ)).astype(np.float32) - 0.5
        source = self.engine.make_playback_processor("source", noise)
        self.plugin = self.engine.make_plugin_processor("plugin", bundle)
        assert self.plugin.load_vst3_preset(preset)
        self.engine.load_graph([(source, []), (self.plugin, ["source"])])
        count = self.plugin.get_plugin_parameter_size()
        self.ids = {self.plugin.get_parameter_name(at): at for at in range(count)}
        self.answers = threading.Lock()
        self.waiting = queue.Queue()
        self.is_playing = False
        self.player = None

    def answer(self, **what):
        with self.answers:
            print(json.dumps(what), flush=True)

    def render(self):
        self.engine.render(SECS)
        return self.engine.get_audio().copy()

    def play(self):
        first = self.render()
        dry = np.sqrt(np.mean(np.square(first, dtype=np.float64)))
        renders, others = 1, 0
        self.answer(rms=float(dry))
        while self.is_playing:
            others += not np.array_equal(self.render(), first)
            renders += 1
        self.answer(renders=renders, others=others)

    def listen(self):
        for line in sys.stdin:
            command, _, rest = line.strip().partition(" ")
            if command == "value":
                self.answer(position=self.plugin.get_parameter(self.ids[rest]))
            elif command == "render":
                sound = self.render()
                self.answer(rms=float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))))
            elif command == "play":
                self.is_playing = True
                self.player = threading.Thread(target=self.play)
                self.player.start()
            elif command == "stop":
                self.is_playing = False
                self.player.join()
            else:
                self.waiting.put((command, rest))
        self.waiting.put(("quit", ""))


host = Host(*sys.argv[1:])
host.answer(parameters=len(host.ids))
threading.Thread(target=host.listen, daemon=True).start()
# JUCE's windows live on the main thread, and some answers come from there.
while True:
    command, name = host.waiting.get()
    if command == "open":
        host.plugin.open_editor()
        host.answer(closed=True)
    elif command == "text":
        host.answer(text=host.plugin.get_parameter_text(host.ids[name]))
    else:
        break
