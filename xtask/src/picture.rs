//! The demo's picture: the loop before and after a preset, one lane each, over bars and beats.

use crate::canvas::{Canvas, Colour};
use crate::error::Error;
use crate::loop_music::{BEAT_FRAMES, BEATS_PER_BAR};
use crate::wave::Wave;
use std::path::Path;

const WIDTH: usize = 1600;
const HEIGHT: usize = 900;
const LEFT: usize = 96;
const RIGHT: usize = 32;
const TOP: usize = 84;
const LANE_HEIGHT: usize = 340;
const LANE_GAP: usize = 44;

const BACKGROUND: Colour = [0x12, 0x15, 0x1b];
const LANE: Colour = [0x1a, 0x1f, 0x27];
const GRID: Colour = [0x8a, 0x96, 0xa8];
const TEXT: Colour = [0xe6, 0xea, 0xf0];
const FAINT: Colour = [0x8f, 0x9a, 0xaa];
const BEFORE: Colour = [0x5b, 0xa7, 0xe0];
const AFTER: Colour = [0xf2, 0xa2, 0x4b];
const CLIP: Colour = [0xff, 0x4d, 0x4d];

/// `[main]` Draws both pieces into a PNG. `before` starts at the first bar, and so does `after`.
pub(crate) fn save(path: &Path, title: &str, before: &Wave, after: &Wave) -> Result<(), Error> {
    draw(title, before, after).save(path)
}

fn draw(title: &str, before: &Wave, after: &Wave) -> Canvas {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, BACKGROUND);
    canvas.text([LEFT, 28], title, 4, TEXT);

    let frames = before.frames().max(after.frames()).max(1);
    let loudest = before.peak_dbfs().max(after.peak_dbfs());
    // Full scale fills the lane; what goes over it makes the lane's scale larger.
    let scale = Scale {
        frames,
        top: 10f64.powf(loudest.max(0.0) / 20.0) * 1.04,
        music_frames: before.frames(),
    };
    let below = TOP + LANE_HEIGHT + LANE_GAP;
    lane(&mut canvas, TOP, &scale, "before", before, BEFORE);
    lane(&mut canvas, below, &scale, "after", after, AFTER);
    time_axis(&mut canvas, below + LANE_HEIGHT + 12, &scale);
    canvas
}

/// What the axes stand for.
struct Scale {
    /// Frames over the whole width.
    frames: usize,
    /// Linear amplitude at the lane's edge.
    top: f64,
    /// Where the music ends and a tail begins.
    music_frames: usize,
}

const PLOT_WIDTH: usize = WIDTH - LEFT - RIGHT;

impl Scale {
    fn x(&self, frame: usize) -> usize {
        LEFT + (frame as f64 / self.frames as f64 * PLOT_WIDTH as f64).round() as usize
    }

    /// Offset of an amplitude from the lane's middle line, upwards.
    fn y(&self, amplitude: f64) -> f64 {
        amplitude / self.top * (LANE_HEIGHT as f64 / 2.0)
    }
}

fn lane(canvas: &mut Canvas, top: usize, scale: &Scale, name: &str, wave: &Wave, colour: Colour) {
    canvas.rect([LEFT, top], [PLOT_WIDTH, LANE_HEIGHT], LANE, 1.0);
    let middle = top as f64 + LANE_HEIGHT as f64 / 2.0;
    for db in [0i32, -6, -12, -24] {
        let offset = scale.y(10f64.powf(f64::from(db) / 20.0));
        for y in [middle - offset, middle + offset] {
            let at = [LEFT, y.round() as usize];
            canvas.rect(at, [PLOT_WIDTH, 1], GRID, if db == 0 { 0.45 } else { 0.2 });
        }
        let label = format!("{db} dB");
        let at = LEFT - 10 - Canvas::text_width(&label, 2);
        canvas.text([at, (middle - offset) as usize - 6], &label, 2, FAINT);
    }
    let mut beat = 0;
    while beat * BEAT_FRAMES <= scale.music_frames.min(scale.frames) {
        let strong = beat % BEATS_PER_BAR == 0;
        let x = scale.x(beat * BEAT_FRAMES).min(WIDTH - RIGHT - 1);
        canvas.rect(
            [x, top],
            [1, LANE_HEIGHT],
            GRID,
            if strong { 0.6 } else { 0.25 },
        );
        beat += 1;
    }
    envelope(canvas, middle, scale, wave, colour);
    canvas.rect([LEFT, middle as usize], [PLOT_WIDTH, 1], TEXT, 0.25);

    let (peak, rms) = (wave.peak_dbfs(), wave.rms_dbfs());
    canvas.text([LEFT + 12, top + 10], name, 3, colour);
    let figures = format!(
        "peak {peak:.1} dBFS   rms {rms:.1} dBFS   crest {:.1} dB",
        peak - rms
    );
    let at = WIDTH - RIGHT - 12 - Canvas::text_width(&figures, 2);
    canvas.text([at, top + 12], &figures, 2, TEXT);
}

/// The waveform: the span of all channels in each column, and their RMS as a brighter core.
fn envelope(canvas: &mut Canvas, middle: f64, scale: &Scale, wave: &Wave, colour: Colour) {
    let bright = colour.map(|c| c.saturating_add((255 - c) / 2));
    for column in 0..PLOT_WIDTH {
        let from = column * scale.frames / PLOT_WIDTH;
        // One frame of the next column too, so that columns join.
        let to = ((column + 1) * scale.frames / PLOT_WIDTH + 1).min(wave.frames());
        if from >= to {
            break;
        }
        let (mut low, mut high) = (f64::MAX, f64::MIN);
        for x in wave.channels.iter().flat_map(|c| &c[from..to]) {
            low = low.min(f64::from(*x));
            high = high.max(f64::from(*x));
        }
        // Over 50 ms, or the core would follow the bass's own waveform.
        let reach = wave.sample_rate_hz as usize / 40;
        let rms = rms(
            wave,
            from.saturating_sub(reach)..(to + reach).min(wave.frames()),
        );
        let (up, down) = (scale.y(high).max(0.5), scale.y(low).min(-0.5));
        let x = LEFT + column;
        canvas.column(x, middle - up, middle - down, colour, 0.8);
        let core = scale.y(rms);
        let (up, down) = (core.min(up), (-core).max(down));
        canvas.column(x, middle - up, middle - down, bright, 0.75);
        if high.max(-low) >= 1.0 {
            let lane_top = middle - LANE_HEIGHT as f64 / 2.0;
            canvas.column(x, lane_top, lane_top + 6.0, CLIP, 1.0);
        }
    }
}

fn rms(wave: &Wave, frames: std::ops::Range<usize>) -> f64 {
    let count = (frames.len() * wave.channels.len()).max(1);
    let samples = wave.channels.iter().flat_map(|c| &c[frames.clone()]);
    let sum: f64 = samples.map(|&x| f64::from(x).powi(2)).sum();
    (sum / count as f64).sqrt()
}

fn time_axis(canvas: &mut Canvas, top: usize, scale: &Scale) {
    let beats = scale.music_frames / BEAT_FRAMES;
    for beat in 0..beats {
        let (bar, of_bar) = (beat / BEATS_PER_BAR + 1, beat % BEATS_PER_BAR + 1);
        let x = scale.x(beat * BEAT_FRAMES);
        let colour = if of_bar == 1 { TEXT } else { FAINT };
        canvas.text([x + 4, top], &format!("{bar}.{of_bar}"), 2, colour);
    }
    if scale.frames > scale.music_frames + BEAT_FRAMES / 4 {
        canvas.text([scale.x(scale.music_frames) + 6, top], "tail", 2, FAINT);
    }
    let caption = "bars.beats at 100 BPM, 48 kHz stereo; bright: RMS, dark: peaks of both channels";
    canvas.text([LEFT, top + 28], caption, 2, FAINT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loop_music;

    fn music() -> Wave {
        let music = loop_music::render();
        Wave {
            sample_rate_hz: loop_music::SAMPLE_RATE_HZ,
            channels: vec![music.left, music.right],
        }
    }

    #[test]
    fn the_picture_is_a_png_of_its_size_and_shows_the_difference() {
        let folder = tempfile::tempdir().unwrap();
        let before = music();
        let mut quiet = before.clone();
        quiet.channels.iter_mut().flatten().for_each(|x| *x *= 0.25);
        let pixels = |after: &Wave| {
            let path = folder.path().join("picture.png");
            save(&path, "a title", &before, after).unwrap();
            let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
            let mut reader = png::Decoder::new(file).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((info.width, info.height), (WIDTH as u32, HEIGHT as u32));
            pixels
        };
        let amber = |pixels: &[u8]| {
            let is_amber = |p: &&[u8]| p[0] > 0xb0 && p[2] < 0xb0;
            pixels.chunks(3).filter(is_amber).count()
        };
        let (same, softer) = (amber(&pixels(&before)), amber(&pixels(&quiet)));
        assert!(softer * 2 < same, "{softer} of {same} pixels");
        assert!(softer > 0);
    }

    #[test]
    fn a_single_loud_sample_reaches_its_level_in_its_lane() {
        let mut wave = Wave {
            sample_rate_hz: 48_000,
            channels: vec![vec![0.0; 48_000]; 2],
        };
        let marked = |wave: &Wave| {
            let canvas = draw("", wave, wave);
            // -3 dBFS, a little inside: between the lines of 0 and -6 dB, where nothing else is.
            let y = TOP + LANE_HEIGHT / 2 - (LANE_HEIGHT as f64 * 0.5 * 0.66) as usize;
            let x = LEFT + PLOT_WIDTH / 2;
            (x - 2..=x + 2).any(|x| {
                let [red, _, blue] = canvas.pixel(x, y);
                blue > 0x60 && blue > red
            })
        };
        assert!(!marked(&wave));
        wave.channels[1][24_000] = 0.7079;
        assert!(marked(&wave));
    }

    #[test]
    fn silence_and_nothing_are_drawn_without_a_fault() {
        let nothing = Wave {
            sample_rate_hz: 48_000,
            channels: vec![],
        };
        let silence = Wave {
            sample_rate_hz: 48_000,
            channels: vec![vec![0.0; 100]; 2],
        };
        draw("nothing", &nothing, &nothing);
        draw("silence", &nothing, &silence);
    }
}
