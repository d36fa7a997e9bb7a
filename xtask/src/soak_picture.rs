//! The soak's picture: resident memory over hours of audio.

use crate::canvas::{Canvas, Colour};
use crate::error::Error;
use std::path::Path;

const SIZE: [usize; 2] = [1200, 500];
const LEFT: usize = 130;
const TOP: usize = 70;
const PLOT: [usize; 2] = [1030, 360];

const BACKGROUND: Colour = [0x12, 0x15, 0x1b];
const LANE: Colour = [0x1a, 0x1f, 0x27];
const GRID: Colour = [0x8a, 0x96, 0xa8];
const TEXT: Colour = [0xe6, 0xea, 0xf0];
const FAINT: Colour = [0x8f, 0x9a, 0xaa];
const BYTES: Colour = [0x5b, 0xa7, 0xe0];

/// `[main]` Draws the file that the soak wrote into a PNG.
pub(crate) fn save(csv: &Path, picture: &Path) -> Result<(), Error> {
    let text = std::fs::read_to_string(csv).map_err(|source| Error::file(csv, source))?;
    draw(&looks(&text)).save(picture)?;
    println!("{}", picture.display());
    Ok(())
}

/// Hours and MiB of each line that is whole.
fn looks(csv: &str) -> Vec<[f64; 2]> {
    let look = |line: &str| {
        let mut fields = line.split(',').map(|field| field.parse::<f64>().ok());
        Some([fields.next()?? / 3_600.0, fields.next()?? / 1_048_576.0])
    };
    csv.lines().filter_map(look).collect()
}

fn draw(looks: &[[f64; 2]]) -> Canvas {
    let mut canvas = Canvas::new(SIZE[0], SIZE[1], BACKGROUND);
    canvas.text(
        [LEFT, 24],
        "resident memory in MiB over hours of audio",
        3,
        TEXT,
    );
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
        let at = x(hour).saturating_sub(Canvas::text_width(&label, 2) / 2);
        canvas.text([at, TOP + PLOT[1] + 14], &label, 2, FAINT);
    }
    for pair in looks.windows(2) {
        let (from, to) = (x(pair[0][0]), x(pair[1][0]));
        for column in from..=to {
            let part = (column - from) as f64 / (to - from).max(1) as f64;
            let row = y(pair[0][1] + part * (pair[1][1] - pair[0][1]));
            canvas.column(column, row - 1.5, row + 1.5, BYTES, 1.0);
        }
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row of the curve in a column.
    fn row(canvas: &Canvas, column: usize) -> usize {
        let is_curve = |&y: &usize| canvas.pixel(column, y) == BYTES;
        (TOP..TOP + PLOT[1])
            .find(is_curve)
            .expect("there is a curve")
    }

    #[test]
    fn what_grows_rises_and_what_does_not_is_level() {
        let csv = |grow: usize| {
            let line = |i: usize| format!("{}.0,{},0\n", i * 600, 4_000_000 + i * grow);
            "audio_secs,resident_bytes,retired_bytes\n".to_owned()
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
            "audio_secs,resident_bytes,retired_bytes\n600.0,4000000,0\n12",
        ));
        draw(&looks(""));
    }
}
