//! The soak's picture: what is resident and what is in use, over hours of audio.

use crate::canvas::{Canvas, Colour};
use crate::error::Error;
use std::path::Path;

const SIZE: [usize; 2] = [1200, 500];
const LEFT: usize = 130;
const TOP: usize = 70;
const PLOT: [usize; 2] = [1030, 360];
/// The row of the hours.
const LABELS: usize = TOP + PLOT[1] + 14;
/// What is kept free at the right.
const MARGIN: usize = 8;

const BACKGROUND: Colour = [0x12, 0x15, 0x1b];
const LANE: Colour = [0x1a, 0x1f, 0x27];
const GRID: Colour = [0x8a, 0x96, 0xa8];
const TEXT: Colour = [0xe6, 0xea, 0xf0];
const FAINT: Colour = [0x8f, 0x9a, 0xaa];
const RESIDENT: Colour = [0x5b, 0xa7, 0xe0];
const IN_USE: Colour = [0xe0, 0xa0, 0x5b];

/// `[main]` Draws the file that the soak wrote into a PNG.
pub(crate) fn save(csv: &Path, picture: &Path) -> Result<(), Error> {
    let text = std::fs::read_to_string(csv).map_err(|source| Error::file(csv, source))?;
    draw(&looks(&text)).save(picture)?;
    println!("{}", picture.display());
    Ok(())
}

/// Hours, and MiB resident and in use, of each line that is whole.
fn looks(csv: &str) -> Vec<[f64; 3]> {
    let look = |line: &str| {
        let fields: Option<Vec<f64>> = line.split(',').map(|field| field.parse().ok()).collect();
        let [secs, resident, _retired, in_use] = fields?.try_into().ok()?;
        Some([secs / 3_600.0, resident / 1_048_576.0, in_use / 1_048_576.0])
    };
    csv.lines().filter_map(look).collect()
}

fn draw(looks: &[[f64; 3]]) -> Canvas {
    let mut canvas = Canvas::new(SIZE[0], SIZE[1], BACKGROUND);
    let mut at = LEFT;
    for (words, colour) in [
        ("MiB over hours of audio: ", TEXT),
        ("resident, ", RESIDENT),
        ("in use", IN_USE),
    ] {
        canvas.text([at, 24], words, 3, colour);
        at += Canvas::text_width(words, 3) + 3;
    }
    canvas.rect([LEFT, TOP], PLOT, LANE, 1.0);
    let hours = looks.iter().fold(1e-9, |most: f64, look| most.max(look[0]));
    let highest = looks.iter().fold(1.0, |most: f64, look| most.max(look[1]));
    // From 0, so that what is flat looks flat.
    let top = highest * 1.15;
    let x = |at: f64| LEFT + (at / hours * (PLOT[0] - 1) as f64) as usize;
    let y = |mib: f64| TOP as f64 + (1.0 - mib / top) * PLOT[1] as f64;
    for part in 0..=4 {
        let mib = highest * f64::from(part) / 4.0;
        let row = (y(mib) as usize).min(TOP + PLOT[1] - 1);
        canvas.rect([LEFT, row], [PLOT[0], 1], GRID, 0.25);
        let label = format!("{mib:.2}");
        let at = LEFT - 10 - Canvas::text_width(&label, 2);
        canvas.text([at, row - 6], &label, 2, FAINT);
        let hour = hours * f64::from(part) / 4.0;
        let label = format!("{hour:.2} h");
        canvas.text([label_left(x(hour), &label), LABELS], &label, 2, FAINT);
    }
    for (of, colour) in [(1, RESIDENT), (2, IN_USE)] {
        for pair in looks.windows(2) {
            let (from, to) = (x(pair[0][0]), x(pair[1][0]));
            for column in from..=to {
                let part = (column - from) as f64 / (to - from).max(1) as f64;
                let row = y(pair[0][of] + part * (pair[1][of] - pair[0][of]));
                canvas.column(column, row - 1.5, row + 1.5, colour, 1.0);
            }
        }
    }
    canvas
}

/// Where a label begins that stands in the middle under a column, as far as the picture is wide enough.
fn label_left(column: usize, label: &str) -> usize {
    let width = Canvas::text_width(label, 2);
    let left = column.saturating_sub(width / 2);
    left.min(SIZE[0] - MARGIN - width)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row of the curve of what is resident in a column.
    fn row(canvas: &Canvas, column: usize) -> usize {
        let is_curve = |&y: &usize| canvas.pixel(column, y) == RESIDENT;
        (TOP..TOP + PLOT[1])
            .find(is_curve)
            .expect("there is a curve")
    }

    #[test]
    fn what_grows_rises_and_what_does_not_is_level() {
        let csv = |grow: usize| {
            let line = |i: usize| format!("{}.0,{},0,40000\n", i * 600, 4_000_000 + i * grow);
            "audio_secs,resident_bytes,retired_bytes,in_use_bytes\n".to_owned()
                + &(1..=40).map(line).collect::<String>()
        };
        let ends = |grow| {
            let canvas = draw(&looks(&csv(grow)));
            [LEFT + 60, LEFT + PLOT[0] - 20].map(|column| row(&canvas, column))
        };
        let [start, end] = ends(0);
        assert_eq!(start, end);
        let [start, end] = ends(200_000);
        assert!(end + 100 < start, "{start} to {end}");
    }

    #[test]
    fn a_run_that_was_cut_short_is_drawn() {
        draw(&looks(
            "audio_secs,resident_bytes,retired_bytes,in_use_bytes\n600.0,4000000,0,40000\n12",
        ));
        draw(&looks(""));
    }

    #[test]
    fn no_label_is_cut_off_at_the_right() {
        let csv = (1..=48).map(|i| format!("{}.0,4000000,0,40000\n", i * 1_800));
        let canvas = draw(&looks(&csv.collect::<String>()));
        let is_empty =
            |column: usize| (0..SIZE[1]).all(|row| canvas.pixel(column, row) == BACKGROUND);
        assert!((SIZE[0] - MARGIN..SIZE[0]).all(is_empty));
        // Its last letter stands there whole: no column beside the picture is missing.
        let label = "24.00 h";
        let left = label_left(LEFT + PLOT[0] - 1, label);
        let end = left + Canvas::text_width(label, 2);
        assert!(end <= SIZE[0] - MARGIN && !is_empty(end - 1));
    }
}
