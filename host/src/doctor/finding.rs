//! What a check says.

use serde::Serialize;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing to do.
    Ok,
    /// It works, and would be safer otherwise.
    Warn,
    /// Sound will not be on time, or there is none.
    Fail,
    /// The machine does not tell.
    Unknown,
}

/// One check's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check: a word that stays the same from release to release.
    pub id: String,
    /// How it stands.
    pub status: Status,
    /// What was found, in plain words.
    pub found: String,
    /// What to do about it, where there is something to do.
    pub advice: Option<String>,
}

impl Finding {
    /// `[any]` Nothing to do.
    pub fn ok(id: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(id, Status::Ok, found, None)
    }

    /// `[any]` Something to look at.
    pub fn warn(
        id: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(id, Status::Warn, found, Some(advice.into()))
    }

    /// `[any]` Something that stands in the way.
    pub fn fail(
        id: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(id, Status::Fail, found, Some(advice.into()))
    }

    /// `[any]` The machine does not tell.
    pub fn unknown(id: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(id, Status::Unknown, found, None)
    }

    fn new(
        id: impl Into<String>,
        status: Status,
        found: impl Into<String>,
        advice: Option<String>,
    ) -> Self {
        Self {
            id: id.into(),
            status,
            found: found.into(),
            advice,
        }
    }
}

/// `[any]` The findings for people, and their number.
pub(super) fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.id.len()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for Finding {
        id,
        status,
        found,
        advice,
    } in findings
    {
        let word = match status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
            Status::Unknown => "?",
        };
        text.push_str(&format!("{word:<5} {id:<width$}  {found}\n"));
        if let Some(advice) = advice {
            let indent = 5 + 1 + width + 2;
            text.push_str(&format!("{:indent$}-> {advice}\n", ""));
        }
    }
    let count = |status| {
        let with = findings.iter().filter(|finding| finding.status == status);
        with.count()
    };
    text.push_str(&format!(
        "{} ok, {} to look at, {} in the way, {} unknown\n",
        count(Status::Ok),
        count(Status::Warn),
        count(Status::Fail),
        count(Status::Unknown)
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_each_finding_its_advice_and_the_sum() {
        let findings = [
            Finding::ok("swap", "none"),
            Finding::warn("governor", "powersave", "make it performance"),
            Finding::fail("realtime", "refused", "allow it"),
            Finding::unknown("usb", "no files"),
        ];
        let text = table(&findings);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "ok    swap      none");
        assert_eq!(lines[2], "                -> make it performance");
        assert_eq!(lines[3], "FAIL  realtime  refused");
        assert_eq!(lines[6], "1 ok, 1 to look at, 1 in the way, 1 unknown");
    }
}
