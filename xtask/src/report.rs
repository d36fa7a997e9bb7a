//! The JSON report that the program's `play` and `render` end with.

use crate::error::Error;
use serde_json::Value;
use std::path::Path;

/// One report: the object that stands last in the program's output.
#[derive(Debug)]
pub(crate) struct Report {
    from: String,
    json: Value,
}

impl Report {
    /// Finds the report in what `from` printed: the last line that begins with a brace begins it.
    pub(crate) fn find(from: &str, printed: &str) -> Result<Report, Error> {
        let begins_line = |at: &usize| *at == 0 || printed.as_bytes()[at - 1] == b'\n';
        let start = printed
            .match_indices('{')
            .map(|(at, _)| at)
            .rfind(begins_line)
            .ok_or_else(|| Error::output(from, "printed no JSON report"))?;
        let json = serde_json::from_str(&printed[start..]).map_err(|error| {
            Error::output(from, format!("its JSON report is not JSON: {error}"))
        })?;
        Ok(Report {
            from: from.to_owned(),
            json,
        })
    }

    /// A number by its path in the report, such as `audio_thread.block_ns.p99`.
    pub(crate) fn number(&self, path: &str) -> Result<f64, Error> {
        self.at(path)
            .as_f64()
            .ok_or_else(|| Error::output(&self.from, format!("its report has no number `{path}`")))
    }

    /// A text by its path in the report.
    pub(crate) fn text(&self, path: &str) -> Result<&str, Error> {
        self.at(path)
            .as_str()
            .ok_or_else(|| Error::output(&self.from, format!("its report has no text `{path}`")))
    }

    fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.json, |value, key| &value[key])
    }

    /// `[main]` Writes the report, indented.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        let text = format!("{:#}\n", self.json);
        std::fs::write(path, text).map_err(|source| Error::file(path, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_object_is_the_report_on_one_line_or_many() {
        for printed in [
            "{\"frames\": 1}\nplaying\n{\"a\": {\"b\": 2.5}, \"backend\": \"null\"}\n",
            "{\n  \"a\": {\n    \"b\": 2.5\n  },\n  \"backend\": \"null\"\n}\n",
        ] {
            let report = Report::find("play", printed).unwrap();
            assert_eq!(report.number("a.b").unwrap(), 2.5);
            assert_eq!(report.text("backend").unwrap(), "null");
        }
    }

    #[test]
    fn what_a_report_lacks_is_named() {
        let report = Report::find("play", "{\"frames\": 1}").unwrap();
        let error = report
            .number("audio_thread.blocks")
            .unwrap_err()
            .to_string();
        assert!(error.contains("play") && error.contains("audio_thread.blocks"));
        assert!(Report::find("play", "nothing here").is_err());
        assert!(Report::find("play", "{\"frames\": ").is_err());
    }
}
