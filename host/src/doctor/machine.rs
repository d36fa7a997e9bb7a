//! A machine as its files tell it: `/proc`, `/sys`, `/etc`, below any folder.

use std::fs;
use std::path::PathBuf;

/// The files of a machine. What is missing or cannot be read is `None` or empty, never an error: a
/// container shows few of them.
#[derive(Debug)]
pub(super) struct Machine {
    root: PathBuf,
}

/// A limit of this process, as /proc/self/limits tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limit {
    /// Not beyond this.
    At(u64),
    /// None.
    Unlimited,
}

/// capabilities(7).
#[derive(Debug, Clone, Copy)]
pub(super) enum Capability {
    /// No limit of locked memory holds.
    IpcLock = 14,
    /// No limit of priorities holds.
    SysNice = 23,
}

impl Machine {
    /// `[main]` The machine whose files lie below `root`.
    pub(super) fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// `[main]` A file's text without the white space around it.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let bytes = fs::read(self.root.join(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// `[main]` A file that holds one number.
    pub(super) fn number(&self, path: &str) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// `[main]` The names in a folder, in their order; `None` where there is no such folder.
    pub(super) fn names(&self, path: &str) -> Option<Vec<String>> {
        let entries = fs::read_dir(self.root.join(path)).ok()?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        Some(names)
    }

    /// `[main]` The cores, by their names `cpu0`, `cpu1`, ...
    pub(super) fn cores(&self) -> Vec<String> {
        let names = self.names("sys/devices/system/cpu").unwrap_or_default();
        let mut cores: Vec<(u32, String)> = names
            .into_iter()
            .filter_map(|name| Some((name.strip_prefix("cpu")?.parse().ok()?, name)))
            .collect();
        cores.sort();
        cores.into_iter().map(|(_, name)| name).collect()
    }

    /// `[main]` The hard limit of this process: `play` takes all of it.
    pub(super) fn limit(&self, name: &str) -> Option<Limit> {
        let limits = self.text("proc/self/limits")?;
        let values = limits.lines().find_map(|line| line.strip_prefix(name))?;
        match values.split_ascii_whitespace().nth(1)? {
            "unlimited" => Some(Limit::Unlimited),
            number => number.parse().ok().map(Limit::At),
        }
    }

    /// `[main]` A line of /proc/self/status, behind its name.
    pub(super) fn status(&self, name: &str) -> Option<String> {
        let status = self.text("proc/self/status")?;
        let value = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(value.trim().to_owned())
    }

    /// `[main]` Whether this process has a capability.
    pub(super) fn may(&self, capability: Capability) -> bool {
        let effective = self.status("CapEff");
        effective
            .and_then(|set| u64::from_str_radix(&set, 16).ok())
            .is_some_and(|set| set & (1 << capability as u32) != 0)
    }
}

#[cfg(test)]
impl Machine {
    /// A machine without files, to be filled.
    pub(super) fn fake(root: &std::path::Path) -> Self {
        Self::below(root)
    }

    /// Gives it a file.
    pub(super) fn put(&self, path: &str, text: &str) -> &Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_hard_ones_and_capabilities_are_bits() {
        let place = tempfile::tempdir().unwrap();
        let machine = Machine::fake(place.path());
        machine.put(
            "proc/self/limits",
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max locked memory         65536                8388608              bytes     \n\
             Max realtime priority     0                    95                   \n\
             Max realtime timeout      unlimited            unlimited            us        \n",
        );
        machine.put("proc/self/status", "Name:\tx\nCapEff:\t0000000000004000\n");
        assert_eq!(
            machine.limit("Max locked memory"),
            Some(Limit::At(8_388_608))
        );
        assert_eq!(machine.limit("Max realtime priority"), Some(Limit::At(95)));
        assert_eq!(
            machine.limit("Max realtime timeout"),
            Some(Limit::Unlimited)
        );
        assert_eq!(machine.limit("Max no such thing"), None);
        assert!(machine.may(Capability::IpcLock));
        assert!(!machine.may(Capability::SysNice));
    }

    #[test]
    fn cores_are_in_the_order_of_their_numbers() {
        let place = tempfile::tempdir().unwrap();
        let machine = Machine::fake(place.path());
        for name in ["cpu10", "cpu2", "cpu0", "cpufreq", "cpuidle"] {
            machine.put(&format!("sys/devices/system/cpu/{name}/x"), "");
        }
        assert_eq!(machine.cores(), ["cpu0", "cpu2", "cpu10"]);
    }
}
