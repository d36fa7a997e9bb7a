//! Plain columns for people.

use std::fmt::Write as _;

/// Aligns columns to their widest cell, two spaces apart; the last column is as long as it is.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            // PANIC: writing into a String cannot fail.
            write!(line, "{cell:<width$}  ").unwrap();
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_start_below_each_other() {
        let rows = [
            ["a".to_owned(), "1".to_owned()],
            ["long°".to_owned(), String::new()],
        ];
        assert_eq!(columns(&rows), "a      1\nlong°\n");
    }
}
