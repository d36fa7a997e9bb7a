//! Tables for people: aligned, and Markdown at the same time.

/// A table: the first column is text, the others are figures.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Table {
            rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()],
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as text, a line each row, the first row set off as Markdown does.
    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let lengths = self
                    .rows
                    .iter()
                    .map(|row| cell(row, column).chars().count());
                lengths.max().unwrap_or(0).max(3)
            })
            .collect();
        let line = |row: &[String]| {
            let mut line = String::from("|");
            for (column, width) in widths.iter().enumerate() {
                let cell = cell(row, column);
                let padding = " ".repeat(width - cell.chars().count());
                line += &match column {
                    0 => format!(" {cell}{padding} |"),
                    _ => format!(" {padding}{cell} |"),
                };
            }
            line + "\n"
        };
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| match column {
                0 => "-".repeat(*width),
                _ => "-".repeat(width - 1) + ":",
            })
            .collect();
        let mut text = String::new();
        for (i, row) in self.rows.iter().enumerate() {
            text += &line(row);
            if i == 0 {
                text += &line(&rule);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_figures_stand_right() {
        let mut table = Table::new(&["module", "ns"]);
        table.row(vec!["eq".into(), "12.34".into()]);
        table.row(vec!["compressor".into()]);
        let expected = "\
            | module     |    ns |\n\
            | ---------- | ----: |\n\
            | eq         | 12.34 |\n\
            | compressor |       |\n";
        assert_eq!(table.text(), expected);
    }
}
